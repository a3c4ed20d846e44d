"""Search against a plain scan of every version: totals, facets and orders are equal, exactly."""

import datetime as dt
import json
import random
from collections import Counter, defaultdict
from functools import cache

import pytest

from registry.api import parameters
from registry.api.search_filters import MOST_FACTS, SearchFilters, read_query
from registry.record.codelists import codelists
from registry.record.facets import BY_FACTS, FACETS, LONGEST_NAME, required_filter
from registry.record.facts import facts
from registry.record.search_document import ANSWERS
from registry.search.engine import open_index
from registry.search.labels import LABELLED
from registry.search.query import SearchQuery
from registry.store.as_of import LogWindow
from registry.text import tokens
from registry.text.company_names import folded_name
from registry.text.folding import fold
from registry.text.query_parser import And, Not, Or, Prefix, Vocabulary, Word, parse_query
from registry.text.tokens import NEUTRAL, article_variants, common, query_stems, stem
from tests.conftest import NOW

TODAY = dt.date(2027, 3, 1)
QUESTIONS = 500

KINDS = [*(kind for kind in FACETS if kind != "country"), "completeness"]
NAME, SUMMARY, TEXT, LABEL = range(4)
LEVELS = ["minimal", "limited", "high", "unacceptable"]
SORTS = ["relevance", "newest", "name", "completeness", "review_due"]


def wholes(kind, codes):
    """The countries of the regions that a filter asks for."""
    return {code.split("-")[0] for code in codes} if kind == "territory" else set()


class Scan:
    """Every version's analysed words and codes, and the plain way to ask them."""

    def __init__(self, versions, figures, events, pack):
        self.events = defaultdict(list)
        for row in events:
            self.events[row["record"]].append((row["entry"], row["state"]))
        self.entry = max(row["ord"] for row in versions)
        self.record = {row["entry"]: row["record"] for row in figures}
        self.risk = {row["entry"]: row["risk"] for row in figures}
        self.gone = {
            row["entry"]: row["until_entry"] for row in figures if row["until_entry"] is not None
        }
        self.synonyms = Vocabulary(pack.synonyms)
        lists = {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}
        labels = {
            (kind, code.code): {tag: tokens.token_text([text]) for tag, text in code.label.items()}
            for kind in LABELLED
            for name in required_filter(kind).field.lists
            for code in lists[name].values()
        }
        self.rows = {}
        self.first = {}
        for row in versions:
            codes = json.loads(row["codes"])
            parts = [json.loads(row[part]) for part in ("name", "summary", "rest")]
            parts.append(defaultdict(str))
            for kind in LABELLED:
                for code in codes.get(kind, []):
                    for tag, text in labels.get((kind, code), {}).items():
                        parts[LABEL][tag] += f"{text}\n"
            words = {
                tag: [part.get(tag, "") for part in parts]
                for tag in sorted({tag for one in parts for tag in one})
            }
            stems = {}
            for language, texts in words.items():
                known = set()
                stems[language] = []
                for text in texts:
                    for word in text.split():
                        for form in article_variants(word, language):
                            self.first.setdefault((form, language), row["ord"])
                        known.add(stem(word, language))
                    stems[language].append(set(known))
            card = json.loads(row["card"])
            names = {tag: fold(text) for tag, text in (card["name"] or {"": card["id"]}).items()}
            self.rows[row["ord"]] = (codes, words, stems, names)
        self.published, self.called = cache(self._published), cache(self._called)
        self.moves = self.published(None, max(self.rows))
        self.known = {
            kind: sorted({code for one in self.rows for code in self.codes(one, kind)})
            for kind in KINDS
        }

    def standing(self, entry):
        return [
            ordinal
            for ordinal in self.rows
            if ordinal <= entry and not self.gone.get(ordinal, entry + 1) <= entry
        ]

    def has(self, asked, ordinal, tier, languages, entry):
        _, words, stems, _ = self.rows[ordinal]
        if isinstance(asked, And | Or):
            every = all if isinstance(asked, And) else any
            return every(self.has(one, ordinal, tier, languages, entry) for one in asked.of)
        if isinstance(asked, Not):
            return not self.has(asked.of, ordinal, LABEL, self.languages, entry)
        here = [language for language in languages if language in words]
        if isinstance(asked, Word):
            return any(stems[tag][tier] & set(query_stems(asked.word, tag)) for tag in here)
        if isinstance(asked, Prefix):
            return any(self.begun(asked.start, tag, entry) & stems[tag][tier] for tag in here)
        row = f" {' '.join(asked.words)} "
        # A phrase counts for its name in whatever language it stands.
        here = [language for language in self.languages if language in words]
        return any(row in text for tag in here for text in words[tag][: tier + 1])

    def begun(self, start, language, entry):
        key = (start, language, entry)
        if key not in self._begun:
            self._begun[key] = {
                asked
                for (word, tag), first in self.first.items()
                if tag == language and first <= entry and word.startswith(start)
                for asked in query_stems(word, tag)
            }
        return self._begun[key]

    def answer(self, question, size):
        entry = min(size - 1, question.as_of if question.as_of is not None else size)
        self._begun = {}
        tags = {language for codes, _, _, _ in self.rows.values() for language in codes["language"]}
        self.languages = sorted(tags) if question.lang is None else [NEUTRAL, question.lang]
        asked = None if question.text is None else parse_query(question.text, self.synonyms)
        self.moves = self.published(question.changed, entry)
        self.entry = entry
        texts = [
            ordinal
            for ordinal in self.standing(entry)
            if (question.changed is None or self.record[ordinal] in self.moves)
            and (
                question.text is None
                or (asked is not None and self.has(asked, ordinal, LABEL, self.languages, entry))
            )
        ]
        hits = [one for one in texts if self.passes(one, question, None)]
        facets = {}
        for kind in question.facets:
            called = self.called(entry) if kind == "supplier" else {}
            counted = Counter(
                code
                for one in texts
                if self.passes(one, question, kind)
                for code in {called.get(shape(kind, code), code) for code in self.codes(one, kind)}
            )
            if kind == "territory":
                # What applies in the whole country applies in each of its regions.
                counted = Counter(
                    code
                    for code in counted
                    for one in texts
                    if self.passes(one, question, kind)
                    and {code, code.split("-")[0]} & {*self.codes(one, kind)}
                )
            facets[kind] = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
        keys = {one: self.key(one, question, asked, entry) for one in hits}
        ordered = sorted(hits, key=lambda one: (keys[one], -one))
        return ordered, facets

    def _called(self, entry):
        """What the facet calls each supplier: the name as most of what stands writes it."""
        often = Counter(
            code for one in self.standing(entry) for code in self.codes(one, "supplier")
        ).most_common()
        called = {}
        for code, _ in sorted(often, key=lambda pair: (-pair[1], pair[0])):
            called.setdefault(shape("supplier", code), code)
        return called

    def _published(self, window, entry):
        """What became of the risk level of each record with a version in a part of the log."""
        first, last = 0, entry
        if window is not None:
            first, last = (
                window.after + 1,
                min(entry, entry if window.last is None else window.last),
            )
        moves, before = {}, {}
        for ordinal in sorted(self.rows):
            record, risk = self.record[ordinal], self.risk[ordinal]
            if first <= ordinal <= last:
                was, now = (
                    LEVELS.index(level) if level in LEVELS else None
                    for level in (before.get(record), risk)
                )
                moved = moves.setdefault(record, set())
                if None not in (was, now) and was != now:
                    moved.add("raised" if now > was else "lowered")
            before[record] = risk
        return moves

    def codes(self, ordinal, kind):
        codes = self.rows[ordinal][0]
        if kind == "risk_change":
            return sorted(self.moves.get(self.record[ordinal], ()))
        if kind == "source_state":
            return [] if codes["origin"] == ["local"] else [self.source_state(ordinal)]
        if kind == "overdue":
            due = codes.get("review_due", ["9999-12-31"])[0]
            retired = codes["status"] == ["retired"]
            return ["true"] if due < TODAY.isoformat() and not retired else []
        if kind in {"has", "observation"}:
            return codes[ANSWERS["stated"]] if kind == "has" else self.observed(codes)
        if kind == "lacks":
            told = {fact for kind in ANSWERS.values() for fact in codes.get(kind, ())}
            return [*({*facts()} - told), *codes.get(ANSWERS["asked_not_stated"], ())]
        return codes.get(kind, [])

    def observed(self, codes):
        dated = [one.split(" ") for one in codes.get("observed_since", ())]
        held = [code for code, since in dated if since <= TODAY.isoformat()]
        return [*codes.get("observation", ()), *held]

    def source_state(self, ordinal):
        until = min(self.entry, self.gone.get(ordinal, self.entry + 1) - 1)
        said = [one for one in self.events[self.record[ordinal]] if ordinal < one[0] <= until]
        return said[-1][1] if said else "present"

    def days_late(self, ordinal):
        return (TODAY - dt.date.fromisoformat(self.rows[ordinal][0]["review_due"][0])).days

    def passes(self, ordinal, question, leave_out):
        return all(
            {shape(kind, code) for code in self.codes(ordinal, kind)}
            & {shape(kind, code) for code in wanted}
            | ({*self.codes(ordinal, kind)} & wholes(kind, wanted))
            for kind, wanted in question.filters.items()
            if kind != leave_out
        )

    def key(self, ordinal, question, asked, entry):
        codes, _, _, names = self.rows[ordinal]
        if question.sort == "name":
            return names.get(question.reader) or names[min(names)]
        if question.sort == "completeness":
            return -int(codes.get("completeness", ["-1"])[0])
        if question.sort == "review_due":
            return codes.get("review_due", ["9999-12-31"])[0]
        if question.sort == "newest" or asked is None:
            return 0
        section = codes["origin"] != ["local"]
        if question.reader in self.languages and question.lang is None:
            section += 2 * (not self.has(asked, ordinal, LABEL, [question.reader], entry))
        return section, self.place(ordinal, asked, entry)

    def place(self, ordinal, asked, entry):
        _, words, _, _ = self.rows[ordinal]
        if self.has(asked, ordinal, NAME, self.languages, entry):
            lengths = [len(text[NAME].split()) for text in words.values() if text[NAME].split()]
            return min(*lengths, LONGEST_NAME)
        tiers = (SUMMARY, TEXT)
        return next(
            (31 + tier for tier in tiers if self.has(asked, ordinal, tier, self.languages, entry)),
            34,
        )


def shape(kind, code):
    """A code as it is compared: suppliers by what tests of its own say are names of one."""
    return folded_name(code) if kind == "supplier" else code


@pytest.fixture(scope="module")
async def scan(large, pack):
    async with large.connection() as connection:
        versions = await connection.fetch("select * from search_version order by ord")
        figures = await connection.fetch("select entry, record, risk, until_entry from figure")
        events = await connection.fetch("select * from source_event order by entry")
    assert {row["state"] for row in events} in ({"gone", "present"}, set())
    return Scan(versions, figures, events, pack)


def some_text(chance, scan):
    """Words as people ask for them, out of a version that there is."""
    codes, words, _, _ = scan.rows[chance.choice(list(scan.rows))]
    language = chance.choice(codes["language"])
    text = chance.choice([text for text in words[language] if text.split()])
    found = [word for word in text.split() if len(word) > 2] or text.split()
    start = chance.randrange(len(found))
    line = max(text.split("\n"), key=len).split()
    return chance.choice(
        [
            found[start],
            " ".join(chance.sample(found, min(len(found), 2))),
            " ".join(found[start : start + 3]),
            f'"{" ".join(line[:2])}"',
            f'"{" ".join(line[-3:])}" -{found[start]}',
            f"{found[start]} OR {chance.choice(found)} {chance.choice(found)}",
            f"{found[start]} -{chance.choice(found)}",
            f"{found[start][:4]}*",
            f"{chance.choice(sorted(common()))} {found[start]}",
            chance.choice(["CNSS", "AI", "intelligence artificielle", "ML detection"]),
        ]
    )


def some_question(chance, scan, size):
    filters = {}
    for kind in chance.sample(KINDS, chance.choice([0, 0, 1, 2, 3])):
        codes = scan.known[kind]
        filters[kind] = chance.sample(codes, min(len(codes), chance.choice([1, 2])))
        if kind == "supplier":
            filters[kind] = [f" {code.upper()} " for code in filters[kind]]
        if kind == "completeness":
            lowest = chance.randrange(100)
            filters[kind] = [str(score) for score in range(lowest, lowest + chance.choice([5, 40]))]
    window = None
    if chance.random() < 0.3:
        # The demonstration records, which came last, have several versions.
        late = max(-1, size - chance.randrange(2, 80))
        after = chance.choice([chance.randrange(-1, size), late])
        window = LogWindow(after=after, last=chance.choice([None, after + chance.randrange(80)]))
    text = some_text(chance, scan) if chance.random() < 0.8 else None
    return SearchQuery(
        text=text,
        lang=chance.choice([None, None, None, "fr", "en", "ar", "nl"]),
        reader=chance.choice([None, "fr", "ar", "en"]),
        filters=filters,
        changed=window,
        facets=chance.sample(KINDS, 4),
        sort=chance.choice(SORTS if text is not None else SORTS[1:]),
        limit=chance.choice([1, 10, 40]),
        as_of=chance.choice([None, None, chance.randrange(size)]),
        today=TODAY,
        mends=False,
    )


def plain(answer):
    return (
        answer.total,
        {kind: [(one.code, one.count) for one in counts] for kind, counts in answer.facets.items()},
        [hit.ord for hit in answer.hits],
    )


async def test_answers_are_those_of_a_plain_scan(large, scan, large_index):
    async with large.connection() as connection:
        size = await connection.fetchval("select size from log_state")
    chance = random.Random(20261124)
    questions = [some_question(chance, scan, size) for _ in range(QUESTIONS)]
    answers = [await large_index.answer(question) for question in questions]
    for question, answer in zip(questions, answers, strict=True):
        ordered, facets = scan.answer(question, size)
        expected = (len(ordered), facets, ordered[: question.limit])
        assert plain(answer) == expected, question
        asked_late = "overdue" in question.filters
        assert [hit.overdue_days for hit in answer.hits] == [
            scan.days_late(hit.ord) if asked_late else None for hit in answer.hits
        ]
    assert sum(answer.total > 0 for answer in answers) > QUESTIONS / 4


async def test_every_code_that_there_is_can_be_asked_for(
    large, scan, pack, large_index, index_folder
):
    """A facet's codes are those that the filter of its name takes."""
    codes = {
        kind: sorted({code for one in scan.rows for code in scan.codes(one, kind)})
        if kind in BY_FACTS
        else sorted({code for kinds, *_ in scan.rows.values() for code in kinds.get(kind, ())})
        for kind in FACETS
        if kind not in {"overdue", "source_state", "country"}
    }
    assert all(codes.values())
    fresh = open_index(large.connection, index_folder, pack)
    await large_index.answer(SearchQuery())
    for kind, known in codes.items():
        most = MOST_FACTS if kind in BY_FACTS else parameters.MOST_VALUES
        for start in range(0, len(known), most):
            some = known[start : start + most]
            sought = SearchFilters(codes={kind: some})
            for index in (fresh, large_index):
                question = await read_query(large, index, sought, pack, now=NOW)
                assert list(question.filters[kind]) == some
