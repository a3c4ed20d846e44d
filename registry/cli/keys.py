"""The parameter type of a verifier key, and the option `--key`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from registry.tlog.keys import Verifier


class _Key(click.ParamType["Verifier"]):
    name = "key"

    def convert(self, value: Any, param: Any, ctx: Any) -> Verifier:
        from registry.tlog.keys import Verifier, parse_verifier

        try:
            return value if isinstance(value, Verifier) else parse_verifier(str(value))
        except ValueError as error:
            self.fail(f"this is no verifier key: {error}", param, ctx)


KEY = _Key()

verifier_option = click.option(
    "--key", type=KEY, help="The log's verifier key, known from elsewhere: name+id+base64."
)
