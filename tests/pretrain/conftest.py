"""A shards folder of the small corpus, and a run so small that it takes a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretrain.config import PretrainConfig
from pretrain.data.sharding import ShardConfig, shard_corpus


@pytest.fixture(scope="session")
def shards(corpus: Path, tokenizer: Path) -> Path:
    out = corpus.parent / "shards"
    config = ShardConfig(corpus=(corpus,), tokenizer=tokenizer, out=out, shard_tokens=2000)
    assert shard_corpus(config).counts["shards"] > 2
    return out


@pytest.fixture(scope="session")
def config_of(shards: Path) -> Callable[..., PretrainConfig]:
    """Return a config for a run in a given folder, with changes."""

    def build(out: Path, **changes: Any) -> PretrainConfig:
        values: dict[str, Any] = {
            "shards": shards,
            "out": out,
            "steps": 12,
            "sequence_length": 32,
            "batch_tokens": 256,
            "micro_tokens": 128,
            "eval_share": 0.1,
            "eval_tokens": 256,
            "eval_every": 6,
            "save_every": 3,
            "log_every": 1,
            "precision": "fp32",
            "model": {"layers": 2, "hidden": 16, "heads": 2, "intermediate": 32, "dropout": 0.1},
            "optim": {"learning_rate": 0.01, "warmup_steps": 3},
        }
        return PretrainConfig.model_validate({**values, **changes})

    return build
