"""A process whose only Hub is the local one, and which runs what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

LOOP = """
import json, sys
def tell(value):
    print(json.dumps(value, ensure_ascii=False, default=str))
exec(json.loads(sys.stdin.readline()), globals())
for line in sys.stdin:
    exec(json.loads(line), globals())
    print("done", flush=True)
"""


class Client:
    """Such a process: what it imports in `prelude` takes seconds, so tests share it.

    Code calls `tell(value)` to hand back a value; what goes wrong is in the file `log`.
    """

    def __init__(self, prelude: str, env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LOOP],
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._say(prelude)

    def __call__(self, code: str) -> list[Any]:
        """Run code there and return what it told."""
        assert self.process.stdout
        self._say(code)
        lines = iter(self.process.stdout.readline, "done\n")
        return [json.loads(line or self.failed()) for line in lines]

    def _say(self, code: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()

    def failed(self) -> NoReturn:
        raise AssertionError(self.log.read_text())

    def close(self) -> None:
        self.process.communicate(timeout=60)
