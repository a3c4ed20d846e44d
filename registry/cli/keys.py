"""Verifier keys as options of commands."""

from __future__ import annotations

from typing import Any

import rich_click as click

from registry.tlog.keys import Verifier, parse_verifier


class _Key(click.ParamType[Verifier]):
    name = "key"

    def convert(self, value: Any, param: Any, ctx: Any) -> Verifier:
        try:
            return value if isinstance(value, Verifier) else parse_verifier(str(value))
        except ValueError as error:
            self.fail(f"this is no verifier key: {error}", param, ctx)


KEY = _Key()

verifier_option = click.option(
    "--key", type=KEY, help="The log's verifier key, known from elsewhere: name+id+base64."
)
