"""What the documentation says is so: its commands, settings, addresses, errors, links, examples."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path

import click
import httpx
import pytest

from registry import errors
from registry.api.app import create_app
from registry.api.problems import STATUS
from registry.cli.main import cli
from registry.record.facets import filter_named
from registry.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
NOT_SET = "not set"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_OPERATORS = {">", ">>", "|", "&&", ";", "2>"}
_ADDRESS_ROW = re.compile(r"^\| `([A-Z]+) (/\S*)` \|", re.MULTILINE)
_OUR_PLACE = re.compile(r"(?:registry|schemas|site|records|docs|tests)(?:/[\w.-]+)+/?")


def name(page):
    return page.relative_to(ROOT).as_posix()


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return [body for found, body in _FENCE.findall(text) if found == language]


def prose(page):
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def spans(page):
    return [" ".join(span.split()) for span in _SPAN.findall(prose(page))]


def shell_lines(page):
    for block in blocks(page, "sh"):
        yield from block.replace("\\\n", " ").splitlines()


def section(page, title):
    """The part of a page below a heading, up to the next one of any level."""
    text = page.read_text(encoding="utf-8")
    return re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)[1]


def rows(text):
    """The rows of the tables in a text, header and rule left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


# --- make and registry


def named_targets():
    targets = set()
    for page in PAGES:
        lines = [*shell_lines(page), *spans(page)]
        targets |= {
            (name(page), line.split()[1]) for line in lines if re.match(r"make [a-z]", line)
        }
    return sorted(targets)


def test_every_make_target_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))

    assert [(page, target) for page, target in named_targets() if target not in targets] == []


def commands():
    """Every `registry …` line of a shell block, as words; also inside `$(…)`."""
    found = []
    for page in PAGES:
        for line in shell_lines(page):
            match = re.match(r"(?:\w+=\S+ )*(?:\w+=\$\()?registry (.*?)\)?$", line)
            if match is None:
                continue
            words = shlex.split(match[1], comments=True)
            end = next((at for at, word in enumerate(words) if word in _OPERATORS), len(words))
            found.append((name(page), tuple(words[:end])))
    return sorted(set(found))


def descend(words):
    """The command that words name, and what is left of them."""
    command, left = cli, list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        _, command, left = command.resolve_command(click.Context(command), left)
    return command, left


def is_given(value):
    # What was not given is a sentinel of click's own.
    return isinstance(value, str | tuple | list) and len(value) > 0


def test_every_command_in_a_code_block_can_be_parsed(subtests):
    for page, words in commands():
        with subtests.test(page=page, words=words):
            command, left = descend(words)
            given, extra, _ = command.make_parser(click.Context(command)).parse_args(list(left))
            missing = [
                parameter.name
                for parameter in command.params
                if parameter.required and not is_given(given.get(parameter.name))
            ]

            assert (extra, missing) == ([], [])


def mentioned():
    found = set()
    for page in PAGES:
        for span in spans(page):
            if re.match(r"registry [a-z]", span):
                found.add((name(page), tuple(shlex.split(span)[1:])))
    return sorted(found)


def test_every_command_named_in_a_sentence_exists(subtests):
    for page, words in mentioned():
        with subtests.test(page=page, words=words):
            command, left = descend(words)
            parameters = command.get_params(click.Context(command))
            options = {option for parameter in parameters for option in parameter.opts}

            assert [word for word in left if word.startswith("-") and word not in options] == []


# --- settings and exit codes


def test_every_setting_has_its_row_with_its_default_and_no_other_is_named():
    documented = {
        variable.strip("`"): default.strip("`")
        for variable, default, _ in rows(section(ROOT / "docs/operating.md", "Settings"))
    }
    settings = Settings()
    real = {
        PREFIX + field.upper(): NOT_SET
        if (value := getattr(settings, field)) is None
        else str(value)
        for field in Settings.__struct_fields__
    }

    assert real == documented


def test_every_setting_named_anywhere_exists():
    known = {PREFIX + field.upper() for field in Settings.__struct_fields__}
    unknown = {
        name(page): set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]", page.read_text("utf-8"))) - known
        for page in PAGES
    }

    assert {page: names for page, names in unknown.items() if names} == {}


def all_errors():
    found = [errors.RegistryError]
    for error in found:
        found += error.__subclasses__()
    return found


def test_every_exit_code_of_an_error_is_documented():
    documented = {int(code) for code, _ in rows(section(ROOT / "docs/operating.md", "Exit codes"))}

    assert {error.exit_code for error in all_errors()} <= documented


# --- the API


@pytest.fixture(scope="module")
async def described():
    transport = httpx.ASGITransport(create_app(Settings(), tell=None))
    async with httpx.AsyncClient(transport=transport, base_url="http://register.example") as client:
        answer = await client.get("/openapi.json")
    return answer.json()["paths"]


async def test_the_addresses_are_those_of_the_application(described):
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    real = {(method.upper(), path) for path, of in described.items() for method in of}

    described_in = {("GET", "/openapi.json"), ("GET", "/api/v1/openapi-read.json")}
    assert real | described_in == set(_ADDRESS_ROW.findall(page))


_BY_FACT = {"<fact>", "<fact>.from`, `<fact>.until", "kind.<fact>"}


async def test_every_parameter_of_search_has_its_row_and_no_other(described):
    documented = {cells[0].strip("`") for cells in rows(section(ROOT / "docs/api.md", "Search"))}
    parameters = described["/api/v1/records"]["get"]["parameters"]

    asked = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    assert asked - {"facts"} | _BY_FACT == documented


async def test_every_call_in_a_code_block_has_an_address_and_known_parameters(described):
    for page in PAGES:
        for line in shell_lines(page):
            call = re.search(r'curl .*?"\$REGISTRY(/[^"?]+)(?:\?([^"]*))?"', line)
            if call is None or call[1].startswith("/log/"):
                # The log's files are described by their specifications, and checked by their page.
                continue
            method = re.search(r"-X ([A-Z]+)", line)
            verb = method[1].lower() if method else "post" if "--data" in line else "get"
            fits = [
                of[verb]
                for path, of in described.items()
                if verb in of and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call[1])
            ]
            assert fits, f"{name(page)}: {line}"
            known = {one["name"] for one in fits[0].get("parameters", ()) if one["in"] == "query"}
            asked = {pair.split("=")[0] for pair in (call[2] or "").split("&") if pair}
            asked = {one for one in asked if filter_named(one) is None}
            assert asked <= known, f"{name(page)}: {line}"


def test_every_error_has_its_slug_and_status_and_no_other_is_named():
    documented = {
        slug.strip("`"): None if status == "none" else int(status)
        for slug, status, _ in rows(section(ROOT / "docs/api.md", "Problems"))
    }

    assert {error.slug: STATUS.get(error.slug) for error in all_errors()} == documented


# --- examples


def test_every_json_example_is_json(subtests):
    for page in PAGES:
        with subtests.test(page=name(page)):
            for block in blocks(page, "json"):
                json.loads(block)


# --- links and places


def anchor(heading):
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def links():
    return sorted(
        {
            (name(page), link)
            for page in PAGES
            for link in _LINK.findall(prose(page))
            if not re.match(r"[a-z]+:", link)
        }
    )


@cache
def anchors(target):
    """The fragments that a link to a page may name."""
    named = re.findall(r'<a id="([^"]+)"></a>', target.read_text("utf-8"))
    return {*named, *(anchor(heading) for heading in _HEADING.findall(prose(target)))}


def test_every_internal_link_leads_somewhere():
    broken = []
    for page, link in links():
        place, _, fragment = link.partition("#")
        target = (ROOT / page).parent / place if place else ROOT / page
        if not target.exists() or (fragment and fragment not in anchors(target.resolve())):
            broken.append((page, link))

    assert broken == []


def test_every_page_can_be_reached_from_the_readme():
    linked: dict[str, set[str]] = {}
    for page, link in links():
        target = ((ROOT / page).parent / link.partition("#")[0]).resolve()
        if target.is_relative_to(ROOT):
            linked.setdefault(page, set()).add(target.relative_to(ROOT).as_posix())
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += linked.get(page, ())

    assert {name(page) for page in PAGES} <= reached


def test_every_file_of_ours_that_is_named_exists():
    missing = {
        (name(page), span)
        for page in PAGES
        for span in spans(page)
        if _OUR_PLACE.fullmatch(span) and not (ROOT / span).exists()
    }

    assert missing == set()


def test_decisions_are_numbered_and_short():
    numbers = [page.name[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)
    for page in DECISIONS:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        for part in ("**Context.**", "**Choice.**", "**Consequence.**"):
            assert part in text, page.name
        assert 10 <= len(text.splitlines()) <= 25, page.name


def test_the_list_of_decisions_names_each():
    text = (ROOT / "docs/decisions/README.md").read_text("utf-8")
    lines = re.findall(r"^(\d+)\. (.+)$", text, re.MULTILINE)
    listed = re.findall(r"\]\((\d{4}-[a-z-]+\.md)", text)

    assert listed == [page.name for page in DECISIONS]
    # One whose mechanism is gone is a line, so that its number is never given again; what is under
    # way elsewhere has a number already.
    numbers = [int(number) for number, _ in lines]
    assert numbers == sorted(set(numbers))


def test_what_is_said_to_be_no_dependency_is_none():
    [page] = [page for page in DECISIONS if page.name.startswith("0007")]
    absent = _SPAN.findall(prose(page).split("Named in the design and not here")[1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    present = {re.match(r"[\w-]+", one)[0].lower() for one in project["dependencies"]}

    assert absent
    assert present.isdisjoint(name.lower() for name in absent)
