"""Training a tokenizer on corpus folders, from counting to a finished tokenizer folder."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thaitok.card import Body, Front, corpora_section, hub_datasets, provenance, write_card
from thaitok.corpus import corpus_inputs, count_documents, read_texts, sample_texts
from thaitok.errors import UserError
from thaitok.folder import Manifest, package_versions, stage_job, write_json, written
from thaitok.progress import progress
from thaitok.rules import mark_spaces, normalize_many
from thaitok.tokenizer import measure
from thaitok.tokenizer_json import read_model, write_tokenizer_files
from thaitok.trainer.alphabet import Alphabet, alphabet_of, count_characters
from thaitok.trainer.config import (
    LEAST_PIECES,
    TokenizerConfig,
    budgets,
    longest_piece,
    phrase_settings,
)
from thaitok.trainer.counting import Counted, count_corpus
from thaitok.trainer.mixed import MixedOptions, TooFewPieces, train_mixed
from thaitok.trainer.phrases import PhraseOptions
from thaitok.trainer.seeds import Words, substrings
from thaitok.trainer.spm import APART, build_model, train_sentencepiece

log = logging.getLogger(__name__)

SEEDS = 200_000
LEAST_SEED = 5
"""How often a substring must come to be a seed."""
LEAST_OF_CHARACTERS = 70_000_000
"""Characters that the least count of a phrase is given for: 200 MB of Thai."""
SENTENCEPIECE_CHARACTERS = 40_000_000
"""SentencePiece repeats a word as often as it counts; counts are scaled to stay below this."""
SHOWN, NAMED = 20, 200
"""How many of the characters left out are told, and how many are written to the report."""


def train_tokenizer(config: TokenizerConfig) -> Manifest:
    """Train a tokenizer and write its folder; a finished folder is returned as it is.

    Raises `UserError` for a corpus that is unfinished, without Thai, or too small for the
    vocabulary.
    """
    settings = config.model_dump(mode="json", exclude={"out", "corpus", "workers"})
    with stage_job(config.out, "tokenizer", settings, corpus_inputs(config.corpus)) as job:
        if job.done:
            return job.done
        scratch = job.work / ".scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        trained = (
            _on_lines(config, scratch) if config.mode == "line" else _on_counts(config, scratch)
        )
        shutil.rmtree(scratch)
        model = read_model(trained.serialized)
        write_tokenizer_files(job.work, model, config.model_max_length, config.lower)
        measured = measure(job.work, sample_texts(config.corpus))
        left_out = trained.alphabet.left_out
        write_json(job.work / "report.json", {**measured, "left_out": dict(left_out[:NAMED])})
        counts = {"pieces": len(model.pieces), "characters_left_out": len(left_out), **measured}
        versions = package_versions("sentencepiece", "tokenizers", "pythainlp", "nlpo3", "numba")
        _write_card(job.work, config, counts, versions)
        return job.finish(counts, versions)


@dataclass(frozen=True, slots=True)
class Trained:
    """A serialised SentencePiece model, and the alphabet it was made for."""

    serialized: bytes
    alphabet: Alphabet


def _on_counts(config: TokenizerConfig, scratch: Path) -> Trained:
    counted = count_corpus(
        config.corpus,
        scratch,
        weights=config.source_weights,
        lower=config.lower,
        split_digits=config.split_digits,
        seed=config.seed,
        workers=config.workers,
    )
    alphabet = _alphabet(config, count_characters(counted))
    apart = np.fromiter((word in APART for word in counted.words), bool, len(counted.words))
    counted = counted.only(alphabet.covered(counted.words) & ~apart)
    if config.mode == "word":
        return Trained(_by_sentencepiece(config, counted, scratch), alphabet)
    taken = _taken(config)
    try:
        pieces = train_mixed(counted, _options(config, counted, taken))
    except TooFewPieces as err:
        possible = err.possible + taken
        raise UserError(
            f"the corpus is too small for {config.vocab_size:,} pieces within the budgets of"
            " phrases and scripts",
            where=_where(config),
            do=f"give --vocab-size {possible}, or more text"
            if possible >= LEAST_PIECES
            else "give more text",
        ) from None
    serialized = build_model(pieces, config.special_tokens, byte_fallback=config.byte_fallback)
    return Trained(serialized, alphabet)


def _where(config: TokenizerConfig) -> str:
    return ", ".join(map(str, config.corpus))


def _taken(config: TokenizerConfig) -> int:
    """Return how many pieces are not for text."""
    return len(config.special_tokens) + len(APART) + (256 if config.byte_fallback else 0)


def _alphabet(config: TokenizerConfig, counts: Mapping[str, float]) -> Alphabet:
    """Choose the alphabet, name what it leaves out, and refuse what cannot be trained on."""
    alphabet = alphabet_of(counts, config.character_coverage)
    if not alphabet.thai:
        do = "see what is in its report.html"
        raise UserError("the corpus has no Thai", where=_where(config), do=do)
    if len(alphabet.characters - set(APART)) + _taken(config) > config.vocab_size:
        raise UserError(
            f"{config.vocab_size:,} pieces cannot hold the {len(alphabet.characters):,} characters",
            where=_where(config),
            do="give a larger --vocab-size, or a smaller character_coverage",
        )
    _name_left_out(alphabet)
    return alphabet


def _name_left_out(alphabet: Alphabet) -> None:
    if alphabet.left_out:
        named = " ".join(f"{one} ({count:,})" for one, count in alphabet.left_out[:SHOWN])
        log.info(
            "train: %d characters in use are left out by character_coverage: %s%s",
            len(alphabet.left_out),
            named,
            " …" if len(alphabet.left_out) > SHOWN else "",
        )


def _options(config: TokenizerConfig, counted: Counted, taken: int) -> MixedOptions:
    settings = phrase_settings(config)
    characters = float((counted.counts * np.fromiter(map(len, counted.words), np.int64)).sum())
    least = config.phrases.least_count * characters / LEAST_OF_CHARACTERS
    longest = longest_piece(config)
    return MixedOptions(
        size=config.vocab_size - taken,
        seeds=SEEDS,
        least=LEAST_SEED,
        phrases=PhraseOptions(config.phrases.most_words, longest, max(least, 2), settings.npmi),
        budgets=budgets(config),
        token_gain=settings.token_gain,
    )


def _by_sentencepiece(config: TokenizerConfig, counted: Counted, scratch: Path) -> bytes:
    """Let SentencePiece train on the counts of words, from our seeds.

    Its own seeds run over the word delimiter and miss whole words; on a mix of registers ours
    save 8 % of the tokens.
    """
    sizes = np.fromiter(map(len, counted.words), np.int64, len(counted.words))
    scale = min(1.0, SENTENCEPIECE_CHARACTERS / max(1.0, float((sizes * counted.counts).sum())))
    order = np.argsort(-counted.counts, kind="stable").tolist()
    rows = ((counted.words[one], max(1, round(counted.counts[one] * scale))) for one in order)
    _write_tsv(scratch / "words.tsv", rows)
    options = {"input": str(scratch / "words.tsv"), "input_format": "tsv"}
    if config.algorithm == "unigram":
        words = Words.of(counted.words, counted.counts)
        seeds = substrings(words, longest_piece(config), LEAST_SEED, SEEDS)
        where = zip(seeds.places.tolist(), seeds.sizes.tolist(), strict=True)
        texts = (words.text(*one) for one in where)
        _write_tsv(
            scratch / "seeds.tsv", zip(texts, map(round, seeds.counts.tolist()), strict=True)
        )
        options["seed_sentencepieces_file"] = str(scratch / "seeds.tsv")
    return train_sentencepiece(config, {**options, "character_coverage": 1.0})


def _on_lines(config: TokenizerConfig, scratch: Path) -> Trained:
    counts: Counter[str] = Counter()
    with written(scratch / "lines.txt") as stream:
        for text in _read(config.corpus):
            lines = [line for line in normalize_many(text.split("\n"), config.lower) if line]
            counts.update("".join(lines).replace(" ", ""))
            stream.writelines(mark_spaces(line) + "\n" for line in lines)
    alphabet = _alphabet(config, counts)
    options = {
        "input": str(scratch / "lines.txt"),
        "max_sentence_length": 1 << 20,  # the default skips long lines without a word
        "required_chars": "".join(sorted(alphabet.characters - set(APART))),
    }
    return Trained(train_sentencepiece(config, options), alphabet)


def _write_tsv(path: Path, rows: Iterable[tuple[str, int]]) -> None:
    with written(path) as stream:
        stream.writelines(f"{unit}\t{count}\n" for unit, count in rows)


def _read(corpus: tuple[Path, ...]) -> Iterator[str]:
    with progress("train: reading", count_documents(corpus), "documents") as advance:
        for text in read_texts(corpus):
            yield text
            advance()


def _write_card(
    folder: Path,
    config: TokenizerConfig,
    counts: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    corpora = provenance(config.corpus)
    write_card(
        folder,
        pipeline_tag="",
        title=f"Thai tokenizer of {counts['pieces']:,} pieces",
        summary=f"A SentencePiece {config.algorithm} tokenizer for Thai.",
        facts={
            "Pieces": f"{counts['pieces']:,}",
            "Algorithm": f"{config.algorithm}, mode {config.mode}, profile {config.profile}",
            "Letters": "in lower case" if config.lower else "as they are",
            "Characters left out": f"{counts['characters_left_out']:,}, each of which is unknown",
            "Seed": str(config.seed),
            "Tokens a character": str(counts["tokens_per_character"]),
            "Bytes a token": str(counts["bytes_per_token"]),
            "Unknown pieces": f"{counts['unknown_share']:.3%}",
        },
        front=Front(datasets=hub_datasets(corpora), tags=("tokenizer", "sentencepiece")),
        body=Body(data=corpora_section(corpora), versions=versions, recipes=("wangchanberta",)),
    )
