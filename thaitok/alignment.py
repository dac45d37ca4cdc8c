"""Which piece read which characters of a text, and which word it speaks for.

Offsets of `tokenizers` point into the text as it was given, but where a rule reads several
characters as one they name one of them only (เเ, read as แ, has the second เ), and they name a
character twice where it became two.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from thaitok.rules import normalize

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

Span = tuple[int, int]
"""Start and end in characters of the text, end excluded."""

_NEAR = 16
"""Characters on each side of a border that are looked at; no rule reads more at once, but for
runs of one character."""
_FAR = 1024
"""Characters that are looked at with the invisible ones among them, which do not count."""


def widen(text: str, spans: Sequence[Span]) -> list[Span]:
    """Give every character that a tokenizer read to exactly one of its tokens.

    Spans are in the order of the tokens. Afterwards none overlaps another, and no character is
    left between two of them but white space beside tokens that hold none (tokenizers that drop
    it), and what was dropped before the first (a byte order mark is no part of the first word).
    What is between two tokens is shared such that both parts are read on their own as they are
    read together: เ before แ's เ goes to แ, a zero-width space to the token before it, or after
    it where the one before is a space. Empty spans, as of special tokens, stay; a token whose
    characters all belong to the one before becomes empty.
    """
    found = list(spans)
    clusters = _clusters(found)
    border = 0
    for number, (members, start, end) in enumerate(clusters):
        if number == 0:
            near = _reach(text, start, -1)
            border = _after_space(text, _cut(text, near, near, start), start, end)
        following = clusters[number + 1] if number + 1 < len(clusters) else None
        if following:
            cut = _cut(text, border, end, following[1])
            left = _before_space(text, border, end, cut)
            right = _after_space(text, cut, *following[1:])
        else:
            left = right = _before_space(text, border, end, len(text))
        _share(found, members, border, left)
        border = right
    return found


def _clusters(spans: Sequence[Span]) -> list[tuple[list[int], int, int]]:
    """Gather tokens that share a character: their numbers, the first start and the last end."""
    clusters: list[tuple[list[int], int, int]] = []
    for number, (start, end) in enumerate(spans):
        if start == end:
            continue
        if clusters and start < clusters[-1][2]:
            members, first, last = clusters[-1]
            clusters[-1] = ([*members, number], min(first, start), max(last, end))
        else:
            clusters.append(([number], start, end))
    return clusters


def _share(found: list[Span], members: Sequence[int], start: int, end: int) -> None:
    """Cut the characters from start to end between the tokens of a cluster, in order."""
    at = start
    for number, following in zip_longest(members, members[1:]):
        if following is None:
            stop = end
        else:
            own, begins = found[number][1], found[following][0]
            stop = min(end, begins if begins > at else max(at, own))
        found[number] = (at, stop)
        at = stop


def _cut(text: str, start: int, end: int, next_start: int) -> int:
    """Return where between `end` and `next_start` one token ends and the next begins."""
    if end == next_start:
        return end
    low, high = _reach(text, end, -1), _reach(text, next_start, 1)
    whole = normalize(text[low:high])
    places = list(range(end, next_start + 1))
    if len(places) > 2 * _NEAR:
        places[_NEAR:-_NEAR] = []
    if start == end or not text[start:end].isspace():
        places.reverse()
    for place in places:
        if normalize(text[low:place]) + normalize(text[place:high]) == whole:
            return place
    return places[0]


def _reach(text: str, place: int, step: int) -> int:
    """Return the place `_NEAR` visible characters before (-1) or after (1) another."""
    seen = 0
    for at in range(place, place + step * _FAR, step):
        if seen == _NEAR or not (at > 0 if step < 0 else at < len(text)):
            return at
        seen += unicodedata.category(text[at - 1 if step < 0 else at]) not in ("Cf", "Cc")
    return place + step * _FAR


def _before_space(text: str, start: int, end: int, cut: int) -> int:
    """Return `cut`, or where white space begins before it if the token holds none itself."""
    if text[start:end].isspace():
        return cut
    return next((at for at in range(end, cut) if text[at].isspace()), cut)


def _after_space(text: str, cut: int, start: int, end: int) -> int:
    """Return `cut`, or where white space ends after it if the token holds none itself."""
    if text[start:end].isspace():
        return cut
    return next((at + 1 for at in reversed(range(cut, start)) if text[at].isspace()), cut)


def join_words(words: Sequence[str], space_after: Sequence[bool] = ()) -> tuple[str, list[Span]]:
    """Join words to their text, with a space after those that have one.

    >>> join_words(["ไป", "กิน", "ข้าว"], [False, True, False])
    ('ไปกิน ข้าว', [(0, 2), (2, 5), (6, 10)])
    """
    parts: list[str] = []
    spans: list[Span] = []
    end = 0
    for word, space in zip_longest(words, space_after[: len(words)], fillvalue=False):
        start, end = end, end + len(str(word))
        spans.append((start, end))
        parts.append(str(word))
        if space:
            parts.append(" ")
            end += 1
    return "".join(parts), spans


@dataclass(frozen=True, slots=True)
class WordEncoding:
    """Words as the tokens of their text, special tokens included.

    `offsets` are spans in `text`; `tokens` are the numbers of the tokens that share characters
    with each word, none for a word that is not read; `words` is the word of each token: the one
    in which its first character that is no white space lies, None for special tokens and for
    spaces that stand between words.
    """

    text: str
    ids: tuple[int, ...]
    offsets: tuple[Span, ...]
    tokens: tuple[tuple[int, ...], ...]
    words: tuple[int | None, ...]


def encode_words(
    tokenizer: Tokenizer | PreTrainedTokenizerBase,
    words: Sequence[str],
    space_after: Sequence[bool] | None = None,
) -> WordEncoding:
    """Join words to natural text, encode it as it is, and say which token belongs to which word.

    `space_after` says which words a space follows; a word may also be a space itself. For the
    labels of a token classifier:

        encoding = encode_words(tokenizer, words)
        labels = [-100 if word is None else tags[word] for word in encoding.words]
    """
    text, places = join_words(words, space_after or ())
    ids, spans = _encode(tokenizer, text)
    offsets = widen(text, spans)
    starts = [start for start, _ in places]
    tokens: list[list[int]] = [[] for _ in words]
    owners: list[int | None] = []
    for number, (start, end) in enumerate(offsets):
        owner = None
        touching = range(max(0, bisect_right(starts, start) - 1), bisect_right(starts, end - 1))
        for word in touching if start < end else ():
            first, last = max(start, places[word][0]), min(end, places[word][1])
            if first < last:
                tokens[word].append(number)
                alone = not words[word].strip()  # a word of white space owns its token
                if owner is None and (alone or text[first:last].strip()):
                    owner = word
        owners.append(owner)
    return WordEncoding(text, tuple(ids), tuple(offsets), tuple(map(tuple, tokens)), tuple(owners))


def _encode(
    tokenizer: Tokenizer | PreTrainedTokenizerBase, text: str
) -> tuple[list[int], list[Span]]:
    from tokenizers import Tokenizer

    if isinstance(tokenizer, Tokenizer):
        found = tokenizer.encode(text)
        return found.ids, found.offsets
    encoded = tokenizer(text, return_offsets_mapping=True)
    return encoded["input_ids"], [
        (int(start), int(end)) for start, end in encoded["offset_mapping"]
    ]
