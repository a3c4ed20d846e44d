"""This host: settings, data folder, disk, port."""

from __future__ import annotations

import http.client
import os
import platform
from collections.abc import Iterator
from urllib.parse import urlsplit

from registry import __version__
from registry.resources import read_revision
from registry.services.doctor.checks import Check, finding, good
from registry.services.heartbeat import disk_room
from registry.settings import Settings, is_loopback

LEAST_SHARE = 0.1
"""The share of a disk, and of its inodes, that has to be free."""

_PATIENCE_SECONDS = 5.0


def check_software() -> Check:
    """Return which version this is."""
    revision = read_revision()
    known = f", revision {revision[:12]}" if revision else ""
    return good("software", f"{__version__}{known}, Python {platform.python_version()}")


def check_settings(settings: Settings) -> Iterator[Check]:
    """Check the settings that may stand as they are, and should not."""
    parts = urlsplit(settings.base_url)
    is_public = not is_loopback(parts.hostname or "")
    if is_public and parts.scheme != "https":
        yield finding(
            "address",
            f"{settings.base_url} is not encrypted",
            "Put a proxy with TLS in front, and set REGISTRY_BASE_URL to its https address.",
        )
    else:
        yield good("address", settings.base_url)
    yield good("country pack", settings.pack)
    if settings.security_contact is None:
        yield finding(
            "security contact",
            "nobody can learn where to report a weakness",
            "Set REGISTRY_SECURITY_CONTACT to a mailto: or https: address.",
        )
    else:
        yield good("security contact", settings.security_contact)


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
        if share < LEAST_SHARE:
            yield finding(name, seen, "Make room, or move the folder to a larger disk.")
        else:
            yield good(name, seen)


def check_port(settings: Settings) -> Check:
    """Check what listens at the port of `serve`."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    where = f"{settings.host}:{settings.port}"
    connection = http.client.HTTPConnection(host, settings.port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/health/live")
        with connection.getresponse() as answer:
            is_ours = b'"live"' in answer.read(1000)
    except ConnectionRefusedError:
        return good("port", f"nothing listens at {where}; registry serve would")
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        return finding(
            "port",
            f"what listens at {where} does not answer as a register ({error})",
            "End what uses the port, or choose another by REGISTRY_PORT.",
        )
    finally:
        connection.close()
    if is_ours:
        return good("port", f"registry serve answers at {where}")
    return finding(
        "port",
        f"something else than a register answers at {where}",
        "End what uses the port, or choose another by REGISTRY_PORT.",
    )
