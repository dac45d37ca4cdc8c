"""Counting what a tokenizer is trained on: distinct words, and distinct rows of words.

Map: each part of a corpus is read once, its phrases (what stands between spaces) are counted and
dealt out to partitions by hash. Reduce: each partition sums its phrases and cuts each distinct
one into words once. Memory is that of one partition, so that the corpus costs time alone.
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from thaitok.corpus import corpus_parts, read_packed
from thaitok.crew import MEGABYTE, Job, Told, in_megabytes, run_job
from thaitok.errors import UserError
from thaitok.progress import progress
from thaitok.rules import normalize_many
from thaitok.trainer.arrays import Flags, Floats, Ints, Longs
from thaitok.trainer.scripts import runs_of
from thaitok.words import segment

PARTITION_BYTES = 4_000_000
"""Bytes of packed corpus for each partition."""
MOST_PARTITIONS = 64
"""Each is a file for every part of the corpus."""
SLICE_BYTES = 24_000_000
"""Bytes of phrases that are summed at once; larger partitions are read slice by slice."""
BATCH_CHARACTERS = 300_000
FLUSH_PHRASES = 200_000
"""Distinct phrases that a task holds before it deals them out."""
MOST_TOKENS = 16_000_000
"""Words of distinct phrases that are trained on; rare phrases are sampled to stay below it."""
MOST_WORDS = 1_000_000
"""Distinct words that are kept; the rarest go."""


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
    parts = tuple(corpus_parts(corpora))
    sizes = [part.stat().st_size for part in parts]
    partitions = min(max(1, sum(sizes) // PARTITION_BYTES), MOST_PARTITIONS)
    counting = Counting(parts, folder, partitions, weights, lower, split_digits, seed)
    with progress("train: counting", -(-sum(sizes) // MEGABYTE), "MB packed") as advance:
        run_job(Job(_deal, counting, sizes), workers, in_megabytes(advance))
    _require_sources(folder, len(parts), weights)
    even = [sum(sizes) // partitions] * partitions
    run_job(Job(_reduce, counting, even), workers, lambda *_: None)
    return _gathered(folder)


def _require_sources(folder: Path, parts: int, weights: Mapping[str, float]) -> None:
    found = (sources_of(folder, part).read_text("utf-8") for part in range(parts))
    known = {source for names in found for source in names.split("\n")}
    for source in weights:
        if source not in known:
            raise UserError(
                f"source_weights: no document has the source {source!r}",
                do=f"the sources are {', '.join(sorted(known))}",
            )


def _deal(counting: Counting, part: int, told: Told) -> None:
    """Count the phrases of one part of a corpus, and deal them out to the partitions."""
    counters: dict[float, Counter[str]] = {}
    sources: set[str] = set()
    with ExitStack() as stack:
        streams = [
            stack.enter_context(_tsv(counting.folder / f"{part:05d}-{number:05d}.tsv"))
            for number in range(counting.partitions)
        ]
        for weight, texts in _batches(counting, part, sources):
            phrases = counters.setdefault(weight, Counter())
            for text in normalize_many(texts, lower=counting.lower):
                phrases.update(text.split(" "))
            if sum(map(len, counters.values())) >= FLUSH_PHRASES:
                _flush(counters, streams)
        _flush(counters, streams)
    sources_of(counting.folder, part).write_text("\n".join(sources), encoding="utf-8")


def sources_of(folder: Path, part: int) -> Path:
    """Return the file that names the sources of a part."""
    return folder / f"{part:05d}-sources.txt"


def _batches(counting: Counting, part: int, sources: set[str]) -> Iterator[tuple[float, list[str]]]:
    """Yield texts of one weight, many short ones or a stretch of a long one at once."""
    batch: list[str] = []
    held, size = 1.0, 0
    for document in read_packed(counting.parts[part]):
        sources.add(document["source"])
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
    """Cut a long text, at a line end or a space if there is one, so that memory is bounded."""
    start = 0
    while len(text) - start > BATCH_CHARACTERS:
        reach = start + 2 * BATCH_CHARACTERS
        ends = (text.find(end, start + BATCH_CHARACTERS, reach) for end in "\n ")
        end = next((end for end in ends if end >= 0), min(reach, len(text)))
        yield text[start:end]
        start = end
    yield text[start:]


def _flush(counters: dict[float, Counter[str]], streams: Sequence[TextIO]) -> None:
    many = len(streams)
    for weight, phrases in counters.items():
        del phrases[""]
        for phrase, count in phrases.items():
            streams[_hash(phrase) % many].write(f"{count * weight!r}\t{phrase}\n")
        phrases.clear()


def _reduce(counting: Counting, partition: int, told: Told) -> None:
    """Sum the phrases of a partition and cut each distinct one into words."""
    files = [
        counting.folder / f"{part:05d}-{partition:05d}.tsv" for part in range(len(counting.parts))
    ]
    for number, some in enumerate(_sliced(counting, partition, files)):
        phrases: dict[str, float] = {}
        for file in some:
            for count, phrase, _ in _rows(file):
                phrases[phrase] = phrases.get(phrase, 0.0) + float(count)
            file.unlink()
        _cut(counting, phrases, counting.folder / f"{partition:05d}-{number:05d}")


def _rows(file: Path) -> Iterator[tuple[str, str, str]]:
    """Yield count, phrase and line."""
    with file.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield (*line[:-1].split("\t", 1), line)  # type: ignore[misc]


def _sliced(counting: Counting, partition: int, files: list[Path]) -> list[list[Path]]:
    """Return the files of a partition, or of each slice of one that is too large for memory."""
    many = -(-sum(file.stat().st_size for file in files) // SLICE_BYTES)
    if many < 2:
        return [files]
    slices = [counting.folder / f"{partition:05d}-slice-{number:05d}.tsv" for number in range(many)]
    with ExitStack() as stack:
        streams = [stack.enter_context(_tsv(path)) for path in slices]
        for file in files:
            for _, phrase, line in _rows(file):
                streams[_hash(phrase) // counting.partitions % many].write(line)
            file.unlink()
    return [[path] for path in slices]


def _tsv(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")


def _hash(phrase: str) -> int:
    return zlib.adler32(phrase.encode())


def _cut(counting: Counting, phrases: dict[str, float], stem: Path) -> None:
    """Cut phrases into words, and write both in numbers."""
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
    np.save(f"{stem}-tokens.npy", np.frombuffer(tokens, np.int32))
    np.save(f"{stem}-sizes.npy", np.frombuffer(sizes, np.int32))
    np.save(f"{stem}-counts.npy", np.fromiter(phrases.values(), np.float64, len(phrases)))
    chance = (zlib.crc32(phrase.encode(), counting.seed) for phrase in phrases)
    np.save(f"{stem}-chance.npy", np.fromiter(chance, np.uint32, len(phrases)))
    Path(f"{stem}-words.txt").write_text("\n".join(known), encoding="utf-8", newline="\n")


def _gathered(folder: Path) -> Counted:
    """Give words one numbering over all slices, and sample phrases where there are many."""
    stems = sorted(str(path).removesuffix("-words.txt") for path in folder.glob("*-words.txt"))
    known: dict[str, float] = {}
    for stem in stems:
        for word, count in zip(*_words_of(stem), strict=True):
            known[word] = known.get(word, 0.0) + count
        if len(known) > 2 * MOST_WORDS:
            known = _most(known)
    known = _most(known)
    number = {word: one for one, word in enumerate(known)}
    least = _least_count(stems)
    tokens, starts, often = [], [np.zeros(1, np.int64)], []
    total = 0
    for stem in stems:
        words = _names(stem)
        renumber = np.fromiter((number.get(word, -1) for word in words), np.int32, len(words))
        found, sizes, weight = _sampled(stem, least)
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


def _names(stem: str) -> list[str]:
    words = Path(f"{stem}-words.txt").read_text(encoding="utf-8")
    return words.split("\n") if words else []


def _words_of(stem: str) -> tuple[list[str], list[float]]:
    names = _names(stem)
    tokens, sizes, counts = (_column(stem, name) for name in ("tokens", "sizes", "counts"))
    return names, np.bincount(tokens, np.repeat(counts, sizes), len(names)).tolist()


def _column(stem: str, name: str) -> Any:
    return np.load(f"{stem}-{name}.npy")


def _most(known: dict[str, float]) -> dict[str, float]:
    """Keep the most frequent words."""
    if len(known) <= MOST_WORDS:
        return known
    kept = sorted(known, key=lambda word: (-known[word], word))[:MOST_WORDS]
    return {word: known[word] for word in kept}


def _least_count(stems: Sequence[str]) -> float:
    """Return the count from which all phrases are kept; rarer ones are kept by chance.

    Each with the probability count / least, and then counted `least` times: the expected counts
    are the true ones (Poisson sampling, Horvitz-Thompson weights).
    """
    tokens: Counter[float] = Counter()
    for stem in stems:
        counts, which = np.unique(_column(stem, "counts"), return_inverse=True)
        summed = np.bincount(which, _column(stem, "sizes"), len(counts))
        for count, many in zip(counts.tolist(), summed.tolist(), strict=True):
            tokens[count] += many
    if tokens.total() <= MOST_TOKENS:
        return 0.0
    low, high = 0.0, max(tokens) * tokens.total() / MOST_TOKENS
    for _ in range(50):
        middle = (low + high) / 2
        expected = sum(many * min(1.0, count / middle) for count, many in tokens.items())
        low, high = (middle, high) if expected > MOST_TOKENS else (low, middle)
    return high


def _sampled(stem: str, least: float) -> tuple[Ints, Ints, Floats]:
    tokens, sizes, counts, chance = (
        _column(stem, name) for name in ("tokens", "sizes", "counts", "chance")
    )
    kept = chance < counts / least * 2.0**32 if least else np.ones(len(sizes), bool)
    return tokens[np.repeat(kept, sizes)], sizes[kept], np.maximum(counts[kept], least)
