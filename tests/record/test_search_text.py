"""The words that search finds: every text that people read, with its language."""

from registry.record.search_document import search_texts


def texts(value):
    """Every string under a language tag, found without the schema."""
    if isinstance(value, dict):
        for key, part in value.items():
            if isinstance(part, str) and key in {"ar", "fr", "en", "zgh"}:
                yield key, part
            else:
                yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def test_every_text_of_a_complete_record_is_found_with_its_language(examples):
    document = examples["complete"]
    languages = document.pop("languages")
    assert languages["translation_status"]
    found = list(search_texts(document))
    assert set(texts(document)) <= {(tag, text) for _, tag, text in found}
    assert {tag for _, tag, _ in found} >= {"ar", "fr", ""}


def test_a_pointer_leads_to_its_text(examples):
    document = examples["complete"]
    for pointer, tag, text in search_texts(document):
        here = document
        for step in pointer.split("/")[1:]:
            here = here[int(step)] if isinstance(here, list) else here[step]
        assert (here[tag] if tag else here) == text


def test_codes_addresses_and_identifiers_are_no_words(examples):
    document = examples["complete"]
    found = {text for _, _, text in search_texts(document)}
    for text in (
        document["id"],
        document["risk"]["level"],
        document["contact"]["email"],
        document["lifecycle"]["status"],
    ):
        assert text not in found


def test_lines_without_a_language_have_an_empty_tag(examples):
    document = examples["complete"]
    assert ("/source_id", "", document["source_id"]) in set(search_texts(document))


def test_members_that_the_format_does_not_have_are_passed_over():
    found = list(search_texts({"unknown": {"fr": "mot"}, "name": {"fr": "nom"}}))
    assert found == [("/name", "fr", "nom")]
    assert list(search_texts({})) == []


def test_the_languages_of_a_text_come_by_tag_in_whatever_order_they_were_sent():
    found = search_texts({"name": {"fr": "nom", "ar": "اسم"}})
    assert found == [("/name", "ar", "اسم"), ("/name", "fr", "nom")]
