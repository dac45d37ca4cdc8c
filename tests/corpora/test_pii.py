from __future__ import annotations

import time
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpora.pii import PiiKind, is_thai_id, mask_pii
from thaitok.rules import clean_text

KINDS: tuple[PiiKind, ...] = get_args(PiiKind)
THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
ids = st.integers(10**11, 9 * 10**11 - 1).map(str)


def with_check_digit(twelve: str) -> str:
    """The last digit makes the sum, weighted 13 to 1, a multiple of 11; 10 is written 0, 0 as 1."""
    missing = -sum(int(digit) * (13 - place) for place, digit in enumerate(twelve)) % 11
    return twelve + {10: "0", 0: "1"}.get(missing, str(missing))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("เลขประจำตัว 1101700230708 ค่ะ", "เลขประจำตัว [thai_id] ค่ะ"),
        ("เลข 1-1017-00230-70-8", "เลข [thai_id]"),
        ("เลข 1 1017 00230 70 8", "เลข [thai_id]"),
        ("เลข๑๑๐๑๗๐๐๒๓๐๗๐๘ครับ", "เลข[thai_id]ครับ"),
        ("โทร. 081-234-5678", "โทร. [phone]"),
        ("โทร.0812345678ครับ", "โทร.[phone]ครับ"),
        ("โทร 08-1234-5678 หรือ 081 234 5678", "โทร [phone] หรือ [phone]"),
        ("โทร 0-2280-9000 ต่อ 12", "โทร [phone] ต่อ 12"),
        ("โทร (02) 123-4567", "โทร [phone]"),
        ("โทร ๐-๒๒๘๐-๙๐๐๐", "โทร [phone]"),
        ("โทร 02-123-4567-9", "โทร [phone]"),
        ("โทร 0 - 2132 - 9084", "โทร [phone]"),
        ("โทร +66 81 234 5678 หรือ +66(0)81-2345678", "โทร [phone] หรือ [phone]"),
        ("โทร 053-999-000,081-2345678/0891234567", "โทร [phone],[phone]/[phone]"),
        ("เขียนถึง som.chai+1@mail.co.th ได้", "เขียนถึง [email] ได้"),
        ("กสิกรไทย 123-4-56789-0 ชื่อ", "กสิกรไทย [bank_account] ชื่อ"),
        ("เลขที่บัญชี 229-4152-588", "เลขที่บัญชี [bank_account]"),
        ("โอนบัญชีธนาคารกรุงไทย 1234567890", "โอนบัญชีธนาคารกรุงไทย [bank_account]"),
        ("พร้อมเพย์ 1234567890", "พร้อมเพย์ [bank_account]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    found, counts = mask_pii(text, KINDS)
    assert found == masked
    assert counts == {kind: n for kind in KINDS if (n := masked.count(f"[{kind}]"))}


@pytest.mark.parametrize(
    "text",
    [
        "สายด่วน 1669, 191 และ 1111",
        "5555555555555 ขำมาก",
        "1101700230709",  # the check digit is wrong
        "ราคา 0812345678.50 บาท",
        "11,017,002,307,08",
        "https://example.com/a-0812345678?q=1101700230708",
        "www.example.com/0812345678",
        "id=0812345678 #0812345678 A0812345678",
        "12/08/2562 เวลา 09:30-12:30 น.",
        "08.30-16.30 น.",
        "0 25 000 000",  # columns of a table
        "08 1 2 3 4 5 6 7 8",
        "12345-0812345678-9012",
        "กรมธรรม์เลขที่ 1234567890",
        "บัญชีรายจ่าย 1234567890 บาท",
        "บัญชีรายชื่อ 100 คน",
        "@somchai และ a@b",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_pii(text, KINDS) == (text, {})


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_kinds_asked_for_are_masked(kind: PiiKind) -> None:
    text = "1101700230708 081-234-5678 a@b.co 123-4-56789-0"
    masked, counts = mask_pii(text, [kind])
    assert counts == {kind: 1}
    assert masked.split().count(f"[{kind}]") == 1
    assert set(masked.split()) - {f"[{kind}]"} < set(text.split())


def test_nothing_is_masked_unless_asked() -> None:
    assert mask_pii("081-234-5678", []) == ("081-234-5678", {})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="passport"):
        mask_pii("081-234-5678", ["passport"])  # type: ignore[list-item]


@given(ids, st.integers(0, 9), st.booleans())
def test_an_id_is_masked_if_and_only_if_its_check_digit_is_right(
    twelve: str, last: int, thai: bool
) -> None:
    number = f"{twelve}{last}"
    right = number == with_check_digit(twelve)
    assert is_thai_id(number) == right
    text = number.translate(THAI_DIGITS) if thai else number
    assert mask_pii(f"เลข {text} จบ", ["thai_id"])[0] == (
        "เลข [thai_id] จบ" if right else f"เลข {text} จบ"
    )


@given(ids.map(with_check_digit), st.sampled_from("0123456789๐๙"), st.booleans())
def test_a_longer_number_is_no_id(number: str, digit: str, front: bool) -> None:
    text = digit + number if front else number + digit
    assert mask_pii(text, ["thai_id"]) == (text, {})


pieces = st.sampled_from(
    [
        *("1101700230708", "1-1017-00230-70-8", "081-234-5678", "0812345678", "02-123-4567"),
        *("+66 81 234 5678", "a.b@mail.co.th", "123-4-56789-0", "บัญชี 1234567890", "พร้อมเพย์"),
        *("https://example.com/", "www.", "โทร", "ก", "๐๑", "0", "1", "23", "บาท"),
        *("-", " ", ",", "/", ".", ":", "(", ")", "+", "@", "\n", "a", "#", "=", "–"),
    ]
)


@example(["0812345678", "-", "1", "-", "081-234-5678"])
@example(["a.b@mail.co.th", "/", "0812345678"])
@example(["บัญชี 1234567890", ",", "1101700230708"])
@given(st.lists(pieces, max_size=12))
def test_masking_again_changes_nothing(parts: list[str]) -> None:
    masked, _ = mask_pii("".join(parts), KINDS)
    assert mask_pii(masked, KINDS) == (masked, {})


@given(st.lists(pieces, max_size=12))
def test_all_but_the_finds_stays(parts: list[str]) -> None:
    text = "".join(parts)
    masked, counts = mask_pii(text, KINDS)
    assert sum(counts.values()) == sum(masked.count(f"[{kind}]") for kind in KINDS)
    rest = text
    for kind in KINDS:
        masked = masked.replace(f"[{kind}]", "\0")
    for piece in masked.split("\0"):  # the pieces between the finds, in their order
        assert piece in rest
        rest = rest[rest.index(piece) + len(piece) :]


@pytest.mark.parametrize("kind", KINDS)
def test_a_placeholder_survives_the_rules(kind: PiiKind) -> None:
    text = f"โทร [{kind}] ครับ"
    assert clean_text(text) == text


@pytest.mark.parametrize("part", ["0", "a", "a@", "0 ", "0-", "08-", "บัญชี", "1-1017-", "www."])
def test_hostile_text_takes_linear_time(part: str) -> None:
    def seconds(chars: int) -> float:
        text = part * (chars // len(part))
        start = time.process_time()
        mask_pii(text, KINDS)
        return time.process_time() - start

    seconds(1000)
    assert seconds(80_000) < 40 * seconds(8_000) + 0.05
