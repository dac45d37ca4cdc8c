#!/usr/bin/env python3
"""Time and memory of `thaitok clean`, as the input grows and by the number of workers.

Usage: scripts/bench_pipeline.py DATA_DIR [--megabytes 100,300,900] [--scratch DIR]

DATA_DIR/text holds NAME.jsonl.zst files. Inputs of the sizes asked for are written to the
scratch folder, each taking the same share of every set, and cleaned by the default pipeline from
text to parts. CPU seconds are those of all processes together; memory is the peak of what they
hold together, every 0.1 s, pages shared between them counted once.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Run:
    """What one run of `thaitok clean` took and made."""

    text_mb: float
    workers: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    documents: int
    kept: int
    out_mb: float


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--megabytes", default="100,300,900")
    parser.add_argument("--scratch", type=Path)
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.megabytes.split(",")]
    with tempfile.TemporaryDirectory(dir=asked.scratch) as scratch:
        folder = Path(scratch)
        inputs = {size: write_input(asked.data, folder / f"in-{size}", size) for size in sizes}
        print(f"As the input grows ({os.cpu_count()} cores)\n")
        print_growth([run(inputs[size], folder / "out", os.cpu_count() or 1) for size in sizes])
        middle = inputs[sizes[len(sizes) // 2]]
        print("\nBy workers, each twice in turn, the better one shown\n")
        print_scaling([run(middle, folder / "out", workers) for workers in (1, 2, 1, 2)])


def write_input(data: Path, folder: Path, megabytes: int) -> list[Path]:
    """Write the first documents of every set, the same share of each; return the files."""
    sets = sorted((data / "text").glob("*.jsonl.zst"))
    texts = {path: sum(map(len, lines_of(path))) for path in sets}
    share = min(1.0, megabytes * MEGABYTE / sum(texts.values()))
    folder.mkdir(parents=True)
    files = []
    for path in sets:
        files.append(folder / path.name.removesuffix(".zst"))
        left = share * texts[path]
        with files[-1].open("wb") as stream:
            for line in lines_of(path):
                if left <= 0:
                    break
                stream.write(line)
                left -= len(line)
    return files


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file packed by zstd."""
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        yield from io.BufferedReader(stream)


def run(files: list[Path], out: Path, workers: int) -> Run:
    """Clean the files into `out`, measure, and remove `out`."""
    command = [sys.executable, "-m", "thaitok", "clean", *map(str, files), "--out", str(out)]
    command += ["--workers", str(workers), "--json"]
    begun, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, held_mb(process.pid))
        time.sleep(0.1)
    wall, after = time.monotonic() - begun, os.times()
    assert process.stdout
    counts = json.loads(process.stdout.read())
    text = sum(file.stat().st_size for file in files) / MEGABYTE
    parts = sum(part.stat().st_size for part in out.glob("part-*")) / MEGABYTE
    shutil.rmtree(out)
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Run(text, workers, wall, cpu, peak, counts["documents"], counts["kept"], parts)


def held_mb(pid: int) -> float:
    """Return the memory that a process and all below it hold, in MB; 0 where it has just ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = next((line for line in rollup.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(own.split()[1]) / 1000 + sum(held_mb(int(child)) for child in children)


def print_growth(runs: list[Run]) -> None:
    """Print a row a size, and the lines fitted."""
    print("| text MB | documents | kept | wall s | CPU s | MB/s a core | peak MB | parts MB |")
    print("|---|---|---|---|---|---|---|---|")
    for one in runs:
        print(
            f"| {one.text_mb:.0f} | {one.documents:,} | {one.kept:,} | {one.wall_s:.1f} "
            f"| {one.cpu_s:.1f} | {one.text_mb / one.cpu_s:.1f} | {one.peak_mb:.0f} "
            f"| {one.out_mb:.1f} |"
        )
    if len(runs) > 1:
        sizes = [one.text_mb for one in runs]
        for name, unit in (("cpu_s", "CPU s"), ("peak_mb", "MB of memory")):
            slope, start = np.polyfit(sizes, [getattr(one, name) for one in runs], 1)
            print(f"\n{unit} = {start:.1f} + {slope:.4f} x text MB", end="")
        documents = [one.documents for one in runs]
        slope, start = np.polyfit(documents, [one.peak_mb for one in runs], 1)
        print(f"\nMB of memory = {start:.0f} + {slope * MEGABYTE:.0f} bytes x documents")


def print_scaling(runs: list[Run]) -> None:
    """Print the best run of each number of workers, and their ratio."""
    best = {n: min((r for r in runs if r.workers == n), key=lambda r: r.wall_s) for n in (1, 2)}
    print("| workers | wall s | text MB/s | MB/s a worker | CPU s |")
    print("|---|---|---|---|---|")
    for n, one in best.items():
        rate = one.text_mb / one.wall_s
        print(f"| {n} | {one.wall_s:.1f} | {rate:.1f} | {rate / n:.1f} | {one.cpu_s:.1f} |")
    print(f"\ntwo workers are {best[1].wall_s / best[2].wall_s:.2f} times as fast as one")


if __name__ == "__main__":
    main()
