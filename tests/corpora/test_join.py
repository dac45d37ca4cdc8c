from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import corpora.join
from corpora import CleanConfig
from corpora.join import Keys, first_seen, judge_index
from corpora.passes.results import INDEX


def keys(numbers: list[int]) -> Keys:
    # Both halves vary, so that a comparison of one half alone is found out.
    return np.array([[n // 2, n % 2] for n in numbers], dtype=np.uint64).reshape(-1, 2)


@given(st.lists(st.integers(0, 6)))
def test_first_seen(numbers: list[int]) -> None:
    seen: set[int] = set()
    expected = [not (n in seen or seen.add(n)) for n in numbers]  # type: ignore[func-returns-value]
    assert first_seen(keys(numbers)).tolist() == expected


@given(st.lists(st.integers(0, 3), max_size=9), st.integers(1, 4))
def test_first_seen_in_blocks(numbers: list[int], block: int) -> None:
    whole = first_seen(keys(numbers)).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora.join, "BLOCK", block)
        assert first_seen(keys(numbers)).tolist() == whole


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), max_size=12), st.booleans())
def test_ids_stay_unique(rows: list[tuple[int, int]], dedup: bool) -> None:
    texts = [text for text, _ in rows]
    ids = [own for _, own in rows]
    places = list(range(4, 4 + len(rows)))  # places 4 and 5 are some documents' own ids too
    index = np.zeros(len(rows), dtype=INDEX)
    for name, numbers in (("text", texts), ("id", ids), ("place", places)):
        index[name] = keys(numbers)
    config = CleanConfig.model_validate(
        {"inputs": ["x"], "out": "x", "dedup": {"exact": dedup, "near": False}}
    )
    verdicts = judge_index(index, str, config)
    final, seen = [], set()
    for text, own, place, repeats, keeps in zip(
        texts, ids, places, verdicts.exact, verdicts.keeps_id, strict=True
    ):
        kept = not repeats
        assert kept == (not dedup or text not in seen)
        seen.add(text)
        if kept:
            final.append(own if keeps else place)
    assert len(final) == len(set(final))
    first_named = {own for own in ids if own and own < 4} if not dedup else set()
    assert first_named <= set(final)
