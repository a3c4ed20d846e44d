"""What a register says of itself at its address: its country's pack, its release, its address."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from registry import __version__
from registry.errors import ConfigurationError
from registry.exchange.remote_register import RemoteRegister
from registry.record.pack import Operator, Pack, load_pack, pack_codes


class RemoteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit renders pages and tables with.

    `pack` is that of the `country`, None where it is not here. `base_url` is the address that the
    register gives its pages, without a slash at its end.
    """

    country: str | None
    pack: Pack | None
    base_url: str
    is_this_release: bool


def read_facts(remote: RemoteRegister) -> RemoteFacts:
    """Read the catalogue and the description of a register. Raises `Unavailable`."""
    catalogue = remote.get("/api/v1/catalogue").json
    described = remote.get("/openapi.json").json
    version = described.get("info", {}).get("version") if isinstance(described, dict) else None
    address = catalogue.get("landing_page") if isinstance(catalogue, dict) else None
    country = _country(catalogue)
    return RemoteFacts(
        country=country,
        pack=_pack(country, catalogue),
        base_url=(address if isinstance(address, str) else remote.url).rstrip("/"),
        is_this_release=version == __version__,
    )


def _pack(country: str | None, catalogue: Any) -> Pack | None:
    """Return the pack of a country, with the operator that the catalogue names."""
    for code in pack_codes():
        with suppress(ConfigurationError):
            pack = load_pack(code)
            if pack.country == country:
                operator = _operator(catalogue) or pack.operator
                return msgspec.structs.replace(pack, operator=operator)
    return None


def _operator(catalogue: Any) -> Operator | None:
    """Return who keeps the register, whom the packs here need not know."""
    try:
        return msgspec.convert(catalogue["publisher"]["contact"], Operator)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None


def _country(catalogue: Any) -> str | None:
    """Return the country that a catalogue is of."""
    if isinstance(catalogue, Mapping):
        for name, value in catalogue.items():
            if name == "spatial" and isinstance(value, Mapping):
                country = value.get("identifier")
                return country if isinstance(country, str) else None
            if (found := _country(value)) is not None:
                return found
    if isinstance(catalogue, list):
        for one in catalogue:
            if (found := _country(one)) is not None:
                return found
    return None
