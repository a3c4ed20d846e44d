"""How much a phone fetches for a page of a record: its text and its styles, compressed."""

from __future__ import annotations

import gzip

MOST = 30 * 1024


def test_every_page_of_a_record_is_light(site):
    styles = sum(len(gzip.compress(path.read_bytes())) for path in site.glob("assets/*.css"))
    weights = {
        path.relative_to(site).as_posix(): styles + len(gzip.compress(path.read_bytes()))
        for path in (*site.glob("*/records/*/*.html"), *site.glob("*/records/*/*/versions/*.html"))
    }
    assert len(weights) > 100
    assert {name: weight for name, weight in weights.items() if weight > MOST} == {}
