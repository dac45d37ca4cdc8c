"""Which tokens stand in which micro-batch: a function of seed and epoch, without other state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias

import numpy as np

from pretrain.data.packing import ENDS, Ints, Parts, fill_rows, fill_stream

Layout: TypeAlias = Literal["stream", "rows"]


@dataclass(frozen=True, slots=True)
class Spans:
    """Parts of documents short enough to be seen at once."""

    document: Ints
    start: Ints
    length: Ints

    def __len__(self) -> int:
        return len(self.document)


@dataclass(frozen=True, slots=True)
class Micro:
    """What stands in a micro-batch: arrays of one entry a part of a document, in order."""

    span: Ints
    """Number of the span."""
    skip: Ints
    """Tokens of the span before the part: another part has them."""
    length: Ints
    """Tokens taken, without `<s>` and `</s>`."""
    place: Ints
    """Where its `<s>` stands among the places of the micro-batch."""


def cut_documents(documents: Ints, lengths: Ints, most: int) -> Spans:
    """Cut documents of the given lengths into spans of at most `most` tokens; none is lost."""
    parts = -(-lengths // most)
    owner = np.repeat(np.arange(len(documents)), parts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    start = part * most
    return Spans(documents[owner], start, np.minimum(lengths[owner] - start, most))


def generator(*key: int) -> np.random.Generator:
    """Return the random generator of a key such as (seed, epoch): Philox, the same anywhere."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch's spans, laid into micro-batches."""

    parts: Parts
    first: Ints
    """Where each micro-batch begins among the parts; at the end their number."""
    row: Ints | None = None
    """Row of each part, counted from the epoch's beginning; a stream has none."""


class Plan(ABC):
    """The micro-batches of a run, numbered from its start over all epochs.

    A micro-batch depends on its number alone; kept is only how many the epochs met so far have,
    and the two epochs looked at last. Raises `ValueError` for spans that do not fit.
    """

    def __init__(self, spans: Spans, shape: tuple[int, int], most_documents: int) -> None:
        if not len(spans) or int(spans.length.max()) + 2 > shape[1]:
            raise ValueError(f"there are no spans, or some do not fit into {shape[1]} places")
        self.spans = spans
        self.shape = shape
        """(1, T) of a stream, (R, S) of rows."""
        self.tokens = shape[0] * shape[1]
        """Places of a micro-batch, T."""
        self.most_documents = most_documents
        """Parts of documents in a micro-batch at most, the same over the whole run."""
        self.counts: list[int] = []
        """Micro-batches of the epochs met so far. A run that is taken up gets them back, for to
        find them each epoch has to be laid."""
        self._kept: dict[int, Epoch] = {}
        self._lock = Lock()

    @abstractmethod
    def _lay(self, epoch: int) -> Epoch: ...

    def micro(self, number: int) -> Micro:
        """Return a micro-batch of the run."""
        epoch = 0
        while number >= self.epoch_micros(epoch):
            number -= self.epoch_micros(epoch)
            epoch += 1
        laid = self._epoch(epoch)
        chosen = slice(laid.first[number], laid.first[number + 1])
        parts = laid.parts.taken(chosen)
        place = np.cumsum(parts.length + ENDS) - parts.length - ENDS
        if laid.row is not None:
            row = laid.row[chosen] - number * self.shape[0]
            place += row * self.shape[1] - place[np.searchsorted(row, row)]
        return Micro(parts.span, parts.skip, parts.length, place)

    def epoch_micros(self, epoch: int) -> int:
        """Return how many micro-batches an epoch has."""
        while epoch >= len(self.counts):
            self._epoch(len(self.counts))
        return self.counts[epoch]

    def remember(self, counts: Sequence[int]) -> None:
        """Take the counts that a run had before it was stopped; those known already stay."""
        with self._lock:
            self.counts += counts[len(self.counts) :]

    def _epoch(self, epoch: int) -> Epoch:
        # Two are kept, for the thread that builds ahead is in the next one first.
        with self._lock:
            if epoch not in self._kept:
                self._kept = {one: laid for one, laid in self._kept.items() if one == epoch - 1}
                self._kept[epoch] = self._lay(epoch)
            if epoch == len(self.counts):
                self.counts.append(len(self._kept[epoch].first) - 1)
            return self._kept[epoch]


class StreamPlan(Plan):
    """Micro-batches of `tokens` places in one row, with one span after another.

    In each epoch the spans stand in the order of a permutation of (seed, epoch). What is left
    at the end of a micro-batch is filled by cutting the next span: its rest, a part of its own,
    opens the next micro-batch. Nothing is dropped, repeated or preferred.
    """

    def __init__(
        self, spans: Spans, tokens: int, seed: int, most_documents: int | None = None
    ) -> None:
        if most_documents is None:
            # A shuffled order does not come near twice the mean, unless lengths are extreme:
            # then a micro-batch is closed early.
            places = int(spans.length.sum()) + 2 * len(spans)
            most_documents = 64 * max(1, -(-2 * tokens * len(spans) // max(64 * places, 1)))
        super().__init__(spans, (1, tokens), most_documents)
        self.seed = seed

    def _lay(self, epoch: int) -> Epoch:
        order = generator(self.seed, epoch).permutation(len(self.spans))
        most = self.most_documents
        return Epoch(*fill_stream(order, self.spans.length, self.tokens, most))


class RowPlan(Plan):
    """Micro-batches of `rows` rows of `room` places, with spans packed into rows by best fit.

    An epoch's rows are shuffled by (seed, epoch); its last micro-batch may have empty rows.
    """

    def __init__(self, spans: Spans, rows: int, room: int, seed: int) -> None:
        super().__init__(spans, (rows, room), rows * (room // 3))
        self.seed = seed

    def _lay(self, epoch: int) -> Epoch:
        draw = generator(self.seed, epoch)
        order = draw.permutation(len(self.spans))
        parts, row = fill_rows(order, self.spans.length, self.shape[1])
        rows = int(row.max()) + 1
        # Best fit opens rows with the longest spans; shuffled, a batch is a fair sample.
        row = draw.permutation(rows)[row]
        by_row = np.argsort(row, kind="stable")
        parts, row = parts.taken(by_row), row[by_row]
        micros = -(-rows // self.shape[0])
        return Epoch(parts, np.searchsorted(row, np.arange(micros + 1) * self.shape[0]), row)


def make_plan(
    layout: Layout,
    spans: Spans,
    micro_tokens: int,
    sequence_length: int,
    seed: int,
    most_documents: int | None = None,
) -> Plan:
    """Return the plan of a layout; rows have `sequence_length` places, as many as fit."""
    if layout == "stream":
        return StreamPlan(spans, micro_tokens, seed, most_documents)
    return RowPlan(spans, max(1, micro_tokens // sequence_length), sequence_length, seed)


def packing_efficiency(
    lengths: Ints, sequence_length: int, micro_tokens: int, layout: Layout
) -> float:
    """Return the share of places that hold tokens over an epoch of documents of these lengths.

    The last, partly empty micro-batch is left out, unless it is the only one. No text: 0.0.
    """
    spans = cut_documents(np.arange(len(lengths)), np.asarray(lengths), sequence_length - 2)
    if not len(spans):
        return 0.0
    plan = make_plan(layout, spans, micro_tokens, sequence_length, 0)
    micros = max(1, plan.epoch_micros(0) - 1)
    used = sum(int((plan.micro(number).length + 2).sum()) for number in range(micros))
    return used / (micros * plan.tokens)
