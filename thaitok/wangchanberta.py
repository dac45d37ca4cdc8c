"""The rule set `wangchanberta`: text as WangchanBERTa was trained on it, at a corpus's speed.

The rules are those of `process_transformers` in thai2transformers (vistec-AI, 2021), which its
old checkpoints need; the output is equal to that of thaixtransformers 0.1.0 with emoji 2.16,
faults and all: `10000` becomes `10`, `http://aaaa.com` `http://a.com`, `(-5 องศา)` loses its
minus sign and `เกาะพีพี` a syllable. For anything new take `thaitok.rules`.
"""

from __future__ import annotations

import html
import re
import string
from collections.abc import Iterable, Iterator, Sequence

from thaitok.doubled import END, drop_doubled_words, windows
from thaitok.rules import SPACE_TOKEN

BATCH_CHARS = 1 << 17
"""Short texts are cleaned together up to this size, and a long one in parts of about it."""

REPLACED = (
    (";", "#39;", "'"),
    (";", "amp;", "&"),
    (";", "#146;", "'"),
    (";", "nbsp;", " "),
    (";", "#36;", "$"),
    ("\\", "\\n", "\n"),
    (";", "quot;", "'"),
    ("<", "<br />", "\n"),
    ("\\", '\\"', '"'),
    ("@", " @.@ ", "."),
    ("@", " @-@ ", "-"),
    ("@", " @,@ ", ","),
    ("\\", "\\", " \\ "),
)
"""A rare character, a string with it and what replaces it; in the order of fast.ai's `fix_html`."""

BRACKETS = (("(", ")"), ("{", "}"), ("[", "]"))
LETTERS = frozenset(string.ascii_letters + string.digits) | set(map(chr, range(0xE01, 0xE5A)))
"""What counts as content of a bracket: not é, not CJK, not emoji."""

_OTHER = f"[^a-zA-Z0-9ก-๙{END}]"
OTHERS = re.compile(f"{_OTHER}+")
UNTIDY = re.compile(
    # The bracket comes first: a class at the head of a pattern is sought twice as fast.
    rf"[(){{}}\[\]](?:(?<=[({{\[])(?={_OTHER})|(?<={_OTHER}[)}}\]]))"
)
"""A bracket that the bracket rules may change something at."""

HUGE_NUMBER = re.compile("&#[0-9]{4301,}")

PLAIN_SPACE = re.compile(
    # Not after yo yak: newmm's clusters that end with it look at the next character.
    " (?:(?<=[ก-มร-ฮ] )(?=[ก-ฮ])|(?<=[a-zA-Z] )(?=[a-zA-Z]+ [a-zA-Z]))"
)
"""A space that no rule touches and over which no rule looks."""


def process_transformers(texts: Sequence[str]) -> list[str]:
    """Return what `process_transformers` of thai2transformers makes of each text.

    One line each, in lower case, with every space as the space token; independent of what else
    is in the batch. Two kinds of text differ, since the original raises or takes hours: an HTML
    entity with a number of over 4,300 digits becomes U+FFFD, and over `LONGEST_PIECE`
    characters without one sure end of a word keep their doubled words.

    >>> from thaitok.rules import unmark_spaces
    >>> unmark_spaces(process_transformers(["เกาะพีพี (!) &amp; ทะเล 10000 แห่งงงงง"])[0])
    'เกาะพี && ทะเล 10 แห่ง'
    """
    parts = (
        (number, part)
        for number, text in enumerate(texts)
        for part in ((text,) if len(text) <= 2 * BATCH_CHARS else _parts(text))
    )
    cleaned: list[list[str]] = [[] for _ in texts]
    for batch in _batches(parts):
        for (number, _), part in zip(batch, _clean([part for _, part in batch]), strict=True):
            cleaned[number].append(part)
    return [SPACE_TOKEN.join(parts) for parts in cleaned]


def _parts(text: str) -> Iterator[str]:
    """Split a long text at spaces that make no difference, where it has any."""
    start = 0
    while len(text) - start > 2 * BATCH_CHARS:
        space = PLAIN_SPACE.search(text, start + BATCH_CHARS)
        if not space:
            break
        yield text[start : space.start()]
        start = space.end()
    yield text[start:]


def _batches(parts: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    size = 0
    for part in parts:
        batch.append(part)
        size += len(part[1])
        if size >= BATCH_CHARS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _clean(texts: list[str]) -> list[str]:
    joined = END.join(texts)
    if joined.count(END) >= len(texts):  # a text holds it: a character in no text stands in
        stand_in = next(char for char in map(chr, range(0xFDD1, 0x110000)) if char not in joined)
        cleaned = _clean([text.replace(END, stand_in) for text in texts])
        return [text.replace(stand_in, END) for text in cleaned]
    joined = _tidy_brackets(_fix_html(joined.lower()))
    joined = END.join(map(str.strip, joined.split(END))).replace("\n", " ")
    joined = _single_spaces(joined).replace(" ", SPACE_TOKEN)
    return drop_doubled_words(_unstretch(joined)).split(END)


def _fix_html(text: str) -> str:
    for sign, old, new in REPLACED:
        if sign in text:
            text = text.replace(old, new)
    try:
        text = html.unescape(text)
    except ValueError:  # int() refuses so many digits, though any over 7 mean the same
        text = html.unescape(HUGE_NUMBER.sub("&#9999999", text))
    return _single_spaces(text)


def _single_spaces(text: str) -> str:
    while "  " in text:  # each round halves a run of spaces
        text = text.replace("  ", " ")
    return text


def _tidy_brackets(text: str) -> str:
    """Apply the twelve bracket rules: each acts inside one run of characters not in `LETTERS`."""
    tidied: list[str] = []
    done = 0
    for bracket in UNTIDY.finditer(text):
        start = bracket.start()
        if start < done:
            continue
        while start > done and text[start - 1] not in LETTERS and text[start - 1] != END:
            start -= 1
        end = OTHERS.match(text, start).end()  # type: ignore[union-attr]  # a bracket is one
        before, after = text[start - 1 : start], text[end : end + 1]
        run = _tidy_run(text[start:end], before in LETTERS, after in LETTERS)
        tidied += text[done:start], run
        done = end
    return "".join((*tidied, text[done:]))


def _tidy_run(run: str, after_letter: bool, before_letter: bool) -> str:
    """Tidy a run of characters that are not letters, in time that grows with its length.

    As regular expressions, as in the original, the rules take quadratic time on `((((...`.
    """
    for opening, closing in BRACKETS:
        run = run.replace(opening + closing, "")
    for opening, closing in BRACKETS:
        first, last = run.find(opening), run.rfind(closing)
        if 0 <= first < last - 1:
            run = run[:first] + run[last + 1 :]
    for opening, _ in BRACKETS if before_letter else ():
        if opening in run:
            run = run[: run.index(opening) + 1]
    for _, closing in BRACKETS if after_letter else ():
        if closing in run:
            run = run[run.rindex(closing) :]
    return run


def _unstretch(text: str) -> str:
    """Write a character that stands four or more times in a row once."""
    import numpy as np

    unstretched: list[str] = []
    done = 0
    for start, codes in windows(text, 3):
        same = codes[1:] == codes[:-1]
        for place in (start + np.flatnonzero(same[2:] & same[1:-1] & same[:-2])).tolist():
            char = text[place]
            if place >= done and not char.isspace() and char != END:
                unstretched.append(text[done : place + 1])
                done = _end_of_run(text, place)
    return "".join((*unstretched, text[done:]))


def _end_of_run(text: str, place: int) -> int:
    # An expression with a group reference takes 75 bytes of stack for each repetition.
    char = text[place]
    many = char * 256
    while text.startswith(many, place):
        place += len(many)
    while text.startswith(char, place):
        place += 1
    return place
