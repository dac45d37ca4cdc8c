from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.training.order import GROUP, LengthOrder


@settings(deadline=None)
@given(st.lists(st.integers(1, 128), max_size=400), st.integers(1, 9), st.integers(0, 5))
def test_each_row_comes_once_an_epoch(lengths: list[int], batch: int, seed: int) -> None:
    order = LengthOrder(lengths, batch, seed)
    for _ in range(2):
        assert sorted(order) == list(range(len(lengths))) and len(order) == len(lengths)


def test_batches_are_of_like_lengths_and_in_no_order_of_length() -> None:
    dice = random.Random(1)
    lengths = [dice.randint(1, 128) for _ in range(GROUP * 8 * 4)]
    rows = list(LengthOrder(lengths, 8, 1))
    batches = [rows[at : at + 8] for at in range(0, len(rows), 8)]
    longest = [max(lengths[row] for row in batch) for batch in batches]
    padded = sum(8 * top for top in longest)
    assert sum(lengths) / padded > 0.9
    falls = sum(one > two for one, two in pairwise(longest))
    assert 0.35 < falls / len(longest) < 0.65


def test_the_order_is_another_each_epoch_and_the_same_by_seed() -> None:
    lengths = list(range(1, 101))
    one, two, other = (
        LengthOrder(lengths, 4, 1),
        LengthOrder(lengths, 4, 1),
        LengthOrder(lengths, 4, 2),
    )
    first, second = list(one), list(one)
    assert first != second
    assert [list(two), list(two)] == [first, second]
    assert list(other) != first


def test_the_batch_that_is_not_full_is_the_last() -> None:
    lengths = [5] * 10 + [50] * 9
    for seed in range(20):
        rows = list(LengthOrder(lengths, 4, seed))
        spread = [{lengths[row] for row in rows[at : at + 4]} for at in range(0, 16, 4)]
        assert sum(len(one) > 1 for one in spread) <= 1
