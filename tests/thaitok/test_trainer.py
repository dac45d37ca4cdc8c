from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from thaitok.errors import UserError
from thaitok.folder import read_manifest
from thaitok.trainer import TokenizerConfig, count_words, seed_pieces, train_tokenizer

CorpusOf = Callable[[Path, Iterable[str]], Path]


def test_words_are_counted_over_the_whole_corpus() -> None:
    words = count_words(["แมวกินปลา แมวกินปลา", "แมว"])
    assert words == Counter({"แมว": 3, "กิน": 2, "ปลา": 2})


def test_seeds_are_substrings_that_keep_letter_clusters_whole() -> None:
    seeds = dict(seed_pieces(Counter({"เด็ก": 5, "กิ่ง": 5}), 16))
    assert seeds["เด็ก"] == 5
    assert "็ก" not in seeds and "ิ่ง" not in seeds, "starts inside a cluster"
    assert not any(len(piece) > 1 and piece.endswith("เ") for piece in seeds)
    assert "็" in seeds, "the alphabet stays"


@pytest.mark.parametrize("mode", ["word", "line"])
def test_a_tokenizer_folder_has_the_size_asked_for(corpus: Path, tmp_path: Path, mode: str) -> None:
    config = TokenizerConfig.model_validate(
        {"corpus": [corpus], "out": tmp_path / "t", "vocab_size": 150, "mode": mode}
    )
    manifest = train_tokenizer(config)
    assert manifest.counts["pieces"] == 150
    assert {facts.name for facts in manifest.files} == {
        "tokenizer.json",
        "tokenizer_config.json",
        "spm.model",
        "report.json",
        "README.md",
    }


def test_promise_2_the_same_corpus_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    config = {"corpus": (corpus,), "vocab_size": 180}
    one, two = (
        train_tokenizer(TokenizerConfig(out=tmp_path / name, **config)) for name in ("a", "b")
    )
    assert one.files == two.files


def test_a_vocabulary_too_large_for_the_corpus_is_one_line(
    corpus_of: CorpusOf, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["แมวกินปลา"])
    out = tmp_path / "tokenizer"
    with pytest.raises(UserError, match=r"too small for 25,000 pieces; give --vocab-size \d+ or"):
        train_tokenizer(TokenizerConfig(corpus=(corpus,), out=out))
    assert not out.exists()


def test_a_vocabulary_smaller_than_the_alphabet_is_said(
    corpus_of: CorpusOf, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", [" ".join(map(chr, range(0x4E00, 0x4F00)))] * 3)
    config = TokenizerConfig(corpus=(corpus,), out=tmp_path / "t", vocab_size=100)
    with pytest.raises(UserError, match="100 pieces cannot hold the corpus's alphabet"):
        train_tokenizer(config)


def test_a_corpus_changed_under_a_finished_tokenizer_is_noticed(
    corpus_of: CorpusOf, tmp_path: Path, corpus: Path
) -> None:
    out = tmp_path / "tokenizer"
    config = TokenizerConfig(corpus=(corpus,), out=out, vocab_size=150)
    train_tokenizer(config)
    other = corpus_of(tmp_path / corpus.name, ["หมา"])
    with pytest.raises(UserError, match="from other input"):
        train_tokenizer(config.model_copy(update={"corpus": (other,)}))
    assert read_manifest(out, "tokenizer").counts["pieces"] == 150
