"""Ids: a prefix that says what it is, then 26 characters that sort by the time of making (the ULID layout)."""

import itertools
import os
import threading
import time

_ALPHABET = b"0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_DIGIT_OF_BYTE = bytes(_ALPHABET[byte & 31] for byte in range(256))
_PAIRS = [bytes((first, second)) for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time
_NEXT_DIGIT = dict(itertools.pairwise(_ALPHABET))
_RANDOM_BYTES = 16
_lock = threading.Lock()
_last_millis = 0
_last_prefix = b""
_last_random = b""


def new_id(prefix: str) -> str:
    """A fresh id such as `usr_01k…`: 48 bits of milliseconds and 80 random bits.

    Within one process ids only grow, also when the machine's clock is set back. Every request takes one: of a
    millisecond that is not over its digits are at hand, and the random ones are five bits of a random byte each.
    """
    global _last_millis, _last_prefix, _last_random  # noqa: PLW0603 - the one counter that keeps ids growing
    millis = int(time.time() * 1000)
    random = os.urandom(_RANDOM_BYTES).translate(_DIGIT_OF_BYTE)
    with _lock:
        if millis > _last_millis:
            _last_millis, _last_prefix = millis, _digits(millis)
        elif random <= _last_random:
            random = _successor(_last_random)
        _last_random = random
        made = _last_prefix + random
    return f"{prefix}_{made.decode()}"


def _digits(millis: int) -> bytes:
    return b"".join([_PAIRS[(millis >> shift) & 1023] for shift in (40, 30, 20, 10, 0)])


def _successor(digits: bytes) -> bytes:
    """The next number, and after the highest of all the lowest: nobody makes 2**80 ids in a millisecond."""
    kept = digits.rstrip(_ALPHABET[-1:])
    if not kept:
        return _ALPHABET[:1] * len(digits)
    return kept[:-1] + bytes([_NEXT_DIGIT[kept[-1]]]) + _ALPHABET[:1] * (len(digits) - len(kept))
