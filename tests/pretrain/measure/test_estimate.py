from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pretrain.config import PretrainConfig
from pretrain.data.batch import split_documents
from pretrain.data.shards import TOKENIZER_FOLDER, open_shards
from pretrain.measure.estimate import RunPlan, less_memory, plan_run
from pretrain.measure.tables import duration, plan_tables
from pretrain.model.encoder import build_model
from pretrain.model.objectives import build_objective
from pretrain.training.schedule import learning_rate
from thaitok.errors import UserError


def config_of(shards: Path, **changes: Any) -> PretrainConfig:
    values: dict[str, Any] = {
        "shards": shards,
        "out": shards.parent / "not" / "there",
        "steps": 40,
        "sequence_length": 32,
        "batch_tokens": 512,
        "micro_tokens": 128,
        "precision": "fp32",
        "model": {"layers": 2, "hidden": 16, "heads": 2, "intermediate": 32},
        "optim": {"warmup_steps": 10},
    }
    return PretrainConfig.model_validate(values | changes)


@pytest.fixture(scope="module")
def plan(shards: Path) -> RunPlan:
    return plan_run(config_of(shards))


def test_a_plan_tells_what_the_run_would_do(plan: RunPlan, shards: Path) -> None:
    opened, config = open_shards(shards), config_of(shards)
    model = build_model(config, opened.pieces, opened.special)
    assert plan.parameters.total == sum(one.numel() for one in model.parameters())
    assert plan.parameters.embeddings == 16 * (opened.pieces + 32 + opened.special.pad + 1 + 1)
    assert plan.parameters.head == 16 * 16 + 16 + 2 * 16 + opened.pieces
    assert plan.text.documents == len(opened)
    assert plan.text.tokens == opened.lengths.sum()
    assert plan.text.held_out == max(1, round(0.01 * len(opened)))
    layout = "stream" if torch.cuda.is_available() else "rows"
    training, _, _ = split_documents(config, opened, layout, 2)
    micros = training.plan.epoch_micros(0)
    assert plan.batching.updates_an_epoch == micros / 4
    assert plan.batching.epochs == 40 * 4 / micros
    tokens = [training.micro(number, 0).tokens for number in range(micros - 1)]
    assert plan.batching.packing == pytest.approx(sum(tokens) / len(tokens) / 128, abs=0.01)
    assert plan.batching.run_tokens == pytest.approx(40 * 512 * plan.batching.packing, rel=1e-3)
    assert plan.batching.masked == len(training.micro(0, 0).labels)
    assert plan.work.run == pytest.approx(plan.work.total * plan.batching.run_tokens)
    assert plan.work.seconds == pytest.approx(
        plan.work.run / plan.work.peak / plan.work.utilisation
    )
    assert plan.disk.checkpoint == 12 * plan.parameters.total


def test_a_plan_writes_nothing(plan: RunPlan, shards: Path) -> None:
    assert plan.disk.free > 0
    assert not (shards.parent / "not").exists()


def test_a_plan_shows_the_schedule(plan: RunPlan, shards: Path) -> None:
    assert [one.step for one in plan.schedule] == [1, 11, 21, 31, 40]
    optim = config_of(shards).optim
    for one in plan.schedule:
        assert one.learning_rate == learning_rate(one.step - 1, 40, optim)
        assert one.tokens == 512


def test_a_plan_can_be_read_by_machines_and_people(plan: RunPlan) -> None:
    assert RunPlan.model_validate_json(plan.model_dump_json()) == plan
    for title, columns, rows in plan_tables(plan):
        assert title
        assert rows
        assert all(len(row) == len(columns) for row in rows)
    told = str(plan_tables(plan))
    assert f"{plan.parameters.total:,}" in told
    assert "assumed" in told


def test_a_batch_that_grows(shards: Path) -> None:
    config = config_of(shards, batch_start_tokens=128, batch_warmup_steps=20)
    grown = plan_run(config)
    assert grown.batching.run_tokens < plan_run(config_of(shards)).batching.run_tokens
    assert grown.schedule[0].tokens == 128
    assert grown.schedule[-1].tokens == 512


@pytest.mark.parametrize("kind", ["roberta", "electra"])
def test_a_generator_is_counted(kind: str, plan: RunPlan, shards: Path) -> None:
    size = {"type": kind, "layers": 2, "hidden": 16, "heads": 2, "intermediate": 32}
    config = config_of(shards, objective="rtd", rtd={"generator": 0.5}, model=size)
    found, built = plan_run(config), build_objective(config, open_shards(shards))
    sizes = found.parameters
    assert sizes.total == sum(one.numel() for one in built.parameters())
    assert sizes.total == sizes.embeddings + sizes.encoder + sizes.head + sizes.generator
    assert sizes.generator > 0
    assert sizes.head == 16 * 16 + 16 + 16 + 1
    assert found.memory.moments == 8 * sizes.total
    assert found.disk.checkpoint == 12 * sizes.total
    assert found.disk.most == 3 * 12 * sizes.total + 4 * (sizes.total - sizes.generator)
    assert f"generator {sizes.generator:,}" in str(plan_tables(found))
    assert "generator" not in str(plan_tables(plan))


def test_of_a_teacher_the_weights_up_to_its_layer_count(
    plan: RunPlan, shards: Path, tmp_path: Path
) -> None:
    opened = open_shards(shards)
    teacher = build_model(config_of(shards), opened.pieces, opened.special)
    teacher.save_pretrained(tmp_path / "teacher")
    shutil.copytree(shards / TOKENIZER_FOLDER, tmp_path / "teacher", dirs_exist_ok=True)
    told = {"teacher": tmp_path / "teacher", "relation_heads": 4, "layer": 1}
    found = plan_run(config_of(shards, objective="distil", distil=told))
    base: Any = teacher.base_model
    above = sum(one.numel() for one in base.encoder.layer[1].parameters())
    assert found.parameters.teacher == plan.parameters.total - above
    assert found.parameters.total == plan.parameters.total
    assert found.memory.weights - plan.memory.weights == 4 * found.parameters.teacher
    assert found.disk.most == plan.disk.most
    assert "activations are not counted" in str(plan_tables(found))
    assert "not counted" not in str(plan_tables(plan))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shards": Path("/nowhere")}, "no such shards folder"),
        ({"eval_share": 0.4999, "model": {"type": "no-such-type"}}, "no-such-type"),
        ({"start": Path("/nowhere"), "model": None}, "nowhere"),
    ],
)
def test_a_bad_config_is_answered_as_by_the_run(
    changes: dict[str, Any], said: str, shards: Path
) -> None:
    with pytest.raises(UserError, match=said):
        plan_run(config_of(**{"shards": shards, **changes}))


@given(
    sequence=st.integers(8, 64), rows=st.integers(1, 40), times=st.integers(1, 40),
    devices=st.sampled_from([1, 2, 4, 3]),
)  # fmt: skip
def test_less_memory_is_a_config_that_fits(
    sequence: int, rows: int, times: int, devices: int
) -> None:
    micro = sequence * rows
    values = {"shards": "s", "out": "o", "steps": 1, "micro_tokens": micro}
    values |= {"batch_tokens": micro * times * devices, "sequence_length": sequence}
    config = PretrainConfig.model_validate(values)
    said = less_memory(config, devices)
    if "smaller model" in said:
        first = config.batch_tokens
        assert all(first % (size * devices) for size in range(8, micro // 2 + 1))
        return
    words = said.replace("lower ", "").split(" and ")
    lower = {key: int(value) for key, value in (one.split(" to ") for one in words)}
    changed = PretrainConfig.model_validate(values | lower)
    assert changed.micro_tokens <= micro // 2
    assert changed.batch_tokens // changed.micro_tokens % devices == 0
    larger = range(changed.micro_tokens + 1, micro // 2 + 1)
    assert all(config.batch_tokens % (size * devices) for size in larger)
    assert (changed.sequence_length == sequence) == (changed.micro_tokens >= sequence)


def test_less_memory_names_setting_and_value() -> None:
    config = PretrainConfig(shards=Path("s"), out=Path("o"), steps=1)
    assert less_memory(config) == "lower micro_tokens to 6656"
    with pytest.raises(ValidationError):
        config.model_validate(config.model_dump() | {"micro_tokens": 6657})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 s"), (119, "2 min"), (3600, "60 min"), (7300, "2 h"), (90 * 3600, "3 days 18 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
