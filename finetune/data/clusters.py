"""Grapheme clusters: the characters that a reader sees as one, where no word can begin inside."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
SARA_AM = "\u0e33\u0eb3"
"""Thai and Lao: letters to Unicode, but a vowel that extends the cluster before it (UAX 29)."""
SKIN = range(0x1F3FB, 0x1F400)
FLAGS = range(0x1F1E6, 0x1F200)


def split_clusters(text: str) -> list[tuple[int, int]]:
    """Return the spans of a text's clusters, in order and without gaps.

    Those of UAX 29 for Thai, Latin and emoji: marks, sara am, joiners and skin tones extend what
    is before them, except after white space; a line's CR LF, a flag's two letters and what
    follows a zero-width joiner in emoji are one. (Hangul and Indic conjuncts are left apart.)
    """
    starts = [at for at in range(len(text)) if not _extends(text, at)]
    odd = [at for at in starts if not _second_of_flag(text, at)]
    return list(zip(odd, [*odd[1:], len(text)], strict=True)) if text else []


def _extends(text: str, at: int) -> bool:
    if at == 0:
        return False
    before, here = text[at - 1], text[at]
    if before.isspace():
        return before == "\r" and here == "\n"
    if here in JOINERS or here in SARA_AM or ord(here) in SKIN:
        return True
    if before == "\u200d" and unicodedata.category(here) == "So":
        return True
    return unicodedata.category(here) in ("Mn", "Me", "Mc")


def _second_of_flag(text: str, at: int) -> bool:
    """Whether a flag's letter here is an even one of its run."""
    run = 0
    while at - run >= 0 and ord(text[at - run]) in FLAGS:
        run += 1
    return run > 0 and run % 2 == 0
