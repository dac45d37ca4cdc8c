"""What another vocabulary changes in a corpus: which lines get other tokens, and how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thaitok.corpus import sample_texts
from thaitok.extend.vocabulary import Vocabulary, words_in

MOST_LINES = 20_000
"""Lines of a corpus's sample that are cut twice."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Lines of a sample that two vocabularies cut otherwise, and their tokens."""

    lines: int
    changed: int
    plain: int
    """Lines without a letter of the script that is extended."""
    plain_changed: int
    tokens_before: int
    tokens_after: int


def compare_lines(corpus: Sequence[Path], script: str, old: Vocabulary, new: Vocabulary) -> Changes:
    """Cut a sample of a corpus's lines by two vocabularies of one tokenizer."""
    lines = [line for text in sample_texts(corpus) for line in text.split("\n") if line.strip()]
    lines = lines[:: -(-len(lines) // MOST_LINES)] if lines else []
    has_word = words_in(script).search
    before, after = _tokens(old, lines), _tokens(new, lines)
    changed = [one for one in range(len(lines)) if before[one] != after[one]]
    plain = [one for one in range(len(lines)) if not has_word(lines[one])]
    return Changes(
        len(lines),
        len(changed),
        len(plain),
        len(set(changed) & set(plain)),
        sum(map(len, before)),
        sum(map(len, after)),
    )


def _tokens(vocabulary: Vocabulary, lines: Sequence[str]) -> list[list[int]]:
    found = vocabulary.tokenizer().encode_batch_fast(list(lines), add_special_tokens=False)
    return [one.ids for one in found]
