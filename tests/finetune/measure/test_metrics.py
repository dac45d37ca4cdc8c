from __future__ import annotations

import warnings
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import classification_report as seqeval_report
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from finetune.data.entities import entities_of
from finetune.measure.counts import counted_labels, row_counts
from finetune.measure.metrics import COUNTED, by_label, figure_of, score

# Broken BIO on purpose, and a type with a hyphen.
TAGS = ["O", "B-A", "I-A", "B-B", "I-B", "I-C", "B-X-Y", "I-X-Y"]
tagged_rows = st.lists(
    st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12),
    min_size=1, max_size=6,
)  # fmt: skip
label_pairs = st.integers(1, 4).flatmap(
    lambda many: st.lists(
        st.tuples(st.integers(0, many - 1).map(str), st.integers(0, 3).map(str)),
        min_size=1, max_size=30,
    )
)  # fmt: skip


def sides(rows: list[list[tuple[str, str]]]) -> tuple[list[list[str]], list[list[str]]]:
    return [[g for g, _ in row] for row in rows], [[p for _, p in row] for row in rows]


@given(tagged_rows)
def test_entities_are_scored_as_seqeval_does_strictly(rows: list[list[tuple[str, str]]]) -> None:
    gold, predicted = sides(rows)
    found = score("ner", gold, predicted)
    if not any(tag[0] == "B" for tag in chain(*gold, *predicted)):  # seqeval cannot
        assert [found[name] for name in COUNTED["ner"]] == [0.0] * 4
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = seqeval_report(
            gold, predicted, output_dict=True, mode="strict", scheme=IOB2, zero_division=0
        )
    assert found["entity_f1"] == pytest.approx(report["micro avg"]["f1-score"])
    assert found["entity_precision"] == pytest.approx(report["micro avg"]["precision"])
    assert found["entity_recall"] == pytest.approx(report["micro avg"]["recall"])
    assert found["entity_macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert found["accuracy"] == pytest.approx(accuracy_score([*chain(*gold)], [*chain(*predicted)]))
    for label, figures, count in by_label("ner", gold, predicted):
        assert figures == pytest.approx({name: report[label][name] for name in figures})
        assert count == report[label]["support"]


@given(label_pairs)
def test_labels_are_scored_as_scikit_learn_does(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    found = score("sequence", [[g] for g in gold], [[p] for p in predicted])
    assert found == pytest.approx({
        "accuracy": accuracy_score(gold, predicted),
        "micro_f1": f1_score(gold, predicted, average="micro"),
        "macro_f1": f1_score(gold, predicted, average="macro", zero_division=0.0),
    })  # fmt: skip
    assert found == score("pos", [gold], [predicted])  # a tag a word: the same count
    names = ("precision", "recall", "f1-score")
    theirs = precision_recall_fscore_support(gold, predicted, zero_division=0.0)
    ours = by_label("sequence", [[g] for g in gold], [[p] for p in predicted])
    assert [label for label, _, _ in ours] == sorted(set(gold) | set(predicted))
    for at, name in enumerate(names):
        assert [figures[name] for _, figures, _ in ours] == pytest.approx(theirs[at])


sets = st.lists(st.sampled_from("abcd"), unique=True)


@given(st.lists(st.tuples(sets, sets), min_size=1, max_size=20))
def test_sets_of_labels_are_scored_as_scikit_learn_does(rows: list[tuple[list[str], ...]]) -> None:
    gold, predicted = [g for g, _ in rows], [p for _, p in rows]
    found = score("multilabel", gold, predicted)
    labels = counted_labels("multilabel", gold, predicted)
    if not labels:
        assert found == {"micro_f1": 0.0, "macro_f1": 0.0, "accuracy": 1.0}
        return
    binary = MultiLabelBinarizer(classes=labels)
    right, said = binary.fit_transform(gold), binary.fit_transform(predicted)
    assert found == pytest.approx({
        "micro_f1": f1_score(right, said, average="micro", zero_division=0.0),
        "macro_f1": f1_score(right, said, average="macro", zero_division=0.0),
        "accuracy": accuracy_score(right, said),
    })  # fmt: skip


@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1), min_size=1))
def test_a_word_is_right_when_both_its_borders_are(rows: list[list[tuple[bool, bool]]]) -> None:
    gold, predicted = sides([[("IB"[g], "IB"[p]) for g, p in row] for row in rows])
    hits = said = right = 0
    for wanted, found in zip(gold, predicted, strict=True):  # by brute force
        spans = [
            {(a, b) for a in range(len(side)) for b in range(a + 1, len(side) + 1)
             if (a == 0 or side[a] == "B") and (b == len(side) or side[b] == "B")
             and "B" not in side[a + 1 : b]}
            for side in (wanted, found)
        ]  # fmt: skip
        hits, right, said = (
            hits + len(spans[0] & spans[1]),
            right + len(spans[0]),
            said + len(spans[1]),
        )
    figures = score("words", gold, predicted)
    assert figures["word_precision"] == pytest.approx(hits / said)
    assert figures["word_recall"] == pytest.approx(hits / right)
    assert figures["word_f1"] == pytest.approx(2 * hits / (said + right))


def test_borders_of_words_leave_out_the_first_of_a_row() -> None:
    # One border in gold and two predicted, one of them right: F1 = 2/3.
    assert score("words", [list("BIB")], [list("IBB")])["boundary_f1"] == pytest.approx(2 / 3)
    assert score("words", [list("BI")], [list("BI")])["boundary_f1"] == 0.0


def test_nested_entities_count_whole_and_by_depth() -> None:
    gold = [["0:5:date", "0:3:day", "2:3:cardinal"], ["1:2:unit"]]
    predicted = [["0:5:date", "0:3:month", "2:3:cardinal", "2:3:cardinal"], []]
    found = score("nested", gold, predicted)
    assert found["entity_precision"] == pytest.approx(2 / 3)  # said twice counts once
    assert found["entity_recall"] == pytest.approx(2 / 4)
    assert found["entity_f1"] == pytest.approx(4 / 7)
    assert found["entity_macro_f1"] == pytest.approx(2 / 5)  # date, cardinal of five types
    assert found["outer_recall"] == 0.5 and found["inner_recall"] == 0.5


def test_a_flat_row_scores_the_same_nested() -> None:
    gold, predicted = [["B-A", "I-A", "O", "B-B"]], [["B-A", "O", "O", "B-B"]]
    nested = [
        [[f"{first}:{end}:{kind}" for first, end, kind in entities_of(row)] for row in side]
        for side in (gold, predicted)
    ]
    flat = score("ner", gold, predicted)
    assert score("nested", *nested)["entity_f1"] == flat["entity_f1"] == 0.5


def test_strict_counts_no_entity_without_its_beginning() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    predicted = [["I-PER", "I-PER", "O", "B-LOC"]]
    assert score("ner", gold, predicted)["entity_f1"] == pytest.approx(2 / 3)
    assert seqeval_f1(gold, predicted) == 1.0  # its default forgives it


def test_the_counts_of_rows_sum_to_the_score() -> None:
    gold, predicted = [["B-A", "O"], ["B-B", "I-B"]], [["B-A", "B-B"], ["B-B", "I-B"]]
    labels = counted_labels("ner", gold, predicted)
    counts = row_counts("ner", gold, predicted, labels)
    assert counts.shape == (2, 2, 3)
    assert counts[0].tolist() == [[1, 1, 1], [0, 1, 0]]
    assert figure_of("entity_f1", counts.sum(0)) == score("ner", gold, predicted)["entity_f1"]
    with pytest.raises(ValueError, match="counts"):
        figure_of("loss", counts.sum(0))


@pytest.mark.parametrize("kind", COUNTED)
def test_no_row_scores_nothing_and_does_not_warn(kind: str) -> None:
    assert set(score(kind, [], []).values()) == {0.0}  # type: ignore[arg-type]


def test_rows_that_do_not_pair_off_are_a_bug() -> None:
    with pytest.raises(ValueError, match="pair off"):
        score("pos", [["NOUN", "VERB"]], [["NOUN"]])
    with pytest.raises(ValueError, match="rows of gold"):
        score("multilabel", [["a"]], [])
    with pytest.raises(ValueError, match="pair off"):
        score("qa", [["a", "b"]], [["a", "b"]])
