"""The crosswalks that there are, and the reading of one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from registry.errors import ImportRefused, RegistryError
from registry.exchange.crosswalk_faults import problems, schema_faults
from registry.exchange.crosswalk_forms import expanded
from registry.exchange.crosswalk_model import Crosswalk
from registry.record.parse import parse
from registry.resources import SCHEMAS

FOLDER = SCHEMAS / "crosswalks"
TEMPLATES = FOLDER / "templates"
SHOWN_FAULTS = 10


def names() -> list[str]:
    """Return the names of the crosswalks that come with the register."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_crosswalk(name_or_path: str | Path) -> Crosswalk:
    """Return a checked crosswalk. Raises `ImportRefused` with every fault and its place.

    What its codes mean is checked against the format when a file is converted; see `rehearsal`.
    """
    path = _find(str(name_or_path))
    try:
        document = parse(path.read_bytes())
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    except RegistryError as error:
        raise ImportRefused(f"{path}: {error}") from error
    refuse_if(str(path), schema_faults(document))
    crosswalk = msgspec.convert(expanded(document), Crosswalk)
    refuse_if(str(path), problems(crosswalk))
    return crosswalk


def shared_prefixes(crosswalk: Crosswalk) -> Iterator[str]:
    """Yield a sentence on each crosswalk of the register that has the prefix of this one."""
    for name in names():
        other = parse((FOLDER / f"{name}.json").read_bytes())
        prefix = other["agency"]["prefix"]
        if prefix == crosswalk.agency.prefix and other["origin"] != crosswalk.origin:
            yield (
                f'the crosswalk {name}, which comes with the register, has the prefix "{prefix}" '
                'too; choose another ("agency": {"prefix": …}), so that ids never meet'
            )


def refuse_if(what: str, faults: Iterable[str]) -> None:
    """Raise `ImportRefused` with what is wrong with a crosswalk, the first ten faults, if any."""
    found = list(faults)
    if found:
        more = [f"and {len(found) - SHOWN_FAULTS} more"] if len(found) > SHOWN_FAULTS else []
        raise ImportRefused("\n".join([f"{what}: {found[0]}", *found[1:SHOWN_FAULTS], *more]))


def _find(name_or_path: str) -> Path:
    known = names()
    if name_or_path in known:
        return FOLDER / f"{name_or_path}.json"
    path = Path(name_or_path)
    if path.suffix == ".json" or len(path.parts) > 1:
        if path.is_file():
            return path
        raise ImportRefused(f"{path}: there is no such crosswalk file")
    template = TEMPLATES / f"{name_or_path}.json"
    if template.is_file():
        raise ImportRefused(
            f"{name_or_path} is a template: copy {template}, say in the copy what source it is of, "
            "and give the path of the copy; docs/importing.md shows one"
        )
    near = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.4)
    meant = f", did you mean {near[0]!r}?" if near else ""
    raise ImportRefused(
        f"no crosswalk is named {name_or_path!r}{meant}; those there are: {', '.join(known)}; "
        "the path of a .json file is taken too"
    )
