"""Decontamination: find the items of benchmarks in documents by character n-grams; cut them out.

The rule, over letters, marks and digits alone (corpora/letters.py): a text of an item is found in
a document where at least `share` of its chosen n-grams stand (corpora/overlap.py), or where the
document stands inside the text, as a paragraph does in a corpus that was segmented. A text below
55 letters (`gram_chars` + 15) must be a whole line or document, and one below `min_chars` is never
looked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpora.benchmarks import DecontaminationConfig, find_splits, read_items
from corpora.letters import letters_of, windows
from corpora.ngrams import Codes, Hashes, gram_hashes
from corpora.overlap import Grams, Hits, Texts, hits_in, judge, minima, padded_hashes, run_chars
from thaitok.folder import written
from thaitok.rules import clean_text

__all__ = [
    "BenchmarkIndex",
    "Contamination",
    "DecontaminationConfig",
    "Finding",
    "build_index",
    "cut",
]

Numbers = NDArray[np.uint32]

MAX_OWNERS = 8
"""An n-gram of more texts than these is their wrapper and says nothing of any one of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A text of a benchmark that stands in a document."""

    benchmark: str
    split: str
    items: tuple[int, ...]
    """The items that have this text, by the number of their line in the file, from 1."""
    share: float
    """The share of its n-grams found; small where the document is only a part of the text."""
    lines: tuple[int, ...]
    """The lines of the document that carry it, from 0."""


@dataclass(frozen=True)
class BenchmarkIndex:
    """The n-grams of benchmark texts, in arrays alone."""

    rule: NDArray[np.float64]
    """`gram_chars`, `share` and `min_chars` of the config."""
    names: NDArray[np.str_]
    """Benchmark and split of each set, shape (sets, 2)."""
    items: Numbers
    """Items of each set, and how many of them have no text to look for, shape (sets, 2)."""
    sets: Numbers
    """The set of each text."""
    grams: Numbers
    """How many n-grams of each text are known."""
    members: Numbers
    """The items that have the texts, those of the first text first."""
    member_starts: Numbers
    """Where in `members` each text's begin, and the end."""
    keys: Hashes
    """The hashes of the known n-grams, ascending."""
    owners: Numbers
    """The texts that have these n-grams, those of the first key first."""
    owner_starts: Numbers
    """Where in `owners` each key's begin, and the end."""

    def save(self, path: Path) -> None:
        """Write the index as .npz, whole or not at all."""
        with written(path, "wb") as stream:
            arrays = {one.name: getattr(self, one.name) for one in fields(self)}
            np.savez(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> BenchmarkIndex:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})

    @property
    def nbytes(self) -> int:
        """Bytes in memory, with the table of the first look."""
        arrays: list[NDArray[Any]] = [getattr(self, one.name) for one in fields(self)]
        return sum(array.nbytes for array in [*arrays, self._grams.table])

    @cached_property
    def _grams(self) -> Grams:
        return Grams.of(int(self.rule[0]), self.keys)

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Return what stands in each document; documents must be cleaned as the items were.

        Call it with many at once: a call takes 0.5 ms or more, however short they are.
        """
        findings: list[list[Finding]] = [[] for _ in texts]
        if not len(self.keys) or not texts:
            return findings
        n, share, min_chars = int(self.rule[0]), float(self.rule[1]), int(self.rule[2])
        chosen = np.zeros(len(texts), dtype=np.int64)
        parts = []
        for window in windows(texts, run_chars(n) - 1):
            hits, counts = hits_in(window, self._grams, min_chars)
            np.add.at(chosen, window.document[window.documents()], counts)
            parts.append(hits)
        all_hits = Hits(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        owned = Texts(self.owners, self.owner_starts, self.grams)
        for match in judge(all_hits, owned, chosen, share):
            benchmark, split = self.names[self.sets[match.text]].tolist()
            begin, end = self.member_starts[match.text : match.text + 2]
            items = tuple(self.members[begin:end].tolist())
            finding = Finding(benchmark, split, items, match.share, match.lines)
            findings[match.document].append(finding)
        return findings


def build_index(config: DecontaminationConfig) -> BenchmarkIndex:
    """Read the benchmarks and index their texts.

    Raises `UserError` where a benchmark cannot be read or has no text.
    """
    names: list[tuple[str, str]] = []
    items: list[tuple[int, int]] = []
    sets: list[int] = []
    texts: dict[bytes, int] = {}
    members: list[list[int]] = []
    hashes: list[Hashes] = []
    for number, split in enumerate(find_splits(config)):
        read = short = 0
        for line, found in read_items(split):
            long = [codes for codes in map(_letters, found) if len(codes) >= config.min_chars]
            read, short = read + 1, short + (not long)
            for codes in long:
                name = blake2b(codes.tobytes(), digest_size=16, key=b"%d" % number).digest()
                if name not in texts:
                    texts[name] = len(members)
                    sets.append(number)
                    members.append([])
                    hashes.append(_chosen(codes, config.gram_chars))
                if line not in members[texts[name]]:
                    members[texts[name]].append(line)
        names.append((split.benchmark, split.split))
        items.append((read, short))
    keys, owners, owner_starts, grams = _keys(hashes)
    return BenchmarkIndex(
        rule=np.array([config.gram_chars, config.share, config.min_chars], dtype=np.float64),
        names=np.array(names, dtype=np.str_).reshape(-1, 2),
        items=np.array(items, dtype=np.uint32).reshape(-1, 2),
        sets=np.array(sets, dtype=np.uint32),
        grams=grams,
        members=np.array([item for one in members for item in one], dtype=np.uint32),
        member_starts=_starts([len(one) for one in members]),
        keys=keys,
        owners=owners,
        owner_starts=owner_starts,
    )


def _letters(text: str) -> Codes:
    return letters_of(clean_text(text))


def _chosen(letters: Codes, n: int) -> Hashes:
    """Return the n-grams by which a text is known; of a short one, the whole."""
    if len(letters) < run_chars(n):
        return padded_hashes(letters, np.array([0]), np.array([len(letters)]), run_chars(n))
    return np.unique(minima(gram_hashes(letters, n)))


def _keys(hashes: list[Hashes]) -> tuple[Hashes, Numbers, Numbers, Numbers]:
    """Return the keys in order, the texts that own them, and how many keys each text has."""
    owners = np.repeat(np.arange(len(hashes)), [len(one) for one in hashes]).astype(np.uint32)
    keys = np.concatenate([np.empty(0, dtype=np.uint64), *hashes])
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    once = np.ones(len(keys), dtype=bool)
    once[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    keys, owners = keys[once], owners[once]
    unique, counts = np.unique(keys, return_counts=True)
    telling = counts <= MAX_OWNERS
    owners = owners[np.repeat(telling, counts)]
    grams = np.bincount(owners, minlength=len(hashes)).astype(np.uint32)
    return unique[telling], owners, _starts(counts[telling]), grams


def _starts(counts: Any) -> Numbers:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)


def cut(text: str, findings: Collection[Finding]) -> str:
    """Return the text less the lines that carry what was found."""
    gone = {line for finding in findings for line in finding.lines}
    kept = [line for number, line in enumerate(text.split("\n")) if number not in gone]
    return re.sub("\n{3,}", "\n\n", "\n".join(kept)).strip("\n")


@dataclass(slots=True)
class SplitCount:
    """What was found of a benchmark's split."""

    items: int = 0
    too_short: int = 0
    """Items without a text long enough to be looked for."""
    found: set[int] = field(default_factory=set)
    """Items found, by the number of their line."""
    documents: int = 0
    """Documents in which one or more were found."""


@dataclass(slots=True)
class Contamination:
    """What was found of all benchmarks in the documents of a task, or of a whole corpus."""

    splits: dict[tuple[str, str], SplitCount] = field(default_factory=dict)

    @classmethod
    def none_of(cls, index: BenchmarkIndex) -> Contamination:
        """Begin to count: nothing found yet of any split of the index."""
        rows = zip(index.names.tolist(), index.items.tolist(), strict=True)
        return cls({(benchmark, split): SplitCount(*items) for (benchmark, split), items in rows})

    def add(self, findings: Collection[Finding]) -> None:
        """Count what was found in one document."""
        for name in {(finding.benchmark, finding.split) for finding in findings}:
            self.splits[name].documents += 1
        for finding in findings:
            self.splits[finding.benchmark, finding.split].found.update(finding.items)

    def join(self, task: Contamination) -> None:
        """Add what a task counted with the same index."""
        for name, count in task.splits.items():
            own = self.splits.setdefault(name, SplitCount(count.items, count.too_short))
            own.found |= count.found
            own.documents += count.documents

    def plain(self) -> list[dict[str, Any]]:
        """Return the counts as JSON holds them, a row a split."""
        return [
            {"benchmark": benchmark, "split": split}
            | asdict(count)
            | {"found": sorted(count.found)}
            for (benchmark, split), count in sorted(self.splits.items())
        ]

    @classmethod
    def parse(cls, plain: Sequence[dict[str, Any]]) -> Contamination:
        """Undo `plain`."""
        return cls(
            {
                (row["benchmark"], row["split"]): SplitCount(
                    row["items"], row["too_short"], set(row["found"]), row["documents"]
                )
                for row in plain
            }
        )
