"""What the replay of a published log says of a register is what its database answers."""

import msgspec

from registry.log.register import RegisterReplay
from registry.services.people.access import Actor
from registry.services.statements import attestation, redaction
from registry.store import attestations, log, records, withdrawals
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from tests.conftest import NOW, amended, make_record

ID = "demo-sante/prevision-lits"
OTHER = "demo-sante/autre"
UNBOUND = {"id", "register", "origin", "proof"}


def acting(name):
    return Actor(name=name, agency=None, scopes=frozenset({"redact", "admin"}), token=1)


async def lived(register):
    """Two versions, another record withdrawn and back and withdrawn, erasures, attestations."""
    other = amended(make_record(), id=OTHER, source_id="A-2", name={"fr": "Lits", "ar": "أ"})
    await register.publish(make_record(), other, now=NOW)
    await register.publish(amended(make_record(), system_version="1.3"), now=NOW)
    await register.withdraw(OTHER, now=NOW)
    await register.put(amended(other), now=NOW)
    await register.withdraw(OTHER, now=NOW, reason="filed_in_error")
    agency = Actor(
        name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1, request="r"
    )
    for systems in (9, 7):
        said = {"day": "2026-11-01", "systems_total": systems, "contact": {"email": "a@b.example"}}
        await attestation.attest(register.context, agency, "demo-sante", said, now=NOW)
    await register.redact(ID, "/contact/email", now=NOW)
    await register.serve_log()
    async with register.context.database.connection() as connection:
        [stone, _] = await withdrawals.read_all(connection, OTHER)
        [said, _] = await attestations.read_history(connection, "demo-sante")
    for named in (
        {"entry": stone.entry, "pointers": ["/note"]},
        {"entry": said.entry, "pointers": ["/contact/email"]},
    ):
        asked = await redaction.request(
            register.context,
            acting("one"),
            {**named, "basis": "data_protection", "authority": "CNDP"},
            now=NOW,
        )
        await redaction.confirm(register.context, acting("two"), asked.redaction, now=NOW)
    await register.serve_log()


def replayed(register):
    replay = RegisterReplay()
    verify_log(
        read_from(register.folder / "log"),
        verifier=None,
        progress=lambda *_: None,
        replay=replay,
    )
    return replay


def facts(stored):
    register = msgspec.json.decode(msgspec.json.encode(stored.register))
    if "source" in register:
        for name in UNBOUND:
            register["source"].pop(name, None)
    return stored.agency, msgspec.json.decode(stored.document), register


async def compare(register, count):
    """Compare everything that is known of each record, as of each entry."""
    replay = replayed(register)
    assert len(replay.versions) == count
    compared = 0
    async with register.context.database.connection() as connection:
        assert replay.log == await log.read_lines(connection)
        for as_of in range(replay.size):
            for last, _ in replay.standing(as_of=as_of):
                one = last.record
                history = await records.read_versions(connection, one, as_of=as_of)
                assert replay.lines(one, as_of=as_of) == history
                stones = await withdrawals.read_all(connection, one, as_of=as_of)
                assert replay.withdrawals(one, as_of=as_of) == stones
                for version in replay.versions[one][: len(history)]:
                    stored = await records.read(connection, one, version.version, as_of=as_of)
                    made = replay.stored(
                        version, fictitious=stored.register.fictitious, as_of=as_of
                    )
                    assert facts(made) == facts(stored)
                    compared += 1
            for agency in replay.attesting:
                said = await attestations.read_history(connection, agency, as_of=as_of)
                records_then = said[0].records if said else 0
                made = replay.attestations(agency, records=records_then, as_of=as_of)
                assert made == said
    return compared


async def test_a_register_is_replayed_as_it_answers(registers):
    theirs, ours = registers
    await lived(theirs)
    assert await compare(theirs, 2) > 20
    # And one that took it over from there, erasures and withdrawals as well.
    await ours.watch(theirs, now=NOW)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    await theirs.publish(amended(make_record()), now=NOW)
    await theirs.redact(ID, "/contact/url", now=NOW)
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    await ours.serve_log()
    assert await compare(ours, 2) > 10
