"""A process that reads from the local Hub through the real client libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PRELUDE = """
import json
from dataclasses import replace
from finetune.data.splits import load_task
from finetune.data.tasks import describe_task
from thaitok.errors import UserError

def read(name, place=None, own=None, **columns):
    task = own or describe_task(name, **columns)
    try:
        data = load_task(task, place)
        first = sorted([*data.train, *data.validation, *data.test], key=lambda row: row.where)[0]
        told = {"rows": [len(data.train), len(data.validation), len(data.test)],
                "labels": data.labels, "source": data.source, "repairs": dict(data.repairs),
                "first": [first.text, first.gold, first.where, first.pair]}
    except UserError as err:
        told = {"error": str(err)}
    print(json.dumps(told, ensure_ascii=False))
"""


@pytest.fixture
def ask(hub: Any, hub_env: dict[str, str], tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Run code in a fresh process whose only Hub is the local one, and return what it told."""

    def run(code: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + code],
            env={**hub_env, "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf")},
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
