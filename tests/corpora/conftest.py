"""What the corpora tests share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from corpora import CleanConfig

Files = Callable[..., Path]


@pytest.fixture
def jsonl(tmp_path: Path) -> Files:
    """Write a file of JSON lines below `tmp_path/raw`; bytes are written as they are."""

    def write(name: str, records: Sequence[Any]) -> Path:
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode()
            for one in records
        )
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    return write


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., CleanConfig]:
    """Make a config of one worker that cleans `tmp_path/raw` into `tmp_path/corpus`."""

    def make(**changes: Any) -> CleanConfig:
        values = {"inputs": (str(tmp_path / "raw"),), "out": tmp_path / "corpus", "workers": 1}
        return CleanConfig(**(values | changes))

    return make
