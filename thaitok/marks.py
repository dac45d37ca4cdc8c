"""Thai vowel and tone marks: their order, their doubles, and codes that old fonts gave them."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache

TONES = "\u0e48\u0e49\u0e4a\u0e4b"
THANTHAKHAT = "\u0e4c"
UPPER_VOWELS = "\u0e31\u0e34\u0e35\u0e36\u0e37"
VOWEL_MARKS = UPPER_VOWELS + "\u0e38\u0e39\u0e3a\u0e47"
"""Marks that stand next to the consonant: sara i to sara uu, phinthu, mai taikhu."""
LATER_MARKS = TONES + "\u0e4c\u0e4d\u0e4e"
"""Marks that stand after a vowel mark: tones, thanthakhat, nikhahit, yamakkan."""

_MISPLACED = re.compile(
    f"[{VOWEL_MARKS}]?[{LATER_MARKS}][{VOWEL_MARKS}{LATER_MARKS}]+"
    f"|[{VOWEL_MARKS}]{{2}}[{VOWEL_MARKS}{LATER_MARKS}]*"
)
_LATE_TONE = re.compile(f"([ก-ฮ][{VOWEL_MARKS}]?)([\u0e32\u0e33])([{TONES}])")
_TONE_TWICE = re.compile(f"([{TONES}])([\u0e32\u0e33])\\1")


def order_marks(text: str) -> str:
    """Put the marks on each consonant in the order vowel, tone, and each of them once.

    ท่ี is typed for ที่ and looks alike; of ที่ี่ the second pair cannot be seen. A tone typed
    after sara aa or sara am (น + ำ + ้) goes before it.
    """
    text = _MISPLACED.sub(_ordered, text)
    return _TONE_TWICE.sub(r"\1\2", _LATE_TONE.sub(r"\1\3\2", text))


def _ordered(cluster: re.Match[str]) -> str:
    marks = dict.fromkeys(cluster[0])
    vowels = [mark for mark in marks if mark in VOWEL_MARKS]
    if len(vowels) > 1:  # a slip like ยตุิธรรม: nobody knows where the second one belongs
        return "".join(marks)
    return "".join((*vowels, *(mark for mark in marks if mark not in VOWEL_MARKS)))


_LONG = 4096
"""Characters up to which a pile of marks cannot hurt: composing 4,096 of them takes 30 ms."""


def compose(text: str) -> str:
    """Return the text in Unicode's NFC, in linear time.

    `unicodedata` sorts piled-up marks by insertion: 16,000 of two kinds take 0.26 s, a million
    an hour. Sorted beforehand, as the standard allows within a pile, they take no time.
    """
    if len(text) > _LONG and max(map(len, text.split()), default=0) > _LONG:
        text = _piles().sub(_sorted_pile, text)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=1)
def _piles() -> re.Pattern[str]:
    marks = [chr(code) for code in range(sys.maxunicode) if unicodedata.combining(chr(code))]
    return re.compile(f"[{''.join((*marks, *_TWO_MARKS))}]{{32,}}")


_TWO_MARKS = {
    character: unicodedata.normalize("NFD", character) for character in "\u0f73\u0f75\u0f81"
}
"""Tibetan signs of combining class 0 that decompose into two marks."""


def _sorted_pile(pile: re.Match[str]) -> str:
    single = pile[0].translate({ord(sign): two for sign, two in _TWO_MARKS.items()})
    return "".join(sorted(single, key=unicodedata.combining))


# Windows' and Mac OS's Thai fonts had glyphs for marks moved down, left, or both, and for yo ying
# and tho than without their foot; PDF converters give out their private codes as text. The
# codes are those of HarfBuzz, src/hb-ot-shaper-thai.cc.
_GLYPHS = {
    "\u0e48": "\uf70a\uf705\uf713\uf88b\uf88c\uf88a",
    "\u0e49": "\uf70b\uf706\uf714\uf88e\uf88f\uf88d",
    "\u0e4a": "\uf70c\uf707\uf715\uf891\uf892\uf890",
    "\u0e4b": "\uf70d\uf708\uf716\uf894\uf895\uf893",
    "\u0e4c": "\uf70e\uf709\uf717\uf897\uf898\uf896",
    "\u0e38": "\uf718\uf89b",
    "\u0e39": "\uf719\uf89c",
    "\u0e3a": "\uf71a\uf89d",
    "\u0e31": "\uf710\uf884",
    "\u0e34": "\uf701\uf885",
    "\u0e35": "\uf702\uf886",
    "\u0e36": "\uf703\uf887",
    "\u0e37": "\uf704\uf888",
    "\u0e47": "\uf712\uf889",
    "\u0e4d": "\uf711\uf899",
    "\u0e0d": "\uf70f\uf89a",
    "\u0e10": "\uf700\uf89e",
    "•": "\uf0b7\uf0a7\uf0d8\uf076",  # bullets of the fonts Symbol and Wingdings
}
# Bytes of cp1252 and cp874, which agree on them, read as Latin-1.
_C1_SIGNS = dict(zip("\x80\x85\x91\x92\x93\x94\x95\x96\x97", "€…‘’“”•–—", strict=True))
_CODES = {ord(code): sign for sign, codes in _GLYPHS.items() for code in codes}
_CODES |= {ord(code): sign for code, sign in _C1_SIGNS.items()}

FONT_CODES = f"[{''.join(map(chr, _CODES))}]"
"""The class of what `replace_font_codes` changes."""
_FONT_CODES = re.compile(FONT_CODES)


def replace_font_codes(text: str) -> str:
    """Write glyph codes of old fonts, and control characters that were quotes, as characters."""
    return _FONT_CODES.sub(lambda code: _CODES[ord(code[0])], text)
