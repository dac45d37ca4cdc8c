"""What a tokenizer does to text: how many tokens, what is unknown, what is lost, how fast."""

from __future__ import annotations

import statistics
import time
import unicodedata
from collections.abc import Sequence

import numpy as np

from thaitok.compare.bits import fitted_bits, hidden_bytes, own_bits, renyi_efficiency
from thaitok.compare.kinds import AnyTokenizer
from thaitok.compare.lines import Lines, lines_of
from thaitok.compare.spans import Block, Tokens
from thaitok.config import Config

TIMED_BYTES = 200_000
"""Text that is encoded to take the time; 0.01 to 0.1 s a run on one core. The median of five runs
then varies by 5 % between calls on a busy machine."""
TIMES = 5


class TextMeasures(Config):
    """Figures of one tokenizer on one domain; the same characters and words for every tokenizer."""

    tokens: int
    tokens_per_character: float | None
    characters_per_token: float | None
    bytes_per_token: float | None
    tokens_per_word: float | None
    """All tokens over words of nlpo3, a dictionary's; see `BoundaryMeasures` for gold words."""
    tokens_per_phrase: float | None
    """All tokens over what white space delimits."""
    tokens_per_latin_word: float | None
    """Tokens that hold a part of a run of two Latin letters or more: English among Thai."""
    unknown: float | None
    """Share of tokens that are the unknown piece."""
    unknown_bytes: float | None
    """Share of the text that these hide: an unknown token may hold a whole word."""
    partial: float | None
    """Share of tokens that are a byte piece or begin or end inside a character."""
    lost: float | None
    """Share of lines that decode to another text."""
    lost_nfc: float | None
    """The same where texts equal under NFC are equal."""
    lost_beyond_own: float | None
    """The same where texts equal after the tokenizer's own normaliser are equal."""
    renyi_efficiency: float | None
    bits_fit: float | None
    """Bits a character, see `bits.bits_fit`."""
    bits_own: float | None
    """Bits a character, see `bits.bits_own`."""
    megabytes_per_second: float | None
    """UTF-8 megabytes encoded in a second of processor time, all cores together."""


def measure_text(tokenizer: AnyTokenizer, texts: Sequence[str] | Lines) -> TextMeasures:
    """Measure a tokenizer on documents, line by line."""
    lines = lines_of(texts)
    block = lines.block
    tokens = tokenizer.encode(block)
    number = len(tokens.ids)
    counts = np.bincount(tokens.ids, minlength=1)
    lost, lost_nfc, lost_own = _lost_lines(tokenizer, block, tokens)
    return TextMeasures(
        tokens=number,
        tokens_per_character=_ratio(number, lines.characters),
        characters_per_token=_ratio(lines.characters, number),
        bytes_per_token=_ratio(block.size, number),
        tokens_per_word=_ratio(number, lines.words),
        tokens_per_phrase=_ratio(number, lines.phrases),
        tokens_per_latin_word=_ratio(_latin_tokens(lines, tokens), len(lines.latin)),
        unknown=_ratio(unknown_tokens(tokenizer, tokens), number),
        unknown_bytes=_ratio(hidden_bytes(tokenizer, tokens), block.size),
        partial=_ratio(partial_tokens(tokenizer, block, tokens), number),
        lost=_ratio(lost, len(block.texts)),
        lost_nfc=_ratio(lost_nfc, len(block.texts)),
        lost_beyond_own=_ratio(lost_own, len(block.texts)),
        renyi_efficiency=renyi_efficiency(counts, tokenizer.size),
        bits_fit=fitted_bits(tokenizer, lines, tokens),
        bits_own=own_bits(tokenizer, lines, tokens),
        megabytes_per_second=encoding_speed(tokenizer, block.texts),
    )


def unknown_tokens(tokenizer: AnyTokenizer, tokens: Tokens) -> int:
    """Return how many tokens are the unknown piece."""
    return 0 if tokenizer.unknown is None else int((tokens.ids == tokenizer.unknown).sum())


def partial_tokens(tokenizer: AnyTokenizer, block: Block, tokens: Tokens) -> int:
    """Return how many tokens are byte pieces or hold a part of a character."""
    cut = block.inside_character(tokens.starts) | block.inside_character(tokens.ends)
    return int((cut | tokenizer.byte_pieces[tokens.ids]).sum())


def encoding_speed(tokenizer: AnyTokenizer, texts: Sequence[str]) -> float | None:
    """Return megabytes of UTF-8 encoded to ids in a second of processor time.

    The median of several runs after one to warm up, on evenly spaced texts.
    """
    size = sum(len(text.encode()) for text in texts)
    if not size:
        return None
    few = texts[:: max(1, size // TIMED_BYTES)]
    tokenizer.ids(few)
    seconds = []
    for _ in range(TIMES):
        began = time.process_time()
        tokenizer.ids(few)
        seconds.append(time.process_time() - began)
    return sum(len(text.encode()) for text in few) / 1e6 / max(statistics.median(seconds), 1e-6)


def lost_lines(tokenizer: AnyTokenizer, texts: Sequence[str] | Lines) -> list[tuple[str, str]]:
    """Return the lines that decode to another text, each with what it decodes to."""
    block = lines_of(texts).block
    return _differing(tokenizer, block, tokenizer.encode(block))


def _differing(tokenizer: AnyTokenizer, block: Block, tokens: Tokens) -> list[tuple[str, str]]:
    ids = [part.tolist() for part in np.split(tokens.ids, tokens.bounds[1:-1])]
    decoded = tokenizer.decode(ids if block.texts else [])
    return [(one, two) for one, two in zip(block.texts, decoded, strict=True) if one != two]


def _lost_lines(tokenizer: AnyTokenizer, block: Block, tokens: Tokens) -> tuple[int, int, int]:
    """Return how many lines are lost as they are, under NFC, and beyond the own normaliser.

    Both sides go through the normaliser, so that how it writes a space is no difference.
    """
    pairs = _differing(tokenizer, block, tokens)
    nfc = sum(_nfc(one) != _nfc(two) for one, two in pairs)
    own = sum(tokenizer.normalize(one) != tokenizer.normalize(two) for one, two in pairs)
    return len(pairs), nfc, own


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _latin_tokens(lines: Lines, tokens: Tokens) -> int:
    """Return how many tokens lie in Latin words, one that lies in two counted twice."""
    begins, ends = lines.latin[:, 0], lines.latin[:, 1]
    after = np.searchsorted(tokens.starts, ends, "left")
    before = np.searchsorted(tokens.ends, begins, "right")
    return int((after - before).sum())


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
