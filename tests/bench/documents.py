"""What benchmarks work on: records of the demonstration corpus, varied."""

import copy
import json
from pathlib import Path

RECORDS = Path(__file__).parents[2] / "records"


def local_documents(count: int) -> list[dict[str, object]]:
    """Make `count` different publishable records out of the demonstration corpus."""
    models = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RECORDS.glob("*/*.json"))
        if path.name.count(".") == 1
    ]
    models = [model for model in models if "name" in model]  # a restricted record has none
    documents = []
    for number in range(count):
        document = copy.deepcopy(models[number % len(models)])
        document["id"] = f"{document['id']}-{number}"
        document["name"] = {tag: f"{text} {number}" for tag, text in document["name"].items()}
        document["source_id"] = f"bench-{number}"
        document.pop("related_records", None)
        documents.append(document)
    return documents
