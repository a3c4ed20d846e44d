"""check_log.py: is every entry there with its content, and does the log go on from what was kept?

    python3 check_log.py LOG KEY [checkpoint…]
    python3 check_log.py evidence-FOLDER KEY

LOG is an address or a folder, KEY a file as for check_proof.py, which must lie beside this one.
"""

import datetime
import json
import sys
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path

from check_proof import (
    check_content,
    check_erased,
    follow,
    is_signed,
    must,
    parse,
    place,
    raw,
    read_note,
    sha,
)


def get(path, *, missing=False):
    place[0] = path
    try:
        if "://" not in sys.argv[1]:
            return Path(sys.argv[1], path).read_bytes()
        with urllib.request.urlopen(f"{sys.argv[1]}/{path}") as answer:
            return answer.read()
    except (FileNotFoundError, urllib.error.HTTPError) as error:
        must(missing, f"it is not there ({error})")
        return None


def tile(folder, number, width):
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return get(f"tile/{folder}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else ""))


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01", root(leaves[:left]), root(leaves[left:]))


def parts(size):
    return [(start, min(256, size - start)) for start in range(0, size, 256)]


def read_entries(size):
    entries = []
    for start, width in parts(size):
        bundle = tile("entries", start // 256, width)
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
        must(len(entries) == start + width, "it has another number of entries")
    return entries


def check_tiles(hashes):
    level = 0
    while hashes:
        for start, width in parts(len(hashes)):
            here = tile(level, start // 256, width)
            must(here == b"".join(hashes[start:][:width]), "it does not follow from the entries")
        hashes = [root(hashes[start:][:256]) for start, width in parts(len(hashes)) if width == 256]
        level += 1


def check_entries(entries, leaves):
    """Check that nothing was left out between entries; return them, and the log's keys."""
    said, last, versions, keys, at = [], {}, {}, [], ""
    for index, text in enumerate(entries):
        place[0] = f"entry {index}"
        entry = parse(text.decode())
        kind, record = entry["kind"], entry.get("id")
        must((kind == "genesis") == (index == 0), "only the first one begins a log")
        must(entry["at"] >= at, "it is older than the one before it")
        at = entry["at"]
        if kind in ("genesis", "key"):
            must(entry.get("follows") == (keys[-1][1] if keys else None), "its key does not follow")
            keys.append((index, entry["key"]))
        # Each names the entry before it: of its record, of an agency's attestations, or of what an
        # agency is called. The redaction of an attestation names none.
        subject = record or (kind, entry.get("agency"))
        if kind != "redaction" and "agency" in entry or record:
            before = entry["prev"] and (entry["prev"]["index"], entry["prev"]["leaf"])
            must(before == last.get(subject), "it names another one before it")
            last[subject] = (index, leaves[index].hex())
        elif kind == "redaction":
            must(entry["agency"] and entry["prev"] is None, "it names one before it")
        if "version" in entry:
            following = versions.get(record, 0) + (kind == "version")
            must(entry["version"] == following, "it is of another version")
            versions[record] = following
        said.append(entry)
    return said, keys


def check_contents(said):
    redactions = {index: one for index, one in enumerate(said) if one["kind"] == "redaction"}
    contents, erased = [], 0
    for index, entry in enumerate(said):
        contents.append(get(f"content/{index}.json"))
        content = check_content(index, entry, contents[-1].decode())
        check_erased(index, entry, content, redactions)
        erased += len(content["erased"])
    for start, width in parts(len(said)):
        bundle = get(f"content/bundle/{start // 256}", missing=True)
        joined = b"".join(content + b"\n" for content in contents[start:][:width])
        must(bundle in (None, joined), "it is not what the contents are")
    return erased


def check_keys(keys, said, known):
    """Check which keys sign: the last one, and one that was replaced less than 90 days before."""
    place[0] = "the keys"
    must(known & {key for _, key in keys}, "the one that you know is none of them")
    proofs = [get(f"key/{number}.tlog-proof").decode() for number in range(1, len(keys))]
    if proofs:
        must(follow(proofs, keys[-1][1]) == keys, "its entry names another")
    now = datetime.datetime.fromisoformat(said[-1]["at"].replace("Z", "+00:00"))
    signing = [keys[-1][1]]
    for (_, key), (index, _) in pairwise(keys):
        since = datetime.datetime.fromisoformat(said[index]["at"].replace("Z", "+00:00"))
        signing += [key] if now < since + datetime.timedelta(days=90) else []
    description = json.loads(get("log.json"))
    must({*description["keys"]} == {*signing}, "it names other keys than sign")
    history = [(one["entry"], one["key"]) for one in description["key_history"]]
    must(history == keys, "it names other keys than the entries")
    policies = [entry["policy"].encode() for entry in said if entry["kind"] == "policy"]
    must(get("policy", missing=True) == (policies or [None])[-1], "it is not the last entry's")
    return signing


def check_kept(name, note, origin, leaves, keys):
    place[0] = name
    once, count, then = read_note(note)
    why = "it was signed for entries that are not here: keep it, and show it"
    must(once == origin and count <= len(leaves) and root(leaves[:count]) == then, why)
    [*_, key] = [key for named, key in keys if named < count]
    must(is_signed(note, key), "the log's key has not signed it")


def check_log(known, kept):
    checkpoint = get("checkpoint").decode()
    origin, size, digest = read_note(checkpoint)
    entries = read_entries(size)
    leaves = [sha(b"\x00", entry) for entry in entries]
    place[0] = "checkpoint"
    must(root(leaves) == digest, "the entries are not those that were signed")
    check_tiles(leaves)
    said, keys = check_entries(entries, leaves)
    signing = check_keys(keys, said, known)
    place[0] = "checkpoint"
    must(all(is_signed(checkpoint, key) for key in signing), "a key of the log has not signed it")
    print(f"{origin}: {size} entries, as signed")
    erased = check_contents(said)
    print(
        f"their contents: as committed to, and for {erased} members that are erased entries say so"
    )
    witnessed = get("witnessed", missing=True)
    if witnessed is not None:
        check_kept("witnessed", witnessed.decode(), origin, leaves, keys)
    for path in kept:
        place[0] = path
        note = Path(path).read_text()
        check_kept(path, note, origin, leaves, keys)
        print(f"{path}: its {read_note(note)[1]} entries are here still")


def goes_on(old, new, old_root, new_root, path):
    # RFC 9162, section 2.1.4.2.
    path = [old_root] * (old & (old - 1) == 0) + path
    index, last = old - 1, new - 1
    while index % 2:
        index, last = index // 2, last // 2
    before = after = path[0]
    for other in path[1:]:
        if index % 2 or index == last:
            before, after = sha(b"\x01", other, before), sha(b"\x01", other, after)
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            after = sha(b"\x01", after, other)
        index, last = index // 2, last // 2
    return (before, after, last) == (old_root, new_root, 0)


def check_evidence(folder, known):
    notes = []
    for path in sorted(folder.glob("note-*")):
        place[0] = path.name
        note = path.read_text()
        notes.append(read_note(note))
        must(any([is_signed(note, key) for key in known]), "no key that you know has signed it")
    (origin, size, root), (other, more, later) = sorted(notes, key=lambda one: one[1])
    place[0] = "the notes"
    must(origin == other, "they are of two logs")
    print(f"{origin}: both notes are signed, of {size} and of {more} entries")
    if size == more:
        must(root != later, "they say the same")
        print(f"two histories: they name two roots of {size} entries")
    elif (folder / "proof.json").exists():
        place[0] = "proof.json"
        said = json.loads((folder / "proof.json").read_text())
        then, path = raw(said["old_root"]), [raw(one) for one in said["path"]]
        stated = (said["old"], said["new"], raw(said["new_root"]))
        must(stated == (size, more, later) and then != root, "it is of other notes")
        must(goes_on(size, more, then, later, path), "it does not lead from root to root")
        print(f"two histories: the log of {more} entries had another root at {size}")


if __name__ == "__main__":
    try:
        known = set(Path(sys.argv[2]).read_text().split())
        if list(Path(sys.argv[1]).glob("note-*")):
            check_evidence(Path(sys.argv[1]), known)
        else:
            check_log(known, sys.argv[3:])
    except Exception as error:
        sys.exit(f"NOT IN ORDER: {place[0]}: {error!r}")
