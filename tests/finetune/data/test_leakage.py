from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.data import leakage as module
from finetune.data.leakage import WINDOW, leakage
from finetune.data.rows import Example


def rows(*texts: str, pair: str | None = None) -> list[Example]:
    return [Example(text, (), f"f:{n}", pair=pair) for n, text in enumerate(texts)]


LONG = "".join(chr(0x0E01 + n * n % 41) for n in range(3 * WINDOW))


def test_texts_are_the_same_when_normalised_without_white_space() -> None:
    train = rows("น้ำ แข็ง", "b")
    assert leakage(rows("นํ้าแข็ง", " น้ำแ\u200bข็ง\n", "a"), train) == {"same": 2, "near": 0}
    assert leakage([], train) == leakage(train, []) == {"same": 0, "near": 0}


def test_pairs_are_the_same_with_both_their_texts() -> None:
    train = rows("ก", pair="ข")
    assert leakage(rows("ก", pair="ค"), train)["same"] == 0
    assert leakage(rows("ก", pair="ข"), train)["same"] == 1


TEXTS = st.lists(st.text("กข", max_size=60), max_size=6)


@given(
    TEXTS,
    TEXTS,
    st.integers(0, 30),
    st.integers(0, 30),
    st.integers(WINDOW - 2, WINDOW + 2),
)
def test_near_is_a_window_in_common(
    test: list[str], train: list[str], left: int, right: int, size: int
) -> None:
    stretch = LONG[:size]
    test = [*test, "a" * left + stretch + "b"]
    train = [*train, "c" * right + stretch + "d" * left]

    def windows(text: str) -> set[str]:
        return {text[at : at + WINDOW] for at in range(len(text) - WINDOW + 1)}

    known = set().union(*map(windows, train))
    near = sum(text not in train and bool(windows(text) & known) for text in test)
    assert leakage(rows(*test), rows(*train))["near"] == near
    assert near >= (size >= WINDOW)


def test_long_texts_in_many_chunks_are_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 100)
    train = rows(*(chr(0x0E01 + n) * 30 + LONG[n : n + 60] for n in range(40)))
    test = rows(*(LONG[n : n + 45] + "z" * 50 for n in range(0, 40, 4)), "y" * 90)
    assert leakage(test, train) == {"same": 0, "near": 10}


def test_a_window_does_not_reach_from_a_text_into_the_next() -> None:
    train = rows("ก" * 30 + LONG[:20], LONG[20:40] + "ข" * 30)
    assert leakage(rows("ค" * 30 + LONG[:40] + "ง" * 30), train)["near"] == 0


def test_real_posts_are_compared_in_seconds(real_lines: Callable[[str, int], list[str]]) -> None:
    lines = real_lines("social_open", 21_000)
    test = [line + "ท้าย" for line in lines[::10] if len(line) > 100]
    found = leakage(rows(*test), rows(*lines))
    assert found["near"] > 0.95 * len(test)
