"""A language that nobody prepared: begun as a folder, filled, put in place, and served."""

import csv
import datetime as dt
import io
import json
import shutil
import subprocess
import sys

import pytest
from babel.messages.pofile import read_po, write_po
from click.testing import CliRunner

from registry import resources
from registry.cli.main import cli
from registry.record.pack import load_pack
from registry.text import dates, locales
from registry.text.folding import fold
from registry.text.language_words import words_by_language
from tests.conftest import make_record
from tests.served import served

TAG = "qaa"
WORDS = {
    "site/site.po": {"Search": "Ŋuɔt", "%(n)s record": ("%(n)s thɔk", "%(n)s thɔɔk")},
    "format/schema.po": {"Risk level": "Bɛɛl"},
}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A country's own folders of languages and packs; its pack has the language too."""
    shutil.copytree(resources.SCHEMAS / "packs/ma", tmp_path / "packs/ma")
    path = tmp_path / "packs/ma/pack.json"
    pack = json.loads(path.read_text("utf-8"))
    pack["languages"].append(TAG)
    pack["fallback"].append(TAG)
    pack["recommended"].append(TAG)
    pack["site_name"][TAG] = "Kuäär"
    path.write_text(json.dumps(pack), "utf-8")
    monkeypatch.setenv("REGISTRY_LANGUAGES", str(tmp_path / "languages"))
    monkeypatch.setenv("REGISTRY_PACKS", str(tmp_path / "packs"))
    forget()
    yield tmp_path
    forget()


def forget():
    """Read languages and packs again in this process."""
    for read in (load_pack, words_by_language, dates._names, dates.months_of, dates._all_locales):
        read.cache_clear()
    for read in (dates._months, locales.make_locale, locales._own_names, locales.language_name):
        read.cache_clear()


def translate(*arguments):
    told = CliRunner().invoke(cli, ["translate", *arguments], standalone_mode=False)
    return getattr(told.exception, "code", told.exception), told.output


def fill(path, words):
    catalogue = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
    for text, said in words.items():
        message = catalogue.get(text)
        assert message is not None, text
        message.string = said
    with path.open("wb") as file:
        write_po(file, catalogue)


def fill_tables(own, packs):
    """Fill in names, months, words and letters, and see what they do."""
    # As a spreadsheet saves it.
    (own / "names.csv").write_text(f"language;name\n{TAG};Thɔk\nfr;thok\n", "utf-8-sig")
    months = (own / "dates.csv").read_text("utf-8").replace("\n11,,", "\n11,Kɔr,")
    (own / "dates.csv").write_text(months, "utf-8")
    (own / "words.csv").write_text("kind,text\nrole,kuäär\nstopp,ɛ\n", "utf-8")
    forget()
    assert f"{own}/words.csv, line 3: a row is one of stop," in str(translate("check", TAG)[0])
    (own / "words.csv").write_text("kind,text\nrole,kuäär\nstop,ɛn\n", "utf-8")
    forget()
    locale = load_pack("ma", packs).locale(TAG)
    assert (locale.name, locale.babel) == ("Thɔk", f"ar_MA@{TAG}")
    assert dates.format_date("2026-11-30", locale.babel) == "30 Kɔr 2026"
    assert dates.format_date("2026-11", locale.babel) == "Kɔr 2026"
    assert dates.format_date("2026-10-30", locale.babel) == "30 أكتوبر 2026"
    assert dates.read_day("30 kɔr 2026", [locale.babel]) == dt.date(2026, 11, 30)
    assert locales.language_name(TAG, "fr_MA") == "thok"
    (own / "folding.csv").write_text("letter,folded,sorted\nɣ,gx,g~\n", "utf-8")
    folded = "from registry.text.folding import fold; print(fold('Ɣɔŋ'))"
    done = subprocess.run(
        [sys.executable, "-c", folded], capture_output=True, text=True, check=True
    )
    assert done.stdout == "gxong\n"


def test_a_language_is_begun_filled_checked_and_served(folders):
    own = folders / "languages" / TAG
    ending, told = translate("begin", TAG)
    assert ending is None
    assert str(own / "labels.csv") in told.splitlines()
    assert "is there already" in str(translate("begin", TAG)[0])
    assert translate("check", TAG)[0] is None

    for file, words in WORDS.items():
        fill(own / file, words)
    rows = list(csv.DictReader((own / "labels.csv").read_text("utf-8").splitlines()))
    [high] = [row for row in rows if (row["list"], row["code"]) == ("risk_level", "high")]
    assert high["english"] == "High risk"
    high["label"] = "Rɛɛk"
    with (own / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(high))
        writer.writeheader()
        writer.writerows(rows)
    fill_tables(own, folders / "packs")
    (own / "texts").mkdir()
    (own / "texts/about.md").write_text("# Kɛ\n\nƐn duel.\n", "utf-8")

    ending, told = translate("check", TAG)
    assert ending == 1
    assert "about.md: the parts" in told
    parts = (resources.LANGUAGES / "en/texts/about.md").read_text("utf-8")
    (own / "texts/about.md").write_text(f"# Kɛ{parts.removeprefix('# About')}", "utf-8")
    ending, told = translate("check", TAG)
    assert ending is None
    assert "gap: texts/faq.md: the whole page" in told
    assert "texts/about.md" not in told

    with served(packs=folders / "packs", languages=folders / "languages") as running:
        page = running.client.get(f"/{TAG}/search", params={"q": "x", "risk": "high"})
        assert page.status_code == 200
        assert "Ŋuɔt" in page.text
        assert "Rɛɛk" in page.text
        assert ">Thɔk<" in page.text
        assert f'data-locales="ar-MA-u-nu-latn {TAG}-MA-u-nu-latn' in page.text
        draft = make_record()
        for word, warned in (("Kuäär", set()), ("Deng", {"R19", "R20"})):
            draft["organisation"] = {"accountable_role": {"fr": f"{word} Piw"}}
            draft["contact"]["email"] = f"piw.{fold(word)}@demo-sante.example"
            found = running.client.post("/api/v1/validate", json=draft).json()["findings"]
            assert {one["rule"] for one in found} & {"R19", "R20"} == warned
        [level] = [
            one
            for one in running.client.get("/api/v1/codelists/risk_level").json()["items"]
            if one["code"] == "high"
        ]
        assert level["label"] | {"en": "High risk", TAG: "Rɛɛk"} == level["label"]


def test_a_row_of_letters_or_of_a_unit_that_lacks_something_ends_nothing(folders):
    own = folders / "languages/ar"
    own.mkdir(parents=True)
    (own / "dates.csv").write_text("name,one,two,several,others\nY,حول,,,\n", "utf-8")
    forget()
    assert [dates.duration_words(f"P{n}Y", "ar") for n in (3, 11)] == ["3 حول", "11 حول"]
    for letter in ("", "ts"):
        table = own / "folding.csv"
        table.write_text(f"letter,folded,sorted\nɣ,gx,g~\n{letter},x,\n", "utf-8")
        command = [sys.executable, "-m", "registry", "translate", "check", "ar"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told = f"registry: {table}, line 3: the letter is one character, and not {letter!r}\n"
        assert (done.returncode, done.stderr) == (2, told)


def test_broken_values_and_mark_up_are_named_with_their_line(folders):
    own = folders / "languages" / TAG
    translate("begin", TAG)
    fill(
        own / "site/site.po",
        {
            "Search": "<b>Ŋuɔt</b>",
            "%(n)s record": ("%(m)s thɔk", "%(n)s thɔɔk"),
        },
    )
    ending, told = translate("check", TAG)
    assert ending == 1
    faults = [line for line in told.splitlines() if line.startswith(str(own / "site/site.po:"))]
    assert len(faults) == 2
    assert any("has mark-up" in line for line in faults)
    assert any("has the values %(m)s, and needs %(n)s" in line for line in faults)
