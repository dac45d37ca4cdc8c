from __future__ import annotations

import itertools
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from finetune.model.align import Place, locate_words, place_words, reading_order
from finetune.model.encode import encode_words
from finetune.model.windows import Window, cut_windows
from thaitok.alignment import join_words

WORD = st.text(
    st.sampled_from("กขคงจชดตนมยรลวสหอเแะาิีุู่้์ำ 19abZ.,()😀\u200b\ufeff\u0e4d"), min_size=1, max_size=8
)
WORDS = st.lists(WORD, min_size=1, max_size=12)


@given(WORDS, st.lists(st.booleans(), min_size=12, max_size=12))
def test_joined_words_stand_where_their_spans_say(words: list[str], spaces: list[bool]) -> None:
    text, spans = join_words(words, spaces[: len(words)])
    assert [text[start:end] for start, end in spans] == words
    gaps = [text[end:start] for (_, end), (start, _) in itertools.pairwise(spans)]
    assert gaps == [" " * space for space in spaces[: len(words) - 1]]


def test_words_without_space_after_are_joined_as_they_are() -> None:
    assert join_words(["15", " ", "ธ.ค."]) == ("15 ธ.ค.", [(0, 2), (2, 3), (3, 7)])


def test_words_are_found_in_the_text_they_rebuild() -> None:
    assert locate_words(["ไป", "กิน", "ข้าว"], "ไปกิน  ข้าว ") == [(0, 2), (2, 5), (7, 11)]
    assert locate_words(["ไป", " ", "กิน"], "ไป กิน") == [(0, 2), (2, 3), (3, 6)]
    assert locate_words(["ไป", "นอน"], "ไปกิน") is None
    assert locate_words(["ไป"], "ไปกิน") is None
    assert locate_words(["กิน"], "ไปกิน") is None


def window(*spans: tuple[int, int]) -> Window:
    return Window((0, *range(5, 5 + len(spans)), 2), ((0, 0), *spans, (0, 0)))


def test_a_word_is_read_on_its_first_piece() -> None:
    places = place_words([(0, 4), (4, 6)], [window((0, 2), (2, 4), (4, 6))])
    assert places == [Place(0, 1, True), Place(0, 3, True)]


def test_a_word_swallowed_by_the_piece_before_shares_it() -> None:
    places = place_words([(0, 2), (2, 4), (4, 5)], [window((0, 4), (4, 5))])
    assert places == [Place(0, 1, True), Place(0, 1, False), Place(0, 2, True)]


def test_a_piece_across_the_border_belongs_to_the_word_that_is_free() -> None:
    # The first word has a piece to itself, so the crossing one can speak for the second.
    places = place_words([(0, 3), (3, 6)], [window((0, 2), (2, 4), (4, 6))])
    assert places == [Place(0, 1, True), Place(0, 2, True)]


def test_a_word_without_any_piece_has_no_place() -> None:
    assert place_words([(0, 1), (1, 2)], [window((1, 2))]) == [None, Place(0, 1, True)]


def test_a_word_in_two_windows_is_read_far_from_the_edge() -> None:
    words = [(at, at + 1) for at in range(6)]
    left, right = window(*words[:4]), window(*words[2:])
    places = place_words(words, [left, right])
    assert [place.window for place in places if place] == [0, 0, 0, 1, 1, 1]
    assert [place.piece for place in places if place] == [1, 2, 3, 2, 3, 4]


@pytest.mark.parametrize(
    "text", ["ไปเเข็งเเรง", "ท\u0e4d\u0e32งาน", "น\u0e4d\u0e49\u0e32", "ก\u200bา", "ไป\u200bมา"]
)
def test_no_character_falls_between_two_pieces(
    tokenizer: PreTrainedTokenizerFast, text: str
) -> None:
    # A rule that reads two characters as one has an offset for one of them only.
    spans = cut_windows(tokenizer, [text], 64)[0][0].spans
    assert {at for start, end in spans for at in range(start, end)} == set(range(len(text)))


def test_a_byte_order_mark_does_not_take_the_piece_of_the_first_word(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    text, spans = join_words(["\ufeff", "สมชาย"])
    first, second = encode_words(tokenizer, [text], [spans], 64).places[0]
    assert first is None
    assert second == Place(0, 1, own=True)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(WORDS, min_size=1, max_size=3), length=st.sampled_from([8, 11, 64]))
def test_every_word_is_placed_on_a_piece_that_touches_it(
    tokenizer: PreTrainedTokenizerFast, rows: list[list[str]], length: int
) -> None:
    joined = [join_words(words) for words in rows]
    encoded = encode_words(
        tokenizer, [text for text, _ in joined], [spans for _, spans in joined], length
    )
    assert len(encoded.places) == len(rows)
    assert max(len(window.ids) for windows in encoded.windows for window in windows) <= length
    for row, (_, spans) in enumerate(joined):
        assert len(encoded.places[row]) == len(spans)
        covered = {
            at
            for window in encoded.windows[row]
            for start, end in window.spans
            for at in range(start, end)
        }
        owners = [
            (place.window, place.piece) for place in encoded.places[row] if place and place.own
        ]
        assert len(set(owners)) == len(owners)  # no piece carries two labels
        for (start, end), place in zip(spans, encoded.places[row], strict=True):
            assert (place is None) == covered.isdisjoint(range(start, end))
            if place:
                piece_start, piece_end = encoded.windows[row][place.window].spans[place.piece]
                assert piece_start < end and piece_end > start


def test_pieces_round_trip_to_words_on_thai(tokenizer: PreTrainedTokenizerFast) -> None:
    words = ["คุณ", "สมชาย", " ", "ไป", "เชียงใหม่", "เมื่อวานนี้"] * 6
    text, spans = join_words(words)
    encoded = encode_words(tokenizer, [text], [spans], 16)
    assert len(encoded.windows[0]) > 3
    for before, after in pairwise(encoded.windows[0]):
        assert after.spans[1][0] < before.spans[-2][1]  # they share some text
    for place, (start, end) in zip(encoded.places[0], spans, strict=True):
        assert place and place.own
        piece_start, piece_end = encoded.windows[0][place.window].spans[place.piece]
        assert piece_start < end and piece_end > start


@settings(max_examples=60, deadline=None)
@given(words=WORDS, times=st.integers(1, 12), length=st.sampled_from([8, 11, 64]))
def test_each_piece_of_a_text_is_read_once_and_in_order(
    tokenizer: PreTrainedTokenizerFast, words: list[str], times: int, length: int
) -> None:
    text = "".join(words) * times
    (windows,) = cut_windows(tokenizer, [text], length)
    (whole,) = cut_windows(tokenizer, [text], 10_000)
    order = reading_order(windows)
    ids = [{windows[window].ids[piece] for window, piece in places} for places in order]
    inside = [piece for piece, (start, end) in enumerate(whole[0].spans) if start < end]
    assert ids == [{whole[0].ids[piece]} for piece in inside]


def test_a_question_stands_before_every_window_of_its_context(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    context, question = "อาหารร้านนี้อร่อยมาก " * 9, "ราคา"
    (windows,) = cut_windows(tokenizer, [context], 24, [question])
    assert len(windows) > 3
    first = tokenizer(question, add_special_tokens=False)["input_ids"]
    for window in windows:
        assert list(window.ids[1 : 1 + len(first)]) == first
        assert all(start == end for start, end in window.spans[: 1 + len(first)])
    read = {at for window in windows for start, end in window.spans for at in range(start, end)}
    assert read == set(range(len(context)))
    (short,) = cut_windows(tokenizer, ["ดี"], 24, [context])
    assert len(short) == 1 and len(short[0].ids) <= 24
