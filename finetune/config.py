"""The config of a fine-tuning run, and what is chosen where it chooses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from finetune.data.tasks import Kind, Task, describe_task
from thaitok.config import Config


class SearchConfig(Config):
    """A search for hyper-parameters on validation, by optuna (extra `hpo`)."""

    trials: int = Field(20, ge=1)
    """Runs of one seed each, on validation; a search begun goes on where it stopped."""
    learning_rate: tuple[float, float] | None = None
    """Lowest and highest, drawn on a log scale; by default a tenth to ten times the usual."""
    epochs: tuple[int, int] | None = None
    """Fewest and most; by default as many as without a search."""
    batch_size: tuple[int, ...] = (16, 32)
    """Choices of windows a step."""
    weight_decay: tuple[float, float] = (0.0, 0.1)
    """Lowest and highest weight decay."""


class FinetuneConfig(Config):
    """A fine-tuning run; what is None follows the task's kind and the model's size."""

    model: str
    """A Hugging Face encoder folder, a run/ or result/ folder, or a name on the Hub; with
    `random:` before it, its architecture and tokenizer with weights drawn anew."""
    task: str
    """A name out of `thaitok tasks`; or a kind of task (sequence, multilabel, ner, pos, words,
    nested, qa), for data of your own."""
    out: Path
    """The result folder."""
    data_dir: str | None = None
    """The folder with TASK/train.jsonl and so on, or hub:REPO[@REV][:CONFIG]; without it the task
    comes from its own place on the Hub."""
    text_column: str | None = None
    """The column of the texts; of contexts, for questions."""
    pair_column: str | None = None
    """The column of the second text of a pair, or of the question."""
    label_column: str | None = None
    """The column of the labels, the tags, the entities or the answers."""
    tokens_column: str | None = None
    """The column of the words."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field((1,), min_length=1)
    """One model a seed; two or more give the scores an interval."""
    epochs: int | None = Field(None, ge=1)
    """Passes over the training rows."""
    patience: int | None = Field(None, ge=1)
    """Stop after so many epochs without a better score on validation."""
    learning_rate: float | None = Field(None, gt=0)
    """Peak learning rate of AdamW."""
    batch_size: int | None = Field(None, ge=1)
    """Windows a step."""
    warmup: float = Field(0.1, ge=0, le=1)
    """Share of the steps with a rising learning rate; it then falls in a line to 0."""
    weight_decay: float | None = Field(None, ge=0)
    """AdamW's weight decay; 0.01 by default."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout everywhere in the model; one pretrained on much text may have had none."""
    max_length: int = Field(416, ge=8)
    """Pieces a window at most (WangchanBERTa's 416); less where the model reads less."""
    windows: int = Field(4, ge=1)
    """Windows of a long text that a label of the whole is read from."""
    scheme: Literal["bio", "bioes"] = "bio"
    """Tags of the model's outputs for entities."""
    crf: bool = False
    """Whether to learn with a CRF layer how likely one tag follows another."""
    lora: bool = False
    """Train low-rank matrices beside the weights (extra `lora`), merged into them at the end."""
    lora_rank: int = Field(16, ge=1)
    """Rank of those matrices."""
    probe: bool = False
    """Train the head alone, on the body as it is: a quick look."""
    search: SearchConfig | None = None
    """Search for hyper-parameters first."""
    baselines: bool = True
    """Whether to fit the baselines for the table."""
    max_train_rows: int | None = Field(None, ge=2)
    """Take this many training rows by seed, for a quick look."""
    split_seed: int = 2020
    """Seed of the splits that a task does not give, the same for every seed of training."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where to compute."""

    @model_validator(mode="after")
    def _agree(self) -> FinetuneConfig:
        if self.lora and self.probe:
            raise ValueError("lora and probe exclude each other: choose one")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed is named twice")
        return self


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

LARGE = 200_000_000
"""Parameters above which it wants lower ones."""

Defaults = tuple[float, int, int]
"""Learning rate, epochs, windows a batch."""

SMALL_DEFAULTS: Mapping[Kind, Defaults] = {
    "sequence": (5e-4, 4, 32),
    "multilabel": (5e-4, 6, 32),
    "ner": (1e-3, 12, 16),
    "pos": (5e-4, 5, 16),
    "words": (5e-4, 5, 16),
    "nested": (1e-3, 20, 16),
    "qa": (5e-4, 8, 32),
}
"""What a small model wants: measured on one of 5 M, NER still rose at epoch 6, parts of speech no
more after 5."""

BASE_DEFAULTS: Mapping[Kind, Defaults] = {
    "sequence": (3e-5, 3, 16),
    "multilabel": (3e-5, 5, 16),
    "ner": (3e-5, 6, 32),
    "pos": (3e-5, 6, 32),
    "words": (3e-5, 4, 32),
    "nested": (5e-5, 15, 16),
    "qa": (3e-5, 4, 16),
}
"""What a base model wants (PhayaThaiBERT, arXiv 2311.12475, for the first kinds)."""

LARGE_RATE = 1e-5
"""The learning rate of a large model (RoBERTa, arXiv 1907.11692, table 10)."""

HEAD_RATE = 10
"""How much more the new matrices of LoRA, or a head alone, want than whole weights."""


def task_of(config: FinetuneConfig) -> Task:
    """Return the task of a run, read from the columns that it names.

    Raises `UserError` for a task that is none.
    """
    return describe_task(
        config.task,
        text_column=config.text_column,
        pair_column=config.pair_column,
        label_column=config.label_column,
        tokens_column=config.tokens_column,
    )


def resolve(
    config: FinetuneConfig,
    kind: Kind,
    parameters: int,
    max_length: int,
    found: Mapping[str, Any] | None = None,
) -> Settings:
    """Fill in what the config leaves open, for a model of so many parameters.

    What a search has `found` stands before the usual, and behind what the config says.
    """
    rate, epochs, batch = (SMALL_DEFAULTS if parameters < SMALL else BASE_DEFAULTS)[kind]
    rate = LARGE_RATE if parameters > LARGE else rate
    if config.lora or config.probe:
        rate = min(HEAD_RATE * rate, 5e-3)
    usual = {"epochs": epochs, "learning_rate": rate, "batch_size": batch, "weight_decay": 0.01}
    said = {name: getattr(config, name) for name in usual if getattr(config, name) is not None}
    return Settings(
        **{**usual, **(found or {}), **said},
        warmup=config.warmup,
        dropout=config.dropout,
        max_length=max_length,
    )
