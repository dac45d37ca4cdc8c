"""A local Hub, and a process that reads from it through the real client libraries."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="session")
def local_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = str(Path(__file__).resolve().parents[2] / "hub")
    sys.path.insert(0, folder)
    try:
        server = importlib.import_module("hub_server")
    finally:
        sys.path.remove(folder)
    with server.LocalHub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def ask(local_hub: Any, tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Run code in a fresh process whose only Hub is the local one, and return what it told."""

    def run(code: str) -> list[dict[str, Any]]:
        kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
        env = {
            **kept,
            "HOME": str(tmp_path),
            "HF_ENDPOINT": local_hub.url,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        }
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + code],
            env=env, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
