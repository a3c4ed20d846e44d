"""`registry member`: invite, list and end the people who sign in to the console."""

from __future__ import annotations

import sys

import rich_click as click

from registry.cli.output import print_message, write_row
from registry.cli.parameter_types import NUMBER
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.people import members
from registry.services.people.access import OPERATOR
from registry.services.people.members import Invitation
from registry.settings import Settings

role_option = click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    help="editor, reviewer, agency_admin, data_protection or register_admin; repeat it.",
)


@click.group()
def member() -> None:
    """Invite, list and end the people who sign in to the console.

    Example: registry member invite "Amina Alaoui" --agency dgi --role editor
    """


@member.command()
@click.argument("name")
@click.option("--agency", help="The agency that the person works for; without, the authority.")
@role_option
@click.option("--email", help="Where notices go, and by which the identity provider names her.")
@click.option("--lang", "language", help="The language of what is written to her.")
@pass_settings
def invite(
    settings: Settings,
    /,
    *,
    name: str,
    agency: str | None,
    roles: tuple[str, ...],
    email: str | None,
    language: str | None,
) -> None:
    """Make a member, and print the link with which she signs in, once and within 15 minutes.

    Example: registry member invite "Amina Alaoui" --agency dgi --role editor --role agency_admin
    """

    async def work(context: ServiceContext) -> Invitation:
        return await members.invite(
            context.database,
            context.pack,
            OPERATOR,
            name=name,
            agency=agency,
            roles=roles,
            email=email,
            language=language,
            now=utc_now(),
            random=context.random,
            mails=settings.smtp_url is not None,
        )

    _print_link(settings, run(settings, work))


@member.command()
@click.argument("number", type=NUMBER)
@pass_settings
def link(settings: Settings, /, *, number: int) -> None:
    """Print another link with which a member signs in; links made before no longer work.

    Example: registry member link 3
    """

    async def work(context: ServiceContext) -> Invitation:
        return await members.make_link(
            context.database, OPERATOR, number, now=utc_now(), random=context.random
        )

    _print_link(settings, run(settings, work))


@member.command(name="list")
@click.option("--agency", help="Only those of an agency.")
@in_register
async def list_(context: ServiceContext, *, agency: str | None) -> None:
    """List the members: number, name, agency, roles, e-mail, state.

    Example: registry member list --agency dgi
    """
    for one in await members.list_members(context.database, OPERATOR, agency=agency):
        state = f"signed in {one.signed_in_at:%Y-%m-%d}" if one.signed_in_at else "invited"
        if one.ended_at is not None:
            state = f"ended {one.ended_at:%Y-%m-%d}"
        roles = ",".join(one.roles)
        columns = (one.id, one.name, one.agency or "-", roles, one.email or "-", state)
        write_row(columns)


@member.command()
@click.argument("number", type=NUMBER)
@role_option
@in_register
async def role(context: ServiceContext, *, number: int, roles: tuple[str, ...]) -> None:
    """Replace the roles of a member, who has to sign in again.

    Example: registry member role 3 --role editor --role reviewer
    """
    await members.change_roles(context.database, OPERATOR, number, roles, now=utc_now())


@member.command()
@click.argument("number", type=NUMBER)
@in_register
async def confirm(context: ServiceContext, *, number: int) -> None:
    """Confirm that a member is a person of her own, whoever invited her: the authority vouches.

    Example: registry member confirm 3
    """
    await members.confirm_member(context.database, OPERATOR, number, now=utc_now())


@member.command()
@click.argument("number", type=NUMBER)
@in_register
async def end(context: ServiceContext, *, number: int) -> None:
    """End a member at once, with her sessions, links and tokens.

    Example: registry member end 3
    """
    await members.end_member(context.database, OPERATOR, number, now=utc_now())


def link_address(settings: Settings, made: Invitation) -> str:
    """Return the address of a link, which leads to the language that the browser prefers."""
    return f"{settings.base_url}/office/sign-in/link/{made.secret}"


def _print_link(settings: Settings, made: Invitation) -> None:
    print_message(
        f"member {made.member}; the link works once, until {made.expires_at:%H:%M} UTC. "
        f"Another one: registry member link {made.member}"
    )
    sys.stdout.write(f"{link_address(settings, made)}\n")
