"""What the lock files install, where tests and benches run."""

import re

import pytest

from tests.conftest import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_brings_the_grammar_that_jsonschema_would_build_at_each_import(name):
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text(), re.MULTILINE))
    assert "jsonschema" in locked
    assert not locked & {"rfc3987", "rfc3987-syntax", "lark"}, "an extra jsonschema[format…]"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index(name):
    assert not re.search(r"://|^--?[a-z]", (ROOT / name).read_text(), re.MULTILINE)
