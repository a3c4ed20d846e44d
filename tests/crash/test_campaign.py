"""A short campaign: a register is killed in three ways under load and keeps its word.

Its key is changed meanwhile.
"""

import shutil

import pytest

from tests.crash.campaign import campaign
from tests.prepared import make_folder

SEED = 4
KINDS = ("a worker", "a backend of PostgreSQL", "server, workers and PostgreSQL")


@pytest.fixture
def folder():
    """A short path: the embedded server's socket lies in it."""
    made = make_folder("c")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.xdist_group("up")
async def test_killed_under_load_it_loses_doubles_and_halves_nothing(folder):
    summary = await campaign(folder, rounds=len(KINDS), seed=SEED, kinds=KINDS)
    assert summary.deaths.keys() == set(KINDS)
    assert summary.versions > 0
    assert summary.acknowledged > summary.versions // 2
    assert summary.answers["500"] == 0
    assert summary.rotations == 2
