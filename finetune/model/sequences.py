"""Heads for texts as a whole, or for pairs of them: one label, or those that hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
import transformers
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.measure.thresholds import best_threshold
from finetune.model.encode import Encoded, encode_texts
from finetune.model.head import Head, Logits, Row, log_softmax, row_of


class SequenceHead(Head):
    """One label of a text; a long text is read by up to `windows` windows, which share its label.

    Their log-probabilities are averaged: the geometric mean of what each window says. `pairs`
    says whether it was trained on pairs of texts; None of a foreign model.
    """

    auto = transformers.AutoModelForSequenceClassification
    extra: ClassVar = {"problem_type": "single_label_classification"}

    def __init__(self, labels: Sequence[str], windows: int = 1, pairs: bool | None = None) -> None:
        super().__init__(labels)
        self.windows = windows
        self.pairs = pairs

    def encode(
        self, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
    ) -> Encoded:
        return encode_texts(tokenizer, examples, max_length, self.windows)

    def training_rows(self, encoded: Encoded, examples: Sequence[Example]) -> list[Row]:
        self.pairs = any(example.pair is not None for example in examples)
        return [
            row_of(window, self.target(example))
            for windows, example in zip(encoded.windows, examples, strict=True)
            for window in windows
        ]

    def target(self, example: Example) -> Any:
        """Return a row's label as the loss takes it."""
        return self.labels.index(example.gold[0])

    def collate(self, labels: Sequence[Any]) -> Tensor:
        return torch.tensor(labels)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits.float(), labels)

    def scores(self, windows: Sequence[Logits]) -> npt.NDArray[np.float64]:
        """Return the log-probability of each label (labels,), over a text's windows."""
        mean = np.mean([log_softmax(logits) for logits in windows], axis=0)
        return log_softmax(mean)

    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        return [[self.labels[int(self.scores(windows).argmax())]] for windows in logits]

    def settings(self) -> dict[str, Any]:
        return {"windows": self.windows, "pairs": self.pairs}


class MultilabelHead(SequenceHead):
    """The labels of a text that hold: a probability each, and the threshold it must pass."""

    extra: ClassVar = {"problem_type": "multi_label_classification"}
    tuned = True

    def __init__(
        self,
        labels: Sequence[str],
        windows: int = 1,
        pairs: bool | None = None,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(labels, windows, pairs)
        self.thresholds = dict(thresholds or dict.fromkeys(labels, 0.5))

    def target(self, example: Example) -> Any:
        return [float(label in example.gold) for label in self.labels]

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(logits.float(), labels)

    def scores(self, windows: Sequence[Logits]) -> npt.NDArray[np.float64]:
        """Return the log-probability that each label holds (labels,)."""
        found: npt.NDArray[np.float64] = -np.logaddexp(0.0, -np.mean(windows, axis=0, dtype=float))
        return found

    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        return [self.held(np.exp(self.scores(windows))) for windows in logits]

    def held(self, probabilities: npt.NDArray[np.float64]) -> list[str]:
        """Return the labels whose probability is above their threshold."""
        pairs = zip(self.labels, probabilities, strict=True)
        return [label for label, found in pairs if found > self.thresholds[label]]

    def tune(self, logits: Sequence[Sequence[Logits]], examples: Sequence[Example]) -> None:
        """Choose each label's threshold on validation rows: the one of the highest F1.

        A label that holds of none of them keeps a half.
        """
        scores = np.exp([self.scores(windows) for windows in logits])
        for number, label in enumerate(self.labels):
            gold = np.array([label in example.gold for example in examples])
            best = best_threshold(scores[:, number], gold)
            self.thresholds[label] = best if math.isfinite(best) else 0.5

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "thresholds": self.thresholds}
