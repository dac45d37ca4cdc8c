from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpora.filters import FilterConfig, reason_to_drop, thai_share
from corpora.filters.characters import _LETTERS_END, Kind, symbol_tables
from corpora.filters.language import langid, sum_tallies
from thaitok.errors import UserError

THAI = range(0x0E00, 0x0E80)
PALI = "มโนปุพฺพงฺคมา ธมฺมา มโนเสฏฺฐา มโนมยา มนสา เจ ปทุฏฺเฐน ภาสติ วา กโรติ วา ตโต นํ ทุกฺขมนฺเวติ จกฺกํว วหโต ปทํ"


@example("aกี่")
@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("กาี่้ๆ฿๕a1 "))))
def test_thai_share_counts_as_the_slow_definition(text: str) -> None:
    def letter(ch: str) -> bool:
        mark = unicodedata.category(ch) == "Mn"
        return ch.isalpha() or (ord(ch) in THAI and mark)

    letters = [ch for ch in text if letter(ch)]
    thai = sum(ord(ch) in THAI for ch in letters)
    assert thai_share(text) == (thai / len(letters) if letters else 0)


def test_no_letter_lies_beyond_the_table() -> None:
    assert not any(chr(point).isalpha() for point in range(_LETTERS_END, 0x110000))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_symbol_keeps_the_kind_of_its_character(text: str) -> None:
    kinds, symbols = symbol_tables()
    alone = [int(sum_tallies(ch).argmax()) for ch in text]
    assert [kinds[symbols[ord(ch)]] for ch in text] == alone
    letters = sum(kind in (Kind.LETTER, Kind.NEAR_LETTER, Kind.THAI_LETTER) for kind in alone)
    assert letters == sum(ch.isalpha() for ch in text)


@pytest.mark.parametrize(
    "text",
    [
        "ສະບາຍດີ ຊາວລາວ ຂ້ອຍຮັກແມວ",
        "ខ្ញុំស្រលាញ់ឆ្មា",
        "ကျွန်တော် ကြောင်ကို ချစ်တယ်",
        "ผมพูดลาว ຂ້ອຍເວົ້າພາສາລາວໄດ້ ແລະຮັກແມວຫລາຍ",
    ],
)
def test_a_neighbours_script_is_told(text: str) -> None:
    assert reason_to_drop(text, FilterConfig()) == "other_script"
    assert reason_to_drop(text, FilterConfig(max_other_script_share=1)) != "other_script"


@pytest.mark.parametrize(
    "text",
    [
        "คำว่า ສະບາຍດີ ในภาษาลาวตรงกับคำว่า สวัสดี ในภาษาไทย ใช้ทักทายกันได้ทุกเวลา",
        "ร้านนี้ขายกาแฟ 咖啡 และขนม",
    ],
)
def test_thai_that_quotes_another_script_stays(text: str) -> None:
    assert reason_to_drop(text, FilterConfig()) is None


def test_pali_is_told() -> None:
    assert reason_to_drop(PALI, FilterConfig()) == "pali"
    assert reason_to_drop(PALI, FilterConfig(max_pali_share=1)) is None


@pytest.mark.parametrize(
    "text",
    [
        f"พระพุทธองค์ตรัสว่า {PALI[:50]} หมายความว่า ธรรมทั้งหลายมีใจเป็นหัวหน้า มีใจเป็นใหญ่ "
        "สำเร็จแล้วด้วยใจ ถ้าบุคคลมีใจร้ายแล้ว พูดอยู่ก็ดี ทำอยู่ก็ดี ทุกข์ย่อมไปตามเขา",
        "นะโม ตัสสะ ภะคะวะโต อะระหะโต สัมมาสัมพุทธัสสะ",  # as laymen write it, it looks Thai
        "มาตรา ๑ พระราชบัญญัตินี้เรียกว่า พระราชบัญญัติ",  # hardly a tone mark in it
    ],
)
def test_thai_about_pali_stays(text: str) -> None:
    assert reason_to_drop(text, FilterConfig()) is None


MIXED = FilterConfig(langid=True, min_thai_share=0)


def test_a_second_opinion_drops_what_is_not_thai() -> None:
    pytest.importorskip("py3langid")
    french = "Bonjour tout le monde, comment allez-vous aujourd'hui? Il fait beau. แมว"
    assert reason_to_drop(french, MIXED) == "other_language"
    assert reason_to_drop("แมวชอบ Python และ Java มากที่สุดในบ้านหลังนี้", MIXED) is None
    assert reason_to_drop(french, FilterConfig(min_thai_share=0)) is None


def test_without_py3langid_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    langid.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(UserError, match="pip install py3langid"):
        reason_to_drop("cat แมว", MIXED)
