"""The accept path: a compiled validator that may say yes at once, and never no.

`jsonschema` is the authority. What the compiled validator accepts, `jsonschema` accepts too, which
`tests/record/test_acceptance.py` shows over thousands of mutants; whatever it does not accept
goes to `jsonschema`, which decides and writes the findings.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import jsonschema_rs

from registry.record.formats import FORMATS
from registry.record.profiles import shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from registry.record.model import Profile


def accepts(document: object, profile: Profile) -> bool:
    """Tell whether a document certainly has a profile's shape; False says nothing."""
    try:
        return _compiled(profile).is_valid(document)
    except (TypeError, ValueError):
        # Not a value that JSON can write.
        return False


@cache
def _compiled(profile: Profile) -> jsonschema_rs.Draft202012Validator:
    checks: dict[str, Callable[..., bool]] = {
        # A check that says no by raising needs the library's wrapper; a plain one is asked itself.
        name: partial(_conforms, name) if raises else check
        for name, (check, raises) in FORMATS.checkers.items()
    }
    return jsonschema_rs.Draft202012Validator(
        shape(profile), formats=checks, validate_formats=True, offline=True
    )


def _conforms(name: str, value: str) -> bool:
    return bool(FORMATS.conforms(value, name))
