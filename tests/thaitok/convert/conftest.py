"""Stand-ins of the old Hub folders, in their exact layouts, trained here by SentencePiece."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from pythainlp.corpus import thai_words

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.rules import SPACE_TOKEN
from thaitok.wangchanberta import process_transformers

StandIn = Callable[..., Path]
LAYOUTS = ("wangchanberta", "phayathaibert", "camembert", "xlm-roberta", "wiki-spm")
PIECES = 600
ADDED = {"<ใหม่>": PIECES + 5, "@@x": PIECES + 7}
"""Ids beyond SentencePiece's, with one that is nobody's between them."""
CONFIGS: Mapping[str, tuple[str, str, int]] = {
    "wangchanberta": ("camembert", "CamembertTokenizer", PIECES + 5),
    "phayathaibert": ("camembert", "CamembertTokenizer", PIECES + 8),
    "camembert": ("camembert", "CamembertTokenizer", PIECES + 5),
    "xlm-roberta": ("xlm-roberta", "XLMRobertaTokenizer", PIECES + 2),
    "wiki-spm": ("roberta", "ThaiRobertaTokenizer", PIECES),
}
"""model_type, tokenizer_class and rows of each."""


def lines() -> list[str]:
    chance, words = random.Random(0), sorted(thai_words())
    more = ("กก", "555", "ababa", "ขำๆ", "!!", "iPhone", "ABC", "é", "½", "😀", "(ก)", "\\", "<b>")
    return [
        " ".join(
            "".join(chance.choices((*words[:: len(words) // 60], *more), k=3)) for _ in range(4)
        )
        for _ in range(900)
    ]


@cache
def serialized(spaced: bool, wiki: bool = False, algorithm: str = "unigram") -> bytes:
    """Train a model as the originals were; `spaced` with the space token."""
    texts = process_transformers(lines()) if spaced else lines()
    options: dict[str, Any] = {"user_defined_symbols": [SPACE_TOKEN]} if spaced else {}
    if wiki:
        options |= {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "add_dummy_prefix": False}
        options["user_defined_symbols"] = ["<mask>", SPACE_TOKEN]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type=algorithm,
        vocab_size=PIECES,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Write the folder of a layout, without weights."""

    @cache
    def write(name: str) -> Path:
        folder = tmp_path_factory.mktemp("source") / name
        folder.mkdir()
        spaced = name not in ("camembert", "xlm-roberta")
        model = serialized(spaced, name == "wiki-spm")
        (folder / "sentencepiece.bpe.model").write_bytes(model)
        model_type, tokenizer_class, rows = CONFIGS[name]
        config = {
            "model_type": model_type, "vocab_size": rows, "hidden_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8,
            "max_position_embeddings": 512, "pad_token_id": 1, "bos_token_id": 0,
            "eos_token_id": 2, "auto_map": {"AutoModel": "evil.Model"}, "tokenizer_class": "Old",
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        said = json.dumps({"tokenizer_class": tokenizer_class})
        (folder / "tokenizer_config.json").write_text(said)
        if name == "phayathaibert":
            (folder / "added_tokens.json").write_text(json.dumps(ADDED, ensure_ascii=False))
        return folder

    return write


@pytest.fixture(scope="session")
def converted(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    @cache
    def convert(name: str) -> Path:
        out = tmp_path_factory.mktemp("converted") / name
        convert_tokenizer(ConvertConfig(source=str(stand_in(name)), out=out))
        return out

    return convert
