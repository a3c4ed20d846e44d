"""What somebody who administers the database may do to its rows, made of the catalogue.

Each column of each table that follows from the log is altered in several ways, and rows are
removed, invented and swapped, so that a new column or table is altered too.
"""

# ruff: noqa: S608  names of tables and columns are those of the catalogue

import msgspec

from registry.store.log_checks import PROJECTED

OF_THE_LOG = {"redaction": "entry is not null", "import_run": "ended_at is not null"}
"""The rows of tables of which not all follow from the log."""

CHANGED = {
    # Of what is JSON a word in it.
    "text": """case when left({0}, 1) in ('{{', '[') then replace({0}, ':"', ':"x')
        else concat({0}, 'x') end""",
    "boolean": "not {0}",
    "date": "date '2020-01-01'",
    "timestamp with time zone": "timestamptz '2020-01-01'",
    "bytea": "{0} || '\\x00'",
    "text[]": "{0} || 'x'::text",
    "integer[]": "{0} || 7",
    "bigint[]": "{0} || 7::bigint",
}
"""Of other types one more."""

EMPTIED = {"text": "''", "bytea": "''", "text[]": "'{}'", "integer[]": "'{}'", "bigint[]": "'{}'"}


class Tampering(msgspec.Struct, frozen=True):
    """What is done to a table, by a statement with the condition of the rows that it may choose.

    `column` is None where whole rows are meant.
    """

    deed: str
    table: str
    column: str | None
    statement: str
    rows: str
    value: str = ""

    def of(self, rows="true"):
        """Return the statement, for rows of a further condition."""
        return self.statement.replace("{rows}", f"({self.rows}) and ({rows})")


def _of_columns(table, columns):
    """Yield what is done to the cells of a table."""
    for column, kind in columns.items():
        values = {
            "changed": CHANGED.get(kind, "coalesce({0}, 0) + 1").format(f'"{column}"'),
            "emptied": EMPTIED.get(kind, "null"),
            "gone": "null",
        }
        if kind == "text":
            values["no JSON"] = "'{'"
        of_log = OF_THE_LOG.get(table, "true")
        for deed, value in values.items():
            yield Tampering(
                deed,
                table,
                column,
                f"""update "{table}" set "{column}" = {value} where ctid = (
                    select ctid from "{table}" where {{rows}} order by ctid limit 1
                )""",
                f'("{column}" is distinct from {value}) and {of_log}'
                + f""" and left("{column}", 1) in ('{{', '[')""" * (deed == "no JSON"),
                value,
            )


def _entry(table):
    """Return the column that names the entry of a row."""
    return PROJECTED[table].key[-1] if table in PROJECTED else "entry"


def _of_rows(table, columns):
    """Yield what is done to rows of a table."""
    key = PROJECTED[table].key if table in PROJECTED else ("redaction",)
    last = key[-1]
    other = {"text": f"\"{last}\" || 'x'", "boolean": f'not "{last}"'}.get(
        columns[last], f'"{last}" + 900'
    )
    if last in {"entry", "ord"}:
        # Of an entry that has no such row.
        tables = {table, "agency_entry", "attestation"}
        taken = " union all ".join(f'select "{_entry(one)}" from "{one}"' for one in sorted(tables))
        other = f"(select max(index) from log_entry where index not in ({taken}))"
    named = ", ".join(f'"{column}"' for column in columns)
    copied = ", ".join(other if column == last else f'"{column}"' for column in columns)
    follows = OF_THE_LOG.get(table, "true")
    yield Tampering(
        "a row gone",
        table,
        None,
        f"""delete from "{table}" where ctid = (
            select ctid from "{table}" where {{rows}} order by ctid limit 1
        )""",
        follows,
    )
    yield Tampering(
        "a row invented",
        table,
        None,
        f"""insert into "{table}" ({named})
        select {copied} from "{table}" where {{rows}} order by ctid limit 1""",
        "true",
    )
    values = [column for column in columns if column not in key]
    if values:
        pairs = ", ".join(f'"{column}" = o."{column}"' for column in values)
        cells = ", ".join(f't."{column}"' for column in values)
        ends = f'select min(ctid) as a, max(ctid) as b from "{table}" where {{rows}}'
        yield Tampering(
            "rows swapped",
            table,
            None,
            f"""update "{table}" as t set {pairs} from "{table}" as o, ({ends}) as e
            where t.ctid <> o.ctid and t.ctid in (e.a, e.b) and o.ctid in (e.a, e.b)
                and ({cells}) is distinct from ({cells.replace('t."', 'o."')})
            """,
            follows,
        )


async def tamperings(connection):
    """Make the tamperings of every table, of the catalogue."""
    rows = await connection.fetch(
        """select c.relname, a.attname, format_type(a.atttypid, null) as kind
        from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid
        where c.relname = any($1) and a.attnum > 0 and not a.attisdropped order by 1, a.attnum""",
        [*PROJECTED, "erasure"],
    )
    tables = {}
    for row in rows:
        tables.setdefault(row["relname"], {})[row["attname"]] = row["kind"]
    return [
        one
        for table, columns in tables.items()
        for made in (_of_columns(table, columns), _of_rows(table, columns))
        for one in made
    ]
