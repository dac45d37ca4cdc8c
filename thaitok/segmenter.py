"""Words of many phrases at once: nlpo3's newmm as kernels compiled by numba.

Maximal matching as nlpo3 1.4 does it (src/tokenizer/newmm.rs): from each place the words of the
list that end with a cluster are edges, and where all paths meet the one of fewest words is taken;
of several such the one whose first word that differs is shorter. What no word begins is skipped
up to where one can. `thaitok.words.segment` is nlpo3 itself, and tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from thaitok.clusters import CHARACTERS, CONSONANTS, KINDS, States, cluster_states, run_states
from thaitok.words import LONGEST, listed_words

MOST_EDGES = 50
"""MAX_GRAPH_SIZE of nlpo3: with more, a place adds no word but its shortest."""
_ROOM = MOST_EDGES + 1 + LONGEST
"""Edges that there can be between two places where all paths meet: beyond the most, one a place."""
NEAR = 512
"""Places before the last family of nodes where room for the next is looked for."""

Symbols = NDArray[np.uint16]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a kernel by numba, and keep it on disk where that can be."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # nowhere to keep what is compiled: each run compiles, for some seconds
        return cast(F, numba.njit(**options)(function))


class Rules(NamedTuple):
    """What words are made of; numba takes it."""

    cells: Places
    """The word list as a double-array trie (Aoe 1989). The high half of a cell is the cell that it
    follows, or -1; the low half is twice what a symbol is added to for the next cell, and 1 more
    where a word ends. The root is cell 0."""
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
    cells = _trie(words, symbol, many)
    return symbol, Rules(cells, consonant, cluster_states(symbols, many), run_states(symbols, many))


def _trie(words: Sequence[str], symbol: Symbols, many: int) -> Places:
    """Return the cells of a trie of sorted words, of `many` symbols."""
    parents, lasts, rows, ends = _nodes(words, symbol)
    first = np.searchsorted(parents, np.arange(len(parents) + 1))
    # Words one after another: what a word goes through is near, a quarter faster than by levels.
    order = np.argsort(rows, kind="stable")
    cell, room = np.zeros(len(parents), np.int64), len(parents) + 4 * many
    while True:
        check, base = np.full(room, -1), np.zeros(room, np.int64)
        if used := _place_nodes(order, first, lasts, cell, check, base, many):
            base *= 2
            base[cell[ends]] += 1
            return (check[:used] << 32) + base[:used]
        room *= 2


def _nodes(words: Sequence[str], symbol: Symbols) -> tuple[Places, Symbols, Places, Flags]:
    """Return the nodes of a trie of sorted words, level by level: parent, last symbol, first word, end.

    So the children of a node are neighbours, and the parents come in order. The root has -1.
    """
    letters = symbol[np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)]
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    begins = np.cumsum(sizes) - sizes
    node = np.zeros(len(words), np.int64)
    levels = [
        (np.array([-1]), np.zeros(1, np.uint16), np.zeros(1, np.int64), np.zeros(1, np.bool_))
    ]
    rows, many = np.arange(len(words)), 1
    for depth in range(max(sizes)):
        rows = rows[sizes[rows] > depth]
        last, parent = letters[begins[rows] + depth], node[rows]
        new = np.ones(len(rows), np.bool_)
        new[1:] = (last[1:] != last[:-1]) | (parent[1:] != parent[:-1])
        node[rows] = many - 1 + np.cumsum(new)
        ends = np.zeros(np.count_nonzero(new), np.bool_)
        ends[node[rows[sizes[rows] == depth + 1]] - many] = True
        levels.append((parent[new], last[new], rows[new], ends))
        many += len(ends)
    parents, lasts, firsts, found = map(np.concatenate, zip(*levels, strict=True))
    return parents, lasts, firsts, found


@compiled
def _place_nodes(
    order: Places,
    first: Places,
    lasts: Symbols,
    cell: Places,
    check: Places,
    base: Places,
    many: int,
) -> int:
    """Give each family of nodes the first cells that are free; return how many cells are used.

    Node n has the children `first[n]` to `first[n + 1]`. An only child takes the first free cell;
    larger families do not try the full ones before their last like again and again. Returns 0
    where there is too little room.
    """
    free = near = many  # every symbol has a place before it
    check[0] = 0
    used = 0
    for node in order:
        begin, end = first[node], first[node + 1]
        if begin == end:
            continue
        while check[free] >= 0:
            free += 1
        at = (free if end == begin + 1 else max(free, near)) - np.int64(lasts[begin])
        child = begin
        while child < end:
            if at + 2 * many > len(check):
                return 0
            if check[at + lasts[child]] >= 0:
                at, child = at + 1, begin
            else:
                child += 1
        if end > begin + 1:
            near = at + lasts[begin] - NEAR
        base[cell[node]] = at
        used = max(used, at + many)
        for child in range(begin, end):
            cell[child] = at + lasts[child]
            check[cell[child]] = cell[node]
    return used


LOW = (1 << 32) - 1
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
