"""What another register serves: the files of its log, the names of its agencies, its own name."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from registry.errors import Unavailable
from registry.log.blob import bundle_of_contents
from registry.log.files import CHECKPOINT
from registry.log.key_chain import KeyChain, key_path
from registry.record.codelists import NARROWER
from registry.record.model import LangText
from registry.record.origin import CodeLabels, Origin
from registry.record.pack import Agency
from registry.text.locales import TAG
from registry.text.text_safety import first_problem
from registry.tlog.bundle import bundle_path, parse_bundle
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused
from registry.tlog.policy import Policy
from registry.tlog.tile import WIDTH, Tile
from registry.verify.log import ReadFile, keys_from

_BUNDLES_KEPT = 64
_TILES_KEPT = 4096
_LONGEST_NAME = 250
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,90}", re.ASCII)
_LABELLED = sorted(("bodies", "grounds", "regions", "supplier_schemes", *NARROWER))
_MOST_LABELS = 40_000
"""Bytes of the labels of an origin: an entry of a log has 65,535 at the most."""

_WEBSITE = re.compile(r"https?://[\x21-\x7e]{1,500}")
_COUNTRY = re.compile(r"[a-z]{2}(?:-.*)?")


class PeerSite:
    """The files of a peer's log, read over the network, in threads; the last note is kept."""

    def __init__(self, read: ReadFile) -> None:
        """Take what reads the files below the register's address."""
        self._read = read
        self.note = b""
        self.keys = KeyChain(())
        self.key_proofs: list[str] = []
        self.bundle = lru_cache(_BUNDLES_KEPT)(self._bundle)
        self.tile = lru_cache(_TILES_KEPT)(self._tile)
        self._has_bundles = True

    def checkpoint(self, verifier: Verifier, policy: Policy) -> Checkpoint:
        """Read the checkpoint, which the log's keys and the policy's witnesses must have signed.

        The verifier is any key that the log ever had; `keys` are all,
        and `key_proofs` what vouches for the later ones.

        Raises `Unavailable` where they have not.
        """
        try:
            self.note = self.log(CHECKPOINT)
            self.keys = keys_from(self.log, stated(self.note).size, verifier)
            opened = self.keys.open(self.note, witnesses=policy.verifiers)
            later = range(1, len(self.keys.keys))
            self.key_proofs = [self.log(key_path(number)).decode() for number in later]
        except FileNotFoundError as error:
            raise Unavailable(f"there is no log at {error}") from error
        except NoteRefused as error:
            raise Unavailable(f"its checkpoint cannot be believed: {error}") from error
        fault = policy.fault([*self.keys.verifiers, *(one.verifier for one in opened.verified)])
        if fault is not None:
            raise Unavailable(f"its checkpoint is not witnessed as it should be: {fault}")
        return opened.checkpoint

    def log(self, path: str) -> bytes:
        """Read a file of the log."""
        return self._read(f"log/{path}")

    def beside(self, path: str) -> bytes:
        """Read what the peer answers beside its log."""
        return self._read(path)

    def contents(self, number: int) -> dict[int, bytes]:
        """Read the contents of 256 entries; nothing where the peer has them singly only."""
        if not self._has_bundles:
            return {}
        try:
            lines = self.log(bundle_of_contents(number)).split(b"\n")
        except (FileNotFoundError, Unavailable):
            # A host of files alone may have none; and one may be larger than a file may be.
            self._has_bundles = False
            return {}
        return {number * WIDTH + at: line for at, line in enumerate(lines) if line}

    def _bundle(self, number: int, width: int) -> list[bytes]:
        try:
            return parse_bundle(self.log(bundle_path(number, width)), width)
        except ValueError as error:
            raise Unavailable(f"{bundle_path(number, width)}: {error}") from error
        except FileNotFoundError as error:
            if width == WIDTH:
                raise Unavailable(f"{error} is missing") from error
            # A partial bundle goes some time after the full one is there.
            return self._bundle(number, WIDTH)[:width]

    def _tile(self, tile: Tile) -> bytes:
        try:
            content = self.log(tile.path)
        except FileNotFoundError as error:
            if tile.width == WIDTH:
                raise Unavailable(f"{error} is missing") from error
            content = self._tile(Tile(level=tile.level, index=tile.index))
        if len(content) < tile.width * HASH_BYTES:
            raise Unavailable(f"{tile.path} has {len(content)} bytes, too few")
        return content[: tile.width * HASH_BYTES]


class _AgencyList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[Agency]


def agency_names(site: PeerSite, code: str) -> dict[str, Agency]:
    """Return the peer's own agencies as its API names them now, by their codes here.

    That is no part of its log, whose entries on agencies have the last word.
    """
    try:
        listed = msgspec.json.decode(site.beside("api/v1/agencies"), type=_AgencyList).items
    except (FileNotFoundError, Unavailable, ValueError, RecursionError):
        return {}
    found = [agency_here(code, one) for one in listed if one.origin is None]
    return {one.id: one for one in found if one is not None}


def agency_here(code: str, agency: Agency) -> Agency | None:
    """Return a peer's agency as it is here; None where its names cannot be shown."""
    names = _shown(agency.name)
    if not names:
        return None
    website = agency.website if agency.website and _WEBSITE.fullmatch(agency.website) else None
    return Agency(
        id=f"{code}.{agency.id}",
        name=names,
        kind=agency.kind,
        website=website,
        fictitious=agency.fictitious,
        origin=code,
    )


def _shown(text: LangText) -> LangText:
    """Return a peer's name of something in the languages in which it can be shown."""
    return {
        tag: words
        for tag, words in sorted(text.items())
        if TAG.fullmatch(tag)
        and 0 < len(words) <= _LONGEST_NAME
        and words.isprintable()
        and first_problem(words) is None
    }


class _CodeLabel(msgspec.Struct, frozen=True):
    code: str
    label: LangText


class _PackWords(msgspec.Struct, frozen=True):
    site_name: LangText
    lists: dict[str, list[_CodeLabel]] = {}


def pack_words(origin: Origin, section: bytes | str) -> Origin:
    """Return an origin named as its country pack does, which its log commits to.

    A title that was given here stays. Lists of labels that would make an entry of a log too long
    are left out. Keys are in the order of canonical JSON.
    """
    try:
        pack = msgspec.json.decode(section, type=_PackWords)
    except (ValueError, RecursionError):
        return origin
    labels: CodeLabels = {}
    for name in _LABELLED:
        found = {
            one.code: shown
            for one in sorted(pack.lists.get(name, ()), key=lambda one: one.code)
            if _CODE.fullmatch(one.code) and (shown := _shown(one.label))
        }
        more = labels | {f"pack/{name}": found}
        if found and len(msgspec.json.encode(more)) <= _MOST_LABELS:
            labels = more
    names = _shown(pack.site_name)
    is_own = origin.title in {origin.code, *names.values()}
    return msgspec.structs.replace(
        origin,
        names=names if names and is_own else msgspec.UNSET,
        labels=labels or msgspec.UNSET,
    )


def described(site: PeerSite, code: str, address: str) -> Origin:
    """Return what a register says of itself in its catalogue, as far as it can be read."""
    try:
        said = msgspec.json.decode(site.beside("api/v1/catalogue"), type=_Catalogue)
    except (FileNotFoundError, Unavailable, ValueError, RecursionError):
        said = _Catalogue()
    language = next((one.rpartition("/")[2] for one in said.language), "")
    title = said.title.get(language) or next(iter(said.title.values()), code)
    names = said.publisher.name
    return Origin(
        code=code,
        title=title,
        publisher=names.get(language) or next(iter(names.values()), title),
        licence=said.licence or "",
        homepage=f"{address}/",
        country=code[:2].upper() if _COUNTRY.fullmatch(code) else "",
        language=language,
        names=_shown(said.title) or msgspec.UNSET,
    )


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    name: dict[str, str] = {}


class _Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    title: dict[str, str] = {}
    publisher: _Named = msgspec.field(default_factory=_Named)
    licence: str | None = None
    language: list[str] = []
