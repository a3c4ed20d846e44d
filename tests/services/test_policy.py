"""Who may do what: the table, as the services use it and as the documentation shows it."""

from __future__ import annotations

import re
from itertools import product
from typing import get_args

import pytest

from registry.errors import Forbidden
from registry.services import policy
from registry.services.people.access import OPERATOR, SCOPES, Actor
from tests.conftest import ROOT

OWN, OTHER = "dgi", "cnss"
OF_ROLES = {
    "editor": {"file", "attest", "withdraw", "read_draft", "read_act", "take_back_act"},
    "reviewer": {"review", "read_draft", "read_act"},
    "agency_admin": set(),
    "data_protection": {"redact"},
    "register_admin": {"withdraw", "read_act", "take_back_act", "redact"}
    | {"read_audit", "read_metrics"},
}


def actor(agency, scopes):
    return Actor(name="a", agency=agency, scopes=frozenset(scopes), token=1)


@pytest.mark.parametrize(("act", "scope"), list(product(get_args(policy.Permission), SCOPES)))
def test_a_scope_allows_what_the_table_says(act, scope):
    reach = policy.PERMISSIONS[act].get(scope)
    allowed = {
        (of, subject): policy.allows(actor(of, {scope}), act, subject)
        for of, subject in product((OWN, None), (OWN, OTHER, None))
    }
    assert allowed == {
        (OWN, OWN): reach is not None,
        (OWN, OTHER): reach == "all",
        (OWN, None): reach == "all",
        (None, OWN): reach in {"side", "all"},
        (None, OTHER): reach in {"side", "all"},
        (None, None): reach in {"side", "all"},
    }
    if reach is None:
        with pytest.raises(Forbidden, match=f"scopes {scope}; this needs the scope"):
            policy.require(actor(OWN, {scope}), act, OWN)
    elif reach != "all":
        policy.require(actor(OWN, {scope}), act, OWN)
        with pytest.raises(Forbidden, match=f"for {OWN}; it cannot .* for {OTHER}"):
            policy.require(actor(OWN, {scope}), act, OTHER)


@pytest.mark.parametrize("role", get_args(policy.MemberRole))
def test_a_role_allows_what_its_scopes_do(role):
    agency = None if role == "register_admin" else OWN
    holder = actor(agency, policy.scopes_of([role]))
    assert {act for act in policy.PERMISSIONS if policy.allows(holder, act, OWN)} == OF_ROLES[role]
    for act in OF_ROLES[role]:
        is_wide = agency is None or "all" in policy.PERMISSIONS[act].values()
        assert policy.allows(holder, act, OTHER) == is_wide


def test_who_manages_members():
    assert policy.manages(OPERATOR)
    for role in get_args(policy.MemberRole):
        one = Actor(name="a", agency=OWN, scopes=frozenset(), token=None, roles=frozenset({role}))
        assert policy.manages(one) == role.endswith("_admin")


def test_the_documentation_shows_the_same():
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    table = text.partition("### Who may do what\n")[2].partition("\n## ")[0]
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    words = {"own": "own agency", "side": "own agency, or all", "all": "all"}
    scopes = [name.strip("`") for name in head[1:]]
    shown = {
        re.fullmatch(r"`(\w+)`: .*", name)[1]: {
            scope: cell for scope, cell in zip(scopes, cells, strict=True) if cell
        }
        for name, *cells in rows
    }
    assert shown == {
        act: {scope: words[reach] for scope, reach in reaches.items()}
        for act, reaches in policy.PERMISSIONS.items()
    }
    for role, held in policy.ROLES.items():
        named = re.search(rf"^\| `{role}` \| (.*?) \|", text, re.MULTILINE)[1]
        assert set(re.findall(r"`(\w+)`", named)) == held
