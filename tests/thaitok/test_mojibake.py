from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.mojibake import is_mojibake, repair_mojibake, repair_utf8_as_thai
from thaitok.rules import clean_text

RealLines = Callable[[str, int], list[str]]

THAI = "สวัสดีครับ ภาษาไทยเป็นภาษาที่ใช้กันในประเทศไทย ราคา 2,500 บาท ที่ Facebook ๑๒๓ น้ำใจ ฯลฯ"


def western(raw: bytes) -> str:
    """Read bytes as browsers read cp1252: what it leaves open is a control character."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in raw)


def thai(raw: bytes) -> str:
    return "".join(bytes([byte]).decode("cp874", "ignore") or chr(byte) for byte in raw)


BREAKS: dict[str, Callable[[str], str]] = {
    "utf-8 as latin-1": lambda text: text.encode().decode("latin-1"),
    "utf-8 as cp1252": lambda text: western(text.encode()),
    "utf-8 as cp1252 twice": lambda text: western(western(text.encode()).encode()),
    "utf-8 as latin-1 twice": lambda text: (
        text.encode().decode("latin-1").encode().decode("latin-1")
    ),
    "utf-8 as cp874": lambda text: thai(text.encode()),
    "cp874 as latin-1": lambda text: text.encode("cp874").decode("latin-1"),
    "cp874 as cp1252": lambda text: western(text.encode("cp874")),
}

WORDS = st.sampled_from(
    ["การ", "เงิน", "ที่", "ภาษา", "ประเทศ", "น้ำ", "เข็ง", "ญี่ปุ่น", "ศูนย์", "ใหม่", "โรค"]
)
PHRASES = st.lists(
    st.lists(WORDS, min_size=3, max_size=8).map("".join)
    | st.sampled_from(["iPhone", "2563", "“ดี”"]),
    min_size=1,
    max_size=8,
).map(lambda phrases: "ประเทศไทย " + " ".join(phrases))


@pytest.mark.parametrize("name", BREAKS)
@settings(max_examples=100, deadline=None)
@given(text=PHRASES)
def test_broken_thai_is_repaired(name: str, text: str) -> None:
    assert clean_text(BREAKS[name](text)) == text


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_line_among_good_ones_is_repaired(name: str) -> None:
    broken = BREAKS[name](THAI)
    assert broken != THAI
    assert clean_text(f"ข่าวดี été\n{broken}\n20 °C") == f"ข่าวดี été\n{THAI}\n20 °C"


SOUND = [
    "Où est l'été ? « Déjà à l'École », ça coûte 20 € — ÉÀÇÈ. Noël, naïve, cœur, Æsop",
    "Größe über Straße: ÄÖÜäöüß, Übermäßigkeit, Fuß",
    "El niño comió piñas ¿Cuándo? ¡Qué! ÁÉÍÓÚÑ. São Paulo, coração, ação, AÇÃO",
    "Ærø, Ålesund, smørrebrød, ÅÄÖ åäö, þórður, Þingvellir, ÐÞÆÖ",
    "Tiếng Việt: Đường Nguyễn Huệ, Hà Nội, ĐẠI HỌC QUỐC GIA",
    "20°C ±5 × 3 ÷ 2 = ½ ¼ ¾ x² m³ µm © ® ™ § ¶ « » ¥ £ ¢ ¤ ¦ ¬ ×××× °°°° ©©©© 9××× ----",
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
    "àáâãäå èéêë ìíîï òóôõö ùúûü ÈÉÊË ÒÓÔÕ ÙÚÛ ÄÖÜ",
    "ÀÁÂÃÇÈÉÊËÍÎÐ",
    "เนตรนภาและเธกกับเนตรดาว",
    "เธอเนรมิตเธออเนกประสงค์ เนยเนื้อเน้น เธอเธอเธอ เนเนเน",
    "Ça à ¹ et à¹ note à 1",
    THAI,
]


@pytest.mark.parametrize("text", SOUND, ids=lambda text: text[:12])
def test_sound_text_is_left_alone(text: str) -> None:
    for sound in (text, "\n".join((THAI, text, THAI))):
        assert repair_utf8_as_thai(repair_mojibake(sound)) == sound


@pytest.mark.parametrize(
    "text", [text for text in SOUND if "ÀÁÂ" not in text and "àáâ" not in text]
)
def test_sound_text_is_no_mojibake(text: str) -> None:
    assert not is_mojibake(clean_text(text))


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40) | st.text())
def test_any_text_is_taken(text: str) -> None:
    once = repair_utf8_as_thai(repair_mojibake(text))
    assert isinstance(is_mojibake(once), bool)


@pytest.mark.parametrize(
    "broken",
    [
        # A byte of every letter ก was lost; TIS-620 whose vowels were lost; replaced characters.
        western((THAI + "กากา").encode()).replace("\x81", "") + "à¸à¸à¸",
        "ÊÇÊÃÁÊÇÊÃÁ ÊÇÊÃÁÊÇÊÃÁ ÊÇÊÃÁÊÃÁ",
        "\ufffd\ufffd\ufffd สวัส\ufffd\ufffd\ufffd",
    ],
    ids=["bytes lost", "no vowels", "U+FFFD"],
)
def test_what_cannot_be_repaired_is_told(broken: str) -> None:
    assert is_mojibake(clean_text(broken))


@pytest.mark.parametrize("name", ["thaigov_v2", "social_open", "msdocs_th", "wiki_contexts"])
def test_real_text_is_no_mojibake(name: str, real_lines: RealLines) -> None:
    lines = real_lines(name, 5000)
    assert [line for line in lines if repair_utf8_as_thai(repair_mojibake(line)) != line] == []
    assert not any(map(is_mojibake, lines))


def test_real_text_survives_every_wrong_reading(real_lines: RealLines) -> None:
    lines = [line for line in map(clean_text, real_lines("wiki_contexts", 300)) if len(line) > 60]
    for line in lines:
        for name, broken in BREAKS.items():
            try:
                raw = broken(line)
            except UnicodeEncodeError:  # not all of it is in cp874
                continue
            if line.count("ก") + line.count("า") > 10:
                assert clean_text(raw) == line, name
