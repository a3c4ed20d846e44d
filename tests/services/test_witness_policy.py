"""The policy of witnesses: taken over into the log, served as it stands there, never in silence."""

import json

import msgspec
import pytest

from registry.errors import ConfigurationError
from registry.ledger.export import export_log
from registry.ledger.targets import Folder
from registry.ledger.verify_database import check_database
from registry.log.files import POLICY, read_note
from registry.log.replay import LogInconsistent
from registry.services.log.witness_policy import configured_policy, take_policy
from registry.settings import from_environment
from registry.store import log
from registry.tlog.keys import COSIGNATURE, Signer
from registry.verify.fsck import fsck, read_from
from registry.verify.log import verify_log
from tests.conftest import NOW

W1, W2 = (
    Signer(name=f"w{number}.example", seed=bytes([number]) * 32, kind=COSIGNATURE).verifier_key
    for number in (1, 2)
)
ONE = f"witness one {W1} https://w1.example/\nquorum one\n"
TWO = (
    f"# Zwei Türme\n{ONE.splitlines()[0]}\nwitness two {W2}\ngroup both all one two\nquorum both\n"
)


def quiet(_done, _total):
    pass


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def settings(settings, tmp_path):
    return msgspec.structs.replace(settings, log_policy_file=tmp_path / "policy.txt")


async def test_a_policy_is_logged_once_and_served_as_it_stands_there(
    database, context, settings, publish_it, pack, tmp_path
):
    folder = settings.log_dir
    settings.log_policy_file.write_text(ONE)
    assert await take_policy(context, settings, now=NOW)
    assert not await take_policy(context, settings, now=NOW)
    # It is served once it is published.
    assert read_note(folder, POLICY) is None
    await publish_it()
    assert read_note(folder, POLICY) == ONE.encode()

    settings.log_policy_file.write_text(TWO)
    assert await take_policy(context, settings, now=NOW)
    unset = msgspec.structs.replace(settings, log_policy_file=None)
    assert not await take_policy(context, unset, now=NOW)
    async with database.connection() as connection:
        assert await log.read_policy(connection) == TWO
        assert await log.read_policy(connection, 2) == ONE
        assert await log.read_policy(connection, 1) is None
    await publish_it()

    exported = tmp_path / "exported"
    await export_log(database, Folder(exported, strip="log/"), site=None, progress=quiet)
    assert (exported / "policy").read_bytes() == TWO.encode()
    said = json.loads((exported / "log.json").read_bytes())["policy"]
    assert said == {"witnesses": [W1, W2], "quorum": 2, "text": TWO}
    for place in (folder, exported):
        found, _ = fsck(place, verifier=None, progress=quiet)
        assert found.policy == TWO
    assert (await check_database(database, settings, progress=quiet)).size == 3

    for swapped in (ONE, None):
        (exported / "policy").unlink()
        if swapped is not None:
            (exported / "policy").write_text(swapped)
        with pytest.raises(LogInconsistent, match="policy: it is "):
            verify_log(read_from(exported), verifier=None, progress=quiet)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"quorum nobody\n", r"is no policy: line 1: .* 'nobody'"),
        (b"\xff\nquorum none\n", "is no policy"),
        (b"quorum none\n" + b"#" * (32 << 10), "more than 32,768 bytes"),
        (ONE.replace("https", "http").encode(), "address of one does not begin with https://"),
        (ONE.replace("https://", "https://u:p@").encode(), "address of one"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused(settings, content, why):
    if content is not None:
        settings.log_policy_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"LOG_POLICY_FILE: .*policy\.txt.*{why}"):
        configured_policy(settings)


def test_the_setting_and_witnesses_on_this_machine(settings):
    given = from_environment({"REGISTRY_LOG_POLICY_FILE": str(settings.log_policy_file)})
    assert given.log_policy_file == settings.log_policy_file
    local = ONE.replace("https://w1.example/", "http://127.0.0.1:8080/w1")
    settings.log_policy_file.write_text(local)
    assert configured_policy(settings) == local
