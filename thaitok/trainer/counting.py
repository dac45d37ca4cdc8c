"""Counting what a tokenizer is trained on: distinct words, and distinct rows of words.

Map: each part of a corpus is read once, its phrases (what stands between spaces) are counted and
dealt out to partitions by hash. Reduce: each partition sums its phrases and cuts each distinct
one into words once. Memory is that of one partition, so that the corpus costs time alone.
"""

from __future__ import annotations

import os
import re
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from thaitok.corpus import read_packed
from thaitok.crew import Job, Told, run_locally
from thaitok.folder import read_manifest
from thaitok.progress import progress
from thaitok.rules import normalize_many
from thaitok.trainer.arrays import Flags, Floats, Ints, Longs
from thaitok.words import segment

PARTITION_BYTES = 16_000_000
"""Bytes of packed corpus for each partition."""
BATCH_CHARACTERS = 300_000
FLUSH_PHRASES = 200_000
"""Distinct phrases that a task holds before it deals them out."""
MOST_TOKENS = 16_000_000
"""Words of distinct phrases that are trained on; rare phrases are sampled to stay below it."""
MOST_WORDS = 1_000_000
"""Distinct words that are kept; the rarest go."""
MEGABYTE = 1_000_000

CLASSES = {
    "thai": "\u0e01-\u0e3a\u0e40-\u0e4f",
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "digits": "0-9\u0e50-\u0e59",
    "emoji": "\u200d\u2600-\u27bf\ufe0f\U0001f000-\U0001faff",
}
SCRIPTS = (*CLASSES, "other", "other")
RUNS = re.compile(
    "|".join(f"([{one}]+)" for one in CLASSES.values()) + f"|(<)|([^<{''.join(CLASSES.values())}]+)"
)
"""Runs of one script: no piece mixes two. `<` stands alone, since control tokens begin with it."""
DIGIT = re.compile("[0-9\u0e50-\u0e59]|[^0-9\u0e50-\u0e59]+")


def script_of(text: str) -> str:
    """Return the script of a piece: that of its first character.

    >>> script_of("ไทย"), script_of("iPhone"), script_of("๒๕"), script_of("...")
    ('thai', 'latin', 'digits', 'other')
    """
    match = RUNS.match(text)
    return SCRIPTS[(match.lastindex or len(SCRIPTS)) - 1] if match else "other"


def runs_of(word: str, *, split_digits: bool = False) -> list[str]:
    """Cut a word into runs of one script.

    >>> runs_of("iPhone15รุ่น")
    ['iPhone', '15', 'รุ่น']
    """
    runs = [match[0] for match in RUNS.finditer(word)]
    return [part for run in runs for part in DIGIT.findall(run)] if split_digits else runs


@dataclass(frozen=True, slots=True)
class Counting:
    """What every worker must know."""

    parts: tuple[Path, ...]
    folder: Path
    partitions: int
    weights: Mapping[str, float]
    lower: bool
    split_digits: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct words and rows of them, with their weighted counts."""

    words: list[str]
    counts: Floats
    tokens: Ints
    """Words of distinct phrases, one phrase after the other."""
    starts: Longs
    phrase_counts: Floats

    def only(self, kept: Flags) -> Counted:
        """Keep these words; the others stand as -1 in `tokens`."""
        renumber = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        words = [word for word, one in zip(self.words, kept, strict=True) if one]
        tokens = np.where(self.tokens >= 0, renumber[self.tokens], np.int32(-1))
        return Counted(words, self.counts[kept], tokens, self.starts, self.phrase_counts)


def count_corpus(
    corpora: Sequence[Path],
    folder: Path,
    *,
    weights: Mapping[str, float],
    lower: bool,
    split_digits: bool,
    seed: int,
    workers: int | None,
) -> Counted:
    """Count the words and phrases of finished corpora, with scratch files in `folder`.

    `weights` of sources multiply their counts. The result does not depend on `workers`.
    """
    parts = tuple(
        corpus / file.name
        for corpus in corpora
        for file in read_manifest(corpus, "corpus").files
        if file.name.startswith("part-")
    )
    sizes = [part.stat().st_size for part in parts]
    partitions = max(1, sum(sizes) // PARTITION_BYTES)
    counting = Counting(parts, folder, partitions, weights, lower, split_digits, seed)
    crew = workers or os.cpu_count() or 1
    with progress("train: counting", sum(sizes) // MEGABYTE, "MB packed") as advance:
        rest = 0

        def told(size: int, _: int) -> None:
            nonlocal rest
            steps, rest = divmod(rest + size, MEGABYTE)
            advance(steps)

        _run(Job(_deal, counting, sizes), crew, told)
    even = [sum(sizes) // partitions] * partitions
    _run(Job(_reduce, counting, even), crew, lambda *_: None)
    return _gathered(counting)


def _run(job: Job, workers: int, told: Told) -> None:
    """Run all tasks of a job; a single one, or with a single worker, in this process."""
    workers = min(workers, len(job.sizes))
    if workers > 1:
        run_locally(job, range(len(job.sizes)), workers, told)
        return
    for task, size in enumerate(job.sizes):
        job.run(job.of, task, lambda *_: None)
        told(size, 0)


def _deal(counting: Counting, part: int, told: Told) -> None:
    """Count the phrases of one part of a corpus, and deal them out to the partitions."""
    counters: dict[float, Counter[str]] = {}
    streams = [
        (counting.folder / f"{part:05d}-{number:05d}.tsv").open("w", encoding="utf-8", newline="\n")
        for number in range(counting.partitions)
    ]
    try:
        for weight, texts in _batches(counting, part):
            phrases = counters.setdefault(weight, Counter())
            for text in normalize_many(texts, lower=counting.lower):
                phrases.update(text.split(" "))
            if sum(map(len, counters.values())) >= FLUSH_PHRASES:
                _flush(counters, streams)
        _flush(counters, streams)
    finally:
        for stream in streams:
            stream.close()


def _batches(counting: Counting, part: int) -> Iterator[tuple[float, list[str]]]:
    """Yield texts of one weight, many short ones or a stretch of a long one at once."""
    batch: list[str] = []
    held, size = 1.0, 0
    for document in read_packed(counting.parts[part]):
        weight = counting.weights.get(document["source"], 1.0)
        for text in _stretches(document["text"]):
            if batch and (weight != held or size >= BATCH_CHARACTERS):
                yield held, batch
                batch, size = [], 0
            batch.append(text)
            held, size = weight, size + len(text)
    if batch:
        yield held, batch


def _stretches(text: str) -> Iterator[str]:
    """Cut a text at line ends where it is long, so that memory stays bounded."""
    start = 0
    while len(text) - start > BATCH_CHARACTERS:
        end = text.find("\n", start + BATCH_CHARACTERS)
        if end < 0:
            break
        yield text[start:end]
        start = end
    yield text[start:]


def _flush(counters: dict[float, Counter[str]], streams: Sequence[TextIO]) -> None:
    many = len(streams)
    for weight, phrases in counters.items():
        del phrases[""]
        for phrase, count in phrases.items():
            number = zlib.adler32(phrase.encode()) % many
            streams[number].write(f"{count * weight!r}\t{phrase}\n")
        phrases.clear()


def _reduce(counting: Counting, partition: int, told: Told) -> None:
    """Sum the phrases of a partition and cut each distinct one into words."""
    phrases: dict[str, float] = {}
    for part in range(len(counting.parts)):
        path = counting.folder / f"{part:05d}-{partition:05d}.tsv"
        with path.open(encoding="utf-8", newline="\n") as stream:
            for line in stream:
                count, phrase = line[:-1].split("\t", 1)
                phrases[phrase] = phrases.get(phrase, 0.0) + float(count)
        path.unlink()
    known: dict[str, int] = {}
    runs: dict[str, tuple[int, ...]] = {}
    tokens, sizes = array("i"), array("i")
    for phrase in phrases:
        before = len(tokens)
        for word in segment(phrase):
            found = runs.get(word)
            if found is None:
                cut = runs_of(word, split_digits=counting.split_digits)
                found = runs[word] = tuple(known.setdefault(run, len(known)) for run in cut)
            tokens.extend(found)
        sizes.append(len(tokens) - before)
    stem = counting.folder / f"{partition:05d}"
    np.save(f"{stem}-tokens.npy", np.frombuffer(tokens, np.int32))
    np.save(f"{stem}-sizes.npy", np.frombuffer(sizes, np.int32))
    np.save(f"{stem}-counts.npy", np.fromiter(phrases.values(), np.float64, len(phrases)))
    chance = (zlib.crc32(phrase.encode(), counting.seed) for phrase in phrases)
    np.save(f"{stem}-chance.npy", np.fromiter(chance, np.uint32, len(phrases)))
    (counting.folder / f"{partition:05d}-words.txt").write_text(
        "\n".join(known), encoding="utf-8", newline="\n"
    )


def _gathered(counting: Counting) -> Counted:
    """Give words one numbering over all partitions, and sample phrases where there are many."""
    known: dict[str, float] = {}
    for partition in range(counting.partitions):
        for word, count in zip(*_words_of(counting, partition), strict=True):
            known[word] = known.get(word, 0.0) + count
        if len(known) > 2 * MOST_WORDS:
            known = _most(known)
    known = _most(known)
    number = {word: one for one, word in enumerate(known)}
    least = _least_count(counting)
    tokens, starts, often = [], [np.zeros(1, np.int64)], []
    total = 0
    for partition in range(counting.partitions):
        words = _words_of(counting, partition)[0]
        renumber = np.fromiter((number.get(word, -1) for word in words), np.int32, len(words))
        found, sizes, weight = _sampled(counting, partition, least)
        tokens.append(renumber[found])
        starts.append(total + np.cumsum(sizes, dtype=np.int64))
        total += len(found)
        often.append(weight)
    return Counted(
        list(known),
        np.fromiter(known.values(), np.float64, len(known)),
        np.concatenate(tokens),
        np.concatenate(starts),
        np.concatenate(often),
    )


def _words_of(counting: Counting, partition: int) -> tuple[list[str], list[float]]:
    words = (counting.folder / f"{partition:05d}-words.txt").read_text(encoding="utf-8")
    tokens, sizes, counts, _ = _arrays(counting, partition)
    names = words.split("\n") if words else []
    summed = np.bincount(tokens, np.repeat(counts, sizes), len(names))
    return names, summed.tolist()


def _arrays(counting: Counting, partition: int) -> tuple[Ints, Ints, Floats, Ints]:
    tokens, sizes, counts, chance = (
        np.load(counting.folder / f"{partition:05d}-{name}.npy")
        for name in ("tokens", "sizes", "counts", "chance")
    )
    return tokens, sizes, counts, chance


def _most(known: dict[str, float]) -> dict[str, float]:
    """Keep the most frequent words."""
    if len(known) <= MOST_WORDS:
        return known
    kept = sorted(known, key=lambda word: (-known[word], word))[:MOST_WORDS]
    return {word: known[word] for word in kept}


def _least_count(counting: Counting) -> float:
    """Return the count from which all phrases are kept; rarer ones are kept by chance.

    Each with the probability count / least, and then counted `least` times: the expected counts
    are the true ones (Poisson sampling, Horvitz-Thompson weights).
    """
    sizes, counts = (
        np.concatenate([_arrays(counting, p)[column] for p in range(counting.partitions)])
        for column in (1, 2)
    )
    if sizes.sum() <= MOST_TOKENS:
        return 0.0
    low, high = 0.0, float(counts.max())
    for _ in range(50):
        middle = (low + high) / 2
        expected = float((sizes * np.minimum(1.0, counts / max(middle, 1e-9))).sum())
        low, high = (middle, high) if expected > MOST_TOKENS else (low, middle)
    return high


def _sampled(counting: Counting, partition: int, least: float) -> tuple[Ints, Ints, Floats]:
    tokens, sizes, counts, chance = _arrays(counting, partition)
    kept = chance < counts / least * 2.0**32 if least else np.ones(len(sizes), bool)
    return tokens[np.repeat(kept, sizes)], sizes[kept], np.maximum(counts[kept], least)
