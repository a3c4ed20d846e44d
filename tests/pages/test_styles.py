from __future__ import annotations

import colorsys
import re

import pytest
import tinycss2

from registry import resources
from registry.pages.assets import read_assets

CSS = {
    path.name: path.read_text("utf-8")
    for folder in ("styles", "feeds")
    for path in resources.SITE.glob(f"{folder}/*.css")
}
TOKENS = re.sub(r"/\*.*?\*/", "", CSS["10-tokens.css"], flags=re.DOTALL)
PHYSICAL = re.compile(
    r"(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)(?:-.*)?"
    r"|border-(?:top|bottom)-(?:left|right)-radius|left|right|top|bottom"
    r"|(?:min-|max-)?(?:width|height)|overflow-[xy]|float|clear"
)
SIDES = {"left", "right", "top", "bottom"}
ALLOWED = {
    # There is no logical name for it in every browser, and either side scrolls alike.
    "overflow-x",
}
FOUR_SIDES = re.compile(r"margin|padding|inset|border-(?:width|style|color|radius)")


def walk(nodes):
    """Every declaration of a parsed style sheet, however deep, as (name, tokens)."""
    for node in nodes:
        assert node.type != "error", node.message
        if node.type == "declaration":
            yield node.lower_name, [token for token in node.value if token.type != "whitespace"]
        elif node.type in {"qualified-rule", "at-rule"} and node.content is not None:
            yield from walk(
                tinycss2.parse_blocks_contents(
                    node.content, skip_comments=True, skip_whitespace=True
                )
            )


def declarations(css):
    return list(walk(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)))


def rules(css):
    """The declarations of a style sheet, without comments and the conditions of media queries."""
    return re.sub(r"@media[^{]*", "@media", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


@pytest.mark.parametrize("name", CSS)
def test_only_logical_properties(name):
    found = declarations(CSS[name])
    assert found
    for prop, tokens in found:
        assert prop in ALLOWED or PHYSICAL.fullmatch(prop) is None, prop
        words = {token.lower_value for token in tokens if token.type == "ident"}
        assert prop.startswith("--") or not words & SIDES, prop
        if FOUR_SIDES.fullmatch(prop) and len(tokens) == 4:
            # Four values begin at the top and go clockwise: the two at the sides must be alike.
            assert tokens[1].serialize() == tokens[3].serialize(), prop


@pytest.mark.parametrize(
    "css",
    ["a { margin-left: 1px }", "a { @media print { text-align: right } }", "a { width: 2px }"],
)
def test_the_proof_sees_what_is_physical(css):
    (prop, tokens), *_ = declarations(css)
    words = {token.lower_value for token in tokens if token.type == "ident"}
    assert PHYSICAL.fullmatch(prop) or words & SIDES


def test_the_style_sheet_stays_small():
    assert sum(css.count("\n") for css in CSS.values()) <= 1_550


def test_what_is_about_a_script_goes_by_the_script_of_each_language(tmp_path, monkeypatch):
    for tag in ("ff-Adlm", "shi", "wo"):
        (tmp_path / tag).mkdir()
    monkeypatch.setenv("REGISTRY_LANGUAGES", str(tmp_path))
    assets = read_assets(resources.SITE)
    css, feed = (
        assets.files[name].decode() for name in (assets.stylesheet, assets.feed_stylesheet)
    )
    assert "feed:is(:lang(ar), :lang(ff-Adlm)) { direction: rtl; }" in feed
    others = ":is(:lang(ar), :lang(ff-Adlm), :lang(shi), :lang(zgh))"
    for rule in (f":where({others}[lang]) {{", f"em{others} {{"):
        assert rule in css
    assert "nav.languages :is(:lang(shi), :lang(zgh))[lang] {" in css
    assert ":--" not in css + feed
    # None of the sources names a language.
    scripts = [path.read_text("utf-8") for path in resources.SITE.glob("*/*.js")]
    for text in (*CSS.values(), *scripts):
        assert not re.search(r""":lang\((?!\)| is)|["'](?:ar|zgh)["']""", text)


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
    ("good-ink", "good"),
]


@pytest.mark.parametrize(("ink", "ground"), PAIRS)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours, ink, ground):
    assert contrast(colours[ink], colours[ground]) >= 6.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_focus_ring_stands_out(colours):
    assert contrast(colours["focus"], colours["paper"]) >= 3


def hue(colour):
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 360 * colorsys.rgb_to_hls(red, green, blue)[0]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("level", "other"), [("limited", "focus"), ("limited", "caution-line"), ("minimal", "brand")]
)
def test_the_colour_of_a_level_is_that_of_nothing_else(colours, level, other):
    for name in (f"risk-{level}-ink", f"part-{level}"):
        apart = abs(hue(colours[name]) - hue(colours[other])) % 360
        assert min(apart, 360 - apart) >= 12, name
    assert contrast(colours[f"part-{level}"], colours["card"]) >= 3


def test_both_schemes_have_the_same_tokens():
    assert LIGHT.keys() == DARK.keys()


def test_fonts_are_small_and_have_their_licence():
    fonts = list(resources.SITE.glob("fonts/*.woff2"))
    assert len(fonts) == 5
    for font in fonts:
        assert font.stat().st_size < 80_000, font.name
    assert "SIL OPEN FONT LICENSE" in (resources.SITE / "fonts" / "OFL.txt").read_text("utf-8")
