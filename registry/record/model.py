"""Types that every room shares: document, profile, text by language, statuses."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

Document: TypeAlias = dict[str, Any]
"""What an agency files: a JSON object of the record format."""

LangText: TypeAlias = dict[str, str]
"""Text by BCP 47 language tag."""

Profile: TypeAlias = Literal["draft", "publication", "foreign"]
"""The profile of the record format by which a document is read."""

RiskChange: TypeAlias = Literal["raised", "lowered"]
"""The effect of a version on the risk level of its record."""

RISK_CHANGES: tuple[RiskChange, ...] = get_args(RiskChange)

SourceState: TypeAlias = Literal["present", "gone"]
"""Whether a foreign record is still in the register that it comes from."""

SOURCE_STATES: tuple[SourceState, ...] = get_args(SourceState)

NOT_STATED = "not_stated"
"""The code in search and facets for a record that states none."""


RUNNING = ("in_use", "pilot")
COMING = ("planned", "in_development")
ENDED = ("suspended", "retired")
