"""predictions.jsonl: what a model said of each test row, beside gold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finetune.data.rows import Example
from finetune.data.tasks import Kind
from thaitok.folder import written

PREDICTIONS = "predictions.jsonl"


def write_predictions(
    file: Path, kind: Kind, rows: Sequence[Example], predicted: Sequence[Sequence[str]]
) -> None:
    """Write a line a row: where it stands, its text, gold, and what was predicted."""
    with written(file) as stream:
        for row, found in zip(rows, predicted, strict=True):
            line = {"where": Path(row.where).name, **_record(kind, row), "predicted": list(found)}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def _record(kind: Kind, row: Example) -> dict[str, Any]:
    if kind == "qa":
        return {"question": row.pair, "context": row.text, "answers": row.gold}
    pair = {} if row.pair is None else {"pair": row.pair}
    if kind in ("sequence", "multilabel"):
        return {"text": row.text, **pair, "labels": row.gold}
    names = {"nested": "entities"}
    return {"text": row.text, "tokens": row.words, names.get(kind, "tags"): row.gold}


def read_predictions(file: Path) -> list[list[str]]:
    """Return what was predicted for each row."""
    with file.open(encoding="utf-8") as stream:
        return [json.loads(line)["predicted"] for line in stream]


def read_gold(file: Path) -> list[list[str]]:
    """Return the gold of each row, as it stands in the file."""
    with file.open(encoding="utf-8") as stream:
        rows = map(json.loads, stream)
        return [next(row[name] for name in GOLD if name in row) for row in rows]


GOLD = ("answers", "labels", "tags", "entities")
"""What gold is called, by kind."""
