"""Small tokenizers of every kind, made here."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

LINES = (
    "แมวนั่งอยู่บนเสื่อหน้าบ้าน แมวกินน้ำ",
    "วันนี้อากาศดีมาก ท้องฟ้าแจ่มใส deploy",
    "น้ำใจงามทำความดี ทำงานที่กรุงเทพมหานคร",
    "ราคาน้ำมันปรับขึ้น 2.50 บาทต่อลิตร naïve café",
    "ฉันชอบฟังเพลงและดูหนังตอนเย็น iPhone online",
) * 4


def train_sentencepiece(path: Path, **options: object) -> Path:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES),
        model_writer=model,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    path.write_bytes(model.getvalue())
    return path


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def rank_file(tokenizer: Tokenizer, path: Path) -> Path:
    """Write a byte-level BPE's pieces as ranks: single bytes first, then merges in their order."""
    pieces = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    spelled = {decode_bytes(piece): None for piece in pieces}
    lines = [b"%s %d" % (base64.b64encode(one), rank) for rank, one in enumerate(spelled)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def decode_bytes(piece: str) -> bytes:
    """Undo GPT-2's way to write bytes as letters (`bytes_to_unicode`)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(byte): byte for byte in shown}
    hidden = [byte for byte in range(256) if byte not in shown]
    letters |= {chr(256 + number): byte for number, byte in enumerate(hidden)}
    return bytes(letters[letter] for letter in piece)


def metaspace_unigram() -> Tokenizer:
    """A unigram model with a mark before each text and NFKC, as of a T5 or XLM-R folder."""
    scores = {"<unk>": 0.0, "\u2581": -1.0, "แมว": -2.0, "กิน": -2.5, "น้": -3.0, "ํ": -3.5}
    scores |= {"า": -3.5, "T": -4.0, "M": -4.0, "\u2581กิน": -4.5}
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), 0, False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of every kind of tokenizer."""
    folder = tmp_path_factory.mktemp("zoo")
    bpe = byte_level()
    bpe.save(str(folder / "bytes.json"))
    metaspace_unigram().save(str(folder / "metaspace.json"))
    return {
        "bytes.json": folder / "bytes.json",
        "metaspace.json": folder / "metaspace.json",
        "gpt2.tiktoken": rank_file(bpe, folder / "gpt2.tiktoken"),
        "nfkc.model": train_sentencepiece(folder / "nfkc.model", vocab_size=150),
        "identity.model": train_sentencepiece(
            folder / "identity.model", vocab_size=150, normalization_rule_name="identity"
        ),
        "bpe.model": train_sentencepiece(
            folder / "bpe.model", vocab_size=200, model_type="bpe", normalization_rule_name="nfkc"
        ),
        "fallback.model": train_sentencepiece(
            folder / "fallback.model", vocab_size=400, byte_fallback=True, character_coverage=0.98
        ),
    }


@pytest.fixture(scope="session")
def jsonl() -> Callable[[Path, list[dict[str, object]]], Path]:
    """Write records as JSON lines."""
    import json

    def write(path: Path, records: list[dict[str, object]]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records))
        return path

    return write
