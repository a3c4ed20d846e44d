"""The folders of data that the code reads.

In a checkout they are beside the package, in an installed wheel inside it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_resources" if (_PACKAGE / "_resources").is_dir() else _PACKAGE.parent

SCHEMAS = _ROOT / "schemas"
SITE = _ROOT / "site"
RECORDS = _ROOT / "records"
FORMAT_DOCS = _ROOT / "docs" / "record-format"
GUIDE_DOCS = _ROOT / "docs" / "filing-guide"
