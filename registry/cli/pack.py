"""`registry pack`: check a country pack before it is used."""

from __future__ import annotations

from collections.abc import Iterator

import rich_click as click

from registry import resources
from registry.cli.runtime import pass_settings
from registry.record.pack import Pack, gaps, load_pack, unfinished
from registry.settings import Settings
from registry.text.catalogues import SOURCE


@click.group()
def pack() -> None:
    """Check the country packs, the folders of schemas/packs/ and REGISTRY_PACKS.

    Example: registry pack check ma
    """


@pack.command()
@click.argument("code")
@pass_settings
def check(settings: Settings, /, *, code: str) -> None:
    """Check a pack, and list the texts that its languages lack.

    A gap is no fault: readers meet that text in the pack's next language. Exit status: 0 when the
    register can run with the pack, 2 when it cannot.

    Example: registry pack check sn
    """
    loaded = load_pack(code, settings.packs)
    for gap in (*gaps(loaded), *_translation_gaps(loaded)):
        click.echo(f"gap: {gap}")
    made_up = sum(agency.fictitious for agency in loaded.agencies.values())
    click.echo(
        f"{code}: can be used. Languages {', '.join(loaded.languages)}; {len(loaded.agencies)} "
        f"agencies, {made_up} of them fictitious; {len(loaded.regions)} regions, "
        f"{len(loaded.bodies)} bodies, {len(loaded.grounds)} grounds"
    )
    for one in unfinished(loaded):
        click.echo(f"before the public uses it: {one}")


def _translation_gaps(pack: Pack) -> Iterator[str]:
    """Yield the translations of the site and of findings that the pack's languages lack."""
    pages = sorted({path.name for path in resources.language_files(SOURCE, "texts/*.md")})
    for tag in pack.languages:
        if tag in pack.recommended and resources.language_files(tag, "*"):
            continue
        for name in ("site/*.po", "format/*.po") if tag != SOURCE else ():
            if not resources.language_files(tag, name):
                yield f"languages/{tag}/{name} is not there: readers of {tag} meet another language"
        lacking = [name for name in pages if not resources.language_files(tag, f"texts/{name}")]
        if lacking:
            names = ", ".join(lacking)
            yield f"languages/{tag}/texts: {len(lacking)} of {len(pages)} pages lack: {names}"
