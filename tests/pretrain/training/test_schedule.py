"""Promise: rate and size of an update are functions of its number, and nothing is lost or jumps."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.config import OptimConfig, PretrainConfig
from pretrain.training.schedule import check_world, first_micro, learning_rate, micro_batches
from thaitok.errors import UserError

STEPS = st.integers(1, 300)


def run(**values: Any) -> PretrainConfig:
    fixed = {"shards": "shards", "out": "out", "sequence_length": 8, "micro_tokens": 8}
    return PretrainConfig.model_validate({**fixed, "steps": 10, **values})


def growing(first: int, multiples: int, warmup: int, micro: int = 8) -> PretrainConfig:
    size = first * micro
    start: dict[str, Any] = {"batch_start_tokens": size, "batch_warmup_steps": warmup}
    return run(micro_tokens=micro, batch_tokens=multiples * size, **(start if warmup else {}))


def rates(steps: int, **values: Any) -> list[float]:
    config = OptimConfig(learning_rate=1.0, **values)
    return [learning_rate(step, steps, config) for step in range(steps + 1)]


def test_linear_goes_up_and_then_down_to_zero() -> None:
    found = rates(10, warmup_steps=4)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert found[4:] == pytest.approx([1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])


@given(STEPS, st.integers(0, 50), st.floats(1e-6, 1))
def test_linear_to_zero_keeps_its_bits(steps: int, warmup: int, rate: float) -> None:
    config = OptimConfig(learning_rate=rate, warmup_steps=min(warmup, steps))
    for step in range(config.warmup_steps, steps):
        before = rate * (steps - step) / max(1, steps - config.warmup_steps)
        assert learning_rate(step, steps, config) == before


def test_cosine_is_half_a_wave() -> None:
    found = rates(10, warmup_steps=2, schedule="cosine", final_share=0.2)
    assert found[1:3] == [1.0, 1.0]
    assert found[6] == pytest.approx(0.6)
    assert found[4] == pytest.approx(0.2 + 0.4 * (1 + math.cos(math.pi / 4)))
    assert found[10] == pytest.approx(0.2)


def test_wsd_is_stable_and_then_falls_by_one_minus_a_root() -> None:
    found = rates(20, warmup_steps=2, schedule="wsd", decay_steps=4, final_share=0.1)
    assert found[:2] == [0.5, 1.0]
    assert set(found[1:17]) == {1.0}
    assert found[17:] == pytest.approx([0.1 + 0.9 * (1 - math.sqrt(n / 4)) for n in (1, 2, 3, 4)])


def test_wsd_falls_over_a_tenth_of_the_steps_if_nothing_is_said() -> None:
    assert rates(100, schedule="wsd") == rates(100, schedule="wsd", decay_steps=10)
    assert rates(9, schedule="wsd") == rates(9, schedule="wsd", decay_steps=1)
    late = rates(100, schedule="wsd", warmup_steps=95)
    assert late == rates(100, schedule="wsd", warmup_steps=95, decay_steps=5), "no jump down"


@given(
    st.sampled_from(["linear", "cosine", "wsd"]),
    STEPS,
    st.integers(0, 300),
    st.none() | st.integers(1, 300),
    st.floats(0, 0.9),
)
def test_every_schedule_rises_stays_within_bounds_and_never_rises_again(
    schedule: str, steps: int, warmup: int, decay: int | None, final: float
) -> None:
    values: dict[str, Any] = {"schedule": schedule, "final_share": final}
    values["warmup_steps"] = warmup = min(warmup, steps)
    if schedule == "wsd" and decay is not None and warmup < steps:
        values["decay_steps"] = min(decay, steps - warmup)
    found = rates(steps, **values)
    assert found[:warmup] == sorted(found[:warmup])
    assert found[warmup:] == sorted(found[warmup:], reverse=True)
    assert all(final - 1e-12 <= rate <= 1 for rate in found[warmup:])
    assert all(0 < rate <= 1 for rate in found[:-1]), "no update is made for nothing"
    if warmup < steps:
        assert found[warmup] == 1
        assert found[steps] == pytest.approx(final)


def test_without_a_warmup_every_update_is_as_large() -> None:
    config = run(batch_tokens=48)
    assert [micro_batches(step, config) for step in (0, 1, 99)] == [6, 6, 6]
    assert [first_micro(step, config) for step in (0, 1, 99)] == [0, 6, 594]


def test_an_update_grows_by_whole_multiples_of_the_first() -> None:
    config = growing(first=2, multiples=4, warmup=6)
    assert [micro_batches(step, config) for step in range(9)] == [2, 2, 4, 4, 6, 6, 8, 8, 8]
    assert micro_batches(1, growing(first=2, multiples=4, warmup=1)) == 8


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 120))
def test_updates_grow_linearly_and_take_every_micro_batch_once(
    first: int, multiples: int, warmup: int
) -> None:
    config = growing(first, multiples, warmup)
    sizes = [micro_batches(step, config) for step in range(warmup + 5)]
    assert sizes == sorted(sizes)
    assert sizes[0] == (first if warmup else first * multiples)
    assert set(sizes[warmup:]) == {first * multiples}
    for step, size in enumerate(sizes[:warmup]):
        assert size % first == 0
        assert 0 <= 1 + (multiples - 1) * step / warmup - size / first < 1
    assert [first_micro(step, config) for step in range(warmup + 5)] == [
        sum(sizes[:step]) for step in range(warmup + 5)
    ]


def test_the_first_micro_batch_is_not_counted_step_by_step() -> None:
    config = growing(first=1, multiples=3, warmup=10**12)
    assert first_micro(10**12, config) == 10**12 * 3 // 2
    assert first_micro(2 * 10**12, config) == 10**12 * 3 // 2 + 3 * 10**12


@settings(deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 12), st.sampled_from([0, 1, 9]), st.integers(1, 9)
)  # fmt: skip
def test_devices_divide_every_update_or_the_setting_that_would_help_is_said(
    first: int, multiples: int, warmup: int, world: int
) -> None:
    config = growing(first, multiples, warmup, micro=16)
    if all(micro_batches(step, config) % world == 0 for step in range(12)):
        check_world(config, world)
        return
    with pytest.raises(UserError) as raised:
        check_world(config, world)
    said = str(raised.value)
    assert "\n" not in said
    named = {key: int(value) for key, value in re.findall(r"(\w+) to (\d+)", said)}
    assert named and all(value > getattr(config, key) for key, value in named.items())
    mended = PretrainConfig.model_validate({**config.model_dump(exclude_unset=True), **named})
    check_world(mended, world)


def test_what_is_said_of_a_batch_that_does_not_divide() -> None:
    with pytest.raises(UserError) as raised:
        check_world(run(batch_tokens=106_496, micro_tokens=13_312), 3)
    assert str(raised.value) == (
        "batch_tokens 106496 is 8 micro-batches of micro_tokens 13312, which do not divide among"
        " 3 devices; set batch_tokens to 119808"
    )
