"""Which tokens stand in which row: a function of seed and epoch, so that it needs no state."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Row: TypeAlias = NDArray[np.int64]
"""Numbers of the spans that stand in a row."""

BUFFER = 4096
"""Spans packed at once: at rows of 416, 99.9 % of the places are filled."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Parts of documents short enough for a row."""

    document: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.document)


def cut_documents(documents: NDArray[np.int64], lengths: NDArray[np.int64], most: int) -> Spans:
    """Cut documents of the given lengths into spans of at most `most` tokens; none is lost."""
    parts = -(-lengths // most)
    owner = np.repeat(np.arange(len(documents)), parts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    start = part * most
    return Spans(documents[owner], start, np.minimum(lengths[owner] - start, most))


def generator(*key: int) -> np.random.Generator:
    """Return the random generator of a key such as (seed, epoch): Philox, the same anywhere."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


class RowPlan:
    """The rows of a run: in each epoch all spans in shuffled order, packed by best fit.

    A row is numbered from the start of the run and depends on (seed, epoch) alone; what is
    kept here is only what was computed last.
    """

    def __init__(self, spans: Spans, room: int, seed: int) -> None:
        self.spans = spans
        self.room = room
        """Tokens of a row; a span takes its length and two more for `<s>` and `</s>`."""
        self.seed = seed
        self.starts = [0]
        """Number of the first row of each epoch met so far."""
        self._packed: tuple[int, list[Row]] = (-1, [])

    def rows(self, first: int, count: int) -> list[Row]:
        """Return rows `first` to `first + count`, each as numbers of spans."""
        found: list[Row] = []
        while len(found) < count:
            row = first + len(found)
            while self.starts[-1] <= row:
                epoch = len(self.starts) - 1
                self.starts.append(self.starts[-1] + len(self._pack(epoch)))
            epoch = bisect.bisect_right(self.starts, row) - 1
            offset = row - self.starts[epoch]
            found += self._pack(epoch)[offset : offset + count - len(found)]
        return found

    def epoch_rows(self, epoch: int) -> int:
        """Return how many rows an epoch has."""
        return len(self._pack(epoch))

    def _pack(self, epoch: int) -> list[Row]:
        if self._packed[0] != epoch:
            draw = generator(self.seed, epoch)
            order = draw.permutation(len(self.spans))
            rows: list[Row] = []
            for begin in range(0, len(order), BUFFER):
                rows += best_fit(order[begin : begin + BUFFER], self.spans.length + 2, self.room)
            # Best fit opens rows with the longest spans; shuffled, a batch is a fair sample.
            self._packed = (epoch, [rows[number] for number in draw.permutation(len(rows))])
        return self._packed[1]


def best_fit(items: Row, sizes: NDArray[np.int64], room: int) -> list[Row]:
    """Pack items into bins of `room`, largest first, each into the fullest bin that takes it."""
    bins: list[list[int]] = []
    free: list[tuple[int, int]] = []  # (room left, number of the bin), sorted
    for item in items[np.argsort(-sizes[items], kind="stable")]:
        size = int(sizes[item])
        place = bisect.bisect_left(free, (size, -1))
        left, number = free.pop(place) if place < len(free) else (room, len(bins))
        if number == len(bins):
            bins.append([])
        bins[number].append(int(item))
        if left - size > 2:
            bisect.insort(free, (left - size, number))
    return [np.asarray(one, np.int64) for one in bins]
