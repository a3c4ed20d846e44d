"""What benchmarks work on: records of the demonstration corpus, varied."""

import copy
import json
import random
from pathlib import Path

_LATIN = "abcdefghijklmnopqrstuvwxyzéèà"
LETTERS = {
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "zgh": "ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣ",
    "fr": _LATIN,
    "en": _LATIN,
}
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
        # Models that come again and again must not all seem to be one system filed twice.
        document["name"] = {tag: _invented_name(number, tag) for tag in document["name"]}
        document["source_id"] = f"bench-{number}"
        document.pop("related_records", None)
        documents.append(document)
    return documents


def _invented_name(number: int, tag: str) -> str:
    chance = random.Random(number)
    words = ["".join(chance.choices(LETTERS[tag], k=chance.randint(2, 10))) for _ in range(7)]
    return " ".join(words)
