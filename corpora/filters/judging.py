"""The filters in their order: the first reason against each document of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpora.filters import language, quality, repetition, spam
from corpora.filters.characters import KINDS, Ints, blocks, orphan_marks, tally
from corpora.filters.thresholds import FilterConfig

REASONS = (
    "empty",
    "too_short",
    "too_long",
    "other_script",
    "pali",
    "too_little_thai",
    "low_quality",
    "spam",
    "repetition",
    "other_language",
)
"""Every reason, in the order in which they are looked for."""


Flags = NDArray[np.bool_]


class Judgement(NamedTuple):
    """What the filters say of a document."""

    reason: str | None
    """Why it is dropped, or None to keep it."""
    thai_share: float
    """Share of Thai among its letters."""


class Counts(NamedTuple):
    """What one look at the characters of all documents gives, one row a document."""

    kinds: Ints
    orphans: Ints
    heads: Ints
    """Places where a spam term may begin."""
    repeats: Ints
    grams: Ints


def reason_to_drop(text: str, filters: FilterConfig) -> str | None:
    """Return the first reason against a cleaned text, or None to keep it."""
    return judge([text], filters)[0].reason


def judge(texts: Sequence[str], filters: FilterConfig) -> list[Judgement]:
    """Judge cleaned texts, each by itself: neither order nor company changes a judgement.

    Takes bounded memory beyond the texts: long ones are looked at in pieces.
    """
    counts = count(texts, filters)
    chars = counts.kinds.sum(axis=1)
    shares = language.thai_shares(counts.kinds)
    reasons: list[str | None] = [None] * len(texts)

    def drop(reason: str, flags: Flags, test: Callable[[str], bool] | None = None) -> None:
        for number in np.flatnonzero(flags).tolist():
            if reasons[number] is None and (test is None or test(texts[number])):
                reasons[number] = reason

    drop("empty", chars == 0)
    drop("too_short", chars < filters.min_chars)
    drop("too_long", chars > filters.max_chars)
    drop("other_script", language.other_script(counts.kinds, filters))
    drop("pali", language.pali(counts.kinds, filters))
    drop("too_little_thai", shares < filters.min_thai_share)
    if filters.quality:
        drop("low_quality", quality.broken(counts.kinds, counts.orphans, filters))
        tagged = np.fromiter((text.startswith("#") for text in texts), np.bool_, len(texts))
        drop("low_quality", tagged, quality.hashtags_alone)
        lacks = partial(quality.lacks_words, least=filters.min_stop_words)
        drop("low_quality", chars >= filters.stop_word_min_chars, lacks)
    if filters.spam:
        suspects = spam.suspects(counts.heads, chars, filters)
        drop("spam", suspects, partial(spam.is_spam, filters=filters))
    if filters.repetition:
        lines = partial(repetition.repeats_lines, filters=filters)
        drop("repetition", chars >= filters.repetition_min_chars, lines)
        suspects = repetition.suspects(counts.repeats, counts.grams, filters)
        drop("repetition", suspects, partial(repetition.repeats_words, filters=filters))
    if filters.langid:
        drop("other_language", shares < language.SURE_SHARE, language.other_language)
    return [Judgement(*each) for each in zip(reasons, shares.tolist(), strict=True)]


def count(texts: Sequence[str], filters: FilterConfig) -> Counts:
    """Look once at all characters."""
    size = len(texts)
    kinds_of = np.zeros((size, KINDS), dtype=np.int64)
    orphans, heads, repeats, grams = np.zeros((4, size), dtype=np.int64)
    for block in blocks(texts):
        kinds = block.kinds()
        np.add.at(kinds_of, block.owners, tally(block, kinds))
        if filters.quality:
            np.add.at(orphans, block.owners_at(orphan_marks(block, kinds)), 1)
        if len(block.symbols) < repetition.GRAM:
            continue
        quads = repetition.fours(block.symbols)
        if filters.spam:
            np.add.at(heads, block.owners_at(spam.head_places(quads)), 1)
        if filters.repetition:
            found, of = repetition.repeated_grams(block, quads, filters.repetition_min_chars)
            np.add.at(repeats, block.owners, found)
            np.add.at(grams, block.owners, of)
    return Counts(kinds_of, orphans, heads, repeats, grams)
