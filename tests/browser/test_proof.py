"""The check of a record's proof on its page: over a register's answers, and over forged ones."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.cli.verify import verify
from registry.errors import RegistryError
from registry.ledger.key import read
from registry.record.canonical import canonical
from registry.record.page_words import read_page
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.cosignature import cosign
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import COSIGNATURE, ED25519, Signer, Verifier
from registry.tlog.note import Signature, sign_note
from registry.tlog.tlog_proof import TlogProof
from tests.browser.conftest import PHONE
from tests.crash.register import environment

RECORD = "demo-sante/triage-radiographies"
OTHER = "demo-services/objets-trouves"
ERASED = "demo-sante/prevision-lits"
WORDS, MORE_WORDS = "des lits supplémentaires", "sa marge d’erreur"
VECTORS = Path(__file__).parents[3] / "shared/vectors/rfc8785-jcs/testdata/input"

STEPS = ("page", "entry", "inclusion", "signature", "contents", "erased")
ALL_HOLD = dict.fromkeys(STEPS, "holds")
VERDICTS = {
    "fr": "Tout est en ordre.",
    "ar": "كل شيء سليم.",
    "zgh": "كل شيء سليم.",
    "en": "All is in order.",
}
LEVELS = {
    "fr": {"risk-high": "Risque élevé", "risk-limited": "Risque limité"},
    "ar": {"risk-minimal": "مخاطر دنيا", "risk-limited": "مخاطر محدودة"},
}
_OUTCOMES = """Object.fromEntries(Array.from(
    document.querySelectorAll(".checks > li"),
    (step) => [step.id.slice(6), step.querySelector(".outcome").classList[1]]))"""
_NO_ED25519 = """
const known = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (...given) {
  if (given[2] !== "Ed25519") return known.apply(this, given);
  return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
};"""
_EXAMINE = """async ([evidence, reading, proof, told, address]) => {
  const { examine } = await import(evidence);
  const { readShown } = await import(reading);
  const html = await (await fetch(address)).text();
  const there = new DOMParser().parseFromString(html, "text/html");
  const isLabel = () => true;
  const shown = { ...readShown(there.getElementById("main"), there.documentElement.lang), isLabel };
  const digest = there.getElementById("proof").dataset.words;
  const { steps, found } = await examine(proof, { ...told, digest, shown });
  return [steps, found.unlike];
}"""
_CANONICAL = "async ([address, text]) => (await import(address)).canonical(JSON.parse(text))"


def done(running, *command):
    told = running.register.run(*command)
    assert told.returncode == 0, told.stderr
    return told.stdout


def proof_of(register, record):
    answer = register.client.get(f"/api/v1/records/{record}/proof")
    assert answer.status_code == 200, answer.text
    return answer.json()


def checked(page):
    """Ask for the check, and give the outcome of each step."""
    page.evaluate("document.getElementById('about-record').open = true")
    page.locator("#proof-start button").click()
    page.wait_for_selector("#proof-verdict .verdict")
    return page.evaluate(_OUTCOMES)


def forged(page, change):
    """Let the register's answer be changed on its way."""

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, json=change(response.json()))

    page.route("**/proof?version=*", answer)


@pytest.mark.parametrize("lang", VERDICTS)
def test_what_the_register_answers_is_checked_and_explained(opened, register, axe, lang):
    key = register.client.get("/log/log.json").json()["keys"][0]
    proof = proof_of(register, RECORD)
    with opened(register.url) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        # The last part of the page is closed, and opens for who comes to a place in it.
        page.goto(f"{register.url}/{lang}/records/{RECORD}")
        assert not page.locator("#proof-start").is_visible()
        page.goto(f"{register.url}/{lang}/records/{RECORD}#proof")
        page.wait_for_selector("#proof-start:not([hidden])")
        assert not [url for url in asked if "/api/" in url]
        assert page.locator("#proof-verdict").get_attribute("role") == "status"
        assert checked(page) == ALL_HOLD
        assert [url for url in asked if "/api/" in url] == [
            f"{register.url}/api/v1/records/{RECORD}/proof?version={proof['version']}"
        ]
        assert VERDICTS[lang] in page.locator("#proof-verdict").inner_text()
        shown = {
            name: page.locator(f"[data-found={name}]").inner_text()
            for name in ("index", "leaf", "root", "key")
        }
        root = proof["version_entry"]["proof"].split("\n\n")[1].split("\n")[2]
        assert shown == {
            "index": str(proof["version_entry"]["index"]),
            "leaf": page.locator("#register-facts .hash").inner_text(),
            "root": root,
            "key": key,
        }
        assert page.locator("#proof-none-erased").is_visible()
        for element in page.locator("#proof-shown [data-when]").all():
            assert not element.is_visible()
        page.emulate_media(color_scheme="dark" if lang in {"ar", "en"} else "light")
        assert axe(page) == []
        page.set_viewport_size(PHONE)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0
        assert checked(page) == ALL_HOLD


def test_an_earlier_version_is_checked_as_what_it_was(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/records/{RECORD}/versions/1")
        assert checked(page) == ALL_HOLD
        leaf = page.locator("[data-found=leaf]").inner_text()
        assert (
            leaf
            == register.client.get(f"/api/v1/records/{RECORD}/versions/1").json()["register"][
                "hash"
            ]
        )
        # The version in force is another.
        later = proof_of(register, RECORD)
        assert later["version"] > 1
        forged(page, lambda _: later)
        assert checked(page) == ALL_HOLD | {"entry": "fails", "page": "fails"}


def in_evidence(name, change):
    """Make a change of one text of the version's evidence."""

    def changed(proof):
        before = proof["version_entry"][name]
        after = change(before)
        assert after != before
        proof["version_entry"][name] = after
        return proof

    return changed


def another_value(content):
    said = json.loads(content)
    member = said["sections"]["name"][0][1]
    last = member["value"][-1]
    member["value"] = member["value"][:-1] + ("a" if last != "a" else "b")
    return canonical(said).decode()


def without_a_member(content):
    said = json.loads(content)
    del said["sections"]["name"][0]
    return canonical(said).decode()


def another_signature(proof):
    head, _, line = proof.rpartition(" ")
    raw = bytearray(base64.b64decode(line))
    raw[40] ^= 1
    return f"{head} {base64.b64encode(raw).decode()}\n"


def another_line(number):
    """Change a hash that stands as a line of the proof."""

    def changed(proof):
        lines = proof.split("\n")
        raw = bytearray(base64.b64decode(lines[number]))
        raw[0] ^= 1
        lines[number] = base64.b64encode(raw).decode()
        return "\n".join(lines)

    return changed


def another_root(proof):
    return another_line(proof.split("\n").index("") + 3)(proof)


def another_key(proof):
    name, _, _ = proof["key"].split("+", 2)
    # A sound key of somebody else's, RFC 8032 §7.1.
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    return proof | {"key": Verifier(name=name, kind=ED25519, public=public).to_text()}


FORGED = {
    "a value": (in_evidence("content", another_value), {"contents"}),
    "a salt": (
        in_evidence("content", lambda text: text.replace('"salt":"', '"salt":"A', 1)),
        {"contents"},
    ),
    "a member left out": (in_evidence("content", without_a_member), {"contents"}),
    "the entry": (
        in_evidence("entry", lambda text: text.replace('"actor":"', '"actor":"x', 1)),
        {"entry", "inclusion"},
    ),
    "the entry's spelling": (
        in_evidence("entry", lambda text: text.replace(":", ": ", 1)),
        {"entry", "inclusion"},
    ),
    "the leaf": (in_evidence("leaf", lambda text: text[::-1]), {"entry"}),
    "the signature": (in_evidence("proof", another_signature), {"signature"}),
    "the root": (in_evidence("proof", another_root), {"inclusion", "signature"}),
    "the path": (in_evidence("proof", another_line(2)), {"inclusion"}),
    "the key": (another_key, {"signature"}),
}


def test_what_was_changed_is_told_at_the_step_that_finds_it(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/records/{RECORD}")
        for what, (change, failing) in FORGED.items():
            page.unroute_all()
            forged(page, change)
            expected = {name: "fails" if name in failing else "holds" for name in STEPS}
            assert checked(page) == expected, what
            verdict = page.locator("#proof-verdict").inner_text()
            assert "Quelque chose ne correspond pas." in verdict, what
            for name in STEPS:
                fault = page.locator(f"#proof-{name} [data-when=fails]")
                assert fault.is_visible() == (name in failing), (what, name)
            named = page.locator("#proof-differing li").all_inner_texts()
            assert named == (["/name"] if what in {"a value", "a member left out"} else named), what


def test_the_section_that_differs_is_named_in_arabic_and_stays_accessible(opened, register, axe):
    with opened(register.url) as page:
        page.goto(f"{register.url}/ar/records/{RECORD}")
        forged(page, FORGED["a value"][0])
        assert checked(page)["contents"] == "fails"
        assert "ثمة شيء غير مطابق." in page.locator("#proof-verdict").inner_text()
        assert axe(page) == []


def test_the_sound_proof_of_another_record_is_refused(opened, register):
    other = proof_of(register, OTHER)
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/records/{RECORD}")
        forged(page, lambda _: other)
        assert checked(page) == ALL_HOLD | {"entry": "fails", "page": "fails"}


def test_a_browser_without_such_signatures_says_so_and_claims_nothing(opened, register):
    with opened(register.url, fresh=True) as page:
        page.add_init_script(_NO_ED25519)
        page.goto(f"{register.url}/en/records/{RECORD}")
        assert checked(page) == ALL_HOLD | {"signature": "open"}
        assert "Not everything could be checked." in page.locator("#proof-verdict").inner_text()
        assert page.locator("#proof-signature [data-when=open]").is_visible()


def odd_number(number, *, altered=False):
    """Write a number of the content otherwise than canonically, beside a value that differs."""

    def changed(content):
        content = another_value(content) if altered else content
        return content.replace('{"index":', f'{{"index":{number},"_":', 1)

    return changed


def test_one_odd_number_never_makes_what_is_false_uncertain(opened, register):
    index = proof_of(register, RECORD)["version_entry"]["index"]
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/records/{RECORD}")
        for change in (
            odd_number(f"{index}.0"),
            odd_number("1e400"),
            odd_number("12345678901234567890"),
            odd_number(f"{index}.0", altered=True),
            lambda content: another_value(content).replace('"index":', '"index":1e400,"i":'),
            lambda content: content.replace(f'"index":{index},', f'"index":{index}.0,'),
        ):
            page.unroute_all()
            forged(page, in_evidence("content", change))
            assert checked(page)["contents"] == "fails"
            assert "Quelque chose ne correspond pas." in page.locator("#proof-verdict").inner_text()


def altered_on_disk(before, after):
    def answer(route):
        response = route.fetch()
        assert before in response.text(), before
        route.fulfill(response=response, body=response.text().replace(before, after))

    return answer


def test_a_page_that_says_something_else_than_the_log_is_refused(opened, register):
    """Words that were altered on disk, in French and Arabic, beside a sound proof."""
    ar = "demo-services/objets-trouves"
    for lang, record, before, after, named in (
        ("fr", ar, "preuve de propriété", "contrôle, sans preuve", "/summary"),
        ("fr", ar, "Risque minimal", "Risque nul", "/risk/level"),
        ("fr", ar, "<bdi>Pilote<", "<bdi>En service<", "/lifecycle/status"),
        ("fr", ar, "<h1>", "<h1>Autre ", "/name"),
        ("fr", ar, "<dfn><bdi>Effet juridique", "<dfn><bdi>Effet", "–"),
        ("ar", ar, "مخاطر دنيا", "بلا مخاطر", "/risk/level"),
    ):
        with opened(register.url) as page:
            page.route(f"**/{lang}/records/{record}", altered_on_disk(before, after))
            page.goto(f"{register.url}/{lang}/records/{record}")
            assert checked(page) == ALL_HOLD | {"page": "fails"}, before
            assert page.locator("#proof-verdict .fails").is_visible()
            assert named in page.locator("#proof-unlike li").all_inner_texts(), before
            # What the log has stands beside it.
            said = page.locator("#proof-said").inner_text()
            assert ("Risque minimal" if lang == "fr" else "مخاطر دنيا") in said


def test_who_else_has_signed_is_named_with_the_time(opened, register):
    witness = Signer(name="witness.example/w", seed=bytes([7] * 32), kind=COSIGNATURE)

    def cosigned(proof):
        text = proof.split("\n\n", 1)[1].rpartition("\n\n")[0] + "\n"
        raw = cosign(text, witness, time=1_790_000_000).to_bytes()
        line = Signature(name=witness.name, key=witness.verifier.id, raw=raw).to_line()
        return proof + line

    with opened(register.url, timezone_id="UTC") as page:
        page.goto(f"{register.url}/fr/records/{RECORD}")
        assert checked(page) == ALL_HOLD
        assert page.locator("#proof-alone").is_visible()
        assert not page.locator("#proof-others").is_visible()
        forged(page, in_evidence("proof", cosigned))
        assert checked(page) == ALL_HOLD
        assert page.locator("#proof-others li").all_inner_texts() == [
            "witness.example/w, le 21 septembre 2026 à 14:13"
        ]
        assert not page.locator("#proof-alone").is_visible()


@pytest.mark.parametrize(("lang", "record"), [("fr", RECORD), ("ar", OTHER)])
def test_a_saved_page_is_evidence_without_a_register(
    opened, chromium, register, tmp_path, lang, record
):
    with opened(register.url) as page:
        page.goto(f"{register.url}/{lang}/records/{record}")
        assert checked(page) == ALL_HOLD
        html = page.content()
    # As browsers save a page: with its files beside it.
    [script] = (register.register.data / "site/assets").glob("proof.*.js")
    (tmp_path / script.name).write_bytes(script.read_bytes())
    html = html.replace(f'src="/assets/{script.name}"', f'src="./{script.name}"')
    saved = tmp_path / "page.html"
    word = html[html.index("<h1") :].split(">", 1)[1].split("<")[0].split()[0]
    level = "risk-high" if "badge risk-high" in html else "risk-minimal"
    forgeries = {
        "": "",
        f">{word} ": ">Autre ",
        LEVELS[lang][level]: LEVELS[lang]["risk-limited"],
        'data-hash="': 'data-hash="0',
        '"version_entry":{"index":': '"version_entry":{"index":1',
    }
    # A browser that opens a file finds neither fonts nor styles beside this one, and says so.
    page = chromium.new_page()
    page.set_default_timeout(60_000)
    # No register runs where this is checked, and none is reached.
    page.context.set_offline(True)
    nowhere = environment() | {
        "REGISTRY_DATA_DIR": str(tmp_path / "none"),
        "REGISTRY_DATABASE_URL": "postgresql://127.0.0.1:9/none",
    }
    saved.write_text(html, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "registry", "verify", saved, "--no-memory"],
        env=nowhere, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "it says what the log has of" in told.stderr
    for before, after in forgeries.items():
        assert before in html
        if before:
            saved.write_text(html.replace(before, after), encoding="utf-8")
            with pytest.raises(RegistryError):
                verify.main([str(saved), "--no-memory"], standalone_mode=False)
        page.goto(saved.as_uri())
        # What was said when it was saved is not said again.
        assert not page.locator("#proof-shown").is_visible()
        steps = checked(page)
        verdict = page.locator("#proof-verdict").inner_text()
        if before:
            assert steps != ALL_HOLD, before
            assert VERDICTS[lang] not in verdict, before
        else:
            assert steps == ALL_HOLD
            assert VERDICTS[lang] in verdict
            assert ("pas été interrogé" if lang == "fr" else "ولم يُسأل السجل") in verdict
    page.context.close()


NO_PROOFS = [
    ({"status": 404, "content_type": "application/problem+json", "body": "{}"}, "no proof of"),
    ({"status": 503, "content_type": "application/problem+json", "body": "{}"}, "be reached"),
    ({"status": 200, "content_type": "text/html", "body": "<p>"}, "be reached"),
    ({"status": 200, "content_type": "application/json", "body": "[]"}, "is no proof"),
]


def answered(answer):
    return lambda route: route.fulfill(**answer)


def test_where_there_is_no_proof_nothing_is_said_to_be_checked(opened, register):
    with opened(register.url, expected="Failed to load resource") as page:
        for answer, words in NO_PROOFS:
            page.goto("about:blank")
            page.goto(f"{register.url}/en/records/{RECORD}#proof")
            page.unroute_all()
            page.route("**/proof?version=*", answered(answer))
            page.route("**/proofs/**", answered(NO_PROOFS[0][0]))
            page.locator("#proof-start button").click()
            page.wait_for_selector("#proof-verdict .verdict")
            assert words in page.locator("#proof-verdict").inner_text(), answer
            assert not page.locator("#proof-shown").is_visible(), answer


def test_on_a_static_host_and_without_a_script_the_page_says_what_to_do(opened, host):
    address = f"{host}/fr/records/{RECORD}#proof"
    with opened() as page:
        page.goto(address)
        page.locator("#proof-start button").click()
        page.wait_for_selector("#proof-verdict .verdict")
        assert "n’est pas joignable" in page.locator("#proof-verdict").inner_text()
    with opened(java_script_enabled=False) as page:
        page.goto(address)
        assert not page.locator("#proof-start").is_visible()
        section = page.locator("#proof")
        assert "registry verify proof.json" in section.inner_text()
        link = section.locator("a[download]").get_attribute("href")
        assert link.startswith(f"/api/v1/records/{RECORD}/proof?version=")


def test_what_was_erased_is_named_with_its_basis(opened, register):
    asked = {
        "record": ERASED,
        "pointers": ["/contact/url"],
        "basis": "data_protection",
        "authority": "Commission nationale (CNDP)",
        "reference": "D-2026/17",
    }
    with ThreadPoolExecutor(1) as pool:
        one, other = pool.map(lambda _: register.bearer(None, "redact"), range(2))

    def erase(asked):
        receipt = register.client.post("/api/v1/redactions", json=asked, headers=one).json()
        confirm = f"/api/v1/redactions/{receipt['redaction']}/confirm"
        assert register.client.post(confirm, headers=other).status_code == 201
        done(register, "log", "publish")

    erase(asked)
    [redaction] = proof_of(register, ERASED)["redactions"]
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/records/{ERASED}")
        assert checked(page) == ALL_HOLD
        said = (
            f"/contact/url a été effacé par l’inscription {redaction['index']} au journal. "
            "Fondement\u202f: Protection des données personnelles."
        )
        assert page.locator("#proof-erased-parts li").all_inner_texts() == [said]
        assert not page.locator("#proof-none-erased").is_visible()
        page.reload()
        # Nobody says any more why it is gone.
        forged(page, lambda proof: proof | {"redactions": []})
        assert checked(page) == ALL_HOLD | {"erased": "fails"}

    # Words of a text, then others: what stands there now is what the last redaction commits to.
    for words in (WORDS, MORE_WORDS):
        erase(asked | {"pointers": ["/purpose/goal"], "words": [words]})

    def built_with(mark):
        """Serve the page as the next build makes it, with a mark."""

        def answer(route):
            html = route.fetch().text()
            before = re.search(r'data-words="(\w+)"', html)[1]
            for words in (WORDS, MORE_WORDS):
                html = html.replace(words, mark)
            html = html.replace(before, read_page(html).digest)
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

        return answer

    for mark, unlike in (("[…]", []), ("tous", ["/purpose/goal"])):
        with opened(register.url) as page:
            page.route(f"**/fr/records/{ERASED}", built_with(mark))
            page.goto(f"{register.url}/fr/records/{ERASED}")
            assert checked(page) == ALL_HOLD | ({"page": "fails"} if unlike else {})
            assert page.locator("#proof-unlike li").all_inner_texts() == unlike


def test_every_record_s_proof_holds_in_the_browser_and_for_its_pages(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/records/{RECORD}")
        scripts = [script_of(register, "evidence"), script_of(register, "shown")]
        items = register.client.get("/api/v1/records?limit=100").json()["items"]
        assert len(items) > 40
        for number, item in enumerate(items):
            proof = proof_of(register, item["id"])
            facts = register.client.get(f"/api/v1/records/{item['id']}").json()["register"]
            told = {"id": item["id"]} | {name: facts[name] for name in ("version", "entry", "hash")}
            address = f"/{[*VERDICTS][number % len(VERDICTS)]}/records/{item['id']}"
            steps, unlike = page.evaluate(_EXAMINE, [*scripts, proof, told, address])
            assert (steps, unlike) == (dict.fromkeys(STEPS, True), []), address


def test_later_keys_must_be_vouched_for(opened, register):
    proof = proof_of(register, RECORD)
    last = read(register.register.data / "keys/log.key")
    first, other = (Signer(name=last.name, seed=bytes([number]) * 32) for number in (1, 2))
    said = {"v": 1, "kind": "key", "key": last.verifier_key, "follows": first.verifier_key}

    def keys(*signers, **changes):
        entry = canonical(said | changes)
        leaf = leaf_hash(entry)
        note = sign_note(Checkpoint(origin=last.name, size=1, root=leaf).to_text(), signers)
        return [TlogProof(index=0, path=(), checkpoint=note.to_bytes(), extra=entry).to_bytes()]

    tried = [
        (keys(first, last), True),
        (keys(first), False),
        (keys(last), False),
        (keys(first, last, follows=other.verifier_key), False),
        (keys(first, other, key=other.verifier_key), False),
        (keys(first, last, kind="version"), False),
        (keys(first, last) * 2, False),
    ]
    facts = register.client.get(f"/api/v1/records/{RECORD}").json()["register"]
    told = {"id": RECORD} | {name: facts[name] for name in ("version", "entry", "hash")}
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/records/{RECORD}")
        scripts = [script_of(register, "evidence"), script_of(register, "shown")]
        found = []
        for made, _ in tried:
            given = proof | {"keys": [one.decode() for one in made]}
            address = f"/en/records/{RECORD}"
            steps, _ = page.evaluate(_EXAMINE, [*scripts, given, told, address])
            found.append(steps["signature"])
    assert found == [holds for _, holds in tried]


def script_of(register, name):
    [script] = (register.register.data / "site/assets").glob(f"{name}.*.js")
    return f"/assets/{script.name}"


VALUES = [
    {"b": [1, 1.5, -0.0, 1e21, 1e-7, 123456789012345680000.0, 0.1, 5e-324], "a": None, "": True},
    {"€": 1, "\r": 2, "דּ": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7, "__proto__": 8},
    ['\u2028\x7f\x1f\t"\\/é', [[], {}]],
]


def test_values_are_written_canonically_as_the_register_writes_them(opened, register):
    texts = [json.dumps(value) for value in VALUES]
    texts += [path.read_text("utf-8") for path in sorted(VECTORS.glob("*.json"))]
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/records/{RECORD}")
        for text in texts:
            written = page.evaluate(_CANONICAL, [script_of(register, "evidence"), text])
            assert written.encode() == canonical(json.loads(text)), text
