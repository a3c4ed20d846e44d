"""`registry token`: create, list and revoke access tokens."""

from __future__ import annotations

import getpass
import sys

import rich_click as click

from registry.cli.command_options import Style, style_option
from registry.cli.output import write_json, write_row
from registry.cli.parameter_types import NUMBER
from registry.cli.runtime import in_register
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.people import access_tokens
from registry.services.people.access import SCOPES


@click.group()
def token() -> None:
    """Make, list and revoke access tokens.

    Example: registry token create --agency dgi --scope file
    """


@token.command()
@click.option("--agency", help="The agency that the token files for.")
@click.option(
    "--scope",
    required=True,
    multiple=True,
    callback=lambda _context, _parameter, given: _scopes(given),
    help="What it allows, by comma or once for each: file, review, redact, admin, metrics, audit.",
)
@click.option("--actor", help="The role that uses it; the log names it. Default: the agency.")
@click.option("--member", type=NUMBER, help="Whose it is: a member's number.")
@click.option("--days", default=365, show_default=True, help="How long it lives.")
@in_register
async def create(
    context: ServiceContext,
    *,
    agency: str | None,
    scope: tuple[str, ...],
    actor: str | None,
    member: int | None,
    days: int,
) -> None:
    """Make a token and print it, alone, on stdout. It is never shown again.

    Example: registry token create --agency dgi --scope file > token.txt
    """
    made = await access_tokens.create_token(
        context.database,
        agency=agency,
        scopes=scope,
        actor=actor,
        member=member,
        days=days,
        now=utc_now(),
        random=context.random,
        user=_user(),
    )
    sys.stdout.write(made + "\n")


def _scopes(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return scopes that were given by comma or one by one, looked at before anything is opened."""
    parts = tuple(part.strip() for part in ",".join(given).split(",") if part.strip())
    for part in parts:
        if part not in SCOPES:
            raise click.BadParameter(f"{part!r} is none; there are {', '.join(SCOPES)}")
    return parts


def _user() -> str | None:
    """Return the name of the user of this machine; None where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


@token.command(name="list")
@style_option
@in_register
async def list_(context: ServiceContext, *, style: Style) -> None:
    """List the tokens: number, actor, agency, scopes, last day, state. Never the secrets.

    Example: registry token list
    """
    moment = utc_now()
    listed = []
    for one in await access_tokens.list_tokens(context.database):
        state = "in force"
        if one.revoked_at is not None:
            state = "revoked"
        elif one.expires_at <= moment:
            state = "expired"
        listed.append(
            {
                "id": one.id,
                "actor": one.actor,
                "agency": one.agency,
                "scopes": one.scopes,
                "expires_at": one.expires_at,
                "state": state,
                "last_used_on": one.last_used_on,
            }
        )
        if style == "json":
            continue
        used = f"last used {one.last_used_on}" if one.last_used_on else "never used"
        columns = (
            one.id,
            one.actor,
            one.agency or "-",
            ",".join(one.scopes),
            f"until {one.expires_at:%Y-%m-%d}",
            state,
            used,
        )
        write_row(columns)
    if style == "json":
        write_json(listed)


@token.command()
@click.argument("number", type=NUMBER)
@in_register
async def revoke(context: ServiceContext, *, number: int) -> None:
    """Revoke a token at once.

    Example: registry token revoke 3
    """
    await access_tokens.revoke_token(context.database, number, now=utc_now())
