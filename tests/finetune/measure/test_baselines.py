from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.entities import entities_of, layer_tags, parse_entities
from finetune.data.rows import Example
from finetune.measure import crf
from finetune.measure.baselines import BASELINES
from finetune.measure.crf import cluster_features, repaired, word_features
from finetune.measure.linear import tfidf_svm_sets
from finetune.measure.metrics import COUNTED, score
from finetune.measure.naive import frequent_labels, majority, most_frequent_tag, newmm_words
from finetune.measure.overlap import dictionary, word_overlap
from thaitok.alignment import join_words


def tagged(words: Sequence[str], gold: Sequence[str]) -> Example:
    text, spans = join_words(words)
    return Example(text, tuple(gold), "", tuple(words), tuple(spans))


def labelled(text: str, *gold: str, pair: str | None = None) -> Example:
    return Example(text, gold, "", pair=pair)


def plain_rows(kind: str, count: int, seed: int) -> list[Example]:
    """Make rows of a kind that are easy to learn."""
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        name, place = dice.choice(["ชาย", "หญิง"]), dice.choice(["ตรัง", "น่าน"])
        good, long = dice.random() < 0.5, dice.random() < 0.5
        words = ["คุณ", "สม", name, "ไป", place]
        if kind == "sequence":
            rows.append(labelled(f"{place} {'ดีมาก' if good else 'แย่มาก'}", "+" if good else "-"))
        elif kind == "multilabel":
            gold = [label for label, holds in (("good", good), ("long", long)) if holds]
            said = f"{'ดีมาก' if good else 'แย่มาก'} {'ยาวนาน' if long else 'สั้น'}"
            rows.append(labelled(said, *gold))
        elif kind == "ner":
            rows.append(tagged(words, ["O", "B-PER", "I-PER", "O", "B-LOC"]))
        elif kind == "pos":
            rows.append(tagged(words, ["N", "N", "N", "V", "N"]))
        elif kind == "words":
            rows.append(tagged([*"มาหานา"], "BIBIBI"))
        elif kind == "nested":
            rows.append(tagged(words, ["0:3:person", "1:3:name", "4:5:place"]))
        else:
            context = f"แมวกินปลา {name}เกิดที่จังหวัด{place} หมานอน"
            rows.append(labelled(context, place, pair=f"{name}เกิดที่จังหวัดใด"))
    return rows


@pytest.mark.parametrize("kind", BASELINES)
def test_the_best_baseline_learns_what_is_plain_and_the_same_again(kind: str) -> None:
    train, validation, test = (plain_rows(kind, many, many) for many in (60, 20, 30))
    labels = sorted({label for row in train for label in row.gold})
    name, fit = list(BASELINES[kind].items())[-1]  # type: ignore[index]
    predicted = fit(train, validation, labels)(test)
    figures = score(kind, [row.gold for row in test], predicted)  # type: ignore[arg-type]
    assert figures[COUNTED[kind][0]] > (0.4 if kind == "qa" else 0.95), name  # type: ignore[index]
    assert predicted == fit(train, validation, labels)(test)


@pytest.mark.parametrize("kind", BASELINES)
def test_one_row_is_enough_and_none_to_predict_gives_none(kind: str) -> None:
    rows = plain_rows(kind, 1, 0)
    for fit in BASELINES[kind].values():  # type: ignore[index]
        predict = fit(rows, rows, sorted(set(rows[0].gold)))
        assert len(predict(rows)) == 1 and predict([]) == []


def test_naive_baselines_answer_what_is_frequent() -> None:
    train = [labelled("ก", label) for label in "bbaab"]
    assert majority(train, [], "ab")(train[:2]) == [["b"], ["b"]]
    assert majority(train[:4], [], "ab")(train[:1]) == [["a"]]  # of equals the first in order
    sets = [labelled("ก", *row) for row in ("ab", "a", "", "ac")]
    assert frequent_labels(sets, [], "abc")(sets[:1]) == [["a"]]
    assert frequent_labels(sets[2:3] * 3 + sets[3:], [], "abc")(sets[:1]) == [["a"]]
    assert frequent_labels(sets[2:3], [], "abc")(sets[:1]) == [[]]
    words = [tagged(["ไป", "ไป", "ไป", "บ้าน"], ["VERB", "AUX", "VERB", "NOUN"])]
    unseen = [tagged(["บ้าน", "ไป", "ใหม่"], ["?"] * 3)]
    assert most_frequent_tag(words, [], ())(unseen) == [["NOUN", "VERB", "VERB"]]


def test_newmm_cuts_the_text_as_it_stands() -> None:
    row = tagged(["ไ", "ป", "บ้", "า", "น"], "BIBII")
    assert newmm_words([], [], "BI")([row]) == [list("BIBII")]


def test_thresholds_are_chosen_on_validation_rows() -> None:
    train = plain_rows("multilabel", 60, 1)
    never = [labelled(row.text) for row in train[:20]]
    assert not any(tfidf_svm_sets(train, never, ["good", "long"])(train))


def test_a_pair_is_read_on_both_sides() -> None:
    rows = [labelled("เขามา", "yes" if at % 2 else "no", pair="ใช่แล้ว" if at % 2 else "ไม่มี")
            for at in range(20)]  # fmt: skip
    fit = BASELINES["sequence"]["tfidf_svm"]
    assert fit(rows, [], ["no", "yes"])(rows) == [list(row.gold) for row in rows]


def test_a_dictionary_says_what_was_mostly_an_entity() -> None:
    train = [
        tagged(["ที่", "ตรัง"], ["1:2:place"]),
        tagged(["ที่", "ตรัง", "ตรัง"], ["1:2:place"]),  # two of three: sure enough
        tagged(["ดี", "มา", "ดี"], ["0:1:name"]),
        tagged(["ดี"], []),  # one of three: no entity
    ]
    said = dictionary(train, [], [])([tagged(["ดี", "ตรัง", "ที่"], [])])
    assert said == [["1:2:place"]]


def test_an_answer_lies_amid_the_words_of_the_question() -> None:
    rows = plain_rows("qa", 30, 1)
    for row, (said,) in zip(rows, word_overlap(rows, [], ())(rows), strict=True):
        assert said in row.text
    assert word_overlap(rows, [], ())([labelled("", "ก", pair="")]) == [[""]]


def test_a_word_of_the_question_is_no_answer() -> None:
    train = [labelled("ปลา", "ปลา", pair="?")]  # answers of one word
    row = labelled("ปลา หมา แมว", "ปลา", pair="หมา แมว")
    assert word_overlap(train, [], ())([row]) == [["ปลา"]]


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "I-B"])))
def test_repaired_tags_are_whole_and_only_beginnings_are_new(tags: list[str]) -> None:
    mended = repaired(tags)
    assert [tag[2:] for tag in mended] == [tag[2:] for tag in tags]
    inside = sum(end - first for first, end, _ in entities_of(mended))
    assert inside == sum(tag != "O" for tag in tags)
    assert repaired(mended) == mended
    assert mended == tags or inside > sum(end - first for first, end, _ in entities_of(tags))


def test_layers_hold_each_entity_at_its_depth() -> None:
    gold = ["0:3:date", "0:2:day", "1:2:cardinal", "2:3:month"]
    layers = layer_tags(gold, 4, 3)
    assert layers == [
        ["B-date", "I-date", "I-date", "O"],
        ["B-day", "I-day", "B-month", "O"],
        ["O", "B-cardinal", "O", "O"],
    ]
    found = {entity for layer in layers for entity in entities_of(layer)}
    assert found == set(parse_entities(gold))


def test_a_long_training_split_is_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [([str(at)] * 2, ["X"] * 2) for at in range(100)]
    assert len(list(crf._thinned(rows, 2))) == 100
    monkeypatch.setattr(crf, "WORK", 200.0)  # of 100 rows of 2 words and 2 tags
    assert [row[0][0] for row in crf._thinned(rows, 2)] == [str(at) for at in range(3, 100, 4)]


def test_words_are_described_with_two_neighbours_on_either_side() -> None:
    described = list(word_features(["ไป", "iPhone", "5", " ", "๕", "x"]))
    assert "w=iPhone" in described[1] and "s=aAa" in described[1] and "e=one" in described[1]
    assert "w-1=ไป" in described[1] and "w2= " in described[1] and "w-2=\n" in described[1]
    assert "s1=0" in described[1] and "s=d" in described[4] and "s=_" in described[3]


def test_clusters_are_described_with_the_runs_that_touch_them() -> None:
    first, second = cluster_features(["บ้", "า"])
    assert {"0=บ้", "1=า", "-1=\n", "0+=บ้า", "s1=ก"} <= set(first)
    assert {"-1=บ้", "-1+=บ้า", "0++=า\n\n"} <= set(second)
