"""Masking: which tokens are predicted, and what the model sees in their place."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pretrain.config import MaskConfig
from pretrain.data.packing import Ints

Flags: TypeAlias = NDArray[np.bool_]

SPAN_LENGTHS = np.repeat(np.arange(1, 4), [6, 3, 2])
"""Lengths of spans as often as they are drawn, p(n) ~ 1/n up to 3 (arXiv 1909.11942 §4.1)."""


def masking_rate(config: MaskConfig, step: int, steps: int) -> float:
    """Return the share of tokens predicted at a step of `steps`, the first being 0."""
    final = config.probability if config.final_probability is None else config.final_probability
    return config.probability + (final - config.probability) * min(step / max(steps - 1, 1), 1.0)


def masked_count(rate: float, content: float) -> int:
    """Return how many of `content` tokens are predicted: a multiple of 128 from 1,024 on.

    The head's matrices then have a shape that kernels like, and one that stays while the rate
    does.
    """
    count = rate * content
    return 128 * round(count / 128) if count >= 1024 else max(1, round(count))


def mask_tokens(
    ids: Ints,
    special: Flags,
    draw: np.random.Generator,
    config: MaskConfig,
    count: int,
    mask_id: int,
    replacements: Ints,
    word_starts: Flags | None = None,
) -> tuple[Ints, Ints]:
    """Mask T tokens and return (what the model sees, places to predict), places in order.

    Exactly `count` of the tokens that are not `special` are chosen, or all if there are fewer;
    of these `masked` become the mask, `random` a piece drawn from `replacements`, and the rest
    stays (BERT, arXiv 1810.04805 §3.1). Words and spans are chosen whole and changed alike,
    but for one that is cut where a number would not be met otherwise. None reaches over a
    special token, and so none over the border of two documents. `word_starts` is for words:
    which tokens start one.
    """
    free = np.flatnonzero(~special)
    count = min(count, len(free))
    masked = round(config.masked * count)
    random = min(count - masked, round(config.random * count))
    if config.unit == "token":
        chosen = draw.choice(free, count, replace=False)
    else:
        if config.unit == "span":
            starts = span_starts(len(free), draw)
        elif word_starts is not None:
            starts = word_starts[free]
        else:
            raise ValueError("words cannot be masked without word_starts")
        begins = np.flatnonzero(starts | (np.diff(free, prepend=-2) > 1))
        chosen = free[_choose_units(begins, len(free), draw, count, masked, random)]
    seen = ids.copy()
    seen[chosen[:masked]] = mask_id
    swapped = chosen[masked : masked + random]
    seen[swapped] = replacements[draw.integers(0, len(replacements), random)]
    return seen, np.sort(chosen)


def span_starts(count: int, draw: np.random.Generator) -> Flags:
    """Cut `count` tokens into spans at random; say which after the first one start one."""
    drawn = draw.integers(0, len(SPAN_LENGTHS), count, dtype=np.uint8)
    begins = np.cumsum(SPAN_LENGTHS[drawn])
    starts = np.zeros(count, np.bool_)
    starts[begins[: np.searchsorted(begins, count)]] = True
    return starts


def _choose_units(
    begins: Ints, end: int, draw: np.random.Generator, count: int, masked: int, random: int
) -> Ints:
    """Choose units in random order and return `count` tokens of them, those to mask first.

    `begins` is where each unit begins; the last one ends at `end`.
    """
    lengths = np.diff(begins, append=end)
    order = draw.permutation(len(begins))
    taken = fill(lengths[order], count)
    some = np.flatnonzero(taken)
    taken, first = taken[some], begins[order[some]]
    kept = fill(taken, count - masked - random)
    swapped = fill(taken - kept, random)
    hidden = taken - kept - swapped
    return np.concatenate(
        [
            _runs(first + kept + swapped, hidden),
            _runs(first + kept, swapped),
            _runs(first, kept),
        ]
    )


def fill(lengths: Ints, count: int) -> Ints:
    """Take whole units, the first ones first, until `count` tokens are reached exactly.

    Returns the tokens taken of each. What the next unit would exceed is filled with units after
    it that fit; only if none does, that one is cut.
    """
    ends = np.cumsum(lengths)
    over = int(np.searchsorted(ends, count, side="right"))
    taken = lengths.copy()
    taken[over:] = 0
    left, place = count - int(taken.sum()), over
    while left and place < len(lengths):
        fits = np.flatnonzero((lengths[place:] > 0) & (lengths[place:] <= left))
        if not len(fits):
            break
        place += int(fits[0])
        taken[place] = lengths[place]
        left -= int(lengths[place])
        place += 1
    if left and over < len(lengths):
        taken[over] = left
    return taken


def _runs(begins: Ints, lengths: Ints) -> Ints:
    """Return the numbers of runs that begin and are as long as given, one after another."""
    runs = np.repeat(begins - np.cumsum(lengths) + lengths, lengths)
    runs += np.arange(len(runs))
    return runs
