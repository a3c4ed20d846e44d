"""The life of a record, as a model: whatever is done in whatever order, both agree.

Two records of two agencies are saved, submitted, approved, returned, withdrawn and filed anew, with
tags that hold and tags that do not, by those who may and by those who may not. After every step
the register says of both what the model says.
"""

from __future__ import annotations

import gc
import itertools
import os
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.served import UNLIMITED, add_member, records, served

LIVES = max(8, int(os.environ.get("FUZZ_EXAMPLES", "8")) // 4)
STEPS = 25
STALE = '"0123456789abcdef"'
BAD_TAGS = (STALE, "*", "W/{}")
NOTES = (
    {"ar": "تصحيح معلومات البطاقة", "fr": "Correction de la fiche"},
    {"ar": "تحديث رقم الإصدار", "fr": "Mise à jour de la version"},
)
REASONS = ("filed_in_error", "other")

_numbers = itertools.count(1)
_which = st.sampled_from([0, 1])
_tag = st.sampled_from(["right", "right", "right", "none", "stale"])


class Record:
    """What the model knows of a record: its draft, and its chain of versions and withdrawals."""

    def __init__(self, agency, number, base):
        self.agency = agency
        self.word = f"vie{number}x"
        self.id = f"{agency}/{self.word}"
        self.draft = f"/api/v1/filings/{self.id}"
        self.place = f"/api/v1/records/{self.id}"
        self.base = base
        self.document = None
        self.tag = None
        self.state = None
        self.began_at = 0
        self.returned = None
        self.chain = []
        self.sent = None
        self.approver = None

    def variant(self, number):
        """Make one of four documents; the first two share a note, the last cannot be published."""
        document = self.base | {
            "id": self.id,
            "source_id": self.word,
            "system_version": str(number),
            "name": {lang: f"{text} {self.word}" for lang, text in self.base["name"].items()},
            "publication": self.base["publication"]
            | {"change_note": NOTES[0] if number < 2 else NOTES[1]},
        }
        if number == 3:
            del document["purpose"]
        return document

    @property
    def versions(self):
        return [link for link in self.chain if link["kind"] == "version"]

    @property
    def in_force(self):
        return bool(self.chain) and self.chain[-1]["kind"] == "version"

    @property
    def unchanged(self):
        return self.in_force and self.document == self.chain[-1]["document"]

    @property
    def is_explained(self):
        """Whether the change note is not that of the version before."""
        before = [version["document"]["publication"]["change_note"] for version in self.versions]
        return self.document["publication"]["change_note"] not in before[-1:]

    @property
    def current(self):
        """The tag that a change must name; None where there is nothing to change."""
        if self.document is not None:
            return self.tag
        return self.sent if self.in_force else None

    def forget_draft(self):
        self.document = self.tag = self.state = self.returned = None

    def publish(self, receipt, approver):
        self.chain.append({"kind": "version", "hash": receipt["hash"], "document": self.document})
        self.approver = approver
        self.forget_draft()


class Life(RuleBasedStateMachine):
    """One life; `ask`, `headers` and `review` are set by the test."""

    ask = None
    headers = None
    review = None

    def __init__(self):
        super().__init__()
        number = next(_numbers)
        [sante, *_] = records("demo-sante")
        [services, *_] = records("demo-services")
        self.records = [
            Record("demo-sante", number, sante),
            Record("demo-services", number, services),
        ]

    def act(self, method, path, who, expected, slug=None, **request):
        answer = self.ask(
            method, path, headers=self.headers[who] | request.pop("headers", {}), **request
        )
        told = (method, path, answer.status_code, answer.text[:400])
        assert answer.status_code == expected, told
        if slug is not None:
            assert answer.json()["type"] == f"/problems/{slug}", told
        return answer

    @staticmethod
    def condition(record, tag):
        """Give the headers of a tag of a kind, and whether it is the current one."""
        if tag == "none":
            return {}, None
        if tag == "right" and record.current is not None:
            return {"if-match": record.current}, True
        return {"if-match": STALE}, False

    # --- by the agency

    @rule(which=_which, variant=st.integers(0, 3))
    def begin(self, which, variant):
        record = self.records[which]
        document = record.variant(variant)
        self.save(record, document, {"if-none-match": "*"}, holds=record.current is None)

    @rule(which=_which, variant=st.integers(0, 3), tag=_tag)
    def change(self, which, variant, tag):
        record = self.records[which]
        headers, holds = self.condition(record, tag)
        self.save(record, record.variant(variant), headers, holds=holds)

    def save(self, record, document, headers, *, holds):
        def put(expected, slug=None):
            return self.act(
                "PUT", record.draft, record.agency, expected, slug, json=document, headers=headers
            )

        if not headers:
            put(428, "precondition-required")
        elif document == record.document:
            assert put(200).headers["etag"] == record.tag
        elif record.state == "in_review":
            put(409, "conflict")
        elif not holds:
            put(412, "precondition-failed")
        else:
            saved = put(201 if record.document is None else 200)
            if record.document is None:
                record.began_at = len(record.chain)
            record.document, record.state = document, "draft"
            assert saved.headers["etag"] != record.tag
            record.tag = saved.headers["etag"]

    @rule(which=_which, tag=_tag)
    def throw_away(self, which, tag):
        record = self.records[which]
        headers, holds = self.condition(record, tag)
        if record.document is None:
            self.act("DELETE", record.draft, record.agency, 404, "not-found", headers=headers)
        elif holds is False:
            self.act("DELETE", record.draft, record.agency, 412, headers=headers)
        else:
            self.act("DELETE", record.draft, record.agency, 204, headers=headers)
            record.forget_draft()

    @rule(which=_which, tag=_tag, key=st.booleans())
    def submit(self, which, tag, key):
        record = self.records[which]
        headers, holds = self.condition(record, tag)
        if key:
            headers["idempotency-key"] = f"{record.id}-{next(_numbers)}"

        def post(expected, slug=None):
            path = f"{record.draft}/submit"
            return self.act("POST", path, record.agency, expected, slug, headers=headers)

        if record.document is None and record.in_force:
            self.unchanged(record, post(200).json())
        elif (refusal := self.refusal_of_submission(record, holds=holds)) is not None:
            post(*refusal)
        elif record.state == "in_review":
            assert post(202).json()["outcome"] == "in_review"
        elif record.unchanged:
            self.unchanged(record, post(200).json())
            record.forget_draft()
        else:
            status = {"required": 202, "none": 201}[self.review]
            receipt = post(status).json()
            if key:
                assert post(status).json() == receipt
            if self.review == "required":
                record.state = "in_review"
            else:
                record.publish(receipt, None)
                assert receipt["version"] == len(record.versions)

    @staticmethod
    def refusal_of_submission(record, *, holds):
        if record.document is None:
            return 404, "not-found"
        if holds is False:
            return 412, "precondition-failed"
        if record.state == "in_review":
            return None
        if record.began_at != len(record.chain):
            return 409, "conflict"
        is_valid = "purpose" in record.document and (record.unchanged or record.is_explained)
        return None if is_valid else (422, "invalid-record")

    def unchanged(self, record, receipt):
        assert receipt["outcome"] == "unchanged"
        assert receipt["hash"] == record.chain[-1]["hash"]
        assert receipt["version"] == len(record.versions)

    @rule(which=_which, tag=_tag, reason=st.sampled_from(REASONS), by=st.booleans())
    def withdraw(self, which, tag, reason, by):
        record = self.records[which]
        statement = {"reason": reason, "note": {"fr": "Retrait", "ar": "سحب"}}
        right = record_tag(record.chain[-1]) if record.in_force else STALE
        headers = {"right": {"if-match": right}, "none": {}, "stale": {"if-match": STALE}}[tag]

        def post(expected, slug=None):
            who = record.agency if by else "admin"
            path = f"{record.place}/withdraw"
            return self.act("POST", path, who, expected, slug, json=statement, headers=headers)

        if not headers:
            post(428, "precondition-required")
        elif not record.chain:
            post(404, "not-found")
        elif not record.in_force:
            last = record.chain[-1]
            if last["reason"] == reason:
                assert post(200).json()["hash"] == last["hash"]
            else:
                post(409, "conflict")
        elif headers["if-match"] == STALE:
            post(412, "precondition-failed")
        else:
            receipt = post(201).json()
            assert receipt["version"] == len(record.versions)
            record.chain.append({"kind": "withdrawal", "hash": receipt["hash"], "reason": reason})

    # --- by the authority

    @rule(which=_which, tag=_tag, who=st.sampled_from(["reviewer", "submitter"]))
    def approve(self, which, tag, who):
        record = self.records[which]
        headers, holds = self.condition(record, tag)
        who = f"{record.agency}-reviews" if who == "submitter" else who

        def post(expected, slug=None):
            path = f"{record.draft}/approve"
            return self.act("POST", path, who, expected, slug, headers=headers)

        if record.document is None:
            if record.in_force and record.approver == who:
                self.unchanged(record, post(200).json())
            else:
                post(404, "not-found")
        elif record.state != "in_review":
            post(409, "conflict")
        elif holds is None:
            post(428, "precondition-required")
        elif holds is False:
            post(412, "precondition-failed")
        elif who != "reviewer":
            post(403, "forbidden")
        elif record.began_at != len(record.chain):
            post(409, "conflict")
        else:
            receipt = post(201).json()
            record.publish(receipt, who)
            assert receipt["version"] == len(record.versions)

    @rule(which=_which, tag=_tag, comment=st.sampled_from(["Précisez le but.", "Encore."]))
    def give_back(self, which, tag, comment):
        record = self.records[which]
        headers, holds = self.condition(record, tag)

        def post(expected, slug=None):
            path = f"{record.draft}/return"
            body = {"comment": comment}
            return self.act("POST", path, "reviewer", expected, slug, json=body, headers=headers)

        if record.document is None:
            post(404, "not-found")
        elif record.state == "draft":
            if record.returned == comment:
                post(200)
            else:
                post(409, "conflict")
        elif holds is False:
            post(412, "precondition-failed")
        else:
            assert post(200).json()["outcome"] == "returned"
            record.state, record.returned = "draft", comment

    # --- by those who may not

    @rule(which=_which, tag=st.sampled_from(BAD_TAGS))
    def name_a_bad_tag(self, which, tag):
        record = self.records[which]
        if record.document is not None:
            bad = {"if-match": tag.format(record.tag)}
            path = f"{record.draft}/submit"
            self.act("POST", path, record.agency, 412, "precondition-failed", headers=bad)
            self.act("DELETE", record.draft, record.agency, 412, headers=bad)

    @rule(which=_which, variant=st.integers(0, 3))
    def intrude(self, which, variant):
        record = self.records[which]
        other = self.records[1 - which].agency
        document = record.variant(variant)
        holds = {"if-match": record.current or STALE}
        self.act("PUT", record.draft, other, 403, "forbidden", json=document, headers=holds)
        self.act("POST", f"{record.draft}/submit", other, 403, "forbidden")
        self.act("POST", f"{record.draft}/approve", record.agency, 403, "forbidden")
        self.act("GET", record.draft, other, 404, "not-found")
        self.act("DELETE", record.draft, other, 404, "not-found")
        statement = {"reason": REASONS[0], "note": {"fr": "Non"}}
        path = f"{record.place}/withdraw"
        self.act("POST", path, other, 403, "forbidden", json=statement, headers=holds)

    # --- what everybody sees

    @invariant()
    def both_agree(self):
        for record in self.records:
            self.agrees_on_the_draft(record)
            self.agrees_on_the_record(record)

    def agrees_on_the_draft(self, record):
        if record.document is None:
            self.act("GET", record.draft, record.agency, 404, "not-found")
            return
        draft = self.act("GET", record.draft, record.agency, 200)
        told = draft.json()
        assert (told["state"], told["document"]) == (record.state, record.document)
        assert (draft.headers["etag"], told["comment"]) == (record.tag, record.returned)
        seen = self.ask("GET", record.draft, headers=self.headers["reviewer"]).status_code
        assert seen == (200 if record.state == "in_review" else 404)

    def agrees_on_the_record(self, record):
        if not record.chain:
            self.act("GET", record.place, "nobody", 404, "not-found")
            return
        last = record.chain[-1]
        if record.in_force:
            found = self.act("GET", record.place, "nobody", 200)
            assert found.json()["record"] == last["document"]
            assert found.json()["register"]["version"] == len(record.versions)
            # It came compressed; who changes the record names it by either tag.
            record.sent = found.headers["etag"]
            assert record.sent == record_tag(last)[:-1] + '-gz"'
        else:
            gone = self.act("GET", record.place, "nobody", 410, "withdrawn").json()["tombstone"]
            assert (gone["hash"], gone["reason"]) == (last["hash"], last["reason"])
            assert gone["version"] == len(record.versions)
        history = self.act("GET", f"{record.place}/versions", "nobody", 200).json()
        assert [one["version"] for one in history["items"]] == [*range(1, len(record.versions) + 1)]
        assert [one["hash"] for one in history["items"]] == [one["hash"] for one in record.versions]
        assert len(history["withdrawals"]) == len(record.chain) - len(record.versions)
        hits = self.ask("GET", "/api/v1/records", params={"q": record.word}).json()["items"]
        assert (record.id in {one["id"] for one in hits}) is record.in_force

    def teardown(self):
        """The log has every link of both chains, in order, and nothing else of them."""
        for record in self.records:
            found, since = [], -1
            while since is not None:
                page = self.ask("GET", f"/api/v1/changes?since={since}&limit=1000").json()
                found += [one for one in page["items"] if one["entry"].get("id") == record.id]
                since = page["next"]
            assert [(one["entry"]["kind"], one["hash"]) for one in found] == [
                (link["kind"], link["hash"]) for link in record.chain
            ]


def record_tag(link):
    return f'"{link["hash"][:16]}"'


@pytest.mark.parametrize("review", ["none", "required"])
def test_the_register_and_the_model_agree(review, pack):
    with served(review=review, **UNLIMITED) as register:
        agencies = ("demo-sante", "demo-services")
        files = {one: register.work(partial(add_member, agency=one)) for one in agencies}
        Life.headers = {
            "nobody": {},
            "reviewer": register.bearer(None, "review", actor="reviewer"),
            "admin": register.bearer(None, "admin"),
            **{one: register.bearer(one, actor=one, member=files[one]) for one in agencies},
            # The same person as the one who submits, with another token.
            **{
                f"{one}-reviews": register.bearer(one, "review", actor=one, member=files[one])
                for one in agencies
            },
        }
        Life.ask = staticmethod(register.client.request)
        Life.review = review
        # Hypothesis parses this file; a task of an earlier test that is collected meanwhile is
        # logged, its traceback is parsed within, and Python 3.11 then loses count of its depth.
        gc.collect()
        run_state_machine_as_test(
            Life,
            settings=settings(max_examples=LIVES, stateful_step_count=STEPS, print_blob=True),
        )
        assert register.faults() == []
        assert register.broken_laws(pack) == []
