from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.filters import FilterConfig, reason_to_drop
from corpora.filters.spam import HEAD, LISTS, find_terms, is_spam, read_terms, spam_terms

TERMS = [term for name in LISTS for term in read_terms(name)]
SPAM = [
    "สล็อตเว็บตรง ไม่ผ่านเอเย่นต์ แตกง่าย ฝากถอนออโต้ เครดิตฟรี สมัครสล็อตวันนี้ PG SLOT",
    "รวมคลิปโป๊ไทย หนัง18+ ดูหนังโป๊ฟรี คลิปหลุดนักศึกษา หนังเอวี ซับไทย ดูฟรีทุกวัน",
    "หวยยี่กี หวยฮานอย หวยลาว แทงหวยออนไลน์ บาทละ 900 จ่ายจริง ไม่มีเลขอั้น เว็บหวย",
]
NEWS = [
    "ตำรวจสอบสวนกลางบุกทลายเครือข่ายเว็บพนันออนไลน์รายใหญ่ เปิดให้เล่นบาคาร่า สล็อต และแทงบอล "
    "ผู้ต้องหารับว่าโฆษณาแจกเครดิตฟรีชักชวนลูกค้า ส่งดำเนินคดีข้อหาจัดให้มีการเล่นการพนัน",
    "เพศศึกษาในโรงเรียนสอนเรื่องการใช้ถุงยางอนามัย การตั้งครรภ์ไม่พร้อม โรคติดต่อทางเพศสัมพันธ์ "
    "และผลของการดูหนังโป๊ต่อวัยรุ่น",
    "สำนักงานสลากกินแบ่งรัฐบาลประกาศผลสลากงวดวันที่ 1 กรกฎาคม คอหวยแห่ส่องเลขเด็ดที่วัดดัง "
    "ตำรวจเตือนซื้อหวยใต้ดินมีความผิด",
    "ธนาคารแจ้งยอดสมัครสมาชิก ฝากถอนได้ทุกสาขา รับเครดิตเงินคืน",
]


@pytest.mark.parametrize("text", SPAM)
def test_advertisements_fall(text: str) -> None:
    assert reason_to_drop(text, FilterConfig()) == "spam"
    assert reason_to_drop(text, FilterConfig(spam=False)) is None


@pytest.mark.parametrize("text", NEWS)
def test_news_about_them_stays(text: str) -> None:
    assert reason_to_drop(text, FilterConfig()) is None


def test_a_long_page_stays_for_a_few_advertisements_on_it() -> None:
    page = "\n".join(NEWS) + f"\nความเห็นที่ 1 {SPAM[0]}\n"
    long = page + "ข่าวการศึกษาวันนี้ว่าด้วยเด็กนักเรียนในชนบทที่ขาดครูสอนภาษา " * 100
    filters = FilterConfig(repetition=False)
    assert reason_to_drop(page, filters) == "spam"
    assert reason_to_drop(long, filters) is None


def test_one_term_said_often_is_not_enough() -> None:
    assert reason_to_drop("เครดิตฟรี ดีมาก " * 5, FilterConfig()) is None
    assert reason_to_drop("เครดิตฟรี ดีมาก " * 5, FilterConfig(spam_min_terms=1)) == "spam"


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_package_data_in_order(name: str) -> None:
    assert (files("corpora.filters") / "words" / f"{name}.txt").is_file()
    terms = read_terms(name)
    assert len(terms) > 30
    for term in terms:
        assert term == term.lower().strip()
        assert len(term) >= HEAD
        assert not any(other != term and other in term for other in TERMS), term
    assert len(set(TERMS)) == len(TERMS)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(TERMS),
            st.sampled_from([term[:-1] for term in TERMS] + [term.upper() for term in TERMS]),
            st.text("กแบสล็อต่ \nabc1", max_size=5),
        ),
        max_size=15,
    )
)
def test_looking_at_heads_finds_what_looking_everywhere_finds(parts: list[str]) -> None:
    text = "".join(parts)
    everywhere = [term.lower() for term in spam_terms().pattern.findall(text)]
    assert find_terms(text) == everywhere
    filters = FilterConfig(min_thai_share=0, quality=False, repetition=False, min_chars=0)
    assert (reason_to_drop(text, filters) == "spam") == is_spam(text, filters)
