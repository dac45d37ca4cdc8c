"""Measure near-duplicate detection beside rensa and datasketch: scripts/bench_dedup.py DATA_DIR.

DATA_DIR holds thaigov_v2.jsonl.zst and social_open.jsonl.zst. Real documents get one edited copy
each, of known exact similarity: some repeat theirs (Jaccard of 5-grams from 0.8), some do not
(0.5 to 0.75). Every method sees the same texts, drops greedily and keeps the first. The peers are
given 256 hashes too; `pip install rensa datasketch` (those not installed are left out).
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from corpora.near import find_near_duplicates, jaccard, signatures
from thaitok.corpus import read_packed
from thaitok.show import print_table

NGRAM, THRESHOLD, HASHES = 5, 0.8, 256
Method = Callable[[Sequence[str]], tuple[list[int], float]]
"""From texts to what each repeats (-1: nothing) and the seconds that the signatures took."""


def ours(texts: Sequence[str]) -> tuple[list[int], float]:
    """Run our own detection."""
    start = time.process_time()
    rows = signatures(texts, NGRAM)
    seconds = time.process_time() - start
    alive = np.ones(len(texts), dtype=bool)
    twins = find_near_duplicates(rows, alive, texts.__getitem__, jaccard=THRESHOLD, ngram=NGRAM)
    return twins.tolist(), seconds


def rensa(texts: Sequence[str]) -> tuple[list[int], float]:
    """Run rensa's R-MinHash and its LSH, 32 bands of 8."""
    from rensa import RMinHash, RMinHashLSH

    def sign(text: str) -> RMinHash:
        made = RMinHash(num_perm=HASHES, seed=42)
        made.update(shingles(text))
        return made

    start = time.process_time()
    made = [sign(text) for text in texts]
    seconds = time.process_time() - start
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=HASHES, num_bands=HASHES // 8)
    return greedy(made, index.query, index.insert), seconds


def datasketch(texts: Sequence[str]) -> tuple[list[int], float]:
    """Run datasketch's MinHash and its LSH with the bands that it chooses."""
    from datasketch import MinHash, MinHashLSH

    def sign(text: str) -> MinHash:
        made = MinHash(num_perm=HASHES)
        made.update_batch([shingle.encode() for shingle in shingles(text)])
        return made

    start = time.process_time()
    made = [sign(text) for text in texts]
    seconds = time.process_time() - start
    index = MinHashLSH(threshold=THRESHOLD, num_perm=HASHES)
    return greedy(made, index.query, index.insert), seconds


def greedy(
    made: Sequence, query: Callable[..., list[int]], insert: Callable[..., None]
) -> list[int]:
    """Drop what a peer's own estimate finds to repeat a kept one."""
    twins = []
    for number, own in enumerate(made):
        near = [one for one in query(own) if own.jaccard(made[one]) >= THRESHOLD]
        twins.append(min(near, default=-1))
        if not near:
            insert(number, own)
    return twins


def shingles(text: str) -> list[str]:
    """Return the n-grams of a text without white space, as the peers take them."""
    bare = "".join(text.split())
    return list({bare[at : at + NGRAM] for at in range(len(bare) - NGRAM + 1)})


def edited(text: str, tape: str, rng: random.Random, low: float, high: float) -> str:
    """Insert, delete and replace spans until the exact similarity lies in [low, high)."""
    while True:
        aim, size, made, now = rng.uniform(low, high), rng.choice((3, len(text) / 50)), text, 1.0
        while now > aim:
            at, span = rng.randrange(len(made) + 1), 1 + int(rng.expovariate(1 / size))
            start = rng.randrange(len(tape) - span)
            new = rng.choice(("", tape[start : start + span]))
            made = made[:at] + new + made[at + rng.choice((0, span)) :]
            now = jaccard(text, made, NGRAM)
        if low <= now < high:
            return made


def planted(path: Path, low: int, high: int, count: int) -> tuple[list[str], list[bool]]:
    """Return originals then copies, and for each copy whether it repeats its original."""
    every = [row["text"] for row in islice(read_packed(path), 20 * count)]
    fitting = [text for text in every if low <= len("".join(text.split())) <= high]
    twins = ours(fitting)[0]
    texts = [text for text, twin in zip(fitting, twins, strict=True) if twin < 0][:count]
    rng, tape = random.Random(1), "".join(every[-300:])
    bands = ((0.8, 0.85), (0.85, 1.0), (0.5, 0.75))
    copies = [edited(text, tape, rng, *rng.choice(bands)) for text in texts]
    pairs = zip(texts, copies, strict=True)
    return texts + copies, [jaccard(*pair, NGRAM) >= THRESHOLD for pair in pairs]


def row_of(name: str, method: Method, texts: list[str], due: list[bool]) -> list[object]:
    """Run one method; return its row of the table."""
    start = time.process_time()
    twins, signing = method(texts)
    seconds = time.process_time() - start
    size = sum(len(text.encode()) for text in texts) / 1e6
    found = sum(twin >= 0 for twin, is_due in zip(twins[-len(due) :], due, strict=True) if is_due)
    dropped = [(one, twin) for one, twin in enumerate(twins) if twin >= 0]
    right = sum(jaccard(texts[one], texts[twin], NGRAM) >= THRESHOLD for one, twin in dropped)
    rates = size / signing, size / seconds
    return [name, *rates, found / sum(due), right / max(len(dropped), 1), len(dropped)]


def main(folder: Path) -> None:
    """Print a table for long documents and one for short posts."""
    # Posts first: a second of work brings the processor up to its speed.
    sets = {"social_open": (40, 120, 2000), "thaigov_v2": (400, 5000, 400)}
    peers: dict[str, Method] = {"rensa": rensa, "datasketch": datasketch}
    methods = {name: run for name, run in peers.items() if importlib.util.find_spec(name)}
    columns = ["method", "signatures MB/s", "all MB/s", "recall", "precision", "dropped"]
    for name, (low, high, count) in sets.items():
        texts, due = planted(folder / f"{name}.jsonl.zst", low, high, count)
        rows = [row_of(*item, texts, due) for item in {"ours": ours, **methods}.items()]
        print_table(f"{name}: {len(texts):,} texts, {sum(due):,} near-duplicates", columns, rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/bench_dedup.py DATA_DIR")
    main(Path(sys.argv[1]))
