"""Language by script: Thai, its neighbours' scripts, Pali in Thai letters; py3langid if asked."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.filters.characters import KINDS, THAI_KINDS, Ints, Kind, blocks, tally
from corpora.filters.thresholds import FilterConfig
from thaitok.errors import UserError

Shares = NDArray[np.float64]
Flags = NDArray[np.bool_]

SURE_SHARE = 0.6
"""Thai share from which py3langid is not asked: only a text in Thai script has it."""


def thai_share(text: str) -> float:
    """Return the share of Thai letters and marks among all letters, 0 if there are none.

    Not among all characters: digits, spaces and emoji say nothing about the language.
    """
    return float(thai_shares(sum_tallies(text)[None])[0])


def sum_tallies(text: str) -> Ints:
    """Count the characters of one text by kind, shape (KINDS,)."""
    total = np.zeros(KINDS, dtype=np.int64)
    for block in blocks([text]):
        total += tally(block, block.kinds()).sum(axis=0)
    return total


def thai_shares(counts: Ints) -> Shares:
    """Return the share of Thai letters for counts by kind of shape (documents, KINDS)."""
    thai = thai_chars(counts)
    return share(thai, thai + counts[:, Kind.LETTER] + counts[:, Kind.NEAR_LETTER])


def thai_chars(counts: Ints) -> Ints:
    """Return how many Thai letters and marks each document has."""
    chars: Ints = counts[:, list(THAI_KINDS)].sum(axis=1)
    return chars


def share(part: Ints, whole: Ints) -> Shares:
    """Divide, with 0 where there is nothing."""
    return part / np.maximum(whole, 1)


def other_script(counts: Ints, filters: FilterConfig) -> Flags:
    """Judge which documents are in a neighbour's script rather than in Thai."""
    near = counts[:, Kind.NEAR_LETTER] + counts[:, Kind.NEAR_MARK]
    letters = near + thai_chars(counts) + counts[:, Kind.LETTER]
    return share(near, letters) > filters.max_other_script_share


def pali(counts: Ints, filters: FilterConfig) -> Flags:
    """Judge which documents are Pali (or Sanskrit) in Thai script.

    Its signs alone do not make it so: a Thai commentary that quotes the canon has them too, but
    more tone marks, which Pali has none of.
    """
    signs = counts[:, Kind.PALI_MARK]
    frequent = share(signs, thai_chars(counts)) > filters.max_pali_share
    return frequent & (signs > counts[:, Kind.TONE])


def other_language(text: str) -> bool:
    """Ask py3langid whether a text of mixed scripts is in another language than Thai."""
    return bool(langid().classify(text)[0] != "th")


@cache
def langid() -> Any:
    """Return py3langid; raises `UserError` where it is not installed."""
    try:
        return importlib.import_module("py3langid")
    except ImportError:
        raise UserError(
            "filters.langid asks py3langid, which is not installed",
            do="pip install py3langid, or leave langid off",
        ) from None
