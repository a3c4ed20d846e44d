"""The settings of a process, read once from the variables `REGISTRY_*` and passed down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, TypeAlias, get_args, get_origin
from urllib.parse import SplitResult, urlsplit

import msgspec

from registry.errors import ConfigurationError

PREFIX = "REGISTRY_"

Network: TypeAlias = IPv4Network | IPv6Network

_EVERY_HOST = "*"
_HOST = re.compile(r"[A-Za-z0-9._-]+")
_MAILBOX = re.compile(r"[\w.+-]+@[\w.-]+", re.ASCII)
_STORE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*/?")
_PURGE_URL = re.compile(r"https?://[\x21-\x7e]+")
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")
_OF_SERVICE = re.compile(
    r"REGISTRY_(?:[A-Z0-9_]+_)?"
    r"(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_CONTACT = re.compile(r"(?:mailto:|https://)[\x21-\x7e]+")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, each with a working default; `docs/operating.md` documents them."""

    database_url: str | None = None
    read_url: str | None = None
    data_dir: Path = Path("var")
    base_url: str = "http://127.0.0.1:8000"
    pack: str = "ma"
    review: Literal["none", "required", "authority"] = "none"
    site_build: Literal["auto", "manual"] = "auto"
    console: Literal["on", "off"] | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_audience: str | None = None
    oidc_client_claim: str = "client_id"
    oidc_clients_file: Path | None = None
    site: Literal["here", "elsewhere"] | None = None
    publish_to: str | None = None
    purge_url: str | None = None
    accept_path: Literal["on", "off"] = "on"
    log_origin: str | None = None
    log_key_file: Path | None = None
    log_policy_file: Path | None = None
    peers_on_loopback: Literal["on", "off"] = "off"
    harvest_minutes: int = 60
    link_checks: Literal["on", "off"] = "off"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    allowed_hosts: str | None = None
    trusted_proxies: str | None = None
    security_contact: str | None = None
    smtp_url: str | None = None
    mail_from: str | None = None
    limit_writes: int = 600
    limit_validations: int = 240
    limit_failures: int = 30
    limit_exports: int = 30
    limit_export_records: int = 15_000
    limit_work: int = 30_000
    limit_publications: int = 2_000
    limit_drafts: int = 100
    packs: Path | None = None
    languages: Path | None = None
    database_url_file: Path | None = None
    postgres_bin: Path | None = None

    @property
    def has_console(self) -> bool:
        """Whether `/office` is served; by default, if there is a way to sign in."""
        can_sign_in = self.oidc_issuer is not None and self.oidc_client_id is not None
        return self.console == "on" or (self.console is None and can_sign_in)

    @property
    def site_dir(self) -> Path:
        """The folder that is served as the site: a symbolic link to the build in force."""
        return self.data_dir / "site"

    @property
    def is_site_elsewhere(self) -> bool:
        """Whether pages that are not in the folder are served by others, or come from a store."""
        return self.site == "elsewhere" or self.publish_to is not None

    @property
    def key_file(self) -> Path:
        """The log's Ed25519 key file."""
        return self.log_key_file or self.data_dir / "keys" / "log.key"

    @property
    def search_dir(self) -> Path:
        """The folder of the host's search index, which may be deleted."""
        return self.data_dir / "search"

    @property
    def packages_dir(self) -> Path:
        """The folder of the packages of the register, each by its entry; it may be deleted."""
        return self.data_dir / "packages"

    @property
    def log_dir(self) -> Path:
        """The folder of the published log."""
        return self.data_dir / "log"

    @property
    def signed_sizes_file(self) -> Path:
        """The journal of signed sizes of the log, beside the key and outside the database."""
        return self.key_file.with_name("signed-sizes")

    @property
    def seen_file(self) -> Path:
        """The file of the furthest state of the log that processes of this host have seen."""
        return self.data_dir / "log-seen"

    @property
    def hosts(self) -> frozenset[str] | None:
        """The host names that requests may name, in lower case; None if any may be named.

        Loopback names are not among them: they are always accepted.
        """
        given = _listed(self.allowed_hosts) or [urlsplit(self.base_url).hostname or ""]
        unset = self.allowed_hosts is None
        if _EVERY_HOST in given or (unset and is_loopback(given[0])):
            return None
        return frozenset(host.lower() for host in given)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies whose `X-Forwarded-For` is trusted."""
        return tuple(ip_network(text) for text in _listed(self.trusted_proxies))

    @property
    def origin(self) -> str:
        """The log's origin (c2sp.org/tlog-checkpoint): a scheme-less name."""
        if self.log_origin is not None:
            return self.log_origin
        return log_origin(self.base_url)


LIMITS = [name for name in Settings.__struct_fields__ if name.startswith("limit_")]
"""The settings of which 0 is no limit."""


def _is_of_service(key: str, value: str) -> bool:
    """Return whether a variable describes a service, such as REGISTRY_PORT=tcp://10.0.0.1:80."""
    is_address = key.endswith("_PORT") and _SERVICE_ADDRESS.match(value) is not None
    return key.startswith(PREFIX) and (is_address or _OF_SERVICE.fullmatch(key) is not None)


def log_origin(base_url: str) -> str:
    """Return the origin that the log of a register has where no other is set."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path.rstrip('/')}/log"


def is_loopback(host: str) -> bool:
    """Return whether a host name, without a port, is this machine's."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def from_environment(
    environment: Mapping[str, str], warn: Callable[[str], None] = lambda _: None
) -> Settings:
    """Return the settings. Raises `ConfigurationError`, which names the variable that is wrong.

    Variables that Kubernetes sets for a service of this name are no settings; `warn` is told so.
    """
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    given = {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environment.items()
        if key.startswith(PREFIX) and not _is_of_service(key, value)
    }
    injected = sorted(key for key, value in environment.items() if _is_of_service(key, value))
    if injected:
        warn(
            f"ignored, since Kubernetes sets them for a service of this name: "
            f"{', '.join(injected)};"
            " enableServiceLinks: false in the pod keeps them away"
        )
    unknown = [
        PREFIX + name.upper() + (f", did you mean {PREFIX}{near[0].upper()}?" if near else "")
        for name in sorted(set(given) - set(fields))
        for near in [get_close_matches(name, fields, n=1)]
    ]
    if unknown:
        known = ", ".join(PREFIX + name.upper() for name in fields)
        raise ConfigurationError(
            f"unknown setting {'; unknown setting '.join(unknown)}; the settings are {known}"
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
            wanted = fields[name].type
            why = str(error)
            if get_origin(wanted) is Literal:
                why = f"give {' or '.join(get_args(wanted))}"
            elif wanted is int:
                why = "give a whole number in digits"
            raise ConfigurationError(f"{PREFIX}{name.upper()}={text!r}: {why}") from error
    if "port" in values:
        values.setdefault("base_url", f"http://127.0.0.1:{values['port']}")
    return _checked(Settings(**values))  # type: ignore[arg-type]


def _checked(settings: Settings) -> Settings:
    if not 0 < settings.port < 65536:  # noqa: PLR2004  the range of TCP ports
        raise ConfigurationError(f"{PREFIX}PORT={settings.port}: a port is 1 to 65535")
    parts = _parts_of(settings.base_url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(
            f"{PREFIX}BASE_URL={settings.base_url!r}: give a full address, "
            "for example https://algorithms.example.org"
        )
    if settings.publish_to is not None and _STORE.fullmatch(settings.publish_to) is None:
        raise ConfigurationError(
            f"{PREFIX}PUBLISH_TO={settings.publish_to!r}: give s3://bucket or s3://bucket/prefix"
        )
    if settings.purge_url is not None and (
        settings.publish_to is None or _PURGE_URL.fullmatch(settings.purge_url) is None
    ):
        # The address is not repeated: there may be a password in it.
        raise ConfigurationError(
            f"{PREFIX}PURGE_URL: give an http:// or https:// address, and set {PREFIX}PUBLISH_TO"
        )
    settings = _read_database_url(settings)
    _check_numbers(settings)
    _check_contact(settings.security_contact)
    _check_issuer(settings)
    _check_mail(settings)
    for host in _listed(settings.allowed_hosts):
        if host != _EVERY_HOST and _HOST.fullmatch(host) is None and not _is_address(host):
            raise ConfigurationError(
                f"{PREFIX}ALLOWED_HOSTS: {host!r} is no host name; give names without scheme and "
                "port, separated by commas, or * for any"
            )
    for text in _listed(settings.trusted_proxies):
        try:
            ip_network(text)
        except ValueError as error:
            raise ConfigurationError(
                f"{PREFIX}TRUSTED_PROXIES: {error}; give addresses or networks, separated by "
                "commas, for example 127.0.0.1,10.0.0.0/8"
            ) from error
    return msgspec.structs.replace(settings, base_url=settings.base_url.rstrip("/"))


def _read_database_url(settings: Settings) -> Settings:
    """Return the settings with the address that a file has, such as a secret that is mounted."""
    file = settings.database_url_file
    if file is None:
        return settings
    if settings.database_url is not None:
        raise ConfigurationError(
            f"{PREFIX}DATABASE_URL and {PREFIX}DATABASE_URL_FILE are both set; leave one out"
        )
    try:
        address = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(
            f"{PREFIX}DATABASE_URL_FILE: {file} cannot be read ({why})"
        ) from error
    if not address:
        raise ConfigurationError(f"{PREFIX}DATABASE_URL_FILE: {file} is empty")
    return msgspec.structs.replace(settings, database_url=address)


def _check_numbers(settings: Settings) -> None:
    for name, thing in (("workers", "worker"), ("harvest_minutes", "minute")):
        if (number := getattr(settings, name)) < 1:
            raise ConfigurationError(f"{PREFIX}{name.upper()}={number}: at least one {thing}")
    for name in LIMITS:
        if (limit := getattr(settings, name)) < 0:
            raise ConfigurationError(
                f"{PREFIX}{name.upper()}={limit}: give a whole number, or 0 for no limit"
            )


def _check_contact(contact: str | None) -> None:
    if contact is not None and _CONTACT.fullmatch(contact) is None:
        raise ConfigurationError(
            f"{PREFIX}SECURITY_CONTACT={contact!r}: give an address that begins with mailto: or "
            "https:"
        )


def _check_mail(settings: Settings) -> None:
    if settings.smtp_url is not None:
        url = _parts_of(settings.smtp_url)
        if url is None or url.scheme not in {"smtp", "smtps"} or not url.hostname or url.port == 0:
            # The address is not repeated: there may be a password in it.
            raise ConfigurationError(
                f"{PREFIX}SMTP_URL: give smtp:// or smtps://, then user:password@ if there is one, "
                "host and :port"
            )
    if settings.mail_from is not None and _MAILBOX.fullmatch(settings.mail_from) is None:
        raise ConfigurationError(
            f"{PREFIX}MAIL_FROM={settings.mail_from!r}: give an e-mail address, such as "
            "no-reply@algorithms.example.org"
        )


def _check_issuer(settings: Settings) -> None:
    """Raise `ConfigurationError` for a provider without https, or set in part."""
    issuer = settings.oidc_issuer
    if issuer is None:
        if settings.oidc_client_id is not None or settings.oidc_audience is not None:
            raise ConfigurationError(f"{PREFIX}OIDC_ISSUER: set it, or leave the others out")
        return
    parts = _parts_of(issuer)
    is_safe = parts is not None and (parts.scheme == "https" or is_loopback(parts.hostname or ""))
    if parts is None or not is_safe or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{PREFIX}OIDC_ISSUER={issuer!r}: give the issuer's address, with https"
        )


def _parts_of(address: str) -> SplitResult | None:
    """Return the parts of an address; None where its host or port cannot be read."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
