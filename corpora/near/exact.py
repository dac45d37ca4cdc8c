"""The exact Jaccard similarity of two texts over their sets of character n-grams."""

from __future__ import annotations

import numpy as np

from corpora.ngrams import BLOCK_CHARS, Hashes, code_points, gram_hashes, without_space

PART_CHARS = 2 << 20
"""Sets of longer texts are compared part by part, which holds 16 MB texts to some 100 MB."""


def jaccard(a: str, b: str, ngram: int = 5) -> float:
    """Return |A ∩ B| / |A ∪ B| of the n-gram sets of two texts, white space not counted.

    Letters and digits are compared as they are. A text without a single n-gram equals only itself.
    """
    a, b = without_space(a), without_space(b)
    if min(len(a), len(b)) < ngram:
        return float(a == b)
    parts = 1 + max(len(a), len(b)) // PART_CHARS
    shared = either = 0
    for part in range(parts):
        ours, theirs = (gram_set(text, ngram, part, parts) for text in (a, b))
        common = count_shared(ours, theirs)
        shared += common
        either += len(ours) + len(theirs) - common
    return shared / either


def gram_set(bare: str, ngram: int, part: int = 0, parts: int = 1) -> Hashes:
    """Return the sorted hashes of the n-grams of a text without space: one part of them all."""
    found = []
    for at in range(0, len(bare) - ngram + 1, BLOCK_CHARS):
        hashes = gram_hashes(code_points(bare[at : at + BLOCK_CHARS + ngram - 1]), ngram)
        if parts > 1:
            hashes = hashes[hashes % np.uint64(parts) == part]
        found.append(hashes)
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.uint64)


def count_shared(ours: Hashes, theirs: Hashes) -> int:
    """Count the members that two sorted sets share."""
    if not len(ours) or not len(theirs):
        return 0
    places = np.searchsorted(ours, theirs)
    places[places == len(ours)] = 0
    return int(np.count_nonzero(ours[places] == theirs))
