"""What a vocabulary gets: loanwords of a corpus, another tokenizer's pieces, given terms."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from thaitok.compare.load import load_tokenizer_any
from thaitok.errors import UserError
from thaitok.extend.choose import LONGEST_WORD, Candidates, find_candidates
from thaitok.extend.config import ExtendConfig
from thaitok.extend.counting import normalizer_of
from thaitok.extend.vocabulary import Vocabulary, words_in
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer import UNKNOWN_PENALTY, is_uncased
from thaitok.tokenizer_json import OPENING, SCORE_STEP, WORD_MARK

log = logging.getLogger(__name__)

LONGEST_TERM = 64
"""Characters of the longest term."""
NAMED = 5
"""How many terms of a kind are told."""


@dataclass(frozen=True, slots=True)
class Script:
    """The old pieces of one script and those that may join them."""

    candidates: Candidates
    mass: float
    """Probability of the old pieces together."""


def find_script(
    config: ExtendConfig,
    old: Vocabulary,
    counts: Mapping[str, float],
    wanted: Collection[str] | None = None,
) -> Script:
    """Find the candidates of a script, by the counts of its words, among `wanted` if given.

    Raises `UserError` when the vocabulary has no piece of the script, or the corpus no word.
    """
    whole = words_in(config.script)
    scored = old.scored
    known = {piece: score for piece, score in scored.items() if whole.fullmatch(piece)}
    if not known:
        raise UserError(f"has no piece of the script {config.script!r}", where=config.tokenizer)
    if not any(len(word) <= LONGEST_WORD for word in counts):
        corpora = ", ".join(map(str, config.corpus))
        raise UserError(f"has no word of the script {config.script!r}", where=corpora)
    if WORD_MARK in scored:
        known[WORD_MARK] = scored[WORD_MARK]
    found = find_candidates(counts, known, config.longest, wanted)
    return Script(found, sum(map(math.exp, known.values())))


def pieces_of_another(config: ExtendConfig, old: Vocabulary) -> set[str]:
    """Return the pieces of the script of the tokenizer `source`, as the old one would write them.

    Raises `UserError` when it is no tokenizer, or has none.
    """
    other = load_tokenizer_any(config.source or "")
    texts = (text.strip() for text in other.decode([[one] for one in range(other.size)]))
    if is_uncased(config.tokenizer):
        texts = (text.lower() for text in texts)
    whole = words_in(config.script)
    found = {text for text in texts if len(text) <= config.longest and whole.fullmatch(text)}
    if not found:
        raise UserError(f"has no piece of the script {config.script!r}", where=config.source)
    return found | {WORD_MARK + text for text in found} if WORD_MARK in old.scored else found


def read_terms(file: Path, tokenizer: Path, old: Vocabulary) -> list[str]:
    """Read terms, a line each, as the tokenizer normalises them; empty lines are passed over.

    Those that are pieces already are named and left out. Raises `UserError` for a line that can
    be no piece, and when none is new.
    """
    prepare = normalizer_of(tokenizer)
    pieces = set(old.pieces)
    terms: dict[str, None] = {}
    there: list[str] = []
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        term = prepare([line.strip()])[0].removeprefix(WORD_MARK)
        if said := _impossible(term):
            raise UserError(f"{line.strip()!r} {said}", where=f"{file}:{number}")
        if term in pieces:
            there.append(term)
        else:
            terms[term] = None
    if not terms:
        what = "every term is a piece already" if there else "holds no term"
        raise UserError(what, where=file)
    if there:
        shown = ", ".join(there[:NAMED]) + (", …" if len(there) > NAMED else "")
        log.info("extend: %d of %s are pieces already: %s", len(there), file.name, shown)
    return list(terms)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError("no such file", where=file) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", where=file) from None


def _impossible(term: str) -> str:
    """Say why a normalised term can be no piece; nothing when it can."""
    if not term:
        return "is nothing once it is normalised"
    if " " in term or WORD_MARK in term or SPACE_TOKEN in term or "\n" in term:
        return "holds a space, which is a token of its own; give its words a line each"
    if OPENING in term:
        return f"holds {OPENING}, which is a token of its own"
    if len(term) > LONGEST_TERM:
        return f"is longer than {LONGEST_TERM} characters"
    return ""


def score_terms(terms: Collection[str], vocabulary: Vocabulary) -> dict[str, float]:
    """Return scores by which each term is just preferred to what it was cut into.

    A term is so one piece wherever its old cut stood; where a better cut ran across its ends,
    that one still runs. Shorter terms first, since they may be parts of longer ones.
    """
    scores = vocabulary.scored
    lowest, _ = vocabulary.range
    found: dict[str, float] = {}
    for term in sorted(terms, key=lambda term: (len(term), term)):
        unknown = lowest - UNKNOWN_PENALTY
        best = sum(scores.get(piece, unknown) for piece in best_cut(term, scores, unknown))
        steps = math.floor(best / SCORE_STEP) + 1
        found[term] = scores[term] = max(lowest, steps * SCORE_STEP)
    return found


def best_cut(text: str, scores: Mapping[str, float], unknown: float) -> list[str]:
    """Cut a text into the pieces whose scores have the highest sum (Viterbi).

    A character that is no piece is one of its own, with the score `unknown`.
    """
    best, begins = [0.0], [0]
    for end in range(1, len(text) + 1):
        ways = [
            (best[begin] + scores[text[begin:end]], begin)
            for begin in range(max(0, end - LONGEST_TERM), end)
            if text[begin:end] in scores
        ]
        if text[end - 1] not in scores:
            ways.append((best[end - 1] + unknown, end - 1))
        score, begin = max(ways)
        best.append(score)
        begins.append(begin)
    pieces = []
    end = len(text)
    while end:
        pieces.append(text[begins[end] : end])
        end = begins[end]
    return pieces[::-1]
