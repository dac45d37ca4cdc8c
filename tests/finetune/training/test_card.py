"""The card of a fine-tuned model says which weights these are, and what does better."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from huggingface_hub import ModelCard

from finetune.config import FinetuneConfig
from finetune.data.kinds import KINDS
from finetune.data.rows import Example
from finetune.data.splits import TaskData
from finetune.data.tasks import TASKS, find_task, own_task
from finetune.measure.metrics import COUNTED as FIGURES
from finetune.measure.scores import Scores, SeedScores, over_seeds
from finetune.training.card import BASELINES, TAGS, Origin, write_card
from finetune.training.examples import BY_TASK, BY_USE, use_of, widget_of
from finetune.training.reading import reading_note
from thaitok.card import Use
from thaitok.card.front import METRICS
from thaitok.folder import FileFacts

Make = Callable[..., ModelCard]


def data_of(kind: str, pair: bool = False) -> TaskData:
    task = own_task(kind)  # type: ignore[arg-type]
    row = Example("ก", (), "here", pair="ข" if pair else None)
    return TaskData(task, [row], [row], [row], ("a", "b"), "official train and test", "files", ())


def scores_of(data: TaskData, **changes: Any) -> Scores:
    metrics = FIGURES[data.task.kind]
    seeds = tuple(
        SeedScores(
            seed=seed, epoch=2, validation=dict.fromkeys(metrics, value),
            test=dict.fromkeys(metrics, value), epochs=(),
        )
        for seed, value in ((7, 0.5), (8, 0.6))
    )  # fmt: skip
    fields: dict[str, Any] = {
        "task": data.task.name, "kind": data.task.kind, "metric": data.task.metric,
        "model": "cat", "labels": data.labels, "split_rule": data.split_rule,
        "rows": {"train": 80, "validation": 10, "test": 12}, "source": data.source,
        "leakage": {"validation": {"same": 0, "near": 0}, "test": {"same": 0, "near": 3}},
        "cut": dict.fromkeys(("train", "validation", "test"), 0),
        "swallowed": {"train": 9, "validation": 1, "test": 2},
        "settings": {"epochs": 3, "warmup": 0.1, "max_length": 64}, "seeds": seeds,
        "best_seed": 7, "validation": over_seeds(seeds, "validation"),
        "test": over_seeds(seeds, "test"), "baselines": {}, "published": (),
        "intervals": {data.task.metric: (0.41, 0.59)},
    }  # fmt: skip
    return Scores.model_validate({**fields, **changes})


@pytest.fixture
def make(tmp_path: Path, model_folder: Path) -> Make:
    """Write the card of a result of a kind, and read it."""
    out = tmp_path / "model"
    shutil.copytree(model_folder, out)
    config = json.loads((out / "config.json").read_bytes())
    (out / "config.json").write_text(json.dumps({**config, "thaitok": {"longest": 9}}))
    facts = [
        FileFacts(name=name, bytes=5, sha256=f"{number:064x}")
        for number, name in enumerate(("sequence/train.jsonl", "model/model.safetensors"))
    ]

    def card(data: TaskData, given: dict[str, Any] | None = None, **changes: Any) -> ModelCard:
        config = FinetuneConfig.model_validate(
            {
                "model": str(model_folder),
                "task": data.task.kind,
                "out": "x",
                "device": "cpu",
                **(given or {}),
            }
        )
        origin = Origin(model_folder, facts, {"torch": "2"})
        write_card(out, scores_of(data, **changes), data, config, origin)
        return ModelCard.load(out / "README.md", ignore_metadata_errors=False)

    return card


def test_the_index_has_the_figures_of_the_weights_and_the_table_those_of_all(make: Make) -> None:
    found = make(data_of("sequence"))
    assert {one.metric_value for one in found.data.eval_results} == {0.5}
    assert "| On test | Macro F1 | Accuracy | Micro F1 |\n" in found.text
    assert "| this model (seed 7) | 0.500 | 0.500 | 0.500 |\n" in found.text
    assert "| mean of 2 seeds ± its 95 % interval | 0.550 ± 0.635 |" in found.text
    assert "were other rows drawn | 0.410 to 0.590 |  |  |\n" in found.text
    assert "those of seed 7 after epoch 2: the best Macro F1 on validation" in found.text
    assert "| test | 12 | 3 | 2 |" in found.text and "Text is in train too" not in found.text
    assert "| sequence/train.jsonl | 5 | `000000000000` |" in found.text
    assert "cat (sha256 of its weights: `000000000000`)" in found.text


def baseline(value: float) -> dict[str, Any]:
    return {"test": dict.fromkeys(FIGURES["sequence"], value)}


def test_a_better_baseline_is_told_in_words(make: Make) -> None:
    found = make(data_of("sequence"), baselines={"majority": baseline(0.2)}).text
    assert "does better" not in found and "| baseline majority: the most frequent" in found
    assert "All baselines were fitted on the same training rows, and score lower." in found
    # Between the published seed and the mean: it is the published weights that count.
    worse = make(data_of("sequence"), baselines={"tfidf_svm": baseline(0.52)}).text
    assert "**On the same test rows tfidf_svm (TF-IDF and a linear SVM: 0.520) does better" in worse
    limits = worse.partition("## Limits")[2]
    assert "A baseline that costs far less does better" in limits and "score lower" not in worse
    assert "No baseline was fitted on these rows" in make(data_of("sequence")).text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_whole_card(make: Make, kind: str) -> None:
    found = make(data_of(kind), thresholds={"a": 0.25} if kind == "multilabel" else {})
    assert "{{ " not in found.text and "\n\n\n" not in found.text
    assert len(found.data.eval_results) == len(FIGURES[kind])  # type: ignore[index]
    assert "## Reading the outputs\n\n" in found.text and "The model reads 64 tokens" in found.text
    assert found.data.datasets is None and found.data.base_model is None
    assert set(found.data.tags) == {"thai", *TAGS[kind]}
    assert ("| a | 0.250 |" in found.text) == (kind == "multilabel")
    assert ("tril(8)" in found.text) == (kind == "qa")


def test_metrics_and_baselines_have_names() -> None:
    from finetune.measure.baselines import BASELINES as FITTED

    others = {"boundary_f1", "outer_recall", "inner_recall", "subset_accuracy"}
    assert {metric for of_kind in FIGURES.values() for metric in of_kind} | others <= set(METRICS)
    assert {name for of_kind in FITTED.values() for name in of_kind} == set(BASELINES)


def test_plain_reading_is_told_apart_from_scored_reading(make: Make) -> None:
    plain = make(data_of("ner")).text
    assert 'aggregation_strategy="simple"' in plain and "CRF" not in plain
    assert "(a CRF)" in make(data_of("ner"), {"crf": True}).text
    ended = make(data_of("ner"), {"scheme": "bioes"}).text
    assert "BIOES" in ended and "AutoModelForTokenClassification" in ended
    assert "`LAYER|TAG`" in make(data_of("nested")).text
    assert '"text_pair"' in make(data_of("sequence", pair=True)).text
    said = {use for use in get_args(Use)} - {"tokenizer", "encoder", "fill-mask"}
    config = FinetuneConfig(model="cat", task="pos", out=Path("x"))
    assert all(reading_note(use, scores_of(data_of("pos")), config) for use in said)


def test_a_benchmark_names_its_data_set(make: Make) -> None:
    data = replace(data_of("sequence"), task=find_task("wisesight_sentiment"))
    source = "pythainlp/wisesight_sentiment@85a79ed"
    found = make(data, source=source).data
    assert found.datasets == ["pythainlp/wisesight_sentiment"]
    first = found.eval_results[0]
    assert (first.dataset_type, first.dataset_revision) == (found.datasets[0], "85a79ed")
    assert first.dataset_split == "test" and len(found.to_dict()["widget"]) == 3
    for rule, split in (("test is the official validation split", "validation"),
                        ("one split of 9 rows, of which test is a tenth", None)):  # fmt: skip
        assert make(data, split_rule=rule).data.eval_results[0].dataset_split == split


def test_a_hub_model_is_the_base_and_its_recipe_is_cited(make: Make) -> None:
    found = make(data_of("sequence"), {"model": "clicknext/phayathaibert"},
                 model="clicknext/phayathaibert")  # fmt: skip
    assert found.data.base_model == "clicknext/phayathaibert"
    assert found.data.to_dict()["base_model_relation"] == "finetune"
    assert "2311.12475" in found.text
    assert "2311.12475" not in make(data_of("sequence")).text


def test_examples_fit_their_heads() -> None:
    assert set(BY_TASK) <= {task.name for task in TASKS}
    config = FinetuneConfig(model="cat", task="pos", out=Path("x"))
    for kind in KINDS:
        data = data_of(kind, pair=kind == "sequence")
        use = use_of(data, config)
        widget = widget_of(data, use)
        assert use in BY_USE and 2 <= len(widget) <= 3
        wanted = {"pair": {"text", "text_pair"}, "qa": {"text", "context"}}.get(use, {"text"})
        assert all(set(one) == wanted for one in widget)
