"""The front matter of a model's card: what the Hub itself reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaitok.card.public import public
from thaitok.card.snippets import EXAMPLES

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of a model: a metric of a task on a split of a data set.

    `dataset` is its name; `repo` and `revision` are its place on the Hub, where it has one.
    """

    task: str
    dataset: str
    split: str | None
    """None where the rows are a part of a split."""
    metric: str
    value: float
    repo: str | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Front:
    """What the front matter says beside language, library and task."""

    relation: str | None = None
    """How it was made from its base model: finetune, quantized, adapter or merge."""
    datasets: Sequence[str] = ()
    """Data sets of the Hub that it was trained on."""
    tags: Sequence[str] = ()
    widget: Sequence[Mapping[str, str]] = ()
    """Example inputs: `text`, and `context` or `text_pair` where the head reads two. Masks have
    a usual one."""
    scores: Sequence[Score] = ()


METRICS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "accuracy": ("accuracy", "Accuracy", {}),
    "f1": ("f1", "F1", {}),
    "precision": ("precision", "Precision", {}),
    "recall": ("recall", "Recall", {}),
    "exact_match": ("exact_match", "Exact match", {}),
    "micro_f1": ("f1", "Micro F1", {"average": "micro"}),
    "macro_f1": ("f1", "Macro F1", {"average": "macro"}),
    "char_f1": ("f1", "F1 of characters", {"unit": "character"}),
    "subset_accuracy": ("accuracy", "Accuracy of whole label sets", {"unit": "label set"}),
    "entity_f1": ("f1", "F1 of entities", {"unit": "entity"}),
    "entity_precision": ("precision", "Precision of entities", {"unit": "entity"}),
    "entity_recall": ("recall", "Recall of entities", {"unit": "entity"}),
    "entity_macro_f1": ("f1", "Macro F1 of entity types", {"average": "macro", "unit": "entity"}),
    "outer_recall": ("recall", "Recall of outer entities", {"unit": "entity"}),
    "inner_recall": ("recall", "Recall of inner entities", {"unit": "entity"}),
    "word_f1": ("f1", "F1 of words", {"unit": "word"}),
    "boundary_f1": ("f1", "F1 of the places where words begin", {"unit": "boundary"}),
    "word_precision": ("precision", "Precision of words", {"unit": "word"}),
    "word_recall": ("recall", "Recall of words", {"unit": "word"}),
}
"""Our metrics: the Hub's name (`evaluate`'s modules), the name to show, and how it is taken."""


def metric_name(metric: str) -> str:
    """Return the name to show of a metric."""
    return _metric(metric)[1]


def _metric(metric: str) -> tuple[str, str, dict[str, str]]:
    return METRICS.get(metric, (metric, metric.replace("_", " "), {}))


def front_matter(
    front: Front,
    *,
    pipeline_tag: str,
    library_name: str | None,
    title: str,
    base_model: str | None,
) -> ModelCardData:
    """Return the front matter; the licence is the user's to choose when publishing."""
    from huggingface_hub import ModelCardData

    base = hub_name(base_model)
    masks = EXAMPLES["fill-mask"] if pipeline_tag == "fill-mask" else ()
    widget = front.widget or [{"text": text} for text in masks]
    # Keys that are None are left out of the YAML.
    extra: dict[str, Any] = {
        "base_model_relation": front.relation if base else None,
        "widget": [{key: public(text) for key, text in one.items()} for one in widget] or None,
    }
    return ModelCardData(
        language="th",
        library_name=library_name,
        pipeline_tag=pipeline_tag or None,
        tags=list(dict.fromkeys(("thai", *map(public, front.tags)))),
        base_model=base,
        datasets=list(dict.fromkeys(front.datasets)) or None,
        metrics=sorted({_metric(score.metric)[0] for score in front.scores}) or None,
        model_name=title if front.scores else None,
        eval_results=[_eval_result(pipeline_tag, score) for score in front.scores] or None,
        **extra,
    )


def _eval_result(pipeline_tag: str, score: Score) -> EvalResult:
    from huggingface_hub import EvalResult

    metric, name, args = _metric(score.metric)
    return EvalResult(
        task_type=pipeline_tag or public(score.task),
        task_name=public(score.task),
        dataset_type=score.repo or public(score.dataset),
        dataset_name=public(score.dataset),
        dataset_split=score.split,
        dataset_revision=score.revision,
        metric_type=metric,
        metric_name=name,
        metric_args=args or None,
        # A NumPy number would make the YAML unreadable.
        metric_value=round(float(score.value), 4),
    )


def hub_name(name: str | None) -> str | None:
    """Return the name if it is a Hub repo's, None if it is a folder here."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if name is None or Path(name).exists():
        return None
    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    return name
