"""SentencePiece's own normalizer inside `tokenizer.json`, exactly: its table of characters."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, product

from tokenizers import Regex, normalizers

from thaitok.ranges import runs_of_codes

BREAK = "\ufdd0"
"""Put between characters that `Precompiled` would look up together, and taken out after it."""
BLOCK = "\ufdd1"
"""Put between characters that NFC would compose and SentencePiece does not, and taken out."""

_EXTENDING = r"\p{M}\u200c\u200d\u0e33\u0eb3\uff9e\uff9f"
"""What joins the character before it to one grapheme (Unicode's UAX 29)."""
ALONE = (
    rf"(?<=[\x00-\u07ff])(?=[{_EXTENDING}&&[\u0800-\uffff]])"
    rf"|(?=[\p{{M}}&&[\u0300-\u07ff]])(?!\A)|(?<=\r)(?=\n)"
)
"""Where graphemes of up to five bytes are parted. `Precompiled` looks those up whole, takes the
shortest entry that they begin with and drops the rest: NBSP with a tone mark lost the mark."""


def read_charsmap(blob: bytes) -> dict[str, str]:
    """Decode a `precompiled_charsmap`: what SentencePiece replaces, the longest key first.

    The form is SentencePiece's (normalizer.cc): the size of a double-array trie (darts-clone,
    units of 32 bits), the trie, and the replacements, each ended by a zero byte.
    """
    (size,) = struct.unpack_from("<I", blob)
    units = struct.unpack_from(f"<{size // 4}I", blob, 4)
    texts = blob[4 + size :]
    below: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, unit in enumerate(units):
        if 0 < unit & 0x800000FF < 256:
            below[place ^ unit & 0xFF].append((place, unit & 0xFF))
    found: dict[str, str] = {}
    stack = [(0, b"")]
    while stack:
        place, key = stack.pop()
        unit = units[place]
        base = place ^ (unit >> 10) << ((unit & 0x200) >> 6)
        if unit >> 8 & 1:
            start = units[base] & 0x7FFFFFFF
            found[key.decode()] = texts[start : texts.index(b"\0", start)].decode()
        stack += ((one, key + bytes((byte,))) for one, byte in below[base])
    return found


def charsmap_normalizers(blob: bytes, apart: Sequence[str]) -> list[normalizers.Normalizer]:
    """Return the steps that replace characters as SentencePiece does; `apart` it leaves alone.

    One character at a time by `Precompiled`; then NFC composes what SentencePiece's longer keys
    do, but nowhere else.
    """
    if not blob:
        return []
    table = read_charsmap(blob)
    deleted = _class(key for key, text in table.items() if not text)
    return [
        # `Precompiled` panics at a text that begins with one of these.
        *([normalizers.Replace(Regex(f"[{deleted}]"), BLOCK)] if deleted else []),
        normalizers.Replace(Regex(blocked(table, apart)), BLOCK),
        normalizers.Replace(Regex(ALONE), BREAK),
        normalizers.Precompiled(blob),
        normalizers.Replace(BREAK, ""),
        normalizers.NFC(),
        normalizers.Replace(BLOCK, ""),
    ]


def blocked(table: Mapping[str, str], apart: Sequence[str]) -> str:
    """Return a pattern of the places where NFC must compose nothing.

    SentencePiece takes the longest key at each place, and reorders nothing: it leaves alone a
    composed letter with a further mark (as of Windows' Vietnamese), most marks that follow
    marks, and whatever stands beside a user-defined piece.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for after, befores in _unjoined(table).items():
        groups[_class(befores)].append(after)
    pairs = "|".join(
        f"(?=[{_class(afters)}])(?<=[{befores}])" for befores, afters in groups.items()
    )
    single = [(key, text) for key, text in table.items() if len(key) == 1 and text]
    ending = _class(key for key, text in single if _is_mark(text[-1]))
    beginning = _class(key for key, text in single if _is_mark(text[0]))
    places = [
        # One class for all comes first: without it a line of Thai took ten times as long.
        f"(?=[{_class(chain.from_iterable(groups.values()))}])(?:{pairs})",
        rf"(?<=[\p{{M}}{ending}])(?=[\p{{M}}{beginning}]){_chains(table)}",
        *(f"(?<={re.escape(one)})(?=[^\x00-\x7f])" for one in apart),
    ]
    return "|".join(places)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _unjoined(table: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the characters after which each is composed by NFC, but by no key of the table."""
    endings: dict[str, list[str]] = defaultdict(list)
    beginnings: dict[str, list[str]] = defaultdict(list)
    for key, text in table.items():
        if len(key) == 1 and text:
            endings[text[-1]].append(key)
            beginnings[text[0]].append(key)
    found: dict[str, set[str]] = defaultdict(set)
    for first, second in compositions():
        for after in (second, *beginnings[second]):
            before = (one for one in (first, *endings[first]) if one + after not in table)
            found[after].update(before)
    return {after: befores for after, befores in found.items() if befores}


def _chains(table: Mapping[str, str]) -> str:
    """Return a pattern that fails between two marks which end a key."""
    chains: dict[str, set[str]] = defaultdict(set)
    for key in table:
        if len(key) > 1 and all(map(_is_mark, key[-2:])):
            chains[key[-1]].add(key[-2])
    allowed = (f"(?={mark})(?<=[{_class(before)}])" for mark, before in chains.items())
    return f"(?!{'|'.join(allowed)})" if chains else ""


def compositions() -> Iterator[tuple[str, str]]:
    """Yield the pairs of characters that NFC changes: composed, or composed anew in their order.

    Of Hangul letters only those that complete a syllable; no key of SentencePiece does that.
    """
    pairs = [
        (composed, chr(int(parts[0], 16)), chr(int(parts[1], 16)))
        for composed in map(chr, range(0xC0, 0x30000))
        if len(parts := unicodedata.decomposition(composed).split()) == 2
        and parts[0][0] != "<"
        and unicodedata.is_normalized("NFC", composed)
    ]
    yield from ((first, second) for _, first, second in pairs)
    marks = {second for _, _, second in pairs}
    for composed, _, _ in pairs:
        for mark in marks:
            if not unicodedata.is_normalized("NFC", composed + mark):
                yield composed, mark
    syllables = map(chr, range(0xAC00, 0xD7A4, 28))
    yield from product(syllables, map(chr, range(0x11A8, 0x11C3)))


def _class(characters: Iterable[str]) -> str:
    """Write characters as the inside of a class, neighbours as ranges."""
    return "".join(
        rf"\x{{{first:x}}}-\x{{{last:x}}}" if first < last else rf"\x{{{first:x}}}"
        for first, last in runs_of_codes(map(ord, characters))
    )
