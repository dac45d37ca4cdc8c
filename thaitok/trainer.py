"""Training a SentencePiece unigram tokenizer on a corpus folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from thaitok.card import write_card
from thaitok.config import Config
from thaitok.convert import SPECIAL_TOKENS, read_model, write_tokenizer_files
from thaitok.corpus import corpus_inputs, count_documents, read_texts
from thaitok.errors import UserError
from thaitok.folder import Manifest, package_versions, stage_job, write_json, written
from thaitok.progress import progress
from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize
from thaitok.tokenizer import measure
from thaitok.words import segment

THREADS = 4
"""Fixed, since sums of floats over another number of threads give other scores."""

LONGEST_UNIT = 60
"""Characters of the longest word that seeds pieces; longer ones are addresses and noise."""

SEEDS = 200_000
MARKS = frozenset(map(chr, (0x0E31, *range(0x0E34, 0x0E3B), *range(0x0E47, 0x0E4F))))
"""Vowel and tone marks, which stand on the consonant before them."""
LEADING_VOWELS = frozenset("เแโใไ")
"""Vowels that are written before the consonant they follow in speech."""

COUNTED_CHARACTERS = 40_000_000
"""SentencePiece repeats a word as often as it counts; counts are scaled to stay below this."""


class TokenizerConfig(Config):
    """How to train a tokenizer."""

    corpus: tuple[Path, ...] = Field(min_length=1)
    """Finished corpus folders."""
    out: Path
    """The tokenizer folder to make."""
    vocab_size: int = Field(default=25_000, ge=100, le=500_000)
    """Pieces, special tokens included."""
    mode: Literal["word", "line"] = "word"
    """`word`: pieces stay inside dictionary words, trained on word counts, so the cost follows
    the vocabulary. `line`: SentencePiece on whole lines, WangchanBERTa's way; pieces may span
    words, memory grows with the corpus (15 MB a MB)."""
    character_coverage: float = Field(default=0.99995, gt=0.9, le=1.0)
    """Share of characters the alphabet covers; .9998 left .7 % unknown pieces in word mode."""
    max_piece_length: int = Field(default=16, ge=2, le=64)
    """Characters of the longest piece."""
    model_max_length: int = Field(default=512, ge=8)
    """Longest input in pieces, `<s>` and `</s>` included, that its models will take."""


def train_tokenizer(config: TokenizerConfig) -> Manifest:
    """Train a tokenizer and write its folder; a finished folder is returned as it is.

    Raises `UserError` for a corpus that is unfinished, or too small for the vocabulary.
    """
    settings = config.model_dump(mode="json", exclude={"out", "corpus"})
    with stage_job(config.out, "tokenizer", settings, corpus_inputs(config.corpus)) as job:
        if job.done:
            return job.done
        scratch = job.work / ".scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        model = read_model(_train(config, _WRITERS[config.mode](config, scratch)))
        shutil.rmtree(scratch)
        write_tokenizer_files(job.work, model, config.model_max_length)
        report = measure(job.work, _sample(config.corpus))
        write_json(job.work / "report.json", report)
        counts = {"pieces": len(model.pieces), **report}
        _write_card(job.work, config, counts)
        versions = package_versions("sentencepiece", "tokenizers", "pythainlp", "nlpo3")
        return job.finish(counts, versions)


def _write_card(folder: Path, config: TokenizerConfig, counts: dict[str, Any]) -> None:
    write_card(
        folder,
        pipeline_tag="",
        title=f"Thai tokenizer of {counts['pieces']:,} pieces",
        summary="A SentencePiece unigram tokenizer for Thai.",
        facts={
            "Pieces": f"{counts['pieces']:,}",
            "Trained on": f"{count_documents(config.corpus):,} documents",
            "Tokens a character": str(counts["tokens_per_character"]),
            "Bytes a token": str(counts["bytes_per_token"]),
            "Unknown pieces": f"{counts['unknown_share']:.3%}",
        },
    )


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Count the dictionary words of texts, each distinct phrase segmented once."""
    phrases: Counter[str] = Counter()
    for text in texts:
        phrases.update(phrase for phrase in normalize(text).split(" ") if phrase)
    words: Counter[str] = Counter()
    for phrase, count in phrases.items():
        for word in segment(phrase):
            words[word] += count
    return words


def seed_pieces(words: Counter[str], longest: int) -> list[tuple[str, int]]:
    """Return candidate pieces: substrings of words by count times length, most first.

    SentencePiece's own seeds run over the word delimiter and miss whole words; on a mix of
    registers these save 8 % of the tokens.
    """
    seeds: Counter[str] = Counter()
    for word, count in words.items():
        if len(word) <= LONGEST_UNIT:
            for start in range(len(word)):
                for end in range(start + 1, min(len(word), start + longest) + 1):
                    seeds[word[start:end]] += count
    seeds = Counter({piece: count for piece, count in seeds.items() if _whole(piece)})
    kept = [(piece, count) for piece, count in seeds.items() if count >= 5 or len(piece) == 1]
    kept.sort(key=lambda seed: (-seed[1] * len(seed[0]), seed[0]))
    return kept[:SEEDS]


def _whole(piece: str) -> bool:
    """Whether a piece neither starts inside a Thai letter cluster nor ends before its consonant."""
    return len(piece) == 1 or (piece[0] not in MARKS and piece[-1] not in LEADING_VOWELS)


def _write_words(config: TokenizerConfig, scratch: Path) -> dict[str, Any]:
    words = count_words(_read(config.corpus))
    characters = sum(len(word) * count for word, count in words.items())
    scale = min(1.0, COUNTED_CHARACTERS / max(1, characters))
    ranked = sorted(words.items(), key=lambda word: (-word[1], word[0]))
    _write_tsv(scratch / "words.tsv", ((w, max(1, round(n * scale))) for w, n in ranked))
    _write_tsv(scratch / "seeds.tsv", seed_pieces(words, config.max_piece_length))
    return {
        "input": str(scratch / "words.tsv"),
        "input_format": "tsv",
        "seed_sentencepieces_file": str(scratch / "seeds.tsv"),
    }


def _write_lines(config: TokenizerConfig, scratch: Path) -> dict[str, Any]:
    with written(scratch / "lines.txt") as stream:
        for text in _read(config.corpus):
            for line in text.split("\n"):
                if marked := mark_spaces(normalize(line)):
                    stream.write(marked + "\n")
    # The default length skips long lines without a word.
    return {"input": str(scratch / "lines.txt"), "max_sentence_length": 1 << 20}


_WRITERS = {"word": _write_words, "line": _write_lines}


def _write_tsv(path: Path, rows: Iterable[tuple[str, int]]) -> None:
    with written(path) as stream:
        stream.writelines(f"{unit}\t{count}\n" for unit, count in rows)


def _read(corpus: tuple[Path, ...]) -> Iterator[str]:
    with progress("train: reading", count_documents(corpus), "documents") as advance:
        for text in read_texts(corpus):
            yield text
            advance()


def _train(config: TokenizerConfig, options: dict[str, Any]) -> bytes:
    """Train in a process of its own: SentencePiece cannot be interrupted, a process can."""
    wanted = {
        "model_type": "unigram",
        "vocab_size": config.vocab_size,
        "character_coverage": config.character_coverage,
        "max_sentencepiece_length": config.max_piece_length,
        # All normalising is ours: nmt_nfkc splits sara am and is lossy.
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "bos_id": 0,
        "pad_id": 1,
        "eos_id": 2,
        "unk_id": 3,
        "control_symbols": [SPECIAL_TOKENS["mask_token"]],
        "user_defined_symbols": [SPACE_TOKEN],
        "num_threads": THREADS,
        "minloglevel": 2,
        **options,
    }
    command = [sys.executable, "-P", "-c", CHILD]
    done = subprocess.run(command, input=json.dumps(wanted).encode(), capture_output=True)
    if done.returncode:
        raise _explain(done.stderr.decode("utf-8", "replace"), config)
    return done.stdout


CHILD = """
import io, json, sys
import sentencepiece
model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(model_writer=model, **json.load(sys.stdin))
sys.stdout.buffer.write(model.getvalue())
"""
"""Reads the options from stdin, writes the model to stdout."""


def _explain(said: str, config: TokenizerConfig) -> Exception:
    """Say which vocabulary the corpus can fill; SentencePiece knows it only after the seeds."""
    where = ", ".join(str(corpus) for corpus in config.corpus)
    if most := re.search(r"value <= ([0-9]+)", said):
        return UserError(
            f"the corpus is too small for {config.vocab_size:,} pieces",
            where=where,
            do=f"give --vocab-size {most[1]} or less, or more text",
        )
    if "required_chars" in said:
        return UserError(
            f"{config.vocab_size:,} pieces cannot hold the corpus's alphabet",
            where=where,
            do="give a larger --vocab-size, or a smaller character_coverage",
        )
    return RuntimeError(said)


def _sample(corpus: tuple[Path, ...], documents: int = 1000) -> list[str]:
    """Return documents spread evenly over the corpus, to measure the tokenizer on."""
    step = max(1, count_documents(corpus) // documents)
    return [text for number, text in enumerate(read_texts(corpus)) if number % step == 0]
