"""The register that is recorded: its records, imports and everything that can be filed."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tools.pin.asking import NO_HEADERS, Asker
from tools.pin.recording import Part
from tools.pin.register import Register

ROOT = Path(__file__).parents[2]
_FIXTURES = ROOT / "tests" / "data"
_EXAMPLE = ROOT / "schemas" / "examples" / "minimal.json"
_US = "us-omb-2025/2025_individually_reported_AI_use_cases.csv"
_NL = "nl/algoritmes_2026-08-08.json"
_BEGIN = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)

_DRAFTS = "/api/v1/filings"
_NEW = {"if-none-match": "*"}
_NDJSON = {"content-type": "application/x-ndjson"}


def make_register(register: Register, part: Part, data: Path, *, rows: int | None) -> None:
    """Fill an empty register and write down every answer on the way.

    `data` has the two inventories; of each at most so many `rows` are imported.
    """
    register.set_clock(_BEGIN)
    _copy_sources(register.folder, data, rows)
    _load_and_import(register, part)
    _make_tokens(register)
    _redact_by_command(register, part)
    for review, life in (("none", _file_alone), ("required", _file_with_review)):
        with register.serve(review=review) as client:
            life(Asker(client, part, register.tokens(), tick=register.tick))
        part.add(f"the server's log, review={review}", register.server_log())
        _run(register, part, "log", "publish")
    with register.serve(
        limit_writes=3, limit_validations=2, limit_failures=2, limit_exports=2
    ) as client:
        _use_up_limits(Asker(client, part, register.tokens()))
    register.set_clock(dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC))
    _run(register, part, "log", "publish")


def _copy_sources(folder: Path, data: Path, rows: int | None) -> None:
    with (data / _US).open(encoding="utf-8-sig", newline="") as file:
        head, *lines = csv.reader(file)
    with (folder / "us.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *lines[:rows]])
    with (folder / "faulty.csv").open("w", encoding="utf-8", newline="") as file:
        nameless = [
            ["" if "agency" in key else cell for key, cell in zip(head, lines[0], strict=True)]
        ]
        csv.writer(file).writerows([head, lines[0], *nameless])
    listed = json.loads((data / _NL).read_text(encoding="utf-8"))
    listed["algoritmes"] = listed["algoritmes"][:rows]
    (folder / "nl.json").write_text(json.dumps(listed), encoding="utf-8")


def _run(register: Register, part: Part, *arguments: str) -> None:
    register.tick()
    part.add(f"registry {' '.join(arguments)}", register.tell(register.run(*arguments)))


def _load_and_import(register: Register, part: Part) -> None:
    def run(*arguments: str) -> None:
        _run(register, part, *arguments)

    run("load", "checkout/records")
    run("load", "checkout/records")
    run("log", "publish")
    register.tick(24 * 60)
    for name, file in (("us-omb-2025", "us.csv"), ("nl-algoritmeregister", "nl.json")):
        run("import", name, file, "--dry-run")
        run("import", name, file, "--report", "report.json")
        part.add(f"report of {name}", (register.folder / "report.json").read_text("utf-8"))
        run("import", name, file)
    run("import", "us-omb-2025", "faulty.csv")
    register.tick(24 * 60)
    run("attest", "demo-services", "--systems", "25", "--contact", "contact@demo-services.example",
        "--note", "fr=Avec les essais.", "--format", "json")  # fmt: skip
    run("withdraw", "demo-agriculture/criquets", "--reason", "other", "--note", "fr=Abandonné.")
    (register.folder / "draft.json").write_text(json.dumps(_record("cli-one")), encoding="utf-8")
    run("file", "draft.json")
    run("drafts")
    run("submit", "demo-agriculture/cli-one", "--format", "json")
    run("submit", "demo-agriculture/cli-one")
    run("log", "publish")
    run("redact", "list", "--format", "json")


def _redact_by_command(register: Register, part: Part) -> None:
    def run(name: str, *arguments: str) -> None:
        _run(register, part, "redact", *arguments, "--token-file", f"{name}.token")

    why = ("--pointer", "/contact/url", "--basis", "data_protection", "--authority", "CNDP")
    run("legal office", "request", "demo-securite/carrieres-satellite", *why)
    run("legal office", "request", "demo-sante/prevision-lits", *why, "--reference", "D-2026/17")
    run("legal office", "confirm", "1")
    run("data office", "confirm", "1")
    _run(register, part, "redact", "list")


def _make_tokens(register: Register) -> None:
    for agency in ("demo-sante", "demo-agriculture"):
        both = ("--role", "editor", "--role", "reviewer")
        register.run("member", "invite", agency, "--agency", agency, *both, seed=agency)
    register.make_token("expired", "--agency", "demo-agriculture", "--scope", "file", "--days", "1")
    register.tick(2 * 24 * 60)
    register.make_token("agriculture", "--agency", "demo-agriculture", "--scope", "file")
    register.make_token(
        "sante", "--agency", "demo-sante", "--scope", "file,review", "--member", "1"
    )
    register.make_token("review office", "--scope", "review")
    register.make_token(
        "both", "--agency", "demo-agriculture", "--scope", "file,review", "--member", "2"
    )
    register.make_token("legal office", "--scope", "redact")
    register.make_token("data office", "--scope", "redact")
    register.make_token("admin", "--scope", "admin")
    register.make_token("limited", "--agency", "demo-education", "--scope", "file")
    register.make_token("revoked", "--agency", "demo-agriculture", "--scope", "file")
    listed = register.run("token", "list").stdout
    number = re.search(r"^(\d+)\trevoked", listed, re.MULTILINE)
    register.run("token", "revoke", number[1] if number else "0")


def _record(slug: str, agency: str = "demo-agriculture", **changes: Any) -> dict[str, Any]:
    """Return a record that can be published, of its own name, with members changed."""
    # The first version of the format, which checkouts of any age read.
    record: dict[str, Any] = json.loads(_EXAMPLE.read_bytes()) | {"schema_version": "1.0"}
    record["id"] = f"{agency}/{slug}"
    record["name"] = {key: f"{text} {slug}" for key, text in record["name"].items()}
    return {key: value for key, value in (record | changes).items() if value is not ...}


def _file_alone(asker: Asker) -> None:
    """File everything that there is, where nobody reviews."""
    ask = asker.ask
    ask("GET", "/health/ready", about="no site yet")
    _validate(asker)
    _refuse_bodies(asker)
    _draft(asker)
    _publish(asker)
    _withdraw(asker)
    _redact(asker)
    _attest(asker)
    _file_many(asker)


def _validate(asker: Asker) -> None:
    address = "/api/v1/validate"
    for path in sorted(_FIXTURES.glob("*valid/*.json")):
        about, body = f"{path.parent.name}/{path.name}", path.read_bytes()
        sent = {"content-type": "application/json"}
        for query in ("", "?profile=draft", "?lang=fr", "?lang=ar"):
            asker.ask("POST", address + query, sent, about=about, body=body)
    for header in ("ar", "fr-MA, en;q=0.5", "zgh", "de"):
        asker.ask("POST", address, {"accept-language": header}, body={"id": 1})
    for query in (
        "?profile=foreign",
        "?profile=drafts",
        "?lang=xx",
        "?pack=ma",
        "?lang=fr&lang=ar",
    ):
        asker.ask("POST", address + query, body={"id": 1})


def _refuse_bodies(asker: Asker) -> None:
    """Send bodies that cannot be read to two addresses."""
    bodies: dict[str, bytes] = {
        "empty": b"",
        "no JSON": b"{",
        "a key twice": b'{"id": 1,\n "id": 2}',
        "NaN": b'{"a": NaN}',
        "a number that would change": b'{"a": 1.0000000000000000001}',
        "no UTF-8": b'{"a": "\xff"}',
        "a lone surrogate": b'{"a": "\\ud800"}',
        "33 levels": b"[" * 33 + b"]" * 33,
        "a list": b"[]",
        "text behind it": b"{} {}",
        "a byte order mark": b"\xef\xbb\xbf{}",
        "over 1 MiB": b" " * (2**20 + 1),
    }
    sent = {"content-type": "application/json"}
    for about, body in bodies.items():
        asker.ask("POST", "/api/v1/validate", sent, about=about, body=body)
        asker.ask("PUT", f"{_DRAFTS}/demo-agriculture/one", sent | _NEW, by="agriculture",
                  about=about, body=body)  # fmt: skip
    for header in (
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json; charset=UTF-8"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {},
    ):
        asker.ask("POST", "/api/v1/validate", header, body=b"{}")
        asker.ask(
            "PUT", f"{_DRAFTS}/demo-agriculture/one", header | _NEW, by="agriculture", body=b"{}"
        )


def _draft(asker: Asker) -> None:
    """Save, read and delete drafts, and try what is not allowed."""
    here, record = f"{_DRAFTS}/demo-agriculture/one", _record("one")

    def put(about: str = "", headers: Mapping[str, str] = _NEW, **given: Any) -> httpx.Response:
        given = {"by": "agriculture", "body": record} | given
        return asker.ask("PUT", here, headers, **given, about=about)

    put("no precondition", {})
    put("no token", by=None)
    for name in ("expired", "revoked", "sante", "admin", "review office"):
        put(by=name)
    for text in ("Bearer regt_mistyped", "Basic dXNlcg==", "Bearer", "Bearer regt_" + "A" * 51):
        put(headers=_NEW | {"authorization": text}, by=None)
    put("another id", body=_record("two"))
    put("no id", body=_record("one", id=...))
    put("faulty", body=_record("one", sumary=1, risk={"level": "huge"}))
    put("faulty", _NEW | {"accept-language": "fr"}, body=_record("one", risk={"level": "huge"}))
    put("faulty", _NEW | {"accept-language": "ar"}, body=_record("one", risk={"level": "huge"}))
    put("many faults", body=_record("one", documents=[{"a": i} for i in range(60)]))
    put("not there", {"if-match": '"0123456789abcdef"'})
    saved = put("new")
    put("again")
    put("again, with its tag", {"if-match": saved.headers["etag"]})
    changed = _record("one", website="https://pluie.example")
    put("changed, as new", body=changed)
    put("changed", {"if-match": "*"}, body=changed)
    put("changed", {"if-match": f"W/{saved.headers['etag']}"}, body=changed)
    put("changed", {"if-match": "no tag"}, body=changed)
    put("changed", {"if-match": saved.headers["etag"]} | _NEW, body=changed)
    keyed = {"if-match": saved.headers["etag"], "idempotency-key": "one"}
    put("changed", keyed, body=changed)
    put("changed, the same key", keyed, body=changed)
    put("another, the same key", keyed, body=record)
    put("a bad key", keyed | {"idempotency-key": "é"}, body=record)
    put("stale", {"if-match": saved.headers["etag"]}, body=record)
    tag = asker.ask("GET", here, by="agriculture").headers["etag"]
    asker.ask("GET", here, {"if-none-match": tag}, by="agriculture")
    asker.ask("HEAD", here, by="agriculture")
    for name in ("sante", "review office", "admin", "both"):
        asker.ask("GET", here, by=name)
        asker.ask("DELETE", here, by=name) if name != "both" else None
    for query in ("", "?state=draft", "?state=in_review", "?state=x", "?stat=draft"):
        for name in ("agriculture", "sante", "review office", "admin"):
            asker.ask("GET", _DRAFTS + query, by=name)
    asker.ask("DELETE", here, {"if-match": '"0123456789abcdef"'}, by="agriculture")
    asker.ask("DELETE", here, {"if-match": tag}, by="agriculture")
    asker.ask("DELETE", here, by="agriculture")
    asker.ask("GET", here, by="agriculture")
    for slug in ("Bad_Slug", "a", "x" * 200, "é", "a%2Fb", ".."):
        asker.ask("PUT", f"{_DRAFTS}/demo-agriculture/{slug}", _NEW, by="agriculture", body=record)
    for agency in ("nobody", "us.hhs"):
        asker.ask("PUT", f"{_DRAFTS}/{agency}/one", _NEW, by="agriculture",
                  body=_record("one", agency))  # fmt: skip


def _publish(asker: Asker) -> None:
    """Submit and amend, and repeat names and numbers that the register knows."""
    ask = partial(asker.ask, by="agriculture")

    here, there = f"{_DRAFTS}/demo-agriculture/one", "/api/v1/records/demo-agriculture/one"
    ask("POST", f"{here}/submit", about="no draft")
    ask("PUT", here, _NEW, body=_record("one", purpose=..., risk=...))
    for header in ("en", "fr", "ar"):
        ask("POST", f"{here}/submit", {"accept-language": header}, about="incomplete")
    tag = ask("GET", here).headers["etag"]
    tag = ask("PUT", here, {"if-match": tag}, body=_record("one", source_id="PIN-1")).headers[
        "etag"
    ]
    ask("POST", f"{here}/submit", {"if-match": '"0123456789abcdef"'})
    ask("POST", f"{here}/submit", by="sante")
    ask("POST", f"{here}/submit?x=1")
    ask("POST", f"{here}/submit", {"if-match": tag, "idempotency-key": "two"})
    ask("POST", f"{here}/submit", {"if-match": tag, "idempotency-key": "two"}, about="again")
    ask("POST", f"{here}/submit", about="again, no key")
    ask("POST", f"{here}/submit", {"idempotency-key": "one"}, about="a key of before")
    ask("POST", f"{here}/approve", by="both")
    ask("POST", f"{here}/approve", by="agriculture")
    ask("POST", f"{here}/return", by="both", body={"comment": "no"})
    published = ask("GET", there, by=None).headers["etag"]
    note = {"fr": "Une meilleure description.", "ar": "وصف أحسن للنظام."}
    noted = {**_record("one")["publication"], "change_note": note}
    amended = _record("one", website="https://pluie.example/fr", publication=noted)
    ask("PUT", here, _NEW, body=amended, about="an amendment, as new")
    ask(
        "PUT",
        here,
        {"if-match": f'"{published[1:-1]}-gz"'},
        body=_record("one", tags=[{"fr": "x"}]),
    )
    ask("POST", f"{here}/submit", about="no change note")
    tag = ask("GET", here).headers["etag"]
    ask("PUT", here, {"if-match": tag}, body=amended)
    ask("POST", f"{here}/submit", about="version 2")
    ask("PUT", here, {"if-match": published}, body=_record("one"), about="a tag of before")
    ask("PUT", f"{_DRAFTS}/demo-agriculture/twin", _NEW,
        body=_record("twin", source_id="PIN-1", name=amended["name"]))  # fmt: skip
    ask("POST", f"{_DRAFTS}/demo-agriculture/twin/submit", about="R21 and R22")
    for fixture in ("high", "withheld", "restricted", "below-floor"):
        record = json.loads((_FIXTURES / "valid" / f"{fixture}.json").read_bytes())
        agency = record["id"].split("/")[0]
        if agency == "demo-sante":
            path = f"{_DRAFTS}/{record['id']}"
            ask("PUT", path, _NEW, by="sante", body=record, about=fixture)
            ask("POST", f"{path}/submit", by="sante", about=fixture)


def _withdraw(asker: Asker) -> None:
    record = _record("gone")
    here, there = f"{_DRAFTS}/demo-agriculture/gone", "/api/v1/records/demo-agriculture/gone"
    reason = {"reason": "filed_in_error", "note": {"fr": "Par erreur.", "ar": "خطأ."}}

    ask = partial(asker.ask, by="agriculture")

    ask(
        "POST",
        f"{there}/withdraw",
        {"if-match": '"0123456789abcdef"'},
        body=reason,
        about="unknown",
    )
    ask("PUT", here, _NEW, body=record)
    ask("POST", f"{here}/submit")
    tag = {"if-match": ask("GET", there).headers["etag"]}
    ask(
        "PUT",
        here,
        tag,
        body=_record("gone", tags=[{"fr": "x"}]),
        about="begun before the withdrawal",
    )
    ask("POST", f"{there}/withdraw", body=reason, about="no precondition")
    ask("POST", f"{there}/withdraw", {"if-match": '"0123456789abcdef"'}, body=reason)
    ask("POST", f"{there}/withdraw", tag, body=reason, by=None)
    ask("POST", f"{there}/withdraw", tag, body=reason, by="sante")
    ask("POST", f"{there}/withdraw", tag, body=reason, by="review office")
    for header in ("en", "fr", "ar"):
        ask("POST", f"{there}/withdraw", tag | {"accept-language": header},
            body={"reason": "because", "note": {"fr": ""}, "more": 1})  # fmt: skip
    keyed = tag | {"idempotency-key": "gone"}
    ask("POST", f"{there}/withdraw", keyed, body=reason)
    ask("POST", f"{there}/withdraw", keyed, body=reason, about="again")
    ask("POST", f"{there}/withdraw", tag, body=reason, about="again, no key")
    ask("POST", f"{there}/withdraw", tag, body=reason | {"reason": "other"}, about="another reason")
    ask("GET", there, by=None)
    ask("POST", f"{here}/submit", about="after the withdrawal")
    ask("DELETE", here)
    noted = {**record["publication"], "change_note": {"fr": "De retour au registre."}}
    ask("PUT", here, _NEW, body=record | {"publication": noted}, about="filed anew")
    ask("POST", f"{here}/submit", about="filed anew")
    found = asker.ask("GET", "/api/v1/records?origin=us-omb-2025&sort=name&limit=1").json()
    foreign = f"/api/v1/records/{found['items'][0]['id']}"
    tag = {"if-match": ask("GET", foreign, by=None).headers["etag"]}
    ask("POST", f"{foreign}/withdraw", tag, body=reason)
    ask("POST", f"{foreign}/withdraw", tag, by="admin", body=reason)


def _redact(asker: Asker) -> None:
    here = "/api/v1/redactions"
    wish = {
        "record": "demo-sante/triage-radiographies",
        "versions": [1, 2],
        "pointers": ["/contact/url", "/website"],
        "basis": "data_protection",
        "authority": "CNDP",
    }

    ask = partial(asker.ask, by="legal office")

    ask("POST", here, by=None, body=wish)
    ask("POST", here, by="agriculture", body=wish)
    for header in ("en", "fr", "ar"):
        sent = {"accept-language": header}
        ask("POST", here, sent, body=wish | {"pointers": ["/name"], "versions": [9], "basis": "x"})
        ask("POST", here, sent, body=wish | {"pointers": ["/name"]})
        ask("POST", here, sent, body=wish | {"pointers": ["/contact/nothing", "no pointer"]})
    ask("POST", here, body=wish | {"record": "demo-sante/nothing"})
    ask("POST", here, {"idempotency-key": "erase"}, body=wish)
    ask("POST", here, {"idempotency-key": "erase"}, body=wish, about="again")
    ask("POST", here, {"idempotency-key": "erase"}, body=wish | {"versions": [1]}, about="another")
    number = ask("GET", here).json()["items"][0]["id"]
    ask("POST", f"{here}/{number}/confirm", by="agriculture")
    ask("POST", f"{here}/{number}/confirm", about="who asked")
    ask("POST", f"{here}/{number}/confirm", {"idempotency-key": "sure"}, by="data office")
    ask(
        "POST",
        f"{here}/{number}/confirm",
        {"idempotency-key": "sure"},
        by="data office",
        about="again",
    )
    ask("POST", f"{here}/{number}/confirm", by="data office", about="again, no key")
    ask("POST", f"{here}/999/confirm", by="data office")
    ask("POST", f"{here}/x/confirm", by="data office")
    ask("GET", here, by="admin")
    found = asker.ask(
        "GET", "/api/v1/records?origin=us-omb-2025&technique=classical_ml&sort=name&limit=1"
    ).json()
    wish = wish | {"record": found["items"][0]["id"], "versions": [1], "pointers": ["/technical"]}
    number = ask("POST", here, body=wish).json()["redaction"]
    ask("POST", f"{here}/{number}/confirm", by="data office", about="an imported record")


def _attest(asker: Asker) -> None:
    here = "/api/v1/attestations/demo-sante"
    said = {"day": "2026-11-20", "systems_total": 7, "contact": {"email": "c@demo-sante.example"}}

    def put(
        headers: Mapping[str, str] = NO_HEADERS, by: str | None = "sante", **changes: Any
    ) -> None:
        asker.ask("PUT", here, headers, by=by, body=said | changes, about=json.dumps(changes))

    put(by=None)
    put(by="agriculture")
    put(by="admin")
    for header in ("en", "fr", "ar"):
        put({"accept-language": header}, day="2027-01-01")
        put({"accept-language": header}, systems_total="many", more=1, contact={})
    put({"idempotency-key": "seven"})
    put({"idempotency-key": "seven"})
    put()
    put({"idempotency-key": "seven"}, systems_total=8)
    put(systems_total=8, note={"fr": "Huit.", "ar": "ثمانية."})
    put(day="2026-11-22", systems_total=0)
    asker.ask("PUT", "/api/v1/attestations/nobody", by="sante", body=said)


def _file_many(asker: Asker) -> None:
    lines = [
        json.dumps(_record("many-one")),
        '{"id": "demo-agriculture/many-two"',
        "",
        json.dumps(_record("many-three", risk={"level": "huge"})),
        json.dumps(_record("many-four", "demo-sante")),
        json.dumps(_record("many-five", purpose=...)),
        json.dumps(_record("one", tags=[{"fr": "changé"}])),
        json.dumps(_record("many-one")),
        "[]",
    ]
    body = "\n".join(lines).encode()
    passed_on = {"x-forwarded-for": "192.0.2.1"}
    for action in ("?action=draft", "?action=submit", "", "?action=publish"):
        for headers in (_NDJSON, _NDJSON | passed_on, _NDJSON | {"accept-language": "fr"}):
            asker.ask("POST", _DRAFTS + action, headers, by="agriculture", body=body)
    asker.ask("POST", f"{_DRAFTS}?action=submit", _NDJSON, body=body)
    asker.ask("POST", f"{_DRAFTS}?action=submit", _NDJSON, by="admin", body=body)
    asker.ask("POST", f"{_DRAFTS}?action=submit", by="agriculture", body={})
    asker.ask("POST", f"{_DRAFTS}?action=submit", _NDJSON, by="agriculture", body=b"")


def _file_with_review(asker: Asker) -> None:
    """File where a second person approves or returns; leave some drafts in review."""
    ask = partial(asker.ask, by="agriculture")

    here = f"{_DRAFTS}/demo-agriculture/reviewed"
    for slug in ("reviewed", "waiting-one", "waiting-two", "returned", "unfinished"):
        ask("PUT", f"{_DRAFTS}/demo-agriculture/{slug}", _NEW, body=_record(slug))
    for slug in ("waiting-one", "waiting-two", "returned"):
        ask("POST", f"{_DRAFTS}/demo-agriculture/{slug}/submit")
    ask("POST", f"{here}/approve", by="review office", about="not submitted")
    ask("POST", f"{here}/submit", {"idempotency-key": "three"}, by="both")
    ask("POST", f"{here}/submit", {"idempotency-key": "three"}, by="both", about="again")
    ask("POST", f"{here}/submit", about="again, no key")
    tag = ask("GET", here).headers["etag"]
    ask(
        "PUT",
        here,
        {"if-match": tag},
        body=_record("reviewed", tags=[{"fr": "x"}]),
        about="in review",
    )
    ask("GET", here, by="review office")
    ask("GET", here, by="sante")
    ask("GET", f"{_DRAFTS}?state=in_review", by="review office")
    comment = {"comment": {"fr": "Dites qui relit.", "ar": "من يراجع؟"}}
    ask("POST", f"{here}/return", body=comment)
    for body in ({"comment": ""}, {"comment": {"fr": "x" * 2001}}, {}, {"comment": {"f r": "x"}}):
        ask("POST", f"{here}/return", {"accept-language": "fr"}, by="review office", body=body)
    ask("POST", f"{here}/return", {"if-match": tag}, by="review office", body=comment)
    ask("POST", f"{here}/return", by="review office", body=comment, about="again")
    ask("POST", f"{_DRAFTS}/demo-agriculture/returned/return", by="review office",
        body={"comment": "Plain text."})  # fmt: skip
    tag = ask("GET", here).headers["etag"]
    ask("PUT", here, {"if-match": tag}, body=_record("reviewed", tags=[{"fr": "relu"}]))
    ask("POST", f"{here}/submit", by="both")
    ask("POST", f"{here}/approve", by="both", about="who submitted")
    ask("POST", f"{here}/approve", by="sante", about="another agency's reviewer")
    ask("POST", f"{here}/approve", {"if-match": '"0123456789abcdef"'}, by="review office")
    ask("POST", f"{here}/approve", {"idempotency-key": "four"}, by="review office")
    ask("POST", f"{here}/approve", {"idempotency-key": "four"}, by="review office", about="again")
    ask("POST", f"{here}/approve", by="review office", about="again, no key")
    ask("POST", f"{here}/submit", about="after the approval")
    lines = "\n".join(json.dumps(_record(slug)) for slug in ("line-one", "line-two"))
    ask("POST", f"{_DRAFTS}?action=submit", _NDJSON, body=lines.encode())
    ask("POST", f"{_DRAFTS}?action=submit", _NDJSON, body=lines.encode(), about="again")
    ask("DELETE", f"{_DRAFTS}/demo-agriculture/line-two", about="in review")


def _use_up_limits(asker: Asker) -> None:
    asked = {
        "validations": ("POST", "/api/v1/validate", None, {"id": 1}),
        "writes": ("DELETE", f"{_DRAFTS}/demo-education/x", "limited", None),
        "exports": ("GET", "/api/v1/exports/records.csv?agency=demo-sante", None, None),
    }
    for about, (method, path, by, body) in asked.items():
        for number in range(1, 5):
            asker.ask(method, path, by=by, body=body, about=f"{about}, {number}")
    for number in range(1, 5):
        asker.ask("GET", _DRAFTS, {"authorization": "Bearer regt_x"}, about=f"failures, {number}")
    asker.ask("GET", _DRAFTS, by="limited", about="a good token after that")
    asker.ask("POST", "/api/v1/validate", {"x-forwarded-for": "192.0.2.9"}, body={"id": 1},
              about="another address")  # fmt: skip
