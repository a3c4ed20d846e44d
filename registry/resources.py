"""The folders of data that the code reads, and the commit that it was built from.

In a checkout they are beside the package, in an installed wheel inside it.
"""

import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_resources" if (_PACKAGE / "_resources").is_dir() else _PACKAGE.parent

SCHEMAS = _ROOT / "schemas"
SITE = _ROOT / "site"
GRANTS = _ROOT / "deploy" / "database"
RECORDS = _ROOT / "records"
FORMAT_DOCS = _ROOT / "docs" / "record-format"
GUIDE_DOCS = _ROOT / "docs" / "filing-guide"


@cache
def read_revision() -> str:
    """Return the commit that this was built from; of a checkout, that it is at; empty if unknown.

    `tools/build_hook.py` writes it into a wheel.
    """
    with suppress(OSError):
        return (_ROOT / "revision").read_text(encoding="ascii").strip()
    if (_ROOT / ".git").exists():
        with suppress(OSError):
            command = ["git", "-C", str(_ROOT), "rev-parse", "HEAD"]
            return subprocess.run(  # noqa: S603  fixed words
                command, capture_output=True, text=True, check=False
            ).stdout.strip()
    return ""
