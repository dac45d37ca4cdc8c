"""SentencePiece's normalizer and ours give equal text, key by key and on any text."""

from __future__ import annotations

import io
import re
from functools import cache

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers

from thaitok.convert.charsmap import charsmap_normalizers, read_charsmap
from thaitok.rules import SPACE_TOKEN

ALPHABET = (
    "กุู่้ำ\u0e4d\u0e3a \u00a0eaAâạǍ\u0301\u0323\u0302\u0308\u0307\u0304ＡﾊﾟﾞハЙи\u0306\u3099가각ㄱㅏ"
    "각α\u0313\u0345\u0342😀\u200d\ufe0f\u200b\ufeff\u00ad\t\r\n\x7f\x00<\u0338>½¨㎏ª™İſ\u1e9b"
    "श\u093cো\u09c7\u09be𝐀①ﷺ∅\u2028▁"
)
RULES = ("nmt_nfkc", "nfkc")

NEW_SCRIPTS = re.compile(
    "[\U000105c0-\U000105ff\U00011380-\U000113ff\U00011900-\U0001195f\U00016100-\U00016dff]"
)
"""Scripts of which Unicode's tables in `tokenizers` know less than SentencePiece's."""


@cache
def both(rule: str) -> tuple[sentencepiece.SentencePieceProcessor, normalizers.Normalizer, bytes]:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello world abc"] * 50),
        model_writer=model,
        vocab_size=20,
        hard_vocab_limit=False,
        normalization_rule_name=rule,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        user_defined_symbols=[SPACE_TOKEN],
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())  # type: ignore[attr-defined]
    blob = proto.normalizer_spec.precompiled_charsmap
    steps = charsmap_normalizers(blob, [SPACE_TOKEN])
    return (
        sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()),
        normalizers.Sequence(steps),
        blob,
    )


def assert_equal(text: str, rule: str = "nmt_nfkc") -> None:
    model, normalizer, _ = both(rule)
    assert normalizer.normalize_str(text).replace(" ", "▁") == model.normalize(text), ascii(text)


def test_the_keys_of_the_table_are_replaced_alike() -> None:
    keys = [key for key in read_charsmap(both("nmt_nfkc")[2]) if not NEW_SCRIPTS.search(key)]
    assert len(keys) > 225_000
    for key in keys[::17]:
        assert_equal(key)


def test_characters_are_replaced_alike() -> None:
    codes = (*range(1, 0x3400), *range(0xF900, 0xFDD0), *range(0xFDF0, 0x10000), *range(1 << 17))
    for code in codes[:0x3400] + codes[0x3400::7]:
        if not (0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or not code):
            assert NEW_SCRIPTS.search(chr(code)) or assert_equal(chr(code)) is None


@pytest.mark.parametrize("rule", RULES)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_texts_are_normalised_alike(rule: str, data: st.DataObject) -> None:
    text = st.text(ALPHABET, max_size=8) | st.just(SPACE_TOKEN)
    assert_equal("".join(data.draw(st.lists(text, max_size=4))).replace("\x00", ""), rule)


@pytest.mark.parametrize(
    "text",
    [
        "ราคา\u00a0\u0e49",  # `Precompiled` alone loses the mark
        "ﾊﾟﾋﾞ",
        "e\u0301\u0323",
        "a\u0323\u0302 â\u0301 â\u0323",  # Windows' Vietnamese is not composed
        "กุ่ ก\u0e48\u0e38",  # and nothing is reordered
        "\x7fก",  # with which `Precompiled` panics
        "\u0301ก",
        f"{SPACE_TOKEN}\u0338",
    ],
)
def test_what_was_told_apart_once(text: str) -> None:
    assert_equal(text)
