"""check_log.py: is every entry there, and is what was signed before a beginning of it?"""

import base64
import hashlib
import json
import sys
import urllib.request


def sha(content):
    return hashlib.sha256(content).digest()


def get(path):
    with urllib.request.urlopen(f"{sys.argv[1]}/{path}") as answer:
        return answer.read()


def name(number):
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\x01" + root(leaves[:left]) + root(leaves[left:]))


def read(checkpoint):
    origin, size, digest, *_ = checkpoint.split("\n")
    return origin, int(size), base64.b64decode(digest)


origin, size, digest = read(get("checkpoint").decode())
entries = []
for number in range((size + 255) // 256):
    width = min(256, size - 256 * number)
    bundle = get(f"tile/entries/{name(number)}" + (f".p/{width}" if width < 256 else ""))
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
leaves = [sha(b"\x00" + entry) for entry in entries]
assert root(leaves) == digest, "the entries are not those that were signed"
last, key = {}, None
for index, entry in enumerate(map(json.loads, entries)):
    if entry["kind"] in ("genesis", "key"):
        assert entry.get("follows") == key, f"entry {index} names a key that does not follow"
        key = entry["key"]
    subject = entry.get("id") or entry.get("agency")
    if subject:
        # Each entry names the one before it of the same record: nothing was left out. What an
        # agency is called and what it attests are two chains.
        subject = (entry["kind"] == "agency", subject)
        before = entry["prev"] and (entry["prev"]["index"], entry["prev"]["leaf"])
        assert before == last.get(subject), f"entry {index} names another one before it"
        last[subject] = (index, leaves[index].hex())
print(f"{origin}: {size} entries, as signed")
for kept in sys.argv[2:]:
    once, count, then = read(open(kept).read())
    assert once == origin and count <= size and root(leaves[:count]) == then, (
        f"{kept} was signed for entries that are not here: keep it, and show it"
    )
    print(f"{kept}: its {count} entries are here still")
