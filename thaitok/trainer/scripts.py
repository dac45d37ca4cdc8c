"""Scripts: words are cut into runs of one, so that no piece mixes two."""

from __future__ import annotations

import re

from thaitok.rules import EMOJI

CLASSES = {
    "thai": "\u0e01-\u0e3a\u0e40-\u0e4f",
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "digits": "0-9\u0e50-\u0e59",
    "emoji": f"\u200d{EMOJI}",
}
SCRIPTS = (*CLASSES, "other", "other")
RUNS = re.compile(
    "|".join(f"([{one}]+)" for one in CLASSES.values()) + f"|(<)|([^<{''.join(CLASSES.values())}]+)"
)
"""Runs of one script: no piece mixes two. `<` stands alone, since control tokens begin with it."""
DIGIT = re.compile("[0-9\u0e50-\u0e59]|[^0-9\u0e50-\u0e59]+")


def script_of(text: str) -> str:
    """Return the script of a piece: that of its first character.

    >>> script_of("ไทย"), script_of("iPhone"), script_of("๒๕"), script_of("...")
    ('thai', 'latin', 'digits', 'other')
    """
    match = RUNS.match(text)
    return SCRIPTS[(match.lastindex or len(SCRIPTS)) - 1] if match else "other"


def runs_of(word: str, *, split_digits: bool = False) -> list[str]:
    """Cut a word into runs of one script.

    >>> runs_of("iPhone15รุ่น")
    ['iPhone', '15', 'รุ่น']
    """
    runs = [match[0] for match in RUNS.finditer(word)]
    return [part for run in runs for part in DIGIT.findall(run)] if split_digits else runs
