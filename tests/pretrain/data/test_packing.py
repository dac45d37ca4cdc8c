from __future__ import annotations

import bisect

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretrain.data.packing import LEAST, best_fit, fill_rows

SIZES = st.lists(st.integers(3, 50), min_size=1, max_size=300)


def bins_one_by_one(sizes: list[int], room: int) -> int:
    """Count the bins of best-fit decreasing as the book has it."""
    free: list[int] = []
    for size in sorted(sizes, reverse=True):
        place = bisect.bisect_left(free, size)
        left = free.pop(place) if place < len(free) else room
        bisect.insort(free, left - size)
    return len(free)


@given(SIZES)
def test_best_fit_packs_each_item_once_and_never_too_much(sizes: list[int]) -> None:
    bins = best_fit(np.asarray(sizes), 50)
    assert len(bins) == len(sizes)
    assert np.bincount(bins, sizes).max() <= 50


@given(SIZES)
def test_by_sizes_is_the_same_as_one_by_one(sizes: list[int]) -> None:
    bins = best_fit(np.asarray(sizes), 50)
    assert len(np.unique(bins)) == bins.max() + 1 == bins_one_by_one(sizes, 50)


@given(st.lists(st.integers(20, 62), min_size=30, max_size=300), st.integers(0, 5))
def test_rows_are_topped_up_with_cuts_and_hold_every_token(lengths: list[int], few: int) -> None:
    array = np.asarray([*lengths, *range(1, few)])
    parts, row = fill_rows(np.arange(len(array))[::-1].copy(), array, 64)
    assert np.bincount(row, parts.length + 2).max() <= 64
    assert set(row) == set(range(row.max() + 1))
    seen = [np.zeros(length, int) for length in array]
    for span, skip, length in zip(parts.span, parts.skip, parts.length, strict=True):
        assert length >= min(LEAST, array[span])
        seen[span][skip : skip + length] += 1
    assert all((one == 1).all() for one in seen)
    assert row.max() <= best_fit(array + 2, 64).max(), "never worse than without cuts"
