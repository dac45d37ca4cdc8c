"""Measure the batches on real lengths: scripts/bench_batches.py SHARDS...

Prints how full the micro-batches are and how many tokens a core builds in a second, masking
included, for each shards folder: one of documents, say, and one of their paragraphs. Times are
CPU seconds of this process, the best of several turns, since other programs only make them
longer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np

from pretrain.config import MaskConfig
from pretrain.data.batch import Batches
from pretrain.data.plan import Layout, Plan, Spans, cut_documents, make_plan
from pretrain.data.shards import open_shards
from thaitok.show import print_table

TURNS, MICROS = 5, 20


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured of one kind of batches."""

    text: str
    layout: Layout
    micro_tokens: int
    unit: str
    packed: float
    """Share of the places that hold tokens, the last micro-batch of the epoch left out."""
    rate: float
    """Million places that a core fills in a second."""


def packed(plan: Plan) -> float:
    """Return the share of places used over an epoch but its last micro-batch."""
    micros = range(max(1, plan.epoch_micros(0) - 1))
    used = sum(int((plan.micro(number).length + 2).sum()) for number in micros)
    return used / (len(micros) * plan.tokens)


def fastest(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the fastest turn."""
    times = []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def rates(folder: Path, longest: int) -> Iterator[Rate]:
    """Measure each layout, size and unit of masking."""
    shards = open_shards(folder)
    spans = cut_documents(np.arange(len(shards)), shards.lengths, longest - 2)
    for layout, tokens in product(get_args(Layout), (13_312, 65_536)):
        plan = make_plan(layout, spans, tokens, longest, 1)
        share, micros = packed(plan), min(MICROS, plan.epoch_micros(0))
        for unit in ("token", "word", "span"):
            mask = MaskConfig.model_validate({"unit": unit})
            batches = Batches(shards, plan, mask, 1, 2, longest)
            seconds = fastest(partial(build, batches, micros))
            yield Rate(
                folder.name, layout, tokens, unit, share, micros * plan.tokens / seconds / 1e6
            )


def build(batches: Batches, micros: int) -> None:
    """Build the first micro-batches of an epoch."""
    for number in range(micros):
        batches.micro(number, 0)


def plan_seconds(folder: Path, count: int, longest: int) -> list[tuple[str, str, str]]:
    """Return the CPU seconds to lay out an epoch of `count` spans of these lengths, by layout."""
    lengths = np.minimum(open_shards(folder).lengths, longest - 2)
    places = np.zeros(count, np.int64)
    spans = Spans(places, places, np.resize(lengths[lengths > 0], count))
    found = []
    for layout in get_args(Layout):
        plan = make_plan(layout, spans, 65_536, longest, 1)
        began = time.process_time()
        plan.epoch_micros(0)
        found.append((folder.name, layout, f"{time.process_time() - began:.1f}"))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", type=Path, nargs="+")
    parser.add_argument("--sequence-length", type=int, default=416)
    parser.add_argument("--spans", type=int, default=10_000_000, help="of the plan that is timed")
    given = parser.parse_args()
    longest = given.sequence_length
    measured = [one for folder in given.shards for one in rates(folder, longest)]
    rows = [
        (one.text, one.layout, one.micro_tokens, one.unit, f"{one.packed:.3%}", f"{one.rate:.1f}")
        for one in measured
    ]
    columns = ["shards", "layout", "places", "masked", "used", "Mtok/s a core"]
    print_table("micro-batches", columns, rows)
    seconds = [one for folder in given.shards for one in plan_seconds(folder, given.spans, longest)]
    title = f"an epoch of {given.spans:,} documents is laid out"
    print_table(title, ["shards", "layout", "CPU seconds"], seconds)


if __name__ == "__main__":
    main()
