"""The environment of templates: strict, escaping, and quick where all pages say the same."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from registry import resources
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions

from .conftest import PACK


@pytest.fixture(scope="module")
def french():
    return open_editions(PACK, read_assets(resources.SITE), "https://r.example", bytecode=None)[
        "fr"
    ].templates


def test_what_is_not_there_is_an_error(french):
    template = french.from_string("{{ d.a.b }}")
    for view in ({}, {"d": {}}, {"d": {"a": object()}}):
        with pytest.raises(UndefinedError):
            template.render(view)


def test_a_constant_wording_is_translated_when_a_template_is_compiled(french):
    source = '{{ _("Search") }}{{ _("Version %(version)s", version=n) }}{{ plain("Sections") ~ n }}'
    code = french.compile(source, raw=True)
    assert "Rechercher" in code
    assert "'Search'" not in code
    assert (
        french.from_string(source).render(n="<4>")
        == "RechercherVersion &lt;4&gt;Rubriques&lt;4&gt;"
    )


def test_a_member_of_a_dictionary_comes_before_its_method(french):
    template = french.from_string("{{ d.items }}{{ d.copy() }}{{ bdi(d.text) }}")
    view = {"d": {"items": "<li>", "text": Markup("<b>")}}
    copied = "{&#39;items&#39;: &#39;&lt;li&gt;&#39;, &#39;text&#39;: Markup(&#39;&lt;b&gt;&#39;)}"
    assert template.render(view) == f"&lt;li&gt;{copied}<bdi><b></bdi>"


def test_a_link_in_other_letters_than_it_seems_says_so(french):
    template = french.from_string("{{ link(href, words) }}|{{ email(mailbox) }}")
    told = template.render(href="http://аррӏе.com/x", words="Guide", mailbox="a@аррӏе.com")
    mark = ' <bdi dir="ltr" class="address">(xn--80ak6aa92e.com)</bdi>'
    assert told.count(mark) == 2
    assert f">Guide</a>{mark}|" in told
    told = template.render(href="https://www.cndp.ma/x", words="Guide", mailbox="a@cndp.ma")
    assert "(" not in told
