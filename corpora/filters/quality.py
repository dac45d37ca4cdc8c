"""Quality of the characters: broken encodings, marks without letters, tables, keyword lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpora.filters.characters import LETTER_KINDS, Ints, Kind
from corpora.filters.language import share, thai_chars
from corpora.filters.thresholds import FilterConfig

STOP_WORDS = ("ที่", "การ", "และ", "ใน", "ของ", "ได้", "เป็น", "มี")
"""FineWeb-2's stop words for Thai (configs/tha_Thai.yml), the most frequent first."""
LEAST_ORPHANS = 3
"""Marks without a letter that make a fault of the text: one or two are slips of a finger, which
in a post of twelve characters exceed any share."""
HASHTAGS = 3
"""Hashtags, and nothing else, that make a post a list of keywords."""


def broken(counts: Ints, orphans: Ints, filters: FilterConfig) -> NDArray[np.bool_]:
    """Judge from counts by kind (documents, KINDS) and of orphan marks (documents,)."""
    chars = counts.sum(axis=1)
    filled = chars - counts[:, Kind.SPACE]
    letters = counts[:, list(LETTER_KINDS)].sum(axis=1)
    unread = share(counts[:, Kind.REPLACEMENT], chars) > filters.max_replacement_share
    loose = share(orphans, thai_chars(counts)) > filters.max_orphan_share
    loose &= orphans >= LEAST_ORPHANS
    wordless = share(letters, filled) < filters.min_letter_share
    flags: NDArray[np.bool_] = unread | loose | (wordless & (filled >= filters.letter_min_chars))
    return flags


def hashtags_alone(text: str) -> bool:
    """Judge whether a text is a list of hashtags and nothing else."""
    words = text.split()
    return len(words) >= HASHTAGS and all(word.startswith("#") for word in words)


def lacks_words(text: str, least: int) -> bool:
    """Judge whether a text holds fewer than `least` different stop words."""
    found = 0
    for word in STOP_WORDS:
        if found >= least:
            return False
        found += word in text
    return found < least
