"""A word list as a double-array trie (Aoe 1989), which kernels walk with one look a character."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thaitok.kernel import compiled

Symbols = NDArray[np.uint16]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

LOW = (1 << 32) - 1
"""The low half of a cell."""
NEAR = 512
"""Cells before the last family of nodes where room for the next is looked for."""


def build_trie(words: Sequence[str], symbol: Symbols, many: int) -> Places:
    """Return the cells of a trie of sorted words, which have no empty one among them.

    `symbol` numbers code points, from 1 to below `many`. The root is cell 0. The high half of a
    cell is the cell that it follows, or -1. The low half is twice what a symbol is added to for
    the next cell, and 1 more where a word ends.
    """
    parents, lasts, rows, ends = _nodes(words, symbol)
    first = np.searchsorted(parents, np.arange(len(parents) + 1))
    # Words one after another: the nodes of a word are near to each other.
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
    """Return the nodes of a trie of sorted words, level by level.

    Columns: parent, last symbol, first word, and whether a word ends. So the children of a node
    are neighbours, and the parents come in order. The root has -1.
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
        used = max(used, int(at + many))
        for child in range(begin, end):
            cell[child] = at + lasts[child]
            check[cell[child]] = cell[node]
    return used
