from __future__ import annotations

import pytest
from seqeval.metrics import f1_score

from finetune.measure.metrics import by_label, label_scores, score


def test_strict_counts_no_entity_without_its_beginning() -> None:
    # By hand: gold PER(0-1), LOC(3); predicted an I-PER run without B-PER, and LOC(3).
    # One of one predicted entities is right, one of two gold ones is found: F1 = 2/3.
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    predicted = [["I-PER", "I-PER", "O", "B-LOC"]]
    found = score("ner", gold, predicted)
    assert found["entity_precision"] == 1.0
    assert found["entity_recall"] == 0.5
    assert found["entity_f1"] == pytest.approx(2 / 3)
    assert found["accuracy"] == 0.75
    assert f1_score(gold, predicted) == 1.0  # seqeval's default forgives it


def test_strict_wants_the_whole_entity_and_its_type() -> None:
    gold = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-PER"]]
    predicted = [["B-PER", "O", "O"], ["B-PER", "O", "B-PER"]]
    found = score("ner", gold, predicted)  # right: the last PER only; 3 gold, 3 predicted
    assert found["entity_f1"] == pytest.approx(1 / 3)
    # PER: 1 of 3 predicted, 1 of 2 gold, F1 2/5; LOC: 0. Macro: their mean.
    assert found["entity_macro_f1"] == pytest.approx(0.2)


def test_no_entity_anywhere_scores_nothing_and_does_not_warn() -> None:
    found = score("ner", [["O", "O"]], [["O", "I-PER"]])
    assert found["entity_f1"] == 0.0
    assert found["accuracy"] == 0.5
    assert by_label("ner", [["O"]], [["O"]]) == []


def test_no_entity_predicted_scores_nothing_and_does_not_warn() -> None:
    assert score("ner", [["B-PER"]], [["O"]])["entity_f1"] == 0.0
    assert score("ner", [["O"]], [["B-PER"]])["entity_f1"] == 0.0


def test_macro_f1_is_over_the_labels_of_gold_and_predictions() -> None:
    # a: precision 1/1, recall 1/2, F1 2/3; b: 1/1, 1/1, 1; c: never gold, F1 0.
    found = label_scores(["a", "a", "b"], ["a", "c", "b"])
    assert found["accuracy"] == found["micro_f1"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_parts_of_speech_are_scored_word_by_word() -> None:
    found = score("pos", [["NOUN"], ["VERB", "NOUN", "NOUN"]], [["NOUN"], ["NOUN", "NOUN", "VERB"]])
    assert found["accuracy"] == 0.5


def test_labels_that_do_not_pair_off_are_a_bug() -> None:
    with pytest.raises(ValueError, match="pair off"):
        score("pos", [["NOUN", "VERB"]], [["NOUN"]])


def test_each_label_has_its_figures() -> None:
    rows = by_label("sequence", [["a"], ["a"], ["b"]], [["a"], ["b"], ["b"]])
    assert [(label, count) for label, _, count in rows] == [("a", 2), ("b", 1)]
    assert rows[0][1] == {"precision": 1.0, "recall": 0.5, "f1-score": pytest.approx(2 / 3)}
