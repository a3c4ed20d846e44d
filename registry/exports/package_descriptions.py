"""Descriptions of the package for programs: Data Package 2, CSV on the Web, Croissant 1.1."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from registry import __version__
from registry.exports.linked_data import make_node, words
from registry.exports.package_tables import ColumnType, PackageColumn, PackageTable
from registry.record.messages import render_title
from registry.record.pack import Pack
from registry.record.schema import SCHEMA_VERSION
from registry.text.catalogues import SOURCE

_Json: TypeAlias = dict[str, Any]
_Files: TypeAlias = Mapping[str, tuple[int, str]]

_CSV, _PARQUET = "text/csv", "application/vnd.apache.parquet"
_CSVW_TYPES: Mapping[ColumnType, str] = {"datetime": "dateTime"}
_CROISSANT_TYPES: Mapping[ColumnType, str] = {
    "string": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}
_CROISSANT_CONTEXT: _Json = {
    "@language": SOURCE,
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification of Croissant prescribes."""


class PackageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a package is of: the last entry, its time and leaf hash, and the number of records.

    `began` is the time of the first entry; `writer` names the library of the Parquet files.
    """

    entry: int
    at: dt.datetime
    began: str
    leaf: str
    records: int
    writer: str


def describe(
    tables: Mapping[str, PackageTable], facts: PackageFacts, pack: Pack, site: str, files: _Files
) -> dict[str, bytes]:
    """Return the descriptions by the names of their files."""
    documents = {
        "datapackage.json": _data_package(tables, facts, pack, site, files),
        "csvw-metadata.json": _csvw(tables, facts, pack, site),
        "croissant.jsonld": _croissant(tables, facts, pack, site, files),
    }
    return {
        name: msgspec.json.format(msgspec.json.encode(one), indent=1) + b"\n"
        for name, one in documents.items()
    }


def _address(site: str, facts: PackageFacts) -> str:
    return f"{site}/exports/register/{facts.entry}/"


def _translations(text: str, pack: Pack) -> dict[str, str]:
    """Return a text of the format in the languages of the country that have it."""
    found = {tag: render_title(text, tag, ()) for tag in pack.languages}
    return {tag: one for tag, one in found.items() if one != text or tag == SOURCE} if text else {}


def _in_english(texts: Mapping[str, str]) -> str:
    return texts.get(SOURCE) or next(iter(texts.values()))


def _data_package(
    tables: Mapping[str, PackageTable], facts: PackageFacts, pack: Pack, site: str, files: _Files
) -> _Json:
    return make_node(
        **{"$schema": "https://datapackage.org/profiles/2.0/datapackage.json"},
        id=_address(site, facts),
        name=f"register-{pack.code}",
        title=_in_english(pack.site_name),
        titles=pack.site_name,
        description=words().description.get(SOURCE),
        descriptions=words().description,
        homepage=f"{site}/",
        version=str(facts.entry),
        created=f"{facts.at:%Y-%m-%dT%H:%M:%SZ}",
        # Rows of other registers name their own.
        licenses=[] if pack.licence is None else [{"path": pack.licence}],
        sources=[{"title": "The log of the register", "path": f"{site}/log/"}],
        contributors=[
            {"title": pack.operator.name.get(SOURCE, "") or site, "roles": ["publisher"]}
        ],
        **{
            "x-entry": {"index": facts.entry, "leaf": facts.leaf},
            "x-format": SCHEMA_VERSION,
            "x-software": __version__,
            "x-writer": facts.writer,
        },
        resources=[
            resource for table in tables.values() for resource in _resources(table, pack, files)
        ],
    )


def _resources(table: PackageTable, pack: Pack, files: _Files) -> Iterator[_Json]:
    schema = {
        "fields": [_field(column, pack, table.key) for column in table.columns],
        "primaryKey": list(table.key),
        "foreignKeys": [
            {
                "fields": list(one.columns),
                "reference": {"resource": one.table, "fields": list(one.keys)},
            }
            for one in table.references
        ],
        "missingValues": [""],
    }
    size, digest = files[f"{table.name}.csv"]
    yield {
        "name": table.name,
        "title": table.title,
        "titles": _translations(table.title, pack),
        "type": "table",
        "path": f"{table.name}.csv",
        "format": "csv",
        "mediatype": _CSV,
        "encoding": "utf-8",
        "bytes": size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }
    size, digest = files[f"{table.name}.parquet"]
    yield {
        "name": f"{table.name}-parquet",
        "title": table.title,
        "type": "file",  # read as a table its types would be guessed; it has its own
        "path": f"{table.name}.parquet",
        "format": "parquet",
        "mediatype": _PARQUET,
        "bytes": size,
        "hash": f"sha256:{digest}",
    }


def _field(column: PackageColumn, pack: Pack, key: Sequence[str]) -> _Json:
    constraints: _Json = {"required": True} if column.name in key else {}
    if column.codes:
        constraints["enum"] = list(column.codes)
    return make_node(
        name=column.name,
        type=column.type,
        format="any" if column.type == "datetime" else None,
        title=column.title,
        titles=_translations(column.title, pack) or None,
        description=column.description or None,
        descriptions=_translations(column.description, pack) or None,
        constraints=constraints or None,
    )


def _csvw(tables: Mapping[str, PackageTable], facts: PackageFacts, pack: Pack, site: str) -> _Json:
    return make_node(
        **{"@context": ["http://www.w3.org/ns/csvw", {"@language": SOURCE}]},
        **{
            "dc:title": pack.site_name.get(SOURCE),
            "dc:source": _address(site, facts),
            "dc:license": {"@id": pack.licence} if pack.licence else None,
        },
        tables=[
            {
                "url": f"{table.name}.csv",
                "dc:title": table.title,
                "tableSchema": {
                    "columns": [_csvw_column(column, pack) for column in table.columns],
                    "primaryKey": list(table.key),
                    "foreignKeys": [
                        {
                            "columnReference": list(one.columns),
                            "reference": {
                                "resource": f"{one.table}.csv",
                                "columnReference": list(one.keys),
                            },
                        }
                        for one in table.references
                    ],
                },
            }
            for table in tables.values()
        ],
    )


def _csvw_column(column: PackageColumn, pack: Pack) -> _Json:
    titles: dict[str, list[str]] = {SOURCE: [column.name, column.title]}
    for tag, title in _translations(column.title, pack).items():
        if tag != SOURCE:
            titles[tag] = [column.name, title]
    return make_node(
        name=column.name.replace("-", "%2D"),  # names of variables in templates know no hyphens
        titles=titles,
        datatype=_CSVW_TYPES.get(column.type, column.type),
        **{"dc:description": column.description or None},
    )


def _croissant(
    tables: Mapping[str, PackageTable], facts: PackageFacts, pack: Pack, site: str, files: _Files
) -> _Json:
    here = _address(site, facts)
    return make_node(
        **{"@context": _CROISSANT_CONTEXT, "@type": "sc:Dataset"},
        conformsTo="http://mlcommons.org/croissant/1.1",
        name=_in_english(pack.site_name),
        description=_in_english(words().description),
        url=here,
        version=f"{facts.entry}.0.0",
        datePublished=f"{facts.at:%Y-%m-%d}",
        license=pack.licence,
        isBasedOn=f"{site}/log/",
        temporalCoverage=f"{facts.began[:10]}/{facts.at:%Y-%m-%d}",
        citeAs=f"{_in_english(pack.site_name)}, entry {facts.entry}, {facts.at:%Y-%m-%d}. {here}",
        creator={"@type": "sc:Organization", "name": _in_english(pack.operator.name)},
        distribution=[
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": f"{here}{name}",
                "encodingFormat": kind,
                "contentSize": f"{files[name][0]} B",
                "sha256": files[name][1],
            }
            for table in tables
            for name, kind in ((f"{table}.csv", _CSV), (f"{table}.parquet", _PARQUET))
        ],
        recordSet=[
            {
                "@type": "cr:RecordSet",
                "@id": table.name,
                "name": table.name,
                "description": table.title,
                "key": [{"@id": f"{table.name}/{name}"} for name in table.key],
                "field": [_croissant_field(table, column) for column in table.columns],
            }
            for table in tables.values()
        ],
    )


def _croissant_field(table: PackageTable, column: PackageColumn) -> _Json:
    to: Sequence[str] = [
        f"{one.table}/{one.keys[0]}"
        for one in table.references
        if len(one.columns) == 1 and one.columns[0] == column.name
    ]
    return make_node(
        **{"@type": "cr:Field", "@id": f"{table.name}/{column.name}"},
        name=column.name,
        description=column.description or column.title,
        dataType=_CROISSANT_TYPES[column.type],
        source={"fileObject": {"@id": f"{table.name}.csv"}, "extract": {"column": column.name}},
        references={"field": {"@id": to[0]}} if to else None,
    )
