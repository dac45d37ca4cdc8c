"""A head: how a kind of task is put to a model, and read from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.model.encode import Encoded

Logits: TypeAlias = npt.NDArray[np.float32]
"""What the model says of one window: (pieces, outputs), or (outputs,) of a text as a whole."""

Row: TypeAlias = dict[str, Any]
"""A window to train on: {"input_ids", "labels"}, and "token_type_ids" for BERT."""

IGNORED = -100
"""The label of a piece that carries none: PyTorch's cross entropy passes it over."""

SETTINGS = "thaitok"
"""The key in config.json under which a head keeps what reading its outputs takes."""


class Head(ABC):
    """A kind of task for a model: its outputs, training rows, loss and reading.

    `labels` are the task's, in a fixed order. What a model's config must keep so that others
    can read its outputs as they were scored is in `settings`.
    """

    auto: ClassVar[type[Any]] = transformers.AutoModelForTokenClassification
    extra: ClassVar[dict[str, Any]] = {}
    """Further settings of the model's config."""
    tuned: ClassVar[bool] = False
    """Whether reading takes what is chosen on validation rows."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the model's outputs."""
        return self.labels

    @abstractmethod
    def encode(
        self, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], max_length: int
    ) -> Encoded:
        """Cut rows to windows that fit the model."""

    @abstractmethod
    def training_rows(self, encoded: Encoded, examples: Sequence[Example]) -> list[Row]:
        """Return windows with their labels, and keep what reading takes from training rows."""

    @abstractmethod
    def collate(self, labels: Sequence[Any]) -> Tensor:
        """Make one tensor of the labels of a batch."""

    @abstractmethod
    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of a batch, in nats."""

    @abstractmethod
    def read(self, encoded: Encoded, logits: Sequence[Sequence[Logits]]) -> list[list[str]]:
        """Return predictions in the form of gold, from each row's windows' logits."""

    def tune(  # noqa: B027  # only some heads choose
        self, logits: Sequence[Sequence[Logits]], examples: Sequence[Example]
    ) -> None:
        """Choose on validation rows what reading takes, where the head is `tuned`."""

    def settings(self) -> dict[str, Any]:
        """Return what reading takes, as JSON."""
        return {}

    def layers(self, learning_rate: float) -> torch.nn.Module | None:
        """Return layers that are trained beside the model's own and kept in the settings."""
        return None


def row_of(window: Any, labels: Any) -> Row:
    """Return the training row of a window."""
    types = {"token_type_ids": list(window.types)} if window.types else {}
    return {"input_ids": list(window.ids), "labels": labels, **types}


def outputs_of(model: PreTrainedModel, **inputs: Tensor) -> Tensor:
    """Return a model's logits: (rows, outputs), or (rows, pieces, outputs).

    A question answering model's outputs are the start and the end.
    """
    found = model(**inputs)
    if "start_logits" in found:
        return torch.stack([found.start_logits, found.end_logits], dim=-1)
    logits: Tensor = found.logits
    return logits


def log_softmax(logits: npt.NDArray[Any], axis: int = -1) -> npt.NDArray[np.float64]:
    """Return log-probabilities."""
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=axis, keepdims=True)
    found: npt.NDArray[np.float64] = scores - np.log(np.exp(scores).sum(axis=axis, keepdims=True))
    return found
