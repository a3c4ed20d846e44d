"""`registry export`: write the records that a search finds to one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import rich_click as click
from click import get_current_context as current_context
from click.core import ParameterSource

from registry.api import parameters
from registry.api.search_filters import SearchFilters, read_query
from registry.cli.output import print_message, progress_bar
from registry.cli.runtime import pass_settings, run
from registry.clock import utc_now
from registry.exports.columns import ColumnSet
from registry.exports.export import ExportFormat, prepare, write
from registry.exports.package import write_package
from registry.log.files import read_checkpoint
from registry.record.facets import FACETS, KIND, filter_named, named_shortly
from registry.search.engine import open_index
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store.as_of import read_as_of


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each filter of search, of the same name."""
    for name in reversed(FACETS):
        option = f"--{name.replace('_', '-')}"
        command = click.option(
            option, name, multiple=True, metavar="CODE", help="Only these; repeat it for or."
        )(command)
    return command


def _read_facts(
    _: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, list[str]]:
    """Return the filters by what is stated of facts, or by kind of answer, by their names."""
    found: dict[str, list[str]] = {}
    for one in given:
        fact, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is not {option.metavar}")
        name = KIND + fact if option.name == "kinds" else named_shortly(fact)
        if filter_named(name) is None:
            raise click.BadParameter(f"{fact!r} is no fact that can be asked for so")
        found.setdefault(name, []).append(value)
    return found


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl", "xlsx", "jsonld"]), help="Of one file."
)
@click.option(
    "--package",
    is_flag=True,
    help="The whole register as tables with keys and types, into the folder --out.",
)
@click.option("--out", type=click.Path(path_type=Path), help="A file or folder. Default: stdout.")
@click.option(
    "--columns",
    type=click.Choice(["summary", "full"]),
    default="summary",
    show_default=True,
    help="Of a table: the most important, or every field of the format.",
)
@click.option("--raw", is_flag=True, help="CSV for programs: as it is, not safe in a spreadsheet.")
@click.option("--q", metavar="WORDS", help="Words to find, all of them.")
@click.option("--lang", metavar="TAG", help="The language of the words to find, and of labels.")
@click.option("--labels", metavar="TAG", help="The language of the words beside codes alone.")
@click.option(
    "--fact",
    "stated",
    multiple=True,
    metavar="FACT=VALUE",
    callback=_read_facts,
    help="Only those that state this, or FACT.from=, FACT.until= a range; repeat it for or.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="FACT=KIND",
    callback=_read_facts,
    help="Only those whose answer to a fact is of this kind; repeat it for or.",
)
@click.option("--completeness-min", type=int, metavar="0-100", help="Scores from this one on.")
@click.option("--completeness-max", type=int, metavar="0-100", help="Scores up to this one.")
@click.option("--changed-since", metavar="WHEN", help="A version came then or later.")
@click.option("--changed-until", metavar="WHEN", help="A version came until then.")
@click.option("--unchanged-since", metavar="WHEN", help="No version came then or later.")
@click.option("--as-of", metavar="WHEN", help="As it was then: a time, a day, or entry:<n>.")
@_filters
@pass_settings
def export(
    settings: Settings,
    /,
    *,
    form: ExportFormat | None,
    package: bool,
    out: Path | None,
    columns: ColumnSet,
    raw: bool,
    q: str | None,
    lang: str | None,
    labels: str | None,
    stated: dict[str, list[str]],
    kinds: dict[str, list[str]],
    completeness_min: int | None,
    completeness_max: int | None,
    changed_since: str | None,
    changed_until: str | None,
    unchanged_since: str | None,
    as_of: str | None,
    **filters: tuple[str, ...],
) -> None:
    """Write every record that the filters find, in the order of ids, as one file.

    The filters are those of search. Given a folder, the file is called by its question and the
    log's last entry. With --package the whole register comes as tables, into a new folder.

    Example: registry export --format xlsx --risk high --lang fr --out exports/
    """
    if package:
        _export_package(settings, out, as_of)
        return
    if form is None:
        raise click.UsageError("one of --format and --package is needed")
    _refuse_without_form(form, columns=columns != "summary", labels=labels is not None, raw=raw)
    codes = {name: list(given) for name, given in filters.items() if given} | kinds
    for name, given in stated.items():
        codes[name] = [*codes.get(name, []), *given]
    sought = SearchFilters(
        q=q,
        lang=lang,
        codes=codes,
        completeness_min=completeness_min,
        completeness_max=completeness_max,
        changed_since=changed_since,
        changed_until=changed_until,
        unchanged_since=unchanged_since,
        as_of=as_of,
    )

    async def work(context: ServiceContext) -> int:
        database, pack = context.database, context.pack
        index = open_index(database.connection, settings.search_dir, pack)
        question = await read_query(database, index, sought, pack, now=utc_now())
        if labels is not None:
            parameters.codes("labels", [labels], pack.languages)
        async with database.connection() as connection:
            moment = await read_as_of(connection, as_of, now=utc_now())
        made = await prepare(
            database,
            index,
            question,
            moment,
            form=form,
            query=sought.pairs,
            pack=pack,
            site=settings.base_url,
            columns=columns,
            labels=labels,
            safe=not raw,
        )
        with progress_bar("Exporting") as progress, _opened(out, made.name) as file:
            async for part in write(database, made, progress=progress):
                file.write(part)
        if made.mended is not None:
            print_message(f"nothing has these words; looked for: {made.mended}")
        return len(made.selection.entries)

    print_message(f"{run(settings, work)} records")


def _refuse_without_form(form: ExportFormat, **given: bool) -> None:
    """Raise `UsageError` for an option that another form takes."""
    for option, forms in (
        ("columns", ("csv", "xlsx")),
        ("labels", ("csv", "xlsx")),
        ("raw", ("csv",)),
    ):
        if given[option] and form not in forms:
            raise click.UsageError(f"--{option} is for --format {' and '.join(forms)}")


def _export_package(settings: Settings, out: Path | None, as_of: str | None) -> None:
    of = current_context()
    given = {
        name for name in of.params if of.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if further := given - {"package", "out", "as_of"}:
        raise click.UsageError(
            f"--package is the whole register: it does not take --{min(further)}"
        )
    if out is None:
        raise click.UsageError("--package needs --out, a new folder")
    print_message(f"{run(settings, partial(_write_package, settings, out, as_of))} records")


async def _write_package(
    settings: Settings, out: Path, as_of: str | None, context: ServiceContext
) -> int:
    async with context.database.connection() as connection:
        moment = await read_as_of(connection, as_of, now=utc_now())
    with progress_bar("Exporting") as progress:
        facts = await write_package(
            context.database,
            out,
            moment,
            pack=context.pack,
            site=settings.base_url.rstrip("/"),
            checkpoint=read_checkpoint(settings.log_dir),
            progress=progress,
        )
    return facts.records


@contextmanager
def _opened(out: Path | None, name: str) -> Iterator[IO[bytes]]:
    """Open stdout, or a file that is replaced at once when it is complete.

    In a folder it is called by the name.
    """
    if out is None:
        yield sys.stdout.buffer
        return
    path = out / name if out.is_dir() else out
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
