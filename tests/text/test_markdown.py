from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.text import markdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("*a* **b**", "<p><em>a</em> <strong>b</strong></p>\n"),
        (
            "[here](https://a.example/x)",
            '<p><a href="https://a.example/x" rel="nofollow ugc">here</a></p>\n',
        ),
        ("# not a heading", "<p># not a heading</p>\n"),
        ("![x](https://a.example/x.png)", None),
    ],
)
def test_the_subset(text, expected):
    html = markdown.render(text)
    if expected is None:
        assert "<img" not in html
    else:
        assert expected == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "[x](http://plain.example)",
        "[x](//host.example)",
        "[x](/api/v1/records)",
        "<https://auto.example>",
        "[x]: javascript:alert(1)\n\n[x]",
        "- <svg onload=alert(1)>\n- *<b>*",
    ],
)
def test_nothing_active_passes(text):
    html = markdown.render(text)
    for mark in ("<script", "<img", "<svg", "<b>", "href="):
        assert mark not in html


@given(st.text(alphabet="ab *_[]()<>&\"'\\-+1.)\n#`!:/éس", max_size=60))
def test_the_shortcut_gives_what_the_parser_gives(text):
    assert markdown._SUBSET.render(text) == markdown.render(text)


def test_pages_have_headings_with_anchors():
    assert markdown.render_page("## Title {#here}") == '<h2 id="here">Title</h2>\n'
    assert "<b>" not in markdown.render_page("<b>x</b>")


def test_a_link_without_an_address_is_no_link():
    assert markdown.render("[a]() [b](https://x.example) [c]()") == (
        '<p>a <a href="https://x.example" rel="nofollow ugc">b</a> c</p>\n'
    )
