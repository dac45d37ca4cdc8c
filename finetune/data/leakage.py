"""Texts of validation and test that stand in training too, word for word or in part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from finetune.data.rows import Example
from thaitok.rules import normalize_many

WINDOW = 40
"""Characters without white space that two texts share to be called near."""

CHUNK = 1 << 22
"""Characters hashed at once: 32 MiB a table of hashes."""

SLOTS = 1 << 24
"""Size of the table that sorts out nearly all windows of train before they are looked up."""

Hashes = NDArray[np.uint64]
WHITE = re.compile(r"\s+")


def leakage(rows: Iterable[Example], train: Iterable[Example]) -> dict[str, int]:
    """Count the rows that train has too: "same", and "near", which are not the same.

    Texts are normalised as the tokenizer does, and white space is removed. The same: text, and
    second text of a pair or question, are equal. Near: the texts share `WINDOW` characters in a
    row, all windows of both looked at; of two texts of boilerplate that is soon so. 13,763
    documents of 2,800 characters take seconds, most of them to normalise.
    """
    rows, train = list(rows), list(train)
    texts, train_texts = _bare([row.text for row in rows]), _bare([row.text for row in train])
    seen = set(zip(train_texts, _pairs(train), strict=True))
    same = [key in seen for key in zip(texts, _pairs(rows), strict=True)]
    shared = _shared(texts, train_texts)
    near = sum(not equal and number in shared for number, equal in enumerate(same))
    return {"same": sum(same), "near": near}


def _bare(texts: Sequence[str]) -> list[str]:
    return [WHITE.sub("", text) for text in normalize_many(texts)]


def _pairs(rows: Sequence[Example]) -> list[str]:
    return _bare([row.pair or "" for row in rows])


def _shared(texts: Sequence[str], train: Sequence[str]) -> set[int]:
    """Return the numbers of the texts that share a window with a text of train."""
    parts = list(_windows(texts))
    shared: set[int] = set()
    if not parts:
        return shared
    hashes = np.concatenate([found for found, _ in parts])
    owners = np.concatenate([owner for _, owner in parts])
    table = np.zeros(SLOTS, np.bool_)
    table[_slots(hashes)] = True
    for found, _ in _windows(train):
        common = np.isin(hashes, found[table[_slots(found)]])
        if not common.any():
            continue
        shared.update(np.unique(owners[common]).tolist())
        # What is found need not be sought again: boilerplate is in the first chunk already.
        left = ~np.isin(owners, list(shared))
        hashes, owners = hashes[left], owners[left]
        if not len(hashes):
            break
        table[:] = False
        table[_slots(hashes)] = True
    return shared


def _slots(hashes: Hashes) -> NDArray[np.int64]:
    return (hashes >> np.uint64(40)).astype(np.int64)


def _windows(texts: Sequence[str]) -> Iterator[tuple[Hashes, NDArray[np.int64]]]:
    """Yield the hashes of all windows within a text, and each one's text, in chunks."""
    batch: list[int] = []
    size = 0
    for number, text in enumerate(texts):
        if len(text) < WINDOW:
            continue
        batch.append(number)
        size += len(text)
        if size >= CHUNK:
            yield _hashed(texts, batch)
            batch, size = [], 0
    if batch:
        yield _hashed(texts, batch)


def _hashed(texts: Sequence[str], batch: Sequence[int]) -> tuple[Hashes, NDArray[np.int64]]:
    whole = "".join(texts[number] for number in batch)
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes = _polynomial(codes.astype(np.uint64))
    sizes = np.array([len(texts[number]) for number in batch])
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(whole))
    inside = left[: len(hashes)] >= WINDOW
    owners = np.repeat(np.array(batch), sizes)[: len(hashes)]
    return hashes[inside], owners[inside]


def _polynomial(codes: Hashes) -> Hashes:
    """Return the hash of each window: a polynomial modulo 2**64, made of hashes of 2**n codes.

    Mixed at the end, since the low bits of such a polynomial are those of the codes.
    """
    base, modulus = 0x9E3779B97F4A7C15, 1 << 64
    whole = np.zeros(len(codes) - WINDOW + 1, np.uint64)
    level, size, done = codes, 1, 0
    while True:
        if WINDOW & size:
            whole += np.uint64(pow(base, done, modulus)) * level[done : done + len(whole)]
            done += size
        if done == WINDOW:
            break
        level = level[:-size] + np.uint64(pow(base, size, modulus)) * level[size:]
        size *= 2
    whole ^= whole >> np.uint64(31)
    whole *= np.uint64(0xBF58476D1CE4E5B9)
    return whole ^ (whole >> np.uint64(29))
