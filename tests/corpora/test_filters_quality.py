from __future__ import annotations

import pytest

from corpora.filters import FilterConfig, reason_to_drop

BROKEN = [
    "แมว\ufffd\ufffd\ufffdนั่ง",
    "่้๊๋ แมว ่้ ์์ นั่ง",
    "แมว 12345678901234567890123456789012345678901234567890 1234567890",
    "ก | 1.00 | 2.00 | 3.00 | 4.00 | 5.00 | 6.00 | 7.00 | 8.00 | 9.00 | 1.00 | 2.00 | 3.00",
    "#แมว #หมา #ปลา",
    "เตารีด พัดลม ตู้เย็น " * 60,  # a list of goods
]
SOUND = [
    "ืทำขายเลยป๋า",  # a slip of the finger
    "555555555555555555555 ขำ",
    "อยากไปเขาดินนนน " + "5" * 100,
    "โทร 02-123-4567",
    "ราคา 1,250,000 บาท ลดเหลือ 999,000 บาท เฉพาะวันที่ 1-31 ธันวาคม 2567 เท่านั้น 😍😍😍",
    "#แมว น่ารักที่สุด",
    "#แมว #หมา",
    "เก้าอี้ที่อยู่ในบ้านและของที่มี " * 40,
]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_text_falls(text: str) -> None:
    assert reason_to_drop(text, FilterConfig(repetition=False)) == "low_quality"
    assert reason_to_drop(text, FilterConfig(repetition=False, quality=False)) is None


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_stays(text: str) -> None:
    assert reason_to_drop(text, FilterConfig(repetition=False)) is None


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        (BROKEN[0], {"max_replacement_share": 1}),
        (BROKEN[1], {"max_orphan_share": 1}),
        (BROKEN[2], {"min_letter_share": 0}),
        (BROKEN[3], {"letter_min_chars": 1000}),
        (BROKEN[5], {"min_stop_words": 0}),
        (BROKEN[5], {"stop_word_min_chars": 10_000}),
    ],
)
def test_each_threshold_decides(text: str, loose: dict[str, float]) -> None:
    filters = FilterConfig(repetition=False).model_copy(update=loose)
    assert reason_to_drop(text, filters) is None
