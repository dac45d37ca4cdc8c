"""Hashes of all character n-grams of many texts at once, by numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]

BLOCK_CHARS = 1 << 20
"""Characters hashed at once: the arrays in between take some 30 bytes a character."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0xD6E8FEB86659FD93
_WORD = 1 << 64


def code_points(text: str) -> Codes:
    """Return the code points of a text, shape (characters,). It must be sound Unicode."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def without_space(text: str) -> str:
    """Return a text less its white space, as texts are compared.

    Block by block: 16 MB of short words would be 300 MB of small strings at once.
    """
    if len(text) <= BLOCK_CHARS:
        return "".join(text.split())
    blocks = (text[at : at + BLOCK_CHARS] for at in range(0, len(text), BLOCK_CHARS))
    return "".join("".join(block.split()) for block in blocks)


def gram_hashes(codes: Codes, n: int) -> Hashes:
    """Return a 64-bit hash of each run of `n` code points, shape (max(len(codes) - n + 1, 0),).

    Equal runs have equal hashes anywhere and on any machine. The hash of a run is a polynomial
    in its code points modulo 2^64, put together from those of its halves, then mixed, so that
    its high and low bits can be used apart.
    """
    if len(codes) < n:
        return np.empty(0, dtype=np.uint64)
    rest, span = n, 1
    power = (codes.astype(np.uint64) + np.uint64(1)) * _SPREAD  # the runs of `span` points
    power ^= power >> np.uint64(29)
    hashes: Hashes | None = None
    done = 0
    while True:
        if rest & 1:
            hashes = power if hashes is None else _joined(hashes, done, power, span)
            done += span
        rest >>= 1
        if not rest:
            break
        power = _joined(power, span, power, span)
        span *= 2
    assert hashes is not None
    return _mixed(hashes)


def _joined(left: Hashes, left_span: int, right: Hashes, right_span: int) -> Hashes:
    """Hash the runs made of a run of `left_span` and the run of `right_span` after it."""
    after = right[left_span:]
    joined = left[: len(after)] * np.uint64(pow(_BASE, right_span, _WORD))
    joined += after[: len(joined)]
    return joined


def _mixed(hashes: Hashes) -> Hashes:
    mixed = hashes ^ (hashes >> np.uint64(32))
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    return mixed
