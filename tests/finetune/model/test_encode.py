from __future__ import annotations

from transformers import PreTrainedTokenizerFast

from finetune.data.rows import Example
from finetune.model.encode import encode_texts, encode_words


def test_a_long_text_is_read_by_spread_windows_and_counted(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    long = " ".join(f"ราคา {number} บาท" for number in range(60))
    rows = [Example(long, ("a",), ""), Example("ดี", ("a",), "")]
    one = encode_texts(tokenizer, rows, 16, 1)
    three = encode_texts(tokenizer, rows, 16, 3)
    every = encode_texts(tokenizer, rows, 16, 1000)
    assert [len(windows) for windows in one.windows] == [1, 1]
    assert [len(windows) for windows in three.windows] == [3, 1]
    assert (one.cut, three.cut, every.cut) == (1, 1, 0)
    assert one.windows[0][0].ids == every.windows[0][0].ids == three.windows[0][0].ids
    last = every.windows[0].index(three.windows[0][2])
    assert last > len(every.windows[0]) // 2, "the windows are spread over the text"


def test_a_pair_is_one_window_with_both_texts(tokenizer: PreTrainedTokenizerFast) -> None:
    row = Example("ราคา", ("a",), "", pair="แพง" * 30)
    (windows,) = encode_texts(tokenizer, [row], 16, 4).windows
    (window,) = windows
    assert len(window.ids) == 16
    first = tokenizer("ราคา", add_special_tokens=False)["input_ids"]
    assert list(window.ids[1 : 1 + len(first)]) == first


def test_parts_are_the_rows_in_order(tokenizer: PreTrainedTokenizerFast) -> None:
    texts = [f"ราคา {number}" for number in range(7)]
    encoded = encode_words(tokenizer, texts, [[(0, 4)]] * 7, 64)
    parts = list(encoded.parts(3))
    assert [len(part.texts) for part in parts] == [3, 3, 1]
    assert [text for part in parts for text in part.texts] == texts
    assert [places for part in parts for places in part.places] == encoded.places
