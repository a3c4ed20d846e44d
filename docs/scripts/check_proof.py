"""check_proof.py: is what a proof says of a record what the log has?"""

import base64
import hashlib
import json
import sys


def sha(content):
    return hashlib.sha256(content).digest()


def text_of(digest):
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def canonical(value):
    # RFC 8785, for all but numbers with an exponent and names beyond ASCII.
    said = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return said.encode()


def root_of(leaf, index, size, path):
    # RFC 9162, section 2.1.3.2.
    last, root = size - 1, leaf
    for other in path:
        assert last > 0, "the path is too long"
        if index % 2 or index == last:
            root = sha(b"\x01" + other + root)
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            root = sha(b"\x01" + root + other)
        index, last = index // 2, last // 2
    assert last == 0, "the path is too short"
    return root


def check(evidence):
    entry = json.loads(evidence["entry"])
    assert canonical(entry) == evidence["entry"].encode(), "the entry is not canonical"
    sections = json.loads(evidence["content"])["sections"]
    assert sections.keys() == entry["sections"].keys(), "other sections than the entry's"
    erased = []
    for key, listed in sections.items():
        members = []
        for pointer, said in listed:
            if "salt" in said:
                whole = ["registry/member/1", said["salt"], pointer, said["value"]]
                members.append([pointer, text_of(sha(canonical(whole)))])
            else:
                members.append([pointer, said["commitment"]])
                erased.append((pointer, said["redaction"]))
        commitment = text_of(sha(canonical(["registry/section/1", key, members])))
        assert commitment == entry["sections"][key], f"section {key} is another"
    head, checkpoint = evidence["proof"].split("\n\n", 1)
    _, *lines = head.split("\n")
    index = next(line for line in lines if line.startswith("index "))
    path = [base64.b64decode(line) for line in lines[lines.index(index) + 1 :]]
    origin, size, root, *_ = checkpoint.split("\n")
    leaf = sha(b"\x00" + evidence["entry"].encode())
    found = root_of(leaf, int(index.split()[1]), int(size), path)
    assert found == base64.b64decode(root), "the entry is not in the tree"
    print(f"entry {index.split()[1]} is in {origin} of {size} entries")
    return entry, erased


proof = json.load(open(sys.argv[1]))
entry, erased = check(proof["version_entry"])
assert (entry["id"], entry["version"]) == (proof["id"], proof["version"])
redactions = {one["index"]: check(one)[0] for one in proof["redactions"]}
for pointer, redaction in erased:
    said = redactions[redaction]
    assert said["id"] == entry["id"] and entry["version"] in said["versions"]
    assert {pointer, "/" + pointer.split("/")[1]} & set(said["pointers"]), "nobody says why"
    print(f"{pointer} was erased by entry {redaction}, basis: {said['basis']}")
print(f"{entry['id']}, version {entry['version']}: in order")
