from __future__ import annotations

import random
import time

import numpy as np
import pytest

from finetune.measure.bootstrap import _draws, compare, interval
from finetune.measure.metrics import COUNTED, score

Rows = list[list[str]]


def noisy(gold: Rows, wrong: float, seed: int) -> Rows:
    dice = random.Random(seed)
    labels = sorted({label for row in gold for label in row})
    return [
        [dice.choice(labels) if dice.random() < wrong else label for label in row] for row in gold
    ]


@pytest.fixture(scope="module")
def gold() -> Rows:
    dice = random.Random(0)
    return [[dice.choice("aaab")] for _ in range(400)]


def test_a_resample_is_scored_like_its_rows(gold: Rows) -> None:
    gold = [*gold, ["rare"]]  # which about a third of the resamples do not have
    a = [*noisy(gold[:-1], 0.3, 1), ["rare"]]
    weights = np.concatenate(list(_draws(len(gold), 3, 20)))
    drawn = []
    for row in weights.astype(int):
        index = np.repeat(np.arange(len(gold)), row)
        figures = score("sequence", [gold[i] for i in index], [a[i] for i in index])
        drawn.append(figures["macro_f1"])
    expected = np.percentile(drawn, [2.5, 97.5])
    assert interval("sequence", "macro_f1", gold, [a], seed=3, resamples=20) == pytest.approx(
        tuple(expected), abs=1e-6
    )


def test_a_plain_difference_is_sure_and_none_is_not(gold: Rows) -> None:
    a, b = noisy(gold, 0.1, 1), noisy(gold, 0.5, 2)
    better = compare("sequence", "accuracy", gold, [a], [b], resamples=2000)
    figures = [score("sequence", gold, side)["accuracy"] for side in (a, b)]
    assert better.difference == pytest.approx(figures[0] - figures[1])
    assert 0 < better.interval[0] < better.difference < better.interval[1]
    assert better.p < 0.001
    back = compare("sequence", "accuracy", gold, [b], [a], resamples=2000)
    assert back.interval == pytest.approx((-better.interval[1], -better.interval[0]), abs=2e-6)
    assert compare("sequence", "accuracy", gold, [a], [a], resamples=50) == (0.0, (0.0, 0.0), 1.0)


def test_pairing_makes_a_difference_surer_than_the_scores(gold: Rows) -> None:
    a = noisy(gold, 0.4, 1)
    b = [right if at < 12 else said for at, (right, said) in enumerate(zip(gold, a, strict=True))]
    found = compare("sequence", "accuracy", gold, [b], [a])
    one = interval("sequence", "accuracy", gold, [a])
    assert found.interval[1] - found.interval[0] < (one[1] - one[0]) / 3


def test_equal_models_differ_by_chance_as_often_as_p_says() -> None:
    # Of 200 pairs of equally good models about 5 % come below .05.
    dice, below = random.Random(1), 0
    for trial in range(200):
        rows = [["a"] for _ in range(150)]
        a, b = ([[dice.choice("ab")] for _ in rows] for _ in range(2))
        below += compare("sequence", "accuracy", rows, [a], [b], seed=trial, resamples=200).p < 0.05
    assert 2 <= below <= 20


def test_seeds_are_averaged_on_the_same_rows(gold: Rows) -> None:
    seeds = [noisy(gold, 0.3, seed) for seed in range(3)]
    found = compare("sequence", "macro_f1", gold, seeds, [seeds[0]])
    figures = [score("sequence", gold, side)["macro_f1"] for side in seeds]
    assert found.difference == pytest.approx(sum(figures) / 3 - figures[0])
    assert compare("sequence", "macro_f1", gold, seeds, list(reversed(seeds))).p == 1.0


@pytest.mark.parametrize("kind", COUNTED)
def test_every_counted_figure_has_an_interval_around_it(kind: str) -> None:
    gold = {"nested": [["0:2:a"], ["0:1:a", "1:2:b"]], "words": [["B", "I"], ["B", "B"]],
            "ner": [["B-a", "I-a"], ["O", "B-a"]], "qa": [["หมา", "แมว"], ["ปลา"]],
            }.get(kind, [["a"], ["b"]])  # fmt: skip
    said = [row[:1] for row in gold] if kind == "qa" else gold
    for metric in COUNTED[kind]:  # type: ignore[index]
        low, high = interval(kind, metric, gold, [said], resamples=50)  # type: ignore[arg-type]
        assert low <= 1.0 and high == 1.0


def test_the_same_seed_gives_the_same_interval_and_another_another(gold: Rows) -> None:
    a = noisy(gold, 0.3, 1)
    found = [interval("sequence", "accuracy", gold, [a], seed=s, resamples=300) for s in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_what_cannot_be_drawn_is_a_bug(gold: Rows) -> None:
    with pytest.raises(ValueError, match="no bootstrap of boundary_f1"):
        interval("words", "boundary_f1", [["B"]], [[["B"]]])
    with pytest.raises(ValueError, match="nothing to draw"):
        interval("sequence", "accuracy", [], [[]])


def test_ten_thousand_resamples_of_a_test_split_take_seconds() -> None:
    dice = random.Random(0)
    gold = [[dice.choice("abcd")] for _ in range(2671)]
    begun = time.process_time()
    compare("sequence", "macro_f1", gold, [noisy(gold, 0.3, 1)], [noisy(gold, 0.3, 2)])
    assert time.process_time() - begun < 8  # measured: 0.7
