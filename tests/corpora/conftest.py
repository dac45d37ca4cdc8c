"""What the corpora tests share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
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


PRELUDE = """
import sys, time
time.sleep = lambda seconds: None
from corpora.config import CleanConfig
from corpora.hub import facts_of, hub_pieces, parse_hub, read_hub, resolve_hub
from corpora.records import Fault
from thaitok.errors import UserError

def items_of(file, config):
    for piece in hub_pieces(file):
        for item in read_hub(piece, config, lambda _: None):
            if isinstance(item, Fault):
                yield [item.line, item.reason]
            else:
                yield [item.line, item.text, item.id, item.source]

def read(given, **changes):
    config = CleanConfig(inputs=(given,), out="out", **changes)
    try:
        found = resolve_hub(parse_hub(given), config.text_column)
        items = [list(items_of(file, config)) for file in found.files]
        facts = [facts_of(file).model_dump() for file in found.files]
        tell({"name": found.name, "licence": found.licence, "warnings": found.warnings,
              "facts": facts, "items": items, "stems": [file.stem for file in found.files]})
    except UserError as err:
        tell({"error": str(err)})
"""


@pytest.fixture(scope="session")
def hub_client(client_of: Callable[..., Any]) -> Callable[..., Any]:
    """Start a process that reads from the Hub, by what differs in its environment."""
    return partial(client_of, PRELUDE)


@pytest.fixture(scope="session")
def shared_client(hub_client: Callable[..., Any]) -> Any:
    """Start such a process for all tests: what it imports takes seconds."""
    return hub_client()


@pytest.fixture
def ask(hub: Any, shared_client: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Run code in the client process and return what it told."""
    reader: Callable[[str], list[dict[str, Any]]] = shared_client
    return reader
