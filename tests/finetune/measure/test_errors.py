from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.entities import entities_of
from finetune.data.rows import Example
from finetune.measure.errors import (
    ERROR_KINDS,
    OTHERS,
    SHOWN_LABELS,
    by_length,
    confusion,
    entity_errors,
    mistakes,
)
from finetune.measure.metrics import score
from thaitok.alignment import join_words

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]


def tagged(words: str, gold: str) -> Example:
    text, spans = join_words(words.split())
    return Example(text, tuple(gold.split()), "f/test.jsonl:3", tuple(words.split()), tuple(spans))


def test_a_confusion_matrix_has_gold_down_and_predictions_across() -> None:
    found = confusion("sequence", [["a"], ["a"], ["b"]], [["a"], ["c"], ["b"]])
    assert found is not None
    assert found.labels == ("a", "b", "c")  # the most frequent in gold first
    assert found.counts == ((1, 0, 1), (0, 1, 0), (0, 0, 0))


def test_words_of_entities_stand_by_their_type() -> None:
    found = confusion("ner", [["B-A", "I-A", "O"]], [["B-A", "B-B", "I-A"]])
    assert found is not None and found.labels == ("A", "O", "B")
    assert found.counts == ((1, 0, 1), (1, 0, 0), (0, 0, 0))
    assert confusion("nested", [[]], [[]]) is None


def test_rare_labels_are_one() -> None:
    labels = [[f"{at:02}"] for at in range(SHOWN_LABELS + 5)]
    found = confusion("sequence", labels, labels)
    assert found is not None and len(found.labels) == SHOWN_LABELS and found.labels[-1] == OTHERS
    assert found.counts[-1][-1] == 6 and sum(map(sum, found.counts)) == len(labels)


def test_an_entity_goes_wrong_in_one_of_five_ways() -> None:
    gold = ["0:2:A", "3:4:A", "5:7:A", "8:10:A", "11:12:A"]
    predicted = ["0:2:A", "3:4:B", "5:6:A", "9:11:B", "13:14:A"]
    assert entity_errors("nested", [gold], [predicted]) == dict.fromkeys(ERROR_KINDS, 1)


def test_an_entity_missed_within_a_right_one_is_missed() -> None:
    found = entity_errors("nested", [["0:2:A", "0:1:B"]], [["0:2:A"]])
    assert found["right"] == found["missed"] == 1 and sum(found.values()) == 2


@given(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=15))
def test_every_gold_entity_is_counted_once(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    counts = entity_errors("ner", [gold], [predicted])
    spurious = counts.pop("spurious")
    assert sum(counts.values()) == len(entities_of(gold))
    assert counts["right"] == len(set(entities_of(gold)) & set(entities_of(predicted)))
    assert spurious <= len(entities_of(predicted)) - counts["right"]


def test_parts_by_length_are_whole_and_scored_alone() -> None:
    rows = [Example("ก" * size, ("a",), "") for size in (1, 1, 1, 1, 2, 3, 4, 5, 6, 7)]
    predicted = [["a" if len(row.text) < 5 else "b"] for row in rows]
    found = by_length("sequence", "accuracy", rows, predicted)
    assert found[0] == (1, 1, 4, 1.0)  # rows of one length stay together
    assert sum(count for _, _, count, _ in found) == 10
    assert found[-1] == (6, 7, 2, 0.0)
    assert by_length("sequence", "accuracy", rows[:1], predicted[:1]) == [(1, 1, 1, 1.0)]
    with pytest.raises(ValueError, match="by length"):
        by_length("words", "boundary_f1", [], [])


def test_the_most_wrong_row_comes_first() -> None:
    rows = [tagged("ก ข ค", "N N V"), tagged("ก ข", "N N"), tagged("ค ง", "V N"), tagged("ก", "N")]
    predicted = [["V", "V", "V"], ["N", "V"], ["V", "V"], ["N"]]
    found = mistakes("pos", rows, predicted)
    assert [one.gold for one in found] == ["ก/N ข/N", "ข/N", "ง/N"]
    assert found[0].where == "test.jsonl:3" and found[0].predicted == "ก/V ข/V"


@pytest.mark.parametrize(
    ("kind", "row", "said", "gold", "predicted", "size"),
    [
        ("sequence", Example("ยาว", ("a",), ""), ["b"], "a", "b", 3),
        ("multilabel", Example("ก", ("b", "a"), ""), ["a", "c"], "a, b", "a, c", 2),
        ("words", tagged("ก ข ค", "B I B"), ["B", "B", "B"], "กข", "ก | ข", 3),
        ("nested", tagged("ก ข", "0:2:x 1:2:y"), ["0:2:x", "0:1:z"], "ข/y", "ก/z", 2),
        ("qa", Example("ก ข", ("ข", "คง"), "", pair="?"), ["ก"], "ข | คง", "ก", 3),
        ("ner", tagged("ก ข", "B-A I-A"), ["B-A", "B-A"], "ข/I-A", "ข/B-A", 1),
    ],
)  # fmt: skip
def test_a_mistake_tells_what_differs(
    kind: str, row: Example, said: list[str], gold: str, predicted: str, size: int
) -> None:
    (one,) = mistakes(kind, [row], [said])  # type: ignore[arg-type]
    assert (one.gold, one.predicted, one.size) == (gold, predicted, size)
    assert not mistakes(kind, [row], [list(row.gold)[: 1 if kind == "qa" else None]])  # type: ignore[arg-type]


def test_an_answer_that_differs_in_punctuation_is_no_mistake() -> None:
    row = Example("ปี 2533.", ("2533",), "", pair="?")
    assert not mistakes("qa", [row], [["2533."]])
    assert score("qa", [row.gold], [["2533."]])["exact_match"] == 1.0
