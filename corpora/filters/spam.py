"""Spam: advertisements for gambling, adult pages and lotteries, by lists of their terms.

The lists lie in `words/NAME.txt`, one term a line, comments after `#`. A text is spam if enough
different terms stand in it and they make up enough of it: news of a raid on a gambling page has
one or two, a page that advertises one has dozens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from corpora.filters.characters import Ints, blocks, symbol_tables
from corpora.filters.repetition import fours
from corpora.filters.thresholds import FilterConfig
from corpora.ngrams import code_points

LISTS = ("gambling", "adult", "lottery")
HEAD = 6
"""Characters at the head of a term that is looked for first; no term is shorter."""
_BITS = 16


@dataclass(frozen=True)
class SpamTerms:
    """The lists, ready to be looked for."""

    pattern: re.Pattern[str]
    longest: int
    """Characters of the longest term."""
    heads: NDArray[np.uint32]
    """Hashes of the first characters of each term, in order."""
    table: NDArray[np.bool_]
    """Whether the first 16 bits of a hash are those of a head."""


def read_terms(name: str) -> list[str]:
    """Return the terms of a list."""
    text = (files("corpora.filters") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    terms = (line.partition("#")[0].strip() for line in text.splitlines())
    return [term for term in terms if term]


@cache
def spam_terms() -> SpamTerms:
    """Compile all lists."""
    terms = [term for name in LISTS for term in read_terms(name)]
    _, symbols = symbol_tables()
    starts = [fours(symbols.take(code_points(term[:HEAD]))) for term in terms]
    heads = np.unique(np.concatenate([_head_hashes(start) for start in starts]))
    table = np.zeros(1 << _BITS, dtype=np.bool_)
    table[heads >> np.uint32(32 - _BITS)] = True
    pattern = re.compile("|".join(map(re.escape, terms)), re.IGNORECASE)
    return SpamTerms(pattern, max(map(len, terms)), heads, table)


def head_places(quads: NDArray[np.uint32]) -> Ints:
    """Return the places where a term may begin: every term begins at one of them.

    `quads` are the block's symbols in fours.
    """
    terms = spam_terms()
    hashes = _head_hashes(quads)
    places = np.flatnonzero(terms.table.take(hashes >> np.uint32(32 - _BITS)))
    return places[np.isin(hashes[places], terms.heads)]


def suspects(heads: Ints, chars: Ints, filters: FilterConfig) -> NDArray[np.bool_]:
    """Judge from the number of `head_places` which documents need the exact test."""
    most = heads * spam_terms().longest
    return (heads >= filters.spam_min_terms) & (most >= filters.spam_min_share * chars)


def is_spam(text: str, filters: FilterConfig) -> bool:
    """Judge a text exactly: enough different terms, and enough of the text."""
    found = find_terms(text)
    if len(set(found)) < filters.spam_min_terms:
        return False
    return sum(map(len, found)) >= filters.spam_min_share * len(text)


def find_terms(text: str) -> list[str]:
    """Return the terms in a text from left to right, in lower case, none overlapping."""
    # Trying the heads alone: to try every place takes 300 ms a MB.
    match = spam_terms().pattern.match
    found: list[str] = []
    offset = end = 0
    for block in blocks([text]):
        for place in (head_places(fours(block.symbols)) + offset).tolist():
            if place >= end and (term := match(text, place)):
                found.append(term[0].lower())
                end = term.end()
        offset += len(block.symbols) - 1
    return found


def _head_hashes(quads: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hash each run of `HEAD` symbols from two runs of four."""
    hashes = quads[:-2] * np.uint32(0x9E3779B1)
    hashes += quads[2:] * np.uint32(0x85EBCA77)
    return hashes
