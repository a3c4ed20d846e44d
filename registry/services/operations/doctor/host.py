"""This host: settings, data folder, disk, port."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from registry import __version__
from registry.http_client import BoundedClient
from registry.record.pack import load_pack
from registry.resources import read_revision
from registry.services.operations.doctor.checks import Check, asks, finding, good, judged
from registry.services.operations.heartbeat import disk_room
from registry.settings import LIMITS, PREFIX, Settings, is_loopback

LEAST_SHARE = 0.1
"""The share of a disk, and of its inodes, that has to be free."""

_PATIENCE_SECONDS = 5.0
_OF_EVERYBODY = 4
"""A network with so short a prefix is none of proxies."""


def check_software(_: Settings) -> Iterator[Check]:
    """Return which version this is."""
    revision = read_revision()
    known = f", revision {revision[:12]}" if revision else ""
    yield good("software", f"{__version__}{known}, Python {platform.python_version()}")


def check_settings(settings: Settings) -> Iterator[Check]:
    """Check the settings that may stand as they are, and should not."""
    parts = urlsplit(settings.base_url)
    is_public = not is_loopback(parts.hostname or "")
    is_clear = is_public and parts.scheme != "https"
    yield judged(
        "address",
        f"{settings.base_url} is not encrypted" if is_clear else settings.base_url,
        "Put a proxy with TLS in front, and set REGISTRY_BASE_URL to its https address.",
        is_wrong=is_clear,
    )
    yield good("country pack", settings.pack)
    yield judged(
        "security contact",
        settings.security_contact or "nobody can learn where to report a weakness",
        "Set REGISTRY_SECURITY_CONTACT to a mailto: or https: address.",
        is_wrong=settings.security_contact is None,
    )
    if is_public and settings.review == "none":
        yield asks(
            "review",
            "what an agency submits is public at once; is nobody else to read it before?",
            "If somebody is, set REGISTRY_REVIEW to authority or required.",
        )
    off = [f"{PREFIX}{name.upper()}=0" for name in LIMITS if not getattr(settings, name)]
    if is_public and off:
        note = finding if len(off) == len(LIMITS) else asks
        yield note("limits", f"no limit: {', '.join(off)}", "Leave them out, or raise them.")
    everybody = [str(one) for one in settings.proxies if one.prefixlen <= _OF_EVERYBODY]
    if everybody:
        yield finding(
            "trusted proxies",
            f"{', '.join(everybody)} is everybody: who asks invents the address that is limited",
            "Set REGISTRY_TRUSTED_PROXIES to the addresses of the proxies alone.",
        )


def check_pack(settings: Settings) -> Iterator[Check]:
    """Check what the country pack says of the register's contents."""
    licence = load_pack(settings.pack, settings.packs).licence
    yield judged(
        "licence",
        licence or "nobody can learn on which terms records may be used",
        "Write the address of a licence as licence into pack.json, such as "
        "https://creativecommons.org/licenses/by/4.0/.",
        is_wrong=licence is None,
    )


def check_disk(settings: Settings) -> Iterator[Check]:
    """Check the data folder and the room on its disk."""
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        yield finding(
            "data folder",
            f"{folder} is not there",
            "Run this where the register runs, or set REGISTRY_DATA_DIR to its folder.",
        )
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield finding(
            "data folder",
            f"{folder} cannot be written by this user",
            "Run the register's commands as its own user, or give the folder to its group: "
            "install -d -m 2775 -g GROUP.",
        )
    elif folder.stat().st_mode & stat.S_IWOTH:
        seen = f"every user of this machine may write in {folder}"
        yield finding("data folder", seen, f"Run chmod o-w {folder}.")
    else:
        yield good("data folder", str(folder))
    room = disk_room(folder)
    for name, total, left in (
        ("disk", "disk_bytes", "disk_free_bytes"),
        ("inodes", "disk_inodes", "disk_free_inodes"),
    ):
        if not room.get(total):
            continue
        share = room[left] / room[total]
        seen = f"{share:.0%} of the file system of {folder} is free"
        advice = "Make room, or move the folder to a larger disk."
        yield judged(name, seen, advice, is_wrong=share < LEAST_SHARE)


def check_port(settings: Settings) -> Iterator[Check]:
    """Check what listens at the port of `serve`."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    where = f"{settings.host}:{settings.port}"
    seen, is_wrong = f"registry serve answers at {where}", False
    try:
        url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/health/live"
        with BoundedClient(seconds=_PATIENCE_SECONDS) as client:
            is_ours = b'"live"' in client.read(url).content
        if not is_ours:
            seen, is_wrong = f"something else than a register answers at {where}", True
    except httpx.ConnectError:
        seen = f"nothing listens at {where}; registry serve would"
    except httpx.HTTPError as error:
        is_wrong = True
        seen = f"what listens at {where} does not answer as a register ({error})"
    advice = "End what uses the port, or choose another by REGISTRY_PORT."
    yield judged("port", seen, advice, is_wrong=is_wrong)
