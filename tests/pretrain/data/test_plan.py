from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretrain.data.packing import LEAST
from pretrain.data.plan import (
    Layout,
    Micro,
    Plan,
    RowPlan,
    StreamPlan,
    cut_documents,
    make_plan,
    packing_efficiency,
)

LENGTHS = st.lists(st.integers(0, 100), min_size=1, max_size=80).filter(any)
LAYOUTS = st.sampled_from(["stream", "rows"])


def plan_of(lengths: list[int], layout: Layout, seed: int = 0, tokens: int = 96) -> Plan:
    spans = cut_documents(np.arange(len(lengths)), np.asarray(lengths), 30)
    return make_plan(layout, spans, tokens, 32, seed)


def paragraphs(count: int) -> np.ndarray:
    return np.random.default_rng(0).lognormal(3.4, 1.1, count).astype(int) + 1


def documents(count: int) -> np.ndarray:
    """Lengths whose rests are mostly long, so that best fit alone fills 98.8 % of rows of 416."""
    return np.random.default_rng(0).lognormal(6.2, 0.65, count).astype(int) + 1


def epoch(plan: Plan, number: int) -> list[Micro]:
    first = sum(map(plan.epoch_micros, range(number)))
    return [plan.micro(first + micro) for micro in range(plan.epoch_micros(number))]


def same(one: Micro, two: Micro) -> bool:
    names = ("span", "skip", "length", "place")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


@given(LENGTHS, st.integers(1, 30))
def test_cutting_loses_no_token(lengths: list[int], most: int) -> None:
    spans = cut_documents(np.arange(len(lengths)), np.asarray(lengths), most)
    covered = [np.zeros(length, int) for length in lengths]
    for document, start, length in zip(spans.document, spans.start, spans.length, strict=True):
        assert 0 < length <= most
        covered[document][start : start + length] += 1
    assert all((one == 1).all() for one in covered)


@given(LENGTHS, LAYOUTS, st.integers(0, 3), st.integers(32, 200))
def test_an_epoch_shows_every_token_once(
    lengths: list[int], layout: Layout, seed: int, tokens: int
) -> None:
    plan = plan_of(lengths, layout, seed, tokens)
    for number in range(3):
        seen = [np.zeros(length, int) for length in plan.spans.length]
        for micro in epoch(plan, number):
            for span, skip, length in zip(micro.span, micro.skip, micro.length, strict=True):
                assert length >= min(LEAST, plan.spans.length[span])
                seen[span][skip : skip + length] += 1
        assert all((one == 1).all() for one in seen)


@given(LENGTHS, LAYOUTS, st.integers(32, 200))
def test_parts_stand_side_by_side_inside_their_row(
    lengths: list[int], layout: Layout, tokens: int
) -> None:
    plan = plan_of(lengths, layout, 1, tokens)
    for micro in epoch(plan, 0):
        ends = micro.place + micro.length + 2
        assert micro.place[0] == 0
        assert (ends[:-1] <= micro.place[1:]).all()
        assert ends[-1] <= plan.tokens == plan.shape[0] * plan.shape[1]
        assert (micro.place // plan.shape[1] == (ends - 1) // plan.shape[1]).all()
        assert len(micro.span) <= plan.most_documents


@pytest.mark.parametrize("layout", ["stream", "rows"])
def test_a_micro_batch_depends_on_its_number_alone(layout: Layout) -> None:
    lengths = paragraphs(300).tolist()
    straight, jumping = plan_of(lengths, layout, 1), plan_of(lengths, layout, 1)
    size = straight.epoch_micros(0)
    micros = [straight.micro(number) for number in range(2 * size)]
    for number in (2 * size - 1, 3, size, 0, 17):
        assert same(jumping.micro(number), micros[number])
    assert not same(micros[0], micros[straight.epoch_micros(0)]), "another epoch, another order"
    assert not same(micros[0], plan_of(lengths, layout, 2).micro(0)), "another seed, too"


def test_a_micro_batch_closes_at_its_most_documents() -> None:
    spans = cut_documents(np.arange(900), np.repeat([1, 400], [800, 100]), 414)
    plan = StreamPlan(spans, 1024, 0, most_documents=5)
    counts = [len(micro.span) for micro in epoch(plan, 0)]
    assert max(counts) == 5
    assert sum(counts) >= 900


def test_most_documents_is_twice_the_mean() -> None:
    spans = cut_documents(np.arange(1000), np.full(1000, 30), 414)
    assert StreamPlan(spans, 65_536, 0).most_documents == 4096
    assert StreamPlan(spans, 512, 0).most_documents == 64


def test_spans_that_do_not_fit_are_refused() -> None:
    spans = cut_documents(np.arange(2), np.array([10, 40]), 40)
    for build in (lambda: StreamPlan(spans, 41, 0), lambda: RowPlan(spans, 2, 41, 0)):
        with pytest.raises(ValueError, match="do not fit into 41"):
            build()


@pytest.mark.parametrize("layout", ["stream", "rows"])
@pytest.mark.parametrize("lengths", [paragraphs(60_000), documents(10_000)])
def test_999_of_1000_places_are_used(lengths: np.ndarray, layout: Layout) -> None:
    assert packing_efficiency(lengths, 416, 13_312, layout) > 0.999


def test_efficiency_counts_the_used_places() -> None:
    # Four spans of 30 tokens stand in each 128 places.
    assert packing_efficiency(np.full(100, 30), 32, 128, "stream") == 1
    assert packing_efficiency(np.full(100, 14), 32, 128, "rows") == 1
    assert packing_efficiency(np.full(100, 22), 32, 128, "rows") == 0.75
    assert packing_efficiency(np.full(2, 30), 32, 128, "stream") == 0.5
    assert packing_efficiency(np.zeros(3, np.int64), 32, 128, "rows") == 0


def test_order_prefers_no_document() -> None:
    """Where a document stands in an epoch has nothing to do with its number or its length."""
    spans = cut_documents(np.arange(40_000), paragraphs(40_000), 414)
    for layout in ("stream", "rows"):
        micros = epoch(make_plan(layout, spans, 4096, 416, 0), 0)
        when = np.concatenate([np.full(len(one.span), n) for n, one in enumerate(micros)])
        span = np.concatenate([one.span for one in micros])
        assert abs(np.corrcoef(when, span)[0, 1]) < 0.05
        assert abs(np.corrcoef(when, spans.length[span])[0, 1]) < 0.05
