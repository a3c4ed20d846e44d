"""file_record.py: file a record, publish it and amend it, with the standard library alone."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid

REGISTRY = os.environ["REGISTRY"]
TOKEN = os.environ["FILING_TOKEN"]


class Refused(Exception):
    """A problem of the register: `problem` is its JSON."""

    def __init__(self, problem):
        super().__init__(problem["detail"])
        self.problem = problem


def call(method, path, document=None, *, attempts=5, **headers):
    """Make one call; tries again where the register asks for it or the line broke."""
    body = None if document is None else json.dumps(document).encode()
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for attempt in range(1, attempts + 1):
        request = urllib.request.Request(REGISTRY + path, body, headers, method=method)
        wait = attempt
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer), answer.headers["ETag"]
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            if error.code not in (429, 503) or attempt == attempts:
                raise Refused(problem) from None
            wait = int(error.headers["Retry-After"])
        except OSError:
            if attempt == attempts:
                raise
        time.sleep(wait)


with open("schemas/examples/minimal.json", encoding="utf-8") as file:
    record = json.load(file)
draft = f"/api/v1/filings/{record['id']}"

# A new record: a draft, then its publication.
saved, tag = call("PUT", draft, record, If_None_Match="*")
print("publishable:", saved["publishable"])
receipt, tag = call("POST", f"{draft}/submit")
print(receipt["outcome"], "version", receipt["version"])

# An amendment, begun from the tag of the version that it changes.
record["website"] = "https://pluie.example"
try:
    call("PUT", draft, record, If_Match=tag)
    call("POST", f"{draft}/submit")
except Refused as refusal:
    for finding in refusal.problem["findings"]:
        if finding["severity"] == "error":
            print(finding["pointer"], finding["rule"])
    record["publication"]["change_note"] = {"fr": "Adresse du site.", "ar": "تغيير عنوان الموقع."}
    _, tag = call("GET", draft)
    call("PUT", draft, record, If_Match=tag)
    receipt, tag = call("POST", f"{draft}/submit")
print(receipt["outcome"], "version", receipt["version"])
