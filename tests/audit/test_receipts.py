"""Receipts of answers: of many kinds, verified with the register off, and changed in many ways.

One register answers and is ended; one other is rebuilt from a copy of its log, for all receipts.
"""

import re
import shutil
from base64 import b64encode
from hashlib import sha256

import msgspec
import pytest

from registry.api.receipts import MEDIA_TYPE, AnswerReceipt, canonical_answer
from registry.audit.receipts import verify_receipts
from registry.cli.main import main
from registry.errors import Unavailable, UnreadableDocument
from registry.ledger.key import make
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from tests.served import UNLIMITED, served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("receipts")]

QUESTIONS = [
    "records",
    "records?risk=high&risk=limited&status=in_use",
    "records?q=eau&lang=fr&reader=fr",
    "records?q=%D9%85%D8%A7%D8%A1",
    "records?lacks=data.legal_basis&facets=data.legal_basis",
    "records?by=risk,status&limit=1",
    "records?by=published_at:month,agency&limit=1",
    "records?transitions=risk.level&changed_since=2000-01-01&limit=1",
    "records?overdue=true&sort=review_due",
    "records?agency=demo-sante&facets=risk,sector,procurement.contract.procedure",
    "records?evaluation.incidents.status=open",
    "records?changed_since=2000-01-01&sort=name&limit=3",
    "records?as_of=entry:9",
    "statistics",
    "statistics?by=agency,finding&origin=local",
    "statistics?as_of=entry:20&by=risk",
    "exports/records.csv?risk=high&columns=full",
    "exports/records.jsonl?agency=demo-sante",
    "exports/records.jsonld?agency=demo-education",
    "exports/records.xlsx?risk=high&lang=fr",
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Answers that were kept, by question, a copy of the log, and a receipt of a later day."""
    folder = tmp_path_factory.mktemp("kept")
    by_link = {"receipt": "1"}
    with served(load=True, workers=1, **UNLIMITED) as running:
        assert running.register.run("log", "publish").returncode == 0
        receipts = {}
        for turn, asked in enumerate(QUESTIONS):
            # A program asks by header, a link by parameter: both get the same.
            path, _, query = asked.partition("?")
            url = f"/api/v1/{path}?{query}"
            answer = running.client.get(url, headers={"accept": MEDIA_TYPE})
            assert answer.status_code == 200, answer.text
            if turn % 5 == 0:
                again = running.client.get(url, params={**answer.request.url.params, **by_link})
                assert again.content == answer.content
            assert answer.headers["content-type"] == MEDIA_TYPE
            receipts[asked] = answer.json()
        shutil.copytree(running.register.data / "log", folder / "before")
        contact = ("--contact", "registre@demo-sante.example")
        for command in (("attest", "demo-sante", "--systems", "9", *contact), ("log", "publish")):
            assert running.register.run(*command).returncode == 0
        later = running.client.get("/api/v1/records", params=by_link).json()
        shutil.copytree(running.register.data / "log", folder / "log")
    return receipts, folder, later


def judge(given, folder):
    def verify(read, replay):
        return verify_log(read, verifier=None, progress=lambda *_: None, replay=replay)

    contents = [(where, msgspec.json.encode(receipt)) for where, receipt in given.items()]
    return verify_receipts(contents, read_from(folder), verify=verify, progress=lambda *_: None)


def edited(receipt, edit, *, digested=False, coded=False):
    """Return a receipt changed, and what follows from its members changed with it, or not."""
    changed = msgspec.json.decode(msgspec.json.encode(receipt))
    edit(changed)
    if digested:
        changed["digest"] = sha256(
            canonical_answer(changed["media_type"], changed["answer"])
        ).hexdigest()
    if coded:
        changed["code"] = msgspec.convert(changed, AnswerReceipt).own_code()
    return changed


def put(*path):
    """Return an edit that puts the last of a path into the place that the others lead to."""
    *way, last, value = path

    def edit(receipt):
        for step in way:
            receipt = receipt[step]
        receipt[last] = value

    return edit


def with_bools(value):
    """Return a value of JSON with true and false for 1 and 0, which Python takes for the same."""
    if isinstance(value, dict):
        return {name: with_bools(one) for name, one in value.items()}
    if isinstance(value, list):
        return [with_bools(one) for one in value]
    return bool(value) if value in (0, 1) and isinstance(value, int) else value


def changes(receipts, later, folder):
    """Yield changed receipts, each with what must be said of it."""
    high, csv, numbers, workbook, lines, table, then = (
        receipts[QUESTIONS[at]] for at in (1, 16, 13, 19, 17, 5, 12)
    )
    first = high["answer"]["items"][0]
    other = high["question"].replace("risk=high&risk=limited", "risk=minimal")
    root = verify_log(read_from(folder / "log"), verifier=None, progress=lambda *_: None).root_at(4)

    def earlier(receipt):
        receipt |= {"entry": 3, "root": b64encode(root).decode()}

    whole = {"digested": True, "coded": True}
    note = put("checkpoint", later["checkpoint"])
    yield high, put("answer", "total", 99), {}, "answer: total is 99, and .* follows"
    yield high, put("answer", "total", 99), {}, "digest: it is not that of the answer"
    yield high, put("answer", "total", 99), whole, "answer: total is 99, and .* follows"
    yield high, put("answer", "total", 99), whole, "digest: it is that of the answer: the question"
    yield high, lambda one: one["answer"]["items"].pop(), whole, "answer: items, .* is missing, and"
    yield high, put("answer", "items", 0, "risk", "none"), whole, 'answer: items, 0, risk is "none"'
    yield high, lambda one: one["answer"]["items"].insert(0, first), whole, "answer: items, "
    yield high, put("answer", "court_note", None), whole, "answer: court_note is null, and nothing"
    yield high, put("answer", "items", 0, "note", None), whole, "answer: items, 0, note is null"
    yield high, lambda one: one["answer"].pop("suggestion"), whole, "answer: suggestion is missing"
    bools = with_bools(high["answer"])
    yield high, put("answer", bools), whole, "answer: .* is (true|false), and [01] follows"
    yield high, put("register", "http://["), {}, "no whole receipt.*IPv6"
    yield high, put("register", "/etc/passwd"), whole, "no whole receipt.*register: it is no addr"
    yield high, put("note", "the court found 500"), {}, "no whole receipt.*unknown field"
    yield high, lambda one: one.pop("checkpoint"), {}, "no whole receipt.*missing.*checkpoint"
    yield high, put("answer", "total", 10**18), {}, "no whole receipt"
    yield high, put("release", "9.9.9"), {"coded": True}, "release: the log states no release 9.9"
    yield high, put("question", other), {}, "answer: total is"
    yield high, put("question", "/api/v1/agencies"), {}, "question: /api/v1/agencies is no address"
    yield high, put("question", other.replace("minimal", "mini")), {}, "question: .* unknown code"
    yield (
        high,
        put("question", high["question"].replace("/records?", "/records?&")),
        {},
        ("question: the file says .*, and .* follows"),
    )
    yield high, put("entry", 3), {}, "root: the log has another one with entry 3"
    yield high, earlier, {}, "entry: the file says 3, and .* follows"
    yield high, put("at", "2020-01-01T00:00:00Z"), {}, "at: the file says 2020"
    yield high, put("root", b64encode(bytes(32)).decode()), {}, "root: the log has another one"
    yield high, put("size", high["size"] - 1), {}, "size: .* its checkpoint, of another day, "
    yield high, note, {}, "size: .* its checkpoint, of another day, "
    yield high, put("checkpoint", high["checkpoint"].replace("— ", "— x")), {}, "checkpoint: it is"
    yield high, put("origin", "other.example/log"), {}, "origin: the answer is of the log other"
    yield high, put("code", "0000-0000-0000"), {}, "code: of this answer it is "
    yield high, put("release", "0.0.1"), {}, "release: the log states no"
    yield then, put("entry", later["size"]), {}, "entry: the checkpoint is of a log that had no"
    yield csv, put("answer", csv["answer"].replace("high", "low")), whole, "answer: line .* has “"
    yield lines, put("answer", lines["answer"].replace("a", "b", 9)), whole, "answer: line 1 has"
    yield (
        workbook,
        put("answer", b64encode(b"PK").decode()),
        whole,
        "answer: (it has other bytes from byte 2|line 1 has “PK”, and “PK)",
    )
    yield numbers, put("answer", "local", "records", 7), whole, "answer: local, records is 7, and"
    yield table, lambda one: one["answer"]["cells"].reverse(), whole, "answer: cells, 0"
    yield table, put("media_type", "text/html"), {}, "no whole receipt"


def test_what_was_kept_is_answered_and_what_was_changed_is_named(kept):
    receipts, folder, later = kept
    given, expected = dict(receipts), {}
    for number, (receipt, edit, options, words) in enumerate(changes(receipts, later, folder)):
        changed = edited(receipt, edit, **options)
        given[number], expected[number] = changed, words

    reports = {one.where: one for one in judge(given, folder / "log")}

    assert [*reports] == [*given]
    assert {
        asked: reports[asked].differences for asked in receipts if reports[asked].differences
    } == {}
    assert len(expected) >= 20
    for number, words in expected.items():
        said = reports[number].differences
        if (refusal := reports[number].refusal) is not None:
            assert isinstance(refusal, UnreadableDocument)
            said = [refusal.detail]
        assert any(re.search(words, one) for one in said), (words, said)


def test_an_answer_later_than_the_copy_is_not_judged(kept):
    receipts, folder, later = kept
    good, late = judge({"good": receipts["statistics"], "later": later}, folder / "before")
    assert (good.refusal, good.differences) == (None, [])
    assert isinstance(late.refusal, Unavailable)
    assert "take a later copy" in late.refusal.detail


def test_the_command_says_what_it_found(kept, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    receipts, folder, _ = kept
    receipt = receipts["statistics"]
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "good.json").write_bytes(msgspec.json.encode(receipt))

    def run(*arguments):
        try:
            main(["verify", *map(str, arguments)])
        except SystemExit as ended:
            return ended.code, capsys.readouterr().err
        return 0, capsys.readouterr().err

    code, said = run(answers / "good.json")
    assert (code, "is a kept answer: say with --mirror" in said.replace("\n", " ")) == (2, True)
    code, said = run(answers / "good.json", "--mirror", folder / "log")
    assert (code, f"the register of that day answers this: code {receipt['code']}" in said) == (
        0,
        True,
    )
    assert "The key is the one that the proof or the log names itself" in said
    stranger = make(receipt["origin"]).verifier.to_text()
    assert run(answers, "--mirror", folder / "log", "--key", stranger)[0] == 1

    # Beside it lies what has nothing to do with it.
    (answers / "README.txt").write_text("kept by the court")
    (answers / "page.html").write_text("<!doctype html><title>Kept answer</title>")
    assert run(answers, "--mirror", folder / "log")[0] == 0

    whole = msgspec.json.encode(receipt)
    register = put("register", "https://other.example")
    contents = {
        "bad": msgspec.json.encode(edited(receipt, put("answer", "local", "records", 7))),
        "elsewhere": msgspec.json.encode(edited(receipt, register, digested=True, coded=True)),
        "doubled": whole.replace(b'"answer":', b'"answer":{"total":500},"answer":', 1),
        "inside": whole.replace(b'"records":', b'"records":500,"records":', 1),
        "cut": whole[:2000],
        "empty": b"",
        "nan": re.sub(rb'"records":\d+', b'"records":NaN', whole, count=1),
        "listed": b"[" + whole + b"]",
        "problem": b'{"type":"/problems/unavailable","status":503,"detail":"signed nothing yet"}',
    }
    for name, content in contents.items():
        (answers / f"{name}.json").write_bytes(content)
    code, said = run(answers, "--mirror", folder / "log")
    assert code == 1
    for words in (
        "bad.json: answer: local, records is 7, and",
        "bad.json: the register of that day does not answer this",
        "good.json: the register of that day answers this",
        "elsewhere.json: the register of that day answers this",
        "asked (address as the file says): https://other.example/api/v1/statistics",
        "nothing proves that the register was at https://other.example",
        "doubled.json: this is no whole receipt of an answer: the key 'answer' occurs twice",
        "inside.json: this is no whole receipt of an answer: the key 'records' occurs twice",
        "cut.json: this is no whole receipt of an answer: not readable JSON from byte ",
        "empty.json: this is no whole receipt of an answer: not readable JSON from byte 0; get it",
        "nan.json: this is no whole receipt of an answer: NaN is no number",
        "listed.json: this is no whole receipt of an answer: Expected `object`, got `array`",
        "problem.json: this is no whole receipt",
    ):
        assert words in said, words
    code, said = run(answers / "cut.json", "--mirror", folder / "log")
    assert (code, "not readable JSON from byte" in said, "--mirror" in said) == (1, True, False)
