"""A register as the release before imports were kept left it, of its own rows.

Two registers were imported: `xa-register` twice, with an agency renamed between, so that its
systems 1 and 2 stand twice, and `xb-inventory` with rows without ids, two of them of one name.
The crosswalks are as they were then, but for the country, which is asked for now.
"""

import json
import shutil

from registry.store.migrate import MIGRATIONS, migrate
from tests.conftest import ROOT

_BEFORE = ROOT / "tests/data/upgrade"
_LAST = "0013"
ALAND = """\
no,office,title,goal,seen
1,Green Spaces,Tree planner,Plans where trees are planted.,2027
2,Green Spaces,Leak finder,Finds leaks in fountains.,2027
3,Roads,Pothole map,Maps holes in roads.,2027
"""
BLAND = """\
no,office,unit,title,goal
,Health,Beds,Triage,Sorts letters by urgency.
,Health,Beds,Triage,Sorts calls by urgency.
,Health,Beds,Bed forecast,Says how many beds are needed.
T-2,Taxes,Audit,Letter reader,Reads letters.
T-1,Taxes,Audit,Risk score,Chooses returns to look at.
"""


async def leave_register(database, folder):
    """Fill an empty database; `folder` takes the migrations that there were."""
    for path in MIGRATIONS.glob("*.sql"):
        if path.name[:4] <= _LAST:
            shutil.copy(path, folder)
    await migrate(database, folder)
    left = json.loads((_BEFORE / f"register-{_LAST}.json").read_text(encoding="utf-8"))
    async with database.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        for table, rows in left.items():
            await connection.execute(f"delete from {table}")  # noqa: S608  our own names
            await connection.execute(
                f"insert into {table} overriding system value "  # noqa: S608  our own names
                f"select * from json_populate_recordset(null::public.{table}, $1)",
                json.dumps(rows),
            )


def write_crosswalk(origin, folder):
    """Write the crosswalk of a register into a folder, and return its path."""
    said = json.loads((_BEFORE / f"{origin}.json").read_text(encoding="utf-8"))
    path = folder / f"{origin}.json"
    path.write_text(json.dumps(said | {"country": "AX"}), encoding="utf-8")
    return path
