"""Which head a kind of task has, and which one a saved model was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PretrainedConfig

from finetune.config import FinetuneConfig
from finetune.data.splits import TaskData
from finetune.data.tasks import Kind
from finetune.model.answers import AnswerHead
from finetune.model.decode import is_bioes, to_bio
from finetune.model.head import SETTINGS, Head
from finetune.model.nested import NestedHead, depth_of
from finetune.model.sequences import MultilabelHead, SequenceHead
from finetune.model.tags import TagHead
from thaitok.errors import UserError


def new_head(data: TaskData, config: FinetuneConfig) -> Head:
    """Return the head of a task, still to be trained."""
    kind = data.task.kind
    if kind == "sequence":
        return SequenceHead(data.labels, config.windows)
    if kind == "multilabel":
        return MultilabelHead(data.labels, config.windows)
    if kind == "nested":
        return NestedHead(data.labels, depth_of(data.train))
    if kind == "qa":
        return AnswerHead()
    return TagHead(data.labels, scheme=config.scheme, crf=config.crf)


def saved_settings(head: Head, kind: Kind) -> dict[str, Any]:
    """Return what a model's config keeps of its head."""
    return {"kind": kind, **head.settings()}


def saved_head(config: PretrainedConfig, folder: Path) -> tuple[Kind, Head]:
    """Return the head a model was saved with, of ours or of others.

    Raises `UserError` for a model without a head that can be read.
    """
    ours = dict(getattr(config, SETTINGS, None) or {})
    kind = ours.pop("kind", None) or _kind_of(config, folder)
    outputs = [name for _, name in sorted((config.id2label or {}).items())]
    if kind == "sequence":
        return kind, SequenceHead(outputs, **{"windows": NO_LIMIT, **ours})
    if kind == "multilabel":
        return kind, MultilabelHead(outputs, **{"windows": NO_LIMIT, **ours})
    if kind == "qa":
        return kind, AnswerHead(**ours)
    if kind == "nested":
        tags = [name.partition("|")[2] for name in outputs if name.startswith("0|B-")]
        return kind, NestedHead([tag[2:] for tag in tags], **ours)
    if is_bioes(outputs):
        labels = dict.fromkeys(to_bio(output) for output in outputs)
        return kind, TagHead(list(labels), scheme="bioes", **ours)
    return kind, TagHead(outputs, **ours)


NO_LIMIT = 1 << 30
"""Windows of a long text, for a model that says of none how many it was scored with."""


def _kind_of(config: PretrainedConfig, folder: Path) -> Kind:
    """Tell a foreign model's kind by its architecture and labels."""
    name = (getattr(config, "architectures", None) or ["none"])[0]
    if name.endswith("ForSequenceClassification"):
        several = config.problem_type == "multi_label_classification"
        return "multilabel" if several else "sequence"
    if name.endswith("ForQuestionAnswering"):
        return "qa"
    if name.endswith("ForTokenClassification"):
        entities = any(str(label).startswith("B-") for label in (config.id2label or {}).values())
        return "ner" if entities else "pos"
    raise UserError(
        f"has no head to predict with (architecture {name})",
        where=folder,
        do="fine-tune it first with `thaitok finetune`",
    )
