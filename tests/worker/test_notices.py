"""E-mails of notices, sent to a real smtp: in the member's language, once, and tried again."""

import asyncio
import datetime as dt
import email
import email.policy
import smtplib
import ssl
from contextlib import contextmanager
from ipaddress import IPv4Address

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from registry.errors import ConfigurationError, Unavailable
from registry.services.operations import mail
from registry.services.people import notices
from registry.services.people.access import Actor
from registry.settings import Settings, from_environment
from registry.store import members
from registry.worker.notices import send_due
from tests.crash.register import free_port
from tests.served import PATIENCE

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
RECORD = "demo-sante/prevision-lits"
SUBMITTER = Actor(name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1)


async def tell(connection, record):
    about = NOW.isoformat()
    await notices.tell(connection, SUBMITTER, "review_waits", record, about=about, now=NOW)


class Server:
    """An SMTP server that keeps what it takes, and refuses what a test says."""

    def __init__(self):
        self.taken = []
        self.refused = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "data" in self.refused:
            return self.refused["data"]
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    @property
    def sent(self):
        return sorted(one["to"] for one in self.taken)


@contextmanager
def running(handler, **more):
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE, **more
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)


@pytest.fixture
def smtp():
    return Server()


@pytest.fixture
def settings(smtp):
    with running(smtp) as port:
        yield Settings(
            smtp_url=f"smtp://127.0.0.1:{port}", base_url="https://algorithms.example/sub"
        )


@pytest.fixture
def invited(context):
    """Make reviewers with addresses and languages, whom a submission has been told."""

    async def make(**languages):
        async with context.database.connection() as connection:
            for name, language in languages.items():
                await members.insert(
                    connection,
                    name=name,
                    email=f"{name}@authority.example",
                    agency=None,
                    roles=["reviewer"],
                    language=language,
                    invited_at=NOW,
                )
        async with context.database.transaction() as connection:
            await tell(connection, RECORD)

    return make


async def send(settings, context, at=NOW):
    return await send_due(settings, context, clock=lambda: at)


async def test_a_notice_is_mailed_in_the_members_language_with_no_more_than_id_and_address(
    settings, context, smtp, invited
):
    languages = {"amina": "ar", "brahim": "fr", "carol": "en", "dihya": "zgh"}
    await invited(**languages)
    assert await send(settings, context) == 4
    by_name = {one["to"].split("@")[0]: one for one in smtp.taken}
    subjects = {
        "amina": "في انتظار المراجعة: ",
        "brahim": "En attente de relecture : ",
        "carol": "Waits for review: ",
        "dihya": "في انتظار المراجعة: ",
    }
    for name, message in by_name.items():
        assert message["subject"] == f"{subjects[name]}{RECORD}"
        assert message["from"] == "no-reply@algorithms.example"
        assert message["auto-submitted"] == "auto-generated"
        sent = message["date"].datetime
        assert abs(sent - dt.datetime.now(dt.UTC)) < 5 * MINUTE
        text = message.get_content().replace("\r\n", "\n")
        assert f"https://algorithms.example/sub/office/{languages[name]}/review/{RECORD}\n" in text
        assert "/notices\n" in text
        assert "<" not in text
    ids = {one["message-id"] for one in smtp.taken}
    assert len(ids) == 4


async def test_what_was_submitted_together_is_one_mail_to_each_that_leads_to_the_queue(
    settings, context, smtp, invited
):
    await invited(amina="ar", brahim="fr")
    await send(settings, context)
    smtp.taken.clear()
    async with context.database.transaction() as connection:
        for number in range(31):
            record, request = f"demo-sante/s{number}", NOW.isoformat()
            await notices.tell_submitted(connection, SUBMITTER, record, request=request, now=NOW)
    assert await send(settings, context) == 0
    assert await send(settings, context, NOW + MINUTE) == 2
    by_name = {one["to"].split("@")[0]: one for one in smtp.taken}
    assert by_name["brahim"]["subject"] == ("Dépôts en attente de relecture : 31 (demo-sante)")
    assert "31" in by_name["amina"]["subject"]
    for name, language in (("amina", "ar"), ("brahim", "fr")):
        text = by_name[name].get_content().replace("\r\n", "\n")
        assert f"https://algorithms.example/sub/office/{language}/review/\n" in text


async def test_what_was_sent_is_sent_once_however_many_workers_there_are(
    settings, context, smtp, invited
):
    await invited(**{f"member{number}": "fr" for number in range(12)})
    counts = await asyncio.gather(*(send(settings, context) for _ in range(3)))
    assert sum(counts) == len(smtp.sent) == len(set(smtp.sent)) == 12
    assert await send(settings, context, NOW + dt.timedelta(days=1)) == 0


async def test_what_cannot_be_sent_is_tried_again_and_given_up_after_three_days(
    settings, context, smtp, invited
):
    await invited(amina="ar")
    smtp.refused["data"] = "451 try again"
    with pytest.raises(Unavailable, match="SMTPDataError 451"):
        await send(settings, context)
    assert await send(settings, context, NOW + 4 * MINUTE) == 0
    closed = msgspec.structs.replace(settings, smtp_url="smtp://127.0.0.1:1")
    with pytest.raises(Unavailable, match="refused"):
        await send(closed, context, NOW + 6 * MINUTE)
    smtp.refused.clear()
    assert await send(settings, context, NOW + 13 * MINUTE) == 1
    await invited(late="fr")
    async with context.database.transaction() as connection:
        await tell(connection, f"{RECORD}-2")
    await notices.delete_expired(context.database, now=NOW + dt.timedelta(days=3, seconds=1))
    assert await send(settings, context, NOW + dt.timedelta(days=3, seconds=1)) == 0


async def test_an_address_that_is_refused_does_not_keep_the_others_waiting(
    settings, context, smtp, invited
):
    await invited(amina="ar", brahim="fr", carol="en")
    smtp.refused["amina@authority.example"] = "550 no such mailbox"
    assert await send(settings, context) == 2
    assert smtp.sent == ["brahim@authority.example", "carol@authority.example"]


async def test_what_was_read_and_who_has_ended_gets_no_mail(settings, context, smtp, invited):
    await invited(amina="ar", brahim="fr")
    async with context.database.connection() as connection:
        amina, brahim = await members.read_all(connection, None)
        await members.end(connection, amina.id, NOW)
    reader = Actor(name="authority", agency=None, scopes=frozenset(), token=None, member=brahim.id)
    await notices.mark_read(context, reader, now=NOW)
    assert await send(settings, context) == 0


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example", "http://user:secret@mail.example", "smtp://", "smtp://h:secret"),
        "smtp://user:secret@[h",
    ],
)
def test_an_address_of_a_server_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigurationError, match="REGISTRY_SMTP_URL: give smtp://") as refused:
        from_environment({"REGISTRY_SMTP_URL": url})
    assert "secret" not in refused.value.detail


@pytest.mark.parametrize("address", ["nobody", "a@b\nBcc: c@d", "A <a@b.example>"])
def test_a_sender_that_is_no_address_is_refused(address):
    with pytest.raises(ConfigurationError, match="MAIL_FROM"):
        from_environment({"REGISTRY_MAIL_FROM": address})


async def test_no_message_has_a_header_from_a_record(settings, smtp):
    hostile = mail.Mail(id="x", to="a@b.example", subject="a\r\nBcc: c@d.example", text="x")
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        await asyncio.to_thread(mail.send, settings, hostile)
    assert smtp.taken == []


async def test_a_password_is_sent_to_this_machine_or_over_tls(smtp):
    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (b"user", b"p@ss")
        return AuthResult(success=good, handled=False)

    one = mail.Mail(id="x", to="a@b.example", subject="x", text="x")
    with running(smtp, authenticator=authenticate, auth_require_tls=False) as port:
        good = Settings(smtp_url=f"smtp://user:p%40ss@127.0.0.1:{port}", mail_from="r@b.example")
        await asyncio.to_thread(mail.send, good, one)
        [taken] = smtp.taken
        assert taken["from"] == "r@b.example"
        bad = Settings(smtp_url=f"smtp://user:wrong@127.0.0.1:{port}")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await asyncio.to_thread(mail.send, bad, one)


async def test_no_password_goes_to_another_machine_without_tls(smtp, monkeypatch):
    connected = []
    monkeypatch.setattr(mail, "is_loopback", connected.append)
    with running(smtp) as port:
        settings = Settings(smtp_url=f"smtp://user:secret@127.0.0.1:{port}")
        one = mail.Mail(id="x", to="a@b.example", subject="x", text="x")
        with pytest.raises(smtplib.SMTPNotSupportedError, match="no password"):
            await asyncio.to_thread(mail.send, settings, one)
    assert connected == ["127.0.0.1"]
    assert smtp.taken == []


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that no authority has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=3))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "smtp.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_the_servers_certificate_is_checked(smtp, certificate, monkeypatch):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    one = mail.Mail(id="x", to="a@b.example", subject="x", text="x")
    with running(smtp, tls_context=tls) as port:
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{port}")
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(mail.send, settings, one)
        assert smtp.taken == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await asyncio.to_thread(mail.send, settings, one)
        assert smtp.sent == ["a@b.example"]


async def test_who_wants_a_digest_gets_one_mail_a_day(settings, context, smtp, invited):
    async with context.database.connection() as connection:
        await invited(amina="fr", brahim="fr")
        await connection.execute("update member set daily_digest = true where name = 'brahim'")
    records = [f"demo-sante/record-{number}" for number in range(3)]
    async with context.database.transaction() as connection:
        for record in records:
            await tell(connection, record)
    await send(settings, context)
    # What was told before she chose the digest comes at once.
    assert smtp.sent.count("brahim@authority.example") == 1
    assert smtp.sent.count("amina@authority.example") == 4
    smtp.taken.clear()
    morning = NOW.replace(day=25, hour=6)
    assert await send(settings, context, morning - MINUTE) == 0
    assert await send(settings, context, morning) == 1
    [message] = smtp.taken
    assert message["subject"] == "Du nouveau pour vous dans le registre : 3"
    text = message.get_content()
    assert all(f"/office/fr/review/{record}\n" in text.replace("\r", "") for record in records)
    assert await send(settings, context, morning + 60 * MINUTE) == 0
