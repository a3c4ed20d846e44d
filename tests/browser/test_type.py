"""What a browser makes of the styles: no rule is lost, and Arabic is set as Arabic."""

from __future__ import annotations

import re

import pytest
import tinycss2

from registry import resources
from registry.pages.assets import read_assets
from tests.browser.conftest import PHONE

ASSETS = read_assets(resources.SITE)
SHEETS = {
    name: ASSETS.files[name].decode() for name in (ASSETS.stylesheet, ASSETS.feed_stylesheet)
} | {path.name: path.read_text("utf-8") for path in (resources.SITE / "console").glob("*.css")}
_OWN_MARK = re.compile(r'[\s"\'&]+')  # a nested selector is read with an ampersand
# A browser drops what it does not understand without a word, the parts of :is() and :where() even
# out of the midst of a selector.
_PARSED = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const read = (rules) => [...rules].flatMap((rule) => [
    [rule.constructor.name, rule.selectorText ?? ""],
    ...(rule.cssRules && !rule.name ? read(rule.cssRules) : []),
  ]);
  return read(sheet.cssRules);
}"""
_UNKNOWN = """declarations => declarations.filter(([name, values]) =>
  !values.some((value) => CSS.supports(name, value)))"""
_KINDS = {
    "container": "CSSContainerRule",
    "media": "CSSMediaRule",
    "supports": "CSSSupportsRule",
    "font-face": "CSSFontFaceRule",
    "page": "CSSPageRule",
    "keyframes": "CSSKeyframesRule",
}
_GROUPS = {"container", "media", "supports"}
_SET = """selector => {
  const { fontFamily, fontSize, lineHeight } = getComputedStyle(document.querySelector(selector));
  const [first] = fontFamily.split(",");
  return [first.replaceAll('"', ""), parseFloat(lineHeight) / parseFloat(fontSize)];
}"""


def plain(selector):
    return _OWN_MARK.sub("", selector)


def written(nodes):
    """The rules of a style sheet as (kind, selector), and the values of each property by rule."""
    rules, declarations = [], []
    for node in nodes:
        values: dict[str, list[str]] = {}
        if node.type == "qualified-rule":
            rules.append(["CSSStyleRule", tinycss2.serialize(node.prelude)])
        elif node.type == "at-rule":
            rules.append([_KINDS[node.lower_at_keyword], ""])
        content = tinycss2.parse_blocks_contents(
            node.content, skip_comments=True, skip_whitespace=True
        )
        for one in content:
            if one.type == "declaration" and node.type == "qualified-rule":
                values.setdefault(one.name, []).append(tinycss2.serialize(one.value).strip())
        declarations += values.items()
        is_style = node.type == "qualified-rule" or node.lower_at_keyword in _GROUPS
        inner = [one for one in content if is_style and one.type != "declaration"]
        inner_rules, inner_declarations = written(inner)
        rules += inner_rules
        declarations += inner_declarations
    return rules, declarations


def test_a_browser_loses_no_rule_of_any_style_sheet(opened, host):
    wrong = {}
    with opened() as page:
        page.goto(f"{host}/404")
        for name, css in SHEETS.items():
            rules, declarations = written(
                tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
            )
            parsed = page.evaluate(_PARSED, css)
            if len(rules) != len(parsed):
                wrong[name] = f"{len(rules)} rules, of which {len(parsed)} were parsed"
            for (kind, selector), (kept, understood) in zip(rules, parsed, strict=False):
                is_style = kind == "CSSStyleRule"
                if kind != kept or (is_style and plain(selector) != plain(understood)):
                    wrong[f"{name}: {selector}"] = understood
            if unknown := page.evaluate(_UNKNOWN, declarations):
                wrong[name] = unknown
        lost = page.evaluate(_PARSED, "a:where(:lang(ar, zgh)) { color: red }")
    assert wrong == {}
    assert plain(lost[0][1]) != plain("a:where(:lang(ar, zgh))")


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("ar", ("Register Arabic", 1.85)),
        ("zgh", ("Register Arabic", 1.85)),
        ("fr", ("system-ui", 1.6)),
        ("en", ("system-ui", 1.6)),
    ],
)
def test_each_script_has_its_font_and_its_leading(opened, host, lang, expected):
    asked = []
    with opened(viewport=PHONE, fresh=True) as page:
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        page.goto(f"{host}/{lang}/contest")
        page.wait_for_load_state("networkidle")
        font, leading = page.evaluate(_SET, "main .words p")
        assert (font, round(leading, 2)) == expected
        order = [name.split(".")[0] for name in asked if name.endswith((".css", ".woff2"))]
        arabic = {one for one in order if "arabic" in one}
        cuts = {"noto-sans-arabic-regular", "noto-sans-arabic-bold"}
        assert (order[0], arabic) == ("register", cuts if font == "Register Arabic" else set())
