"""What an export starts from: the model with its head, its tokenizer, gold rows and texts."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.data.kinds import KINDS, Kind, Task
from finetune.data.rows import Example, read_rows
from finetune.data.sources import read_file
from finetune.data.tasks import describe_task
from finetune.export.config import ExportConfig
from finetune.export.texts import SENTENCES
from finetune.model import models
from finetune.model.head import Head
from finetune.model.heads import saved_head
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES
from thaitok.quiet import quiet

TEXTS = 64
"""Texts of one's own that logits are compared on."""

Headless = Literal["fill-mask", "feature-extraction"]
"""What a model without a task's head does."""


@dataclass(frozen=True, slots=True)
class Source:
    """The model to export, and gold rows for it."""

    folder: Path
    kind: Kind | Headless
    head: Head | None
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    length: int

    @property
    def pad(self) -> int:
        return models.pad_id(self.tokenizer)


def open_source(folder: Path) -> Source:
    """Open a model with the head it was saved with, if any."""
    config = models.read_config(folder)
    name = (getattr(config, "architectures", None) or ["none"])[0]
    kind: Kind | Headless
    head: Head | None = None
    auto: type[Any] = transformers.AutoModel
    if name.endswith("ForMaskedLM"):
        kind, auto = "fill-mask", transformers.AutoModelForMaskedLM
    elif name.endswith("Model") and not name.endswith("LMHeadModel"):
        kind = "feature-extraction"
    else:
        kind, head = saved_head(config, folder)
        auto = head.auto
    tokenizer = models.open_tokenizer(folder)
    length = models.window_length(models.measure(folder), tokenizer, models.NO_LIMIT)
    model = models.open_model(folder, auto)
    torch.nn.Module.eval(model)
    return Source(folder, kind, head, model, tokenizer, length)


def gold_rows(source: Source, config: ExportConfig) -> list[Example]:
    """Read the gold rows to score, if any; `UserError` where they are not the model's task's."""
    if config.data is None:
        return []
    if source.kind not in KINDS or source.head is None:
        raise UserError(
            f"a model for {source.kind} has no task to score",
            where=config.data,
            do="leave --data out",
        )
    task = describe_task(config.task or source.kind)
    if task.kind != source.kind:
        raise UserError(f"{task.name} is a task of kind {task.kind}, the model's is {source.kind}")
    rows = read_rows(task, read_file(config.data, task.kind), Counter())
    if not rows:
        raise UserError("holds no rows", where=config.data)
    _check_labels(task, source.head, rows)
    return rows


def _check_labels(task: Task, head: Head, rows: Sequence[Example]) -> None:
    """Refuse labels of a text that the model has none of: it can only be scored wrong."""
    if task.kind not in ("sequence", "multilabel"):
        return
    for row in rows:
        for label in row.gold:
            if label not in head.labels:
                raise UserError(
                    f"label {label!r} is none of the model's ({', '.join(head.labels)})",
                    where=row.where,
                    do="give data of the model's task, or its name with --task",
                )


def texts_of(config: ExportConfig, rows: Sequence[Example]) -> Sequence[str]:
    """Return the texts to check logits on: the user's own, those of gold rows, or ours."""
    if config.texts is not None:
        lines = config.texts.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if line.strip()][:TEXTS] or SENTENCES
    return [row.text for row in rows[:TEXTS]] or SENTENCES


def copy_rest(source: Source, out: Path) -> None:
    """Lay the config and the tokenizer's own files beside the graphs."""
    if not (source.folder / "tokenizer.json").is_file():
        with quiet():
            source.tokenizer.save_pretrained(out)
    for name in ("config.json", *TOKENIZER_FILES):
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, out / name)
