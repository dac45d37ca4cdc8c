from __future__ import annotations

import numpy as np
from transformers import PreTrainedTokenizerFast

from finetune.data.rows import Example
from finetune.model.align import join_words
from finetune.model.encode import (
    IGNORED,
    collate,
    decode_words,
    encode,
    training_rows,
    unread_scores,
)

LABELS = ("O", "B-PER", "I-PER")


def example(words: list[str], tags: list[str]) -> Example:
    text, spans = join_words(words)
    return Example(text, tuple(tags), "here:1", tuple(words), tuple(spans))


def test_each_word_is_labelled_once_however_many_windows(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    words = ["คุณ", "สมชาย", "ไป", "เชียงใหม่"] * 12
    gold = example(words, ["O", "B-PER", "O", "O"] * 12)
    encoded = encode(tokenizer, [gold], 20)
    rows = training_rows(encoded, [gold], LABELS)
    assert len(rows) == len(encoded.windows) > 2
    assert all(len(row["labels"]) == len(row["input_ids"]) <= 20 for row in rows)
    own = [place for place in encoded.places[0] if place and place.own]
    labels = [rows[place.window]["labels"][place.piece] for place in own]
    assert labels == [0, 1, 0, 0] * 12
    assert sum(row["labels"].count(1) for row in rows) == 12, "an entity begins once"


def test_the_further_pieces_of_a_word_carry_its_label_on(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    words = ["สมชาย", "เชียงใหม่", "ไป"]
    gold = example(words, ["B-PER", "O", "O"])
    encoded = encode(tokenizer, [gold], 64)
    labels = training_rows(encoded, [gold], LABELS)[0]["labels"]
    begins = [place.piece for place in encoded.places[0] if place]
    assert begins[1] - begins[0] > 1, "the name is several pieces"
    assert labels[begins[0] : begins[1]] == [1] + [2] * (begins[1] - begins[0] - 1)
    assert set(labels[begins[1] : -1]) == {0}
    assert labels[0] == labels[-1] == IGNORED


def test_a_swallowed_word_leaves_the_label_to_the_word_before(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    gold = example(["ทำ", "งาน"], ["B-PER", "O"])
    encoded = encode(tokenizer, [gold], 64)
    assert encoded.swallowed() == 1  # ทำงาน is one piece
    assert training_rows(encoded, [gold], LABELS)[0]["labels"] == [IGNORED, 1, IGNORED]


def test_every_gold_word_gets_a_label(tokenizer: PreTrainedTokenizerFast) -> None:
    # One swallowed by a longer piece, one that normalises to nothing, one cut by windows.
    words = ["ท", "ำงาน", "\u200b", "😀", "คุณ"] * 10
    gold = example(words, ["O"] * 50)
    encoded = encode(tokenizer, [gold], 12)
    assert 0 < encoded.swallowed() < 50
    pieces = [np.log(np.full((len(window.ids), 3), 1 / 3)) for window in encoded.windows]
    assert [len(row) for row in decode_words(encoded, pieces, LABELS, unread_scores(LABELS))] == [
        50
    ]


def test_an_unread_word_has_the_most_frequent_tag_of_training() -> None:
    train = [example(["ก", "ข", "ค"], ["NOUN", "VERB", "VERB"])]
    assert int(unread_scores(("NOUN", "VERB"), train).argmax()) == 1


def test_a_long_text_is_cut_to_its_first_window_and_counted(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    rows = [Example("อาหารร้านนี้อร่อยมาก " * 9, ("a",), ""), Example("ดี", ("a",), "")]
    encoded = encode(tokenizer, rows, 16)
    assert [window.row for window in encoded.windows] == [0, 1]
    assert len(encoded.windows[0].ids) == 16
    assert encoded.cut == 1


def test_a_batch_is_padded_where_nothing_is_scored() -> None:
    rows = [{"input_ids": [0, 5, 2], "labels": [-100, 1, -100]}, {"input_ids": [0], "labels": [2]}]
    batch = collate(rows, pad_id=1)
    assert batch["input_ids"].tolist() == [[0, 5, 2], [0, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 1, -100], [2, -100, -100]]
