from __future__ import annotations

import pytest

from registry.errors import ConfigurationError
from registry.record.validators import FORMATS, assert_formats_known, ecma, is_iri, is_mailbox

GOOD = [
    "https://example.org",
    "https://example.org/",
    "https://www.example.ma/ar/خدمة?س=1#جزء",
    "http://مثال.example/",
    "https://example.org:8080/a/b;c=1,2/(d)?x=%C3%A9&y=/?z",
    "https://example.org/@user?a@b",
    "https://192.0.2.1/a",
    "https://ⵜⴰⵎⴰⵣⵉⵖⵜ.example/ⴰ",
    "HTTPS://EXAMPLE.ORG/A",
]
BAD = [
    "", "example.org", "/a/b", "https:/example.org", "https://exa mple.org",
    "https://example.org/a b",
    "https://example.org/<b>", 'https://example.org/"', "https://example.org/%zz",
    "https://example.org/a\n", "https://example.org/{id}",
    "https://example.org/a|b", "https://example.org/\\a", "https://example.org/a#b#c",
    "https://user@example.org/", "https://www.cndp.ma%2fsignaler@evil.example/x",
    "https://example.org%2eevil.example/", "https://example.org/\u202ex", "https://a.example/\u200b",
    "https://a.example/\u2066x\u2069",
    "https://example.org:80a/", "ht tp://example.org", "https://example.org/^", "https://exa[mple/",
]  # fmt: skip


@pytest.mark.parametrize("link", GOOD)
def test_good_links(link):
    assert is_iri(link)


@pytest.mark.parametrize("link", BAD)
def test_bad_links(link):
    assert not is_iri(link)


@pytest.mark.parametrize(
    "mailbox", ["contact@cndp.ma", "a+b@c.example", "خدمة@مثال.example", "o'neil@a.example"]
)
def test_good_mailboxes(mailbox):
    assert is_mailbox(mailbox)


@pytest.mark.parametrize(
    "mailbox",
    [
        "x?bcc=evil@evil.example", "contact@cndp.ma?subject=x&body=y.zz", "a@b.example,c@d.example",
        "algo\u202e@elpmaxe.am.vog", "contact@cndp.ma\u2066.evil.example", '"><b>@a.bc', "a@b c.de",
        "a@b.example;c@d.example", "a\u200bb@c.example", "a@\u200fb.example", "a%0ab@c.example",
    ],
)  # fmt: skip
def test_bad_mailboxes(mailbox):
    assert not is_mailbox(mailbox)


def test_an_address_of_numbers():
    assert is_iri("https://[2001:db8::1]:8443/")
    assert not is_iri("https://[2001:db8::1/")


def test_other_types_are_not_asked():
    assert is_iri(3)
    assert is_mailbox(3)


def test_a_long_hostile_link_is_refused_at_once():
    assert not is_iri("https://" + "a:" * 100_000 + "\n")
    assert not is_iri("https://example.org/" + "%" * 100_000)


def test_an_unchecked_format_stops_the_start():
    assert_formats_known({"properties": {"a": {"format": "date"}, "b": [{"format": "iri"}]}})
    with pytest.raises(ConfigurationError, match="'hostname'"):
        assert_formats_known({"items": [{"format": "hostname"}]})


@pytest.mark.parametrize(
    "day", ["2025-02-29", "2025-13-01", "20250101", "2025-01-01\n", "2025-1-1"]
)
def test_dates_are_real(day):
    assert not FORMATS.conforms(day, "date")


def test_a_dollar_means_the_very_end():
    assert ecma("^a$").search("a")
    assert not ecma("^a$").search("a\n")
    assert ecma(r"^[$]\$$").search("$$")
    assert not ecma("^(?!index$).*$").search("index")
