from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretrain.config import MaskConfig
from pretrain.data.masking import mask_row
from pretrain.data.plan import generator

MASK, PIECES = 4, np.arange(5, 1000)


def row(count: int) -> tuple[np.ndarray, np.ndarray]:
    ids = np.concatenate([[0], generator(count).integers(5, 1000, count), [2, 1, 1]])
    return ids, np.isin(ids, (0, 1, 2))


@given(st.integers(1, 300), st.floats(0.01, 0.6), st.integers(0, 100))
def test_the_share_is_exact_and_specials_are_left_alone(
    count: int, probability: float, seed: int
) -> None:
    ids, special = row(count)
    config = MaskConfig(probability=probability)
    seen, places = mask_row(ids, special, generator(seed), config, MASK, PIECES)
    assert len(places) == len(set(places)) == max(1, round(probability * count))
    assert not special[places].any()
    untouched = np.setdiff1d(np.arange(len(ids)), places)
    assert (seen[untouched] == ids[untouched]).all()


def test_the_mix_is_80_10_10() -> None:
    ids, special = row(10_000)
    seen, places = mask_row(ids, special, generator(1), MaskConfig(probability=0.2), MASK, PIECES)
    before, after = ids[places], seen[places]
    assert (after == MASK).sum() == 1600
    assert np.isin(after[after != MASK], PIECES).all(), "never a special token"
    # 200 are drawn at random, of which one in 995 happens to be what stood there.
    assert 195 <= ((after != MASK) & (after != before)).sum() <= 200


def test_a_row_without_a_token_predicts_nothing() -> None:
    ids = np.array([0, 2, 1])
    seen, places = mask_row(ids, ids < 5, generator(1), MaskConfig(), MASK, PIECES)
    assert len(places) == 0
    assert (seen == ids).all()
