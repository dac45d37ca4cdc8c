from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok import stretches
from thaitok.stretches import FIVES_KEPT, LETTERS_KEPT, cut_laughter, cut_stretches

RealLines = Callable[[str, int], list[str]]


@pytest.mark.parametrize(
    ("raw", "cut"),
    [
        ("มากกกกกกก", "มากกก"),
        ("จ้าาาา รัวๆๆๆๆๆ", "จ้าาา รัวๆๆๆ"),
        ("อะไร!!!!!? ....", "อะไร!!!? ..."),
        ("-----\n=======\n***** _____", "---\n===\n*** ___"),
        ("|------|:-----|", "|---|:---|"),
        ("😂😂😂😂😂 ❤\ufe0f❤\ufe0f❤\ufe0f❤\ufe0f❤\ufe0f", "😂😂😂 ❤\ufe0f❤\ufe0f❤\ufe0f"),
        ("sooooo Goooooal PLEASEEEEE okieeeee", "sooo Goooal PLEASEEE okieee"),
        ("http://a.th/aaaa มากกกก", "http://a.th/aaaa มากกก"),
    ],
)
def test_runs_are_cut(raw: str, cut: str) -> None:
    assert cut_stretches(raw) == cut


@pytest.mark.parametrize(
    "text",
    [
        "ถนนนนทบุรี ถนนนนทรี คนนนทบุรี ธรรม กก งงง มากกก",
        "พระราชบัญญัติ พ.ศ. .... และ พ.ศ. ....",
        "10000000 ๑๑๑๑๑ 0.0000 1111-2222 ²²²²",
        "dd/MM/yyyy yyyyMMdd FFFFFF xxxxxxxx XXXX-XXXX AAAA sXXXXX",
        "aaaa-bbbb-cccc eeeeeeee 37b5eeee13 scAAAAx_yyyy AAAAB3NzaC1yc2E",
        "aaaabbbbcccccdddddeeeeefffffggggghhhhiiiii",
        '#### หัวข้อ ```` ((((a)))) [[[[ {{{{ <<<< >>>> |||| \\\\\\\\ """" ' + "'" * 4,
        "https://x.com/aaaa----bbbb www.aaaa.com/xxxx.... ดูที่bit.ly/ooooo",
        "@loooooong #มากกกกก!!!! a....b@xxxx.com",
    ],
)
def test_what_is_spelled_so_stays(text: str) -> None:
    assert cut_stretches(text) == text


@pytest.mark.parametrize(
    ("raw", "cut"),
    [
        ("ตลก55555555", "ตลก55555"),
        ("หิวมาก555555", "หิวมาก55555"),
        ("55555555", "55555"),
        ("ขำ 5555555555+ จริง", "ขำ 55555+ จริง"),
        ("ด่า5555555555บอกว่า", "ด่า55555บอกว่า"),
        ("อีก...55555555", "อีก...55555"),
        ("รำ5555555😭", "รำ55555😭"),
    ],
)
def test_long_laughter_is_cut(raw: str, cut: str) -> None:
    assert cut_laughter(raw) == cut


@pytest.mark.parametrize(
    "text",
    [
        "ตลก555 ตลก5555 ตลก55555 5555555",
        "โทร.055-555555 055 555555 เบอร์55555555 โทร 5555555555",
        "ราคา55555555 ราคา 555555555 บาท 55555555 บาท 55555555บาท ฿55555555 $55555555",
        "เลขที่บัญชี 555555555555 รหัส55555555 ทะเบียน 55555555",
        "1555555555 5555555551 0.55555555 55555555.5 1,55555555 55555555,000 5555555555%",
        "GB33BUKB20201555555555 ID55555555 55555555x id_55555555 55555555 5555",
        "https://www.thaigov.go.th/details/55555555 #55555555 @55555555 a@55555555.com",
        "๕๕๕๕๕๕๕๕๕๕",
    ],
)
def test_numbers_are_no_laughter(text: str) -> None:
    assert cut_laughter(text) == text


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.text("กนถ5a.-!❤\ufe0f😂 \n#@/:", max_size=3)
        | st.sampled_from(["กกกก", "https://", "มาก", "-----", "555555555", "ooooo", "x", "b"]),
        max_size=15,
    ).map("".join),
    st.sampled_from([0, 10_000]),
    st.sampled_from([5, 1 << 20]),
)
def test_numpy_and_re_find_the_same_runs_in_any_blocks(text: str, short: int, block: int) -> None:
    kept = stretches.SHORT, stretches.BLOCK_CHARS
    cut = cut_stretches(text)
    try:
        stretches.SHORT, stretches.BLOCK_CHARS = short, block
        assert cut_stretches(text) == cut
    finally:
        stretches.SHORT, stretches.BLOCK_CHARS = kept
    assert cut_stretches(cut) == cut
    assert cut_laughter(cut_laughter(text)) == cut_laughter(text)


@pytest.mark.parametrize("text", ["0" * 300_000, "x" * 300_000, "aaaab" * 60_000, "5" * 300_000])
def test_one_long_run_takes_linear_time(text: str) -> None:
    start = time.process_time()
    cut_stretches(text)
    cut_laughter(text)
    assert time.process_time() - start < 10


def test_in_formal_text_no_word_is_cut(real_lines: RealLines) -> None:
    lines = real_lines("thailaw_ocs", 20_000) + real_lines("wiki_contexts", 5_000)
    for line in lines:
        letters = "".join(filter(str.isalpha, line))
        assert "".join(filter(str.isalpha, cut_stretches(line))) == letters
        assert cut_laughter(line) == line


def test_what_is_kept_is_not_cut_again() -> None:
    assert LETTERS_KEPT < 4
    assert FIVES_KEPT < stretches.GLUED_FIVES <= stretches.FREE_FIVES
