"""The dirt of real corpora, planted into clean documents at known counts.

Dirt on letters is undone by `thaitok.rules.clean_text`, letter for letter.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from thaitok.config import Config
from thaitok.rules import SARA_AM, TONES

SHARES = {
    "double_sara_e": 0.06,
    "split_sara_am": 0.08,
    "nbsp": 0.10,
    "html_entity": 0.05,
    "zero_width": 0.06,
}
"""Share of the documents that get each dirt, in the order in which it is put on."""

Dirty = Callable[[str, random.Random], tuple[str, int]]
"""Puts dirt on a text; returns the text and how many times."""


class DirtCount(Config):
    """How much of one dirt there is."""

    documents: int
    characters: int
    """How many characters or entities of it, over all documents."""


def plant_dirt(texts: Sequence[str], rng: random.Random) -> tuple[list[str], dict[str, DirtCount]]:
    """Put every dirt on its share of the texts, on at least one of them."""
    found, counts = list(texts), {}
    for kind, share in SHARES.items():
        wanted = max(1, round(share * len(found)))
        documents = characters = 0
        for index in rng.sample(range(len(found)), len(found)):
            if documents == wanted:
                break
            dirty, times = _DIRT[kind](found[index], rng)
            if times:
                found[index] = dirty
                documents, characters = documents + 1, characters + times
        counts[kind] = DirtCount(documents=documents, characters=characters)
    return found, counts


def near_duplicate(text: str, rng: random.Random) -> str:
    """Return the text with one figure changed and a line added, as a reprint of it would have."""
    figures = list(re.finditer("[0-9]+", text))
    if figures:
        figure = rng.choice(figures)
        changed = str(int(figure[0]) + rng.randint(1, 9))
        text = text[: figure.start()] + changed + text[figure.end() :]
    return f"{text} {rng.choice(_FOOTERS)}"


_FOOTERS = ("อ่านต่อหน้า 2", "ปรับปรุงล่าสุดวันนี้", "ที่มา: กองบรรณาธิการ", "ข่าวนี้เผยแพร่ซ้ำ")


def _double_sara_e(text: str, rng: random.Random) -> tuple[str, int]:
    return text.replace("แ", "เเ"), text.count("แ")


def _split_sara_am(text: str, rng: random.Random) -> tuple[str, int]:
    """Write sara am as nikhahit and sara aa, the nikhahit before a tone mark or after it."""
    splits = ("\\g<tone>\u0e4d\u0e32", "\u0e4d\\g<tone>\u0e32")
    return re.subn(f"(?P<tone>[{TONES}]?){SARA_AM}", rng.choice(splits), text)


def _nbsp(text: str, rng: random.Random) -> tuple[str, int]:
    return _some(text, " ", lambda _: "\u00a0", rng)


def _html_entity(text: str, rng: random.Random) -> tuple[str, int]:
    entities = {" ": "&nbsp;", "“": "&ldquo;", "”": "&#8221;", "–": "&ndash;"}
    return _some(text, "[ “”–]", entities.__getitem__, rng)


def _zero_width(text: str, rng: random.Random) -> tuple[str, int]:
    """Put zero-width spaces between Thai letters, where programs hint at a word break."""
    return _some(text, "(?<=[ก-ฮ])(?=[ก-ฮ])", lambda _: rng.choice("\u200b\u200c\ufeff"), rng)


def _some(
    text: str, pattern: str, written: Callable[[str], str], rng: random.Random
) -> tuple[str, int]:
    """Write a third of what the pattern matches otherwise, at least one."""
    places = [match.span() for match in re.finditer(pattern, text)]
    chosen = sorted(rng.sample(places, min(len(places), max(1, len(places) // 3))), reverse=True)
    for start, end in chosen:
        text = text[:start] + written(text[start:end]) + text[end:]
    return text, len(chosen)


_DIRT: dict[str, Dirty] = {
    "double_sara_e": _double_sara_e,
    "split_sara_am": _split_sara_am,
    "nbsp": _nbsp,
    "html_entity": _html_entity,
    "zero_width": _zero_width,
}
