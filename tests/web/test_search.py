"""The finder without a script: the server answers as the API does, in the page."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from registry.errors import Unavailable
from registry.search.engine import SearchIndex
from registry.web.search import PAGE
from tests.pages.test_html import text_of
from tests.web.conftest import ORIGIN, opened, parse


@pytest.fixture
def client(reader):
    return reader


def by_id(page, id_):
    return page.find(f".//*[@id='{id_}']")


def said(page, id_):
    return text_of(by_id(page, id_))


def is_shown(page, id_):
    return by_id(page, id_).get("hidden") is None


def hits(page, tag="fr"):
    links = by_id(page, "hits").findall("li/h3/a")
    return [link.get("href").removeprefix(f"/{tag}/records/") for link in links]


def links(page, id_):
    return [link.get("href") for link in by_id(page, id_).iter("a")]


async def ask(client, query, tag="fr"):
    answer = await client.get(f"/{tag}/search?{query}")
    assert answer.status_code == 200, answer.text[:2000]
    return parse(answer)


async def found(client, query):
    answer = await client.get(f"/api/v1/records?{query}&limit=100")
    assert answer.status_code == 200
    return answer.json()


async def test_what_is_asked_of_facts_is_said_in_words_and_kept_in_the_form(client):
    asked = "evaluation.incidents.severity=serious&lifecycle.deployed_on.from=2024&origin=local"
    page = await ask(client, asked)
    answer = await found(client, f"{asked}&reader=fr")
    assert hits(page) == [item["id"] for item in answer["items"]] != []
    chips = said(page, "chips")
    assert "Incidents · Gravité : Grave" in chips
    assert "≥ 2024" in chips
    arabic = await ask(client, "data.hosting.country=MA&decision.legal_effect=true", "ar")
    assert "البلد: المغرب" in said(arabic, "chips")
    twice = await ask(client, "risk.level=high&rights.contestation.available=yes&changed_on=2026")
    assert "2026" in said(twice, "chips")
    for query in ("data.hosting.country=Maroc", "procedure=x", "risk=high,limited"):
        refused = await client.get(f"/fr/search?{query}")
        assert refused.status_code == 400
    feed = (await client.get(f"/feeds/fr/search.json?{asked}")).json()
    assert "Gravité" in feed["title"]
    assert len(feed["items"]) == answer["total"]


async def test_a_question_is_answered_as_by_the_api(client):
    page = await ask(client, "q=radiographies")
    answer = await found(client, "q=radiographies&origin=local&reader=fr")
    assert hits(page) == [item["id"] for item in answer["items"]]
    assert said(page, "found") == f"{answer['total']} fiche trouvée"
    assert by_id(page, "q").get("value") == "radiographies"
    assert text_of(page.find(".//title")).startswith("radiographies – ")
    assert "radiographies" in [text_of(mark).lower() for mark in by_id(page, "hits").iter("mark")]
    assert is_shown(page, "results")
    assert not is_shown(page, "fault")
    assert not is_shown(page, "nothing")
    assert page.find(".//meta[@name='robots']").get("content") == "noindex"
    # A script may take over, as on the page of the site.
    assert page.find(".//script[@type='module']") is not None
    assert by_id(page, "told").get("role") == "status"


async def test_records_filed_here_come_first_and_others_are_a_link(client):
    page = await ask(client, "q=radiographies&sort=newest")
    assert all(not one.startswith("us.demo/") for one in hits(page))
    assert said(page, "elsewhere").startswith("1 fiche dans d’autres registres")
    (there,) = links(page, "elsewhere")
    assert parse_qsl(urlsplit(there).query) == [
        ("q", "radiographies"),
        ("sort", "newest"),
        ("origin", ORIGIN),
    ]
    others = await ask(client, urlsplit(there).query)
    assert hits(others) == ["us.demo/radio"]
    assert "fiche déposée dans ce registre" in said(others, "elsewhere")
    assert "Department of <Letters>" in said(others, "hits")


async def test_other_registers_stand_in_where_nothing_is_filed_here(client):
    page = await ask(client, "q=zebra+incoming")
    assert set(hits(page)) == {"us.demo/mail", "us.demo/radio"}
    assert said(page, "elsewhere").startswith("Aucune n’a été déposée ici")
    assert said(page, "found") == "0 fiche déposée ici · 2 fiches dans d’autres registres"
    assert said(page, "mended") == ""


async def test_a_word_that_only_others_have_is_not_mended_into_one_of_ours(client):
    page = await ask(client, "q=radiographees")
    assert hits(page) == ["us.demo/words"]
    assert said(page, "mended") == ""
    answer = await found(client, "q=radiographees&origin=local")
    assert (answer["total"], answer["mended"], answer["suggestion"]) == (0, None, None)


async def test_what_is_no_longer_at_its_source_is_a_filter(client):
    page = await ask(client, "q=kangaroos&source_state=gone")
    assert hits(page) == []
    assert is_shown(page, "nothing")
    page = await ask(client, "q=kangaroos&source_state=present")
    assert hits(page)


async def test_pages_of_other_registers_are_their_own_question(client):
    query, seen = "q=kangaroos", []
    while query:
        page = await ask(client, query)
        seen += hits(page)
        following = [one for one in by_id(page, "pages").iter("a") if one.get("rel") == "next"]
        query = urlsplit(following[0].get("href")).query if following else ""
        assert not query or dict(parse_qsl(query))["origin"] == ORIGIN
    assert len(seen) == len(set(seen)) > PAGE


async def test_what_came_from_a_record_is_text(client):
    page = await ask(client, "q=zebra+incoming")
    summary = by_id(page, "hits").find("li/p[2]")
    assert "<b>incoming</b>" in text_of(summary)
    assert [text_of(mark) for mark in summary.iter("mark")] == ["incoming"]
    assert (summary.get("lang"), summary.get("dir")) == ("en", "ltr")
    page = await ask(client, "q=%3Cscript%3E%22&supplier=%22%3E%3Ci%3E")
    assert by_id(page, "q").get("value") == '<script>"'
    assert '"><i>' in said(page, "chips")


async def test_what_has_most_of_the_words_is_a_group_with_what_is_missing(client):
    page = await ask(client, "q=radiographies+maternité+rurale")
    assert (hits(page), said(page, "mended")) == ([], "")
    assert said(page, "found") == "0 fiche trouvée"
    assert is_shown(page, "partial")
    assert not is_shown(page, "nothing")
    assert said(page, "partly") == (
        "Trouvé avec radiographies. Laissé de côté : maternité, rurale."
    )
    assert "Tri des radiographies" in said(page, "parts")
    (fewer,) = links(page, "partly")
    assert parse_qs(urlsplit(fewer).query) == {"q": ["radiographies"]}
    assert not is_shown(await ask(client, "q=radiographies"), "partial")


async def test_nothing_is_said_to_be_shown_that_is_not(client):
    page = await ask(client, "q=daribat+dakhl")
    assert hits(page) == []
    assert is_shown(page, "nothing")
    assert said(page, "mended") == (
        "Aucune fiche ne contient daribat dakhl. "
        "Lus comme ضريبة دخل, ces mots désignent ce qui suit."
    )
    assert "Direction générale des impôts" in said(page, "named")


async def test_a_word_that_nothing_has_is_mended_and_what_may_be_meant_is_offered(client):
    page = await ask(client, "q=radiografies")
    assert said(page, "mended").startswith("Rien ne contient radiografies.")
    (instead,) = links(page, "mended")
    assert parse_qs(urlsplit(instead).query) == {"q": ["radiographies"]}
    page = await ask(client, "q=radiografies&risk=minimal")
    assert (hits(page), said(page, "mended")) == ([], "")
    assert said(page, "suggestion") == "Vouliez-vous dire radiographies ?"
    (offered,) = links(page, "suggestion")
    assert parse_qs(urlsplit(offered).query) == {"q": ["radiographies"], "risk": ["minimal"]}
    assert is_shown(page, "nothing")


async def test_agencies_and_sectors_that_are_named_stand_above(client):
    page = await ask(client, "q=santé")
    assert "/fr/sectors/health" in links(page, "named")
    page = await ask(client, "q=sécurité+démonstration")
    answer = await found(client, "q=sécurité+démonstration")
    named = {one["id"]: one["records"] for one in answer["named"]}
    assert named
    for one in by_id(page, "named"):
        code = one.find("a").get("href").rpartition("/")[2]
        assert ("n’a encore rien déposé" in text_of(one)) == (named[code] == 0)


async def test_filters_are_a_form_with_the_counts_of_the_api(client):
    page = await ask(client, "q=&risk=high&sort=newest")
    facets = "risk,sector,agency,status"
    answer = await found(client, f"risk=high&origin=local&facets={facets}")
    for name in facets.split(","):
        box = by_id(page, f"facet-{name}")
        counts = {
            line.find(".//input").get("value"): int(text_of(line.find(".//span[@class='n']")))
            for line in box.iter("li")
        }
        assert counts == {one["code"]: one["count"] for one in answer["facets"][name]}, name
        checked = [one.get("value") for one in box.iter("input") if one.get("checked") is not None]
        assert checked == (["high"] if name == "risk" else [])
        assert all(one.get("form") == "finder" for one in box.iter("input"))
    assert page.find(".//form[@id='finder']").get("action") == "/fr/search"
    assert "Appliquer les filtres" in [text_of(one) for one in page.iter("button")]


async def test_each_chip_takes_one_filter_away(client):
    query = "q=de&risk=high&risk=limited&function=forecasting&completeness_min=1&has=rights.notice"
    page = await ask(client, query)
    taken = [parse_qsl(urlsplit(link).query) for link in links(page, "chips")]
    asked = parse_qsl(query)
    assert taken == [[other for other in asked if other != one] for one in asked[1:]]
    assert parse_qsl(urlsplit(links(page, "clear")[0]).query) == [("q", "de")]
    # What has no field of its own is not lost by the form.
    kept = page.findall(".//form[@id='finder']/noscript/input")
    assert [(one.get("name"), one.get("value")) for one in kept] == [
        ("function", "forecasting"),
        ("completeness_min", "1"),
        ("has", "rights.notice"),
    ]


async def test_who_asks_for_high_risk_without_redress_is_not_told_none_by_secrecy(client):
    group = "risk=high&sector=public_safety"
    asked = f"{group}&kind.rights.contestation=restricted"
    page = await ask(client, asked)
    assert hits(page) == ["demo-securite/systeme-a"]
    [chip] = links(page, "chips")[2:]
    assert "kind" not in chip
    assert "Seule l’existence de la fiche est publique" in said(page, "chips")
    # A restricted record owes nothing, and is told apart from those that are silent.
    page = await ask(client, f"{group}&lacks=rights.contestation")
    assert hits(page) == []
    assert "Seule l’existence de la fiche est publique : 1" in said(page, "kinds")
    [chosen] = [
        one.get("id") for one in by_id(page, "lacking").iter("input") if "checked" in one.attrib
    ]
    assert chosen == "lacks-rights.contestation"
    answer = await found(client, f"{asked}&contestation=not_stated&facets=contestation,lacks")
    assert answer["facets"]["contestation"] == [{"code": "not_stated", "count": 1}]
    assert "rights.contestation" not in {one["code"] for one in answer["facets"]["lacks"]}
    exported = await client.get(f"/api/v1/exports/records.jsonl?{asked}")
    assert exported.text.count("\n") == 1


async def test_a_filter_for_each_thing_that_a_record_says_of_contesting(client):
    counted = (await found(client, "facets=contestation"))["facets"]["contestation"]
    page = await ask(client, "q=")
    shown = {one.get("value") for one in by_id(page, "facet-contestation").iter("input")}
    assert shown == {one["code"] for one in counted}
    for one in counted:
        assert (await found(client, f"contestation={one['code']}"))["total"] == one["count"]


async def test_pages_hold_each_record_once_and_lead_back(client):
    query, seen, pages = "sort=name", [], 0
    total = (await found(client, "origin=local"))["total"]
    while True:
        page = await ask(client, query)
        seen += hits(page)
        pages += 1
        following = [one for one in by_id(page, "pages").iter("a") if one.get("rel") == "next"]
        if not following:
            break
        query = urlsplit(following[0].get("href")).query
    assert len(seen) == len(set(seen)) == total > PAGE
    assert pages == -(-total // PAGE)
    assert links(page, "pages") == ["/fr/search?sort=name"]
    # The place in a list is of one language.
    languages = [link.get("href") for link in page.findall(".//nav[@class='languages']//a")]
    assert "/ar/search?sort=name" in languages


async def test_the_order_that_nobody_chose_is_left_out_by_the_form(client):
    def chosen(page):
        options = by_id(page, "sort").findall("option")
        return [one.get("value") for one in options if one.get("selected") is not None]

    assert chosen(await ask(client, "risk=high")) == [""]
    assert chosen(await ask(client, "q=eau&sort=")) == ["relevance"]
    assert chosen(await ask(client, "q=eau&sort=name")) == ["name"]
    # The words were taken out of a form that showed the best match first.
    assert chosen(await ask(client, "q=&sort=relevance")) == [""]


async def test_files_and_call_ask_the_same_question(client):
    page = await ask(client, "q=santé&risk=high&sort=name", "ar")
    for name in ("csv", "xlsx", "jsonl"):
        (link,) = [one for one in links(page, "downloads") if f".{name}?" in one]
        labels = [] if name == "jsonl" else [("labels", "ar")]
        assert parse_qsl(urlsplit(link).query) == [
            ("q", "santé"),
            ("risk", "high"),
            ("origin", "local"),
            *labels,
        ]
        assert (await client.get(link)).status_code == 200
    call = by_id(page, "call").get("value")
    assert call.startswith("https://algorithms.example/api/v1/records?")
    answer = (await client.get(f"/api/v1/records?{urlsplit(call).query}")).json()
    assert [item["id"] for item in answer["items"]][:PAGE] == hits(page, "ar")


async def test_every_language_says_all_in_its_own_words(client):
    for tag, direction in (("ar", "rtl"), ("fr", "ltr"), ("zgh", "rtl"), ("en", "ltr")):
        page = await ask(client, "q=radiographies&risk=high&function=diagnosis_support", tag)
        assert (page.get("lang"), page.get("dir")) == ("ar" if tag == "zgh" else tag, direction)
        assert by_id(page, "sort").findall("option")
        current = page.findall(".//nav[@class='sections']//a[@aria-current]")
        assert [one.get("href") for one in current] == [f"/{tag}/search"]


NOT_KNOWN = [
    ("q=eau&risk=hgh", "« Niveau de risque » n’a pas de valeur hgh", "q=eau&risk=high"),
    ("q=eau&teritory=MA-06", "n’a pas de filtre teritory", "q=eau&territory=MA-06"),
    ("lacks=rights.contest", "pas de valeur rights.contest", "lacks=rights.contestation"),
    ("as_of=2025-13-01", "pour « Dans l’état de » : 2025-13-01", None),
    ("completeness_min=many", "pour « Complétude à partir de » : many", None),
    ("sort=best", "« Ordre » n’a pas de valeur best", "sort=newest"),
    ("limit=100", "pas de filtre limit", None),
    ("lang=de", "« Langue des mots » n’a pas de valeur de", None),
]  # fmt: skip


async def test_what_is_not_known_is_refused_in_the_page_s_language(client, subtests):
    for query, tells, nearest in NOT_KNOWN:
        with subtests.test(query=query):
            answer = await client.get(f"/fr/search?{query}")
            assert answer.status_code == 400
            page = parse(answer)
            assert is_shown(page, "fault")
            assert not is_shown(page, "results")
            told = said(page, "fault").replace("\xa0", " ")
            assert tells in told
            # No English: the sentence of the API is not shown.
            assert "did you mean" not in told
            assert "unknown" not in told
            offered, *rest = links(page, "fault")
            if nearest is not None:
                assert parse_qsl(urlsplit(offered).query) == parse_qsl(nearest)
                assert "Vouliez-vous dire" in told
                (offered,) = rest
            wrong = parse_qsl(query)[-1][0]
            assert parse_qsl(urlsplit(offered).query) == [
                pair for pair in parse_qsl(query) if pair[0] != wrong
            ]


async def test_a_bad_place_in_a_list_leads_to_its_first_page(client):
    first = await ask(client, "sort=name")
    following = urlsplit(links(first, "pages")[0]).query
    cursor = dict(parse_qsl(following))["cursor"]
    for query in ("sort=name&cursor=nonsense", f"sort=newest&cursor={cursor}"):
        answer = await client.get(f"/ar/search?{query}")
        assert answer.status_code == 400
        page = parse(answer)
        sort = dict(parse_qsl(query))["sort"]
        assert links(page, "fault") == [f"/ar/search?sort={sort}"]


async def test_an_index_that_does_not_answer_is_said(client, monkeypatch):
    async def fail(*_):
        raise Unavailable("the search index is being made anew")

    monkeypatch.setattr(SearchIndex, "answer", fail)
    answer = await client.get("/fr/search?q=eau")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    page = parse(answer)
    assert said(page, "fault").startswith("La recherche ne répond pas en ce moment.")
    assert by_id(page, "q").get("value") == "eau"


async def test_without_a_question_the_file_of_the_site_answers(settings, database_url):
    (settings.site_dir / "fr").mkdir(parents=True)
    (settings.site_dir / "fr/search.html").write_text("<!doctype html><p>the file", "utf-8")
    async with opened(settings, database_url) as client:
        assert (await client.get("/fr/search")).text == "<!doctype html><p>the file"
        assert (await client.get("/fr/search?utm_source=x&&fbclid=y")).text.endswith("the file")
        assert (await client.get("/fr/search?q=eau&utm_source=x")).status_code == 200
        assert (await client.get("/de/search?q=eau")).status_code == 404
        assert (await client.post("/fr/search?q=eau")).status_code == 405


async def test_it_is_served_as_other_pages_are(client):
    address = "/fr/search?q=eau"
    answer = await client.get(address, headers={"accept-encoding": "identity"})
    etag = answer.headers["etag"]
    again = await client.get(address, headers={"if-none-match": etag})
    assert again.status_code == 304
    head = await client.head(address, headers={"accept-encoding": "identity"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))
    small = await client.get(address, headers={"accept-encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.text == answer.text
    assert small.headers["vary"] == "accept-encoding"


async def test_an_answer_says_of_a_demonstration_what_is_invented(client):
    page = await ask(client, "q=santé")
    told = " ".join(text_of(one) for one in page.findall(".//div[@role='note']"))
    assert "Démonstration. Aucun organisme n’a encore déposé de fiche ici." in told
    assert "Les fiches copiées d’autres registres sont réelles." in told


async def test_an_empty_answer_leads_to_what_a_citizen_can_do(client):
    page = await ask(client, "q=xqzvvw")
    assert is_shown(page, "nothing")
    assert not is_shown(page, "fewer")
    assert {"/fr/contest", "/fr/letter", "/fr/life/"} <= set(links(page, "nothing"))
    assert links(page, "nothing")[0] == "/fr/contest"
    assert is_shown(await ask(client, "q=xqzvvw&risk=high"), "fewer")


async def test_a_region_is_told_from_the_whole_country(client):
    asked = "territory=MA-06&territory=MA-04"
    answer = await found(client, f"{asked}&origin=local")
    whole = (await found(client, "territory=MA&origin=local"))["total"]
    assert answer["total"] > answer["whole_country"] == whole > 0
    page = await ask(client, asked)
    told = said(page, "reach").replace("\xa0", " ")
    own = answer["total"] - whole
    assert told == f"{own} propre{'s' * (own > 1)} à la région · {whole} pour tout le pays"
    assert said(await ask(client, "q=eau"), "reach") == ""
