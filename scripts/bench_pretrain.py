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
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any, TypeAlias

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
LIMIT = 465.0
"""Seconds of a GPU run after which no variant goes on."""
LONG = 1_000_000
"""More steps than are made: a run ends when it has been timed."""
DOCUMENTS = ((0, 0.05, 0.25, 0.5, 0.75, 0.95, 1), (60, 157, 333, 512, 729, 1345, 4000))
PARAGRAPHS = ((0, 0.5, 0.95, 0.998, 1), (3, 30, 188, 414, 1500))
"""Quantiles of the lengths of government news in tokens, measured on thaigov_v2."""
WARM = {"ours": 2, "hf": 10}
"""What is not timed: lines of five steps of ours, steps of the Trainer."""
Row: TypeAlias = dict[str, Any]
Child: TypeAlias = "subprocess.Popen[str]"


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    model: tuple[int, int, int, int] = (12, 768, 12, 3072)
    """Layers, width, heads and inner width."""
    length: int = 416
    micro: int = 65_536
    pieces: tuple[int, int] = (25_005, 249_262)
    tokens: int = 20_000_000
    seconds: float = 10.0
    """Timed, of each turn of a variant."""
    check: int = 8_192
    """Places of a micro-batch that is checked."""

    def config(self, shards: Path, out: Path, **changes: Any) -> Row:
        """Return the settings of a run."""
        names = ("layers", "hidden", "heads", "intermediate")
        values = {
            "shards": str(shards), "out": str(out), "steps": LONG, "log_every": 5,
            "sequence_length": self.length, "micro_tokens": self.micro,
            "batch_tokens": 2 * changes.get("micro_tokens", self.micro),
            "eval_every": LONG, "save_every": LONG,
            "optim": {"learning_rate": 1e-4, "warmup_steps": 100},
        }  # fmt: skip
        model = {**dict(zip(names, self.model, strict=True)), **changes.pop("model", {})}
        return {**values, "model": model, **changes}


SMOKE = Size((2, 64, 2, 128), 64, 1024, (500, 900), 100_000, 1.0, 1024)


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
    "checks": Variant("checks"),
    "ours25_paragraphs": Variant("ours", "paragraphs"),
    "hf25_line_by_line": Variant("hf", "paragraphs", settings={"batch": 32, "lines": True}),
    "resume": Variant("resume"),
    "hf25_allflags": Variant("hf", settings={"batch": 128, "flags": True}),
    "ours25_modernbert": Variant("ours", settings={"model": {"type": "modernbert"}}),
}  # fmt: skip
REPEATED = ("ours25", "hf25_grouped", "ours249", "hf249_grouped", "ours25_paragraphs")

# Text


def synthetic(quantiles: Any, pieces: int, count: int) -> Any:
    """Return about `count` tokens of documents whose lengths have these quantiles."""
    from pretrain.data.plan import generator
    from pretrain.data.shards import Tokens, token_dtype

    draw = generator(1, pieces)
    lengths = np.exp(np.interp(draw.random(count // 20), quantiles[0], np.log(quantiles[1])))
    lengths = np.asarray(lengths, np.int64)[: int(np.searchsorted(np.cumsum(lengths), count))]
    size = int(lengths.sum())
    ids = 4 + np.exp(draw.random(size) * np.log(pieces - 5))  # as frequent as Zipf's law has it
    return Tokens(ids.astype(token_dtype(pieces)), np.ones(size, np.bool_), lengths)


def write_folder(out: Path, tokens: Any, pieces: int, tokenizer: Path) -> Path:
    """Write a shards folder."""
    from pretrain.data.shards import TOKENIZER_FOLDER, token_dtype, write_shards
    from thaitok.folder import TOKENIZER_FILES, stage_job

    tokens = tokens._replace(ids=tokens.ids.astype(token_dtype(pieces)))
    with stage_job(out, "shards", {}, ()) as job:
        counts = write_shards(job.work, [tokens], 1 << 40, 3)
        (job.work / TOKENIZER_FOLDER).mkdir()
        for name in TOKENIZER_FILES:
            shutil.copyfile(tokenizer / name, job.work / TOKENIZER_FOLDER / name)
        job.finish({**counts, "pieces": pieces}, {})
    return out


def minimal_tokenizer(folder: Path, pieces: int) -> Path:
    """Write a tokenizer of `pieces` words, with the special tokens that training asks for."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    names = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    words = (*names.values(), *(f"w{number}" for number in range(len(names), pieces)))
    model = models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>")
    special: Any = {f"{name}_token": token for name, token in names.items()}
    kind: Any = PreTrainedTokenizerFast
    kind(tokenizer_object=Tokenizer(model), **special).save_pretrained(folder)
    (folder / "spm.model").write_bytes(b"")
    return folder


# Processes


def start(kind: str, spec: Row, errors: Path) -> Child:
    """Start a process for one piece of work."""
    work = Path(__file__).with_name("pretraining_variants.py")
    return started((sys.executable, str(work), kind, json.dumps(spec)), errors)


def started(command: Sequence[str], errors: Path) -> Child:
    """Start a process in a group of its own, which ends with it."""
    with errors.open("wb") as stream:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stream, text=True, start_new_session=True
        )


def stop(child: Child) -> None:
    """End a process and all that it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def answer(child: Child, errors: Path, timeout: float) -> Row:
    """Return what a process prints last; `RuntimeError` with its error's last line."""
    try:
        out, _ = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took longer than {timeout:.0f} s") from None
    finally:
        stop(child)
    if child.returncode:
        raise RuntimeError(last_line(errors) or f"ended with {child.returncode}")
    found: Row = json.loads(out.strip().splitlines()[-1])
    return found


def last_line(path: Path) -> str:
    """Return the last line of a file that is not empty."""
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else ""


def timed_lines(run: Path) -> list[Row]:
    """Return the lines of a run's metrics on speed, of steps that are whole."""
    path = run / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [one for one in map(json.loads, lines) if "tokens_per_second" in one]


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
        """Return the median of what was measured of a variant."""
        found = [row[key] for row in self.rows.get(name, ()) if row.get(key) is not None]
        return median(found) if found else None

    def ratio(self, name: str, other: str) -> float | None:
        """Return by how much more tokens a second one has."""
        ours, theirs = self.value(name, "real_tok_s"), self.value(other, "real_tok_s")
        return ours / theirs if ours and theirs else None


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
    middle = {key: median(one.get(key, 0) for one in timed) for key in
              ("tokens_per_second", "mfu", "waiting", "memory_gb")}  # fmt: skip
    steps = timed[-1]["step"] - lines[0]["step"]
    full = (timed[-1]["tokens"] - lines[0]["tokens"]) / (steps * config["batch_tokens"])
    rate = middle["tokens_per_second"]
    return {"real_tok_s": rate, "pos_s": round(rate / full), "mfu": middle["mfu"],
            "peak_gb": middle["memory_gb"], "loss": round(timed[-1]["loss"], 4),
            "n": len(timed) * every, "cold_start_s": round(cold, 1),
            "waiting": middle["waiting"], "note": f"{full:.2%} of the places full"}  # fmt: skip


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
        few = {"steps": 6, "save_every": 3, "eval_every": 6, "deterministic": True}
        return try_resume(config(**small, **few, model={"layers": 2}), errors, most)
    spec = {"config": config(), "warm": WARM["hf"], "seconds": size.seconds, **one.settings}
    found = speeds(answer(start("hf", spec, errors), errors, most))
    peak = bench.device["peak_tflops"] * 1e12
    return {**found, "mfu": round(found["real_tok_s"] * found.pop("flops") / peak, 4)}


def gpu(out: Path, smoke: bool) -> Bench:
    """Measure on the GPU of this machine; `smoke` in the same way at tiny sizes on any device."""
    bench = Bench(out, SMOKE if smoke else Size(), LIMIT)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(out / "inductor")  # so that the first is cold
    child = start("peak", {}, out / "peak.err")
    shards = {}
    for text, large in (("documents", False), ("paragraphs", False), ("documents", True)):
        pieces, lengths = bench.size.pieces[large], DOCUMENTS if text == "documents" else PARAGRAPHS
        tokens = synthetic(lengths, pieces, bench.size.tokens)
        folder, tokenizer = out / f"{text}-{pieces}", out / f"tokenizer-{pieces}"
        minimal_tokenizer(tokenizer, pieces)
        shards[text, large] = write_folder(folder, tokens, pieces, tokenizer)
    bench.device = answer(child, out / "peak.err", bench.left)
    print(json.dumps(bench.device), flush=True)
    if not (smoke or bench.device["cuda"]):
        raise SystemExit("no GPU: give DATA and --tokenizer, or --smoke")
    took: dict[str, float] = {}
    for name in (*VARIANTS, *REPEATED):
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
EVERY = 12
"""Every how manieth document of thaigov_v2 is taken."""


def real_text(data: Path, tokenizer: Path) -> dict[str, Any]:
    """Return tokens of real documents and of their paragraphs."""
    from bench_cleaning import documents

    from pretrain.data.shards import Tokens
    from thaitok.word_starts import PhraseEncoder

    encoder = PhraseEncoder(tokenizer)
    texts = documents(data / "text" / "thaigov_v2.jsonl.zst", EVERY)
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return {
        "documents": Tokens(*encoder.encode(texts)),
        "paragraphs": Tokens(*encoder.encode(lines)),
    }


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


def feeding(folder: Path, size: Size) -> Row:
    """Return how full micro-batches are, and how fast one core builds them."""
    from pretrain.config import MaskConfig
    from pretrain.data.batch import Batches
    from pretrain.data.plan import cut_documents, make_plan, packing_efficiency
    from pretrain.data.shards import open_shards

    shards = open_shards(folder)
    lengths, length = shards.lengths, size.length
    spans = cut_documents(np.arange(len(lengths)), lengths, length - 2)
    plan = make_plan("stream", spans, size.micro, length, 1)
    batches = Batches(shards, plan, MaskConfig(), 1, 2, length)
    many = min(20, plan.epoch_micros(0))
    began = time.process_time()
    for number in range(many):
        batches.micro(number, 0)
    rate = many * size.micro / (time.process_time() - began)
    return {
        "rows_full": packing_efficiency(lengths, length, 32 * length, "rows"),
        "stream_full": packing_efficiency(lengths, length, size.micro, "stream"),
        "loader_tok_s": round(rate),
        "share_at_550k": 550_000 / rate,
    }


def cold_start(shards: Path, out: Path, most: float) -> Row:
    """Return the seconds from the start of `thaitok pretrain` to its first line of metrics."""
    command = (sys.executable, "-m", "thaitok", "pretrain", "--config", "tiny")
    given = ("--shards", str(shards), "--out", str(out), "--set", "log_every=1")
    errors = out.with_name("cold.err")
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
        bench.measure(text, partial(feeding, shards[text, False], bench.size))
    bench.measure("tiny", partial(cold_start, shards["documents", False], out / "tiny", 120.0))
    for pair in PAIRS:
        for side in ("ours", "hf") * 2:
            folder = shards[PAIRS[pair][:2]]
            bench.measure(f"{pair}_{side}", partial(cpu_variant, bench, f"{pair}_{side}", folder))
    return bench


# What is said

Target: TypeAlias = tuple[str, float | None, float, float]
"""What, measured, what it must be and what it might; a must above the stretch is a ceiling."""


def cpu_targets(bench: Bench) -> list[Target]:
    """Return the targets that a CPU can meet."""
    return [
        *((f"{pair}: ours by the Trainer's tokens a CPU second",
           bench.ratio(f"{pair}_ours", f"{pair}_hf"), must, stretch)
          for pair, must, stretch in zip(PAIRS, (5, 1.4, 2.4), (6, 1.6, 3), strict=True)),
        *((f"{text}: places full, {layout}", bench.value(text, f"{layout}_full"), must, 0.999)
          for text, must in (("documents", 0.995), ("paragraphs", 0.997))
          for layout in ("rows", "stream")),
        ("loader, tokens a CPU second", bench.value("documents", "loader_tok_s"), 30e6, 100e6),
        ("cold start of tiny, s", bench.value("tiny", "cold_start_s"), 60, 25),
    ]  # fmt: skip


def gpu_targets(bench: Bench) -> list[Target]:
    """Return the targets that a GPU can meet."""
    found: list[Target] = []
    for name, must, stretch in (("ours25", 30, 22), ("ours249", 45, 30)):
        found += [
            (f"{name}: MFU", bench.value(name, "mfu"), 0.4, 0.5),
            (f"{name}: peak memory, GB", bench.value(name, "peak_gb"), must, stretch),
            (f"{name}: waiting for data", bench.value(name, "waiting"), 0.01, 0.002),
        ]
    cold = [row["cold_start_s"] for row in bench.rows.get("ours25", ())[:1]]
    found.append(("ours25: cold start, s", cold[0] if cold else None, 60, 25))
    for ours, theirs, must, stretch in (
        ("ours25", "hf25_grouped", 2, 2.5),
        ("ours249", "hf249_grouped", 3, 4),
        ("ours25_paragraphs", "hf25_line_by_line", 8, 10),
        ("ours25", "hf25_allflags", 1.4, 1.7),
    ):
        found.append((f"{ours} by {theirs}", bench.ratio(ours, theirs), must, stretch))
    for check, must, stretch in (
        ("loss_fp32", 1e-5, 1e-6),
        ("grad_fp32", 1e-5, 1e-6),
        ("loss_bf16", 1e-2, 1e-3),
        ("no_leak", 1, 1),
        ("recompiles", 0, 0),
    ):
        found.append((check, bench.value("checks", check), must, stretch))
    found.append(("resumed = uninterrupted", bench.value("resume", "equal"), 1, 1))
    return found


CEILINGS = ("GB", "waiting", "cold start", "loss_", "grad_", "recompiles")


def verdict(target: Target) -> str:
    """Return a row of the table of targets."""
    what, found, must, stretch = target
    sign = -1 if any(word in what for word in CEILINGS) else 1
    if found is None:
        return f"| {what} | not measured | {must:g} | {stretch:g} | |"
    met = (
        "stretch"
        if sign * found >= sign * stretch
        else "must"
        if sign * found >= sign * must
        else "**missed**"
    )
    return f"| {what} | {found:.4g} | {must:g} | {stretch:g} | {met} |"


def report(bench: Bench, targets: Sequence[Target]) -> str:
    """Return the tables in Markdown: medians of each variant, and the targets."""
    keys = ("real_tok_s", "pos_s", "mfu", "peak_gb", "n", "cold_start_s", "waiting")
    lines = [f"\n| variant | {' | '.join(keys)} | note |", "|" + " --- |" * (len(keys) + 2)]
    for name, rows in bench.rows.items():
        if "real_tok_s" in rows[0]:
            values = (bench.value(name, key) for key in keys)
            told = ("" if one is None else f"{one:,.6g}" for one in values)
            lines.append(f"| {name} | {' | '.join(told)} | {rows[0].get('note', '')} |")
    lines += ["\n| target | measured | must | stretch | met |", "|" + " --- |" * 5]
    return "\n".join([*lines, *map(verdict, targets)])


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
    try:
        if given.gpu or given.smoke:
            bench = gpu(out.resolve(), given.smoke)
            print(report(bench, gpu_targets(bench)))
        else:
            bench = cpu(given.data, given.tokenizer, out.resolve())
            print(report(bench, cpu_targets(bench)))
    finally:
        if given.out is None:
            shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
