"""A process that reads from the local Hub through the real client libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

PRELUDE = """
import json, sys, time
time.sleep = lambda seconds: None
from corpora.config import CleanConfig
from corpora.hub import facts_of, hub_pieces, parse_hub, read_hub, resolve_hub
from corpora.records import Fault
from thaitok.errors import UserError

def tell(value):
    print(json.dumps(value, ensure_ascii=False))

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

LOOP = """
for line in sys.stdin:
    exec(json.loads(line), globals())
    print("done", flush=True)
"""


class Client:
    """A process that reads from the local Hub: what it imports takes seconds, so tests share it."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PRELUDE + LOOP],
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def __call__(self, code: str) -> list[dict[str, Any]]:
        """Run code there and return what it told."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        lines = iter(self.process.stdout.readline, "done\n")
        return [json.loads(line or self.failed()) for line in lines]

    def failed(self) -> NoReturn:
        raise AssertionError(self.log.read_text())

    def close(self) -> None:
        self.process.communicate(timeout=60)
