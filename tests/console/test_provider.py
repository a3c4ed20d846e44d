"""Signing in by an identity provider: a real one that nobody here wrote, and a hostile one."""

import hmac
import html
import json
import re
import subprocess
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from registry.errors import ConfigurationError, Unavailable
from registry.services.people import identity_provider
from registry.settings import from_environment
from tests.console.conftest import SITE, opened_office, parse
from tests.crash.register import free_port
from tests.listening import dripping
from tests.prepared import fetch_program

HERE = Path(__file__).parent
CLIENT = "register"
AUDIENCE = f"{SITE}/api"
CALLBACK = f"{SITE}/office/sign-in/oidc/callback"


class HostileProvider:
    """A provider whose tokens can be made wrong; `claims` and `header` are laid over right ones."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
        self.other = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
        self.claims, self.header, self.signing = {}, {}, self.key
        self.metadata = {}
        self.nonce = None
        self.token = None
        self.asked = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                provider.asked.append(self.path)
                if self.path == "/jwks":
                    self._answer({"keys": [provider.key.as_dict(private=False)]})
                else:
                    self._answer(provider.described() | provider.metadata)

            def do_POST(self):
                size = int(self.headers["content-length"])
                provider.asked.append(parse_qs(self.rfile.read(size).decode()))
                id_token = provider.token or provider.make()
                self._answer({"access_token": "a", "token_type": "bearer", "id_token": id_token})

            def _answer(self, value):
                content = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def described(self):
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }

    def make(self, **claims):
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "sub": "person-1",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "email": "amina@sante.example",
            "email_verified": True,
        }
        said = {
            name: value
            for name, value in (right | self.claims | claims).items()
            if value is not None
        }
        header = {"alg": "RS256", "kid": "one"} | self.header
        return jwt.encode(header, said, self.signing, algorithms=["RS256"])


@pytest.fixture
def hostile():
    provider = HostileProvider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield provider
    provider.server.shutdown()
    thread.join()
    provider.server.server_close()


@pytest.fixture
async def office(settings, database_url, hostile, tmp_path):
    programs = tmp_path / "programs.json"
    programs.write_text(
        json.dumps(
            {"records-program": {"agency": "demo-sante", "scopes": ["file"], "actor": "records"}}
        )
    )
    async with opened_office(
        settings,
        database_url,
        console=None,
        oidc_issuer=hostile.issuer,
        oidc_client_id=CLIENT,
        oidc_audience=AUDIENCE,
        oidc_clients_file=programs,
    ) as office:
        yield office


async def begin(browser, hostile, path="/office/fr/sign-in/oidc"):
    """Begin to sign in; return the state that the provider would give back."""
    answer = await browser.get(path)
    assert answer.status_code == 303, answer.text
    asked = {
        name: value[0]
        for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }
    assert asked["redirect_uri"] == CALLBACK
    assert asked["code_challenge_method"] == "S256"
    hostile.nonce = asked["nonce"]
    return asked["state"]


async def finish(browser, **answer):
    return await browser.get(f"/office/sign-in/oidc/callback?{urlencode(answer)}")


def is_signed_in(browser):
    return "__Secure-office_session" in browser.client.cookies


async def test_a_member_is_known_by_a_verified_address_and_then_by_her_identity(office, hostile):
    made = await office.invite("editor", email="Amina@sante.example")
    browser = office.browser()
    page = await browser.get("/office/fr/sign-in?next=/office/fr/notices")
    assert "sign-in/oidc?next=%2Foffice%2Ffr%2Fnotices" in page.text
    path = "/office/fr/sign-in/oidc?next=%2Foffice%2Ffr%2Fnotices"
    state = await begin(browser, hostile, path)
    answer = await finish(browser, code="c", state=state)
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/fr/notices")
    # The code came with the verifier of the challenge.
    sent = next(one for one in hostile.asked if isinstance(one, dict))
    assert len(sent["code_verifier"][0]) == 43
    [row] = await office.run("select oidc_issuer, oidc_subject from member")
    assert tuple(row) == (hostile.issuer, "person-1")
    # The address may change afterwards, and is no way in for anybody else.
    hostile.claims = {"email": "new@sante.example"}
    again = office.browser()
    answer = await finish(again, code="c", state=await begin(again, hostile))
    assert answer.headers["location"] == "/office/fr/"
    hostile.claims = {"sub": "person-2"}
    other = office.browser()
    answer = await finish(other, code="c", state=await begin(other, hostile))
    assert answer.status_code == 403
    assert not is_signed_in(other)
    assert made.member == 1


async def test_a_member_binds_her_identity_by_a_link(office, hostile):
    made = await office.invite("editor")
    browser = office.browser()
    path = f"/office/ar/sign-in/link/{made.secret}"
    assert f"{path}/oidc" in (await browser.get(path)).text
    state = await begin(browser, hostile, f"{path}/oidc")
    answer = await finish(browser, code="c", state=state)
    assert answer.headers["location"] == "/office/ar/"
    # The link is used up by that.
    assert (await office.browser().get(path)).status_code == 410
    assert all(made.secret not in line.path for line in office.lines)


async def test_who_is_no_member_sees_how_to_ask_and_nothing_else(office, hostile, subtests):
    await office.invite("editor", email="amina@sante.example")
    for claims in (
        {"email": "nobody@sante.example"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
    ):
        with subtests.test(claims=claims):
            hostile.claims = claims
            browser = office.browser()
            answer = await finish(browser, code="c", state=await begin(browser, hostile))
            assert answer.status_code == 403
            parse(answer)
            assert "person-1" in answer.text
            assert not is_signed_in(browser)
            assert (await browser.get("/office/fr/")).status_code == 303


async def test_an_address_that_two_members_have_is_nobodys(office, hostile):
    for _ in range(2):
        await office.invite("editor", email="amina@sante.example")
    browser = office.browser()
    answer = await finish(browser, code="c", state=await begin(browser, hostile))
    assert answer.status_code == 403
    assert not is_signed_in(browser)


async def test_a_member_who_has_ended_does_not_come_back(office, hostile):
    await office.invite("editor", email="amina@sante.example")
    browser = office.browser()
    await finish(browser, code="c", state=await begin(browser, hostile))
    await office.run("update member set ended_at = now()")
    again = office.browser()
    answer = await finish(again, code="c", state=await begin(again, hostile))
    assert answer.status_code == 403
    assert not is_signed_in(again)


ATTACKS = {
    "wrong issuer": {"iss": "https://evil.example"},
    "wrong audience": {"aud": "another-client"},
    "audience of several without azp": {"aud": [CLIENT, "another"], "azp": "another"},
    "expired token": {"exp": 1},
    "not yet valid": {"nbf": 2**40},
    "no expiry": {"exp": None},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "a subject that is no text": {"sub": 7},
}


async def test_a_token_with_wrong_claims_signs_nobody_in(office, hostile, subtests):
    await office.invite("editor", email="amina@sante.example")
    for attack, claims in ATTACKS.items():
        with subtests.test(attack=attack):
            hostile.claims = claims
            browser = office.browser()
            answer = await finish(browser, code="c", state=await begin(browser, hostile))
            assert answer.status_code == 401
            parse(answer)
            assert not is_signed_in(browser)
    hostile.claims = {}
    browser = office.browser()
    await finish(browser, code="c", state=await begin(browser, hostile))
    assert is_signed_in(browser)


async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(office, hostile, subtests):
    await office.invite("editor", email="amina@sante.example")

    def unsigned(right):
        _, body, _ = right.split(".")
        return f"eyJhbGciOiJub25lIn0.{body}."

    def by_a_shared_secret(right):
        # The public key as a shared secret, which a check that trusts the header would accept.
        _, body, _ = right.split(".")
        head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
        public = hostile.key.as_pem(private=False)
        digest = hmac.digest(public, f"{head}.{body}".encode(), "sha256")
        signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return f"{head}.{body}.{signature}"

    def by_another_key(_):
        hostile.signing = hostile.other
        made = hostile.make()
        hostile.signing = hostile.key
        return made

    for attack, forge in (
        ("unsigned", unsigned),
        ("shared secret", by_a_shared_secret),
        ("another key", by_another_key),
        ("no token", lambda _: "nothing"),
        ("cut", lambda right: right[:-8]),
    ):
        with subtests.test(attack=attack):
            browser = office.browser()
            state = await begin(browser, hostile)
            hostile.token = forge(hostile.make())
            answer = await finish(browser, code="c", state=state)
            assert answer.status_code == 401
            assert not is_signed_in(browser)
    hostile.token = None
    browser = office.browser()
    await finish(browser, code="c", state=await begin(browser, hostile))
    assert is_signed_in(browser)


async def test_a_provider_whose_answer_never_ends_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(identity_provider, "_TIMEOUT_SECONDS", 0.5)
    with dripping() as address:
        settings = from_environment({"REGISTRY_BASE_URL": SITE, "REGISTRY_OIDC_ISSUER": address})
        provider = identity_provider.IdentityProvider(settings)
        with pytest.raises(Unavailable, match="does not answer as it should"):
            await provider.authorization_address(state="s", nonce="n", verifier="v")


async def test_mixed_state_signs_nobody_in(office, hostile):
    """An answer to another browser's attempt, to none, or sent twice."""
    await office.invite("editor", email="amina@sante.example")
    mine, theirs = office.browser(), office.browser()
    state = await begin(mine, hostile)
    foreign = await begin(theirs, hostile)
    for answer in ({"state": foreign, "code": "c"}, {"code": "c"}, {"state": "x", "code": "c"}):
        assert (await finish(mine, **answer)).status_code == 401
    assert (await finish(office.browser(), state=state, code="c")).status_code == 401
    state = await begin(mine, hostile)
    cookie = mine.client.cookies["__Secure-office_attempt"]
    assert (await finish(mine, state=state, code="c")).status_code == 303
    mine.client.cookies.clear()
    mine.client.cookies.set(
        "__Secure-office_attempt", cookie, domain="algorithms.example", path="/office"
    )
    assert (await finish(mine, state=state, code="c")).status_code == 401
    await begin(theirs, hostile)
    await office.run("update sign_in_attempt set begun_at = now() - interval '11 minutes'")
    state = theirs.client.cookies["__Secure-office_attempt"].partition(".")[0]
    assert (await finish(theirs, state=state, code="c")).status_code == 401


async def test_an_answer_of_another_issuer_or_without_a_code_signs_nobody_in(office, hostile):
    browser = office.browser()
    for answer in ({"code": "c", "iss": "https://evil.example"}, {"error": "access_denied"}):
        state = await begin(browser, hostile)
        assert (await finish(browser, state=state, **answer)).status_code == 401


async def test_a_provider_that_says_to_be_another_is_not_used(office, hostile):
    hostile.metadata = {"issuer": "https://evil.example"}
    answer = await office.browser().get("/office/fr/sign-in/oidc")
    assert answer.status_code == 503
    parse(answer)


async def test_a_provider_that_is_down_leaves_the_links(office, hostile):
    hostile.server.shutdown()
    hostile.server.server_close()
    assert (await office.browser().get("/office/fr/sign-in/oidc")).status_code == 503
    browser = office.browser()
    await browser.sign_in((await office.invite("editor")).secret)
    assert is_signed_in(browser)


async def test_who_had_a_session_is_asked_to_sign_in_again_and_it_is_checked(office, hostile):
    made = await office.invite("editor", email="amina@sante.example")
    browser = office.browser()
    await browser.sign_in(made.secret)
    await browser.post("/office/fr/sign-out")
    for told in (None, "now", int(time.time()) - 3600):
        hostile.claims = {"auth_time": told}
        answer = await finish(browser, code="c", state=await begin(browser, hostile))
        assert answer.status_code == 401, told
        assert not is_signed_in(browser)
    asked = await browser.get("/office/fr/sign-in/oidc")
    given = parse_qs(urlsplit(asked.headers["location"]).query)
    assert (given["prompt"], given["max_age"]) == (["login"], ["600"])
    hostile.claims = {"auth_time": int(time.time())}
    await finish(browser, code="c", state=await begin(browser, hostile))
    assert is_signed_in(browser)


async def test_the_session_that_the_browser_had_ends_with_the_new_one(office, hostile):
    made = await office.invite("editor", email="amina@sante.example")
    browser = office.browser()
    await browser.sign_in(made.secret)
    hostile.claims = {"auth_time": int(time.time())}
    before = browser.client.cookies["__Secure-office_session"]
    await finish(browser, code="c", state=await begin(browser, hostile))
    assert browser.client.cookies["__Secure-office_session"] != before
    old = office.browser()
    old.client.cookies.set(
        "__Secure-office_session", before, domain="algorithms.example", path="/office"
    )
    assert (await old.get("/office/fr/")).status_code == 303


async def ask(office, token):
    browser = office.browser(authorization=f"Bearer {token}")
    return await browser.client.get("/api/v1/filings")


async def test_a_program_files_with_the_providers_token_as_the_settings_say(office, hostile):
    hostile.claims = {"nonce": None, "aud": AUDIENCE, "client_id": "records-program"}
    answer = await ask(office, hostile.make())
    assert answer.status_code == 200, answer.text
    [row] = await office.run("select id, actor, agency, scopes, last_used_on from token")
    assert (row["actor"], row["agency"], row["scopes"]) == ("records", "demo-sante", ["file"])
    assert row["last_used_on"] is not None
    assert (await ask(office, hostile.make())).status_code == 200
    assert len(await office.run("select from token")) == 1
    # It is revoked as any other.
    await office.run("update token set revoked_at = now()")
    assert (await ask(office, hostile.make())).status_code == 401


FOR_SOMETHING_ELSE = [
    {"aud": CLIENT},
    {"iss": "https://evil.example"},
    {"exp": 1},
    {"exp": None},
    {"client_id": "unknown"},
    {"client_id": None},
    {"client_id": ["records-program"]},
    {"nonce": "it is an ID token"},
]


async def test_a_token_for_something_else_is_no_token_here(office, hostile, subtests):
    right = {"nonce": None, "aud": AUDIENCE, "client_id": "records-program"}
    for claims in FOR_SOMETHING_ELSE:
        with subtests.test(claims=claims):
            hostile.claims = right | claims
            answer = await ask(office, hostile.make())
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert await office.run("select from token") == []
    hostile.claims = right
    assert (await ask(office, hostile.make())).status_code == 200


async def test_clocks_may_differ_by_a_minute_and_new_keys_are_asked_for_once(office, hostile):
    now = int(time.time())
    hostile.claims = {"nonce": None, "aud": AUDIENCE, "client_id": "records-program"}
    assert (await ask(office, hostile.make(exp=now - 30))).status_code == 200
    assert (await ask(office, hostile.make(exp=now - 90))).status_code == 401
    hostile.header = {"kid": "two"}
    for _ in range(3):
        assert (await ask(office, hostile.make())).status_code == 401
    assert hostile.asked.count("/jwks") == 1


def test_a_provider_without_https_is_a_wrong_setting():
    for wrong in ("http://login.example", "login.example", "https://login.example/?a=b"):
        with pytest.raises(ConfigurationError, match="OIDC_ISSUER"):
            from_environment({"REGISTRY_OIDC_ISSUER": wrong})
    with pytest.raises(ConfigurationError, match="OIDC_ISSUER"):
        from_environment({"REGISTRY_OIDC_CLIENT_ID": "register"})


# ---- A provider that nobody here wrote -------------------------------------------------------


@pytest.fixture(scope="module")
def program():
    """The folder of the provider's program, fetched once a checkout."""
    return fetch_program(HERE / "provider")


@contextmanager
def running(program):
    port = free_port()
    process = subprocess.Popen(
        ["node", str(program / "provider.mjs"), str(port), CALLBACK],
        cwd=program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told = []
        for line in process.stdout:
            told.append(line)
            if "listening" in line:
                break
        else:
            pytest.fail("".join(told))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
async def real(settings, database_url, program, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret of the test alone, of a fair length\n")
    programs = tmp_path / "programs.json"
    programs.write_text(
        json.dumps({"records-program": {"agency": "demo-sante", "scopes": ["file"]}})
    )
    with running(program) as issuer:
        async with opened_office(
            settings,
            database_url,
            oidc_issuer=issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret_file=secret,
            oidc_audience=AUDIENCE,
            oidc_clients_file=programs,
        ) as office:
            office.issuer = issuer
            yield office


async def sign_in_at(provider, address, account):
    """Sign in at the provider as its pages ask, and return the address that it leads back to."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(address)
        for _ in range(10):
            if answer.is_redirect:
                address = str(answer.next_request.url)
                if address.startswith(SITE):
                    return address
                answer = await client.get(address)
                continue
            action = html.unescape(re.search(r'action="([^"]+)"', answer.text)[1])
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
            if 'name="login"' in answer.text:
                fields |= {"login": account, "password": "x"}
            answer = await client.post(httpx.URL(provider).join(action), data=fields)
    raise AssertionError(answer.text)


async def at_provider(office, browser, account, path="/office/fr/sign-in/oidc"):
    answer = await browser.get(path)
    back = await sign_in_at(office.issuer, answer.headers["location"], account)
    return await browser.get(back.removeprefix(SITE))


async def test_with_a_real_provider_members_sign_in_and_strangers_do_not(real):
    await real.invite("editor", email="amina@sante.example")
    browser = real.browser()
    answer = await at_provider(real, browser, "amina")
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/fr/")
    assert "Amina" in (await browser.get("/office/fr/")).text
    # Whoever had a session signs in again, and the provider says when.
    await browser.post("/office/fr/sign-out")
    answer = await at_provider(real, browser, "amina")
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/fr/")
    bound = await real.invite("reviewer")
    other = real.browser()
    path = f"/office/ar/sign-in/link/{bound.secret}/oidc"
    answer = await at_provider(real, other, "youssef", path)
    assert answer.headers["location"] == "/office/ar/"
    await real.invite("editor", email="unverified-1@sante.example")
    for account in ("stranger", "unverified-1"):
        stranger = real.browser()
        answer = await at_provider(real, stranger, account)
        assert answer.status_code == 403, account
        assert not is_signed_in(stranger)


async def test_with_a_real_provider_a_program_files(real):
    async with httpx.AsyncClient() as client:
        given = await client.post(
            f"{real.issuer}/token",
            data={"grant_type": "client_credentials", "scope": "file", "resource": AUDIENCE},
            auth=("records-program", "another secret of the test, as long as that"),
        )
    token = given.json()["access_token"]
    answer = await ask(real, token)
    assert answer.status_code == 200, answer.text
    assert (await ask(real, token[:-6])).status_code == 401
