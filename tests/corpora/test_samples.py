from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.samples import (
    BLOCK_CHARS,
    CHANGE_CHARS,
    CUT,
    Marks,
    Samples,
    around_change,
    beginning,
    excerpt,
    marked,
)

PLACES = st.lists(st.tuples(st.sampled_from("abcd") | st.text(), st.integers(0, 3)), max_size=40)
"""Places with a number that tells apart the samples of one place."""


def draw(places: list[tuple[str, int]], limit: int) -> Samples:
    samples = Samples(limit)
    for place, number in places:
        samples.offer(place, lambda place=place, number=number: {"p": place, "n": number})  # type: ignore[misc]
    return samples


@given(PLACES, st.data())
def test_draws_of_tasks_join_to_the_draw_of_all(
    places: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Also where one place has several samples, as the pieces of a document may."""
    limit = data.draw(st.integers(1, 10))
    shuffled = data.draw(st.permutations(places))
    cut = data.draw(st.integers(0, len(places)))
    joined = draw(shuffled[:cut], limit)
    joined.offer_all(draw(shuffled[cut:], limit).drawn())
    assert joined.drawn() == draw(places, limit).drawn()
    assert len(joined.drawn()) == min(limit, len(places))


def test_a_sample_is_made_only_if_it_is_drawn() -> None:
    made = 0

    def sample() -> dict[str, int]:
        nonlocal made
        made += 1
        return {}

    samples = Samples(10)
    for line in range(20_000):
        samples.offer(f"a:{line}", sample)
    assert 10 <= made < 200  # about 10 (1 + ln 2000) = 86


def test_a_draw_is_from_the_whole_corpus() -> None:
    samples = Samples(100)
    for line in range(10_000):
        samples.offer(f"a:{line}", dict)
    lines = [int(place[2:]) for place, _ in samples.drawn()]
    assert 3000 < sum(lines) / 100 < 7000
    assert min(lines) < 1000
    assert max(lines) > 9000


def test_excerpts_are_safe_to_show() -> None:
    assert excerpt("ก\n\x1b[31m\u200bข\ud800") == "ก\\n\\x1b[31m\\u200bข\\ud800"
    assert excerpt(b"ok \xff\x00") == "ok \\xff\\x00"
    assert len(excerpt("ก" * 1000)) == 200
    assert excerpt("ก\n\x00ข", 3, lines=True) == "ก\n\\x00"
    assert beginning("ก" * 200) == "ก" * 200
    assert beginning("ก" * 201) == "ก" * 200 + CUT


@pytest.mark.parametrize("size", [0, 1, 39, 40, 41, BLOCK_CHARS - 1, BLOCK_CHARS, BLOCK_CHARS + 1])
@pytest.mark.parametrize("rest", ["", "z", "z" * 500])
def test_the_first_change_is_in_both_excerpts(size: int, rest: str) -> None:
    same = "ab" * size
    for before, after in ((same + "X" + rest, same + "Y" + rest), (same + "X" + rest, same + rest)):
        old, new = around_change(before, after)
        assert "X" in old
        assert old != new
        assert old.startswith(CUT) == new.startswith(CUT) == (len(same) > 40)
        assert len(old) <= CHANGE_CHARS + 2


@pytest.mark.parametrize("shift", range(3))
def test_an_excerpt_begins_with_a_letter_and_not_with_its_marks(shift: int) -> None:
    before = "ก" * shift + "นี้" * 50 + "X"
    for shown in around_change(before, before[:-1]):
        assert unicodedata.category(shown[1]) == "Lo"
    piled = "\u0e49" * 1000
    assert around_change(piled + "X", piled)[0].endswith("X")


WORDS = st.text(alphabet="กขา้ำ \n\u200bab", max_size=300)


def joined(marks: Marks, kind: bool | None = None) -> str:
    return "".join(part for part, changed in marks if kind in (None, changed))


@given(WORDS, WORDS)
def test_marks_show_just_what_differs(before: str, after: str) -> None:
    old, new = around_change(before, after)
    was, is_now = marked(old, new)
    assert joined(was, False) == joined(is_now, False)
    if CUT not in (old[-1:], new[-1:]):
        assert (joined(was), joined(is_now)) == (old, new)
    assert old.startswith(joined(was).removesuffix(CUT))
    assert new.startswith(joined(is_now).removesuffix(CUT))
    if before != after:
        assert joined(was, True) != joined(is_now, True)


def test_more_text_at_the_end_is_no_difference() -> None:
    text = "".join(f"{number} " for number in range(1000, 1100))
    was, is_now = marked(*around_change("&nbsp;&nbsp;" + text, " " + text))
    assert joined(was, True) == "&nbsp;&nbsp;"
    assert joined(is_now, True) == " "
    assert joined(was)[-10:] == joined(is_now)[-10:]
    assert joined(was).endswith(CUT)


def test_a_change_longer_than_the_excerpt_is_shown() -> None:
    was, is_now = marked(*around_change("ก" + "x" * 1000, "ก"))
    assert joined(was, True) == "x" * (CHANGE_CHARS - 1)
    assert joined(is_now) == "ก" + CUT


def test_a_mark_takes_its_letter_and_escape_along() -> None:
    was, is_now = marked("ก\u0e49\u0e49น", "ก\u0e49น")
    assert was == [("ก\u0e49\u0e49", True), ("น", False)]
    assert is_now == [("ก\u0e49", True), ("น", False)]
    was, _ = marked("ก\\u200bข", "กข")
    assert was == [("ก", False), ("\\u200b", True), ("ข", False)]


def test_chance_matches_between_two_differences_are_no_confetti() -> None:
    was, is_now = marked("เหมือนกัน 12a34 เหมือนกัน", "เหมือนกัน 98a76 เหมือนกัน")
    assert joined(was, True) == "12a34"
    assert joined(is_now, True) == "98a76"


def test_real_text_is_marked_where_the_rules_changed_it(
    real_lines: Callable[[str, int], list[str]],
) -> None:
    for line in real_lines("thaigov_v2", 400):
        spaced = re.sub("ที่", "ที่\u200b", line)
        was, is_now = marked(*around_change(spaced, line))
        assert set(joined(was, True)) <= set("\\u200b")
        assert joined(is_now, True) == ""
