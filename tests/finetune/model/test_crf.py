from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.model.crf import STEP, Chain


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_the_likelihood_is_that_of_all_paths_counted_one_by_one(seed: int) -> None:
    torch.manual_seed(seed)
    chain = Chain(3, torch.randn(4, 3).tolist())
    logits = torch.randn(2, 5, 3)
    tags = torch.randint(0, 3, (2, 5))
    first = torch.tensor([[False, True, True, False, True], [True, False, False, True, False]])
    table = chain.table()
    expected, words = 0.0, 0
    for row in range(2):
        places = first[row].nonzero().flatten().tolist()
        scores = torch.log_softmax(logits[row, places], -1).numpy()

        def total(path: tuple[int, ...], scores: np.ndarray = scores) -> float:
            steps = sum(table[a, b] for a, b in pairwise(path))
            emitted = sum(of[tag] for of, tag in zip(scores, path, strict=True))
            return float(table[3, path[0]] + steps + emitted)

        paths = [total(path) for path in product(range(3), repeat=len(places))]
        expected += np.logaddexp.reduce(paths) - total(tuple(tags[row, places].tolist()))
        words += len(places)
    assert float(chain(logits, tags, first).detach()) == pytest.approx(expected / words, abs=1e-4)


def test_a_batch_without_words_costs_nothing() -> None:
    chain = Chain(2)
    none = torch.zeros(1, 3, dtype=torch.bool)
    loss = chain(torch.randn(1, 3, 2), torch.zeros(1, 3, dtype=torch.long), none)
    assert float(loss.detach()) == 0.0


def test_the_table_learns_at_its_own_pace_and_is_kept_as_used() -> None:
    chain = Chain(2)
    chain.quicken(STEP / 100)
    with torch.no_grad():
        chain.weight[0, 1] = 0.5
    assert chain.table()[0, 1] == 50.0
    kept = Chain(2, chain.table().tolist())
    scores = np.zeros((2, 2))
    assert np.array_equal(kept.steps(scores), chain.steps(scores))
