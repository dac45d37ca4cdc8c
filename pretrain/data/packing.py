"""Packing: spans of different lengths into micro-batches of one size, with few cuts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]

ENDS = 2
"""Places that a part takes beside its tokens: `<s>` and `</s>`."""

LEAST = 8
"""Tokens that each part of a cut span has at least."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of spans, one entry each."""

    span: Ints
    """Number of the span."""
    skip: Ints
    """Tokens of the span before the part."""
    length: Ints
    """Tokens of the part, without `<s>` and `</s>`."""

    def taken(self, chosen: slice | Ints) -> Parts:
        """Return some of the parts."""
        return Parts(self.span[chosen], self.skip[chosen], self.length[chosen])


def fill_stream(order: Ints, lengths: Ints, tokens: int, most: int) -> tuple[Parts, Ints]:
    """Fill micro-batches of `tokens` places and at most `most` parts with spans in their order.

    What is left at the end of a micro-batch gets the beginning of the next span, if both parts
    of it keep `LEAST` tokens; the rest opens the next micro-batch. `lengths` are those of all
    spans by number. Returns the parts and where each micro-batch begins among them, with their
    number at the end. The loop is over micro-batches, not spans: 10 million take 2 s.
    """
    ends = np.zeros(len(order) + 1, np.int64)
    np.cumsum(lengths[order] + ENDS, out=ends[1:])
    first, cut = [0], [0]
    while first[-1] < len(order):
        begin, before = first[-1], cut[-1]
        whole = begin + (before > 0)
        room = tokens - (int(ends[whole] - ends[begin]) - before if before else 0)
        reach = ends[whole : begin + most + 1]
        end = whole + int(np.searchsorted(reach, ends[whole] + room, "right")) - 1
        room -= int(ends[end] - ends[whole])
        begun = 0
        if end < min(len(order), begin + most):
            begun = min(room - ENDS, int(ends[end + 1] - ends[end]) - ENDS - LEAST)
        first.append(end)
        cut.append(begun if begun >= LEAST else 0)
    return _with_cuts(order, lengths, np.asarray(first), np.asarray(cut))


def _with_cuts(order: Ints, lengths: Ints, first: Ints, cut: Ints) -> tuple[Parts, Ints]:
    """Lay out spans of which those at `first` are cut after `cut` tokens, where that is not 0."""
    times = np.ones(len(order), np.int64)
    times[first[cut > 0]] = 2
    span = np.repeat(order, times)
    skip, length = np.zeros(len(span), np.int64), lengths[span]
    first = first + np.cumsum(cut > 0)
    rest, cut = first[cut > 0], cut[cut > 0]
    skip[rest] = cut
    length[rest] -= cut
    length[rest - 1] = cut
    return Parts(span, skip, length), first


def fill_rows(order: Ints, lengths: Ints, room: int) -> tuple[Parts, Ints]:
    """Pack spans into rows of `room` places and return their parts and the row of each.

    Best fit leaves gaps where no short span is left to stand beside the long ones: of real
    documents 0.8 % of the places. So the emptiest rows are given up, and their spans are cut to
    fill the gaps of others.
    """
    row = best_fit(lengths[order] + ENDS, room)
    left = room - np.bincount(row, lengths[order] + ENDS).astype(np.int64)
    emptiest = np.argsort(-left, kind="stable")
    gaps = left[emptiest]
    # What a gap surely takes: a piece has two ends, and may leave LEAST places empty.
    worth = np.maximum(gaps - ENDS - LEAST, 0)
    moved = np.cumsum(room - gaps) - (worth.sum() - np.cumsum(worth))
    given = int(np.searchsorted(moved, 0, "right"))
    donor = np.zeros(len(left), np.bool_)
    donor[emptiest[:given]] = True
    stay, move = order[~donor[row]], order[donor[row]]
    pieces, into = _fill_gaps(move, lengths, emptiest[given:], gaps[given:])
    rest = into < 0
    into[rest] = len(left) + best_fit(pieces.length[rest] + ENDS, room)
    parts = Parts(
        np.concatenate([stay, pieces.span]),
        np.concatenate([np.zeros_like(stay), pieces.skip]),
        np.concatenate([lengths[stay], pieces.length]),
    )
    row = np.concatenate([row[~donor[row]], into])
    return parts, np.unique(row, return_inverse=True)[1]


def _fill_gaps(spans: Ints, lengths: Ints, rows: Ints, gaps: Ints) -> tuple[Parts, Ints]:
    """Cut spans to fill the gaps of rows; return the pieces and the row of each, -1 for none."""
    found: list[tuple[int, int, int, int]] = []
    places = zip(rows.tolist(), gaps.tolist(), strict=True)
    row, gap = next(places, (-1, 0))
    for span, length in zip(spans.tolist(), lengths[spans].tolist(), strict=True):
        done = 0
        while done < length:
            rest = length - done
            piece = rest if rest <= gap - ENDS else min(gap - ENDS, rest - LEAST)
            if row < 0:
                piece = rest
            elif piece < min(LEAST, rest):
                row, gap = next(places, (-1, 0))
                continue
            found.append((span, done, piece, row))
            done += piece
            gap -= piece + ENDS
    columns = np.asarray(found, np.int64).reshape(-1, 4).T
    return Parts(columns[0], columns[1], columns[2]), columns[3].copy()


def best_fit(sizes: Ints, room: int) -> Ints:
    """Pack items into bins of `room`, largest first, each into the fullest bin that takes it.

    Returns the bin of each item. This is best-fit decreasing (Johnson 1973) over the whole
    epoch, in which items of one size go together through bins with one room left.
    """
    found = np.zeros(len(sizes), np.int64)
    if not len(sizes):
        return found
    order = np.argsort(-sizes, kind="stable")
    bins = 0
    free: dict[int, list[Ints]] = defaultdict(list)  # bins by the room left
    for items in np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1):
        size = int(sizes[items[0]])
        for left in (*sorted(one for one in free if one >= size), room):
            if not len(items):
                break
            each = left // size
            if left == room:
                some = np.arange(bins, bins - (-len(items) // each))
                bins += len(some)
            else:
                some = np.concatenate(free.pop(left))
            got = np.clip(len(items) - each * np.arange(len(some)), 0, each)
            packed, items = np.split(items, [got.sum()])
            found[packed] = np.repeat(some, got)
            for count in np.unique(got).tolist():
                free[left - count * size].append(some[got == count])
    return found
