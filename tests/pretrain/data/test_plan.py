from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretrain.data.plan import RowPlan, best_fit, cut_documents

LENGTHS = st.lists(st.integers(0, 100), min_size=1, max_size=80).filter(any)


@given(LENGTHS, st.integers(1, 30))
def test_cutting_loses_no_token(lengths: list[int], most: int) -> None:
    spans = cut_documents(np.arange(len(lengths)), np.asarray(lengths), most)
    covered = [np.zeros(length, int) for length in lengths]
    for document, start, length in zip(spans.document, spans.start, spans.length, strict=True):
        assert 0 < length <= most
        covered[document][start : start + length] += 1
    assert all((one == 1).all() for one in covered)


@given(st.lists(st.integers(3, 50), min_size=1, max_size=200))
def test_best_fit_packs_each_item_once_and_never_too_much(sizes: list[int]) -> None:
    array = np.asarray(sizes)
    rows = best_fit(np.arange(len(sizes)), array, 50)
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(sizes)))
    assert all(array[row].sum() <= 50 for row in rows)


@given(LENGTHS, st.integers(0, 3))
def test_an_epoch_shows_every_span_once(lengths: list[int], seed: int) -> None:
    spans = cut_documents(np.arange(len(lengths)), np.asarray(lengths), 30)
    plan = RowPlan(spans, 32, seed)
    for epoch in range(3):
        first = sum(plan.epoch_rows(before) for before in range(epoch))
        rows = plan.rows(first, plan.epoch_rows(epoch))
        assert sorted(np.concatenate(rows).tolist()) == list(range(len(spans)))


def test_a_row_depends_on_its_number_alone() -> None:
    spans = cut_documents(np.arange(50), np.full(50, 20), 30)
    straight, jumping = RowPlan(spans, 64, 1), RowPlan(spans, 64, 1)
    rows = straight.rows(0, 60)
    for number in (59, 3, 40, 0, 17):
        assert jumping.rows(number, 1)[0].tolist() == rows[number].tolist()
    assert [one.tolist() for one in rows[:17]] != [one.tolist() for one in rows[17:34]]


def test_rows_of_real_lengths_are_filled() -> None:
    draw = np.random.default_rng(0)
    lengths = draw.lognormal(3.4, 1.0, 9000).astype(int) + 1  # paragraphs of thaigov, about
    spans = cut_documents(np.arange(len(lengths)), lengths, 414)
    plan = RowPlan(spans, 416, 0)
    filled = (spans.length + 2).sum() / (plan.epoch_rows(0) * 416)
    assert filled > 0.99
