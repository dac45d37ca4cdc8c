from __future__ import annotations

import pytest

from finetune.data.rows import Example
from finetune.data.splits import TaskData
from finetune.data.tasks import Task
from finetune.measure.metrics import COUNTED, score
from finetune.measure.report import result_page
from finetune.measure.scores import Scores, SeedScores, best_seed, figure, over_seeds
from thaitok.alignment import join_words


def row(kind: str, at: int) -> Example:
    if kind in ("sequence", "multilabel"):
        return Example(f"ดี <b> {at}", ("a",) if at % 2 else ("b",), f"x/test.jsonl:{at}")
    if kind == "qa":
        return Example("แมวกินปลา", ("ปลา",), "x:1", pair="แมวกินอะไร")
    text, spans = join_words(["สม", "ชาย"])
    gold = {"ner": ("B-A", "I-A"), "pos": ("N", "N"), "words": ("B", "I"), "nested": ("0:2:A",)}
    return Example(text, gold[kind], "x:1", ("สม", "ชาย"), tuple(spans))


WRONG = {"sequence": ["c"], "multilabel": ["c"], "qa": ["แมว"], "ner": ["B-A", "O"],
         "pos": ["N", "V"], "words": ["B", "B"], "nested": ["0:1:A"]}  # fmt: skip


def result(kind: str) -> tuple[Scores, TaskData, list[list[str]]]:
    rows = [row(kind, at) for at in range(12)]
    predicted = [WRONG[kind] if at < 3 else list(one.gold) for at, one in enumerate(rows)]
    figures = score(kind, [one.gold for one in rows], predicted)  # type: ignore[arg-type]
    seeds = [
        SeedScores(seed=seed, epoch=1, validation=figures, test=figures, epochs=(figures,))
        for seed in (1, 2)
    ]
    metric = COUNTED[kind][0]  # type: ignore[index]
    scores = Scores(
        task="t", kind=kind, metric=metric, model="m", labels=(), rows={"test": 12},
        split_rule="official", source="files", cut={}, swallowed={}, settings={},
        seeds=tuple(seeds), best_seed=1,
        validation=over_seeds(seeds, "validation"), test=over_seeds(seeds, "test"),
        leakage={"test": {"same": 2, "near": 4}}, intervals={metric: (0.25, 0.5)},
        baselines={"majority": {"test": {metric: 0.125}}}, published=(),
    )  # fmt: skip
    task = Task("t", kind, metric, "")  # type: ignore[arg-type]
    return scores, TaskData(task, rows, rows, rows, (), "official", "files", ()), predicted


@pytest.mark.parametrize("kind", COUNTED)
def test_every_kind_has_a_page_of_its_errors(kind: str) -> None:
    scores, bench, predicted = result(kind)
    page = result_page(scores, bench, predicted)
    assert "0.125" in page and "0.250 to 0.500" in page  # the baseline; the interval over rows
    assert "test rows that stand in train too" in page
    assert "3 rows of the test split" in page and "Longest first" in page
    assert "By length" in page
    assert ("Confusion matrix" in page) == (kind in ("sequence", "pos", "ner"))
    assert ("wrong border" in page) == (kind in ("ner", "nested"))
    assert "<b> " not in page


def test_a_confused_cell_is_shaded_by_its_share_of_the_row() -> None:
    scores, bench, predicted = result("pos")  # 24 words, 3 of them wrong
    page = result_page(scores, bench, predicted)
    assert 'var(--kept) 60%,transparent)" title="88 % of the row">21</td>' in page
    assert 'var(--tone1) 12%,transparent)" title="12 % of the row">3</td>' in page


def test_scores_carry_no_time_and_the_best_seed_is_chosen_on_validation() -> None:
    seeds = [
        SeedScores(seed=seed, epoch=1, validation={"f1": value}, test={"f1": 1 - value}, epochs=())
        for seed, value in ((7, 0.25), (3, 0.5), (5, 0.5))
    ]
    assert best_seed(seeds, "f1") == 3
    assert "seconds" not in SeedScores.model_fields
    assert over_seeds(seeds, "test")["f1"].per_seed == {"7": 0.75, "3": 0.5, "5": 0.5}


def test_the_interval_is_students() -> None:
    found = figure({"1": 0.7, "2": 0.8})  # half = 12.706 x 0.0707 / sqrt 2
    assert found.mean == pytest.approx(0.75)
    assert found.interval == pytest.approx((0.75 - 0.6353, 0.75 + 0.6353), abs=1e-4)
    assert figure({"1": 0.7}).interval is None
