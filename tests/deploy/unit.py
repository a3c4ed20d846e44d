"""Run the command of a shipped systemd unit as the unit does, where no systemd runs.

`python -m tests.deploy.unit UNIT PLACES [COMMAND…]`, as root. PLACES is a JSON object: `data`, the
folder that is `/var/lib/registry`; `socket`, the PostgreSQL socket; `environment`, what is set
instead of the unit's files. It is empty on a machine that has all of that where the unit looks for
it, and its program in `/opt/registry`. The unit's user, umask, inaccessible paths, read-only
system, /proc and system calls are those of the unit; a COMMAND stands in for its own.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import re
import struct
import subprocess
import sys
from pathlib import Path

_HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
_DATA = "/var/lib/registry"
_PROGRAM = "/opt/registry/bin/registry"
_NEW_NAMESPACE, _PRIVATE, _RECURSIVE = 0x20000, 1 << 18, 16384
_READ_ONLY, _REMOUNT, _BIND = 1, 32, 4096
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1

_libc = ctypes.CDLL(None, use_errno=True)


def read_unit(path: Path) -> dict[str, list[str]]:
    """Return the values of the settings of a unit's service, each in the file's order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, equal, value = line.partition("=")
        if equal and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def missing() -> str | None:
    """Return what this machine lacks for it, or None."""
    if os.geteuid():
        return "units are started by root"
    if Path(__file__).resolve().is_relative_to("/tmp"):  # noqa: S108  it is what units see empty
        return "this clone lies in /tmp, which is the units' own (PrivateTmp)"
    if not _HEADER.is_file():
        return "the headers of Linux are not here; .ci/run names their package"
    if not Path("/usr/bin/systemd-analyze").is_file():
        return "systemd-analyze is not here; .ci/run names its package"
    return None


def _calls(group: str) -> set[str]:
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    names = [line.strip() for line in shown.stdout.splitlines()[1:]]
    found: set[str] = set()
    for name in names:
        found |= _calls(name) if name.startswith("@") else {name} - {""}
    return {name for name in found if not name.startswith("#")}


def _filter(unit: dict[str, list[str]]) -> bytes:
    """Return the program of seccomp that answers EPERM to what the unit may not call."""
    allowed: set[str] = set()
    for value in unit["SystemCallFilter"]:
        named = {name for group in value.lstrip("~").split() for name in _calls(group)}
        allowed = allowed - named if value.startswith("~") else allowed | named
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", _HEADER.read_text()))
    program = [(_LOAD, 0, 0, 0)]
    for name in sorted(allowed & numbers.keys()):
        program += [(_EQUAL, 0, 1, int(numbers[name])), (_RETURN, 0, 0, _ALLOW)]
    program.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("HBBI", *one) for one in program)


def _mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode())
    if done:
        raise OSError(ctypes.get_errno(), f"mounting {source} at {target}")


def _lay_out(unit: dict[str, list[str]], data: str, socket: str) -> None:
    """Give the process the unit's view of the file system."""
    _libc.unshare(_NEW_NAMESPACE)
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    # What the test itself runs from lies where other users may not look.
    seen = [str(Path(base).resolve()) for base in (sys.prefix, sys.base_prefix, Path.cwd())]
    held = Path("/mnt")
    _mount("held", str(held), "tmpfs")
    for number, path in enumerate((*seen, data, socket)):
        place = held / str(number)
        _ = place.touch() if path == socket else place.mkdir()
        _mount(path, str(place), flags=_BIND)
    for folder in ("/root", "/tmp", "/var/lib", "/opt", "/run"):  # noqa: S108
        _mount("unit", folder, "tmpfs", data="mode=0755")
    places = (*seen, _DATA, "/run/postgresql/.s.PGSQL.5432")
    for number, path in enumerate(places):
        if number >= len(seen) or not Path(path).exists():
            place = Path(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            _ = place.touch() if number == len(places) - 1 else place.mkdir()
            _mount(str(held / str(number)), path, flags=_BIND)
    program = Path(_PROGRAM)
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m registry "$@"\n')
    program.chmod(0o755)
    _confine(unit)


def _hide_home(unit: dict[str, list[str]]) -> None:
    """Give the process what a unit sees of a machine on which all is where it should be."""
    _libc.unshare(_NEW_NAMESPACE)
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    # The interpreter of the tests may lie below /root, where other users may not look.
    base = Path(sys.base_prefix).resolve()
    _mount(str(base), "/mnt", flags=_BIND)
    for folder in ("/root", "/tmp"):  # noqa: S108
        _mount("unit", folder, "tmpfs", data="mode=0755")
    if not base.exists():
        base.mkdir(parents=True)
        _mount("/mnt", str(base), flags=_BIND)
    for value in unit.get("ReadWritePaths", []):
        for path in value.split():
            _mount(path, path, flags=_BIND)
    _confine(unit)


def _confine(unit: dict[str, list[str]]) -> None:
    Path("/tmp").chmod(0o1777)  # noqa: S108
    for path in unit.get("InaccessiblePaths", []):
        _mount("none", path.lstrip("-"), "tmpfs", data="mode=0000")
    if unit.get("ProtectSystem") == ["strict"]:
        _mount("none", "/", flags=_REMOUNT | _BIND | _READ_ONLY)
    subset = "subset=pid," if unit.get("ProcSubset") == ["pid"] else ""
    _mount("proc", "/proc", "proc", data=f"{subset}hidepid={unit['ProtectProc'][0]}")


def read_environment(path: Path) -> dict[str, str]:
    """Return what a file of `EnvironmentFile=` sets."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def main(path: str, places: str, *command: str) -> None:
    """Become the unit's process."""
    unit, given = read_unit(Path(path)), json.loads(places)
    program = _filter(unit)
    words = list(command) or unit["ExecStart"][0].split()
    user = pwd.getpwnam(unit["User"][0])
    if given:
        _lay_out(unit, given["data"], given["socket"])
        environment = given["environment"]
    else:
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        for file in unit["EnvironmentFile"]:
            environment |= read_environment(Path(file))
        _hide_home(unit)
    os.chdir(unit["WorkingDirectory"][0])
    os.setgroups([user.pw_gid])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.umask(int(unit["UMask"][0], 8))
    buffer = ctypes.create_string_buffer(program)

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_void_p))

    kept = Filter(len(program) // 8, ctypes.addressof(buffer))
    if _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no new privileges")
    if _libc.prctl(_SECCOMP, _FILTER, ctypes.byref(kept), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls")
    os.execve(words[0], words, environment | {"HOME": user.pw_dir})  # noqa: S606


if __name__ == "__main__":
    main(*sys.argv[1:])
