"""The head for questions: the stretch of a context that answers one (Rajpurkar et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.model.align import visible
from finetune.model.encode import Encoded, encode_questions
from finetune.model.head import Head, Logits, Row, log_softmax, row_of
from finetune.model.windows import Window
from thaitok.alignment import Span


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of a context, and the probability of its start and end in their window."""

    span: Span
    score: float


class AnswerHead(Head):
    """The start and the end of an answer, over windows of a context of any length.

    A window that does not hold the answer is trained to point at its first piece, so that one
    window's probabilities can be held against another's. `longest` is in pieces.
    """

    auto = transformers.AutoModelForQuestionAnswering

    def __init__(self, labels: Sequence[str] = (), longest: int = 64) -> None:
        super().__init__(labels)
        self.longest = longest

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("start", "end")

    def encode(
        self, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
    ) -> Encoded:
        return encode_questions(tokenizer, examples, max_length)

    def training_rows(self, encoded: Encoded, examples: Sequence[Example]) -> list[Row]:
        rows, longest = [], 1
        for windows, example in zip(encoded.windows, examples, strict=True):
            for window in windows:
                start, end = answer_pieces(window, example.spans[0])
                longest = max(longest, end - start + 1)
                rows.append(row_of(window, [start, end]))
        self.longest = longest
        return rows

    def collate(self, labels: Sequence[Any]) -> Tensor:
        return torch.tensor(labels)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        logits = logits.float()
        start = cross_entropy(logits[..., 0], labels[:, 0])
        return (start + cross_entropy(logits[..., 1], labels[:, 1])) / 2

    def best(self, windows: Sequence[Window], logits: Sequence[Logits], text: str) -> Answer:
        """Return the best answer over a context's windows; the empty span without a piece."""
        best = Answer((0, 0), 0.0)
        for window, of in zip(windows, logits, strict=True):
            inside = np.array([start < end for start, end in window.spans])
            if not inside.any():
                continue
            start, end, score = _best_pieces(log_softmax(of, axis=0), inside, self.longest)
            if score > best.score:
                span = window.spans[start][0], window.spans[end][1]
                best = Answer(visible(text, span), score)
        return best

    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        rows = zip(encoded.texts, encoded.windows, logits, strict=True)
        answers = [(text, self.best(windows, of, text).span) for text, windows, of in rows]
        return [[text[slice(*span)]] for text, span in answers]

    def settings(self) -> dict[str, Any]:
        return {"longest": self.longest}


def answer_pieces(window: Window, answer: Span) -> tuple[int, int]:
    """Return the first and last piece that hold an answer; (0, 0) when it is not all there."""
    touching = [
        piece
        for piece, (start, end) in enumerate(window.spans)
        if start < end and start < answer[1] and end > answer[0]
    ]
    if not touching:
        return 0, 0
    whole = window.spans[touching[0]][0] <= answer[0] and window.spans[touching[-1]][1] >= answer[1]
    return (touching[0], touching[-1]) if whole else (0, 0)


def _best_pieces(scores: Any, inside: Any, longest: int) -> tuple[int, int, float]:
    """Return the start, end and probability of the best span of a window's context."""
    starts = np.where(inside, scores[:, 0], -np.inf)
    ends = np.where(inside, scores[:, 1], -np.inf)
    ways = np.triu(np.ones((len(starts), len(ends)), bool)) & ~np.triu(
        np.ones((len(starts), len(ends)), bool), longest
    )
    total = np.where(ways, starts[:, None] + ends[None, :], -np.inf)
    start, end = np.unravel_index(int(total.argmax()), total.shape)
    return int(start), int(end), float(np.exp(total[start, end]))
