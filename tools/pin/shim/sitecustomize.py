"""Fix chance and the clock of a recorded process; Python runs this at its start (PYTHONPATH).

Salts, keys and tokens are drawn as multiples of 32 bytes: each 32 are the digest of PIN_SEED, so
that no order of drawing matters. Other lengths stay random (temporary names, tags of drafts). The
current time stands in the file PIN_CLOCK, where statements of the register read it too, instead of
the database's clock. The embedded server's role may read files.
"""

import ctypes
import datetime as dt
import gc
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_CLOCK = Path(os.environ["PIN_CLOCK"])
_BLOCK = sha256(os.environ.get("PIN_SEED", "").encode()).digest()


def _replace(kind: type, **methods: object) -> None:
    """Replace methods of a type that is written in C, for every module that has imported it."""
    gc.get_referents(kind.__dict__)[0].update(methods)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def _fixed(draw: Callable[[int], bytes]) -> Callable[..., bytes]:
    def drawn(nbytes: int = len(_BLOCK)) -> bytes:
        count, rest = divmod(nbytes, len(_BLOCK))
        return draw(nbytes) if rest else _BLOCK * count

    return drawn


def _now(cls: type[dt.datetime], tz: dt.tzinfo | None = None) -> dt.datetime:
    return cls.fromtimestamp(float(_CLOCK.read_text(encoding="ascii")), tz)


os.urandom = _fixed(os.urandom)
secrets.token_bytes = _fixed(secrets.token_bytes)
_replace(
    dt.datetime,
    now=classmethod(_now),
    today=classmethod(_now),
    utcnow=classmethod(lambda cls: _now(cls, dt.UTC).replace(tzinfo=None)),
)
_replace(dt.date, today=classmethod(lambda cls: cls(*_now(dt.datetime).timetuple()[:3])))


class _Statements(PathFinder):
    """A finder of `registry.store.sql`, whose statements take the time from the file."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's spec; None for every other module."""
        if fullname != "registry.store.sql":
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_change(module: ModuleType) -> None:
            run(module)
            read: Callable[[str, str], str] = module.statement
            fixed = f"to_timestamp(pg_read_file('{_CLOCK}')::float8)"

            def statement(subject: str, name: str) -> str:
                return read(subject, name).replace("clock_timestamp()", fixed)

            module.statement = statement  # type: ignore[attr-defined]

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Statements)
