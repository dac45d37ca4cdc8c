from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.counts import (
    CHANGE_SAMPLES,
    DROPPED_SAMPLES,
    DUPLICATE_SAMPLES,
    HISTOGRAMS,
    KEPT_SAMPLES,
    LENGTHS,
    MAX_SOURCES,
    OTHER_SOURCES,
    Count,
    Ledger,
    length_bin,
    share_bin,
)
from corpora.decontaminate import Contamination, SplitCount

Event = tuple[str, int, str, int]
"""A document: its source, what becomes of it, a word and its length."""

EVENTS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 7), st.sampled_from("xyz"), st.integers(0, 10**6)
    ),
    max_size=60,
)


def record(ledger: Ledger, place: str, event: Event) -> None:
    """Let a document go through the pipeline as it comes."""
    source, fate, word, length = event
    count = ledger.of(ledger.name(source))
    count.documents += 1
    if fate == 0:
        ledger.quarantine(source, word, place, lambda: {"reason": word})
        return
    count.characters_read += length
    left = length - min(length // 10, 50)
    count.shorten("rules", length - left)
    ledger.change(word, place, "ก" * length, "ก" * left)
    share = (length % 101) / 100
    if fate == 1:
        ledger.quarantine(source, word, place, lambda: {"reason": word}, characters=left)
    elif fate <= 3:
        if fate == 3:
            ledger.duplicate(word, place, "ก" * left, lambda: ("first:1", "ก"))
        sample = {"reason": word, "excerpt": str(length)}
        ledger.drop(source, word, place, lambda: sample, characters=left, thai_share=share)
    elif fate == 4:
        count.segment(3, 2)
        for piece in range(3):
            count.keep((left - 2) // 3 + ((left - 2) % 3 if not piece else 0), left)
            ledger.keep_sample(f"{place}#{piece}", lambda: {"n": length})
    else:
        if fate == 5:
            count.cut("repeated_lines", left // 3)
            left -= left // 3
        if fate == 6:
            count.mask({word: 2, "phone": 1}, -4)  # the masks are longer than what they hide
            left += 4
        count.keep(left, 3 * left, share)
        ledger.keep_sample(place, lambda: {"n": length})


def found(numbers: set[int]) -> Ledger:
    return Ledger(benchmarks=Contamination({("a", "test"): SplitCount(9, 1, numbers, 2)}))


def test_found_benchmark_items_are_joined() -> None:
    joined = Ledger()
    for part in ({1, 2}, {2, 3}):
        joined.join(found(part))
    assert joined.benchmarks.splits == {("a", "test"): SplitCount(9, 1, {1, 2, 3}, 4)}


def recorded(events: list[tuple[str, Event]]) -> Ledger:
    ledger = Ledger()
    for place, event in events:
        record(ledger, place, event)
    return ledger


@given(EVENTS, st.integers(1, 5), st.randoms(use_true_random=False))
def test_ledgers_of_tasks_join_in_any_order_to_the_ledger_of_all(
    events: list[Event], tasks: int, chance: random.Random
) -> None:
    placed = [(f"f:{line}", event) for line, event in enumerate(events)]
    parts = [recorded(placed[task::tasks]) for task in range(tasks)]
    chance.shuffle(parts)
    joined = Ledger()
    for part in parts:
        joined.join(Ledger.parse(json.loads(json.dumps(part.plain()))))
    assert joined.plain() == recorded(placed).plain()
    for count in [joined.total(), *joined.sources.values()]:
        assert count.balanced()
        assert count.accounted()
        kept, dropped = count.kept_lengths.total(), count.dropped_lengths.total()
        assert (kept, dropped) == (count.kept, count.dropped.total())


def test_a_lost_document_or_character_is_noticed() -> None:
    for field, value in (("documents", 1), ("kept", 1), ("pieces_added", 1)):
        assert not Count.parse({field: value}).balanced()
    for field in ("characters_read", "characters_kept"):
        assert not Count.parse({field: 1}).accounted()
    count = Count()
    count.drop("short", 3)
    assert not count.balanced()
    assert not count.accounted()
    count.documents, count.characters_read = 1, 3
    assert count.balanced()
    assert count.accounted()


def test_a_ledger_survives_json() -> None:
    ledger = Ledger()
    ledger.of("s").documents += 2
    ledger.drop("s", "too_short", "a:1", lambda: {"excerpt": "ก"})
    ledger.quarantine("s", "nul", "a:2", lambda: {"excerpt": "ข"})
    ledger.of("s").keep(150, 450, 0.97)
    ledger.benchmarks = Contamination({("a", "test"): SplitCount(9, 1, {4, 2}, 3)})
    again = Ledger.parse(json.loads(json.dumps(ledger.plain())))
    assert again == ledger
    assert again.of("s").kept_lengths == {100: 1}
    assert again.of("s").kept_thai_share == {95: 1}


def test_a_count_is_added_whole() -> None:
    count, twice = Count(), Count()
    ones: dict[str, Any] = {
        name: 1
        if isinstance(getattr(count, name), int)
        else {5: 1}
        if name in HISTOGRAMS
        else {"x": 1}
        for name in Count.__slots__
    }
    count = Count.parse(ones)
    twice.add(count)
    twice.add(count)
    for name in Count.__slots__:
        value = getattr(twice, name)
        assert value == 2 or list(value.values()) == [2], name


def test_sources_without_number_are_counted_together() -> None:
    total = Ledger()
    for task in range(2):
        ledger = Ledger()
        for index in range(700):
            ledger.of(ledger.name(f"{task}-{index}")).add(Count(documents=1, kept=1))
        names = total.join(ledger)
    assert len(total.sources) == MAX_SOURCES + 1
    assert total.sources[OTHER_SOURCES].documents == 400
    assert names["1-299"] == "1-299"
    assert names["1-300"] == OTHER_SOURCES
    assert total.total().documents == 1400
    assert total.name("0-0") == "0-0"


def test_a_ledger_does_not_grow_with_the_corpus() -> None:
    def size(documents: int) -> int:
        ledger = Ledger()
        for line in range(documents):
            record(ledger, f"f:{line}", ("abc"[line % 3], line % 8, "xyz"[line % 3], 1000 + line))
        assert len(ledger.kept.drawn()) == KEPT_SAMPLES
        for draws, limit in (
            (ledger.dropped, DROPPED_SAMPLES),
            (ledger.changes, CHANGE_SAMPLES),
            (ledger.duplicates, DUPLICATE_SAMPLES),
        ):
            assert {len(samples.drawn()) for samples in draws.values()} == {limit}
        plain = ledger.plain()
        del plain["quarantined"]  # has a far higher limit
        return len(json.dumps(plain))

    assert size(9000) < 1.1 * size(3000)


@given(st.integers(0, 10**8))
def test_a_length_is_in_its_bin(characters: int) -> None:
    place = LENGTHS.index(length_bin(characters))
    assert LENGTHS[place] <= characters
    assert characters < (LENGTHS[place + 1] if place + 1 < len(LENGTHS) else 10**9)


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_is_in_its_bin(part: int, whole: int) -> None:
    part = min(part, whole)
    start = share_bin(part / whole)
    assert start % 5 == 0
    assert start * whole <= 100 * part
    assert 100 * part < (start + 5) * whole or (start, part) == (95, whole)


@pytest.mark.parametrize("percent", range(101))
def test_shares_on_an_edge_are_in_the_bin_that_begins_there(percent: int) -> None:
    assert share_bin(percent / 100) == min(percent // 5 * 5, 95)


def test_a_change_is_kept_with_its_place_and_what_is_invisible_shows() -> None:
    ledger = Ledger()
    ledger.change("zero_width", "a:1", "ก\u200bข", "กข")
    assert ledger.changes["zero_width"].drawn() == [
        ("a:1", {"place": "a:1", "before": "ก\\u200bข", "after": "กข"})
    ]


def test_a_duplicate_is_kept_beside_the_first() -> None:
    ledger = Ledger()
    ledger.duplicate("near", "b:2", "ข" * 300, lambda: ("a:1", "ก\n"))
    [(place, sample)] = ledger.duplicates["near"].drawn()
    assert place == "b:2"
    assert sample == {
        "place": "b:2", "of": "a:1", "excerpt": "ข" * 200 + "…",
        "of_excerpt": "ก\\n",
    }  # fmt: skip


def test_counting_a_document_costs_little() -> None:
    """Measured beside one hash of its place, which every sample needs: 3 times as much."""
    places = [f"posts.jsonl:{line}" for line in range(10_000)]

    def hashing() -> None:
        for place in places:
            int.from_bytes(hashlib.blake2b(place.encode(), digest_size=8).digest())

    def counting() -> None:
        ledger = Ledger()
        for line, place in enumerate(places):
            count = ledger.of(ledger.name("posts"))
            count.documents += 1
            count.characters_read += 200
            count.shorten("rules", 3)
            if line % 5:
                count.keep(197, 500, 0.93)
                ledger.keep_sample(place, dict)
            else:
                ledger.drop("posts", "short", place, dict, characters=197, thai_share=0.3)

    def cost(work: Callable[[], None]) -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    # By turns, so that a busy machine slows both; a Count made at every call would be 30 times.
    costs = [(cost(counting), cost(hashing)) for _ in range(7)]
    assert min(count for count, _ in costs) < 12 * min(hashed for _, hashed in costs)
