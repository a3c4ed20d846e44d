"""The words of the index beside the pages: changing them gives what making them anew would."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from registry.pages.static_words import changed_words, nothing_written, read_words, shard_of

TEXTS = st.lists(
    st.sampled_from(["lits", "lit", "sante", "santes", "12", "1", "zebre", "الصحه"]), max_size=4
).map(" ".join)
RECORDS = st.dictionaries(
    st.integers(0, 40),
    st.dictionaries(st.sampled_from(["fr", "ar"]), st.tuples(TEXTS, TEXTS, TEXTS), max_size=2),
    max_size=40,
)


def anew(records):
    return changed_words(nothing_written(), [], sorted(records.items()))


def written(folder, contents):
    files = [folder / str(number) for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return read_words(files)


@given(before=RECORDS, after=RECORDS)
def test_what_changed_is_taken_out_and_put_in(tmp_path_factory, before, after):
    files = written(tmp_path_factory.mktemp("words"), anew(before))
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    come = [(n, after[n]) for n in sorted(changed & after.keys(), reverse=True)]
    assert changed_words(files, changed & before.keys(), come) == anew(after)


def test_a_file_in_which_nothing_changed_is_left_as_it_is(tmp_path):
    files = written(tmp_path, anew({0: {"fr": ("lits", "", "sante")}, 3: {"fr": ("lits", "", "")}}))
    changed = changed_words(files, [3], [(3, {"fr": ("", "lits", "")})])
    assert [at for at, content in enumerate(changed) if content != files[at].content] == sorted(
        {shard_of("lits"), shard_of("lit")}
    )
    assert msgspec.json.decode(changed[shard_of("lits")])["lits"] == [[0], [3], []]
    assert changed[shard_of("sante")] is files[shard_of("sante")].content
