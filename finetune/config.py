"""The config of a fine-tuning run, and what is chosen where it chooses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from finetune.data.tasks import Kind
from thaitok.config import Config


class FinetuneConfig(Config):
    """A fine-tuning run; what is None follows the task's kind and the model's size."""

    model: str
    """A Hugging Face encoder folder, a run/ or result/ folder, or a name on the Hub."""
    task: str
    """A name out of `thaitok tasks`."""
    out: Path
    """The result folder."""
    data_dir: Path | None = None
    """The folder with TASK/train.jsonl and so on; without it the task comes from the Hub."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field((1,), min_length=1)
    """One model a seed; two or more give the scores an interval."""
    epochs: int | None = Field(None, ge=1)
    """Passes over the training rows."""
    learning_rate: float | None = Field(None, gt=0)
    """Peak learning rate of AdamW."""
    batch_size: int | None = Field(None, ge=1)
    """Windows a step."""
    warmup: float = Field(0.1, ge=0, le=1)
    """Share of the steps with a rising learning rate; it then falls in a line to 0."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's weight decay."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout everywhere in the model; one pretrained on much text may have had none."""
    max_length: int = Field(416, ge=8)
    """Pieces a window at most (WangchanBERTa's 416); less where the model reads less."""
    baselines: bool = True
    """Whether to fit the baselines for the table."""
    max_train_rows: int | None = Field(None, ge=2)
    """Take this many training rows by seed, for a quick look."""
    split_seed: int = 2020
    """Seed of the splits that a task does not give, the same for every seed of training."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""


class Settings(Config):
    """The hyper-parameters as resolved."""

    epochs: int
    learning_rate: float
    batch_size: int
    warmup: float
    weight_decay: float
    dropout: float
    max_length: int


SMALL = 20_000_000
"""Parameters below which a model wants far higher learning rates."""

SMALL_DEFAULTS: Mapping[Kind, tuple[float, int, int]] = {
    "sequence": (5e-4, 4, 32),
    "ner": (1e-3, 12, 16),
    "pos": (5e-4, 5, 16),
}
"""Learning rate, epochs, batch of a small model.

Measured on one of 5 M: NER still rose at epoch 6, parts of speech no more after 5."""

BASE_DEFAULTS: Mapping[Kind, tuple[float, int, int]] = {
    "sequence": (3e-5, 3, 16),
    "ner": (3e-5, 6, 32),
    "pos": (3e-5, 6, 32),
}
"""Learning rate, epochs, batch of a base model (PhayaThaiBERT, arXiv 2311.12475)."""


def resolve(config: FinetuneConfig, kind: Kind, parameters: int, max_length: int) -> Settings:
    """Fill in what the config leaves open, for a model of so many parameters."""
    defaults = SMALL_DEFAULTS if parameters < SMALL else BASE_DEFAULTS
    rate, epochs, batch = defaults[kind]
    return Settings(
        epochs=config.epochs or epochs,
        learning_rate=config.learning_rate or rate,
        batch_size=config.batch_size or batch,
        warmup=config.warmup,
        weight_decay=config.weight_decay,
        dropout=config.dropout,
        max_length=max_length,
    )
