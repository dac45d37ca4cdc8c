"""Measure tokenising to shards on real text: scripts/bench_sharding.py DATA_DIR TOKENIZER.

DATA_DIR holds text/NAME.jsonl.zst, TOKENIZER is a tokenizer's folder. The peer is what run_mlm.py
does: a Hugging Face fast tokenizer called on a thousand texts at once, and their ids concatenated
and cut into rows (its `group_texts`). Ours gives word starts as well. Times are CPU seconds of
this process, on one core, both in turn on the same texts; then the whole stage is run by one and
by several workers, from a corpus on disk to a finished folder, by CPU seconds of all processes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import zstandard
from bench_cleaning import documents, megabytes

from pretrain.data.sharding import BLOCK_CHARS, ShardConfig, shard_corpus
from thaitok.crew import cores
from thaitok.folder import stage_job
from thaitok.rules import normalize_many
from thaitok.segmenter import mark_words
from thaitok.show import print_table
from thaitok.word_starts import PhraseEncoder

SETS = {"thaigov_v2": 12, "msdocs_th": 1, "social_open": 1}
"""Which sets, and every how manieth document: 9 to 45 MB each."""
PEER_SHARE = 8
"""Every how manieth of these documents the peer takes, being slower."""
PEER_BATCH, PEER_ROW = 1000, 512
"""run_mlm.py's batch of `datasets.map` and its largest row."""
TURNS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens, and tokens a CPU second of a core."""

    tokens: int
    ours: float
    peer: float
    known: float
    """Share of phrases that need no work, being met again."""


def ours(folder: Path, texts: Sequence[str]) -> tuple[int, float]:
    """Return tokens and CPU seconds of a fresh encoder over all texts."""
    encoder, tokens = PhraseEncoder(folder), 0
    start = time.process_time()
    block: list[str] = []
    size = 0
    for text in chain(texts, [None]):
        if block and (text is None or size >= BLOCK_CHARS):
            tokens += len(encoder.encode(block)[0])
            block, size = [], 0
        if text is not None:
            block.append(text)
            size += len(text)
    return tokens, time.process_time() - start


def peer(tokenizer: Any, texts: Sequence[str]) -> tuple[int, float]:
    """Return tokens and CPU seconds of a Hugging Face fast tokenizer and `group_texts`."""
    tokens = 0
    start = time.process_time()
    for at in range(0, len(texts), PEER_BATCH):
        found = tokenizer(list(texts[at : at + PEER_BATCH]), return_special_tokens_mask=True)
        whole = {key: list(chain(*found[key])) for key in found}
        end = len(whole["input_ids"]) // PEER_ROW * PEER_ROW
        rows = {k: [v[i : i + PEER_ROW] for i in range(0, end, PEER_ROW)] for k, v in whole.items()}
        tokens += len(whole["input_ids"]) - 2 * len(found["input_ids"])
        assert len(rows["input_ids"]) == end // PEER_ROW
    return tokens, time.process_time() - start


def speed(folder: Path, tokenizer: Any, texts: Sequence[str]) -> Speed:
    """Measure both in turn; the median turn counts."""
    few = texts[::PEER_SHARE]
    rates: tuple[list[float], list[float]] = [], []
    tokens = 0
    for _ in range(TURNS):
        tokens, seconds = ours(folder, texts)
        rates[0].append(tokens / seconds)
        some, seconds = peer(tokenizer, few)
        rates[1].append(some / seconds)
    phrases = [phrase for text in normalize_many(texts) for phrase in text.split(" ")]
    known = 1 - len(set(phrases)) / len(phrases)
    return Speed(tokens, median(rates[0]), median(rates[1]), known)


def corpus_folder(out: Path, texts: Sequence[str]) -> Path:
    """Write a finished corpus folder of one part."""
    with stage_job(out, "corpus", {}, ()) as job:
        lines = (
            json.dumps({"id": str(n), "text": text, "source": "bench"}, ensure_ascii=False) + "\n"
            for n, text in enumerate(texts)
        )
        packer = zstandard.ZstdCompressor()
        with (job.work / "part-00000.jsonl.zst").open("wb") as raw, packer.stream_writer(raw) as to:
            for line in lines:
                to.write(line.encode())
        job.finish({"kept": len(texts)}, {})
    return out


def whole_stage(folder: Path, texts: Sequence[str]) -> list[list[object]]:
    """Shard a corpus by one worker and by all cores; return rows of the table."""
    rows: list[list[object]] = []
    files = []
    with TemporaryDirectory() as scratch:
        corpus = corpus_folder(Path(scratch) / "corpus", texts)
        for workers in dict.fromkeys((1, max(2, cores()))):
            before, clock = _cpu_seconds(), time.perf_counter()
            out = Path(scratch) / f"shards-{workers}"
            config = ShardConfig(corpus=(corpus,), tokenizer=folder, out=out, workers=workers)
            manifest = shard_corpus(config)
            clock, spent = time.perf_counter() - clock, _cpu_seconds() - before
            tokens = manifest.counts["tokens"]
            rows.append([workers, tokens, tokens / spent, tokens / clock])
            files.append(manifest.files)
    assert files[0] == files[-1], "the bytes depend on the workers"
    return rows


def _cpu_seconds() -> float:
    """Return CPU seconds of this process and of those that ended."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    """Run it and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("tokenizer", type=Path)
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from transformers import AutoTokenizer, logging

    logging.set_verbosity_error()  # texts are longer than a model's sequence: they are cut later
    tokenizer = AutoTokenizer.from_pretrained(args.tokenizer)
    mark_words(["ก"])  # the word list is read once, and kernels are compiled
    sets = {
        name: documents(args.data / "text" / f"{name}.jsonl.zst", n) for name, n in SETS.items()
    }
    found = {name: speed(args.tokenizer, tokenizer, texts) for name, texts in sets.items()}
    print_table(
        "Text to ids and word starts, tokens a CPU second of a core",
        ("data set", "MB", "tokens", "run_mlm.py", "ours", "ratio", "phrases known"),
        [[name, megabytes(sets[name]), s.tokens, round(s.peer), round(s.ours), s.ours / s.peer,
          f"{s.known:.0%}"] for name, s in found.items()],
    )  # fmt: skip
    print_table(
        "The whole stage: tokens a CPU second, and a second by the clock",
        ("workers", "tokens", "a CPU second", "by the clock"),
        [[a, b, round(c), round(d)] for a, b, c, d in
         whole_stage(args.tokenizer, [text for texts in sets.values() for text in texts])],
    )  # fmt: skip


if __name__ == "__main__":
    main()
