"""The card of a fine-tuned model: its data, its figures beside the baselines', how to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.config import FinetuneConfig
from finetune.data.splits import TaskData
from finetune.measure.scores import Scores, told
from finetune.model import models
from finetune.model.head import SETTINGS
from finetune.training.examples import use_of, widget_of
from finetune.training.reading import reading_note
from thaitok.card import Body, Front, Score, metric_name, recipes_of, short, snippet_of, table
from thaitok.card import write_card as write
from thaitok.folder import FileFacts

PIPELINES = {"sequence": "text-classification", "multilabel": "text-classification",
             "qa": "question-answering"}  # fmt: skip
"""The Hub's name of a task by kind; of the others, token-classification."""

TAGS: Mapping[str, tuple[str, ...]] = {
    "sequence": (),
    "multilabel": ("multi-label-classification",),
    "ner": ("named-entity-recognition",),
    "pos": ("part-of-speech",),
    "words": ("word-segmentation",),
    "nested": ("named-entity-recognition", "nested-entities"),
    "qa": ("extractive-qa",),
}
"""What a reader of the Hub would look for, by kind."""

BASELINES = {
    "majority": "the most frequent label, always",
    "frequent_labels": "the most frequent labels, always",
    "tfidf_svm": "TF-IDF and a linear SVM",
    "most_frequent_tag": "each word's most frequent tag",
    "crf": "a CRF on features of words",
    "newmm": "pythainlp's dictionary cutter newmm",
    "dictionary": "the entities of training by dictionary",
    "word_overlap": "the sentence that shares most words with the question",
}
"""The baselines in words."""

SETTING_NAMES = {
    "learning_rate": "Learning rate at its peak",
    "batch_size": "Windows a step",
    "warmup": "Warm-up, as a share of the steps",
    "max_length": "Tokens a window",
}
WORSE = "A baseline that costs far less does better on the same test rows: see the evaluation."
LONGEST = 64
"""Tokens of an answer at most, where the head does not say."""
NAMED = 40
"""Labels that the card names one by one."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result was made from, beside its scores."""

    folder: Path
    """The folder of the model that was fine-tuned."""
    inputs: Sequence[FileFacts]
    versions: Mapping[str, str]


def write_card(
    out: Path, scores: Scores, data: TaskData, config: FinetuneConfig, origin: Origin
) -> None:
    """Write the card into the model folder `out`, whose weights are those of the best seed."""
    use = use_of(data, config)
    widget = widget_of(data, use)
    worse = below_baselines(scores)
    write(
        out,
        pipeline_tag=PIPELINES.get(scores.kind, "token-classification"),
        title=f"{scores.model}, {scores.task}",
        summary=_summary(scores, data),
        facts=dict(_facts(scores, config, origin)),
        snippet=snippet_of(use, *widget[0].values(), longest=_longest(out)),
        base_model=config.model,
        front=Front(
            relation="finetune",
            datasets=[data.task.hub] if data.task.hub else [],
            tags=TAGS[scores.kind],
            widget=widget,
            scores=_published_scores(scores, data),
        ),
        body=Body(
            reading=reading_note(use, scores, config),
            data=_data(scores, data, origin),
            evaluation=_evaluation(scores, worse),
            limits=[WORSE] if worse else [],
            versions={**origin.versions, "device": models.pick_device(config.device)},
            recipes=recipes_of(origin.folder, scores.model),
        ),
    )


def _longest(out: Path) -> int:
    return int(getattr(models.read_config(out), SETTINGS).get("longest", LONGEST))


def _summary(scores: Scores, data: TaskData) -> str:
    seed = figures_of_best(scores)
    text = f"{scores.model} fine-tuned for {data.task.about}."
    return f"{text} {_headline(scores)} on test: {seed[scores.metric]:.3f}."


def figures_of_best(scores: Scores) -> Mapping[str, float]:
    """Return the test figures of the seed whose weights are the model's."""
    return next(one.test for one in scores.seeds if one.seed == scores.best_seed)


def below_baselines(scores: Scores) -> str:
    """Say which baselines do better than the model; empty where none does."""
    own = figures_of_best(scores)[scores.metric]
    better = {
        name: splits["test"][scores.metric]
        for name, splits in scores.baselines.items()
        if splits["test"][scores.metric] > own
    }
    if not better:
        return ""
    named = " and ".join(
        f"{name} ({BASELINES.get(name, name)}: {value:.3f})" for name, value in better.items()
    )
    does = "does" if len(better) == 1 else "do"
    return (
        f"**On the same test rows {named} {does} better than this model, whose "
        f"{_headline(scores)} is {own:.3f}.** "
        "Take that instead, or a larger model, more rows or more epochs."
    )


def _headline(scores: Scores) -> str:
    return metric_name(_own_name(scores, scores.metric))


def _own_name(scores: Scores, metric: str) -> str:
    """Return the name of a metric as cards tell metrics apart."""
    return "subset_accuracy" if (scores.kind, metric) == ("multilabel", "accuracy") else metric


def _published_scores(scores: Scores, data: TaskData) -> list[Score]:
    """Return the figures of the weights in the folder: one seed's, not the mean."""
    revision, split = scores.source.partition("@")[2] or None, _split(scores.split_rule)
    return [
        Score(
            scores.task, scores.task, split, _own_name(scores, metric), value,
            repo=data.task.hub, revision=revision,
        )
        for metric, value in figures_of_best(scores).items()
    ]  # fmt: skip


def _split(rule: str) -> str | None:
    """Return the data set's own split that was tested on; None where it was cut out of one."""
    if "test is the official validation" in rule:
        return "validation"
    return None if rule.startswith("one split") else "test"


def _facts(scores: Scores, config: FinetuneConfig, origin: Origin) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table of how it was made."""
    weights = [one for one in origin.inputs if one.name.endswith((".safetensors", ".bin"))]
    sums = ", ".join(short(one.sha256) for one in weights)
    yield "Fine-tuned from", scores.model + (f" (sha256 of its weights: {sums})" if sums else "")
    if scores.labels:
        more = len(scores.labels) - NAMED
        named = ", ".join(scores.labels[:NAMED]) + (f" and {more} more" if more > 0 else "")
        yield "Labels", f"{len(scores.labels)}: {named}"
    best = next(one for one in scores.seeds if one.seed == scores.best_seed)
    yield "Seeds", ", ".join(str(seed.seed) for seed in scores.seeds)
    yield (
        "Weights",
        (
            f"those of seed {best.seed} after epoch {best.epoch}: the best {_headline(scores)} on "
            "validation"
        ),
    )
    for name, value in scores.settings.items():
        yield SETTING_NAMES.get(name, name.replace("_", " ").capitalize()), str(value)
    yield "Optimizer", "AdamW, whose rate falls in a line after its warm-up"
    if config.lora:
        yield "Trained", f"low-rank matrices of rank {config.lora_rank} (LoRA), merged at the end"
    if config.probe:
        yield "Trained", "the head alone"
    if scores.kind == "ner":
        yield "Tags", config.scheme.upper() + (", with a CRF layer" if config.crf else "")


def _data(scores: Scores, data: TaskData, origin: Origin) -> str:
    """Write the section on the rows: where from, how split, what was wrong with them."""
    place = "local files" if scores.source == "files" else f"`{scores.source}`"
    text = f"Task `{scores.task}`: {data.task.about}. From {place}; {scores.split_rule}."
    parts = [text, _rows_table(scores)]
    if scores.repairs:
        parts.append("Mended or noticed in the rows:\n\n" + table(scores.repairs.items()))
    prefix = f"{data.task.name}/"
    files = [one for one in origin.inputs if one.name.startswith(prefix)]
    if files:
        rows = [(one.name, f"{one.bytes:,}", short(one.sha256)) for one in files]
        parts.append(table(rows, ("File", "Bytes", "sha256"), (1,)))
    return "\n\n".join(parts)


def _rows_table(scores: Scores) -> str:
    """Write the table of the splits, leaving out columns that hold nothing."""
    columns: dict[str, Mapping[str, int]] = {
        "Rows": scores.rows,
        "Text is in train too": {split: one["same"] for split, one in scores.leakage.items()},
        "Shares 40 characters with train":
            {split: one["near"] for split, one in scores.leakage.items()},
        "Texts of which parts were not read": scores.cut,
        "Words without a token of their own": scores.swallowed,
    }  # fmt: skip
    kept = {name: found for name, found in columns.items() if any(found.values())}
    rows = [
        [split, *(f"{found[split]:,}" if split in found else "" for found in kept.values())]
        for split in scores.rows
    ]
    return table(rows, ("Split", *kept), range(1, len(kept) + 1))


def _evaluation(scores: Scores, worse: str) -> str:
    """Write the table of test figures: this seed, all seeds, other rows, the baselines."""
    metrics = [scores.metric, *(name for name in scores.test if name != scores.metric)]
    head = ["On test", *(metric_name(_own_name(scores, metric)) for metric in metrics)]
    own = figures_of_best(scores)
    rows = [[f"this model (seed {scores.best_seed})", *_figures(own, metrics)]]
    if len(scores.seeds) > 1:
        over = [told(scores.test[metric]) for metric in metrics]
        rows.append([f"mean of {len(scores.seeds)} seeds ± its 95 % interval", *over])
    if scores.intervals:
        between = [
            "{:.3f} to {:.3f}".format(*scores.intervals[metric])
            if metric in scores.intervals
            else ""
            for metric in metrics
        ]
        rows.append(["95 % interval of the mean, were other rows drawn", *between])
    for name, splits in scores.baselines.items():
        said = BASELINES.get(name, name)
        rows.append([f"baseline {name}: {said}", *_figures(splits["test"], metrics)])
    parts = [table(rows, head, range(1, len(head))), worse or _beside(scores)]
    return "\n\n".join(part for part in parts if part)


def _beside(scores: Scores) -> str:
    if scores.baselines:
        return "All baselines were fitted on the same training rows, and score lower."
    return "No baseline was fitted on these rows: a simpler method may do as well."


def _figures(found: Mapping[str, float], metrics: Sequence[str]) -> list[str]:
    return [f"{found[metric]:.3f}" if metric in found else "" for metric in metrics]
