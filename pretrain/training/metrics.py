"""metrics.jsonl: a line an update that is due and an evaluation, and none of steps made again."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from thaitok.folder import written

METRICS = "metrics.jsonl"


def append_metrics(folder: Path, step: int, values: Mapping[str, float | None]) -> None:
    """Add a line; what is no number is null, as JSON has it."""
    with (folder / METRICS).open("a", encoding="utf-8") as stream:
        sound = {name: _sound(value) for name, value in values.items()}
        stream.write(json.dumps({"step": step, **sound}) + "\n")


def cut_metrics(folder: Path, step: int) -> None:
    """Forget the lines after a step, which are made again."""
    path = folder / METRICS
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        with written(path) as stream:
            stream.writelines(line for line in lines if _step_of(line) <= step)


def _sound(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _step_of(line: str) -> float:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):
        return math.inf  # a line cut short by a kill
