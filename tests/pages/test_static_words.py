"""The words of the index beside the pages: changing them gives what making them anew would."""

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.pages.views.static_index import SHARDS, changed_words, read_words

TEXTS = st.lists(
    st.sampled_from(["lits", "lit", "sante", "santes", "12", "1", "zebre", "الصحه"]), max_size=4
).map(" ".join)
RECORDS = st.dictionaries(
    st.integers(0, 40),
    st.dictionaries(st.sampled_from(["fr", "ar"]), st.tuples(TEXTS, TEXTS, TEXTS), max_size=2),
    max_size=40,
)


def anew(records):
    return changed_words([{} for _ in range(SHARDS)], [], sorted(records.items()))


def written(folder, contents):
    for number, content in enumerate(contents):
        (folder / f"words-{number}.json").write_bytes(content)
    return read_words(folder)


@settings(max_examples=40)
@given(before=RECORDS, after=RECORDS)
def test_what_changed_is_taken_out_and_put_in(tmp_path_factory, before, after):
    files = written(tmp_path_factory.mktemp("words"), anew(before))
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    come = [(n, after[n]) for n in sorted(changed & after.keys(), reverse=True)]
    assert changed_words(files, changed & before.keys(), come) == anew(after)
