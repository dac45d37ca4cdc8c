"""How tokens lie against gold words, entities and answers: what they cross cannot be labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from thaitok.compare.gold import GoldText, Span
from thaitok.compare.kinds import AnyTokenizer
from thaitok.compare.spans import Block, Bools, Ints, Tokens, block_of
from thaitok.config import Config


class BoundaryMeasures(Config):
    """Figures against gold words.

    A boundary is one that is not beside a space: the text gives the others to every tokenizer.
    """

    tokens: int
    tokens_per_word: float | None
    """All tokens, those of spaces too, over gold words that are not spaces."""
    crossed: float | None
    """Share of gold boundaries that lie strictly inside a token."""
    precision: float | None
    """Share of the places where the tokens part that are gold boundaries. One inside a character
    is none; what lies in no token (a dropped zero-width space) is a place as a whole."""
    recall: float | None
    """Share of gold boundaries where tokens part: all that are not crossed."""
    f1: float | None
    misaligned: float | None
    """Share of tokens that cross a boundary and are not made of whole words."""


class EdgeMeasures(Config):
    """Figures against the edges of entities or answers that are not beside a space."""

    edges: int
    """Different edges: where one entity ends and the next begins is one."""
    lost: float | None
    """Share of them strictly inside a token: such a span cannot be labelled exactly."""


@dataclass(frozen=True, slots=True)
class GoldBlock:
    """Gold texts laid end to end. Positions are sorted and all different."""

    block: Block
    words: int
    boundaries: Ints
    """(edges of words,) those beside a space too."""
    edges: Ints
    """(edges of spans,) those not beside a space."""


def gold_block(gold: Sequence[GoldText] | GoldBlock) -> GoldBlock:
    """Lay gold texts end to end; what is a `GoldBlock` already stays."""
    if isinstance(gold, GoldBlock):
        return gold
    block = block_of([one.text for one in gold])
    boundaries = _positions(block, gold, lambda one: one.words)
    edges = _positions(block, gold, lambda one: one.spans)
    words = sum(len(one.words) for one in gold)
    return GoldBlock(block, words, boundaries, edges[~block.closed[edges]])


def measure_boundaries(
    tokenizer: AnyTokenizer, gold: Sequence[GoldText] | GoldBlock
) -> BoundaryMeasures:
    """Measure a tokenizer against gold words."""
    laid = gold_block(gold)
    return boundaries_of(laid, tokenizer.encode(laid.block))


def measure_edges(tokenizer: AnyTokenizer, gold: Sequence[GoldText] | GoldBlock) -> EdgeMeasures:
    """Measure a tokenizer against the edges of entities or answers."""
    laid = gold_block(gold)
    return edges_of(laid, tokenizer.encode(laid.block))


def boundaries_of(gold: GoldBlock, tokens: Tokens) -> BoundaryMeasures:
    """Measure tokens of the gold block against its words."""
    block = gold.block
    judged = gold.boundaries[~block.closed[gold.boundaries]]
    holders = tokens.around(judged)
    crossed = int((holders >= 0).sum())
    right, parted = _partings(block, tokens, judged)
    precision = _ratio(right, parted)
    recall = _ratio(len(judged) - crossed, len(judged))
    aligned = block.closed.copy()
    aligned[gold.boundaries] = True
    holding = np.unique(holders[holders >= 0])
    whole = aligned[tokens.starts[holding]] & aligned[tokens.ends[holding]]
    return BoundaryMeasures(
        tokens=len(tokens.ids),
        tokens_per_word=_ratio(len(tokens.ids), gold.words),
        crossed=_ratio(crossed, len(judged)),
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        misaligned=_ratio(int((~whole).sum()), len(tokens.ids)),
    )


def edges_of(gold: GoldBlock, tokens: Tokens) -> EdgeMeasures:
    """Measure tokens of the gold block against the edges of its spans."""
    lost = int((tokens.around(gold.edges) >= 0).sum())
    return EdgeMeasures(edges=len(gold.edges), lost=_ratio(lost, len(gold.edges)))


def _partings(block: Block, tokens: Tokens, boundaries: Ints) -> tuple[int, int]:
    """Return at how many places the tokens part at a boundary, and how many such places there are.

    A place is from the end of a token to the start of the next, which is a point where no text is
    left out. Beside a space it does not count.
    """
    full = tokens.ends > tokens.starts
    begins, ends = tokens.ends[full][:-1], tokens.starts[full][1:]
    judged: Bools = ~(block.closed[begins] | block.closed[ends])
    begins, ends = begins[judged], ends[judged]
    first = np.searchsorted(boundaries, begins, "left")
    after = np.searchsorted(boundaries, ends, "right")
    return int((after > first).sum()), len(begins)


def _positions(
    block: Block, gold: Sequence[GoldText], spans_of: Callable[[GoldText], Sequence[Span]]
) -> Ints:
    found = [
        (number, place)
        for number, one in enumerate(gold)
        for span in spans_of(one)
        for place in span
    ]
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return np.unique(block.at(pairs[:, 0], pairs[:, 1]))


def _harmonic(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
