"""What is kept in memory: never more than there is room for, and what was used last."""

from registry.store.lru import LruCache


def test_what_is_kept_has_its_bounds():
    kept = LruCache(10)
    for key, thing in enumerate((b"1234", b"1234", b"1234", b"x" * 11, b"12")):
        kept.put(key, thing, len(thing))
    # The one that would never fit takes nobody's place.
    assert [kept.get(key) for key in range(5)] == [None, b"1234", b"1234", None, b"12"]
    kept.put(5, b"123", 3)
    assert [kept.get(key) for key in (1, 2, 4, 5)] == [None, b"1234", b"12", b"123"]


def test_what_was_used_last_stays():
    kept = LruCache(10)
    kept.put("a", b"1234", 4)
    kept.put("b", b"1234", 4)
    assert kept.get("a") == b"1234"
    kept.put("c", b"1234", 4)
    assert [kept.get(key) for key in "abc"] == [b"1234", None, b"1234"]


def test_what_is_put_again_weighs_once():
    kept = LruCache(10)
    for _ in range(9):
        kept.put("a", b"1234", 4)
    kept.put("b", b"123456", 6)
    assert [kept.get(key) for key in "ab"] == [b"1234", b"123456"]
    kept.drop("a")
    kept.drop("never")
    assert [kept.get(key) for key in "ab"] == [None, b"123456"]
