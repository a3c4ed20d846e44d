"""Templates made ready for one reader write what Jinja's own would."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from jinja2.compiler import CodeGenerator
from markupsafe import Markup

from registry.pages.compiling import Compiling
from registry.pages.editions import compile_templates
from registry.pages.ground import ground_of
from registry.pages.switch import compiled_folder
from tests.built import build

from .conftest import SETTINGS, files

BASE = """<a href="{{ url("x") }}">{{ _("Hello") }}</a>
<title>{% block title %}nothing{% endblock %}</title><meta content="{{ self.title() }}">
{% for path, words in [("a", _("A & b")), ("b", _("B"))] %}
<li{% if here == path %} aria-current="page"{% endif %}>{{ words }}</li>
{% endfor %}
{% for one in shared.names %}{{ loop.index }}{{ one }}{% endfor %}
{% block main %}{% endblock %}
"""
PAGE = """{% extends "base.html" %}
{% block title %}{{ name }}{% endblock %}
{% block main %}
{% include "part.html" %}{{ part is defined }}
{{ _("%(who)s says %(what)s", who=name, what=_("Hello")) }}
<b data-at="{{ url("records/" ~ d.id ~ "/" ~ name) }}"></b>
{% if lang == "fr" %}French{% elif d.a %}{{ d.a.b }}{% else %}none{% endif %}
{{ "lang" in d and lang or "-" }}{{ date(d.day) if d.day }}{{ d["items"] }}
{% for number in d.list if number > 1 %}
{{ number }}{% if not loop.last %}, {% endif %}{% else %}0{% endfor %}
{{ said(name) }}{{ said("x", times=2) }}{{ said(Markup("<i>")) }}
{% call wrapped(name) %}{{ d.id }}{% endcall %}
{% endblock %}
"""
FILES = {
    "base.html": BASE,
    "page.html": PAGE,
    "part.html": "{% set part = name ~ d.id %}[{{ part }}]",
    "macros.html": (
        "{% macro said(text, times=1) %}{% if text %}<q>{{ twice(text) * times }}</q>{% endif %}"
        "{% endmacro %}{% macro twice(text) %}{{ text }}{{ text }}{% endmacro %}"
        "{% macro wrapped(text) %}<p>{{ text }}: {{ caller() }}</p>{% endmacro %}"
    ),
}


def shared(lang):
    def translate(message, /, **values):
        text = Markup("<i>{}</i>").format(message)
        return text % values if values else text

    return {
        "lang": lang,
        "_": translate,
        "url": lambda path: f"/{lang}/{path}?a&b",
        "date": lambda day: Markup("<time>{}</time>").format(day),
        "shared": {"names": ["<", "b"]},
        "Markup": Markup,
    }


def rendered(environment, learn, known, **view):
    learn(known)
    module = environment.get_template("macros.html").module
    learn({name: getattr(module, name) for name in ("said", "twice", "wrapped")})
    return environment.get_template("page.html").render(**view)


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(
    "document",
    [
        {"id": "a/<b>", "a": {"b": 'x"y'}, "list": [1, 2, 3], "day": "1 & 2", "items": "<li>"},
        {"id": "a", "a": None, "list": [], "day": None, "items": Markup("<li>"), "lang": 1},
    ],
)
def test_what_is_known_beforehand_changes_no_byte(lang, document):
    view = {"d": document, "name": "N & n", "here": "b"}
    options = {"loader": DictLoader(FILES), "autoescape": True, "undefined": StrictUndefined}
    options |= {"trim_blocks": True, "lstrip_blocks": True}
    plain, ready = Environment(**options), Compiling(**options)  # noqa: S701  it is on
    expected = rendered(plain, plain.globals.update, shared(lang), **view)
    assert rendered(ready, ready.learn, shared(lang), **view) == expected
    assert 'aria-current="page"><i>B</i></li>' in expected


def test_what_is_not_there_is_still_an_error():
    environment = Compiling(
        loader=DictLoader({"page.html": "{{ d.a.b }}"}), undefined=StrictUndefined, autoescape=True
    )
    template = environment.get_template("page.html")
    for view in ({}, {"d": {}}, {"d": {"a": object()}}):
        with pytest.raises((UndefinedError, KeyError, AttributeError)):
            template.render(**view)


def test_the_whole_site_is_as_jinja_alone_would_write_it(corpus, site, tmp_path, monkeypatch):
    monkeypatch.setattr(Compiling, "_generate", Environment._generate)
    monkeypatch.setattr("registry.pages.compiling.CodeWriter", CodeGenerator)
    build(corpus, out=tmp_path / "site", settings=SETTINGS)
    assert files(tmp_path / "site") == files(site)


def test_what_is_compiled_beforehand_is_all_that_pages_are_made_of(corpus, tmp_path):
    kept = compiled_folder(tmp_path / "site")
    ground = ground_of(corpus.pack, SETTINGS.base_url, corpus.origins)
    compile_templates(corpus.pack, SETTINGS.base_url, ground, kept, processes=2)
    before = {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}
    build(corpus, out=tmp_path / "site", settings=SETTINGS)
    assert before == {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}
