"""Where the data that the code reads lies: `schemas/`, `site/` and `records/`.

In a checkout they stand beside the package; in an installed wheel they travel inside it.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_resources" if (_PACKAGE / "_resources").is_dir() else _PACKAGE.parent

SCHEMAS = _ROOT / "schemas"
SITE = _ROOT / "site"
RECORDS = _ROOT / "records"
