"""One seed: the Hugging Face Trainer, and the epoch that is best on validation."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_callback import PrinterCallback

from finetune.config import FinetuneConfig, Settings
from finetune.data.splits import TaskData
from finetune.measure.metrics import score
from finetune.measure.scores import SeedScores
from finetune.model import heads
from finetune.model.encode import (
    Encoded,
    collate,
    decode_words,
    log_probabilities,
    training_rows,
    unread_scores,
)
from thaitok.devices import computes_bf16
from thaitok.progress import Advance, progress
from thaitok.quiet import quiet

log = logging.getLogger("thaitok")

HEAD_OF_KIND = {
    "sequence": transformers.AutoModelForSequenceClassification,
    "ner": transformers.AutoModelForTokenClassification,
    "pos": transformers.AutoModelForTokenClassification,
}


@dataclass(frozen=True, slots=True)
class Material:
    """What every seed shares: the rows, and their windows for this model."""

    bench: TaskData
    tokenizer: PreTrainedTokenizerBase
    train: Encoded
    validation: Encoded
    test: Encoded

    def counts(self, of: Callable[[Encoded], int]) -> dict[str, int]:
        """Count something of each split's encoding."""
        return {
            "train": of(self.train), "validation": of(self.validation), "test": of(self.test)
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fitted:
    """A seed's model with the best epoch's weights, and what it says of the test rows."""

    model: PreTrainedModel
    scores: SeedScores
    predicted: list[list[str]]


def fit(folder: Path, seed: int, config: FinetuneConfig, settings: Settings,
        material: Material) -> Fitted:  # fmt: skip
    """Fine-tune one seed and score test once, with the weights that are best on validation."""
    begun = time.monotonic()
    bench = material.bench
    with _reproducible(), quiet(), tempfile.TemporaryDirectory() as scratch:
        transformers.set_seed(seed)  # the new head's weights
        model = _open(folder, bench, settings)
        rows = training_rows(material.train, bench.train, bench.labels)
        steps = settings.epochs * math.ceil(len(rows) / settings.batch_size)
        arguments = _arguments(Path(scratch), seed, steps, config, settings)
        predict = partial(predict_rows, model, material, settings=settings)
        with progress(f"{bench.task.name}, seed {seed}", steps, "steps") as advance:
            watch = _Watch(
                advance, lambda: _score(bench, "validation", predict(material.validation)),
                bench.task.metric,
            )  # fmt: skip
            trainer = _trainer(model, arguments, rows, material.tokenizer, watch)
            trainer.train()
        # Takes off the autocast, so that test is scored with what the saved folder will be.
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        model.load_state_dict(watch.best)
        predicted = predict(material.test)
    best = watch.epochs[watch.best_epoch - 1]
    scores = SeedScores(
        seed=seed,
        epoch=watch.best_epoch,
        validation={name: value for name, value in best.items() if name != "loss"},
        test=_score(bench, "test", predicted),
        epochs=tuple(watch.epochs),
        seconds=round(time.monotonic() - begun, 1),
    )
    return Fitted(model, scores, predicted)


def predict_rows(
    model: PreTrainedModel, material: Material, encoded: Encoded, *, settings: Settings
) -> list[list[str]]:
    """Return the labels of each row: one of a text, or one of each of its words."""
    bench = material.bench
    pad_id = heads.pad_id(material.tokenizer)
    found = log_probabilities(
        model, encoded.windows, batch_size=4 * settings.batch_size, pad_id=pad_id
    )
    if not bench.task.on_words:
        return [[bench.labels[int(scores.argmax())]] for scores in found]
    unread = unread_scores(bench.labels, bench.train)
    rows = decode_words(encoded, found, bench.labels, unread)
    return [[bench.labels[label] for label in row] for row in rows]


def _score(bench: TaskData, split: str, predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    examples = bench.test if split == "test" else bench.validation
    return score(bench.task.kind, [example.gold for example in examples], predicted)


def _open(folder: Path, bench: TaskData, settings: Settings) -> PreTrainedModel:
    return heads.open_model(
        folder,
        HEAD_OF_KIND[bench.task.kind],
        id2label=dict(enumerate(bench.labels)),
        label2id={label: number for number, label in enumerate(bench.labels)},
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        classifier_dropout=settings.dropout,
    )


def _arguments(
    scratch: Path, seed: int, steps: int, config: FinetuneConfig, settings: Settings
) -> transformers.TrainingArguments:
    """Return the Trainer's settings: it saves nothing, prints nothing and reports to no one."""
    arguments = transformers.TrainingArguments(
        output_dir=str(scratch),
        seed=seed,
        data_seed=seed,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup,  # below 1 it is a share
        weight_decay=settings.weight_decay,
        train_sampling_strategy="group_by_length",
        bf16=computes_bf16(torch.device(heads.pick_device(config.device))),
        use_cpu=config.device == "cpu",
        dataloader_pin_memory=torch.cuda.is_available() and config.device != "cpu",
        remove_unused_columns=False,
        save_strategy="no",
        logging_steps=max(1, min(10, steps // settings.epochs)),
        report_to="none",
        disable_tqdm=True,
    )
    # On several GPUs the Trainer would split each batch over them (DataParallel): another
    # batch size and another result on another machine.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _trainer(
    model: PreTrainedModel,
    arguments: transformers.TrainingArguments,
    rows: list[dict[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    watch: _Watch,
) -> transformers.Trainer:
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=partial(collate, pad_id=heads.pad_id(tokenizer)),
        processing_class=tokenizer,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Watch(transformers.TrainerCallback):
    """Moves the progress, scores validation after each epoch, and keeps the best weights."""

    def __init__(
        self, advance: Advance, evaluate: Callable[[], dict[str, float]], metric: str
    ) -> None:
        self.advance = advance
        self.evaluate = evaluate
        self.metric = metric
        self.note = ""
        self.losses: list[float] = []
        self.epochs: list[dict[str, float]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_epoch = 0

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.losses.append(float(logs["loss"]))
            self._say()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.advance(1, self.note)

    def on_epoch_end(
        self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
    ) -> None:
        figures = self.evaluate()
        best = max((epoch[self.metric] for epoch in self.epochs), default=-1.0)
        if self.losses:
            figures["loss"] = round(sum(self.losses) / len(self.losses), 4)
        self.losses.clear()
        self.epochs.append(figures)
        if figures[self.metric] > best:
            self.best_epoch = len(self.epochs)
            self.best = {
                name: tensor.detach().to("cpu", copy=True)
                for name, tensor in model.state_dict().items()
            }
        self._say()

    def _say(self) -> None:
        loss = f"loss {self.losses[-1]:.3f}" if self.losses else ""
        metric = f"{self.metric} {self.epochs[-1][self.metric]:.3f}" if self.epochs else ""
        self.note = ", ".join(filter(None, (loss, metric)))


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
