"""Which 32 bytes are a sound Ed25519 public key, RFC 8032 §5.1.3.

Libraries verify with keys of low order too, under which one signature fits many messages, and with
second ways to write a key. No honest key is either.
"""

from __future__ import annotations

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


def check_public_key(public: bytes) -> None:
    """Raise `ValueError` for 32 bytes that no configured key may be."""
    number = int.from_bytes(public, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    x = _x_of(y, sign) if y < _P else None
    if x is None:
        raise ValueError("the key is no point of the curve, written canonically")
    for _ in range(3):
        x, y = _doubled(x, y)
    # Eight times a point of low order is the neutral one.
    if (x, y) == (0, 1):
        raise ValueError("the key is of low order: it would accept forged signatures")


def _x_of(y: int, sign: int) -> int | None:
    """Return the x of a point by the curve's equation; None if none has that sign."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    return x if x & 1 == sign else _P - x


def _doubled(x: int, y: int) -> tuple[int, int]:
    product = _D * x * x * y * y % _P
    return (
        2 * x * y * pow(1 + product, -1, _P) % _P,
        (y * y + x * x) * pow(1 - product, -1, _P) % _P,
    )
