from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pythainlp.corpus import thai_words
from sentencepiece import SentencePieceProcessor

import thaitok.trainer.counting as counting
from thaitok.config import load_config, preset_path
from thaitok.corpus import read_texts
from thaitok.errors import UserError
from thaitok.folder import read_manifest, stage_job
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.trainer import TokenizerConfig, train_tokenizer
from thaitok.trainer.config import PRESETS
from thaitok.trainer.scripts import script_of

CorpusOf = Callable[[Path, Iterable[str]], Path]
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
FILES = {"tokenizer.json", "tokenizer_config.json", "spm.model", "report.json", "README.md"}


def config_of(corpus: Path, out: Path, **settings: Any) -> TokenizerConfig:
    values = {"corpus": [corpus], "out": out, "vocab_size": 180, **settings}
    return TokenizerConfig.model_validate(values)


def pieces_of(folder: Path) -> list[str]:
    model = SentencePieceProcessor(model_file=str(folder / "spm.model"))
    return [model.id_to_piece(number) for number in range(model.get_piece_size())]


@pytest.mark.parametrize(
    ("mode", "algorithm"),
    [
        ("mixed", "unigram"), ("phrase", "unigram"), ("word", "unigram"), ("word", "bpe"),
        ("line", "unigram"), ("line", "bpe"),
    ],
)  # fmt: skip
def test_every_mode_makes_a_folder_of_the_size_asked_for(
    corpus: Path, tmp_path: Path, mode: str, algorithm: str
) -> None:
    manifest = train_tokenizer(config_of(corpus, tmp_path / "t", mode=mode, algorithm=algorithm))
    assert manifest.counts["pieces"] == 180
    assert {facts.name for facts in manifest.files} == FILES
    text = "แมวนั่งอยู่บนเสื่อ iPhone 2.50"
    bulk, fast = BulkEncoder(tmp_path / "t"), load_tokenizer(tmp_path / "t")
    ids = fast.encode(text, add_special_tokens=False).ids
    assert bulk.encode(text) == ids
    assert fast.decode(ids) == text


@pytest.mark.parametrize("mode", ["mixed", "word", "line"])
def test_promise_2_bytes_depend_on_neither_workers_nor_the_run(
    corpus: Path, corpus_of: CorpusOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(counting, "PARTITION_BYTES", 2000)  # several tasks to map and to reduce
    more = corpus_of(tmp_path / "more", [f"{text} หมาวิ่งเล่น" for text in read_texts([corpus])])
    both = (corpus, more)
    one, two, three = (
        train_tokenizer(
            config_of(
                corpus, tmp_path / str(run), workers=run % 2 + 1, vocab_size=300, mode=mode
            ).model_copy(update={"corpus": both})
        )
        for run in range(3)
    )
    assert one.files == two.files == three.files


def test_the_special_tokens_have_the_ids_asked_for(corpus: Path, tmp_path: Path) -> None:
    tokens = ("<pad>", "<unk>", "<s>", "</s>", "<mask>", "<sep>")
    train_tokenizer(config_of(corpus, tmp_path / "t", special_tokens=tokens))
    assert pieces_of(tmp_path / "t")[:8] == [*tokens, SPACE_TOKEN, "<"]
    fast = load_tokenizer(tmp_path / "t")
    assert [fast.token_to_id(token) for token in tokens] == [0, 1, 2, 3, 4, 5]
    assert fast.encode("แมว").ids[0] == 2


@pytest.mark.parametrize(
    ("settings", "longest"), [({}, 40), ({"mode": "line"}, 16), ({"max_piece_length": 5}, 5)]
)
def test_pieces_are_as_long_as_they_may_be(
    corpus_of: CorpusOf, corpus: Path, tmp_path: Path, settings: dict[str, Any], longest: int
) -> None:
    formula = "".join(chr(0x0E01 + number) for number in range(45))  # one unknown word
    texts = [*read_texts([corpus]), *["abcdefghijklmnopqrstuvwxyz" * 2] * 99, *[formula] * 99]
    many = corpus_of(tmp_path / "many", texts)
    train_tokenizer(config_of(many, tmp_path / "t", vocab_size=300, **settings))
    pieces = [piece for piece in pieces_of(tmp_path / "t") if piece not in SPECIALS]
    assert max(map(len, pieces)) == longest


def test_uncased_digits_and_bytes(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "t"
    settings = {"lower": True, "split_digits": True, "byte_fallback": True, "vocab_size": 500}
    train_tokenizer(config_of(corpus, out, **settings))
    pieces = pieces_of(out)
    assert not [piece for piece in pieces if piece != piece.lower() and not piece.startswith("<0x")]
    assert not [piece for piece in pieces if script_of(piece) == "digits" and len(piece) > 1]
    assert sum(piece.startswith("<0x") for piece in pieces) == 256
    fast, bulk = load_tokenizer(out), BulkEncoder(out)
    ids = fast.encode("IPHONE 龘2024", add_special_tokens=False).ids
    assert ids == bulk.encode("IPHONE 龘2024")
    assert fast.token_to_id("<unk>") not in ids
    assert fast.decode(ids) == "iphone 龘2024"


def test_pieces_of_a_script_stay_within_their_budget(corpus: Path, tmp_path: Path) -> None:
    def many(out: Path, script: str) -> int:
        return sum(script_of(p) == script and len(p) > 1 for p in pieces_of(out) if p[0] != "<")

    train_tokenizer(config_of(corpus, tmp_path / "any", vocab_size=500))
    assert many(tmp_path / "any", "digits") > 4
    assert many(tmp_path / "any", "latin") > 0
    settings = {"vocab_size": 400, "scripts": {"digits": 4, "latin": 0}}
    train_tokenizer(config_of(corpus, tmp_path / "few", **settings))
    assert many(tmp_path / "few", "digits") == 4
    assert many(tmp_path / "few", "latin") == 0


def test_sources_weigh_as_much_as_they_are_told(
    corpus_of: CorpusOf, corpus: Path, tmp_path: Path
) -> None:
    texts = list(read_texts([corpus]))
    half = len(texts) // 2
    cats = ["แมวเปอร์เซียกินปลาแซลมอน", "แมวเปอร์เซียนอนบนโซฟา"] * 3
    with stage_job(tmp_path / "two", "corpus", {}, ()) as job:
        rows = [("cats", text) for text in cats] + [("news", text) for text in texts[:half]]
        lines = (
            json.dumps({"id": str(n), "text": t, "source": s}) for n, (s, t) in enumerate(rows)
        )
        packed = zstandard.compress("".join(f"{line}\n" for line in lines).encode())
        (job.work / "part-00000.jsonl.zst").write_bytes(packed)
        job.finish({"kept": len(rows)}, {})
    tokens = []
    for weight in (0.01, 1.0, 100.0):
        out = tmp_path / str(weight)
        weights = {"cats": weight}
        train_tokenizer(config_of(tmp_path / "two", out, vocab_size=200, source_weights=weights))
        tokens.append(sum(map(len, BulkEncoder(out).encode_many(cats))))
    assert tokens[0] > tokens[2]
    assert tokens == sorted(tokens, reverse=True)
    with pytest.raises(
        UserError, match="no document has the source 'cat'; the sources are cats, n"
    ):
        config = config_of(tmp_path / "two", tmp_path / "t", source_weights={"cat": 2.0})
        train_tokenizer(config)


def test_no_piece_mixes_scripts_or_holds_a_control_sign(
    corpus: Path, corpus_of: CorpusOf, tmp_path: Path
) -> None:
    texts = ["<mask>แมวiPhone15รุ่นใหม่😀😀ๆ<s>"] * 50 + ["<mask>แมวiPhone15 <s>ปลา"] * 50
    mixed = corpus_of(tmp_path / "corpus", texts + list(read_texts([corpus])))
    train_tokenizer(config_of(mixed, tmp_path / "t", vocab_size=250))
    assert {"Phone", "iPhone", "😀😀"} & set(pieces_of(tmp_path / "t"))
    for piece in pieces_of(tmp_path / "t")[7:]:
        assert len({script_of(character) for character in piece}) == 1, piece
        assert "<" not in piece


@pytest.mark.parametrize("mode", ["mixed", "word", "line"])
def test_a_vocabulary_too_large_for_the_corpus_says_what_is_possible(
    corpus: Path, tmp_path: Path, mode: str
) -> None:
    with pytest.raises(UserError, match="too small for 25,000 pieces") as caught:
        train_tokenizer(config_of(corpus, tmp_path / "t", vocab_size=25_000, mode=mode))
    assert not (tmp_path / "t").exists()
    possible = int(str(caught.value).split("--vocab-size ")[1].split()[0].rstrip(","))
    assert possible > 400
    manifest = train_tokenizer(config_of(corpus, tmp_path / "t", vocab_size=possible, mode=mode))
    assert manifest.counts["pieces"] == possible


def test_a_passage_of_rare_words_quoted_twice_does_not_break_training(
    corpus: Path, corpus_of: CorpusOf, tmp_path: Path
) -> None:
    words = [word for word in sorted(thai_words()) if 4 <= len(word) <= 8]
    passage = "".join(random.Random(0).sample(words, 70))
    twice = corpus_of(tmp_path / "corpus", [*read_texts([corpus]), passage, passage])
    manifest = train_tokenizer(config_of(twice, tmp_path / "t", vocab_size=400))
    assert manifest.counts["pieces"] == 400
    model = SentencePieceProcessor(model_file=str(tmp_path / "t" / "spm.model"))
    assert all(math.isfinite(model.get_score(number)) for number in range(400))


def test_the_budget_of_phrases_is_kept_and_saves_tokens(corpus: Path, tmp_path: Path) -> None:
    tokens = {}
    for share in (0.0, 0.5):
        out = tmp_path / str(share)
        phrases = {"share": share, "npmi": 0.0}
        train_tokenizer(config_of(corpus, out, vocab_size=400, phrases=phrases))
        text = list(read_texts([corpus]))
        tokens[share] = sum(map(len, BulkEncoder(out).encode_many(text)))
    assert tokens[0.5] < 0.95 * tokens[0.0]


def test_a_vocabulary_smaller_than_the_alphabet_is_said(
    corpus_of: CorpusOf, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["แมว" + " ".join(map(chr, range(0x4E00, 0x4F00)))] * 9)
    with pytest.raises(UserError, match="100 pieces cannot hold the"):
        train_tokenizer(config_of(corpus, tmp_path / "t", vocab_size=100))


@pytest.mark.parametrize("mode", ["mixed", "word", "line"])
def test_a_corpus_without_thai_is_said(corpus_of: CorpusOf, tmp_path: Path, mode: str) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["All of this is English, page after page."] * 50)
    with pytest.raises(UserError, match="the corpus has no Thai"):
        train_tokenizer(config_of(corpus, tmp_path / "t", vocab_size=100, mode=mode))


def test_characters_left_out_by_coverage_are_named(
    corpus: Path, corpus_of: CorpusOf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = corpus_of(tmp_path / "corpus", ["ฃวดและฅอ 龘", *read_texts([corpus])])
    with caplog.at_level(logging.INFO):
        train_tokenizer(config_of(other, tmp_path / "t", character_coverage=0.99))
    assert "1 characters in use are left out by character_coverage: 龘 (1)" in caplog.text
    assert {"ฃ", "ฅ"} <= set(pieces_of(tmp_path / "t")), "Thai letters in use always stay"
    report = json.loads((tmp_path / "t" / "report.json").read_text(encoding="utf-8"))
    assert report["left_out"] == {"龘": 1}


def test_a_corpus_changed_under_a_finished_tokenizer_is_noticed(
    corpus_of: CorpusOf, tmp_path: Path, corpus: Path
) -> None:
    out = tmp_path / "tokenizer"
    config = config_of(corpus, out)
    train_tokenizer(config)
    other = corpus_of(tmp_path / corpus.name, ["หมา"])
    with pytest.raises(UserError, match="from other input"):
        train_tokenizer(config.model_copy(update={"corpus": (other,)}))
    assert read_manifest(out, "tokenizer").counts["pieces"] == 180


def test_presets_are_valid_and_a_wrong_name_is_answered(tmp_path: Path) -> None:
    for preset in PRESETS.glob("*.toml"):
        load_config(
            TokenizerConfig, preset_path(preset.stem, PRESETS), corpus=[tmp_path], out=tmp_path
        )
    with pytest.raises(UserError, match="no preset or config file 'default'; presets are d"):
        preset_path("default", PRESETS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"algorithm": "bpe"}, "takes mode 'word' or 'line', not 'mixed'"),
        ({"special_tokens": ["<s>", "<pad>", "</s>", "<unk>"]}, "special_tokens lack <mask>"),
        ({"phrases": {"npmi": 2}}, "npmi = 2: input should be less than or equal to 1"),
        (
            {"special_tokens": ["<s>", "<pad>", "</s>", "<unk>", "<mask>", SPACE_TOKEN]},
            "not written",
        ),
        (
            {"special_tokens": ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "ก"]},
            "'ก' is not written",
        ),
        ({"mode": "line", "source_weights": {"a": 2}}, "source_weights has no effect in mode 'li"),
        ({"mode": "word", "profile": "spans"}, "profile has no effect in mode 'word'"),
        ({"corpus": ["a", "./a"]}, "corpus names one folder twice"),
        ({"profile": "small"}, "input should be 'compact', 'balanced' or 'spans'"),
    ],
)
def test_wrong_settings_are_one_line(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_config(TokenizerConfig, **{"corpus": [tmp_path], "out": tmp_path, **settings})
