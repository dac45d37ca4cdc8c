from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from corpora.counts import MAX_SOURCES, OTHER_SOURCES, Count, Ledger, Samples, excerpt


def draw(places: list[str], limit: int) -> Samples:
    samples = Samples(limit)
    for place in places:
        samples.offer(place, lambda place=place: {"place": place})  # type: ignore[misc]
    return samples


@given(st.lists(st.text(max_size=5), unique=True, max_size=40), st.data())
def test_draws_of_tasks_join_to_the_draw_of_all(places: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(places)))
    limit = data.draw(st.integers(1, 10))
    joined = draw(places[:cut], limit)
    joined.offer_all(draw(places[cut:], limit).drawn())
    assert joined.drawn() == draw(places, limit).drawn()
    assert len(joined.drawn()) == min(limit, len(places))


def test_a_ledger_survives_json() -> None:
    ledger = Ledger()
    ledger.of("s").documents += 2
    ledger.drop("s", "too_short", "a:1", lambda: {"excerpt": "ก"})
    ledger.quarantine("s", "nul", "a:2", lambda: {"excerpt": "ข"})
    again = Ledger.parse(json.loads(json.dumps(ledger.plain())))
    assert again == ledger
    assert again.of("s").balanced()


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


def test_excerpts_are_safe_to_show() -> None:
    assert excerpt("ก\n\x1b[31m\u200bข\ud800") == "ก\\n\\x1b[31m\\u200bข\\ud800"
    assert excerpt(b"ok \xff\x00") == "ok \\xff\\x00"
    assert len(excerpt("ก" * 1000)) == 200
