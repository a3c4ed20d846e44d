"""The key file: made once, whole, and for its owner's eyes only."""

import os

import pytest

from registry.errors import ConfigurationError
from registry.ledger.key import read, read_or_create

ORIGIN = "a.example/log"


def test_it_is_made_once_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "log.key"
    signer = read_or_create(path, ORIGIN)
    assert signer.name == ORIGIN
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert read_or_create(path, "another.example/log") == signer == read(path)


def test_the_mode_does_not_depend_on_the_umask(tmp_path):
    before = os.umask(0)
    try:
        read_or_create(tmp_path / "log.key", ORIGIN)
    finally:
        os.umask(before)
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    path = tmp_path / "log.key"
    read_or_create(path, ORIGIN)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:o}.*chmod 600"):
        read_or_create(path, ORIGIN)


@pytest.mark.parametrize("content", [b"", b"garbage\n", b"\xff\xfe", b"PRIVATE+KEY+a+b"])
def test_what_is_not_a_key_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=str(path)):
        read_or_create(path, ORIGIN)
    assert path.read_bytes() == content


@pytest.mark.parametrize("origin", ["", "a b", "a+b/log", "مثال/log"])
def test_an_origin_that_no_key_can_carry_makes_no_key(tmp_path, origin):
    with pytest.raises(ConfigurationError, match="REGISTRY_LOG_ORIGIN"):
        read_or_create(tmp_path / "log.key", origin)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write the log's key"):
        read_or_create(tmp_path / "file" / "log.key", ORIGIN)
    with pytest.raises(ConfigurationError, match="cannot read the log's key"):
        read_or_create(tmp_path, ORIGIN)
