"""Sites of a snapshot that is at hand, built without a register."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from registry.pages.build.build_directory import hold_directory
from registry.pages.build.plan import BuildReport, all_pages, carry_out, make_plan
from registry.pages.page import LostFileError, Page
from registry.pages.snapshot import Snapshot
from registry.settings import Settings

TEMPLATES = Path(__file__).parents[1] / ".pytest_cache" / "site-templates"
"""Jinja's bytecode cache of all tests."""


_UNCHANGED = re.compile(
    r"^[a-z]+/(format|filing)/|^problems/|/guide/|/agencies/(?!demo-|index|[a-z]+\.)"
)


def share_templates(data: Path) -> None:
    """Let a data folder have the bytecode cache of all tests."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    if not (data / TEMPLATES.name).exists():
        (data / TEMPLATES.name).symlink_to(TEMPLATES)


def changing_pages(*given: Any) -> list[Page]:
    """Return the pages of a site, in the place of `all_pages`, without most that never change.

    Those are the pages of the format, of guides and errors, and of agencies that filed nothing.
    """
    return [page for page in all_pages(*given) if not _UNCHANGED.search(page.file)]


def build(
    snapshot: Snapshot,
    *,
    out: Path,
    settings: Settings,
    full: bool = False,
    progress: Callable[[int, int], None] | None = None,
    description: Mapping[str, Any] | None = None,
    processes: int = 1,
    is_copy: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
) -> BuildReport:
    """Build the site of a snapshot, as `build_register` does that of a register."""
    settings = msgspec.structs.replace(settings, data_dir=TEMPLATES.parent)
    for fresh in (full, True):
        try:
            with hold_directory(out, is_stopped) as directory:
                plan = make_plan(
                    directory,
                    snapshot,
                    settings=settings,
                    full=fresh,
                    description=description,
                    is_copy=is_copy,
                )
                return carry_out(directory, plan, progress=progress, processes=processes)
        except LostFileError:
            if fresh:
                raise
    raise AssertionError
