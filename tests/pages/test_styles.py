from __future__ import annotations

import re

import pytest

from registry import resources

CSS = {path.name: path.read_text("utf-8") for path in resources.SITE.glob("styles/*.css")}
TOKENS = re.sub(r"/\*.*?\*/", "", CSS["10-tokens.css"], flags=re.DOTALL)
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-"
    r"(?:left|right|top|bottom)[\w-]*|left|right|top|bottom|width|height|min-width|max-width|"
    r"min-height|max-height|border-(?:top|bottom)-(?:left|right)-radius|overflow-[xy]?)\s*:"
)


def rules(css):
    """The declarations of a style sheet, without comments and the conditions of media queries."""
    return re.sub(r"@media[^{]*", "@media", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


@pytest.mark.parametrize("name", CSS)
def test_only_logical_properties(name):
    found = [
        match
        for match in PHYSICAL.findall(rules(CSS[name]))
        # There is no logical name for it in every browser, and either side scrolls alike.
        if not match.startswith("overflow")
    ]
    assert not found
    assert not re.search(r"(?:text-align|float|clear)\s*:\s*(?:left|right)", CSS[name])


def test_no_letter_spacing_anywhere():
    assert "letter-spacing" not in "".join(CSS.values())


def test_colours_stand_in_one_place():
    for name, css in CSS.items():
        if name not in {"10-tokens.css", "90-print.css"}:
            assert not re.findall(r"#[0-9a-f]{3,8}\b", rules(css), flags=re.IGNORECASE), name


def scheme(block):
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6});", block))


LIGHT = scheme(TOKENS.split("@media")[0])
DARK = scheme(TOKENS.split("@media")[1])


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *(
        (ink, ground)
        for ink in ("ink", "muted", "brand", "brand-deep")
        for ground in ("paper", "card")
    ),
    ("on-brand", "brand"),
    ("caution-ink", "caution"),
    *(
        (f"risk-{level}-ink", f"risk-{level}")
        for level in ("minimal", "limited", "high", "unacceptable", "not_stated")
    ),
    ("risk-high-ink", "card"),
]


@pytest.mark.parametrize(("ink", "ground"), PAIRS)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours, ink, ground):
    assert contrast(colours[ink], colours[ground]) >= 6.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_focus_ring_stands_out(colours):
    assert contrast(colours["focus"], colours["paper"]) >= 3


def test_both_schemes_have_the_same_tokens():
    assert LIGHT.keys() == DARK.keys()


def test_fonts_are_small_and_have_their_licence():
    fonts = list(resources.SITE.glob("fonts/*.woff2"))
    assert len(fonts) == 3
    for font in fonts:
        assert font.stat().st_size < 80_000, font.name
    assert "SIL OPEN FONT LICENSE" in (resources.SITE / "fonts" / "OFL.txt").read_text("utf-8")
