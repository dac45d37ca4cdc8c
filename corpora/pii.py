"""Masking of personal data, on request: Thai national ids, phones, e-mail, bank accounts.

Each find becomes `[thai_id]`, `[phone]`, `[email]` or `[bank_account]`: plain words that no
cleaning rule changes and no pattern here finds, so that masking again changes nothing. Only what
people write for other people is looked for, not what stands in a URL.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal, get_args

PiiKind = Literal["thai_id", "phone", "email", "bank_account"]

_D = "[0-9๐-๙]"
_DASH = "(?: ?[-\u2010-\u2013] ?)"
_GAP = f"(?:{_DASH}| )"
_START = (
    f"(?:(?=[+(])|(?<![0-9๐-๙A-Za-z_=#@])(?<![A-Za-z]/)(?<!{_D}[.:-])(?:(?=[0๐])|(?<!{_D}[,/])))"
)
"""Not inside a word or a longer number, nor behind a sign that joins numbers: prices, dates,
clock times, versions. A comma or slash may part two phone numbers: they begin with 0."""
_END = f"(?![0-9๐-๙A-Za-z_])(?![.:-]{_D})(?![,/][1-9๑-๙])"

URL = r"(?:https?://|www\.)[^\s\u0e00-\u0e7f<>\"']+"
EMAIL = (
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@"
    r"(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])(?![A-Za-z0-9._%+-]{0,64}@)"
)
THAI_ID = (
    f"{_START}[1-8๑-๘](?P<gap>[ -]?){_D}{{4}}(?P=gap){_D}{{5}}(?P=gap){_D}{{2}}(?P=gap){_D}{_END}"
)
"""Thirteen digits, together or as on the card, 1-2345-67890-12-1; the first is 1 to 8."""
ACCOUNT = f"{_START}{_D}{{3}}-{_D}-{_D}{{5}}-{_D}{_END}"
"""Ten digits as printed in a Thai bank book."""
ACCOUNT_WORDS = "เลขที่บัญชี|บัญชี|พร้อมเพย์|[Pp]rompt ?[Pp]ay"
NAMED_ACCOUNT = (
    f"(?P<before>(?:{ACCOUNT_WORDS})[^0-9๐-๙\\n@/]{{0,40}})(?<![A-Za-z_.,:=#+-])"
    f"{_D}(?:[ -]?{_D}){{9,11}}{_END}(?! ?บาท)"
)
"""Ten to twelve digits soon after a word for an account."""
PHONE = (
    f"{_START}(?:\\+66{_GAP}?(?:\\([0๐]\\){_GAP}?)?|\\(?[0๐]){_GAP}?[2-9๒-๙]\\)?"
    f"(?:\\)?{_GAP}?{_D}){{7,8}}(?:{_DASH}{_D}{{1,2}})?{_END}"
)
"""A number with its area or network digit, and the last digits of further lines after a dash
(02-123-4567-9). Which digits may be a phone, `_is_phone` says."""

PHONE_GROUPS = re.compile(
    "9|2-7|3-6|5-4|2-3-4|1-4-4|3-3-3|1-1-3-4|2-3-2-2"
    "|10|2-8|3-7|3-3-4|2-4-4|3-4-3|1-4-5|3-3-2-2|2-2-2-2-2"
)
"""How people part nine and ten digits; other groups of numbers are columns of a table."""

_PATTERNS: dict[PiiKind, str] = {
    "email": EMAIL,
    "thai_id": THAI_ID,
    "bank_account": f"{ACCOUNT}|{NAMED_ACCOUNT}",
    "phone": PHONE,
}
"""In the order in which they are tried at a place."""
_LIKELY = re.compile(f"{_D}(?:[^0-9๐-๙@\n]{{0,4}}{_D}){{8}}|@")
"""What a text must have for any pattern to match; 20 times faster to look for than they are."""
PASSES = 6
"""Most rounds over a line: 300,000 made of such data and the signs between needed 3 at most."""
_ARABIC = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


def mask_pii(text: str, kinds: Sequence[PiiKind]) -> tuple[str, Counter[str]]:
    """Replace personal data of the given kinds by their placeholders, and count them by kind.

    All else stays as it is to the character. Linear in the length of the text.

    >>> mask_pii("โทร 081-234-5678 คุณแมว", ["phone"])
    ('โทร [phone] คุณแมว', Counter({'phone': 1}))
    """
    counts: Counter[str] = Counter()
    if not kinds or not _LIKELY.search(text):
        return text, counts
    pattern = _pattern(tuple(sorted(set(kinds))))

    def replace(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind is None or kind == "url" or not _holds(kind, found[0]):
            return found[0]
        counts[kind] += 1
        return f"{found.groupdict().get('before') or ''}[{kind}]"

    # No pattern reaches over a line, and few lines hold what comes near one.
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _LIKELY.search(line):
            lines[number] = _settled(line, lambda line: pattern.sub(replace, line))
    return "\n".join(lines), counts


def _settled(line: str, mask: Callable[[str], str]) -> str:
    """Mask until nothing changes: what stood too close to a find may become one itself."""
    for _ in range(PASSES):
        masked = mask(line)
        if masked == line:
            break
        line = masked
    return line


@cache
def _pattern(kinds: tuple[PiiKind, ...]) -> re.Pattern[str]:
    unknown = set(kinds) - set(get_args(PiiKind))
    if unknown:
        raise ValueError(f"no such kind of personal data: {', '.join(sorted(unknown))}")
    wanted = [f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items() if kind in kinds]
    return re.compile("|".join([f"(?P<url>{URL})", *wanted]))


def _holds(kind: str, found: str) -> bool:
    """Check what a pattern cannot."""
    if kind == "thai_id":
        return is_thai_id(re.sub(r"[ -]", "", found))
    return kind != "phone" or _is_phone(found)


def is_thai_id(digits: str) -> bool:
    """Check the last of thirteen digits: 11 less the others' sum, weighted 13 to 2, modulo 11.

    >>> is_thai_id("1101700230708"), is_thai_id("1101700230709")
    (True, False)
    """
    *first, last = map(int, digits)
    total = sum(weight * digit for weight, digit in zip(range(13, 1, -1), first, strict=True))
    return last == (11 - total % 11) % 10


def _is_phone(found: str) -> bool:
    """Check digits and groups by the numbering plan of the telecommunications commission (NBTC).

    Bangkok 02 and the provinces 03, 04, 05, 07 have nine digits, mobiles 06, 08, 09 ten.
    """
    plain = re.sub(r"^\+66\D*0?\D*", "0", found.translate(_ARABIC))
    groups = re.split(r"\D+", plain.strip("()"))
    for last in (len(groups), len(groups) - 1):  # without the digits of further lines
        digits = "".join(groups[:last])
        if len(digits) == (10 if digits[1:2] in "689" else 9):
            shape = "-".join(str(len(group)) for group in groups[:last])
            return found.startswith("+") or bool(PHONE_GROUPS.fullmatch(shape))
    return False
