from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetune import BenchmarkConfig, run_benchmark
from finetune import benchmark as running
from finetune.measure.table import BenchmarkTable
from finetune.training import run as training
from thaitok.errors import UserError


@pytest.fixture
def config(model_folder: Path, demo_data: Path, tmp_path: Path) -> Callable[..., BenchmarkConfig]:
    shutil.copytree(model_folder, tmp_path / "mine" / "model")

    def make(**fields: Any) -> BenchmarkConfig:
        model = str(tmp_path / "mine")
        chosen = {
            "models": [model, f"random:{model}"], "tasks": ["demo_sentiment", "demo_ner"],
            "out": tmp_path / "bench", "data_dir": str(demo_data), "seeds": [1, 2],
            "settings": {"epochs": 1, "device": "cpu"},
            "task_settings": {"demo_ner": {"epochs": 2}},
        }  # fmt: skip
        return BenchmarkConfig.model_validate({**chosen, **fields})

    return make


Make = Callable[..., BenchmarkConfig]
NAMES = ("benchmark.json", "benchmark.md", "benchmark.html")


@pytest.mark.slow
def test_what_is_there_is_reused_and_what_is_missing_is_run(
    config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, fitted = training.fit, []
    monkeypatch.setattr(training, "fit", lambda *a, **b: fitted.append(a[0]) or fit(*a, **b))
    baselines, asked = running.fit_baselines, []
    monkeypatch.setattr(
        running, "fit_baselines", lambda data: asked.append(data.task.name) or baselines(data)
    )
    run_benchmark(config(tasks=["demo_sentiment"]))
    assert (fitted, asked) == ([1, 2] * 2, ["demo_sentiment"])
    table = run_benchmark(config())
    assert (fitted, asked) == ([1, 2] * 4, ["demo_sentiment", "demo_ner"])
    before = {name: (tmp_path / "bench" / name).read_bytes() for name in NAMES}
    assert run_benchmark(config()) == table
    assert len(fitted) == 8 and len(asked) == 2
    assert before == {name: (tmp_path / "bench" / name).read_bytes() for name in NAMES}
    settings = json.loads((tmp_path / "bench/mine/demo_ner/scores.json").read_text())["settings"]
    assert settings["epochs"] == 2


def test_the_table_holds_models_baselines_and_how_they_differ(config: Make, tmp_path: Path) -> None:
    table = run_benchmark(config())
    assert [task.name for task in table.tasks] == ["demo_sentiment", "demo_ner"]
    systems = {cell.system: cell.kind for cell in table.cells}
    assert systems["mine"] == systems["random:mine"] == "model"
    assert systems["majority"] == systems["crf"] == "baseline"
    pairs = {(one.task, one.a, one.b) for one in table.comparisons}
    assert ("demo_ner", "mine", "random:mine") in pairs and (
        "demo_ner",
        "mine",
        "most_frequent_tag",
    ) in pairs
    assert all(cell.cpu_minutes is not None for cell in table.cells)
    read = BenchmarkTable.model_validate_json((tmp_path / "bench/benchmark.json").read_bytes())
    assert read == table
    assert "| random:mine |" in (tmp_path / "bench/benchmark.md").read_text("utf-8")


def test_what_cannot_be_run_is_told_before_anything_is(config: Make, tmp_path: Path) -> None:
    model = str(tmp_path / "mine")
    wrong = {
        "two models are called 'mine'": {"models": [model, model]},
        "did you mean 'demo_ner'": {"tasks": ["demo_nr"], "task_settings": {}},
        "unknown task 'demo_poss'": {"task_settings": {"demo_poss": {}}},
        "epoch is no setting": {"settings": {"epoch": 1}},
        "seeds is set by the benchmark itself": {"settings": {"seeds": [1]}},
        "epochs: Input should be greater": {"task_settings": {"demo_ner": {"epochs": 0}}},
    }
    for said, fields in wrong.items():
        with pytest.raises(UserError, match=said):
            run_benchmark(config(**fields))
    assert not (tmp_path / "bench").exists()
