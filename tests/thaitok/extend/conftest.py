"""A tokenizer that knows letters and a few English words, and a corpus with many more of them."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import zstandard
from pythainlp.corpus import thai_words

from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.folder import stage_job
from thaitok.trainer import TokenizerConfig, train_tokenizer

PARTS = ("com", "pu", "ter", "soft", "ware", "hard", "net", "work", "on", "line", "shop", "ping")


def written_corpus(out: Path, documents: Iterable[tuple[str, str]], parts: int = 1) -> Path:
    """Write a finished corpus folder of (source, text)."""
    rows = [
        json.dumps({"id": str(number), "text": text, "source": source}, ensure_ascii=False)
        for number, (source, text) in enumerate(documents)
    ]
    with stage_job(out, "corpus", {}, ()) as job:
        for part in range(parts):
            text = "".join(f"{row}\n" for row in rows[part::parts])
            packed = zstandard.ZstdCompressor().compress(text.encode())
            (job.work / f"part-{part:05d}.jsonl.zst").write_bytes(packed)
        job.finish({"kept": len(rows)}, {})
    return out


def mixed_lines(count: int, seed: int, english: float) -> list[str]:
    """Return lines of Thai words, among which some are English, in any case."""
    chance = random.Random(seed)
    thai = sorted(thai_words())[:: len(thai_words()) // 400]
    words = [a + b for a in PARTS for b in PARTS if a != b]
    words += [word.title() for word in words[::3]] + [word.upper() for word in words[::7]]
    lines = []
    for _ in range(count):
        line = []
        for _ in range(8):
            # The square of a number is most often small: some words come often, others hardly.
            pick = words if chance.random() < english else thai
            line.append(pick[int(chance.random() ** 2 * len(pick))])
        lines.append("".join(word + chance.choice(("", " ")) for word in line).strip())
    return lines


@pytest.fixture(scope="session")
def write_corpus() -> Callable[..., Path]:
    return written_corpus


@pytest.fixture(scope="session")
def sentences() -> Callable[[int, int, float], list[str]]:
    return mixed_lines


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tokenizer of 400 pieces that knows every letter and hardly an English word."""
    folder = tmp_path_factory.mktemp("base")
    alphabet = [" ".join(string.ascii_letters), "iPhone Thailand"] * 20
    lines = [*mixed_lines(900, 1, 0.02), *alphabet]
    corpus = written_corpus(folder / "corpus", (("web", line) for line in lines))
    config = TokenizerConfig(corpus=(corpus,), out=folder / "tokenizer", vocab_size=400)
    train_tokenizer(config)
    return folder / "tokenizer"


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus of two sources, full of English words."""
    manuals = (("manuals", line) for line in mixed_lines(600, 2, 0.5))
    social = (("social", line) for line in mixed_lines(200, 3, 0.3))
    out = tmp_path_factory.mktemp("mixed") / "corpus"
    return written_corpus(out, [*manuals, *social], parts=3)


@pytest.fixture(scope="session")
def extended(base: Path, mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tokenizer with 60 more pieces."""
    out = tmp_path_factory.mktemp("extended") / "tokenizer"
    extend_tokenizer(ExtendConfig(tokenizer=base, corpus=(mixed,), out=out, add=60))
    return out
