"""Offsets point into the text as it was given, and leave none of it to nobody or to two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from thaitok.alignment import Span, encode_words, join_words, widen
from thaitok.rules import INVISIBLE, SPACE_TOKEN, normalize
from thaitok.tokenizer import load_tokenizer

Trained = Callable[..., Path]
load = cache(load_tokenizer)
AWKWARD = st.lists(
    st.sampled_from(
        [
            *("เเ", "น\u0e4d\u0e32", "น\u0e4d\u0e49\u0e32", "ก่่่", "ท่ี", "ำ้", "ก", "แมว", "  ", " "),
            *("\u200b", "\ufeff", "\u00a0", "\t\n", "กกกก", "555", "e\u0301", "\u212b", "\u0958"),
            *(
                "👨\u200d👩",
                "\u200d",
                "<s>",
                "<_>",
                "<\u0338",
                "龘",
                "a",
                "ABC",
                "\u200b" * 40,
                " " * 40,
            ),
        ]
    )
    | st.text("เแกน่้ีัำา\u0e4d \u200bab", max_size=4),
    max_size=8,
).map("".join)


def spans_of(model: Tokenizer, text: str) -> tuple[list[str], list[Span]]:
    encoding = model.encode(text, add_special_tokens=False)
    return encoding.tokens, widen(text, encoding.offsets)


def assert_whole(text: str, spans: Sequence[Span]) -> None:
    """No span overlaps another; only white space and what nothing reads is left out."""
    assert all(start <= end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    covered = {at for start, end in spans for at in range(start, end)}
    first = min(covered, default=len(text))
    left = [at for at in range(len(text)) if at not in covered and not text[at].isspace()]
    assert all(at < first for at in left), repr(text)  # dropped before the first token
    assert not normalize(text[:first]).strip(" "), repr(text)


@settings(max_examples=600, deadline=None)
@given(text=AWKWARD)
@example(text="เ" + "\u200b" * 40 + "เเ")
@example(text="เเเ" + "\u200b" * 40 + "เเเเ")
def test_every_character_belongs_to_one_token(trained: Trained, text: str) -> None:
    spans = spans_of(load(trained()), text)[1]
    assert_whole(text, spans)
    if not MOVED & set(text):
        # Read one by one, the tokens' characters give what the text is read as.
        assert "".join(normalize(text[start:end]) for start, end in spans) == normalize(text)


MOVED = set("\u0e4d่้\u0301ี\u0338ั\u0958\u200d")
"""Marks that a rule moves over others or composes: a token may end in the midst of them."""


def same(text: str, span: Span, piece: str) -> bool:
    return normalize(text[slice(*span)]).replace(" ", SPACE_TOKEN) == piece


@pytest.mark.parametrize(
    ("text", "surfaces"),
    [
        ("กเเข", ["ก", "เเ", "ข"]),
        ("เเ", ["เเ"]),
        ("ก   ข", ["ก", "   ", "ข"]),
        ("ก \u200b ข", ["ก", " \u200b ", "ข"]),
        ("ก\u200bข", ["ก\u200b", "ข"]),
        ("ก \u200bข", ["ก", " ", "\u200bข"]),
        ("\ufeffก", ["ก"]),
        ("กข\ufeff", ["ก", "ข\ufeff"]),
        ("ก่่ข", ["ก", "่่", "ข"]),
        ("กe\u0301ข", ["ก", "e\u0301", "ข"]),
        ("ก\u0e4d\u0e32ข", ["ก", "\u0e4d\u0e32", "ข"]),
    ],
)
def test_what_is_read_as_one_belongs_to_one(text: str, surfaces: list[str]) -> None:
    spans = spans_of(letters("กขแ่éำ"), text)[1]  # each character of what is read is a piece
    assert [text[start:end] for start, end in spans] == surfaces


def letters(alphabet: str) -> Tokenizer:
    """Return a tokenizer that knows single characters alone."""
    from tokenizers import models, pre_tokenizers

    from thaitok.rules import tokenizers_normalizer

    pieces = [("<unk>", 0.0), (SPACE_TOKEN, 0.0), *((letter, -1.0) for letter in alphabet)]
    model = Tokenizer(models.Unigram(pieces, 0, False))
    model.normalizer = tokenizers_normalizer()
    model.pre_tokenizer = pre_tokenizers.Split(SPACE_TOKEN, "isolated")
    return model


def test_pieces_of_real_text_are_what_their_surfaces_read_as(
    trained: Trained, real_lines: Callable[[str, int], list[str]]
) -> None:
    model, odd, tokens = load(trained()), 0, 0
    for name in ("social_open", "msdocs_th", "thaigov_v2"):
        for text in real_lines(name, 500):
            pieces, spans = spans_of(model, text)
            assert_whole(text, spans)
            tokens += len(pieces)
            odd += sum(
                not same(text, span, piece)
                for span, piece in zip(spans, pieces, strict=True)
                if piece != "<unk>"
            )
    assert odd / tokens < 2e-5


def test_bytes_of_a_character_belong_to_the_first(trained: Trained) -> None:
    pieces, spans = spans_of(load(trained(byte_fallback=True)), "ก龘ก")
    assert len(pieces) == 5
    assert spans == [(0, 1), (1, 2), (2, 2), (2, 2), (2, 3)]


WORDS = st.lists(
    st.sampled_from(
        ["แมว", "กก", "กิน", " ", "เเล้ว", "\u200b", "555", "<s>", "น\u0e4d\u0e32", "ABC"]
    ),
    max_size=10,
)


@settings(max_examples=200, deadline=None)
@given(words=WORDS, spaces=st.lists(st.booleans(), min_size=10, max_size=10), kind=st.booleans())
def test_words_have_the_tokens_that_share_their_characters(
    trained: Trained, words: list[str], spaces: list[bool], kind: bool
) -> None:
    model: Tokenizer | PreTrainedTokenizerFast = load(trained())
    plain = load(trained()).encode(join_words(words, spaces)[0]).ids
    if kind:
        model = wrapped(trained())
    found = encode_words(model, words, spaces)
    text, places = join_words(words, spaces)
    assert found.text == text
    assert list(found.ids) == plain, "the text is encoded as it is"
    assert len(found.words) == len(found.ids) and len(found.tokens) == len(words)
    for number, (start, end) in enumerate(found.offsets):
        touched = [word for word, (a, b) in enumerate(places) if max(a, start) < min(b, end)]
        assert touched == [word for word in range(len(words)) if number in found.tokens[word]]
        owner = found.words[number]
        assert owner is None or owner in touched
        if touched and text[start:end].strip():
            assert owner is not None


@cache
def wrapped(folder: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(folder)


def test_labels_come_from_the_words_of_tokens(trained: Trained) -> None:
    words, tags = ["แมว", "กิน", "ข้าว"], [1, 2, 3]
    found = encode_words(load(trained()), words, [False, True, False])
    labels = [-100 if word is None else tags[word] for word in found.words]
    assert labels[0] == labels[-1] == -100
    assert [label for label in dict.fromkeys(labels) if label != -100] == tags
    assert labels[found.ids.index(5)] == -100, "a space between words"
    own = encode_words(load(trained()), ["แมว", " ", "กิน"])
    assert own.words[own.ids.index(5)] == 1, "a word that is a space"


def test_a_long_run_takes_linear_time(trained: Trained) -> None:
    text = ("\u200b" * 50_000 + "ก") * 4
    assert_whole(text, spans_of(load(trained()), text)[1])
    assert INVISIBLE.compiled()(text) == "กกกก"
