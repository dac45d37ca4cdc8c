from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from finetune import FinetuneConfig, Scores, finetune, predict
from finetune.config import resolve
from finetune.measure.report import results_table
from finetune.measure.scores import SeedScores, best_seed, figure
from finetune.training import fit as fitting
from finetune.training import run as training
from finetune.training import trainer
from thaitok.errors import UserError


@pytest.fixture
def config(model_folder: Path, demo_data: Path, tmp_path: Path) -> Callable[..., FinetuneConfig]:
    def make(**fields: Any) -> FinetuneConfig:
        chosen = {
            "model": str(model_folder), "task": "demo_ner", "data_dir": str(demo_data),
            "out": tmp_path / "result", "epochs": 4, "learning_rate": 5e-3, "batch_size": 16,
            "device": "cpu", "baselines": False,
        }  # fmt: skip
        return FinetuneConfig.model_validate({**chosen, **fields})

    return make


Make = Callable[..., FinetuneConfig]


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("task", ["demo_sentiment", "demo_ner", "demo_pos"])
def test_a_result_folder_is_whole(config: Make, tmp_path: Path, task: str) -> None:
    scores = finetune(config(task=task, seeds=(1, 2), baselines=True))
    out = tmp_path / "result"
    model = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    seed = {
        "scores.json", "cost.json", "predictions.jsonl", *(f"model/{name}" for name in model)
    }  # fmt: skip
    assert files(out) == {
        "manifest.json", "scores.json", "predictions.jsonl", "report.html", "model/README.md",
        *(f"model/{name}" for name in model),
        *(f"seed-{n}/{name}" for n in (1, 2) for name in seed),
    }  # fmt: skip
    assert scores == Scores.model_validate_json((out / "scores.json").read_bytes())
    assert set(scores.test[scores.metric].per_seed) == {"1", "2"}
    assert scores.test[scores.metric].interval is not None
    assert len(scores.baselines) == 2 and len(scores.table()[1]) == 3
    assert scores.rows == {"train": 48, "validation": 12, "test": 12}
    assert str(tmp_path) not in "".join(
        (out / name).read_text("utf-8") for name in files(out) if name.endswith(("json", "md"))
    )
    assert scores.model in (out / "report.html").read_text(encoding="utf-8")
    assert not list(tmp_path.glob(".result*"))
    columns, rows = results_table([out])
    assert columns[:2] == ["task", "system"] and scores.metric in columns
    assert [row[1] for row in rows] == [scores.model, *scores.baselines]


def test_the_trainer_takes_rows_in_order_of_length(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The Trainer is told so by a private method, which its next release may no longer ask.
    epochs: list[list[int]] = []

    class Watched(trainer.LengthOrder):
        def __iter__(self) -> Iterator[int]:
            epochs.append(list(super().__iter__()))
            return iter(epochs[-1])

    monkeypatch.setattr(trainer, "LengthOrder", Watched)
    finetune(config(epochs=2))
    assert [sorted(rows) for rows in epochs] == [list(range(48))] * 2


def test_leakage_is_counted_once_a_split(config: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    count = training.leakage
    monkeypatch.setattr(
        training, "leakage", lambda rows, train: counted.append(len(rows)) or count(rows, train)
    )
    scores = finetune(config(epochs=1))
    assert counted == [12, 12]
    assert set(scores.leakage) == {"validation", "test"}


def test_an_easy_task_is_learnt(config: Make) -> None:
    scores = finetune(config(epochs=8))
    assert scores.test["entity_f1"].mean > 0.9
    assert scores.test["entity_f1"].interval is None
    assert scores.seeds[0].epochs[0]["loss"] > scores.seeds[0].epochs[-1]["loss"]


def test_the_epoch_is_chosen_on_validation_and_its_weights_are_kept(config: Make) -> None:
    # A rate that ruins the model in its last epochs would show if the last were kept.
    (seed,) = finetune(config(task="demo_sentiment", learning_rate=2e-2, epochs=6)).seeds
    by_epoch = [epoch["macro_f1"] for epoch in seed.epochs]
    assert seed.epoch == by_epoch.index(max(by_epoch)) + 1
    assert seed.validation["macro_f1"] == max(by_epoch)


def test_the_saved_model_says_what_was_scored(config: Make, tmp_path: Path) -> None:
    finetune(config(task="demo_sentiment", epochs=3))
    rows = [
        json.loads(line)
        for line in (tmp_path / "result/predictions.jsonl").read_text("utf-8").splitlines()
    ]
    again = list(predict(str(tmp_path / "result"), [row["text"] for row in rows], device="cpu"))
    assert [row["predicted"] for row in rows] == [[found.label] for found in again]


def test_the_same_seed_gives_the_same_scores_to_the_byte(config: Make, tmp_path: Path) -> None:
    for name in ("one", "two"):
        finetune(config(task="demo_sentiment", out=tmp_path / name, seeds=(5,), baselines=True))
    for file in ("scores.json", "predictions.jsonl", "model/model.safetensors", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_another_seed_gives_another_head_and_another_order(config: Make, tmp_path: Path) -> None:
    finetune(config(seeds=(1, 2), epochs=1, learning_rate=1e-9))
    one, two = (
        load_file(tmp_path / f"result/seed-{n}/model/model.safetensors")["classifier.weight"]
        for n in (1, 2)
    )
    assert (one - two).abs().max() > 1e-3


def test_test_is_scored_once_with_the_weights_of_the_best_epoch(
    config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[tuple[str, torch.Tensor]] = []
    figures = iter([0.9, 0.8, 0.7, 0.5])  # three epochs, the first of which is best; then test
    read = fitting.predict

    def look(model: Any, head: Any, material: Any, split: str, settings: Any) -> Any:
        states.append((split, model.classifier.weight.detach().clone()))
        return read(model, head, material, split, settings)

    monkeypatch.setattr(fitting, "predict", look)
    monkeypatch.setattr(fitting, "score", lambda *_: {"entity_f1": next(figures)})
    (seed,) = finetune(config(epochs=3)).seeds
    assert (seed.epoch, seed.validation, seed.test) == (1, {"entity_f1": 0.9}, {"entity_f1": 0.5})
    assert [split for split, _ in states] == ["validation"] * 3 + ["test"]
    weights = [state for _, state in states]
    assert torch.equal(weights[3], weights[0]) and not torch.equal(weights[2], weights[0])


def test_a_run_stops_when_validation_gets_no_better(config: Make) -> None:
    (seed,) = finetune(config(task="demo_sentiment", epochs=30, patience=2)).seeds
    assert seed.epoch + 2 == len(seed.epochs) < 30


def test_finished_seeds_are_kept_when_taken_up_again(
    config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, asked = training.fit, []

    def stop_at_two(seed: int, *rest: Any) -> Any:
        asked.append(seed)
        if seed == 2 and len(asked) == 2:
            raise KeyboardInterrupt
        return fit(seed, *rest)

    monkeypatch.setattr(training, "fit", stop_at_two)
    with pytest.raises(KeyboardInterrupt):
        finetune(config(seeds=(1, 2), epochs=1))
    assert not (tmp_path / "result").exists()
    finetune(config(seeds=(1, 2), epochs=1))
    assert asked == [1, 2, 2]
    before = (tmp_path / "result/manifest.json").read_bytes()
    finetune(config(seeds=(1, 2), epochs=1))  # done already
    assert asked == [1, 2, 2]
    assert (tmp_path / "result/manifest.json").read_bytes() == before
    with pytest.raises(UserError, match=r"is finished.* epochs = 1"):
        finetune(config(seeds=(1, 2), epochs=2))


def test_plain_transformers_reads_the_model_with_its_labels(config: Make, tmp_path: Path) -> None:
    finetune(config(epochs=8))
    shutil.copytree(tmp_path / "result" / "model", tmp_path / "moved")
    script = (
        "import sys; sys.modules['thaitok'] = sys.modules['finetune'] = None\n"
        "from transformers import pipeline\n"
        f"tag = pipeline('token-classification', {str(tmp_path / 'moved')!r}, device='cpu')\n"
        "print(*(found['entity'] for found in tag('คุณสมชายไปเชียงใหม่')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert "B-PERSON" in done.stdout and "LABEL_" not in done.stdout
    config_file = json.loads((tmp_path / "moved" / "tokenizer_config.json").read_text())
    assert config_file["model_max_length"] == 64  # the source said 1e30


def test_texts_in_training_are_counted(config: Make, demo_data: Path) -> None:
    folder = demo_data / "demo_ner"
    shutil.copy(folder / "train.jsonl", folder / "test.jsonl")
    assert finetune(config(epochs=1)).leakage["test"] == {"same": 48, "near": 0}


def test_bad_input_is_told_before_anything_is_written(
    config: Make, tmp_path: Path, demo_data: Path
) -> None:
    with pytest.raises(UserError, match="did you mean 'demo_ner'"):
        finetune(config(task="demo_nerr"))
    with pytest.raises(UserError, match="no such model folder"):
        finetune(config(model=str(tmp_path / "no model")))
    with pytest.raises(UserError, match="no such data folder"):
        finetune(config(data_dir=str(tmp_path / "nothing")))
    (demo_data / "demo_sentiment" / "test.jsonl").write_text('{"text": "ก", "label": "glad"}\n')
    with pytest.raises(UserError, match=r"test.jsonl:1: label 'glad' does not occur in training"):
        finetune(config(task="demo_sentiment"))
    assert not list(tmp_path.glob("*result*"))


def test_defaults_follow_the_kind_and_the_size(config: Make) -> None:
    open_config = config(epochs=None, learning_rate=None, batch_size=None)
    small = resolve(open_config, "ner", 5_000_000, 416)
    base = resolve(open_config, "ner", 110_000_000, 416)
    assert small.learning_rate > 10 * base.learning_rate
    assert small.epochs >= 10 and base.epochs == 6
    assert resolve(config(epochs=2), "ner", 5_000_000, 416).epochs == 2


def test_the_interval_is_students() -> None:
    found = figure({"1": 0.70, "2": 0.72, "3": 0.74})
    assert found.mean == pytest.approx(0.72)
    # t(.975, 2) = 4.303; s / sqrt(3) = 0.02 / 1.732
    assert found.interval == pytest.approx((0.72 - 0.049687, 0.72 + 0.049687), abs=1e-6)


def test_the_best_seed_is_chosen_on_validation_not_on_test() -> None:
    def seed(number: int, validation: float, test: float) -> SeedScores:
        return SeedScores(
            seed=number, epoch=1, validation={"accuracy": validation}, test={"accuracy": test},
            epochs=(),
        )  # fmt: skip

    assert best_seed([seed(1, 0.5, 0.9), seed(2, 0.6, 0.1), seed(3, 0.6, 0.9)], "accuracy") == 2


def test_the_table_of_tasks_needs_no_torch() -> None:
    script = "import finetune, sys; finetune.TASKS; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
