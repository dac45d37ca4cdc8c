"""What happened to every document and character: exact counts by source, and samples to read."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corpora.samples import Sample, Samples, around_change, beginning, excerpt

if TYPE_CHECKING:
    from corpora.decontaminate import Contamination

__all__ = ["Count", "Ledger", "Sample", "Samples", "excerpt"]

MAX_SOURCES = 1000
"""Sources counted one by one; a corpus whose every page is a source would fill the memory."""
OTHER_SOURCES = "(other sources)"
DROPPED_SAMPLES = 100
"""Samples kept of each reason to drop."""
QUARANTINE_SAMPLES = 10_000
"""Quarantined documents listed; a corpus with more of them has one fault 10,000 times."""
KEPT_SAMPLES = 100
CHANGE_SAMPLES = 12
"""Samples kept of what each rule changes."""
DUPLICATE_SAMPLES = 30
"""Pairs kept of each kind of duplicate."""

LENGTHS: tuple[int, ...] = (0, *(step * 10**power for power in range(8) for step in (1, 2, 5)))
"""Where the bins of the length histograms begin, in characters; the last has no end."""
SHARE_BINS = 20
"""Bins of the histograms of Thai share; each begins at a multiple of 5 percent."""


@dataclass(slots=True)
class Count:
    """The documents of one source. `kept`, `dropped` and `quarantined` make up `documents`.

    The characters read are those kept, dropped, quarantined and removed.
    """

    documents: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    changed_by_rules: int = 0
    """Documents that the text rules changed."""
    documents_cut: Counter[str] = field(default_factory=Counter)
    """Documents that lost a part, by reason; one that lost two for two reasons counts in both."""
    masked: int = 0
    """Documents in which personal data was masked."""
    masks: Counter[str] = field(default_factory=Counter)
    """Places masked, by kind."""
    segmented: int = 0
    pieces_added: int = 0
    """Documents that segmentation made beyond those it was given."""
    characters_read: int = 0
    characters_kept: int = 0
    characters_dropped: Counter[str] = field(default_factory=Counter)
    """Characters of the dropped documents as they were then, by reason."""
    characters_quarantined: Counter[str] = field(default_factory=Counter)
    """Only of the documents that were read and then quarantined, by reason."""
    characters_removed: Counter[str] = field(default_factory=Counter)
    """Characters fewer within documents by step: rules, masks, segments and each reason to cut.

    Below zero where a step made its documents longer.
    """
    bytes_kept: int = 0
    """Bytes of the kept texts in UTF-8."""
    kept_lengths: Counter[int] = field(default_factory=Counter)
    """Documents by length, under the `LENGTHS` at which their bin begins."""
    dropped_lengths: Counter[int] = field(default_factory=Counter)
    kept_thai_share: Counter[int] = field(default_factory=Counter)
    """Documents by the percent of Thai at which their bin begins: 0, 5, ... 95."""
    dropped_thai_share: Counter[int] = field(default_factory=Counter)

    def keep(self, characters: int, size: int, thai_share: float | None = None) -> None:
        """Count a kept document of so many characters and bytes; the share lies in 0..1."""
        self.kept += 1
        self.characters_kept += characters
        self.bytes_kept += size
        self.kept_lengths[length_bin(characters)] += 1
        if thai_share is not None:
            self.kept_thai_share[share_bin(thai_share)] += 1

    def drop(self, reason: str, characters: int, thai_share: float | None = None) -> None:
        """Count a dropped document."""
        self.dropped[reason] += 1
        self.characters_dropped[reason] += characters
        self.dropped_lengths[length_bin(characters)] += 1
        if thai_share is not None:
            self.dropped_thai_share[share_bin(thai_share)] += 1

    def shorten(self, step: str, characters: int) -> None:
        """Count characters that a step took out of a document, below zero if it put some in."""
        if characters:
            self.characters_removed[step] += characters

    def cut(self, reason: str, characters: int) -> None:
        """Count a document that lost a part of so many characters."""
        self.documents_cut[reason] += 1
        self.shorten(reason, characters)

    def mask(self, masks: Mapping[str, int], characters: int) -> None:
        """Count a document in which so many places of each kind were masked."""
        self.masked += 1
        self.masks.update(masks)
        self.shorten("masks", characters)

    def segment(self, pieces: int, characters: int) -> None:
        """Count a document that became `pieces` documents and lost so many characters."""
        self.segmented += 1
        self.pieces_added += pieces - 1
        self.shorten("segments", characters)

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        for name in self.__slots__:
            mine, more = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(more)
            else:
                setattr(self, name, mine + more)

    def balanced(self) -> bool:
        """Whether every document is kept, dropped or quarantined, once."""
        gone = self.dropped.total() + self.quarantined.total()
        return self.documents + self.pieces_added == self.kept + gone

    def accounted(self) -> bool:
        """Whether every character read is kept, dropped, quarantined or removed, once."""
        gone = self.characters_dropped.total() + self.characters_quarantined.total()
        left = self.characters_kept + self.characters_removed.total()
        return self.characters_read == left + gone

    def plain(self) -> dict[str, Any]:
        """Return the count as JSON holds it, the most frequent reason first, bins in order."""
        return {name: _plain(name, getattr(self, name)) for name in self.__slots__}

    @classmethod
    def parse(cls, plain: dict[str, Any]) -> Count:
        """Undo `plain`."""
        return cls(**{name: _parsed(name, value) for name, value in plain.items()})


HISTOGRAMS = ("kept_lengths", "dropped_lengths", "kept_thai_share", "dropped_thai_share")
"""The fields of a `Count` that count by number and not by word."""


def length_bin(characters: int) -> int:
    """Return where the bin of a length begins."""
    return LENGTHS[bisect_right(LENGTHS, characters) - 1]


def share_bin(share: float) -> int:
    """Return the percent at which the bin of a share in 0..1 begins; 1 is in the last."""
    return min(int(share * SHARE_BINS), SHARE_BINS - 1) * (100 // SHARE_BINS)


def _contamination() -> Contamination:
    # Imported here: it reads benchmarks as the pipeline reads its input, which needs this module.
    from corpora.decontaminate import Contamination

    return Contamination()


@dataclass(slots=True)
class Ledger:
    """The counts and samples of a task, or of a whole corpus.

    Ledgers join in any order to the same ledger, as long as they have no more than
    `MAX_SOURCES` sources: beyond, the first to come are counted one by one.
    """

    sources: dict[str, Count] = field(default_factory=dict)
    dropped: dict[str, Samples] = field(default_factory=dict)
    """Samples of dropped documents by reason."""
    quarantined: Samples = field(default_factory=lambda: Samples(QUARANTINE_SAMPLES))
    kept: Samples = field(default_factory=lambda: Samples(KEPT_SAMPLES))
    changes: dict[str, Samples] = field(default_factory=dict)
    """Samples of text before and after, by rule."""
    duplicates: dict[str, Samples] = field(default_factory=dict)
    """Samples of duplicates beside what they are duplicates of, by kind."""
    benchmarks: Contamination = field(default_factory=_contamination)
    """What was found of benchmarks."""

    def name(self, source: str) -> str:
        """Return the name under which a source is counted."""
        if source in self.sources or len(self.sources) < MAX_SOURCES:
            return source
        return OTHER_SOURCES

    def of(self, source: str) -> Count:
        """Return the count of a source by the name that `name` gave."""
        count = self.sources.get(source)
        if count is None:  # setdefault would make a Count at every call: 10 us a document
            count = self.sources[source] = Count()
        return count

    def drop(
        self,
        source: str,
        reason: str,
        place: str,
        sample: Callable[[], Sample],
        *,
        characters: int = 0,
        thai_share: float | None = None,
    ) -> None:
        """Count a dropped document and perhaps keep a sample of it."""
        self.of(source).drop(reason, characters, thai_share)
        _samples(self.dropped, reason, DROPPED_SAMPLES).offer(place, sample)

    def quarantine(
        self,
        source: str,
        reason: str,
        place: str,
        sample: Callable[[], Sample],
        *,
        characters: int = 0,
    ) -> None:
        """Count a document that cannot be used, and list it.

        `characters` are those of it that were counted as read.
        """
        count = self.of(source)
        count.quarantined[reason] += 1
        if characters:
            count.characters_quarantined[reason] += characters
        self.quarantined.offer(place, sample)

    def keep_sample(self, place: str, sample: Callable[[], Sample]) -> None:
        """Perhaps keep a sample of a kept document; the count of it is `Count.keep`."""
        self.kept.offer(place, sample)

    def change(self, rule: str, place: str, before: str, after: str) -> None:
        """Perhaps keep the first place where a rule changes a text, before and after."""

        def sample() -> Sample:
            old, new = around_change(before, after)
            return {"place": place, "before": old, "after": new}

        _samples(self.changes, rule, CHANGE_SAMPLES).offer(place, sample)

    def duplicate(
        self, kind: str, place: str, text: str, first: Callable[[], tuple[str, str]]
    ) -> None:
        """Perhaps keep the beginnings of a dropped duplicate and of the kept document.

        `first` returns the kept one's place and text, and is asked only for a pair that is drawn.
        """

        def sample() -> Sample:
            of_place, of_text = first()
            texts = {"excerpt": beginning(text), "of_excerpt": beginning(of_text)}
            return {"place": place, "of": of_place, **texts}

        _samples(self.duplicates, kind, DUPLICATE_SAMPLES).offer(place, sample)

    def total(self) -> Count:
        """Return the sum over the sources."""
        total = Count()
        for count in self.sources.values():
            total.add(count)
        return total

    def join(self, task: Ledger) -> dict[str, str]:
        """Add a task's ledger; return under which name each of its sources is counted here."""
        names = {}
        for source, count in task.sources.items():
            names[source] = self.name(source)
            self.of(names[source]).add(count)
        self.quarantined.offer_all(task.quarantined.drawn())
        self.kept.offer_all(task.kept.drawn())
        self.benchmarks.join(task.benchmarks)
        for kind, limit in DRAWS.items():
            for key, samples in getattr(task, kind).items():
                _samples(getattr(self, kind), key, limit).offer_all(samples.drawn())
        return names

    def plain(self) -> dict[str, Any]:
        """Return the ledger as JSON holds it."""
        return {
            "sources": {source: count.plain() for source, count in self.sources.items()},
            "quarantined": self.quarantined.drawn(),
            "kept": self.kept.drawn(),
            "benchmarks": self.benchmarks.plain(),
        } | {
            kind: {key: samples.drawn() for key, samples in getattr(self, kind).items()}
            for kind in DRAWS
        }

    @classmethod
    def parse(cls, plain: dict[str, Any]) -> Ledger:
        """Undo `plain`."""
        ledger = cls({source: Count.parse(count) for source, count in plain["sources"].items()})
        ledger.quarantined.offer_all(plain["quarantined"])
        ledger.kept.offer_all(plain["kept"])
        ledger.benchmarks = ledger.benchmarks.parse(plain["benchmarks"])
        for kind, limit in DRAWS.items():
            for key, drawn in plain[kind].items():
                _samples(getattr(ledger, kind), key, limit).offer_all(drawn)
        return ledger


DRAWS = {
    "dropped": DROPPED_SAMPLES,
    "changes": CHANGE_SAMPLES,
    "duplicates": DUPLICATE_SAMPLES,
}
"""The fields of a `Ledger` that hold samples under many names, and how many under each."""


def by_number(counter: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what was counted, the most frequent first."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def _samples(draws: dict[str, Samples], key: str, limit: int) -> Samples:
    samples = draws.get(key)
    if samples is None:
        samples = draws[key] = Samples(limit)
    return samples


def _plain(name: str, value: Any) -> Any:
    if not isinstance(value, Counter):
        return value
    if name in HISTOGRAMS:
        return {str(start): value[start] for start in sorted(value)}
    return dict(by_number(value))


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return Counter({int(start) if name in HISTOGRAMS else start: n for start, n in value.items()})
