"""The folders of data that the code reads, and the commit that it was built from.

In a checkout they are beside the package, in an installed wheel inside it.
"""

import os
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_resources" if (_PACKAGE / "_resources").is_dir() else _PACKAGE.parent

SCHEMAS = _ROOT / "schemas"
LANGUAGES = SCHEMAS / "languages"
SITE = _ROOT / "site"
GRANTS = _ROOT / "deploy" / "database"
RECORDS = _ROOT / "records"
FORMAT_DOCS = _ROOT / "docs" / "record-format"
GUIDE_DOCS = _ROOT / "docs" / "filing-guide"


def language_bases() -> list[Path]:
    """Return the folders of languages: what ships, and the country's own (`REGISTRY_LANGUAGES`).

    An update of the package replaces nothing of the second, which has the last word. It is read
    here and not passed down, since code lists and messages are the same in a whole process.
    """
    own = os.environ.get("REGISTRY_LANGUAGES")
    return [LANGUAGES, *([Path(own)] if own else [])]


def language_tags() -> list[str]:
    """Return the tags of the languages that have a folder."""
    return sorted({path.name for base in language_bases() for path in base.glob("*/")})


def language_files(tag: str, name: str) -> list[Path]:
    """Return the files of a name, or of a pattern, in the folders of a language, `*` for all."""
    return [path for base in language_bases() for path in sorted(base.glob(f"{tag}/{name}"))]


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
