"""What the corpora tests share."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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


RUN = """
import json, sys
from pathlib import Path
from corpora import CleanConfig, clean_corpus
clean_corpus(CleanConfig.model_validate_json(sys.argv[1]))
"""


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[bytes]]:
    """Start cleaning in a plain script without a `__main__` guard, as a user may write it."""

    def begin(
        config: CleanConfig, before: str = "", after: str = "", **how: Any
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", before + RUN + after, config.model_dump_json()]
        return subprocess.Popen(command, **how)

    return begin


@pytest.fixture(scope="session")
def hub_modules() -> tuple[Any, Any]:
    """Load the local Hub and its client; the modules of tests/hub find each other there."""
    folder = str(Path(__file__).resolve().parents[1] / "hub")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("hub_server"), importlib.import_module("hub_client")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="session")
def local_hub(hub_modules: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run the local Hub."""
    with hub_modules[0].LocalHub(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture
def hub(local_hub: Any) -> Any:
    """Return the local Hub without repositories, tokens, faults or a journal."""
    local_hub.forget()
    return local_hub


@pytest.fixture(scope="session")
def hub_env(local_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process whose only Hub is the local one; no token."""
    kept = {
        key: os.environ[key]
        for key in ("PATH", "PYTHONPATH", "HOME", "TMPDIR")
        if key in os.environ
    }
    return {
        **kept,
        "HF_ENDPOINT": local_hub.url,
        "HF_HOME": str(tmp_path_factory.mktemp("hf")),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }


@pytest.fixture(scope="session")
def hub_client(hub_modules: Any) -> Callable[..., Any]:
    """Start a process that reads from the Hub, with an environment and a file for its stderr."""
    start: Callable[..., Any] = hub_modules[1].Client
    return start


@pytest.fixture(scope="session")
def shared_client(
    hub_client: Any, hub_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """Start such a process for all tests: what it imports takes seconds."""
    client = hub_client(hub_env, tmp_path_factory.mktemp("client") / "stderr")
    yield client
    client.close()


@pytest.fixture
def ask(hub: Any, shared_client: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Run code in the client process and return what it told."""
    reader: Callable[[str], list[dict[str, Any]]] = shared_client
    return reader
