from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from hashlib import shake_128
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from corpora.near import exact, find_near_duplicates, jaccard, minhash, recall, search, signatures
from corpora.ngrams import code_points, gram_hashes
from thaitok.corpus import read_packed

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "text"
LETTERS = "".join(map(chr, range(0xE01, 0xE2F)))
FEW = st.text("กขคง ", max_size=40)
MANY = st.text("กขคงจฉชซab1 \n", max_size=900)


def noise(rng: random.Random, chars: int) -> str:
    return "".join(rng.choices(LETTERS, k=chars))


def edited(text: str, words: Sequence[str], rng: random.Random, low: float, high: float) -> str:
    """Insert, delete and replace spans until the exact similarity lies in [low, high)."""
    while True:
        aim, size, made, now = rng.uniform(low, high), rng.choice((2, 8, len(text) / 50)), text, 1.0
        while now > aim:
            at = rng.randrange(len(made) + 1)
            span = max(1, round(rng.expovariate(1 / size)))
            new = rng.choice(("", rng.choice(words)[:span]))
            made = made[:at] + new + made[at + rng.choice((0, span)) :]
            now = jaccard(text, made)
        if low <= now < high:
            return made


def find(
    texts: Sequence[str], threshold: float = 0.8, rows: NDArray[np.uint8] | None = None
) -> list[int]:
    alive = np.ones(len(texts), dtype=bool)
    rows = signatures(texts) if rows is None else rows
    return find_near_duplicates(rows, alive, texts.__getitem__, jaccard=threshold).tolist()


def sets(text: str, n: int) -> set[str]:
    bare = "".join(text.split())
    return {bare[at : at + n] for at in range(len(bare) - n + 1)}


# The exact similarity


@given(FEW, FEW, st.integers(1, 6), st.integers(2, 50))
def test_jaccard_is_that_of_the_sets_of_grams(a: str, b: str, n: int, part: int) -> None:
    ours, theirs = sets(a, n), sets(b, n)
    if ours and theirs:
        due = len(ours & theirs) / len(ours | theirs)
    else:
        due = float("".join(a.split()) == "".join(b.split()))
    assert jaccard(a, b, n) == due
    with pytest.MonkeyPatch.context() as patch:  # long texts go in parts and blocks
        patch.setattr(exact, "PART_CHARS", part)
        patch.setattr(exact, "BLOCK_CHARS", 3)
        assert jaccard(a, b, n) == due


@pytest.mark.slow
def test_the_similarity_of_texts_of_16_mb_takes_bounded_memory() -> None:
    rng = random.Random(1)
    text = noise(rng, 1 << 20)
    long = "".join(text[at:] + text[:at] for at in range(0, 5 << 10, 1 << 10))
    tracemalloc.start()
    assert jaccard(long, long + "ฮ" * 9) > 0.99
    assert find([long, long[:-9]])[1] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6


# Signatures


def by_hand(text: str, n: int) -> bytes:
    """Return the signature of a text as the papers define it, without any array."""
    bare = "".join(text.split())
    if len(bare) < n:
        return shake_128(bare.encode()).digest(256)
    bins: dict[int, int] = {}
    for value in gram_hashes(code_points(bare), n).tolist():
        bins[value >> 56] = min(value, bins.get(value >> 56, value))
    order = minhash._orders()[0]
    donors = [next(j for j in order[:, i].tolist() if j in bins) for i in range(256)]
    factors = minhash._multipliers().tolist()
    return bytes((bins[j] * f & (1 << 64) - 1) >> 56 for j, f in zip(donors, factors, strict=True))


@settings(max_examples=30)
@given(st.lists(MANY, max_size=5), st.integers(2, 6), st.integers(6, 50), st.integers(1, 3))
@example(["ก" * 4, "ก" * 5, "", " ", "กขคงจ"], 5, 6, 2)
def test_signatures_are_those_of_the_papers(
    texts: list[str], n: int, piece: int, rows: int
) -> None:
    # Few empty bins, many that others take their values from, and more.
    texts += [noise(random.Random(len(texts)), chars) for chars in (80, 160, 250, 700)]
    due = [by_hand(text, n) for text in texts]
    assert [row.tobytes() for row in signatures(texts, n)] == due
    with pytest.MonkeyPatch.context() as patch:  # batches and blocks change nothing
        patch.setattr(minhash, "_PIECE_CHARS", piece)
        patch.setattr(minhash, "_ROWS", rows)
        assert [row.tobytes() for row in signatures(texts, n)] == due


def test_each_bin_has_an_order_of_its_own_that_begins_with_it() -> None:
    order, ranks = minhash._orders()
    every = np.arange(256)
    assert (np.sort(order, axis=0) == every[:, None]).all()
    assert (order[0] == every).all()
    assert (ranks[order, every] == every[:, None]).all()
    assert len(np.unique(order[1:], axis=1).T) == 256
    # Bins that come second are spread: each of 256 is drawn 256 times with replacement.
    assert 140 < len(np.unique(order[1])) < 185


def test_no_text_and_white_space() -> None:
    assert signatures([]).shape == (0, 256)
    rows = signatures(["แมวนั่งบนเสื่อ", " แมว นั่งบน\nเสื่อ\u00a0", "แมวนั่งบนเสื้อ"])
    assert (rows[0] == rows[1]).all()
    assert (rows[0] != rows[2]).any()


def test_letters_and_digits_are_not_folded() -> None:
    rows = signatures(["THAI TEXT 123", "thai text 123", "thai text ๑๒๓"])
    assert len(np.unique(rows, axis=0)) == 3


def test_short_texts_equal_only_themselves() -> None:
    texts = ["", "ก", "กข", "ab c", "abcd", "abc", "ขก"]
    assert find([*texts, *reversed(texts)]) == [-1, -1, -1, -1, -1, 3, -1, 6, 3, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("chars", [5, 8, 30, 100, 1000])
def test_strangers_share_bytes_by_chance_only(chars: int) -> None:
    rng = random.Random(chars)
    rows = signatures([noise(rng, chars) for _ in range(4000)])
    equal = (rows[::2] == rows[1::2]).sum(axis=1)
    assert equal.mean() == pytest.approx(1, abs=0.2)
    assert equal.max() < 15  # copies of one value must not meet all at once


@pytest.mark.parametrize("chars", [30, 80, 300, 900])
def test_estimates_are_true_and_as_sharp_as_the_bounds_suppose(chars: int) -> None:
    rng = random.Random(chars)
    words = [noise(rng, 60) for _ in range(100)]
    texts = [noise(rng, chars) for _ in range(200)]
    others = [edited(text, words, rng, 0.5, 0.95) for text in texts]
    true = np.array([jaccard(*pair) for pair in zip(texts, others, strict=True)])
    equal = (signatures(texts) == signatures(others)).mean(axis=1)
    errors = ((equal - 1 / 256) / (1 - 1 / 256) - true) / np.sqrt(true * (1 - true) / 256)
    assert abs(errors.mean()) < 0.25
    assert errors.std() < 1.3


# The search


@pytest.mark.parametrize(("chars", "count"), [((40, 120), 400), ((300, 2000), 150)])
def test_planted_near_duplicates_are_found_and_no_others(
    chars: tuple[int, int], count: int
) -> None:
    rng = random.Random(count)
    words = [noise(rng, 60) for _ in range(100)]
    texts = [noise(rng, rng.randint(*chars)) for _ in range(count)]
    check_planted(texts, words, rng)


def check_planted(texts: list[str], words: list[str], rng: random.Random) -> None:
    bands = ((0.8, 0.85), (0.85, 1.0), (0.5, 0.75))
    pairs = [(text, edited(text, words, rng, *rng.choice(bands))) for text in texts]
    copies = [copy for _, copy in pairs]
    repeats = np.array([jaccard(*pair) >= 0.8 for pair in pairs])
    assert 0.5 < repeats.mean() < 0.8
    every = texts + copies
    twins = np.array(find(every))
    assert (twins[len(texts) :] >= 0)[repeats].mean() >= 0.95
    dropped = np.flatnonzero(twins >= 0)
    right = [jaccard(every[one], every[twins[one]]) >= 0.8 for one in dropped]
    assert np.mean(right) >= 0.95
    assert_greedy(twins.tolist())


def assert_greedy(twins: Iterable[int]) -> None:
    """Each dropped document repeats an earlier one that is kept."""
    twins = list(twins)
    for one, twin in enumerate(twins):
        assert twin < one
        assert twin < 0 or twins[twin] < 0


@given(st.lists(st.integers(0, 30), max_size=40), st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9, 1.0]))
@settings(max_examples=60, deadline=None)
def test_the_first_stays_and_what_repeats_a_kept_one_goes(
    shifts: list[int], threshold: float
) -> None:
    """Windows on one text: similarity falls with their distance, so chains abound."""
    tape = noise(random.Random(7), 1500)
    texts = [tape[20 * shift : 20 * shift + 600] for shift in shifts]
    twins = find(texts, threshold)
    assert_greedy(twins)
    kept: list[int] = []
    for one, twin in enumerate(twins):
        near = [jaccard(texts[one], texts[other]) for other in kept]
        if twin >= 0:
            assert jaccard(texts[one], texts[twin]) >= threshold - 0.02
        else:
            # What bands do not find may stay; from 0.1 above the threshold none does.
            assert max(near, default=0.0) < max(threshold, min(threshold + 0.1, 1.0))
            kept.append(one)


def test_a_chain_does_not_drop_what_only_a_dropped_one_resembles() -> None:
    tape = noise(random.Random(3), 900)
    texts = [tape[at : at + 700] for at in (0, 60, 120)]
    assert jaccard(texts[0], texts[1]) > 0.8 < jaccard(texts[1], texts[2])
    assert jaccard(texts[0], texts[2]) < 0.75
    assert find(texts) == [-1, 0, -1]


@pytest.mark.parametrize("threshold", [0.5, 0.75, 0.8, 0.9, 1.0])
def test_at_the_threshold_the_texts_decide(threshold: float) -> None:
    """Pairs at the threshold and one n-gram below, which no signature tells apart."""
    rng = random.Random(11)
    texts, due = [], []
    grams = 400  # in each pair
    for number in range(100):
        shared = round(threshold * grams) - (1 if number % 2 else 0)
        left = (grams - shared) // 2
        common = noise(rng, shared + 4)
        texts += [noise(rng, left) + common, common + noise(rng, grams - shared - left)]
        due.append(jaccard(*texts[-2:]) >= threshold)
    twins = np.array(find(texts, threshold))
    found = twins[1::2] >= 0
    assert not (found & ~np.array(due)).any()
    assert (found & np.array(due)).sum() >= 0.9 * recall(threshold, threshold) * sum(due)
    assert sum(due) == 50


def test_clear_cases_read_no_text() -> None:
    rng = random.Random(5)
    texts = [noise(rng, 500) for _ in range(50)]
    rows = signatures(texts + texts)

    def unread(_: int) -> str:
        raise AssertionError("a text was read")

    twins = find_near_duplicates(rows, np.ones(100, dtype=bool), unread)
    assert twins.tolist() == [-1] * 50 + list(range(50))


def test_the_dead_neither_go_nor_drop_others() -> None:
    text = noise(random.Random(5), 500)
    alive = np.array([False, True, False, True])
    twins = find_near_duplicates(signatures([text] * 4), alive, [text].__getitem__)
    assert twins.tolist() == [-1, -1, -1, 1]
    assert find([]) == []


def test_a_memory_map_gives_the_same(tmp_path: Path) -> None:
    rng = random.Random(9)
    words = [noise(rng, 60) for _ in range(9)]
    texts = [noise(rng, 100) for _ in range(50)]
    texts += [edited(text, words, rng, 0.75, 0.9) for text in texts]
    rows = signatures(texts)
    (tmp_path / "rows").write_bytes(rows.tobytes())
    mapped = np.memmap(tmp_path / "rows", dtype=np.uint8, mode="r").reshape(-1, 256)
    assert find(texts, rows=mapped) == find(texts, rows=rows)
    assert any(twin >= 0 for twin in find(texts))


@pytest.mark.parametrize(
    ("alike", "count", "bytes_each"), [(False, 100_000, 60), (True, 4000, 400)]
)
def test_memory_a_document(alike: bool, count: int, bytes_each: int) -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 256, (count, 256), dtype=np.uint8)
    if alike:  # each shares 24 of its 32 buckets with another, and both are kept
        rows[1::2, :192] = rows[::2, :192]
    tracemalloc.start()
    twins = find_near_duplicates(rows, np.ones(count, dtype=bool), str)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (twins < 0).all()
    assert peak < bytes_each * count


@pytest.mark.parametrize("own", [6, 60, 130, 400])
def test_templates_take_bounded_work_a_document(own: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template of 400 characters, then some of each document's own: all share buckets."""
    rng = random.Random(own)
    monkeypatch.setattr(search, "CANDIDATES", 100)
    monkeypatch.setattr(search, "BUCKET_KEPT", 50)
    compared = reads = 0
    equal_bytes = search._equal_bytes

    def counted(rows: NDArray[np.uint8], row: NDArray[np.uint8]) -> NDArray[np.int64]:
        nonlocal compared
        assert len(rows) <= 100
        compared += len(rows)
        return equal_bytes(rows, row)

    def text_of(document: int) -> str:
        nonlocal reads
        reads += 1
        return texts[document]

    monkeypatch.setattr(search, "_equal_bytes", counted)
    template = noise(rng, 400)
    texts = [template + noise(rng, own) for _ in range(1500)]
    twins = find_near_duplicates(signatures(texts), np.ones(1500, dtype=bool), text_of)
    assert compared >= 1000
    assert reads <= 1500 * (1 + search.EXACT_CHECKS)
    assert_greedy(twins.tolist())


@pytest.mark.parametrize("similarity", [0.5, 0.65, 0.8, 0.95])
def test_recall_says_how_many_pairs_meet(similarity: float) -> None:
    rng = random.Random(2)
    shared = round(400 * similarity)
    tapes = [noise(rng, 804 - shared) for _ in range(400)]
    ours, theirs = ([tape[at : at + 404] for tape in tapes] for at in (0, 400 - shared))
    true = jaccard(ours[0], theirs[0])
    a, b = signatures(ours), signatures(theirs)
    for threshold, words in ((0.8, "<u8"), (0.6, "<u4")):
        met = (a.view(words) == b.view(words)).any(axis=1).mean()
        assert met == pytest.approx(recall(true, threshold), abs=0.1)


# Real text


@pytest.fixture(scope="module")
def real_documents() -> Callable[[str], list[str]]:
    if not REAL.exists():
        pytest.skip(f"no real text at {REAL}")
    return lambda name: [row["text"] for row in read_packed(REAL / f"{name}.jsonl.zst")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "chars", "count"),
    [("thaigov_v2", (400, 5000), 250), ("social_open", (40, 120), 2000)],
)
def test_planted_in_real_text(
    name: str, chars: tuple[int, int], count: int, real_documents: Callable[[str], list[str]]
) -> None:
    every = real_documents(name)
    fitting = [text for text in every if chars[0] <= len("".join(text.split())) <= chars[1]]
    twins = find(fitting[: 2 * count])
    kept = [text for text, twin in zip(fitting, twins, strict=False) if twin < 0]
    rng = random.Random(4)
    tape = "".join(every[-500:])
    words = [tape[at : at + 60] for at in (rng.randrange(len(tape)) for _ in range(3000))]
    check_planted(kept[:count], words, rng)


@pytest.mark.slow
def test_exact_duplicates_are_near_ones_too(real_documents: Callable[[str], list[str]]) -> None:
    texts = real_documents("thaigov_v1")
    twins = find(texts)
    seen: set[str] = set()
    repeated = []
    for one, text in enumerate(texts):
        bare = "".join(text.split())
        if bare in seen:
            repeated.append(one)
        seen.add(bare)
    assert len(repeated) == 3322
    assert all(twins[one] >= 0 for one in repeated)
    assert_greedy(twins)
