"""What an update's rate and size are: pure functions of its number."""

from __future__ import annotations

import math

from pretrain.config import OptimConfig, PretrainConfig
from thaitok.errors import UserError


def learning_rate(step: int, steps: int, config: OptimConfig) -> float:
    """Return the rate of update `step` (from 0): linear up, then down to `final_share` of it."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    begin, fall = config.warmup_steps, max(1, steps - config.warmup_steps)
    final = config.learning_rate * config.final_share
    span = config.learning_rate - final
    if config.schedule == "linear":
        return final + span * (steps - step) / fall
    if config.schedule == "cosine":  # arXiv 1608.03983 §3, without restarts
        return final + span * (1 + math.cos(math.pi * (step - begin) / fall)) / 2
    fall = config.decay_steps or max(1, min(steps // 10, fall))
    # 1 - sqrt ends lower than a linear fall of the same length (arXiv 2405.18392 §3).
    return final + span * (1 - math.sqrt(max(0, step - (steps - fall)) / fall))


def micro_batches(step: int, config: PretrainConfig) -> int:
    """Return how many micro-batches update `step` has, over all devices.

    In the batch warm-up the first update has `batch_start_tokens`, and the others a whole
    multiple of it, which grows linearly and is `batch_tokens` from step `batch_warmup_steps` on.
    """
    first, multiples = _growth(config)
    if step >= config.batch_warmup_steps:
        return first * multiples
    return first * (1 + (multiples - 1) * step // config.batch_warmup_steps)


def first_micro(step: int, config: PretrainConfig) -> int:
    """Return the number of the first micro-batch of update `step`: all those before it."""
    first, multiples = _growth(config)
    warm = min(step, config.batch_warmup_steps)
    # Counted by multiples and not by steps: the m-th one more begins at step ceil(m W / (M - 1)).
    begins = (-(-m * config.batch_warmup_steps // (multiples - 1)) for m in range(1, multiples))
    grown = warm + sum(max(0, warm - begin) for begin in begins)
    return first * (grown + multiples * (step - warm))


def numbers(step: int, config: PretrainConfig, left_out: int = 0) -> range:
    """Return the micro-batches of an update, of all devices, after some that were passed over."""
    first = first_micro(step, config) + left_out
    return range(first, first + micro_batches(step, config))


def check_world(config: PretrainConfig, world: int) -> None:
    """Raise `UserError` when the micro-batches of an update do not divide among the devices."""
    # Every update is a whole multiple of the first, so that the first alone decides.
    first, _ = _growth(config)
    if first % world == 0:
        return
    size = config.batch_start_tokens or config.batch_tokens
    name = "batch_tokens" if config.batch_start_tokens is None else "batch_start_tokens"
    fitting = {"batch_tokens": _fitting(config, world)[0], name: _fitting(config, world)[1]}
    changes = (
        f"{key} to {value}" for key, value in fitting.items() if value != getattr(config, key)
    )
    raise UserError(
        f"{name} {size} is {first} micro-batches of micro_tokens {config.micro_tokens}, which do"
        f" not divide among {world} devices",
        do=f"set {' and '.join(changes)}",
    )


def _growth(config: PretrainConfig) -> tuple[int, int]:
    """Return the micro-batches of the first update, and how many times it the last one is."""
    first = config.batch_start_tokens or config.batch_tokens
    return first // config.micro_tokens, config.batch_tokens // first


def _fitting(config: PretrainConfig, world: int) -> tuple[int, int]:
    """Return the next larger `batch_tokens` and size of the first update that divide."""
    unit = config.micro_tokens * world
    whole = -(-config.batch_tokens // unit) * unit
    first = config.batch_start_tokens or whole
    sizes = range(-(-first // unit) * unit, whole + 1, unit)
    return whole, next(size for size in sizes if whole % size == 0)
