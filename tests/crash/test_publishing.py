"""A short campaign against the log's publisher: killed and failing wherever it touches the disk."""

import base64
import datetime as dt

import pytest

from registry.ledger import key
from registry.ledger.publish_files import publish_log
from tests.crash.asking import Violation
from tests.crash.publishing import ERRORS, STEPS, attest_some, check_signed, torment

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ROUNDS = 60
SEED = 11


@pytest.fixture
def database(logged):
    """The register whose log has a key of its own."""
    return logged


async def test_wherever_it_dies_the_files_converge_and_each_size_has_one_root(
    context, settings, migrated_url
):
    # So many that a tile is filled on the way.
    await attest_some(context, 180, 1, now=NOW)
    ended = await torment(context, settings, migrated_url, rounds=ROUNDS, seed=SEED, now=NOW)
    assert ended.total() == ROUNDS
    assert ended["killed: died"] > len(STEPS)
    assert all(ended[f"{error}: failed"] > 0 for error in ERRORS)
    assert "killed: failed" not in ended
    assert len(key.files(settings.key_file)) > 2, "its key was changed meanwhile"


async def test_a_second_root_of_a_size_would_be_seen(context, database, settings):
    await attest_some(context, 3, 1, now=NOW)
    await publish_log(database, settings, now=NOW)
    await check_signed(context, settings, {})
    with settings.signed_sizes_file.open("a", encoding="ascii") as file:
        file.write(f"2 {base64.b64encode(bytes(32)).decode()}\n")
    with pytest.raises(Violation, match="size 2"):
        await check_signed(context, settings, {})
