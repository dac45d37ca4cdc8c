r"""Thai that was read in the wrong encoding: repaired where that yields Thai, else told.

Four ways are known: bytes of TIS-620 (Windows cp874) read as Latin-1 or cp1252 (`ÊÇÑÊ´Õ`), those
of UTF-8 read as Latin-1 or cp1252 (`à¸ªà¸§`), perhaps twice (`Ã\xa0Â¸Âª`), and those of UTF-8 read
as TIS-620 (`เธชเธง`). All decoding tables are Python's own.
"""

from __future__ import annotations

import re

_HIGH = range(0x80, 0x100)


def _readings(*encodings: str) -> dict[str, int]:
    """Return how the bytes 80–FF look in single-byte encodings: character → byte.

    A byte that an encoding leaves open stays a control character, as browsers read it.
    """
    found = {chr(byte): byte for byte in _HIGH if byte < 0xA1}
    for encoding in encodings:
        for byte in _HIGH:
            character = bytes((byte,)).decode(encoding, "ignore")
            if character:
                found.setdefault(character, byte)
    return found


WESTERN = _readings("latin-1", "cp1252")
THAI = _readings("cp874")


def _one_of(reading: dict[str, int], first: int, last: int) -> str:
    members = (character for character, byte in reading.items() if first <= byte <= last)
    return f"[{re.escape(''.join(members))}]"


_NEXT = _one_of(WESTERN, 0x80, 0xBF)
_UTF8 = re.compile(
    f"{_one_of(WESTERN, 0xC2, 0xDF)}{_NEXT}|{_one_of(WESTERN, 0xE0, 0xEF)}{_NEXT}{{2}}"
    f"|{_one_of(WESTERN, 0xF0, 0xF4)}{_NEXT}{{3}}"
)
"""One character of UTF-8, read byte by byte."""
_THAI_IN_UTF8 = re.compile(f"à[¸¹](?:{_NEXT}| )|Ã[\xa0 ]Â[¸¹]")
"""A Thai letter, E0 B8 xx or E0 B9 xx, once and twice misread."""
_CUT_UTF8 = re.compile("à[¸¹](?:[^\xa1-\xdf\xe1-\xfb]|$)")
"""One that has lost its last byte. เธ and เน, which look like it, end no word in TIS-620."""
_QUOTE_IN_UTF8 = re.compile(f"â€{_NEXT}")
"""General punctuation, E2 80 xx: curly quotes and dashes."""

_THAI_NEXT = _one_of(THAI, 0x80, 0xBF)
_UTF8_AS_THAI = re.compile(f"(?:เ[ธน]{_THAI_NEXT}|โ€{_THAI_NEXT})+")
_UTF8_AS_THAI_AT = re.compile(f"เธ{_THAI_NEXT}(?:เ[ธน]{_THAI_NEXT}){{2}}")
"""Three misread letters in a row. It begins with a literal: `re` then takes 1 ns a character."""

_SINGLE = re.compile("[\xa1-\xda\xdf-\xfb]+")
_LONG = re.compile(r"(.)\1{3,}")
_AS_TIS620 = {byte: bytes((byte,)).decode("cp874", "ignore") or None for byte in range(0xA1, 0xFC)}
_CLUSTERS = re.compile("(?:[เแโใไ]?[ก-ฮ](?:[ัิ-ฺ็ํ]?[่-์]?|[่-๋]?)[ะาำๅ]?[ะ]?|[ฯๆ๐-๙฿])+")
"""Thai as it is spelled, letter by letter: marks on consonants, leading vowels before them."""
_VOWELS_AND_MARKS = re.compile("[ะ-ึุ-ฺเ-ไ็-์]")
"""Without sara uee: misread it is the sign ×."""

SHORTEST = 4
"""Misread letters in a row, and different ones, that a line must show; é and ß stand alone."""


def repair_mojibake(text: str) -> str:
    """Decode again what was decoded wrongly, where the result is Thai. All else stays."""
    if "à" in text or "Ã" in text or "â€" in text:
        for _ in range(3):
            text = "\n".join(map(_repair_utf8, text.split("\n")))
    return _repair_single(text)


def repair_utf8_as_thai(text: str) -> str:
    """Repair UTF-8 that was read as TIS-620, in lines with three misread letters in a row."""
    if "เธ" not in text or not _UTF8_AS_THAI_AT.search(text):
        return text
    return "\n".join(map(_reread_line, text.split("\n")))


def _reread_line(line: str) -> str:
    if not _UTF8_AS_THAI_AT.search(line):
        return line
    whole = bytearray()
    for character in line:
        byte = THAI.get(character, ord(character))
        if byte > 0xFF:
            break
        whole.append(byte)
    else:
        reread = _decoded(bytes(whole), "")
        if reread:
            return reread
    return _UTF8_AS_THAI.sub(_reread_thai, line)  # a sound line with misread words


def _repair_utf8(line: str) -> str:
    if _is_utf8(line):
        # A space may be a no-break space, byte A0, that something has tidied up.
        return _UTF8.sub(_reread_western, line.replace("à¸ ", "à¸\xa0").replace("Ã Â", "Ã\xa0Â"))
    return _QUOTE_IN_UTF8.sub(_reread_western, line)


def _is_utf8(line: str) -> bool:
    """Whether a line holds two Thai letters in UTF-8 and most of its odd letters fit in UTF-8.

    TIS-620 shows such letters as well, เนต is `à¹µ`, but a third of it at most would fit.
    """
    if len(_THAI_IN_UTF8.findall(line)) < 2:
        return False
    fit = sum(map(len, _UTF8.findall(line)))
    return fit * 10 >= 7 * sum(map(WESTERN.__contains__, line))


def _reread_western(run: re.Match[str]) -> str:
    return _decoded(bytes(WESTERN[character] for character in run[0]), run[0])


def _reread_thai(run: re.Match[str]) -> str:
    return _decoded(bytes(THAI[character] for character in run[0]), run[0])


def _decoded(raw: bytes, otherwise: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return otherwise


def _repair_single(text: str) -> str:
    """Repair TIS-620 read as Latin-1, by lines, and plain words of it in the other lines."""
    if not _VOWELS_IN_WESTERN.search(text):
        return text
    lines = text.split("\n")
    misread = {number for number, line in enumerate(lines) if _is_misread(line)}
    if not misread:
        return text
    for number, line in enumerate(lines):
        runs = _SINGLE if number in misread else _WORD
        lines[number] = runs.sub(_reread_single, line)
    return "\n".join(lines)


def _reread_single(run: re.Match[str]) -> str:
    thai = run[0].translate(_AS_TIS620)
    sure = run.re is _SINGLE or (_CLUSTERS.fullmatch(thai) and _VOWELS_AND_MARKS.search(thai))
    return thai if sure else run[0]


_WORD = re.compile("(?<![A-Za-z\xa1-\xff])[\xa1-\xda\xdf-\xfb]{2,}(?![A-Za-z\xa1-\xff])")
"""What may be a misread word in a line without proof of its own; été and 20 °C are not."""
_VOWELS_IN_WESTERN = re.compile("[\xd0-\xda\xe0-\xe4\xe7-\xee]")


def _is_misread(line: str) -> bool:
    """Whether a line's Latin-1 letters are well-spelled Thai if they are read as TIS-620."""
    # Stretched letters are counted as they will be once they are cut.
    runs = [_LONG.sub(r"\1\1\1", run).translate(_AS_TIS620) for run in _SINGLE.findall(line)]
    total = sum(map(len, runs))
    if max(map(len, runs), default=0) < SHORTEST or len(set("".join(runs))) < SHORTEST:
        return False
    if len(_CUT_UTF8.findall(line)) * 20 > total:
        return False
    spelled = sum(len(part) for run in runs for part in _CLUSTERS.findall(run))
    vowels = sum(len(_VOWELS_AND_MARKS.findall(run)) for run in runs)
    # Of real Thai 46 characters in 100 are vowels and marks.
    return spelled * 10 >= total * 9 and 0.2 <= vowels / total <= 0.7


BROKEN_LETTERS = 20
"""Letters of broken encoding from which a text may be called mojibake as a whole."""


def is_mojibake(text: str) -> bool:
    """Whether a cleaned text is still in the wrong encoding, beyond repair.

    It is if it holds misread UTF-8 still, if a hundredth of it is U+FFFD, or if a quarter of its
    letters are Latin-1 letters in rows of three and more, which no language writes.
    """
    if sum(map(text.count, ("à¸", "à¹", "Ã Â¸", "Ã Â¹"))) >= 3:
        return True
    if "เธ" in text and _UTF8_AS_THAI_AT.search(text):
        return True
    lost = text.count("\ufffd")
    if lost >= 5 and lost * 100 >= len(text):
        return True
    return _holds_western(text) and _is_mostly_western(text)


def _holds_western(text: str) -> bool:
    """Whether any of the commonest Thai letters is there, misread: า น ร เ ั ่ ้ ี."""
    return any(character in text for character in "ÒÃàÑèéÕ")


def _is_mostly_western(text: str) -> bool:
    rows = sum(map(len, re.findall("[\xa1-\xac\xae-\xff]{3,}", text)))
    if rows < BROKEN_LETTERS:
        return False
    letters = sum(map(str.isalpha, text))
    return rows * 4 >= letters
