"""Documents cut into paragraphs or sentences of 5 to 300 words, as WangchanBERTa's corpus was.

Thai has no mark for the end of a sentence; a space parts phrases. So a sentence is what lies
between spaces where a mark, a closing particle or an opening conjunction says so, and a part with
too many words is cut at spaces into parts of nearly equal length. pythainlp's crfcut finds more
sentences, but needs a package more (python-crfsuite).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Literal

from thaitok.words import LONGEST, segment

Unit = Literal["paragraph", "sentence"]

MIN_WORDS = 5
MAX_WORDS = 300
"""Bounds of WangchanBERTa's training sentences (arXiv 2101.09635)."""

MARKS = ("!", "?", "…", "。")
CLOSERS = ("ครับ", "คะ", "ค่ะ", "จ้ะ", "จ้า")
OPENERS = (
    *("ทั้งนี้", "นอกจากนี้", "นอกจากนั้น", "อย่างไรก็ตาม", "อย่างไรก็ดี", "ดังนั้น", "ต่อมา"),
    *("ขณะเดียวกัน", "ในขณะเดียวกัน", "อนึ่ง"),
)
"""What a sentence ends or begins with, beside a space. A full stop counts after a small Latin
letter or a closing bracket or quote alone: "2.", "J." and "พ.ศ." go on."""
_STOP = re.compile(r"[a-z)\]\"”]\.$")
_SPACES = re.compile(r"\s+")
_RUN = re.compile(r"[\u0e01-\u0e5b]+|[^\s\u0e01-\u0e5b]+")
"""Letters of Thai, or what stands between them and white space."""
_WORD_CHARS = 20
"""Few words are longer; the beginning of one is cut into as much as that."""
_PHRASE = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")


def segment_text(
    text: str, unit: Unit, min_words: int = MIN_WORDS, max_words: int = MAX_WORDS
) -> list[str]:
    """Return the parts of a document that have enough words, in order.

    Too short a part is left out, as the predecessor did; only a short sentence that has
    neighbours in its line is joined to one of them. Each part is a substring of the document.
    """
    return [part for part, enough in parts_of(text, unit, min_words, max_words) if enough]


def parts_of(
    text: str, unit: Unit, min_words: int = MIN_WORDS, max_words: int = MAX_WORDS
) -> Iterator[tuple[str, bool]]:
    """Yield all parts of a document, and whether each has at least `min_words`.

    A paragraph is a line. Joined, the parts are the document less white space at their ends.
    """
    for line in _LINE.finditer(text):
        parts = _sentences(line[0], min_words) if unit == "sentence" else (line[0],)
        for part in parts:
            for piece in _bounded(part.strip(), max_words):
                yield piece, count_words(piece, min_words) == min_words


def count_words(text: str, most: int | None = None) -> int:
    """Count words: nlpo3's in a run of Thai, else what stands between spaces and Thai.

    What has neither letter nor digit, as a bracket or an emoji, is no word. Once it has come to
    `most`, it counts no further and returns that.
    """
    words = 0
    for run in _RUN.finditer(text):
        words += _words_in(run[0])
        if most is not None and words >= most:
            return most
    return words


def _words_in(run: str) -> int:
    if not _thai(run):
        return int(any(letter.isalnum() for letter in run))
    return sum(1 for _ in _thai_words(run))


def _thai(run: str) -> bool:
    return "\u0e01" <= run[0] <= "\u0e5b"


def _thai_words(run: str) -> Iterator[str]:
    """Yield the words of a run in pieces, so that one of millions does not become a list."""
    at = 0
    while at < len(run):
        words = segment(run[at : at + LONGEST])
        if at + LONGEST < len(run):
            _drop_end(words)  # a word may go on in the next piece
        yield from words
        at += sum(map(len, words))


def _drop_end(words: list[str]) -> None:
    dropped = 0
    while len(words) > 1 and dropped < _WORD_CHARS:
        dropped += len(words.pop())


def _sentences(line: str, min_words: int) -> Iterator[str]:
    """Yield the sentences of a line; a short one is joined to the next, at the end to its last."""
    end = words = 0
    begin: int | None = None
    held: tuple[int, int] | None = None
    for start, end in _between_ends(line):
        begin = start if begin is None else begin
        words += count_words(line[start:end], min_words - words)
        if words >= min_words:
            if held:
                yield line[slice(*held)]
            held, words, begin = (begin, end), 0, None
    if held is None or begin is not None:
        held = (held[0] if held else begin or 0, end)
    yield line[slice(*held)]


def _between_ends(line: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences of a line begin and end, the spaces between them left out."""
    start = 0
    for space in _SPACES.finditer(line):
        before, after = line[max(space.start() - 4, 0) : space.start()], line[space.end() :][:16]
        ends = before.endswith((*MARKS, *CLOSERS)) or _STOP.search(before)
        if ends or after.startswith(OPENERS):
            yield start, space.start()
            start = space.end()
    yield start, len(line)


def _bounded(part: str, max_words: int) -> Iterator[str]:
    """Yield a part as pieces of at most `max_words`, cut at spaces, else between words."""
    # No word is shorter than a letter, so nearly no part need be counted.
    if len(part) <= max_words:
        yield from filter(None, [part])
        return
    words = array("I", (count_words(phrase[0]) for phrase in _PHRASE.finditer(part)))
    pieces = -(-sum(words) // max_words)
    if pieces <= 1:
        yield part
        return
    even = -(-sum(words) // pieces)
    start, end, held = -1, 0, 0
    for phrase, count in zip(_PHRASE.finditer(part), words, strict=True):
        if start >= 0 and held + count > even:
            yield part[start:end]
            start = -1
        if count > even:
            yield from _between_words(phrase[0], max_words)
            continue
        if start < 0:
            start, held = phrase.start(), 0
        end, held = phrase.end(), held + count
    if start >= 0:
        yield part[start:end]


def _between_words(phrase: str, max_words: int) -> Iterator[str]:
    """Yield a phrase without spaces as pieces of at most `max_words` words."""
    start = end = held = 0
    for run in _RUN.finditer(phrase):
        for word in _thai_words(run[0]) if _thai(run[0]) else [run[0]]:
            counts = _thai(run[0]) or _words_in(word) > 0
            if counts and held == max_words:
                yield phrase[start:end]
                start, held = end, 0
            end += len(word)
            held += counts
    yield phrase[start:end]
