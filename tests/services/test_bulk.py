"""Filing line by line: an answer for every line, in order, whatever the others are."""

import asyncio
import copy
import datetime as dt
import json

import asyncpg
import msgspec
import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    InvalidRecord,
    NotFound,
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
    Unavailable,
    UnreadableDocument,
)
from registry.record.canonical import canonical
from registry.record.parse import MAX_BYTES
from registry.search.query import SearchQuery
from registry.services.filing import bulk, drafts, pipeline, review
from registry.services.filing.bulk import InputLine, file_lines, identifier, split_lines
from registry.services.filing.drafts import Precondition
from registry.services.operations import limits
from registry.services.people import access_tokens
from registry.services.people.access import Actor
from registry.services.people.access_tokens import EndedToken
from registry.services.statements.withdrawal import withdraw
from registry.store import audit_trail, records
from registry.store.drafts import read_all as read_drafts
from tests.conftest import amended
from tests.searched import search

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HEALTH = Actor(name="records", agency="demo-sante", scopes=frozenset({"file"}), token=1)


async def pieces(*chunks):
    for chunk in chunks:
        yield chunk


async def cut(*chunks):
    return [(line.number, line.content) async for line in split_lines(pieces(*chunks))]


def body(*documents):
    return b"".join(canonical(document) + b"\n" for document in documents)


def variant(record, number, **changes):
    document = copy.deepcopy(record)
    document["id"] = f"demo-sante/line-{number}"
    document["source_id"] = f"L-{number}"
    document["name"] = {tag: f"{text} {number}" for tag, text in document["name"].items()}
    return document | changes


@pytest.fixture
def file(context):
    async def file(content, purpose="submit", actor=HEALTH, now=NOW, by=context, **options):
        given = split_lines(pieces(content)) if isinstance(content, bytes) else content
        return [
            line
            async for line in file_lines(
                by, actor, given, purpose=purpose, now=lambda: now, **options
            )
        ]

    return file


def outcomes(told):
    return [
        type(line.result) if isinstance(line.result, Exception) else line.result.outcome
        for line in told
    ]


async def stored(context, record, version=None):
    async with context.database.connection() as connection:
        return await records.read(connection, record, version)


async def test_a_stream_is_cut_at_line_ends_wherever_the_pieces_end():
    text = b'{"a":1}\r\n\n  \t\r\n{"b":2}\n{"c":3}'
    wanted = [(1, b'{"a":1}'), (4, b'{"b":2}'), (5, b'{"c":3}')]
    assert await cut(text) == wanted
    assert await cut(*(text[at : at + 1] for at in range(len(text)))) == wanted
    assert await cut(text[:9], text[9:]) == wanted
    assert await cut() == []
    assert await cut(b"\n\n") == []
    assert await cut(b"x\n") == [(1, b"x")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
async def test_a_line_that_is_too_long_is_told_and_not_kept(ending):
    largest = b"x" * MAX_BYTES
    assert await cut(largest + ending, b"y" if ending else b"") == [
        (1, largest),
        *([(2, b"y")] if ending else []),
    ]
    found = await cut(largest, b"x" + ending)
    assert found == [(1, None)]
    found = await cut(*[b"x" * 100_000] * 50, ending, b"z")
    assert found[0] == (1, None)


async def test_every_line_is_published_in_its_order(context, file, record):
    documents = [variant(record, number) for number in range(pipeline.BATCH_SIZE * 2 + 7)]
    told = await file(body(*documents))
    assert [line.number for line in told] == list(range(1, len(documents) + 1))
    assert [line.record for line in told] == [document["id"] for document in documents]
    assert set(outcomes(told)) == {"published"}
    assert [line.result.entry for line in told] == list(range(1, len(documents) + 1))
    for line, document in zip(told, documents, strict=True):
        kept = await stored(context, document["id"])
        assert kept.document == canonical(document)
        assert (kept.register.hash, kept.register.entry) == (line.result.hash, line.result.entry)
    async with context.database.connection() as connection:
        answer = await search(connection, SearchQuery(sort="newest", limit=1))
    assert answer.total == len(documents)


async def test_a_line_is_published_as_a_single_filing_would_be(context, file, record):
    [line] = await file(body(record))
    other = variant(record, 1)
    await drafts.save_draft(
        context, HEALTH, other["id"], other, precondition=Precondition(new=True), now=NOW
    )
    alone = await review.submit(context, HEALTH, other["id"], precondition=None, now=NOW)
    one, two = await stored(context, record["id"]), await stored(context, other["id"])
    for place in ("completeness", "accountability", "missing", "findings", "state", "fictitious"):
        assert getattr(one.register, place) == getattr(two.register, place), place
    assert (line.result.outcome, line.result.version) == (alone.outcome, alone.version)
    async with context.database.connection() as connection:
        rows = await connection.fetch("select actor, rule_set, schema_version from version")
    assert len({tuple(row) for row in rows}) == 1


async def test_filing_again_changes_nothing_and_a_change_is_the_next_version(context, file, record):
    documents = [variant(record, number) for number in range(3)]
    first = await file(body(*documents))
    again = await file(body(*documents), now=NOW + dt.timedelta(days=1))
    assert outcomes(again) == ["unchanged"] * 3
    for one, two in zip(first, again, strict=True):
        assert msgspec.structs.replace(two.result, outcome="published") == one.result
    documents[1] = amended(documents[1], website="https://demo.example/autre")
    changed = await file(body(*documents))
    assert outcomes(changed) == ["unchanged", "published", "unchanged"]
    assert changed[1].result.version == 2


async def test_a_record_that_comes_twice_is_filed_twice_in_its_order(context, file, record):
    second = amended(record, website="https://demo.example/autre")
    told = await file(body(record, variant(record, 1), second, second, record))
    assert outcomes(told) == ["published", "published", "published", "unchanged", "published"]
    assert [line.result.version for line in told if line.record == record["id"]] == [1, 2, 2, 3]
    assert (await stored(context, record["id"], 2)).document == canonical(second)


async def test_a_broken_line_never_stops_the_rest(context, file, record):
    good = [variant(record, number) for number in range(3)]
    incomplete = {key: value for key, value in variant(record, 7).items() if key != "purpose"}
    broken = [
        b'{"id": "demo-sante/x",',
        b"[]",
        b"null",
        canonical({"schema_version": "1.0"}),
        canonical(variant(record, 8, id="demo-sante/Not An Id")),
        canonical(variant(record, 8, id=7)),
        canonical(variant(record, 8, id="demo-education/x")),
        canonical(variant(record, 8, id="us.hhs/x")),
        canonical(variant(record, 8, risk={"level": "huge"})),
        canonical(incomplete),
        b'{"name": "\xe9"}',
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xef\xbb\xbf{}",
        b"[" * 100,
        b"x" * (MAX_BYTES + 1),
        canonical(variant(record, 9)) + b" trailing",
    ]
    content = b"\n".join(
        [
            canonical(good[0]),
            *broken[:8],
            canonical(good[1]),
            b"",
            *broken[8:],
            canonical(good[2]),
        ]
    )
    told = await file(content)
    assert [line.number for line in told] == [*range(1, 11), *range(12, 22)]
    assert outcomes(told) == [
        "published",
        UnreadableDocument,
        UnreadableDocument,
        UnreadableDocument,
        InvalidRecord,
        InvalidRecord,
        InvalidRecord,
        Forbidden,
        Forbidden,
        "published",
        InvalidRecord,
        InvalidRecord,
        UnreadableDocument,
        UnreadableDocument,
        UnreadableDocument,
        UnreadableDocument,
        UnreadableDocument,
        PayloadTooLarge,
        UnreadableDocument,
        "published",
    ]
    by_number = {line.number: line for line in told}
    assert by_number[14].result.detail.endswith("(line 14, column 11)")
    assert (by_number[18].result.line, by_number[18].result.column) == (18, 33)
    assert {one.pointer for one in by_number[5].result.findings} == {"/id"}
    assert by_number[5].result.detail == "the document does not say which record it is"
    assert by_number[6].result.detail.startswith("'demo-sante/Not An Id' is not the identifier")
    assert "/risk/level" in {one.pointer for one in by_number[12].result.findings}
    assert {"/purpose/goal"} <= {one.pointer for one in by_number[13].result.findings}
    async with context.database.connection() as connection:
        assert await connection.fetchval("select count(*) from record") == 3


@pytest.mark.parametrize(
    ("document", "rule", "word"),
    [
        ({}, "required", "Identifiant"),
        ({"id": 5}, "type", "et non 5"),
        ({"id": ""}, "pattern", "minuscules"),
        ({"id": "demo-sante/UPPER"}, "pattern", "minuscules"),
        ({"id": "demo-sante/index"}, "pattern", "réservé"),
        ({"id": f"demo-sante/{'x' * 120}"}, "maxLength", "120"),
    ],
)
def test_what_is_wrong_with_an_id_is_told_as_validation_tells_it(pack, document, rule, word):
    with pytest.raises(InvalidRecord) as refused:
        identifier(document, pack, dt.date(2026, 11, 24), "fr")
    [finding] = refused.value.findings
    assert (finding.pointer, finding.rule, finding.lang) == ("/id", rule, "fr")
    assert word in finding.message


async def test_refusals_are_told_in_the_language_asked_for(file, record):
    await file(body(record))
    unexplained = copy.deepcopy(record) | {"website": "https://demo.example/autre"}
    del unexplained["publication"]["change_note"]
    incomplete = {key: value for key, value in variant(record, 7).items() if key != "purpose"}
    told = await file(body(unexplained, incomplete), language="fr")
    assert outcomes(told) == [InvalidRecord, InvalidRecord]
    for line in told:
        assert {finding.lang for finding in line.result.findings} == {"fr"}


async def test_lines_are_examined_beside_those_before_them(file, record):
    twin = variant(record, 1)
    twin["source_id"] = record["source_id"]
    told = await file(body(record, twin))
    assert outcomes(told) == ["published", InvalidRecord]
    assert [one.rule for one in told[1].result.findings if one.severity == "error"] == ["R21"]
    # A line that is refused is no neighbour of those after it.
    refused = variant(record, 2, risk={"level": "huge"}, source_id="S")
    unexplained = variant(record, 3, source_id="T")
    del unexplained["publication"]["change_note"]
    told = await file(body(refused, variant(record, 4, source_id="S"), unexplained))
    assert outcomes(told) == [InvalidRecord, "published", "published"]


async def test_one_that_was_refused_for_its_history_frees_what_it_would_have_taken(file, record):
    await file(body(record))
    moved = copy.deepcopy(record) | {"source_id": "MOVED"}
    del moved["publication"]["change_note"]
    told = await file(
        body(
            moved, variant(record, 1, source_id="MOVED"), variant(record, 2, source_id="DS-2025-11")
        )
    )
    assert outcomes(told)[:2] == [InvalidRecord, "published"]
    assert outcomes(told)[2] is InvalidRecord


async def test_drafts_are_saved_over_what_is_there(context, file, record):
    incomplete = {key: value for key, value in variant(record, 1).items() if key != "purpose"}
    documents = [variant(record, 0), incomplete]
    first = await file(body(*documents), "draft")
    assert outcomes(first) == ["created", "created"]
    assert [line.result.publishable for line in first] == [True, False]
    again = await file(body(*documents), "draft")
    assert outcomes(again) == ["unchanged", "unchanged"]
    assert [line.result.tag for line in again] == [line.result.tag for line in first]
    changed = await file(body(documents[0] | {"website": "https://demo.example/x"}), "draft")
    assert outcomes(changed) == ["changed"]
    assert changed[0].result.tag != first[0].result.tag
    assert await stored(context, documents[0]["id"]) is None
    read = await drafts.read_draft(context, HEALTH, documents[0]["id"], now=NOW)
    assert read.draft.tag == changed[0].result.tag
    broken = await file(body(variant(record, 5, risk={"level": "huge"})), "draft")
    assert outcomes(broken) == [InvalidRecord]


async def test_a_draft_of_a_published_record_begins_with_its_version_now(context, file, record):
    await file(body(record))
    await file(body(amended(record, website="https://demo.example/1")), "draft")
    await file(body(amended(record, website="https://demo.example/2")))
    # Publishing has replaced the draft; one that is saved now amends version 2.
    await file(body(amended(record, website="https://demo.example/3")), "draft")
    receipt = await review.submit(context, HEALTH, record["id"], precondition=None, now=NOW)
    assert (receipt.outcome, receipt.version) == ("published", 3)


async def test_a_draft_is_published_over(context, file, record):
    await file(body(record | {"website": "https://demo.example/draft"}), "draft")
    assert outcomes(await file(body(record))) == ["published"]
    with pytest.raises(NotFound):
        await drafts.read_draft(context, HEALTH, record["id"], now=NOW)


async def test_where_review_is_required_lines_go_into_review(context, file, record):
    context = msgspec.structs.replace(context, review="required")

    async def submit(*documents, now=NOW):
        given = split_lines(pieces(body(*documents)))
        return [
            line
            async for line in file_lines(context, HEALTH, given, purpose="submit", now=lambda: now)
        ]

    incomplete = {key: value for key, value in variant(record, 1).items() if key != "purpose"}
    first = await submit(record, incomplete)
    assert outcomes(first) == ["in_review", InvalidRecord]
    assert first[0].result.submitted_at == NOW
    again = await submit(record, now=NOW + dt.timedelta(hours=1))
    assert again[0].result == first[0].result
    other = await submit(record | {"website": "https://demo.example/autre"})
    assert outcomes(other) == [Conflict]
    saved = await file(body(record | {"website": "https://demo.example/autre"}), "draft")
    assert outcomes(saved) == [Conflict]
    assert await stored(context, record["id"]) is None
    async with context.database.connection() as connection:
        [waiting] = await read_drafts(connection, None)
    assert (waiting.record, waiting.state, waiting.submitted_by) == (
        record["id"],
        "in_review",
        "records",
    )
    reviewer = Actor(name="authority", agency=None, scopes=frozenset({"review"}), token=1)
    tag = Precondition(tag=waiting.tag)
    approved = await review.approve(context, reviewer, record["id"], precondition=tag, now=NOW)
    assert approved.version == 1
    assert outcomes(await submit(record)) == ["unchanged"]


async def test_a_withdrawn_record_is_reinstated_by_its_next_filing(context, file, record):
    [first] = await file(body(record))
    await withdraw(
        context,
        HEALTH,
        record["id"],
        {"reason": "filed_in_error", "note": {"fr": "Déposée par erreur."}},
        precondition=Precondition(tag=first.result.hash[:16]),
        now=NOW,
    )
    told = await file(body(amended(record)))
    assert [(line.result.outcome, line.result.version) for line in told] == [("published", 2)]


async def test_more_lines_than_a_request_may_have_are_refused_one_by_one(
    context, file, record, monkeypatch
):
    monkeypatch.setattr(bulk, "MOST_LINES", 3)
    monkeypatch.setattr(bulk, "_MOST_ANSWERED", 6)
    documents = [variant(record, number) for number in range(9)]
    told = await file(body(*documents[:5]))
    assert outcomes(told) == [*["published"] * 3, *[PayloadTooLarge] * 2]
    assert [line.number for line in told] == [1, 2, 3, 4, 5]
    told = await file(body(*documents))
    assert outcomes(told) == [*["unchanged"] * 3, *[PayloadTooLarge] * 4]
    assert "nothing was read" in told[-1].result.detail
    assert told[-1].number == 7


async def test_an_agency_publishes_so_much_a_day_and_what_is_in_force_costs_nothing(
    context, file, record
):
    few = msgspec.structs.replace(context, publications_a_day=2)
    documents = [variant(record, number) for number in range(3)]
    *published, refused = await file(body(*documents), by=few)
    assert outcomes(published) == ["published"] * 2
    assert isinstance(refused.result, TooManyRequests)
    assert "2 versions a day" in refused.result.detail
    assert refused.result.retry_after == 12 * 3600
    tomorrow = NOW + dt.timedelta(hours=13)
    await limits.forget_unused(context.database, now=NOW + dt.timedelta(hours=2))
    assert outcomes(await file(body(*documents), by=few)) == ["unchanged"] * 2 + [TooManyRequests]
    told = await file(body(*documents), by=few, now=tomorrow)
    assert outcomes(told) == ["unchanged"] * 2 + ["published"]
    other = variant(record, 9, id="demo-education/x")
    schools = msgspec.structs.replace(HEALTH, agency="demo-education")
    assert outcomes(await file(body(other), by=few, actor=schools)) == ["published"]


async def test_lines_are_paid_for_and_the_rest_is_refused_where_that_is_over(
    file, record, monkeypatch
):
    monkeypatch.setattr(bulk, "LINES_A_WRITE", 2)
    monkeypatch.setattr(bulk, "BATCH_SIZE", 2)
    paid = []

    async def pay():
        if len(paid) == 2:
            raise TooManyRequests("used up", retry_after=7)
        paid.append(1)

    documents = [variant(record, number) for number in range(9)]
    told = await file(body(*documents), pay=pay)
    # The request itself is the first write.
    assert outcomes(told) == [*["published"] * 6, *[TooManyRequests] * 3]
    assert len(paid) == 2


async def test_the_findings_of_a_request_are_bounded(file, monkeypatch):
    monkeypatch.setattr(bulk, "MOST_FINDINGS", 60)
    told = await file(b"".join(b'{"id":"demo-sante/n-%d"}\n' % number for number in range(5)))
    found = [(len(one.result.findings), one.result.findings_total) for one in told]
    assert [count for count, _ in found][3:] == [1] * 2
    assert found[0][0] > 20
    assert len({total for _, total in found}) == 1


async def test_when_the_database_dies_the_rest_is_refused_and_the_answer_is_whole(
    context, file, record, monkeypatch
):
    documents = [variant(record, number) for number in range(pipeline.BATCH_SIZE + 20)]
    whole = pipeline._execute_group
    groups = 0

    async def dying(*group):
        nonlocal groups
        groups += 1
        if groups > 1:
            raise Unavailable("the database does not answer")
        return await whole(*group)

    monkeypatch.setattr(pipeline, "_execute_group", dying)
    told = await file(body(*documents, variant(record, 1, id="demo-education/x")))
    assert outcomes(told) == [
        *["published"] * pipeline.BATCH_SIZE,
        *[Unavailable] * 20,
        Forbidden,
    ]
    # Once it is known, nobody waits for it again.
    assert groups == 2


async def test_a_filing_that_the_database_refuses_leaves_the_others_of_its_group(
    context, file, record, monkeypatch
):
    documents = [variant(record, number) for number in range(4)]
    whole = pipeline.append

    async def spoilt(connection, guard, state, entries, **options):
        done = await whole(connection, guard, state, entries, **options)
        if entries[0].record == documents[2]["id"]:
            await connection.execute(
                "update record set state = 'other' where id = $1", entries[0].record
            )
        return done

    monkeypatch.setattr(pipeline, "append", spoilt)
    told = await file(body(*documents))
    assert outcomes(told) == ["published", "published", asyncpg.CheckViolationError, "published"]
    assert [line.result.entry for line in told if not isinstance(line.result, Exception)] == [
        1,
        2,
        3,
    ]


async def test_a_stream_that_breaks_off_is_told_after_what_was_filed(context, file, record):
    async def breaking():
        yield InputLine(number=1, content=canonical(record))
        raise RequestTimeout("the rest did not come")

    assert outcomes(await file(breaking())) == ["published", RequestTimeout]

    async def faulty():
        yield InputLine(number=1, content=canonical(variant(record, 1)))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await file(faulty())


async def test_who_goes_away_keeps_what_was_acknowledged_and_stops_the_rest(context, record):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield InputLine(number=read, content=canonical(variant(record, read)))

    answered = []
    filed = file_lines(context, HEALTH, endless(), purpose="submit", now=lambda: NOW)
    async for line in filed:
        answered.append(line)
        if len(answered) == pipeline.BATCH_SIZE + 1:
            break
    await filed.aclose()
    reached = read
    await asyncio.sleep(0.05)
    assert read == reached
    for line in answered:
        assert (await stored(context, line.record)).register.hash == line.result.hash


async def test_a_slow_line_is_answered_before_the_next_one_comes(context, record):
    more = asyncio.Event()

    async def slow():
        yield InputLine(number=1, content=canonical(record))
        await more.wait()
        yield InputLine(number=2, content=canonical(variant(record, 1)))

    filed = file_lines(context, HEALTH, slow(), purpose="submit", now=lambda: NOW)
    assert (await anext(filed)).number == 1
    more.set()
    assert [line.number async for line in filed] == [2]


async def test_a_token_that_ends_in_the_middle_files_no_more(context, record, with_token):
    more = asyncio.Event()

    async def slow():
        yield InputLine(number=1, content=canonical(record))
        await more.wait()
        for number in (2, 3):
            yield InputLine(number=number, content=canonical(variant(record, number)))

    filed = file_lines(context, with_token, slow(), purpose="submit", now=lambda: NOW)
    assert (await anext(filed)).result.outcome == "published"
    await access_tokens.revoke_token(context.database, with_token.token, now=NOW)
    more.set()
    left = [line async for line in filed]
    assert outcomes(left) == [EndedToken, EndedToken]
    assert "revoked" in left[0].result.detail
    assert await stored(context, "demo-sante/line-2") is None
    async with context.database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject=None, limit=100)
    refused = [(act.token, act.subject) for act in acts if act.result == "unauthorized"]
    assert refused == [(with_token.token, "demo-sante/line-2")]


async def test_a_token_that_expires_in_the_middle_files_no_more(context, record, with_token):
    clock = [NOW]
    more = asyncio.Event()

    async def slow():
        yield InputLine(number=1, content=canonical(record))
        await more.wait()
        yield InputLine(number=2, content=canonical(variant(record, 2)))

    filed = file_lines(context, with_token, slow(), purpose="submit", now=lambda: clock[0])
    assert (await anext(filed)).result.outcome == "published"
    clock[0] += dt.timedelta(days=30)
    more.set()
    [left] = [line async for line in filed]
    assert isinstance(left.result, EndedToken)
    assert "expired" in left.result.detail


async def test_requests_at_once_file_the_same_records_once(context, file, record):
    documents = [variant(record, number) for number in range(30)]
    one, two, three = await asyncio.gather(
        file(body(*documents)), file(body(*reversed(documents))), file(body(*documents))
    )
    told = sorted(outcomes(one) + outcomes(two) + outcomes(three))
    assert told == [*["published"] * 30, *["unchanged"] * 60]
    entries = {line.result.entry for line in (*one, *two, *three)}
    assert entries == set(range(1, 31))


async def test_only_who_may_file_is_let_in(file, record):
    reviewer = Actor(name="r", agency="demo-sante", scopes=frozenset({"review"}), token=1)
    with pytest.raises(Forbidden):
        await file(body(record), actor=reviewer)


async def test_writes_and_the_first_refusal_of_authority_are_in_the_audit_trail(
    context, file, record
):
    actor = msgspec.structs.replace(HEALTH, request="r-1")
    await file(body(record), actor=actor)
    strangers = [variant(record, n, id=f"demo-education/x-{n}") for n in range(3)]
    await file(
        body(record, amended(record, website="https://demo.example/x"), *strangers), actor=actor
    )
    await file(body(record), "draft", actor=actor)
    async with context.database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject=None, limit=20)
    assert [(act.action, act.subject, act.before, act.result) for act in acts] == [
        ("submit", record["id"], None, "done"),
        ("submit", record["id"], "1", "done"),
        ("file_many", "demo-education/x-0", None, "forbidden"),
        ("save_draft", record["id"], None, "done"),
    ]
    assert {act.request for act in acts} == {"r-1"}
    assert "demo.example" not in json.dumps([msgspec.to_builtins(act) for act in acts])
