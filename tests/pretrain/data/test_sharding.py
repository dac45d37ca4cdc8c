from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from pretrain.data.sharding import PhraseEncoder, ShardConfig, shard_corpus
from pretrain.data.shards import open_shards, token_dtype, verify_shards
from thaitok.corpus import read_texts
from thaitok.errors import UserError
from thaitok.rules import normalize
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.words import segment


def test_shards_hold_every_document_in_order(corpus: Path, tokenizer: Path, shards: Path) -> None:
    bulk, found = BulkEncoder(tokenizer), open_shards(shards)
    texts = list(read_texts([corpus]))
    assert len(found) == len(texts) == found.manifest.counts["documents"]
    for number, text in enumerate(texts):
        assert found.document(number).tolist() == bulk.encode(text)
    assert found.lengths.sum() == found.manifest.counts["tokens"]


def test_ids_in_shards_are_those_of_tokenizer_json(
    corpus: Path, tokenizer: Path, shards: Path
) -> None:
    fast, found = load_tokenizer(tokenizer), open_shards(shards)
    for number, text in enumerate(read_texts([corpus])):
        assert fast.encode(text, add_special_tokens=False).ids == found.document(number).tolist()


def test_word_starts_are_where_a_piece_begins_a_word(tokenizer: Path) -> None:
    text = "นายสมชายไปทำงาน ที่กรุงเทพมหานคร"
    ids, starts = PhraseEncoder(tokenizer).encode(text)
    pieces = load_tokenizer(tokenizer).encode(text, add_special_tokens=False).offsets
    begins = {0}
    for phrase in normalize(text).split(" "):
        for word in segment(phrase):
            begins.add(max(begins) + len(word))
        begins |= {max(begins) + 1}
    assert len(ids) == len(starts) == len(pieces)
    assert starts == [begin in begins for begin, _ in pieces]


def test_word_bits_are_packed_beside_the_tokens(
    corpus: Path, tokenizer: Path, shards: Path
) -> None:
    encoder = PhraseEncoder(tokenizer)
    starts = [one for text in read_texts([corpus]) for one in encoder.encode(text)[1]]
    bits: list[int] = []
    for number, tokens in enumerate(open_shards(shards).tokens):
        packed = np.fromfile(shards / f"words-{number:05d}.bits", np.uint8)
        bits += np.unpackbits(packed)[: len(tokens)].tolist()
    assert bits == starts


def test_promise_2_the_same_corpus_gives_the_same_bytes(
    corpus: Path, tokenizer: Path, shards: Path, tmp_path: Path
) -> None:
    config = ShardConfig(
        corpus=(corpus,), tokenizer=tokenizer, out=tmp_path / "s", shard_tokens=2000
    )
    assert shard_corpus(config).files == open_shards(shards).manifest.files


def test_ids_take_two_bytes_while_they_can() -> None:
    assert token_dtype(65_536) is np.uint16
    assert token_dtype(65_537) is np.uint32


def test_a_changed_byte_is_found(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    shard_corpus(ShardConfig(corpus=(corpus,), tokenizer=tokenizer, out=out))
    verify_shards(out)
    file = out / "tokens-00000.bin"
    data = bytearray(file.read_bytes())
    data[7] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"tokens-00000\.bin: is not the file"):
        verify_shards(out)


def test_a_corpus_without_a_token_is_refused(
    corpus_of: Callable[[Path, Iterable[str]], Path], tokenizer: Path, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["", "\u200b"])
    with pytest.raises(UserError, match="holds no token"):
        shard_corpus(ShardConfig(corpus=(corpus,), tokenizer=tokenizer, out=tmp_path / "s"))
    assert not (tmp_path / "s").exists()


def test_a_folder_without_a_tokenizer_is_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no tokenizer\.json here"):
        shard_corpus(ShardConfig(corpus=(corpus,), tokenizer=tmp_path, out=tmp_path / "s"))
