"""Checks of an export: logits, scores and times, each beside the model it came from."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from finetune.data.rows import Example
from finetune.data.tasks import Kind
from finetune.measure.metrics import score
from finetune.model import models
from finetune.model.encode import Encoded
from finetune.model.head import Head, Logits, outputs_of
from finetune.model.windows import Window, cut_windows
from thaitok.quiet import quiet

BATCH = 8
PAIRS = 4
"""Texts that are also read in pairs, for BERT's second type."""
TIMED = 24
"""Texts that are timed."""
ROUNDS = 3
PART = 1024
"""Rows whose logits lie in memory at once."""

Open = Callable[[], PreTrainedModel]


def windows_of(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], longest: int
) -> list[Window]:
    """Return windows of all lengths: texts, pairs, no text at all, and one of `longest` pieces."""
    endless = " ".join([*texts, "ก"])
    with quiet():  # "longer than the model reads", as it must be
        while len(tokenizer(endless, add_special_tokens=False)["input_ids"]) < longest:
            endless += f" {endless}"
    rows = cut_windows(tokenizer, [*texts, ""], longest)
    rows += cut_windows(tokenizer, texts[1 : PAIRS + 1], longest, texts[:PAIRS][: len(texts) - 1])
    long = cut_windows(tokenizer, [endless], longest)[0][0]
    return [*(window for row in rows for window in row), long]


def logits_of(model: PreTrainedModel, windows: Sequence[Window], pad_id: int) -> list[Logits]:
    """Return the logits of each window without its padding: (pieces, outputs) or (outputs,)."""
    inputs = models.model_inputs(model, windows, pad_id)
    with torch.inference_mode():
        found = model(**inputs)
        hidden = "last_hidden_state" in found
        tensor = found["last_hidden_state"] if hidden else outputs_of(model, **inputs)
    rows = tensor.float().numpy()
    return [
        row[: len(window.ids)] if row.ndim == 2 else row
        for row, window in zip(rows, windows, strict=True)
    ]


class Compared:
    """Differences from the source, summed up batch by batch: logits of a vocabulary are large."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.largest = self.sum = self.size = 0.0
        self.many = self.same = self.choices = 0

    def add(self, source: Logits, found: Logits) -> None:
        """Count a window's logits, those of the source first."""
        apart = np.abs(source.astype(np.float64) - found)
        # Not max(): a NaN must stay.
        self.largest = float(np.maximum(self.largest, apart.max()))
        self.size = max(self.size, float(np.abs(source).max()))
        self.sum += float(apart.sum())
        self.many += apart.size
        if self.kind != "feature-extraction":
            same = _choices(self.kind, source) == _choices(self.kind, found)
            self.same += int(same.sum())
            self.choices += same.size

    @property
    def mean(self) -> float:
        return self.sum / max(self.many, 1)

    @property
    def agreement(self) -> float | None:
        return self.same / self.choices if self.choices else None


def _choices(kind: str, logits: Logits) -> npt.NDArray[np.int64]:
    """Return what is chosen: of questions start and end, of several labels each that holds."""
    if kind == "multilabel":
        return (logits > 0).astype(np.int64)
    return np.atleast_1d(logits.argmax(axis=0 if kind == "qa" else -1))


def compare(
    kind: str,
    source: PreTrainedModel,
    graphs: Mapping[str, PreTrainedModel],
    windows: Sequence[Window],
    pad: int,
) -> dict[str, Compared]:
    """Compare each window alone, and in batches padded to their longest, with the source alone."""
    found = {name: Compared(kind) for name in graphs}
    for batch in _batches(windows):
        expected = [logits_of(source, [window], pad)[0] for window in batch]
        for name, graph in graphs.items():
            alone = [logits_of(graph, [window], pad)[0] for window in batch]
            for ours in (alone, logits_of(graph, batch, pad)):
                for one, other in zip(expected, ours, strict=True):
                    found[name].add(one, other)
    return found


def _batches(windows: Sequence[Window]) -> Iterator[Sequence[Window]]:
    """Yield padded batches of one kind; the longest window has one other with it."""
    *rest, long = windows
    singles = [window for window in rest if not any(window.types)]
    pairs = [window for window in rest if any(window.types)]
    for of_kind in (singles, pairs):
        for start in range(0, len(of_kind), BATCH):
            yield of_kind[start : start + BATCH]
    yield [long, singles[0]]


def score_rows(
    model: PreTrainedModel,
    kind: Kind,
    head: Head,
    encoded: Encoded,
    rows: Sequence[Example],
    pad: int,
) -> dict[str, float]:
    """Score gold rows as `thaitok finetune` does."""
    said: list[list[str]] = []
    for part in encoded.parts(PART):
        logits = models.all_logits(model, part.windows, batch_size=4 * BATCH, pad_id=pad)
        said += head.read(part, logits)
    return score(kind, [row.gold for row in rows], said)


def time_models(
    opens: Sequence[Open], windows: Sequence[Window], pad: int
) -> list[tuple[float, float]]:
    """Return milliseconds of a window alone and of a batch of eight for each model: medians.

    The models take turns, and each is closed before the next: idle threads of one would take
    the processor from another.
    """
    some = list(windows[:TIMED])
    batches = [some[start : start + BATCH] for start in range(0, len(some), BATCH)]
    if len(batches) > 1 and len(batches[-1]) < BATCH:
        batches.pop()
    spent: list[tuple[list[list[float]], list[list[float]]]] = [([], []) for _ in opens]
    for _ in range(ROUNDS):
        for (alone, eight), opened in zip(spent, opens, strict=True):
            model = opened()
            alone.append(_times(model, [[window] for window in some], pad))
            eight.append(_times(model, batches, pad))
            del model
    return [(_typical(alone), _typical(eight)) for alone, eight in spent]


def _typical(rounds: list[list[float]]) -> float:
    """Return the median over batches of the best round: what else runs here only adds."""
    return statistics.median(float(min(times)) for times in zip(*rounds, strict=True))


def _times(model: PreTrainedModel, batches: Sequence[Sequence[Window]], pad: int) -> list[float]:
    inputs = [models.model_inputs(model, batch, pad) for batch in batches]
    times = []
    with torch.inference_mode():
        model(**inputs[0])
        for one in inputs:
            begun = time.perf_counter()
            model(**one)
            times.append(1000 * (time.perf_counter() - begun))
    return times
