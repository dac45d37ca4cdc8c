"""Counting the words of one script in a corpus: in how many documents of each source they stand.

By documents and not by places: a word that one page repeats a hundred times says little about the
next page. Of a mix of manuals and social media, 5,000 pieces chosen so leave 1.23 tokens a word of
held-out manuals, and 1.26 chosen by places; social text takes 1.48 either way.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from thaitok.corpus import corpus_parts, read_packed
from thaitok.crew import MEGABYTE, Job, Told, in_megabytes, run_job
from thaitok.errors import UserError
from thaitok.extend.vocabulary import words_in
from thaitok.progress import progress
from thaitok.rules import normalize_many
from thaitok.tokenizer import has_our_rules, is_uncased, load_tokenizer

MOST_WORDS = 2_000_000
"""Distinct words held of a source; beyond, those of one document are forgotten, then of two."""
HELD_OUT = 10
"""One document of so many is held out where a plan is wanted, by its text's hash."""
BATCH_CHARACTERS = 300_000


@dataclass(frozen=True, slots=True)
class Counting:
    """What every worker must know."""

    tokenizer: Path
    parts: tuple[Path, ...]
    script: str
    scratch: Path
    hold_out: bool


@dataclass(frozen=True, slots=True)
class Words:
    """How many documents of each source hold a word, and how often held-out ones have it."""

    learned: Mapping[str, Counter[str]]
    held_out: Mapping[str, Counter[str]]

    def weighted(self, balance: float, weights: Mapping[str, float]) -> dict[str, float]:
        """Return one count a word: sources count as (their words) ** balance, times a weight.

        Raises `UserError` for a weight of a source that is not there.
        """
        for source in weights:
            if source not in self.learned:
                known = ", ".join(sorted(self.learned))
                what = f"source_weights: no document has the source {source!r}"
                raise UserError(what, do=f"the sources are {known}")
        totals = {source: counts.total() for source, counts in self.learned.items()}
        largest = max(totals.values(), default=1)
        summed: dict[str, float] = {}
        for source, counts in self.learned.items():
            if not counts:
                continue
            weight = weights.get(source, 1.0) * (totals[source] / largest) ** (balance - 1)
            for word, count in counts.items():
                summed[word] = summed.get(word, 0.0) + weight * count
        return summed


def count_words(
    tokenizer: Path,
    corpora: Sequence[Path],
    script: str,
    scratch: Path,
    *,
    hold_out: bool = False,
    workers: int | None = None,
) -> Words:
    """Count a script's words as a tokenizer normalises them, with scratch files in a folder.

    With `hold_out`, a tenth of the documents is counted apart, by places. The result does not
    depend on `workers`.
    """
    words_in(script)  # an unknown script is told before a long count
    parts = tuple(corpus_parts(corpora))
    sizes = [part.stat().st_size for part in parts]
    job = Job(_count, Counting(tokenizer, parts, script, scratch, hold_out), sizes)
    with progress("extend: counting", -(-sum(sizes) // MEGABYTE), "MB packed") as advance:
        run_job(job, workers, in_megabytes(advance))
    return _gathered(scratch, len(parts))


def _count(counting: Counting, part: int, told: Told) -> None:
    """Count one part of a corpus and leave the counts as JSON."""
    find = words_in(counting.script).findall
    prepare = normalizer_of(counting.tokenizer)
    learned: dict[str, Counter[str]] = {}
    held_out: dict[str, Counter[str]] = {}
    for sources, texts in _batches(counting.parts[part]):
        for source, raw, text in zip(sources, texts, prepare(texts), strict=True):
            found = find(text)
            if counting.hold_out and zlib.crc32(raw.encode()) % HELD_OUT == 0:
                counts = held_out.setdefault(source, Counter())
                counts.update(found)
            else:
                counts = learned.setdefault(source, Counter())
                counts.update(set(found))
            _bounded(counts)
    result = {"learned": learned, "held_out": held_out}
    _counts_of(counting.scratch, part).write_text(json.dumps(result), encoding="utf-8")


def _bounded(counts: Counter[str]) -> None:
    least = 1
    while len(counts) > MOST_WORDS:
        for word in [word for word, count in counts.items() if count <= least]:
            del counts[word]
        least += 1


def _batches(part: Path) -> Iterator[tuple[list[str], list[str]]]:
    sources: list[str] = []
    texts: list[str] = []
    size = 0
    for document in read_packed(part):
        sources.append(document["source"])
        texts.append(document["text"])
        size += len(document["text"])
        if size >= BATCH_CHARACTERS:
            yield sources, texts
            sources, texts, size = [], [], 0
    yield sources, texts


def _counts_of(scratch: Path, part: int) -> Path:
    return scratch / f"words-{part:05d}.json"


def _gathered(scratch: Path, parts: int) -> Words:
    summed: dict[str, dict[str, Counter[str]]] = {"learned": {}, "held_out": {}}
    for part in range(parts):
        file = _counts_of(scratch, part)
        found = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        for use, sources in summed.items():
            for source, counts in found[use].items():
                known = sources.setdefault(source, Counter())
                known.update(counts)
                _bounded(known)
    return Words(**summed)


Prepare = Callable[[Sequence[str]], Sequence[str]]


def normalizer_of(folder: Path) -> Prepare:
    """Return what a tokenizer makes of texts before it looks for pieces.

    For a tokenizer of ours, by the fast rules; for another, by its own pipeline, whose signs of
    spaces stay in the text.
    """
    if has_our_rules(folder):
        lower = is_uncased(folder)
        return lambda texts: normalize_many(texts, lower)
    tokenizer = load_tokenizer(folder)
    return lambda texts: [_prepared(tokenizer, text) for text in texts]


def _prepared(tokenizer: Tokenizer, text: str) -> str:
    normalizer, parter = tokenizer.normalizer, tokenizer.pre_tokenizer
    text = normalizer.normalize_str(text) if normalizer else text
    # A line end parts what the tokenizer parts: it is in no piece.
    return "\n".join(part for part, _ in parter.pre_tokenize_str(text)) if parter else text
