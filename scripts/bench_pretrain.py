"""Measure pretraining beside the Hugging Face Trainer, on a GPU or on one core of a CPU.

    scripts/bench_pretrain.py --gpu [--out DIR] [--smoke]
    scripts/bench_pretrain.py DATA --tokenizer DIR [--out DIR]

Each variant runs in a process of its own, ours and the Trainer's in turn (A B A B), and prints
a line of JSON; tables and a verdict on each target follow. Tokens are real ones, `<s>` and
`</s>` included, padding not. The Trainer runs as run_mlm.py sets it up, at accumulation 1.

On a GPU the text is synthetic ids with the lengths of real documents, all ends within 8 minutes,
and torch, transformers, accelerate, numpy and pydantic are enough. Repeats go first where time
is short. `--smoke` runs the same path at tiny sizes, on a CPU if need be. On a CPU the text is
DATA/text/thaigov_v2.jsonl.zst, and times are CPU seconds, as other programs share the cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TypeAlias

from bench_pretrain_text import (
    DOCUMENTS,
    PARAGRAPHS,
    SMOKE,
    Size,
    feeding,
    minimal_tokenizer,
    real_text,
    synthetic,
    write_folder,
)
from bench_pretrain_variants import Row, answer, last_line, start, started, stop, timed_lines

LIMIT = 465.0
"""Seconds of a GPU run after which no variant goes on."""
WARM = {"ours": 2, "hf": 10}
"""What is not timed: lines of five steps of ours, steps of the Trainer."""


@dataclass(frozen=True)
class Variant:
    """What is timed; `kind` is what its process does."""

    kind: str
    text: str = "documents"
    large: bool = False
    """Whether it has the larger vocabulary."""
    settings: Row = field(default_factory=dict)


VARIANTS = {
    "ours25": Variant("ours"),
    "hf25_grouped": Variant("hf", settings={"batch": 128}),
    "ours249": Variant("ours", large=True),
    "hf249_grouped": Variant("hf", large=True, settings={"batch": 64}),
    "checks": Variant("checks", "paragraphs"),  # many of them in a row
    "ours25_paragraphs": Variant("ours", "paragraphs"),
    "hf25_line_by_line": Variant("hf", "paragraphs", settings={"batch": 32, "lines": True}),
    "resume": Variant("resume"),
    "hf25_allflags": Variant("hf", settings={"batch": 128, "flags": True}),
    "ours25_modernbert": Variant("ours", settings={"model": {"type": "modernbert"}}),
}  # fmt: skip
REPEATED = ("ours25", "hf25_grouped", "ours249", "hf249_grouped", "ours25_paragraphs")

# What is measured


@dataclass
class Bench:
    """A benchmark under way."""

    out: Path
    size: Size
    limit: float
    began: float = field(default_factory=time.perf_counter)
    device: Row = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.limit - (time.perf_counter() - self.began)

    def measure(self, name: str, work: Callable[[], Row]) -> None:
        """Do a piece of work and print its line, its error's if it fails."""
        began = time.perf_counter()
        row: Row = {"variant": name, "device": self.device.get("device", "CPU")}
        try:
            row |= work()
            self.rows.setdefault(name, []).append(row)
        except Exception as err:  # the others go on
            row["error"] = str(err)
        row["took_s"] = round(time.perf_counter() - began, 1)
        print(json.dumps(row), flush=True)

    def value(self, name: str, key: str) -> float | None:
        """Return the median of what was measured of a variant; only a first start is cold."""
        found = [row[key] for row in self.rows.get(name, ()) if row.get(key) is not None]
        found = found[:1] if key == "cold_start_s" else found
        return median(found) if found else None


def speeds(found: Row) -> Row:
    """Return tokens and places a second beside what a child found."""
    rates = {f"{key}_s": found[part] / found["seconds"] for key, part in
             (("real_tok", "real"), ("pos", "pos"))}  # fmt: skip
    rest = {key: one for key, one in found.items() if key not in ("seconds", "real", "pos")}
    digits = 2 if rates["pos_s"] < 10_000 else 0
    return {**{key: round(rate, digits) for key, rate in rates.items()}, **rest}


def time_ours(bench: Bench, config: Row, errors: Path, most: float) -> Row:
    """Start a run, read its metrics as they come, and kill it when it has been timed enough."""
    run, every = Path(config["out"]), config["log_every"]
    shutil.rmtree(run, ignore_errors=True)
    began, cold, lines = time.perf_counter(), 0.0, []
    child = start("ours", config, errors)
    try:
        while child.poll() is None and time.perf_counter() - began < most:
            lines = timed_lines(run)
            cold = cold or (time.perf_counter() - began if lines else 0.0)
            if sum(one["seconds"] * every for one in lines[WARM["ours"] :]) > bench.size.seconds:
                break
            time.sleep(0.02)
    finally:
        stop(child)
    timed = lines[WARM["ours"] :]
    if not timed:
        raise RuntimeError(last_line(errors) or f"took longer than {most:.0f} s")
    middle = {
        key: median(one[key] for one in timed)
        for key in ("tokens_per_second", "mfu", "waiting", "memory_gb")
        if key in timed[0]
    }
    steps = timed[-1]["step"] - lines[0]["step"]
    full = (timed[-1]["tokens"] - lines[0]["tokens"]) / (steps * config["batch_tokens"])
    rate = middle["tokens_per_second"]
    return {
        "real_tok_s": rate, "pos_s": round(rate / full), "mfu": round(middle["mfu"], 4),
        "peak_gb": middle.get("memory_gb"), "loss": round(timed[-1]["loss"], 4),
        "n": len(timed) * every, "cold_start_s": round(cold, 1),
        "waiting": round(middle["waiting"], 4), "note": f"{full:.2%} of the places full",
    }  # fmt: skip


def try_resume(config: Row, errors: Path, most: float) -> Row:
    """Run six updates whole, and killed after three and taken up; compare the weights."""
    whole, cut = ({**config, "out": config["out"] + end} for end in ("-whole", "-cut"))
    for one in (whole, cut):
        shutil.rmtree(one["out"], ignore_errors=True)
    children = [start("ours", one, errors) for one in (whole, {**cut, "killed": True})]
    answer(children[0], errors, most)
    if children[1].wait(most) != -signal.SIGKILL:
        raise RuntimeError(last_line(errors))
    left = sorted(path.name for path in Path(cut["out"], "checkpoints").iterdir())
    answer(start("ours", cut, errors), errors, most)
    hashes = [
        hashlib.sha256(Path(one["out"], "checkpoints/step-6/model.safetensors").read_bytes())
        for one in (whole, cut)
    ]
    equal = hashes[0].digest() == hashes[1].digest()
    return {"equal": float(equal), "note": f"killed with {left}, {hashes[0].hexdigest()[:12]}"}


def gpu_variant(bench: Bench, name: str, shards: dict[tuple[str, bool], Path]) -> Row:
    """Run a variant in a process of its own."""
    one, size = VARIANTS[name], bench.size
    errors, most = bench.out / f"{name}.err", min(120.0, bench.left)
    config = partial(size.config, shards[one.text, one.large], bench.out / "runs" / name)
    if one.kind == "ours":
        return time_ours(bench, config(**one.settings), errors, most)
    small = {"micro_tokens": size.check, "precision": "auto"}
    if one.kind == "checks":
        spec = config(**small, model={"dropout": 0.0})
        return answer(start("checks", spec, errors), errors, most)
    if one.kind == "resume":
        few = {"steps": 6, "save_every": 3, "eval_every": 6, "deterministic": True, "optim": {}}
        return try_resume(config(**small, **few, model={"layers": 2}), errors, most)
    spec = {"config": config(), "warm": WARM["hf"], "seconds": size.seconds, **one.settings}
    found = speeds(answer(start("hf", spec, errors), errors, most))
    peak = bench.device["peak_tflops"] * 1e12
    return {**found, "mfu": round(found["real_tok_s"] * found.pop("flops") / peak, 4)}


def gpu(out: Path, smoke: bool) -> Bench:
    """Measure on the GPU of this machine; `smoke` in the same way at tiny sizes on any device."""
    bench = Bench(out, SMOKE if smoke else Size(), LIMIT)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(out / "inductor")
    shutil.rmtree(out / "inductor", ignore_errors=True)  # the first start is a cold one
    if smoke:
        os.environ["OMP_NUM_THREADS"] = "1"  # two threads are slower than one at these sizes
    child = start("peak", {}, out / "peak.err")
    shards = {}
    for text, large in (("documents", False), ("paragraphs", False), ("documents", True)):
        pieces, lengths = (
            bench.size.pieces[large],
            DOCUMENTS if text == "documents" else PARAGRAPHS,
        )
        tokens = synthetic(lengths, pieces, bench.size.tokens)
        folder, tokenizer = out / f"{text}-{pieces}", out / f"tokenizer-{pieces}"
        minimal_tokenizer(tokenizer, pieces)
        shards[text, large] = write_folder(folder, tokens, pieces, tokenizer)
    bench.device = answer(child, out / "peak.err", bench.left)
    print(json.dumps(bench.device), flush=True)
    if not (smoke or bench.device["cuda"]):
        raise SystemExit("no GPU: give DATA and --tokenizer, or --smoke")
    took: dict[str, float] = {}
    for name in (*VARIANTS, *(REPEATED[:1] if smoke else REPEATED)):
        began = time.perf_counter()
        if bench.left > 1.2 * took.get(name, 25 if not smoke else 0):
            bench.measure(name, partial(gpu_variant, bench, name, shards))
            took[name] = time.perf_counter() - began
        elif name not in took:
            print(json.dumps({"variant": name, "note": "left out: no time left"}))
    return bench


# The CPU

PAIRS = {
    "paragraphs25": ("paragraphs", False, 4, 32),
    "documents25": ("documents", False, 4, 5),
    "documents249": ("documents", True, 3, 4),
}
"""Text, whether the vocabulary is the larger one, rows of 416 places of ours, and the Trainer's
batch: about as many tokens an update on both sides, for AdamW costs the same whatever their
number."""


def cpu_variant(bench: Bench, name: str, shards: Path) -> Row:
    """Run one side of a pair in a process of its own."""
    pair, side = name.split("_")
    _, _, rows, batch = PAIRS[pair]
    errors, micro = bench.out / f"{name}.err", rows * bench.size.length
    config = bench.size.config(
        shards, bench.out / "runs" / name, micro_tokens=micro, layout="rows", precision="fp32"
    )
    spec = config if side == "ours" else {"config": config, "batch": batch, "warm": 1, "seconds": 0}
    return speeds(answer(start(f"cpu_{side}", spec, errors), errors, bench.left))


def cold_start(shards: Path, out: Path, most: float) -> Row:
    """Return the seconds from the start of `thaitok pretrain` to its first line of metrics."""
    command = (sys.executable, "-m", "thaitok", "pretrain", "--config", "tiny")
    given = ("--shards", str(shards), "--out", str(out), "--set", "log_every=1")
    errors = out.with_name("cold.err")
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    child = started((*command, *given), errors)
    try:
        while not timed_lines(out) and time.perf_counter() - began < most:
            if child.poll() is not None:
                raise RuntimeError(last_line(errors))
            time.sleep(0.02)
    finally:
        stop(child)
    return {"cold_start_s": round(time.perf_counter() - began, 1)}


def cpu(data: Path, tokenizer: Path, out: Path) -> Bench:
    """Measure on one core of this machine."""
    bench = Bench(out, Size(), 3600.0)
    tokens = real_text(data, tokenizer)
    small = len(json.loads((tokenizer / "tokenizer.json").read_bytes())["model"]["vocab"])
    shards = {
        (text, large): write_folder(
            out / f"{text}-{large}",
            tokens[text],
            bench.size.pieces[1] if large else small,
            tokenizer,
        )
        for text, large, *_ in PAIRS.values()
    }
    for text in ("documents", "paragraphs"):
        bench.measure(
            text, partial(feeding, shards[text, False], bench.size.length, bench.size.micro)
        )
    bench.measure("tiny", partial(cold_start, shards["documents", False], out / "tiny", 120.0))
    for pair in PAIRS:
        for side in ("ours", "hf") * 2:
            folder = shards[PAIRS[pair][:2]]
            bench.measure(f"{pair}_{side}", partial(cpu_variant, bench, f"{pair}_{side}", folder))
    return bench


# What is said

Target: TypeAlias = tuple[str, str, float, float]
"""Variant, or one by another, what of it, what it must be and what it might; where the must is
more than the stretch, or 0, it must not be more."""
CPU_TARGETS: tuple[Target, ...] = (
    ("paragraphs25_ours / paragraphs25_hf", "real_tok_s", 5, 6),
    ("documents25_ours / documents25_hf", "real_tok_s", 1.4, 1.6),
    ("documents249_ours / documents249_hf", "real_tok_s", 2.4, 3),
    ("documents", "rows_full", 0.995, 0.999),
    ("documents", "stream_full", 0.995, 0.999),
    ("paragraphs", "rows_full", 0.997, 0.999),
    ("paragraphs", "stream_full", 0.997, 0.999),
    ("documents", "loader_tok_s", 30e6, 275e6),  # a thread: 2 and 0.2 % of a core at 550k
    ("paragraphs", "loader_tok_s", 30e6, 275e6),  # a thread: 2 and 0.2 % of a core at 550k
    ("tiny", "cold_start_s", 60, 25),
)
GPU_TARGETS: tuple[Target, ...] = (
    ("ours25", "mfu", 0.4, 0.5),
    ("ours249", "mfu", 0.4, 0.5),
    ("ours25 / hf25_grouped", "real_tok_s", 2, 2.5),
    ("ours249 / hf249_grouped", "real_tok_s", 3, 4),
    ("ours25_paragraphs / hf25_line_by_line", "real_tok_s", 8, 10),
    ("ours25 / hf25_allflags", "real_tok_s", 1.4, 1.7),
    ("ours25", "peak_gb", 30, 22),
    ("ours249", "peak_gb", 45, 30),
    ("ours25", "waiting", 0.01, 0.002),
    ("ours25_paragraphs", "waiting", 0.01, 0.002),
    ("ours25", "cold_start_s", 60, 25),
    ("checks", "loss_fp32", 1e-5, 1e-6),
    ("checks", "grad_fp32", 1e-5, 1e-6),
    ("checks", "loss_bf16", 1e-2, 1e-3),
    ("checks", "no_leak", 1, 1),
    ("checks", "recompiles", 0, 0),
    ("resume", "equal", 1, 1),
)


def verdict(bench: Bench, target: Target) -> str:
    """Return a row of the table of targets."""
    name, key, must, stretch = target
    one, _, other = name.partition(" / ")
    found, by = bench.value(one, key), bench.value(other, key) if other else 1.0
    if found is None or not by:
        return f"| {name} | {key} | not measured | {must:g} | {stretch:g} | |"
    found /= by
    sign = -1 if must > stretch or not must else 1
    levels = [sign * found >= sign * level for level in (must, stretch)]
    met = ("**missed**", "must", "stretch")[sum(levels)]
    return f"| {name} | {key} | {found:.4g} | {must:g} | {stretch:g} | {met} |"


def report(bench: Bench, targets: Sequence[Target]) -> str:
    """Return the tables in Markdown: medians of each variant, and the targets."""
    keys = ("real_tok_s", "pos_s", "mfu", "peak_gb", "n", "cold_start_s", "waiting")
    lines = [f"\n| variant | {' | '.join(keys)} | note |", "|" + " --- |" * (len(keys) + 2)]
    for name, rows in bench.rows.items():
        if "real_tok_s" in rows[0]:
            values = (bench.value(name, key) for key in keys)
            told = ("" if one is None else f"{one:,.6g}" for one in values)
            lines.append(f"| {name} | {' | '.join(told)} | {rows[0].get('note', '')} |")
    lines += ["\n| target | of | measured | must | stretch | met |", "|" + " --- |" * 6]
    return "\n".join([*lines, *(verdict(bench, target) for target in targets)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="--gpu at tiny sizes, on any device")
    parser.add_argument("--out", type=Path, help="a folder to work in, deleted at the end if none")
    given = parser.parse_args()
    if not (given.gpu or given.smoke or (given.data and given.tokenizer)):
        parser.error("give --gpu, or DATA and --tokenizer")
    out = given.out or Path(mkdtemp(prefix="bench-pretrain-"))
    out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the children end too
    try:
        if given.gpu or given.smoke:
            bench = gpu(out.resolve(), given.smoke)
            sound = [one for one in GPU_TARGETS if one[0] in ("checks", "resume")]
            print(report(bench, sound if given.smoke else GPU_TARGETS))
        else:
            bench = cpu(given.data, given.tokenizer, out.resolve())
            print(report(bench, CPU_TARGETS))
    finally:
        if given.out is None:
            shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
