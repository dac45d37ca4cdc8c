"""The Hugging Face Trainer as this project runs it: our loss, batches by length, no output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_callback import PrinterCallback

from finetune.config import FinetuneConfig, Settings
from finetune.model import models
from finetune.model.head import Head, Row, outputs_of
from finetune.training.order import LengthOrder
from thaitok.devices import computes_bf16
from thaitok.progress import Advance


class HeadTrainer(transformers.Trainer):
    """The Trainer with a head's own loss, and rows in batches of like lengths."""

    def __init__(self, head: Head, rows: list[Row], **rest: Any) -> None:
        super().__init__(train_dataset=rows, **rest)
        self.head = head
        self.rows = rows

    def _get_train_sampler(self, *_: Any) -> LengthOrder:
        lengths = [len(row["input_ids"]) for row in self.rows]
        return LengthOrder(lengths, self.args.train_batch_size, self.args.seed)

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        labels = inputs.pop("labels")
        return self.head.loss(outputs_of(model, **inputs), labels)


def make_trainer(
    model: PreTrainedModel,
    head: Head,
    rows: list[Row],
    tokenizer: PreTrainedTokenizerBase,
    arguments: transformers.TrainingArguments,
    watch: Watch,
) -> HeadTrainer:
    """Return a Trainer that reports to `watch` alone."""
    pad_id, types = models.pad_id(tokenizer), models.takes_types(model)

    def collate(batch: Sequence[Row]) -> dict[str, Tensor]:
        ids = [row["input_ids"] for row in batch]
        made = {
            "input_ids": models.pad(ids, pad_id),
            "attention_mask": models.pad([[1] * len(row) for row in ids], 0),
            "labels": head.collate([row["labels"] for row in batch]),
        }
        if types and "token_type_ids" in batch[0]:
            made["token_type_ids"] = models.pad([row["token_type_ids"] for row in batch], 0)
        return made

    trainer = HeadTrainer(
        head,
        rows,
        model=model,
        args=arguments,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def training_arguments(
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
        bf16=computes_bf16(torch.device(models.pick_device(config.device))),
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


class Watch(transformers.TrainerCallback):
    """Moves the progress, scores validation after each epoch, and keeps the best weights."""

    def __init__(
        self,
        advance: Advance,
        evaluate: Callable[[], dict[str, float]],
        metric: str,
        patience: int | None,
        report: Callable[[int, float], None] | None = None,
    ) -> None:
        self.advance = advance
        self.evaluate = evaluate
        self.metric = metric
        self.patience = patience
        self.report = report
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
        # While nothing is right yet, the later epoch has learned more.
        if figures[self.metric] > best or not best:
            self.best_epoch = len(self.epochs)
            self.best = {
                name: tensor.detach().to("cpu", copy=True)
                for name, tensor in model.state_dict().items()
            }
        if self.patience is not None and len(self.epochs) - self.best_epoch >= self.patience:
            control.should_training_stop = True
        if self.report is not None:
            self.report(len(self.epochs), figures[self.metric])
        self._say()

    def _say(self) -> None:
        loss = f"loss {self.losses[-1]:.3f}" if self.losses else ""
        metric = f"{self.metric} {self.epochs[-1][self.metric]:.3f}" if self.epochs else ""
        self.note = ", ".join(filter(None, (loss, metric)))
