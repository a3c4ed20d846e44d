"""The disk is full: not available, nothing half-written, and well again when there is room."""

import shutil
import subprocess

import httpx
import msgspec
import pytest

from registry.store.database import connect
from tests.crash.campaign import answering
from tests.crash.invariants import Receipt, broken_laws, unkept
from tests.crash.register import Register
from tests.faults.conftest import Agency

NO_ROOM = """
create function no_room() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = '53100';
end
$$;
create trigger no_room before insert on {} execute function no_room();
"""
DISK = 96 << 20
ROOM = 1 << 20
MORE_THAN_FIT = 1000


async def test_a_publication_that_runs_out_of_room(agency, intruder, is_whole, subtests):
    """PostgreSQL's own error, at each place where the publication grows the database."""
    for number, table in enumerate(("log_entry", "version", "section", "search_version", "audit")):
        with subtests.test(table=table):
            document = agency.document(f"no-room-{number}")
            await agency.save(document)
            await intruder.execute(NO_ROOM.format(table))
            answer = await agency.submit(document)
            assert answer.status_code == 503
            assert "no room" in answer.json()["detail"]
            assert await intruder.fetchval("select count(*) from version") == number
            assert await intruder.fetchval("select count(*) from draft") == 1
            await intruder.execute(f"drop trigger no_room on {table}; drop function no_room()")
            await is_whole()
            assert (await agency.submit(document)).json()["version"] == 1
    await is_whole()


@pytest.fixture
def small_disk(folder):
    """A folder on a disk of its own with little room."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("only who may mount can make a small disk; the test above needs none")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_a_disk_that_is_really_full(small_disk, make_token, pack, record):
    """Database, keys and log of the register all lie on it."""
    register = Register(small_disk, workers=1, limit_writes=0, limit_publications=0)
    register.start()
    try:
        await answering(register)
        database = await connect(register.database_url, size=1)
        headers = {"authorization": f"Bearer {await make_token(database)}"}
        await database.close()
        async with httpx.AsyncClient(
            base_url=register.base_url, headers=headers, timeout=60
        ) as http:
            agency = Agency(http, record)
            filed = [await agency.publish(agency.document("first"))]
            ballast = small_disk / "ballast"
            with ballast.open("wb") as file:
                file.truncate(0)
                file.write(bytes(shutil.disk_usage(small_disk).free - ROOM))
            refused = None
            for number in range(MORE_THAN_FIT):
                document = agency.document(f"record-{number}")
                answer = await agency.save(document)
                if answer.is_success:
                    answer = await agency.submit(document)
                if answer.status_code == 503:
                    refused = document
                    break
                filed.append(answer.json())
            assert refused is not None, "there was room for everything"
            ballast.unlink()
            # PostgreSQL, which cannot live without its log, is started again.
            await answering(register)
            assert await broken_laws(register.database_url, pack) == []
            assert (await agency.save(refused)).is_success
            filed.append((await agency.submit(refused)).json())
        receipts = [msgspec.convert(one, Receipt) for one in filed]
        assert await unkept(register.database_url, receipts) == []
        assert await broken_laws(register.database_url, pack) == []
    finally:
        register.end()
