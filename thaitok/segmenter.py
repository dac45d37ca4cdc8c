"""Words of many phrases at once: nlpo3's newmm as kernels compiled by numba.

Maximal matching as nlpo3 1.4 does it (src/tokenizer/newmm.rs): from each place the words of the
list that end with a cluster are edges, and where all paths meet the one of fewest words is taken;
of several such the one whose first word that differs is shorter. What no word begins is skipped
up to where one can. `thaitok.words.segment` is nlpo3 itself, and tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from thaitok.clusters import CHARACTERS, CONSONANTS, KINDS, States, cluster_states, run_states
from thaitok.kernel import compiled
from thaitok.trie import LOW, Flags, Places, Symbols, build_trie
from thaitok.words import LONGEST, listed_words

MOST_EDGES = 50
"""MAX_GRAPH_SIZE of nlpo3: with more, a place adds no word but its shortest."""
_ROOM = MOST_EDGES + 1 + LONGEST
"""Edges that there can be between two places where all paths meet: beyond the most, one a place."""


class Rules(NamedTuple):
    """What words are made of; numba takes it."""

    cells: Places
    """The word list, by `build_trie`."""
    consonant: Flags
    """Of each symbol: whether it is a Thai consonant."""
    clusters: States
    runs: States


def mark_words(phrases: Sequence[str]) -> Flags:
    """Say at which places of the phrases, joined, words meet: shape (characters + 1,)."""
    symbol, rules = _rules()
    codes = np.frombuffer("".join(phrases).encode("utf-32-le"), np.uint32)
    letters = symbol[np.minimum(codes, len(symbol) - 1)]
    sizes = np.fromiter(map(len, phrases), np.int64, len(phrases))
    marks, whole = np.zeros((2, len(codes) + 1), np.bool_)
    paths = np.zeros((3, len(codes) + 1), np.int64)
    _mark_phrases(letters, sizes, rules, whole, paths, np.zeros(_ROOM, np.int64), marks)
    marks[0] = True
    return marks


@cache
def _rules() -> tuple[Symbols, Rules]:
    """Read the word list, 0.4 s; and number characters, those that nothing is known of by 0."""
    words = sorted(listed_words())
    characters = sorted({*"".join(words), *"".join(KINDS.values()), *CHARACTERS})
    symbols = {character: number for number, character in enumerate(characters, 1)}
    many = len(characters) + 1
    symbol = np.zeros(2 + max(map(ord, characters)), np.uint16)
    symbol[list(map(ord, characters))] = np.arange(1, many)
    consonant = np.zeros(many, np.bool_)
    consonant[[symbols[character] for character in CONSONANTS]] = True
    cells = build_trie(words, symbol, many)
    return symbol, Rules(cells, consonant, cluster_states(symbols, many), run_states(symbols, many))


REACHED, EDGE, AHEAD = range(3)
"""Rows of `paths`: whether a path reaches a place; its first edge, and later its best one; how many
words are between it and where all paths meet."""


@compiled
def _mark_phrases(
    letters: Symbols,
    sizes: Places,
    rules: Rules,
    whole: Flags,
    paths: Places,
    edges: Places,
    marks: Flags,
) -> None:
    """Mark the ends of words of each phrase, cut into stretches as `words.segment` does.

    `whole` gets the ends of clusters, of which a character that begins none is one.
    """
    at = 0
    for size in sizes:
        stop = at + size
        while at < stop:
            begin, end = at, min(at + LONGEST, stop)
            while at < end:
                at = max(at + 1, _longest(letters, at, end, rules.clusters))
                whole[at] = True
            _mark_stretch(letters, begin, end, rules, whole, paths, edges, marks)


@compiled
def _longest(letters: Symbols, at: int, end: int, states: States) -> int:
    """Return where the longest match from a place ends; that place where there is none."""
    following, accepted = states
    found, state = at, 1
    for n in range(at, end):
        state = following[state, letters[n]]
        if state == 0:
            break
        if accepted[state]:
            found = n + 2 - accepted[state]
    return found


@compiled
def _mark_stretch(
    letters: Symbols,
    at: int,
    end: int,
    rules: Rules,
    whole: Flags,
    paths: Places,
    edges: Places,
    marks: Flags,
) -> None:
    """Mark the ends of words from a place to `end`.

    `waiting` is how many places ahead are reached, `drawn` the edges since all paths last met,
    which was at `root`, and `counted` the edges that nlpo3 counts.
    """
    cells = rules.cells
    root, drawn, counted, waiting = at, 0, 0, 0
    while at < end:
        paths[EDGE, at] = drawn
        cell, found = 0, cells[0]
        for n in range(at, end):
            following = (found >> 1) + letters[n]
            found = cells[following]
            if found >> 32 != cell:
                break
            cell, found = following, found & LOW
            if found & 1 and whole[n + 1]:
                edges[drawn] = n + 1
                drawn += 1
                counted += 1
                if not paths[REACHED, n + 1]:
                    paths[REACHED, n + 1] = 1
                    waiting += 1
                if counted > MOST_EDGES:
                    break
        if waiting == 0:
            at = root = _skipped(letters, at, end, rules, whole)
            marks[at] = True
            # nlpo3 goes on counting: behind many such stretches the shortest word is taken.
            counted += 1
            drawn = 0
            continue
        goal = at + 1
        while not paths[REACHED, goal]:
            goal += 1
        if waiting == 1:
            _mark_path(root, at, goal, drawn, paths, edges, marks)
            root, drawn, counted = goal, 0, 0
        waiting -= 1
        at = goal


@compiled
def _mark_path(
    root: int, last: int, goal: int, drawn: int, paths: Places, edges: Places, marks: Flags
) -> None:
    """Mark the way of fewest words from `root` to `goal`; `last` is the last place with edges.

    nlpo3 searches breadth first and takes shorter words first: of ways with as few words it finds
    the one whose first word that differs is shorter.
    """
    paths[AHEAD, goal] = 0
    stop = drawn
    for place in range(last, root - 1, -1):
        if place != root and not paths[REACHED, place]:
            continue
        fewest, best = _ROOM, goal
        for n in range(paths[EDGE, place], stop):
            if paths[AHEAD, edges[n]] + 1 < fewest:
                fewest, best = paths[AHEAD, edges[n]] + 1, edges[n]
        stop = paths[EDGE, place]
        paths[AHEAD, place], paths[EDGE, place] = fewest, best
    while root != goal:
        root = paths[EDGE, root]
        marks[root] = True


@compiled
def _skipped(letters: Symbols, at: int, end: int, rules: Rules, whole: Flags) -> int:
    """Return where the stretch ends that no word begins.

    That is a run of letters, a number and the like, or what comes before one of these or a word;
    words of two consonants at most do not count.
    """
    run = _longest(letters, at, end, rules.runs)
    if run > at:
        return run
    for place in range(at + 1, end):
        if not whole[place]:
            continue
        if _longest(letters, place, end, rules.runs) > place:
            return place
        cell, found, bare = 0, rules.cells[0], True
        for n in range(place, end):
            following = (found >> 1) + letters[n]
            found = rules.cells[following]
            if found >> 32 != cell:
                break
            cell, found = following, found & LOW
            bare = bare and n < place + 2 and rules.consonant[letters[n]]
            if found & 1 and whole[n + 1] and not bare:
                return place
    return end
