"""What a register says of itself at its address: its country's pack, its release, its address."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from registry import __version__
from registry.errors import ConfigurationError
from registry.exchange.remote_answers import RemoteCatalogue, RemoteDescription
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
    catalogue = remote.get("/api/v1/catalogue").read(RemoteCatalogue) or RemoteCatalogue()
    described = remote.get("/openapi.json").read(RemoteDescription)
    places = (one.spatial.identifier for one in catalogue.datasets if one.spatial is not None)
    country = next(places, None)
    return RemoteFacts(
        country=country,
        pack=_pack(country, catalogue),
        base_url=(catalogue.landing_page or remote.url).rstrip("/"),
        is_this_release=described is not None and described.info.version == __version__,
    )


def _pack(country: str | None, catalogue: RemoteCatalogue) -> Pack | None:
    """Return the pack of a country, with the operator that the catalogue names, if it can be."""
    for code in pack_codes():
        with suppress(ConfigurationError):
            pack = load_pack(code)
            if pack.country == country:
                with suppress(msgspec.ValidationError):
                    # The packs here need not know who keeps the register.
                    operator = msgspec.convert(catalogue.publisher.contact, Operator)
                    return msgspec.structs.replace(pack, operator=operator)
                return pack
    return None
