"""The order of training rows: batches of like lengths, in an order by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

GROUP = 16
"""Batches whose rows are sorted by length together: 89 % of the places are then tokens on wisesight
(at 50 batches 95 %, in random order 25 %), and rows still meet others every epoch."""


class LengthOrder(Sampler[int]):
    """Rows in an order in which each `batch_size` of them are of like length.

    Another order every epoch, a function of (seed, epoch). The batches stand in random order: the
    Trainer's own `group_by_length` goes from the longest rows to the shortest, and where length
    goes with the label a small set is then learned and forgotten in turn.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = np.array(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        dice = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        rows = dice.permutation(len(self.lengths))
        group = GROUP * self.batch_size
        batches = []
        for start in range(0, len(rows), group):
            near = rows[start : start + group]
            near = near[np.argsort(-self.lengths[near], kind="stable")]
            batches += [
                near[at : at + self.batch_size] for at in range(0, len(near), self.batch_size)
            ]
        order = dice.permutation(len(batches))
        # A batch that is not full must be the last, or all after it would be cut elsewhere.
        full = [batches[at] for at in order if len(batches[at]) == self.batch_size]
        rest = [batches[at] for at in order if len(batches[at]) < self.batch_size]
        for batch in (*full, *rest):
            yield from batch.tolist()
