"""Small tokenizers of every kind, trained here by SentencePiece itself."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import sentencepiece
from pythainlp.corpus import thai_words

from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize
from thaitok.tokenizer_json import read_model, write_tokenizer_files

Trained = Callable[..., Path]


def lines() -> list[str]:
    chance, words = random.Random(0), sorted(thai_words())
    more = ("กกก", "555", "5555", "abab", "ababa", "aba", "ขำๆ", "!!!", "iPhone", "ABC", "ΣΑΣ", "İ")
    marks = ("<", ">", "</", "a<b", "<b>", "s>", "_", "<<", "0", "x", "mask", "unk", "pad", "/")
    return [
        " ".join(
            "".join(chance.choices((*words[:: len(words) // 60], *more, *marks), k=3))
            for _ in range(4)
        )
        for _ in range(900)
    ]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a tokenizer of 420 pieces: unigram or bpe, with bytes or without, cased or not."""

    @cache
    def train(algorithm: str = "unigram", byte_fallback: bool = False, lower: bool = False) -> Path:
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([mark_spaces(normalize(line, lower)) for line in lines()]),
            model_writer=model,
            model_type=algorithm,
            vocab_size=420 + 256 * byte_fallback,
            byte_fallback=byte_fallback,
            character_coverage=1.0,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            split_by_unicode_script=False,
            bos_id=0,
            pad_id=1,
            eos_id=2,
            unk_id=3,
            control_symbols=["<mask>"],
            user_defined_symbols=[SPACE_TOKEN],
            hard_vocab_limit=False,
            minloglevel=2,
        )
        folder = tmp_path_factory.mktemp(algorithm)
        write_tokenizer_files(folder, read_model(model.getvalue()), 512, lower)
        return folder

    return train
