"""The settings of one process: read once from `REGISTRY_*` variables and passed down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec

from registry.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "REGISTRY_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set, each with a working default; `docs/operating.md` explains every one."""

    database_url: str | None = None
    data_dir: Path = Path("var")
    base_url: str = "http://127.0.0.1:8000"
    pack: str = "ma"
    review: Literal["none", "required"] = "none"
    site_build: Literal["auto", "manual"] = "auto"
    log_origin: str | None = None
    log_key_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1

    @property
    def site_dir(self) -> Path:
        """The folder that is served as the site: a link to the build in force."""
        return self.data_dir / "site"

    @property
    def key_file(self) -> Path:
        """The log's Ed25519 key file."""
        return self.log_key_file or self.data_dir / "keys" / "log.key"

    @property
    def origin(self) -> str:
        """The log's origin (c2sp.org/tlog-checkpoint): a scheme-less name."""
        if self.log_origin is not None:
            return self.log_origin
        parts = urlsplit(self.base_url)
        return f"{parts.netloc}{parts.path.rstrip('/')}/log"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises `ConfigurationError` naming the variable that is wrong."""
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    given = {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environment.items()
        if key.startswith(PREFIX)
    }
    unknown = sorted(set(given) - set(fields))
    if unknown:
        known = ", ".join(PREFIX + name.upper() for name in fields)
        raise ConfigurationError(
            f"unknown setting {PREFIX}{unknown[0].upper()}; the settings are {known}"
        )
    values: dict[str, object] = {}
    for name, text in given.items():
        if text == "":
            continue
        try:
            values[name] = msgspec.convert(
                text, fields[name].type, strict=False, dec_hook=lambda _, value: Path(value)
            )
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{PREFIX}{name.upper()}={text!r}: {error}") from error
    if "port" in values:
        values.setdefault("base_url", f"http://127.0.0.1:{values['port']}")
    return _checked(Settings(**values))  # type: ignore[arg-type]


def _checked(settings: Settings) -> Settings:
    parts = urlsplit(settings.base_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(
            f"{PREFIX}BASE_URL={settings.base_url!r}: give a full address, "
            "for example https://algorithms.example.org"
        )
    if not 0 < settings.port < 65536:  # noqa: PLR2004  the range of TCP ports
        raise ConfigurationError(f"{PREFIX}PORT={settings.port}: a port is 1 to 65535")
    if settings.review == "required":
        # Accepting it in silence would let an operator believe in four eyes that nobody has.
        raise ConfigurationError(
            f"{PREFIX}REVIEW=required: review by a second person is not built yet; "
            "leave it at none, and give tokens only to those who may publish"
        )
    if settings.workers < 1:
        raise ConfigurationError(f"{PREFIX}WORKERS={settings.workers}: at least one worker")
    return msgspec.structs.replace(settings, base_url=settings.base_url.rstrip("/"))
