from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.clusters import split_clusters
from finetune.data.entities import entities_of
from finetune.data.rows import Example, read_rows
from finetune.data.tags import nest, read_bio
from finetune.data.tasks import Task, describe_task, find_task, own_task
from thaitok.errors import UserError


def read(task: Task, *rows: dict[str, Any]) -> tuple[list[Example], dict[str, int]]:
    repairs: Counter[str] = Counter()
    found = read_rows(task, ((f"f:{n}", row) for n, row in enumerate(rows, 1)), repairs)
    return found, {what: count for what, count in repairs.items() if count}


def bio(text: str) -> tuple[str, int]:
    repairs: Counter[str] = Counter()
    return " ".join(read_bio(text.split(), {}, repairs, "f:1")), repairs.total()


@pytest.mark.parametrize(
    ("given", "read", "mended"),
    [
        ("O B-X I-X O", "O B-X I-X O", 0),
        ("I-X I-X O I-X", "B-X I-X O B-X", 2),
        ("B-X I-Y I-Y", "B-X B-Y I-Y", 1),
        ("S-X B-X I-X E-X O", "B-X B-X I-X I-X O", 0),
        ("U-X B-Y L-Y", "B-X B-Y I-Y", 0),
        ("B_PER_1 E_PER_1 O", "B-PER_1 I-PER_1 O", 0),
        ("O E-X", "O B-X", 1),
    ],
)
def test_tags_are_read_as_bio(given: str, read: str, mended: int) -> None:
    assert bio(given) == (read, mended)


@given(st.lists(st.sampled_from(["O", *(f"{place}-{kind}" for place in "BIES" for kind in "XY")])))
def test_what_is_read_is_sound_bio(tags: list[str]) -> None:
    found, mended = bio(" ".join(tags))
    after = found.split()
    assert len(after) == len(tags)
    for before, tag in zip(["O", *after], after, strict=False):
        assert tag[0] != "I" or before[2:] == tag[2:]
    assert bio(found) == (found, 0)
    assert sum(tag == "O" for tag in tags) == sum(tag == "O" for tag in after)
    assert mended <= sum(tag[0] in "IE" for tag in tags)
    # Against the scorer: strict entities are those of seqeval.
    from seqeval.scheme import IOB2, Entities

    theirs = Entities([after], IOB2).entities[0] if after else []
    assert [(one.start, one.end, one.tag) for one in theirs] == entities_of(after)


@pytest.mark.parametrize("tag", ["PERSON", "B-", "X-PER", "B.PER", ""])
def test_a_tag_of_no_scheme_is_named(tag: str) -> None:
    with pytest.raises(UserError, match="is not BIO; write O, B-TYPE or I-TYPE"):
        read(own_task("ner"), {"tokens": ["ก"], "tags": [tag]})


def test_the_unconfirmed_entities_of_thainer_are_none() -> None:
    row = {"tokens": ["ก", "ข", "ค"], "ner_tags": ["B-ไม่ยืนยัน", "I-ไม่ยืนยัน", "I-LAW"]}
    (found,), repairs = read(find_task("thainer_v1.3"), row)
    assert found.gold == ("O", "O", "B-LAW") and sum(repairs.values()) == 1


ENTITY = st.tuples(st.integers(0, 9), st.integers(1, 9), st.sampled_from("XY"))


@given(st.lists(ENTITY.map(lambda one: (one[0], one[0] + one[1], one[2]))))
def test_nested_entities_never_cross(entities: list[tuple[int, int, str]]) -> None:
    repairs: Counter[str] = Counter()
    kept = nest(entities, repairs)
    assert kept == sorted(set(kept), key=lambda one: (one[0], -one[1], one[2]))
    assert len(kept) + repairs.total() == len(entities) and set(kept) <= set(entities)
    for a, b, _ in kept:
        assert not any(a < c < b < d for c, d, _ in kept)
    lost = set(entities) - set(kept)
    for c, d, _ in lost:  # each had its reason
        assert any(a < c < b < d for a, b, _ in kept)


def test_nested_entities_are_read_from_spans_and_from_layers() -> None:
    words = ["ธนาคาร", "_", "แห่ง", "ประเทศ", "ไทย"]
    spans = [(4, 5, "country"), (0, 5, "org:other"), (0, 5, "org:other"), (3, 6, "x")]
    entities = [{"span": [a, b], "entity_type": kind} for a, b, kind in spans]
    row = {"tokens": [*words, "ว"], "text": "ธนาคาร _ แห่ง ประเทศ ไทย ว", "entities": entities}
    (found,), repairs = read(find_task("thai_nner"), row)
    assert found.text == "ธนาคาร แห่งประเทศไทยว" and found.words[1] == " "
    assert found.gold == ("0:5:org:other", "4:5:country")
    assert sorted(repairs.values()) == [1, 1]
    layers = [["B-org:other", "I-org:other", "I-org:other", "I-org:other", "E-org:other"],
              ["O", "O", "O", "O", "S-country"]]  # fmt: skip
    (same,), repairs = read(find_task("thai_nner"), {"tokens": words, "layers": layers})
    assert same.gold == found.gold and not repairs
    columns = {"tokens": words, "one": layers[0], "two": layers[1]}
    (again,), _ = read(describe_task("thai_nner", label_column="one,two"), columns)
    assert again.gold == same.gold
    with pytest.raises(UserError, match="f:1: span 0:6 is not within 5 words"):
        read(
            own_task("nested"),
            {"tokens": words, "entities": [{"span": [0, 6], "entity_type": "x"}]},
        )
    with pytest.raises(UserError, match="is no entity; write"):
        read(own_task("nested"), {"tokens": words, "entities": [{"span": [0, 6]}]})


@pytest.mark.parametrize(
    ("answers", "gold", "repairs"),
    [
        ({"text": ["ไทย"], "answer_start": [2]}, ("ไทย",), {}),
        ({"text": ["ไทย", "ลาว"], "answer_start": [2, 6]}, ("ไทย", "ลาว"), {}),
        ([{"text": "ลาว", "answer_start": 6}], ("ลาว",), {}),
        ({"text": ["ลาว"], "answer_start": [0]}, ("ลาว",),
         {"answers moved to where they stand": 1}),
        ("ลาว", ("ลาว",), {}),
        ({"text": ["ก", "ลาว"], "answer_start": [3, 6]}, ("ลาว",),
         {"misaligned answers, dropped": 1}),
        ({"text": ["พม่า"], "answer_start": [0]}, None,
         {"misaligned answers, dropped": 1, "questions with misaligned answers alone, dropped": 1}),
        ({"text": [], "answer_start": []}, None, {"questions without an answer, dropped": 1}),
        (None, None, {"questions without an answer, dropped": 1}),
    ],
)  # fmt: skip
def test_answers_stand_in_their_context(
    answers: Any, gold: tuple[str, ...] | None, repairs: dict[str, int]
) -> None:
    row = {"context": "กกไทย ลาว", "question": "ที่ใด", "answers": answers}
    found, counted = read(own_task("qa"), row)
    assert [one.gold for one in found] == ([gold] if gold else []) and counted == repairs
    for one in found:
        assert one.pair == "ที่ใด"
        assert tuple(one.text[start:end] for start, end in one.spans) == one.gold


def test_answers_that_are_none_are_named() -> None:
    row = {"context": "ก", "question": "?", "answers": {"text": ["ก"], "answer_start": [0, 1]}}
    with pytest.raises(UserError, match="f:1: answers are not as in SQuAD"):
        read(own_task("qa"), row)


def test_pairs_are_read_by_their_names() -> None:
    task = find_task("xnli_th")
    (found, empty), _ = read(
        task,
        {"premise": "ฝนตก", "hypothesis": "ถนนเปียก", "label": 0},
        {"premise": "ฝนตก", "hypothesis": None, "label": "neutral"},
    )
    assert (found.text, found.pair, found.gold) == ("ฝนตก", "ถนนเปียก", ("entailment",))
    assert empty.pair == ""


@pytest.mark.parametrize(
    ("labels", "gold"),
    [("b|a", ("a", "b")), ("b, a", ("a", "b")), ("a", ("a",)), ("", ()), (["b", "b"], ("b",)),
     (None, ()), ("a;c", ("a", "c"))],
)  # fmt: skip
def test_labels_are_read_from_lists_and_strings(labels: Any, gold: tuple[str, ...]) -> None:
    (found,), _ = read(own_task("multilabel"), {"text": "ก", "labels": labels})
    assert found.gold == gold


def test_topics_of_prachathai_are_columns_of_yes_and_no() -> None:
    task = find_task("prachathai67k")
    row = {"title": "ข่าว", **dict.fromkeys(task.columns["label"].split(","), "neg"), "ict": "pos"}
    (found,), _ = read(task, row)
    assert (found.text, found.gold) == ("ข่าว", ("ict",))
    with pytest.raises(UserError, match="labor is 'maybe'; write 0 or 1"):
        read(task, {**row, "labor": "maybe"})


@pytest.mark.parametrize("tokens", [["ไป", "กิน"], "ไป กิน", "ไป|กิน|", '["ไป", "กิน"]'])
def test_tokens_are_lists_or_strings(tokens: Any) -> None:
    (found,), _ = read(own_task("pos"), {"words": tokens, "upos": "VERB VERB"})
    assert (found.words, found.text) == (("ไป", "กิน"), "ไปกิน")
    assert found.gold == ("VERB", "VERB")


def test_words_that_normalise_to_nothing_stay_and_rows_without_words_go() -> None:
    found, repairs = read(
        own_task("pos"),
        {"tokens": ["\u200b", "ก", " "], "tags": ["X", "N", "P"]},
        {"tokens": [], "tags": []},
    )
    assert found[0].words == ("\u200b", "ก", " ") and len(found) == 1
    assert repairs == {"rows without words, dropped": 1}


WORDS = st.lists(st.text("กำนี้่ะเ a1\u200b😀🏽\u200d🇹🇭\r\n", min_size=1), min_size=1)


@given(WORDS)
def test_clusters_rebuild_the_text(words: list[str]) -> None:
    (found,), repairs = read(own_task("words"), {"tokens": words})
    text = "".join(words)
    assert "".join(found.words) == text == found.text
    assert [text[start:end] for start, end in found.spans] == list(found.words)
    assert len(found.gold) == len(found.words) and found.gold[0] == "B"
    starts = {start for (start, _), tag in zip(found.spans, found.gold, strict=True) if tag == "B"}
    borders = {sum(map(len, words[:number])) for number in range(len(words))}
    assert starts <= borders
    assert len(borders - starts) == sum(repairs.values())


def test_clusters_are_what_a_reader_sees() -> None:
    text = "น้ำที่เก่ำ a\u0301 👩🏽‍🚀🇹🇭🇱🇦\r\n"
    clusters = [text[start:end] for start, end in split_clusters(text)]
    assert clusters == [
        "น้ำ", "ที่", "เ", "ก่ำ", " ", "a\u0301", " ", "👩🏽‍🚀", "🇹🇭", "🇱🇦", "\r\n",
    ]  # fmt: skip
    assert split_clusters("") == []


@given(st.text(st.characters(min_codepoint=0x0E00, max_codepoint=0x0E7F)))
def test_thai_clusters_begin_with_what_can_stand_alone(text: str) -> None:
    for start, end in split_clusters(text)[1:]:
        assert unicodedata.category(text[start]) != "Mn" and text[start] != "ำ"
        assert start < end


def test_white_space_that_no_token_has_is_a_word_of_its_own() -> None:
    (found,), _ = read(own_task("words"), {"tokens": ["ไป", "กิน"], "text": "ไป  กิน"})
    assert found.words == ("ไ", "ป", " ", " ", "กิ", "น")
    assert "".join(found.gold) == "BIBIBI"


def test_orchid_spells_its_signs() -> None:
    row = {"tokens": ["ก", "<space>", "<full_stop>"], "tags": ["PRPE", "PUNC", "PUNC"]}
    (found,), _ = read(find_task("orchidpp_pos"), row)
    assert (found.text, found.gold) == ("ก .", ("RPRE", "PUNC", "PUNC"))


def test_a_column_that_was_named_is_never_another() -> None:
    row = {"text": "ก", "label": "a"}
    with pytest.raises(UserError, match=r"has no column 'mood'; its columns are text, label$"):
        read(describe_task("sequence", label_column="mood"), row)


@pytest.mark.parametrize("label", [None, "", " ", [], 1.5])
def test_a_label_must_be_a_name(label: Any) -> None:
    with pytest.raises(UserError, match=r"f:1: label .* is not a name"):
        read(own_task("sequence"), {"text": "ก", "label": label})
