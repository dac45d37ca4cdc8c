from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune import FinetuneConfig, finetune
from finetune.training import search as searching


def config(model_folder: Path, data: Path, out: Path, trials: int) -> FinetuneConfig:
    return FinetuneConfig.model_validate({
        "model": str(model_folder), "task": "demo_sentiment", "data_dir": str(data), "out": out,
        "epochs": 2, "device": "cpu", "baselines": False,
        "search": {"trials": trials, "learning_rate": [1e-4, 1e-2], "batch_size": [8, 16]},
    })  # fmt: skip


@pytest.mark.slow
def test_a_stopped_search_goes_on_where_it_stopped(
    model_folder: Path, demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = config(model_folder, demo_data, tmp_path / "result", 4)
    fit, tested = searching.fit, []

    def stop_at_three(*args: Any, test: bool = True, **named: Any) -> Any:
        tested.append(test)
        if len(tested) == 3:
            raise KeyboardInterrupt
        return fit(*args, test=test, **named)

    monkeypatch.setattr(searching, "fit", stop_at_three)
    with pytest.raises(KeyboardInterrupt):
        finetune(wanted)
    scores = finetune(wanted)
    assert len(tested) == 5, "two were finished, one was cut short, two more were wanted"
    assert not any(tested), "a search never looks at test"
    told = json.loads((tmp_path / "result/search.json").read_text("utf-8"))
    finished = [trial for trial in told["trials"] if trial["value"] is not None]
    best = max(finished, key=lambda trial: trial["value"])
    assert told["metric"] == scores.metric
    assert scores.settings["learning_rate"] == pytest.approx(best["learning_rate"], rel=1e-3)
    assert scores.settings["batch_size"] == best["batch_size"]
    assert scores.settings["epochs"] == 2
    assert not list((tmp_path / "result").glob(".*"))
