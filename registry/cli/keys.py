"""The options by which logs are verified: the log's key, and the policy of witnesses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from registry.cli.parameter_types import WholeNumber
from registry.tlog.keys import Verifier, parse_verifier
from registry.tlog.policy import Policy, parse_policy, quorum_of

F = TypeVar("F", bound="Callable[..., Any]")


class _Key(click.ParamType["Verifier"]):
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


class _PolicyFile(click.ParamType["Policy"]):
    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Policy:
        if isinstance(value, Policy):
            return value
        try:
            return parse_policy(Path(value).read_bytes().decode())
        except OSError as error:
            self.fail(f"{value} cannot be read: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{value} is no policy: {error}", param, ctx)


POLICY = _PolicyFile()


def policy_options(body: F) -> F:
    """Add `--policy`, and `--witness` with `--quorum`; the command gets one `policy`."""

    @wraps(body)
    def command(
        *args: Any,
        policy: Policy | None,
        witnesses: tuple[Verifier, ...],
        quorum: int,
        **given: Any,
    ) -> Any:
        if policy is not None and (witnesses or quorum):
            raise click.UsageError("--policy has the witnesses and the quorum: give no others")
        return body(*args, policy=policy or quorum_of(witnesses, quorum), **given)

    options = [
        click.option(
            "--policy",
            type=POLICY,
            metavar="FILE",
            help="Which witnesses must have cosigned: a c2sp.org/tlog-policy.",
        ),
        click.option(
            "--witness", "witnesses", type=KEY, multiple=True, help="A witness's verifier key."
        ),
        click.option(
            "--quorum",
            type=WholeNumber(0),
            default=0,
            help="How many witnesses must have cosigned.",
        ),
    ]
    decorated: Any = command
    for option in reversed(options):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
