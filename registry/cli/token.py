"""`registry token`: give agencies access, and take it away."""

from __future__ import annotations

import secrets
import sys

import rich_click as click

from registry.cli.opened import now, run
from registry.office import access
from registry.settings import Settings


@click.group()
def token() -> None:
    """Make, list and revoke access tokens.

    Example: registry token create --agency dgi --scope file
    """


@token.command()
@click.option("--agency", help="The agency that the token files for.")
@click.option(
    "--scope", required=True, help="What it allows, by comma: file, review, redact, admin."
)
@click.option("--actor", help="The role that uses it; the log names it. Default: the agency.")
@click.option("--days", default=access.LONGEST_DAYS, show_default=True, help="How long it lives.")
@click.pass_obj
def create(
    settings: Settings, agency: str | None, scope: str, actor: str | None, days: int
) -> None:
    """Make a token and print it, alone, on stdout. It is never shown again.

    Example: registry token create --agency dgi --scope file > token.txt
    """
    scopes = [part.strip() for part in scope.split(",") if part.strip()]
    made = run(
        settings,
        lambda office: access.create_token(
            office.database,
            agency=agency,
            scopes=scopes,
            actor=actor,
            days=days,
            now=now(),
            random=secrets.token_bytes,
        ),
    )
    sys.stdout.write(made + "\n")


@token.command(name="list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the tokens: number, actor, agency, scopes, last day, state. Never the secrets.

    Example: registry token list
    """
    moment = now()
    for one in run(settings, lambda office: access.list_tokens(office.database)):
        state = "in force"
        if one.revoked_at is not None:
            state = "revoked"
        elif one.expires_at <= moment:
            state = "expired"
        used = f"last used {one.last_used_on}" if one.last_used_on else "never used"
        columns = (
            str(one.id),
            one.actor,
            one.agency or "-",
            ",".join(one.scopes),
            f"until {one.expires_at:%Y-%m-%d}",
            state,
            used,
        )
        sys.stdout.write("\t".join(columns) + "\n")


@token.command()
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
@click.pass_obj
def revoke(settings: Settings, number: int) -> None:
    """End a token at once.

    Example: registry token revoke 3
    """
    run(settings, lambda office: access.revoke_token(office.database, number, now=now()))
