"""Bits a character and Rényi efficiency: what a unigram code over the tokens would cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thaitok.compare.kinds import AnyTokenizer, Floats
from thaitok.compare.lines import Lines, lines_of
from thaitok.compare.spans import Ints, Tokens
from thaitok.tokenizer import UNKNOWN_PENALTY

ALPHA = 2.5
"""The order that agrees best with BLEU in Zouhar et al. 2023, section 5 (arXiv 2306.16842)."""
BITS_A_HIDDEN_BYTE = 8
"""What an unknown token hides is charged byte by byte: else the less a tokenizer knows, the fewer
bits it would seem to need."""


def bits_own(tokenizer: AnyTokenizer, texts: Sequence[str] | Lines) -> float | None:
    """Return bits a character by a unigram model's own scores, None for any other model.

    The log-probabilities of the tokens of the best path, renormalised over the vocabulary. Pieces
    without a score (our space token is user-defined) have the frequency they have in these texts.
    The denominator is the characters of the texts as they are, for every tokenizer.
    """
    lines = lines_of(texts)
    return own_bits(tokenizer, lines, tokenizer.encode(lines.block))


def bits_fit(tokenizer: AnyTokenizer, texts: Sequence[str] | Lines) -> float | None:
    """Return bits a character by a unigram distribution fitted on half of the documents.

    Every second document is coded by the counts of the others, and the other way round; so it is
    comparable for all kinds of tokenizers and holds nothing of where they were trained. None for
    fewer than two documents.
    """
    lines = lines_of(texts)
    return fitted_bits(tokenizer, lines, tokenizer.encode(lines.block))


def own_bits(tokenizer: AnyTokenizer, lines: Lines, tokens: Tokens) -> float | None:
    """Return `bits_own` of tokens that are at hand."""
    if tokenizer.scores is None or not lines.characters or not len(tokens.ids):
        return None
    scores = tokenizer.scores.copy()
    scores -= np.logaddexp.reduce(scores[~np.isnan(scores)])
    if tokenizer.unknown is not None:
        scores[tokenizer.unknown] = np.nanmin(scores) - UNKNOWN_PENALTY
    own = scores[tokens.ids]
    free = np.isnan(own)
    counts = np.bincount(tokens.ids[free])
    counts = counts[counts > 0]
    nats = -float(np.sum(counts * np.log(counts / len(own))))
    if len(rest := own[~free]):
        nats -= float(rest.sum()) + len(rest) * float(np.log(len(rest) / len(own)))
    return (
        float(nats / np.log(2) + BITS_A_HIDDEN_BYTE * hidden_bytes(tokenizer, tokens))
        / lines.characters
    )


def fitted_bits(tokenizer: AnyTokenizer, lines: Lines, tokens: Tokens) -> float | None:
    """Return `bits_fit` of tokens that are at hand."""
    halves = lines.documents[tokens.texts] % 2 == 1
    if not halves.any() or halves.all():
        return None
    bits = 0.0
    for half in (halves, ~halves):
        counts = np.bincount(tokens.ids[~half], minlength=len(tokenizer.byte_pieces))
        bits -= float(np.log2(smoothed(counts))[tokens.ids[half]].sum())
    return (bits + BITS_A_HIDDEN_BYTE * hidden_bytes(tokenizer, tokens)) / lines.characters


def smoothed(counts: Ints) -> Floats:
    """Return the probabilities of pieces by their counts; both are (pieces,).

    Absolute discounting with D = n1 / (n1 + 2 n2), the mass taken spread evenly over all pieces
    (Ney, Essen and Kneser 1994): adding a constant to each piece would punish a vocabulary for
    being large where most of it is for other languages.
    """
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    discount = once / (once + 2 * twice) if once and twice else 0.5
    total = max(1, int(counts.sum()))
    kept = np.maximum(counts - discount, 0) / total
    found: Floats = kept + (1 - kept.sum()) / len(counts)
    return found


def renyi_efficiency(counts: Ints, size: int, alpha: float = ALPHA) -> float | None:
    """Return the Rényi entropy of the tokens over that of an even use of all `size` pieces.

    Zouhar et al. 2023 (arXiv 2306.16842), definition 3. Their program divides by the logarithm of
    the pieces that occur, by which the figure depends on how long the text is.
    """
    share = counts[counts > 0] / max(1, counts.sum())
    if not len(share) or size < 2:
        return None
    return float(np.log(np.sum(share**alpha)) / (1 - alpha) / np.log(size))


def hidden_bytes(tokenizer: AnyTokenizer, tokens: Tokens) -> int:
    """Return how many bytes of the text lie in unknown tokens."""
    if tokenizer.unknown is None:
        return 0
    return int((tokens.ends - tokens.starts)[tokens.ids == tokenizer.unknown].sum())
