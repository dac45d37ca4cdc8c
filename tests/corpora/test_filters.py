from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpora import FilterConfig
from corpora.filters import REASONS, filter_table, judge, reason_to_drop, thai_share
from corpora.filters.characters import blocks

OFF = FilterConfig(
    min_chars=0,
    max_other_script_share=1,
    max_pali_share=1,
    min_thai_share=0,
    quality=False,
    spam=False,
    repetition=False,
)
SPAM = "สล็อตเว็บตรง ไม่ผ่านเอเย่นต์ ฝากถอนออโต้ เครดิตฟรี บาคาร่าออนไลน์"
PALI = "มโนปุพฺพงฺคมา ธมฺมา มโนเสฏฺฐา มโนมยา มนสา เจ ปทุฏฺเฐน ภาสติ วา กโรติ วา"
FALLEN = {
    "empty": "",
    "too_short": "ดี",
    "too_long": "แมว " * 500,
    "other_script": "ສະບາຍດີ ຊາວລາວ",
    "pali": PALI,
    "too_little_thai": "the cat sat on the mat แมว",
    "low_quality": "แมว\ufffd\ufffd\ufffdนั่ง",
    "spam": SPAM,
    "repetition": "วันนี้กินข้าวกับแมวที่บ้าน " * 20,
}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("แมวนั่งบนเสื่อ", None),
        ("ใช้ iPhone ถ่ายรูปแมว", None),  # loanwords are no fault
        ("รักเลย😘 #Mitsubishi #Attrage", None),
        ("มีขายแล้ว Johnnie Walker is now available globally, at stores", "too_little_thai"),
        ("ข่าว 12345 67890 12345 67890 😀😀😀", None),  # digits and emoji say nothing
        ("12:30 น.", None),
        ("12:30 555", "too_little_thai"),
        ("๑๒๓๔๕", "too_little_thai"),
        ("สวยมาก", None),
        ("มาก " * 10, None),  # a short post may repeat itself
        *((text, reason) for reason, text in FALLEN.items()),
    ],
)
def test_reason_to_drop(text: str, reason: str | None) -> None:
    assert reason_to_drop(text, FilterConfig(max_chars=1000)) == reason


@pytest.mark.parametrize("reason", [reason for reason in FALLEN if reason not in ("too_long",)])
def test_each_filter_can_be_turned_off(reason: str) -> None:
    expected = "empty" if reason == "empty" else None
    assert reason_to_drop(FALLEN[reason], OFF) == expected


@pytest.mark.parametrize(
    ("reason", "switch"),
    [
        ("too_short", {"min_chars": 3}),
        ("other_script", {"max_other_script_share": 0.2}),
        ("pali", {"max_pali_share": 0.03}),
        ("too_little_thai", {"min_thai_share": 0.2}),
        ("low_quality", {"quality": True}),
        ("spam", {"spam": True}),
        ("repetition", {"repetition": True}),
    ],
)
def test_a_switch_turns_on_its_own_filter_alone(reason: str, switch: dict[str, float]) -> None:
    filters = OFF.model_copy(update=switch)
    assert reason_to_drop(FALLEN[reason], filters) == reason
    others = {judgement.reason for judgement in judge(list(FALLEN.values()), filters)}
    allowed = {None, "empty", reason} | (
        {"too_little_thai"} if "min_thai_share" in switch else set()
    )
    assert others <= allowed


def test_every_reason_is_named() -> None:
    assert set(FALLEN) | {"other_language"} == set(REASONS)


texts = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *sorted(set(FALLEN.values()) - {FALLEN["too_long"]}),
                SPAM * 3,
                "แมว",
                "#แมว #หมา #ปลา",
                "ก็่่่",
            ]
        ),
        st.text(st.sampled_from("กาี่้ๆฺํ฿๕a1 \n#ລິສ\ufffd😀"), max_size=40),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(texts)
def test_company_changes_no_judgement(batch: list[str]) -> None:
    filters = FilterConfig()
    assert judge(batch, filters) == [judge([text], filters)[0] for text in batch]


@given(texts, st.integers(13, 60))
@settings(max_examples=50, deadline=None)
def test_the_size_of_blocks_changes_no_judgement(batch: list[str], chars: int) -> None:
    filters = FilterConfig(spam=False, repetition=False, quality=False)
    whole = judge(batch, filters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("corpora.filters.characters.BLOCK_CHARS", chars)
        assert judge(batch, filters) == whole


@settings(deadline=None)
@given(texts, st.integers(1, 60))
def test_blocks_hold_every_character_once(batch: list[str], chars: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("corpora.filters.characters.BLOCK_CHARS", chars)
        found: Counter[int] = Counter()
        for block in blocks(batch):
            assert len(block.symbols) <= chars + 1
            for start, end, owner in zip(block.starts, block.ends, block.owners, strict=True):
                found[int(owner)] += int(end - start)
    assert found == Counter({number: len(text) for number, text in enumerate(batch)})


def test_a_judgement_carries_the_share_of_thai() -> None:
    batch = ["แมว cat", "", "แมว", *FALLEN.values()]
    found = judge(batch, FilterConfig())
    assert [judgement.thai_share for judgement in found] == [thai_share(text) for text in batch]


def test_nothing_in_gives_nothing_out() -> None:
    assert judge([], FilterConfig()) == []


def test_thresholds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_chars 9 is above max_chars 3"):
        FilterConfig(min_chars=9, max_chars=3)


def test_every_threshold_says_what_it_means() -> None:
    table = filter_table()
    assert [name for name, _, _ in table] == list(FilterConfig.model_fields)
    assert all(default == getattr(FilterConfig(), name) for name, default, _ in table)
    assert all(len(meaning.split()) > 5 for _, _, meaning in table)


@pytest.mark.parametrize("name", ["thaigov_v2", "wiki_contexts", "social_open"])
def test_good_text_stays(real_lines: Callable[[str, int], list[str]], name: str) -> None:
    lines = [line for line in real_lines(name, 3000) if len(line) > 40 and thai_share(line)]
    filters = FilterConfig(min_thai_share=0)  # their English lines are not asked about here
    dropped = Counter(judgement.reason for judgement in judge(lines, filters))
    assert dropped[None] > 0.995 * len(lines), dropped
