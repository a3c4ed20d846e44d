"""check_proof.py: is what a proof says of a record what the log has, and has signed?

    python3 check_proof.py proof.json KEY

KEY is a file with a key of the log, or several, one a line. `openssl` checks the signatures.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

place = ["what is to be checked"]


def must(holds, why):
    if not holds:
        raise ValueError(why)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def raw(text):
    found = base64.b64decode(text)
    must(base64.b64encode(found).decode() == text, f"{text} is no base64")
    return found


def canonical(value):
    # RFC 8785, for all but names beyond the Basic Multilingual Plane.
    said = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return re.sub('"\\\\u0000([-+.eE0-9]+)\\\\u0000"', r"\1", said).encode()


def parse(text):
    # Numbers with a fraction or an exponent stay as they are written.
    value = json.loads(text, parse_float="\0{}\0".format)
    must(canonical(value) == text.encode(), "it is not canonical JSON")
    return value


def digest_of(*parts):
    return base64.urlsafe_b64encode(sha(canonical([*parts]))).rstrip(b"=").decode()


def read_note(note):
    origin, size, root, *_ = note.split("\n")
    must(str(int(size)) == size, "its size is no number")
    return origin, int(size), raw(root)


def is_signed(note, key):
    """Whether a note has a key's signature under the key's own name; one that has must hold."""
    name, number, public = key.split("+", 2)
    public = raw(public)
    named = sha(name.encode(), b"\n", public)[:4].hex()
    must((public[0], len(public), named) == (1, 33, number), f"{key} is no Ed25519 key")
    text, _, lines = note.rpartition("\n\n")
    signed = 0
    for line in lines.removesuffix("\n").split("\n"):
        dash, who, signature = line.split(" ")
        signature = raw(signature)
        if (dash, who, signature[:4].hex()) == ("—", name, number):
            must(holds(public[1:], f"{text}\n".encode(), signature[4:]), "a signature is false")
            signed += 1
    return signed > 0 and text.split("\n")[0] == name


def holds(public, text, signature):
    with tempfile.TemporaryDirectory() as folder:
        der = bytes.fromhex("302a300506032b6570032100") + public
        for name, content in (("key", der), ("text", text), ("signature", signature)):
            Path(folder, name).write_bytes(content)
        command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text"
        command = [*command.split(), "-sigfile", "signature"]
        return subprocess.run(command, cwd=folder, capture_output=True).returncode == 0


def root_of(leaf, index, size, path):
    # RFC 9162, section 2.1.3.2.
    must(0 <= index < size, "there is no such entry yet")
    last, root = size - 1, leaf
    for other in path:
        must(last > 0, "the path is too long")
        if index % 2 or index == last:
            root = sha(b"\x01", other, root)
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            root = sha(b"\x01", root, other)
        index, last = index // 2, last // 2
    must(last == 0, "the path is too short")
    return root


def open_proof(text, entry=None):
    """Check that an entry, or the one inside, is in a proof's tree: its index, it, the note."""
    head, _, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    must(first == "c2sp.org/tlog-proof@v1", "it is no proof")
    extra = raw(lines.pop(0)[6:]) if lines[0].startswith("extra ") else None
    index = lines.pop(0).removeprefix("index ")
    must(str(int(index)) == index, "its index is no number")
    _, size, root = read_note(note)
    leaf = sha(b"\x00", entry or extra)
    found = root_of(leaf, int(index), size, [raw(line) for line in lines])
    must(found == root, "the entry is not in the tree")
    return int(index), extra, note


def follow(proofs, key):
    """The keys that proofs of the entries that name them lead to, each with its entry's index."""
    keys = [(0, key)]
    for number, text in enumerate(proofs, 1):
        place[0] = f"key {number}"
        index, entry, note = open_proof(text)
        said = parse(entry.decode())
        keys = keys if number > 1 else [(0, said["follows"])]
        must((said["kind"], said["follows"]) == ("key", keys[-1][1]), "it does not follow")
        for one in (said["follows"], said["key"]):
            must(is_signed(note, one), f"{one} has not signed it")
        keys.append((index, said["key"]))
    must(keys[-1][1] == key, f"{key} is not the last key")
    return keys


def check_content(index, entry, text):
    """Check an entry's content; return it, with `erased`: the members that are, by redaction."""
    content = parse(text)
    must(content["index"] == index, "its content is another entry's")
    parts = {"index", "sections"} | {"verdict"} & entry.keys()
    must(content.keys() - ({"verdicts"} & entry.keys()) == parts, "its content has other parts")
    must(content["sections"].keys() == entry.get("sections", {}).keys(), "it has other sections")
    erased = []
    for key, listed in content["sections"].items():
        members = []
        for pointer, said in listed:
            must(pointer == f"/{key}" or pointer.split("/")[1] == key, f"{pointer} is not in {key}")
            if said.keys() == {"salt", "value"}:
                commitment = digest_of("registry/member/1", said["salt"], pointer, said["value"])
            else:
                commitment = said["commitment"]
                erased.append((pointer, said["redaction"]))
            members.append([pointer, commitment])
        must(members == sorted(members), f"the members of {key} are not in order")
        commitment = digest_of("registry/section/1", key, members)
        must(commitment == entry["sections"][key], f"section {key} is another")
    if "verdict" in entry and "redaction" not in content["verdict"]:
        must(verdict_of(content["verdict"]) == entry["verdict"]["digest"], "its verdict is another")
    if "verdicts" in content:
        left = {number: verdict_of(said) for number, said in content["verdicts"].items()}
        must(left == entry["verdicts"], "the verdicts that it leaves are others")
    return content | {"erased": erased}


def verdict_of(said):
    must(said.keys() - {"redaction"} == {"salt", "missing", "findings"}, "its verdict is none")
    return digest_of("registry/verdict/1", said["salt"], said["missing"], said["findings"])


def check_erased(index, entry, content, redactions):
    """Check that for all that was erased of an entry's content a later redaction says so."""
    for pointer, number in content["erased"]:
        said = redactions.get(number, {"versions": [], "pointers": []})
        owner = [(one.get("id"), one.get("agency")) for one in (said, entry)]
        if entry["kind"] == "version":
            is_named = said.get("id") == entry["id"] and entry["version"] in said.get(
                "versions", []
            )
        else:
            is_named = owner[0] == owner[1] and index in said.get("entries", [])
        covers = {pointer, "/" + pointer.split("/")[1]} & set(said["pointers"])
        why = f"{pointer} is erased, and entry {number} does not say so"
        must(number > index and is_named and covers, why)
    if "verdict" in entry:
        verdict = content["verdict"]
        last = verdict.get("redaction")
        by = {number for _, number in content["erased"]} | {last} - {None}
        left = {one: redactions.get(one, {}).get("verdicts", {}).get(str(index)) for one in by}
        stating = [number for number, digest in left.items() if digest]
        must(max(stating, default=None) == last, "its verdict is not the last redaction's")
        if last is not None:
            must(last > index and verdict_of(verdict) == left[last], "its verdict is another")


def replaced(number, version, contents):
    """What a redaction has put in the place of a version's members, by pointer."""
    found = {}
    for _, said in contents[number]["sections"].get("replaced", []):
        if "value" not in said:
            found |= replaced(said["redaction"], version, contents)
        elif version in said["value"]["versions"]:
            found[said["value"]["pointer"]] = said["value"]["value"]
    return found


def check_evidence(where, evidence, keys):
    """Check an entry, its place in the tree, the signature, and its content."""
    place[0] = where
    entry = parse(evidence["entry"])
    index, _, note = open_proof(evidence["proof"], evidence["entry"].encode())
    origin, size, _ = read_note(note)
    leaf = sha(b"\x00", evidence["entry"].encode()).hex()
    must((index, leaf) == (evidence["index"], evidence["leaf"]), "it is another entry")
    [*_, key] = [key for named, key in keys if named < size]
    must(is_signed(note, key), f"{key} has not signed it")
    print(f"entry {index} is in {origin} of {size} entries, as signed")
    return entry, check_content(index, entry, evidence["content"])


def check_record(path, known):
    proof = json.loads(Path(path).read_text())
    keys = follow(proof["keys"], proof["key"])
    place[0] = "the keys"
    must(known & {key for _, key in keys}, "its keys do not lead to the one that you know")
    must(keys[0][1].split("+")[0] == proof["origin"], "it is of another log")
    entry, content = check_evidence("the version", proof["version_entry"], keys)
    stated = ("version", proof["id"], proof["version"])
    must((entry["kind"], entry["id"], entry["version"]) == stated, "it is another one")
    redactions, contents = {}, {}
    for one in proof["redactions"]:
        number = one["index"]
        redactions[number], contents[number] = check_evidence(f"redaction {number}", one, keys)
        must(redactions[number]["kind"] == "redaction", "it is no redaction")
    for number in redactions:
        place[0] = f"redaction {number}"
        check_erased(number, redactions[number], contents[number], redactions)
    place[0] = "the version"
    index = proof["version_entry"]["index"]
    check_erased(index, entry, content, redactions)
    for pointer, number in content["erased"]:
        print(f"{pointer} was erased by entry {number}, basis: {redactions[number]['basis']}")
        shown = replaced(number, entry["version"], contents).get(pointer)
        if shown is not None:
            print(f"  in its place: {canonical(shown).decode()}")
    print(f"{entry['id']}, version {entry['version']}: in order")


if __name__ == "__main__":
    try:
        check_record(sys.argv[1], set(Path(sys.argv[2]).read_text().split()))
    except Exception as error:
        sys.exit(f"NOT IN ORDER: {place[0]}: {error!r}")
