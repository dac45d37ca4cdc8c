"""Figures on text, against counting by hand."""

from __future__ import annotations

import math
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from thaitok.compare.bits import bits_fit, bits_own, renyi_efficiency, smoothed
from thaitok.compare.kinds import HuggingFaceTokenizer
from thaitok.compare.lines import lines_of
from thaitok.compare.load import load_tokenizer_any
from thaitok.compare.measures import encoding_speed, lost_lines, measure_text


def unigram(**scores: float) -> HuggingFaceTokenizer:
    pieces = [("<unk>", 0.0), *scores.items()]
    return HuggingFaceTokenizer("toy", Tokenizer(models.Unigram(pieces, 0, False)))


def test_counts_are_those_by_hand(zoo: dict[str, Path]) -> None:
    found = measure_text(load_tokenizer_any(zoo["metaspace.json"]), ["แมวกิน แมว\n\n  \nแมวกิน"])
    # Two lines, each with a mark before it: ▁ แมว กิน ▁ แมว, ▁ แมว กิน; 16 characters, one a space.
    assert found.tokens == 8
    assert found.tokens_per_character == pytest.approx(8 / 16)
    assert found.characters_per_token == pytest.approx(2)
    assert found.bytes_per_token == pytest.approx((15 * 3 + 1) / 8)
    assert found.tokens_per_phrase == pytest.approx(8 / 3)
    assert found.tokens_per_word == pytest.approx(8 / 5)
    assert (found.unknown, found.unknown_bytes, found.partial, found.lost) == (0, 0, 0, 0)


def test_tokens_of_latin_words(zoo: dict[str, Path]) -> None:
    toy = unigram(ab=-1.0, c=-2.0, ก=-1.5)
    found = measure_text(toy, ["กabc ab กก a"])
    assert found.tokens_per_latin_word == pytest.approx((2 + 1) / 2), "abc is ab c; a is no word"
    assert len(lines_of(["กabc ab กก a"]).latin) == 2


def test_unknown_text_is_counted_and_charged() -> None:
    toy = unigram(ก=-1.0, ข=-2.0)
    found = measure_text(toy, ["กขกขกxyz"])
    assert found.unknown == pytest.approx(1 / 6)
    assert found.unknown_bytes == pytest.approx(3 / 18)
    knows, hides = (bits_own(toy, [text]) for text in ("กขกขกกกก", "กขกขกxyz"))
    assert knows is not None
    assert hides is not None
    assert hides > knows + 2


def test_byte_pieces_and_parts_of_characters_are_partial(zoo: dict[str, Path]) -> None:
    fallback = measure_text(load_tokenizer_any(zoo["fallback.model"]), ["แมว😀"])
    assert fallback.partial == pytest.approx(4 / fallback.tokens)
    assert fallback.unknown == 0
    whole = measure_text(load_tokenizer_any(zoo["fallback.model"]), ["แมวZ"])
    assert whole.partial == pytest.approx(1 / whole.tokens), "<0x5A> is a byte and all of Z"
    ranks = measure_text(load_tokenizer_any(zoo["gpt2.tiktoken"]), ["😀"])
    assert ranks.partial == 1


def test_a_lost_round_trip_is_told_from_normalising(zoo: dict[str, Path]) -> None:
    lines = ["แมวนั่งบนบ้าน", "น้ำ", "แมว😀"]
    nfkc = measure_text(load_tokenizer_any(zoo["nfkc.model"]), ["\n".join(lines)])
    assert nfkc.lost == pytest.approx(2 / 3), "sara am comes back in two letters, 😀 not at all"
    assert nfkc.lost_nfc == pytest.approx(2 / 3), "NFC does not join sara am"
    assert nfkc.lost_beyond_own == pytest.approx(1 / 3)
    identity = load_tokenizer_any(zoo["identity.model"])
    assert [one for one, _ in lost_lines(identity, lines)] == ["แมว😀"]
    ranks = measure_text(load_tokenizer_any(zoo["gpt2.tiktoken"]), lines)
    assert (ranks.lost, ranks.lost_beyond_own) == (0, 0)


def test_a_special_token_in_the_text_is_not_lost(zoo: dict[str, Path]) -> None:
    tokenizer = Tokenizer.from_file(str(zoo["metaspace.json"]))
    tokenizer.add_special_tokens(["<mask>"])
    found = measure_text(HuggingFaceTokenizer("toy", tokenizer), ["แมว<mask>"])
    assert found.lost == 0


def test_bits_by_a_models_own_scores() -> None:
    # Scores of mass 1/2 + 1/4: renormalised 2/3 and 1/3.
    toy = unigram(ก=math.log(1 / 2), ข=math.log(1 / 4))
    expected = -(3 * math.log2(2 / 3) + math.log2(1 / 3)) / 4
    assert bits_own(toy, ["กกขก"]) == pytest.approx(expected)
    assert bits_own(toy, []) is None


def test_the_unknown_piece_costs_ten_nats_more_than_the_rarest() -> None:
    toy = unigram(ก=math.log(1 / 2), ข=math.log(1 / 4))
    nats = -math.log(2 / 3) - math.log(1 / 3) + 10  # scores as renormalised
    assert bits_own(toy, ["กx"]) == pytest.approx((nats / math.log(2) + 8) / 2)


def test_pieces_without_a_score_have_the_frequency_they_have() -> None:
    pieces = [("<unk>", 0.0), ("ก", math.log(1 / 2)), ("ข", math.log(1 / 2)), ("_", 0.0)]
    toy = HuggingFaceTokenizer("toy", Tokenizer(models.Unigram(pieces, 0, False)))
    # Four tokens, one of them free: its bits, that the others are not it, and a bit for each.
    expected = (-math.log2(1 / 4) - 3 * math.log2(3 / 4) + 3) / 4
    assert bits_own(toy, ["กข_ก"]) == pytest.approx(expected)


def test_bits_by_fitted_counts_use_the_other_half() -> None:
    toy = unigram(ก=-1.0, ข=-1.0)
    alike, unlike = bits_fit(toy, ["กกกข"] * 6), bits_fit(toy, ["กกกข", "ขขขก"] * 3)
    assert alike is not None
    assert unlike is not None
    assert unlike > alike + 0.5
    # By hand for one document a half: D = 1/2 (no counts of 2 beside counts of 1), three pieces.
    kept = {"ก": 2.5 / 4, "ข": 0.5 / 4}
    share = {piece: value + (1 / 4) / 3 for piece, value in kept.items()}
    expected = -(3 * math.log2(share["ก"]) + math.log2(share["ข"])) / 4
    assert bits_fit(toy, ["กกกข", "กกกข"]) == pytest.approx(expected)
    assert bits_fit(toy, ["กกกข\nขข"]) is None, "one document has no other half"


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_smoothed_counts_are_probabilities(counts: list[int]) -> None:
    found = smoothed(np.array(counts))
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


def test_renyi_efficiency() -> None:
    assert renyi_efficiency(np.array([5, 5, 5, 5]), 4) == pytest.approx(1)
    assert renyi_efficiency(np.array([5, 5, 0, 0]), 4) == pytest.approx(0.5)
    share = [0.7, 0.2, 0.1]
    entropy = math.log(sum(one**2.5 for one in share)) / (1 - 2.5)
    assert renyi_efficiency(np.array([7, 2, 1]), 50) == pytest.approx(entropy / math.log(50))
    assert renyi_efficiency(np.array([0]), 5) is None


def test_speed_is_of_the_processor(zoo: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = load_tokenizer_any(zoo["gpt2.tiktoken"])
    ticks = iter(range(1000))
    monkeypatch.setattr(time, "process_time", lambda: float(next(ticks)))
    assert encoding_speed(tokenizer, ["ก" * 1000] * 10) == pytest.approx(0.03)
    assert encoding_speed(tokenizer, []) is None


def test_no_text_is_no_figure(zoo: dict[str, Path]) -> None:
    for path in zoo.values():
        found = measure_text(load_tokenizer_any(path), ["", " \n"])
        assert found.tokens == 0
        assert {value for field, value in found if field != "tokens"} == {None}


def test_every_kind_agrees_with_counting_one_by_one(zoo: dict[str, Path]) -> None:
    texts = ["แมวกินน้ำ deploy online", "ราคา 2.50 บาท\nน้ำใจ café"]
    lines = [line for text in texts for line in text.split("\n")]
    for path in zoo.values():
        tokenizer = load_tokenizer_any(path)
        found = measure_text(tokenizer, texts)
        each = [number for line in lines for number in tokenizer.ids([line])[0]]
        assert found.tokens == len(each)
        assert found.unknown == pytest.approx(Counter(each)[tokenizer.unknown] / len(each))  # type: ignore[index]
