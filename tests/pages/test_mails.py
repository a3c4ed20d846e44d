"""Mails of a country that another person than ours wrote the pack of, in its languages."""

from __future__ import annotations

import datetime as dt
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from registry.pages import notices
from registry.pages.notices import WORDS, link_mail, notice_mail
from registry.record.pack import load_pack
from registry.store.mail_requests import MailKind
from registry.store.notices import MemberNotice
from registry.text.catalogues import SOURCE, load_catalogues
from tests import drawn

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
BASE = "https://register.example"
OWN = "Ñiŋ: "


def wordings():
    """Every wording of a mail, as the pages have them."""
    found = [text for words in WORDS.values() for text in (words.title, words.sentence)]
    found += [text for texts in notices._LINK_MAILS.values() for text in texts]
    return [
        *found,
        "You get this message because you work in the register. All your notices:",
        "New in the register for you: %(number)s",
    ]


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """The pack, and the catalogues of its languages: one has each wording, after a mark."""
    folder = tmp_path_factory.mktemp("country")
    drawn.write_country(folder / "packs")
    catalogue = Catalog(locale=SOURCE)
    for text in wordings():
        catalogue.add(text, OWN + text)
    own = folder / "languages" / drawn.TAG / "site"
    own.mkdir(parents=True)
    with (own / "mails.po").open("wb") as file:
        write_po(file, catalogue)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGISTRY_LANGUAGES", str(folder / "languages"))
        pack = load_pack(drawn.CODE, folder / "packs")
        yield pack, load_catalogues("site", [tag for tag in pack.languages if tag != SOURCE])


def notice(kind):
    about = {"review_due": "2026-12-24", "published": "2"}.get(kind, "7")
    subject = "demo-crops" if kind.startswith("act") else "demo-crops/seeds"
    return MemberNotice(
        id=1, kind=kind, subject=subject, about=about, number=3, made_at=NOW, read_at=None
    )


def mails(pack, catalogues, language):
    """Every mail in a language: of each notice, of all of them, and with each link."""
    told = [notice(kind) for kind in WORDS]
    for some in (*([one] for one in told), told):
        yield notice_mail(some, language, pack, catalogues, BASE)
    for kind in get_args(MailKind):
        yield link_mail(
            kind,
            language,
            secret="s3cret",
            member="A. Member",
            pack=pack,
            catalogues=catalogues,
            base_url=BASE,
        )


@pytest.mark.parametrize("language", ["en", drawn.TAG])
def test_no_mail_has_a_word_of_another_country(country, language):
    pack, catalogues = country
    others = drawn.words_of_others(pack)
    assert others.search("Dakar, MAD")
    sent = list(mails(pack, catalogues, language))
    assert len(sent) == len(WORDS) + 1 + len(get_args(MailKind))
    for subject, text in sent:
        assert others.findall(f"{subject}\n{text}") == []
        assert f"\n-- \n{pack.site_name['en']}\n" in text
        assert f"{BASE}/office/{language}/" in text


def test_a_language_of_the_country_has_every_word_of_its_mails(country):
    pack, catalogues = country
    for subject, text in mails(pack, catalogues, drawn.TAG):
        assert subject.startswith(OWN)
        for line in filter(None, text.splitlines()):
            assert line.startswith((OWN, BASE, "-- ", pack.site_name["en"])), line
