from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from finetune.data.rows import Example
from finetune.data.splits import load_task
from finetune.data.tasks import find_task
from finetune.measure.baselines import BASELINES, features, majority, most_frequent_tag
from finetune.measure.metrics import score
from finetune.model.align import join_words


def tagged(words: Sequence[str], tags: Sequence[str]) -> Example:
    text, spans = join_words(words)
    return Example(text, tuple(tags), "", tuple(words), tuple(spans))


def test_majority_answers_the_most_frequent_label() -> None:
    train = [Example("ก", (label,), "") for label in "bbaab"]
    assert majority(train, "ab")(train[:2]) == [["b"], ["b"]]
    assert majority(train[:4], "ab")(train[:1]) == [["a"]]  # of equals the first in order


def test_most_frequent_tag_is_by_word_and_over_all_for_a_new_one() -> None:
    train = [tagged(["ไป", "ไป", "ไป", "บ้าน"], ["VERB", "AUX", "VERB", "NOUN"])]
    assert most_frequent_tag(train, ())([tagged(["บ้าน", "ไป", "ใหม่"], ["?"] * 3)]) == [
        ["NOUN", "VERB", "VERB"]
    ]


@pytest.mark.parametrize("task", ["demo_sentiment", "demo_ner", "demo_pos"])
def test_the_linear_baselines_learn_what_is_plain(demo_data: Path, task: str) -> None:
    bench = load_task(find_task(task), demo_data)
    for name, fit in list(BASELINES[bench.task.kind].items())[1:]:
        predicted = fit(bench.train, bench.labels)(bench.test)
        figures = score(bench.task.kind, [row.gold for row in bench.test], predicted)
        assert figures[bench.task.metric] > 0.9, name
        again = fit(bench.train, bench.labels)(bench.test)
        assert predicted == again


@pytest.mark.parametrize("kind", ["sequence", "ner", "pos"])
def test_one_label_or_two_are_enough(kind: str) -> None:
    for tags in (["O"], ["O", "B-X"]):
        rows = [
            tagged([word], [tag]) for word, tag in zip(("กก", "ขข"), tags * 2, strict=False)
        ] * 4
        for fit in BASELINES[kind].values():  # type: ignore[index]
            assert fit(rows, sorted(set(tags)))(rows) == [list(row.gold) for row in rows] or (
                fit is majority
            )


def test_words_are_described_with_two_neighbours_on_either_side() -> None:
    described = list(features(["ไป", "iPhone", "5", " ", "๕", "x"]))
    assert "w=iPhone" in described[1] and "s=aAa" in described[1] and "e=one" in described[1]
    assert "w-1=ไป" in described[1] and "w2= " in described[1] and "w-2=\n" in described[1]
    assert "s1=0" in described[1] and "s=d" in described[4] and "s=_" in described[3]
