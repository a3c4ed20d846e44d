"""What benchmarks work on: records of the demonstration corpus, varied."""

import copy
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from registry.record.search_document import search_texts

RECORDS = Path(__file__).parents[2] / "records"


def local_documents(count: int) -> list[dict[str, object]]:
    """Make `count` different publishable records out of the demonstration corpus."""
    models = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RECORDS.glob("*/*.json"))
        if path.name.count(".") == 1
    ]
    models = [model for model in models if "name" in model]  # a restricted record has none
    vocabulary = _vocabulary(models)
    documents = []
    for number in range(count):
        document = copy.deepcopy(models[number % len(models)])
        document["id"] = f"{document['id']}-{number}"
        # Models that come again and again must not all seem to be one system filed twice.
        document["name"] = {
            tag: _invented_name(number, vocabulary[tag]) for tag in document["name"]
        }
        document["source_id"] = f"bench-{number}"
        document.pop("related_records", None)
        documents.append(document)
    return documents


def _vocabulary(models: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """List the words of the models, by language: a new name has hardly ever a new word."""
    found: dict[str, set[str]] = {}
    for model in models:
        for _, tag, text in search_texts(model):
            found.setdefault(tag, set()).update(filter(str.isalpha, text.split()))
    return {tag: sorted(known) for tag, known in found.items()}


def _invented_name(number: int, vocabulary: Sequence[str]) -> str:
    return " ".join(random.Random(number).choices(vocabulary, k=7))
