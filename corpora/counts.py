"""What happened to every document: exact counts by source, and samples with their reason."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

MAX_SOURCES = 1000
"""Sources counted one by one; a corpus whose every page is a source would fill the memory."""
OTHER_SOURCES = "(other sources)"
DROPPED_SAMPLES = 100
"""Samples kept of each reason to drop."""
QUARANTINE_SAMPLES = 10_000
"""Quarantined documents listed; a corpus with more of them has one fault 10,000 times."""
EXCERPT_CHARS = 200

Sample = dict[str, Any]


@dataclass(slots=True)
class Count:
    """The documents of one source. `kept`, `dropped` and `quarantined` make up `documents`."""

    documents: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    changed_by_rules: int = 0
    """Documents that the text rules changed."""
    characters_read: int = 0
    characters_kept: int = 0
    bytes_kept: int = 0
    """Bytes of the kept texts in UTF-8."""

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        self.documents += other.documents
        self.kept += other.kept
        self.dropped.update(other.dropped)
        self.quarantined.update(other.quarantined)
        self.changed_by_rules += other.changed_by_rules
        self.characters_read += other.characters_read
        self.characters_kept += other.characters_kept
        self.bytes_kept += other.bytes_kept

    def balanced(self) -> bool:
        """Whether every document is kept, dropped or quarantined, once."""
        return self.documents == self.kept + self.dropped.total() + self.quarantined.total()

    def plain(self) -> dict[str, Any]:
        """Return the count as JSON holds it, the most frequent reason first."""
        return asdict(self) | {
            "dropped": dict(_by_number(self.dropped)),
            "quarantined": dict(_by_number(self.quarantined)),
        }

    @classmethod
    def parse(cls, plain: dict[str, Any]) -> Count:
        """Undo `plain`."""
        reasons = {key: Counter(plain[key]) for key in ("dropped", "quarantined")}
        return cls(**(plain | reasons))


@dataclass(slots=True)
class Samples:
    """The `limit` samples with the smallest hash of their place.

    That is a draw from the whole corpus which does not depend on the order, so draws of tasks
    join to the draw of all.
    """

    limit: int
    _heap: list[tuple[int, str, Sample]] = field(default_factory=list)

    def offer(self, place: str, sample: Callable[[], Sample]) -> None:
        """Take the sample if its place is drawn; it is made only then."""
        rank = -int.from_bytes(blake2b(place.encode(), digest_size=8).digest())
        if len(self._heap) < self.limit:
            heapq.heappush(self._heap, (rank, place, sample()))
        elif rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (rank, place, sample()))

    def offer_all(self, drawn: Iterable[tuple[str, Sample]]) -> None:
        """Offer what another draw has drawn."""
        for place, sample in drawn:
            self.offer(place, partial(dict, sample))

    def drawn(self) -> list[tuple[str, Sample]]:
        """Return the drawn samples with their places, in no order that means anything."""
        return [(place, sample) for _, place, sample in sorted(self._heap, reverse=True)]


@dataclass(slots=True)
class Ledger:
    """The counts and samples of a task, or of a whole corpus."""

    sources: dict[str, Count] = field(default_factory=dict)
    dropped: dict[str, Samples] = field(default_factory=dict)
    quarantined: Samples = field(default_factory=lambda: Samples(QUARANTINE_SAMPLES))

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

    def drop(self, source: str, reason: str, place: str, sample: Callable[[], Sample]) -> None:
        """Count a dropped document and perhaps keep a sample of it."""
        self.of(source).dropped[reason] += 1
        self._samples_of(reason).offer(place, sample)

    def quarantine(
        self, source: str, reason: str, place: str, sample: Callable[[], Sample]
    ) -> None:
        """Count a document that cannot be read, and list it."""
        self.of(source).quarantined[reason] += 1
        self.quarantined.offer(place, sample)

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
        for reason, samples in task.dropped.items():
            self._samples_of(reason).offer_all(samples.drawn())
        self.quarantined.offer_all(task.quarantined.drawn())
        return names

    def plain(self) -> dict[str, Any]:
        """Return the ledger as JSON holds it."""
        return {
            "sources": {source: count.plain() for source, count in self.sources.items()},
            "dropped": {reason: samples.drawn() for reason, samples in self.dropped.items()},
            "quarantined": self.quarantined.drawn(),
        }

    @classmethod
    def parse(cls, plain: dict[str, Any]) -> Ledger:
        """Undo `plain`."""
        ledger = cls({source: Count.parse(count) for source, count in plain["sources"].items()})
        for reason, drawn in plain["dropped"].items():
            ledger._samples_of(reason).offer_all(drawn)
        ledger.quarantined.offer_all(plain["quarantined"])
        return ledger

    def _samples_of(self, reason: str) -> Samples:
        return self.dropped.setdefault(reason, Samples(DROPPED_SAMPLES))


def excerpt(text: str | bytes) -> str:
    """Return the beginning of a text, safe to show: broken bytes and invisible signs escaped."""
    if isinstance(text, bytes):
        text = text[: 4 * EXCERPT_CHARS].decode("utf-8", "backslashreplace")
    shown = (ch if ch.isprintable() else _escaped(ch) for ch in text[:EXCERPT_CHARS])
    return "".join(shown)


def _escaped(ch: str) -> str:
    return ch.encode("unicode_escape").decode("ascii")


def _by_number(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
