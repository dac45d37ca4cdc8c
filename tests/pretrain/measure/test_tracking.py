from __future__ import annotations

import builtins
import logging
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pretrain.config import PretrainConfig
from pretrain.measure import tracking
from pretrain.measure.tracking import Tracker, Trackers, open_trackers, shared_config
from thaitok.errors import UserError


def config_of(folder: Path, *names: str) -> PretrainConfig:
    values = {"shards": "/secret/shards", "out": folder, "steps": 3, "report_to": names}
    return PretrainConfig.model_validate(values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run-1"
    made.mkdir()
    return made


def test_no_tracker_is_opened_unless_named(folder: Path) -> None:
    before = set(sys.modules)
    trackers = open_trackers(config_of(folder), folder)
    trackers.log({"loss": 1.0}, 1)
    trackers.close()
    assert not {"tensorboard", "wandb", "trackio"} & (set(sys.modules) - before)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "trackio"])
def test_a_missing_package_is_told_before_the_run(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {module!r}")

    monkeypatch.setattr(tracking, "import_module", missing)
    with pytest.raises(UserError, match=f"pip install {name}"):
        open_trackers(config_of(folder, name), folder)


def test_a_tracker_that_does_not_open_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise RuntimeError("no API key\nlog in first")

    fake = SimpleNamespace(init=refuse, Settings=dict)
    monkeypatch.setattr(tracking, "import_module", lambda _: fake)
    with pytest.raises(UserError, match=r"wandb does not open: no API key; .*report_to") as told:
        open_trackers(config_of(folder, "wandb"), folder)
    assert "\n" not in str(told.value)


def test_a_tracker_that_fails_is_warned_of_once_and_left(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[dict[str, float], int]] = []
    tried: list[int] = []

    def fail(_: dict[str, float], step: int) -> None:
        tried.append(step)
        raise ConnectionError("network is gone")

    good = Tracker(lambda values, step: seen.append((values, step)), lambda: None)
    trackers = Trackers({"wandb": Tracker(fail, lambda: fail({}, 0)), "tensorboard": good})
    with caplog.at_level(logging.WARNING):
        trackers.log({"loss": 2.0, "grad_norm": float("nan"), "mfu": None}, 1)
        trackers.log({"loss": 1.0}, 2)
        trackers.close()
    assert tried == [1]
    assert [one.getMessage() for one in caplog.records] == [
        "wandb gets no more metrics: network is gone"
    ]
    assert seen == [({"loss": 2.0}, 1), ({"loss": 1.0}, 2)]


def test_others_see_no_path_of_this_machine(folder: Path) -> None:
    config = config_of(folder, "wandb")
    teacher = {"objective": "distil", "distil": {"teacher": "/secret/teacher"}}
    told = shared_config(
        PretrainConfig.model_validate(config.model_dump() | teacher | {"layout": "rows"})
    )
    assert told["shards"] == "shards"
    assert told["distil"]["teacher"] == "teacher"
    assert told["report_to"] == ["wandb"]
    assert told["out"] == "run-1"
    assert "/" not in str(told)


def fake_library(seen: list[tuple[Any, ...]]) -> Any:
    """Return what stands in for wandb and trackio: it notes what it is told."""

    def init(**values: Any) -> Any:
        seen.append(("init", values["project"], values["name"], values.get("id"), values["resume"]))
        builtins.print("hello")
        return SimpleNamespace(
            id="abc", name="run-1-of-two",
            log=lambda values, step: seen.append((values, step)),
            finish=lambda: seen.append(("finish",)),
        )  # fmt: skip

    return SimpleNamespace(init=init, Settings=lambda **_: None)


@pytest.mark.parametrize(
    ("name", "again"),
    [("wandb", ("run-1", "abc", "allow")), ("trackio", ("run-1-of-two", None, "allow"))],
)
def test_a_run_that_is_taken_up_goes_on_in_the_same_curves(
    name: str, again: tuple[Any, ...], folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tracking, "import_module", lambda _: fake_library(seen))
    for step in (1, 2):
        trackers = open_trackers(config_of(folder, name), folder)
        trackers.log({"loss": 3.0}, step)
        trackers.close()
    new = "never" if name == "trackio" else None
    assert seen[:3] == [("init", "thaitok", "run-1", None, new), ({"loss": 3.0}, 1), ("finish",)]
    assert seen[3] == ("init", "thaitok", *again)
    assert all(path.name.startswith(".") for path in folder.iterdir()), "not in the manifest"
    if name == "trackio":  # wandb speaks on stderr by itself
        assert not capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_the_events_back(folder: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    trackers = open_trackers(config_of(folder, "tensorboard"), folder)
    for step in (10, 20):
        trackers.log({"loss": 50 / step, "grad_norm": None}, step)
    trackers.close()
    reading = import_module("tensorboard.backend.event_processing.event_accumulator")
    events = reading.EventAccumulator(str(folder / ".tensorboard"))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss"]
    assert [(one.step, one.value) for one in events.Scalars("loss")] == [(10, 5.0), (20, 2.5)]
