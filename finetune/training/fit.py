"""One seed: a model with a new head, trained, and its best epoch read on test."""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.config import FinetuneConfig, Settings
from finetune.data.splits import TaskData
from finetune.measure.metrics import score
from finetune.measure.scores import SeedScores
from finetune.model import models
from finetune.model.encode import Encoded
from finetune.model.head import SETTINGS, Head
from finetune.model.heads import new_head, saved_settings
from finetune.training.adapt import adapt, merge
from finetune.training.trainer import Watch, make_trainer, training_arguments
from thaitok.progress import progress
from thaitok.quiet import quiet

SPLITS = ("train", "validation", "test")

PART = 1024
"""Rows whose logits lie in memory at once: those of nested entities are large."""


@dataclass(frozen=True, slots=True)
class Material:
    """What every seed shares: the model's folder, the rows, and their windows for this model."""

    folder: Path
    data: TaskData
    tokenizer: PreTrainedTokenizerBase
    encoded: dict[str, Encoded]

    def counts(self, of: Callable[[Encoded], int]) -> dict[str, int]:
        """Count something of each split's encoding."""
        return {split: of(self.encoded[split]) for split in SPLITS}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A seed's model with the best epoch's weights, and what it says of the test rows."""

    model: PreTrainedModel
    head: Head
    scores: SeedScores
    predicted: list[list[str]]
    cpu_seconds: float


def encode_splits(
    folder: Path,
    data: TaskData,
    tokenizer: PreTrainedTokenizerBase,
    config: FinetuneConfig,
    max_length: int,
) -> Material:
    """Cut the rows of every split to windows."""
    head = new_head(data, config)
    encoded = {
        split: head.encode(tokenizer, rows, max_length)
        for split, rows in zip(SPLITS, (data.train, data.validation, data.test), strict=True)
    }
    return Material(folder, data, tokenizer, encoded)


def fit(
    seed: int,
    config: FinetuneConfig,
    settings: Settings,
    material: Material,
    *,
    report: Callable[[int, float], None] | None = None,
    test: bool = True,
) -> Fitted:
    """Fine-tune one seed; `report` hears each epoch's number and headline figure on validation.

    Without `test` the test rows are not looked at, as in a search.
    """
    begun = time.process_time()
    data = material.data
    with _reproducible(), quiet(), tempfile.TemporaryDirectory() as scratch:
        transformers.set_seed(seed)  # the new head's weights
        head = new_head(data, config)
        rows = head.training_rows(material.encoded["train"], data.train)
        model = _open(head, config, settings, material)
        steps = settings.epochs * math.ceil(len(rows) / settings.batch_size)
        arguments = training_arguments(Path(scratch), seed, steps, config, settings)

        def evaluate() -> dict[str, float]:
            return _validate(model, head, material, settings)

        with progress(f"{data.task.name}, seed {seed}", steps, "steps") as advance:
            watch = Watch(advance, evaluate, data.task.metric, config.patience, report)
            trainer = make_trainer(model, head, rows, material.tokenizer, arguments, watch)
            trainer.train()
        # Takes off the autocast, so that test is scored with what the saved folder will be.
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        model.load_state_dict(watch.best)
        model = merge(model)
        if head.tuned:  # on the weights that are kept
            _validate(model, head, material, settings)
        predicted = predict(model, head, material, "test", settings) if test else []
    best = watch.epochs[watch.best_epoch - 1]
    scores = SeedScores(
        seed=seed,
        epoch=watch.best_epoch,
        validation={name: value for name, value in best.items() if name != "loss"},
        test=score(data.task.kind, [row.gold for row in data.test], predicted) if test else {},
        epochs=tuple(watch.epochs),
    )
    _keep_head(model, head, data)
    return Fitted(model, head, scores, predicted, round(time.process_time() - begun, 1))


def predict(
    model: PreTrainedModel, head: Head, material: Material, split: str, settings: Settings
) -> list[list[str]]:
    """Return predictions for the rows of a split, in the form of gold."""
    pad_id, batch = models.pad_id(material.tokenizer), 4 * settings.batch_size
    found: list[list[str]] = []
    for part in material.encoded[split].parts(PART):
        logits = models.all_logits(model, part.windows, batch_size=batch, pad_id=pad_id)
        found += head.read(part, logits)
    return found


def _validate(
    model: PreTrainedModel, head: Head, material: Material, settings: Settings
) -> dict[str, float]:
    """Score validation, on which a head chooses what reading takes."""
    rows = material.data.validation
    encoded = material.encoded["validation"]
    if head.tuned:
        pad_id, batch = models.pad_id(material.tokenizer), 4 * settings.batch_size
        logits = models.all_logits(model, encoded.windows, batch_size=batch, pad_id=pad_id)
        head.tune(logits, rows)
        predicted = head.read(encoded, logits)
    else:
        predicted = predict(model, head, material, "validation", settings)
    return score(material.data.task.kind, [row.gold for row in rows], predicted)


def _open(
    head: Head, config: FinetuneConfig, settings: Settings, material: Material
) -> PreTrainedModel:
    outputs = head.outputs
    model = models.open_model(
        material.folder,
        head.auto,
        fresh=config.model.startswith(models.RANDOM),
        id2label=dict(enumerate(outputs)),
        label2id={output: number for number, output in enumerate(outputs)},
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        classifier_dropout=settings.dropout,
        **head.extra,
    )
    model = adapt(model, config)
    if (layers := head.layers(settings.learning_rate)) is not None:
        model.add_module(LAYERS, layers)
    return model


LAYERS = "layers_of_head"
"""What a head's own layers are called on the model, while it is trained."""


def _keep_head(model: PreTrainedModel, head: Head, data: TaskData) -> None:
    """Move what the head has learned into the model's config, where plain folders keep it."""
    if hasattr(model, LAYERS):
        delattr(model, LAYERS)
    setattr(model.config, SETTINGS, saved_settings(head, data.task.kind))


@contextlib.contextmanager
def _reproducible() -> Iterator[None]:
    """Make a GPU give equal sums every time, where it can; a CPU does so by itself."""
    if not torch.cuda.is_available():
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
