"""Stretched writing cut to a fixed length: มากกกกก, !!!!!!, ------, and 555 laughter apart."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from thaitok.triggers import BLOCK_CHARS

LETTERS_KEPT = 3
"""What a run of four or more becomes.

Not 1 or 2: งง, กก and นน are spelling (ถนน, ธรรม), so มากก would hide among words. Three of a
letter come of two words that meet (คนนนทบุรี), four in no Thai word but ถนนนนทบุรี, which is
left alone. And three is what the signs mean: an ellipsis `...`, a Markdown rule `---`."""

FIVES_KEPT = 5
"""What long laughter becomes; three quarters of the laughs in real posts have 3 to 5 fives."""
FREE_FIVES, GLUED_FIVES = 8, 6
"""Fives that are surely laughter: standing free, and right after a Thai letter. Shorter runs
may be numbers; of 890 runs of 5 and more in real posts all but telephone numbers laughed."""

STRETCHED = r"[^\s#`\\|()\[\]{}<>\"']"
_RUN = re.compile(f"({STRETCHED}\ufe0f?)\\1{{3,}}")
"""Not brackets, quotes, `|`, `\\`, `#` and the back-tick: four of them are code or Markdown."""

PROTECTED = re.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,15}://\S+"
    r"|(?<![A-Za-z0-9])[wW]{3}\.\S+"
    r"|[@#＃][^\s@#＃]+"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]+"
    r"|(?<![A-Za-z0-9-])[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}(?![A-Za-z])"
    r"(?:[:/?#]\S*)?"
)
"""Addresses, handles, hashtags, e-mail and bare domains with what follows them."""

_VARIED = re.compile("(\\S\ufe0f)\\1{3,}")

SHORT = 600
"""Characters up to which `re` finds the runs as fast as numpy."""

_DATE, _HEX = frozenset("dmyhsfztx"), frozenset("abcdef")
LONGEST_WORD = 128
"""Latin letters in a row from which they are taken for data."""
_WORD_END, _WORD_START = re.compile("[A-Za-z]+$"), re.compile(f"[A-Za-z]{{0,{LONGEST_WORD}}}")
_CODE_SIGNS = frozenset("0123456789_=%/+\\$&-")

_FIVES = re.compile(f"5{{{GLUED_FIVES},}}")
_NUMBER_BEFORE = re.compile(
    r"[0-9A-Za-z๐-๙_#@$€£¥฿%*=+/~^-]$|[0-9๐-๙][ .,:]$|(?<![.…])[.,:]$"
    r"|(?:เบอร์|โทร|ศัพท์|มือถือ|แฟกซ์|เลข|เลขที่|รหัส|บัญชี|ราคา|ทะเบียน|จำนวน|ยอด|เงิน|รางวัล"
    r"|ห้อง|สาย|ต่อ|กด|ไอดี)[ :.]{0,3}$"
)
_NUMBER_AFTER = re.compile(
    r"[0-9A-Za-z๐-๙_@%$€£¥฿]|[-.,:/ ][0-9A-Za-z๐-๙]"
    r"| ?(?:บาท|ล้าน|แสน|หมื่น|พัน|ร้อย|คน|ครั้ง|ชิ้น|ตัว|กิโล|กม|เมตร|ดอล|หน่วย|ไลค์|วิว|รายการ|เสียง)"
)
"""What shows that fives are a number: other digits, a currency, a word that a number follows."""


def cut_stretches(text: str) -> str:
    """Cut a run of four or more of a letter, mark or sign to `LETTERS_KEPT`.

    Digits, brackets, addresses, handles, hashtags, words of code and dates (`yyyy`) stay.
    """
    runs = filter(None, (_RUN.match(text, place) for place in _places(text)))
    return _cut(text, runs, lambda run: run[1] * LETTERS_KEPT if _stretched(run) else run[0])


def cut_laughter(text: str) -> str:
    """Cut laughter of many fives to `FIVES_KEPT`; a number, price or telephone number stays."""
    if "5" * GLUED_FIVES not in text:
        return text
    return _cut(text, _FIVES.finditer(text), _laughed)


def _cut(text: str, runs: Iterable[re.Match[str]], cut: Callable[[re.Match[str]], str]) -> str:
    """Replace runs, which come in rising order, outside of what is `PROTECTED`."""
    pieces: list[str] = []
    done = line_end = 0
    protected: list[tuple[int, int]] = []
    for run in runs:
        start, end = run.span()
        if start < done or (instead := cut(run)) == run[0]:
            continue
        if start >= line_end:  # the line is searched once, and only where something is cut
            line_start = text.rfind("\n", line_end, start) + 1 or line_end
            line_end = text.find("\n", end)
            line_end = len(text) if line_end < 0 else line_end
            protected = [m.span() for m in PROTECTED.finditer(text, line_start, line_end)]
        before = bisect_right(protected, (start, line_end))
        if before and protected[before - 1][1] > start:
            continue
        pieces += text[done:start], instead
        done = end
    return "".join((*pieces, text[done:])) if done else text


def _places(text: str) -> Iterator[int]:
    r"""Yield where runs of four or more begin.

    `re` takes 60 ns a character for `(.)\1{3}`, numpy 3.
    """
    if len(text) < SHORT:
        yield from (run.start() for run in _RUN.finditer(text))
        return
    for low in range(0, len(text), BLOCK_CHARS):
        first = max(low - 1, 0)  # what begins with it is another block's
        block = text[first : low + BLOCK_CHARS + 8]
        places = {first + place for place in _runs_of_four(block)} - {low - 1}
        if "\ufe0f" in block:
            places |= {first + run.start() for run in _VARIED.finditer(block)}
        yield from sorted(places)


def _runs_of_four(text: str) -> list[int]:
    import numpy as np

    # UTF-16 is what Python holds of most Thai text already: ten times faster than UTF-32.
    codes = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    if len(codes) != len(text):
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    same = codes[1:] == codes[:-1]
    four = np.flatnonzero(same[2:] & same[1:-1] & same[:-2])
    found: list[int] = four[(four == 0) | ~same[four - 1]].tolist()
    return found


def _stretched(run: re.Match[str]) -> bool:
    sign = run[0][0]
    if sign.isnumeric():
        return False
    if len(run[0]) == 4 and sign in "น.":  # ถนน + นนท์, and the year of a bill: พ.ศ. ....
        before = run.string[max(0, run.start() - 5) : run.start()]
        return not before.endswith("ถ" if sign == "น" else ("พ.ศ.", "พ.ศ. "))
    return not (sign.isascii() and sign.isalpha()) or _stretched_word(run)


def _stretched_word(run: re.Match[str]) -> bool:
    """Tell sooooo from yyyy, FFFFFF, xxxx, a hash or an identifier."""
    line, (start, end) = run.string, run.span()
    left = _WORD_END.search(line[max(0, start - LONGEST_WORD) : start])
    right = _WORD_START.match(line, end)
    start -= len(left[0]) if left else 0
    end = right.end() if right else end
    word, letters = line[start:end], set(line[start:end].lower())
    if {line[start - 1 : start], line[end : end + 1]} & _CODE_SIGNS or len(word) > LONGEST_WORD:
        return False
    if len(letters) < 2 or letters <= _DATE or letters <= _HEX or "x" in run[0].lower():
        return False
    one_case = word.islower() or word.isupper() or word.istitle()
    return one_case and len(_RUN.findall(word)) <= 2


def _laughed(run: re.Match[str]) -> str:
    text, start, end = run.string, *run.span()
    glued = "ก" <= text[start - 1 : start] <= "๎"
    if end - start < (GLUED_FIVES if glued else FREE_FIVES):
        return run[0]
    if _NUMBER_BEFORE.search(text[max(0, start - 24) : start]):
        return run[0]
    return run[0] if _NUMBER_AFTER.match(text, end) else "5" * FIVES_KEPT
