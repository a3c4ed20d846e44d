"""Trust policies: the specification's own example, each fault with its line, and who suffices."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.keys import COSIGNATURE, Signer
from registry.tlog.policy import PolicyRefused, parse_policy, quorum_of

LOG = Signer(name="log.example", seed=bytes(range(32)))
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: Signer(name=f"{name}.example", seed=bytes([number]) * 32, kind=COSIGNATURE).verifier
    for number, name in enumerate(NAMES, 1)
}

# c2sp.org/tlog-policy, § Example policy; with comments, tabs, and addresses.
EXAMPLE = f"""# Two organisations.
log {LOG.verifier_key}

witness X1 {WITNESSES["X1"].to_text()} https://x.example/1
witness X2 {WITNESSES["X2"].to_text()}
\t witness\tX3  {WITNESSES["X3"].to_text()}\t
group X-witnesses 2 X1 X2 X3

witness Y1 {WITNESSES["Y1"].to_text()}
witness Y2 {WITNESSES["Y2"].to_text()}
witness Y3 {WITNESSES["Y3"].to_text()}
  # Any of them.
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_example_of_the_specification():
    policy = parse_policy(EXAMPLE)
    assert policy.text == EXAMPLE
    assert [one.verifier for one in policy.logs] == [LOG.verifier]
    assert [one.name for one in policy.witnesses] == list(NAMES)
    assert [one.url for one in policy.witnesses] == ["https://x.example/1", *[None] * 5]
    for count in range(len(NAMES) + 1):
        for names in itertools.combinations(NAMES, count):
            expected = len({"X1", "X2", "X3"} & {*names}) >= 2 and bool(
                {"Y1", "Y2", "Y3"} & {*names}
            )
            signed = [WITNESSES[name] for name in names]
            assert policy.is_satisfied([LOG.verifier, *signed]) == expected, names
            assert not policy.is_satisfied(signed), names
    assert "not 2 of X-witnesses, Y-witnesses" in policy.fault([LOG.verifier])


def test_a_key_under_another_name_is_no_witness():
    one = Signer(name="one.example", seed=bytes(32), kind=COSIGNATURE).verifier
    other = Signer(name="other.example", seed=bytes(32), kind=COSIGNATURE).verifier
    policy = parse_policy(f"witness one {one.to_text()}\nquorum one\n")
    assert policy.is_satisfied([one])
    assert not policy.is_satisfied([other])
    # Named by its keys alone, a witness may have both names, and counts once.
    assert quorum_of([one, other], 1).is_satisfied([other])
    assert quorum_of([one, other], 2).count([one, other]) == 1
    assert not quorum_of([one, other], 2).is_satisfied([one, other])
    assert quorum_of([], 0).is_satisfied([])


def test_nobody_may_be_asked_for():
    policy = parse_policy("quorum none")
    assert policy.is_satisfied([])
    assert policy.verifiers == ()


X1, X2 = (f"witness {name} {WITNESSES[name].to_text()}\n" for name in ("X1", "X2"))
FAULTS = [
    ("", 1, "without a quorum"),
    ("quorum none\n\n", None, None),
    ("quorum none\nquorum none\n", 2, "quorum already"),
    ("quorum X1\n" + X1, 1, "no line above defines 'X1'"),
    ("\n\nquora none\n", 3, "'quora' is none of"),
    ("quorum\n", 1, "write: quorum NAME"),
    ("quorum none none\n", 1, "write: quorum NAME"),
    ("quorum none\r\n", 1, "control character"),
    ("# \x7f\nquorum none\n", 1, "control character"),
    ("quorum\u00a0none\n", 1, "is none of"),
    ("log\nquorum none\n", 1, "write: log"),
    ("log x\nquorum none\n", 1, "three parts"),
    (f"log {LOG.verifier_key} a b\nquorum none\n", 1, "write: log"),
    (f"log {WITNESSES['X1'].to_text()}\nquorum none\n", 1, "type 0x01"),
    (f"log {LOG.verifier_key}\n" * 2 + "quorum none\n", 2, "same key"),
    (f"witness w {LOG.verifier_key}\nquorum none\n", 1, "type 0x04 or 0x06"),
    ("witness w\nquorum none\n", 1, "write: witness"),
    (X1.replace("X1 ", "none ", 1) + "quorum none\n", 1, "'none' is taken"),
    (X1 + X1.replace("X1 ", "other ", 1) + "quorum none\n", 2, "same key"),
    (X1 + X2.replace("X2 ", "X1 ", 1) + "quorum none\n", 2, "'X1' is taken"),
    (X1 + "group g any\nquorum none\n", 2, "write: group"),
    (X1 + "group g 0 X1\nquorum none\n", 2, "none of all, any and a number"),
    (X1 + "group g 01 X1\nquorum none\n", 2, "none of all, any and a number"),
    (X1 + "group g 2 X1\nquorum none\n", 2, "it wants 2 of 1"),
    (X1 + "group g 1 X1 X1\nquorum none\n", 2, "member twice"),
    (X1 + "group g 1 X1 none\nquorum none\n", 2, "defines 'none'"),
    (X1 + "group g 1 g\nquorum none\n", 2, "defines 'g'"),
    (X1 + "group X1 1 X1\nquorum none\n", 2, "'X1' is taken"),
    (X1 + "group g 1 X1\ngroup h 1 X1\nquorum none\n", 3, "another group"),
]


def test_each_fault_is_told_with_its_line():
    for text, line, sentence in FAULTS:
        if line is None:
            assert parse_policy(text)
            continue
        with pytest.raises(PolicyRefused) as refused:
            parse_policy(text)
        told = str(refused.value)
        assert told.startswith(f"line {line}: "), (text, told)
        assert sentence in told, (text, told)


@given(st.text(alphabet="wlgq \t\n#1aX", max_size=60) | st.text(max_size=60))
def test_nothing_but_a_refusal_comes_of_anything(text):
    try:
        policy = parse_policy(text)
    except PolicyRefused:
        return
    assert policy.is_satisfied([]) == (policy.quorum == "none")
