"""A process that writes to the local Hub and reads from it by the real client libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PRELUDE = """
import os, tempfile, time, warnings
pause = time.sleep
time.sleep = lambda seconds: pause(min(seconds, 0.01))
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, hf_hub_download
from huggingface_hub import snapshot_download

def adds(files):
    return [CommitOperationAdd(path, data) for path, data in files.items()]

def commit(token, repo, files, **how):
    if isinstance(files, dict):
        files = adds({path: data.encode() for path, data in files.items()})
    how = {"commit_message": "words", **how}
    return HfApi(token=token).create_commit(repo, files, **how)

def attempt(job):
    try:
        job()
        tell("done")
    except Exception as err:
        status = getattr(getattr(err, "response", None), "status_code", "")
        tell(f"{type(err).__name__} {status} {err}")
"""
Ask = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def process(client_of: Callable[..., Any]) -> Any:
    return client_of(PRELUDE)


@pytest.fixture
def ask(anna: str, process: Any) -> Ask:
    """Run code with anna's `token` and `api`, and return what it told."""
    return lambda code: process(f"token = {anna!r}; api = HfApi(token=token)\n{code}")
