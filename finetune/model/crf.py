"""A linear-chain CRF over words: how likely one tag follows another (Lafferty et al. 2001)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

STEP = 1e-2
"""Learning rate that transitions want, whatever the model's own."""


class Chain(nn.Module):
    """Scores of a tag after another: (tags + 1, tags), the last row for the first word.

    The table is `weight` times a scale, so that one learning rate suits it and a large model.
    """

    def __init__(self, tags: int, table: Sequence[Sequence[float]] | None = None) -> None:
        super().__init__()
        start = torch.zeros(tags + 1, tags) if table is None else torch.tensor(table)
        self.weight = nn.Parameter(start)
        self.scale = 1.0

    def quicken(self, learning_rate: float) -> None:
        """Let the table learn at its own pace under the model's learning rate."""
        self.scale = max(1.0, STEP / learning_rate)

    def table(self) -> npt.NDArray[np.float64]:
        """Return the scores (tags + 1, tags), rounded as they are kept."""
        return np.round((self.weight * self.scale).detach().cpu().double().numpy(), 6)

    def steps(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add the table to scores of words (words, tags): (words, before, after)."""
        table = self.table()
        found = scores[:, None, :] + table[None, :-1]
        found[0] = scores[0] + table[-1]
        return found

    def forward(self, logits: Tensor, tags: Tensor, first: Tensor) -> Tensor:
        """Return the mean negative log-likelihood a word, in nats.

        `logits` (rows, pieces, tags), `tags` and `first` (rows, pieces): where a word's first
        piece stands. Words follow each other, their further pieces and spaces left out.
        """
        counts = first.sum(1)
        words = int(counts.max())
        if words == 0:
            return logits.sum() * 0.0
        order = torch.argsort((~first).to(torch.uint8), dim=1, stable=True)[:, :words]
        scores = torch.log_softmax(logits, -1)
        scores = scores.gather(1, order[..., None].expand(-1, -1, scores.shape[-1]))
        gold = tags.gather(1, order).clamp(min=0)
        there = torch.arange(words, device=logits.device) < counts[:, None]
        table = self.weight * self.scale
        return (_partition(scores, there, table) - _path(scores, gold, there, table)).sum() / (
            counts.sum()
        )


def _partition(scores: Tensor, there: Tensor, table: Tensor) -> Tensor:
    """Return the log of the summed weights of all paths (rows,)."""
    total = table[-1] + scores[:, 0]
    for word in range(1, scores.shape[1]):
        step = torch.logsumexp(total[:, :, None] + table[:-1], dim=1) + scores[:, word]
        total = torch.where(there[:, word, None], step, total)
    return torch.logsumexp(total, dim=1) * there[:, 0]


def _path(scores: Tensor, gold: Tensor, there: Tensor, table: Tensor) -> Tensor:
    """Return the score of the gold path (rows,)."""
    emitted = scores.gather(2, gold[..., None])[..., 0]
    first = table[-1][gold[:, :1]]
    moved = torch.cat([first, table[:-1][gold[:, :-1], gold[:, 1:]]], dim=1)
    return ((emitted + moved) * there).sum(1)
