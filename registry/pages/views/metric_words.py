"""Measurements as sentences: a share as so many of a hundred, a small one of a thousand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from registry.pages.labels import message

_SHARES: Mapping[str, str] = {
    "accuracy": message("Of %(of)s results, %(n)s are right."),
    "precision": message("Of %(of)s cases that it points out, %(n)s are rightly so."),
    "recall": message("Of %(of)s cases that it should find, it finds %(n)s."),
    "false_positive_rate": message("Of %(of)s cases with nothing to find, it points out %(n)s."),
    "false_negative_rate": message("Of %(of)s cases that it should find, it misses %(n)s."),
    "error_rate": message("It is wrong by %(n)s in %(of)s."),
    "override_rate": message("Of %(of)s results, people changed %(n)s."),
    "coverage": message("Of %(of)s cases, it handles %(n)s."),
    "satisfaction": message("Of %(of)s persons asked, %(n)s are satisfied."),
}
_SCORES: Mapping[str, str] = {
    "f1": message("Score of %(value)s, where 1 is perfect and 0 is useless."),
    "auc": message("Score of %(value)s, where 1 is perfect and 0.5 is no better than chance."),
    "latency_s": message("It answers in %(value)s seconds."),
}
_WHOLE = (100, 1_000, 10_000, 100_000)
_EXACT_ENOUGH = 0.05


class MetricWords(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement in words: `n` of `of`, or a `value` as it stands; an English wording."""

    text: str
    n: int | None = None
    of: int | None = None

    @property
    def is_share(self) -> bool:
        """Whether it is a part of a whole, which a bar can show."""
        return self.n is not None


def metric_words(code: str, metric: Mapping[str, Any]) -> MetricWords | None:
    """Return a measurement in words; None where only its number can be shown.

    The whole is the smallest of 100, 1,000, … in which the share is a whole number within 5 %.
    """
    value = metric.get("value")
    if not isinstance(value, int | float) or (metric.get("unit") and code != "latency_s"):
        return None
    if code in _SCORES:
        return MetricWords(text=_SCORES[code])
    if code not in _SHARES or not 0 <= value <= 1:
        return None
    of = next(
        (of for of in _WHOLE if abs(round(value * of) - value * of) <= _EXACT_ENOUGH * value * of),
        _WHOLE[-1],
    )
    return MetricWords(text=_SHARES[code], n=round(value * of), of=of)
