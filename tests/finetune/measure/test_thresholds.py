from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.measure.thresholds import best_threshold

scores_of_one_label = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75]), st.booleans()), min_size=1, max_size=12
)


@settings(deadline=None)
@given(scores_of_one_label)
def test_a_threshold_is_the_best_there_is(rows: list[tuple[float, bool]]) -> None:
    scores, holds = np.array([value for value, _ in rows]), np.array([held for _, held in rows])
    threshold = best_threshold(scores, holds)

    def f1(at: float) -> float:
        said = scores > at
        return 2 * float((said & holds).sum()) / max(1, int(said.sum() + holds.sum()))

    levels = [-1.0, *((one + two) / 2 for one in scores for two in scores), 2.0]
    assert f1(threshold) == pytest.approx(max(map(f1, levels)))
    if not holds.any():
        assert threshold == np.inf
