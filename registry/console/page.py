"""Pages of the console: rendered for a language and a member, never stored and never shared."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypedDict, cast
from urllib.parse import quote, unquote, urlsplit

import msgspec
from litestar import Request, Response
from litestar.params import PathParameter
from litestar.template.base import csrf_token

from registry.api.request import ApiRequest, ApiState
from registry.api.site import CONTENT_POLICY
from registry.clock import utc_now
from registry.errors import NotFound
from registry.pages.assets import read_assets
from registry.pages.editions import Edition
from registry.pages.labels import message
from registry.pages.reader import Reader, say
from registry.pages.site import render
from registry.record.messages import PlainLanguage
from registry.record.pack import Pack
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition
from registry.services.filing.working_records import WorkingRecord, read_working_record
from registry.services.people import notices, sessions
from registry.services.people.access import Actor
from registry.services.people.members import actor_of
from registry.services.people.sessions import Notice, Session
from registry.settings import Settings
from registry.store.members import Member
from registry.text.locales import negotiate
from registry.work import in_thread

PREFIX = "/office"

NumberPath: TypeAlias = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]
"""A part of an address that is the number of a row."""


def _may(act: policy.Permission) -> Callable[[Actor], bool]:
    return lambda actor: policy.allows(actor, act, actor.agency)


NAVIGATION: tuple[tuple[str, str, Callable[[Actor], bool]], ...] = (
    ("", message("Records"), _may("file")),
    ("workbooks", message("Workbooks"), _may("file")),
    ("review/", message("Review"), _may("review")),
    ("review/acts", message("Withdrawals and attestations"), _may("take_back_act")),
    ("privacy", message("Personal data"), _may("redact")),
    ("notices", message("Notices"), lambda _: True),
    ("members", message("Members"), policy.manages),
    ("tokens", message("Tokens"), policy.manages),
)
"""The sections of the console: the path, its name, and who has it."""


class ConsoleState(ApiState):
    """What the handlers of the console share beside those of the API."""

    editions: Callable[[Pack], Mapping[str, Edition]]
    console_assets: Mapping[str, ConsoleAsset]


class ConsoleAsset(msgspec.Struct, frozen=True, kw_only=True):
    """A style sheet or a script of the console, under a name with its digest."""

    name: str
    content: bytes


class AskedOptions(TypedDict):
    """When and in which language something is asked for."""

    now: dt.datetime
    language: PlainLanguage


class TaggedOptions(AskedOptions):
    """These, and the state that it is asked of."""

    precondition: Precondition


class ConsoleRequest(Request[Member, Session, Any]):
    """A request of the console; `user` is the member who is signed in, `auth` her session."""

    @property
    def shared(self) -> ConsoleState:
        """What the handlers share."""
        return cast("ConsoleState", self.app.state)

    @property
    def context(self) -> ServiceContext:
        """What every use case needs."""
        return self.shared.context

    @property
    def settings(self) -> Settings:
        """The settings of the register."""
        return self.shared.settings

    @property
    def actor(self) -> Actor:
        """Who acts, with the member's scopes and roles."""
        return self.auth.actor

    @property
    def language(self) -> PlainLanguage:
        """The language of the address, or else the one that the browser prefers: a person's."""
        return PlainLanguage(language_for(self))

    @property
    def options(self) -> AskedOptions:
        """The arguments that use cases take beside who acts."""
        return AskedOptions(now=utc_now(), language=self.language)

    def tagged(self, tag: str) -> TaggedOptions:
        """Return these, and the tag of the state that is meant."""
        return TaggedOptions(precondition=Precondition(tag=tag), **self.options)

    async def working(self, record: str) -> WorkingRecord:
        """Return what the member's agency works on; raises `NotFound` for anything else."""
        return await read_working_record(self.context, self.actor, record, **self.options)


def read_console_assets(folder: Path) -> dict[str, ConsoleAsset]:
    """Read the style sheets and scripts of the console, by their own names, and the site's.

    The console serves the site's itself: the site that is built may be of an earlier release, or
    on another machine.
    """
    found = {
        name: ConsoleAsset(name=name, content=content)
        for file, content in read_assets(folder.parent).files.items()
        if (name := file.removeprefix("assets/")) != file
    }
    for path in sorted((*folder.glob("*.css"), *folder.glob("*.js"))):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        name = f"{path.stem}.{digest}{path.suffix}"
        found[path.name] = ConsoleAsset(name=name, content=content)
    return found


def address_of(settings: Settings, language: str, path: str) -> str:
    """Return the address of a page of the console, without scheme and host.

    >>> address_of(Settings(base_url="https://a.example/register"), "fr", "members")
    '/register/office/fr/members'
    """
    return f"{urlsplit(settings.base_url).path}{PREFIX}/{language}/{path}"


def asset_address(state: ConsoleState, name: str) -> str:
    """Return the address of a style sheet or a script of the console."""
    prefix = urlsplit(state.settings.base_url).path
    return f"{prefix}{PREFIX}/assets/{state.console_assets[name].name}"


def filing_agency(request: ConsoleRequest) -> str:
    """Return the agency that a member files for; the authority's own file for none."""
    policy.require_scope(request.actor, "file")
    return request.actor.agency or ""


def path_of(request: Request[Any, Any, Any]) -> str:
    """Return the path of a request as it was sent; litestar's own lacks the slash at its end."""
    raw: bytes | None = request.scope.get("raw_path")
    path: str = request.scope["path"]
    return unquote(raw.partition(b"?")[0].decode("latin-1")) if raw else path


def language_of_page(request: Request[Any, Any, Any]) -> str:
    """Return the language in the address of a request; raises `NotFound` for any other word."""
    languages: tuple[str, ...] = request.app.state.context.pack.languages
    given: str = request.path_params.get("lang", "")
    if given not in languages:
        raise NotFound(f"there is nothing at {request.scope['path']}")
    return given


async def console_page(
    request: ApiRequest,
    template: str,
    view: Callable[[Reader], Mapping[str, Any]],
    *,
    status: int = 200,
) -> Response[bytes]:
    """Render a template of `site/console` in the language of the address.

    Beside what `view` gives, it knows `member` (None where nobody is signed in), `csrf_token`,
    `office(path)`, `asset(name)`, `navigation`, how many notices are `unread`, and `notice`,
    which is shown once.
    """
    context, session = request.app.state.context, known_session(request)
    notice, unread = None, 0
    if session is not None:
        notice = session.notice
        if notice is not None:
            await sessions.notify(context.database, session, None)
        unread = await notices.count_unread(context, session.actor)
    content = await in_thread(render_page, request, template, view, notice, unread)
    return Response(content, status_code=status, media_type="text/html", headers=page_headers())


def render_page(
    request: ApiRequest,
    template: str,
    view: Callable[[Reader], Mapping[str, Any]],
    notice: Notice | None = None,
    unread: int = 0,
) -> bytes:
    """Render a page in this thread; `console_page` does it in another."""
    language = language_for(request)
    edition = request.app.state.editions(request.app.state.context.pack)[language]
    known = _known(request, edition, notice)
    here = path_of(request).removeprefix(f"{PREFIX}/{language}/").removeprefix(PREFIX)
    return render(
        edition,
        quote(here.lstrip("/")),
        f"console/{template}",
        lambda: {"unread": unread, **known, **view(edition.reader)},
    )


def known_session(request: ApiRequest) -> Session | None:
    """Return the session of whoever is signed in, where the request was asked for that already."""
    found: Session | None = request.scope.get("auth")
    return found


async def see_other(
    request: ApiRequest, path: str, wording: str | None = None, **values: str
) -> Response[bytes]:
    """Lead to a page of the console in this language, which says a wording once."""
    state: Any = request.app.state
    session = known_session(request)
    if wording is not None and session is not None:
        notice = Notice(wording=wording, values=values)
        await sessions.notify(state.context.database, session, notice)
    return redirect(address_of(state.settings, language_for(request), path))


def redirect(address: str) -> Response[bytes]:
    """Lead to an address, by GET."""
    return Response(b"", status_code=303, headers={**page_headers(), "location": address})


def page_headers() -> dict[str, str]:
    """Return the headers of every answer of the console but its assets."""
    return {
        "cache-control": "no-store",
        "content-security-policy": CONTENT_POLICY,
        "cross-origin-opener-policy": "same-origin",
        "x-robots-tag": "noindex",
    }


def language_for(request: ApiRequest) -> str:
    """Return the language of an address, or what the client prefers where it has none."""
    pack = request.app.state.context.pack
    first = path_of(request).removeprefix(PREFIX).strip("/").partition("/")[0]
    if first in pack.languages:
        return first
    accepted = request.headers.get("accept-language", "")
    return negotiate(accepted, pack.languages) or pack.languages[0]


def _known(request: ApiRequest, edition: Edition, notice: Notice | None) -> dict[str, Any]:
    state: Any = request.app.state
    settings: Settings = state.settings
    reader = edition.reader
    session = known_session(request)
    member = None if session is None else session.member
    agency = None if member is None else reader.pack.agencies.get(member.agency or "")
    translate: Any = edition.templates.globals["_"]

    def office(path: str, language: str = reader.tag) -> str:
        return address_of(settings, language, path)

    site: Mapping[str, Any] = edition.templates.globals
    own = PREFIX.removeprefix("/")
    return {
        "stylesheet": f"{own}/{site['stylesheet']}",
        "icon": f"{own}/{site['icon']}",
        "fonts": {name: f"{own}/{file}" for name, file in site["fonts"].items()},
        "member": member,
        "agency": None if agency is None else say(reader, agency.name),
        "csrf_token": csrf_token({"request": request}),
        "office": office,
        "asset": partial(asset_address, state),
        "navigation": list(_sections(member)),
        "notice": None if notice is None else translate(notice.wording, **notice.values),
    }


def _sections(member: Member | None) -> Iterator[tuple[str, str]]:
    if member is not None:
        actor = actor_of(member)
        yield from ((path, name) for path, name, has in NAVIGATION if has(actor))
