from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from sentencepiece import sentencepiece_model_pb2

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES
from thaitok.tokenizer import BulkEncoder, decode_lines, encode_lines, load_tokenizer, measure
from thaitok.tokenizer_json import read_model, write_tokenizer_files
from thaitok.words import segment

Trained = Callable[..., Path]


def test_a_forgetful_encoder_gives_the_same_ids(tokenizer: Path) -> None:
    texts = ["แมว นั่ง บน เสื่อ แมว", "ราคา 2.50 บาท"]
    assert [BulkEncoder(tokenizer, keep=1).encode(text) for text in texts] == [
        BulkEncoder(tokenizer).encode(text) for text in texts
    ]


def test_batches_and_single_texts_give_the_same_ids(tokenizer: Path) -> None:
    texts = ["แมว <_> นั่ง", "", " ", "ราคา 2.50 บาท", "<<"]
    bulk = BulkEncoder(tokenizer)
    assert bulk.encode_many(texts) == [BulkEncoder(tokenizer).encode(text) for text in texts]
    assert bulk.encode_many([]) == []


def test_promise_5_what_is_remembered_is_bounded_in_bytes(tokenizer: Path) -> None:
    bulk = BulkEncoder(tokenizer, keep=300_000)
    held = []
    for number in range(20):  # few phrases, of many characters
        bulk.encode_many([f"{number}x{one}" + "ก" * 20_000 for one in range(2)])
        held.append(sum(sys.getsizeof(one) for pair in bulk.phrases.items() for one in pair))
        assert bulk.held == held[-1]
    assert held[1] > held[0], "it does remember"
    assert max(held) < 300_000 + 1.1 * held[0], "and no more than is allowed and one call's"


@pytest.mark.parametrize(
    ("scores", "runs"),
    [
        # Of ๆ, ๆๆ and ๆๆๆ in a tokenizer trained on real text: sums go beyond 2**14 at 4,437.
        ((-6563, -11437, -11351), (602, 603, 5000, 20_000)),
        # A low score: beyond 2**14 at 173.
        ((-145389, -292328, -292176), range(1, 500)),
    ],
)
def test_promise_6_long_runs_of_ties_have_the_exact_ids(
    trained: Trained, tmp_path: Path, scores: Sequence[int], runs: Iterable[int]
) -> None:
    raw = (trained() / "spm.model").read_bytes()
    proto = sentencepiece_model_pb2.ModelProto.FromString(raw)  # type: ignore[attr-defined]
    pieces = {piece.piece: piece for piece in proto.pieces}
    for size, score in enumerate(scores, 1):
        # A run is cut into ๆๆๆ but for one or two, and the sums tie wherever those stand.
        piece = pieces.get("ๆ" * size) or proto.pieces.add(piece="ๆ" * size)
        piece.score = score * 2**-10
    write_tokenizer_files(tmp_path, read_model(proto.SerializeToString()), 512)
    texts = ["ๆ" * many for many in runs]
    exact = load_tokenizer(tmp_path).encode_batch(texts, add_special_tokens=False)
    assert BulkEncoder(tmp_path).encode_many(texts) == [one.ids for one in exact]


def test_an_uncased_tokenizer_reads_capitals_as_small_letters(trained: Trained) -> None:
    bulk = BulkEncoder(trained(lower=True))
    assert bulk.encode("IPHONE แมว") == bulk.encode("iphone แมว")
    assert BulkEncoder(trained()).encode("IPHONE") != BulkEncoder(trained()).encode("iphone")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("spm.model", "is no SentencePiece model"),
        ("tokenizer_config.json", "is no JSON object"),
        ("tokenizer.json", "is no tokenizer"),
    ],
)
def test_a_broken_file_is_named(tokenizer: Path, tmp_path: Path, name: str, said: str) -> None:
    for one in TOKENIZER_FILES:
        (tmp_path / one).write_bytes((tokenizer / one).read_bytes())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:40])
    with pytest.raises(UserError, match=f"{name}: {said}"):
        load_tokenizer(tmp_path)
        BulkEncoder(tmp_path)


def test_lines_are_encoded_with_special_tokens_and_without(trained: Trained) -> None:
    model, text = load_tokenizer(trained()), "ก <mask>เเ"
    (plain,) = encode_lines(model, [text])
    (special,) = encode_lines(model, [text], special_tokens=True)
    assert "<mask>" not in plain.pieces and "".join(plain.pieces[2:]) == "<mask>แ"
    assert special.pieces[0] == "<s>" and special.pieces[-1] == "</s>"
    assert special.pieces[3] == "<mask>" and special.offsets[3:5] == ((2, 8), (8, 10))
    assert plain.offsets[-1][1] == len(text)


def test_ids_read_from_lines_are_checked(tokenizer: Path) -> None:
    model = load_tokenizer(tokenizer)
    ids = " ".join(map(str, model.encode("แมว นั่ง", add_special_tokens=False).ids))
    assert list(decode_lines(model, [ids, ""], "f")) == ["แมว นั่ง", ""]
    with pytest.raises(UserError, match="f:2: is no line of ids"):
        list(decode_lines(model, [ids, "แมว"], "f"))
    with pytest.raises(UserError, match="f:1: is no line of ids"):
        list(decode_lines(model, ["1_0 ๑"], "f"))
    with pytest.raises(UserError, match="f:1: id 999 is outside the vocabulary of 500"):
        list(decode_lines(model, ["999"], "f"))


def test_decode_shows_what_is_unknown_and_drops_the_other_special_tokens(tokenizer: Path) -> None:
    model = load_tokenizer(tokenizer)
    ids = " ".join(map(str, model.encode("แมว 龘 นั่ง").ids))
    assert list(decode_lines(model, [ids], "f")) == ["แมว <unk> นั่ง"]


def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no tokenizer\.json here"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="is no tokenizer"):
        load_tokenizer(tmp_path)


def test_measures_are_the_arithmetic_they_claim(tokenizer: Path) -> None:
    found = measure(tokenizer, ["แมว แมว", "龘"])
    tokens = len(BulkEncoder(tokenizer).encode("แมว แมว")) + 1
    assert found["documents_measured"] == 2
    assert found["tokens_per_character"] == round(tokens / 8, 4)
    assert found["bytes_per_token"] == round((6 * 3 + 1 + 3) / tokens, 3)
    assert found["unknown_share"] == round(1 / tokens, 6)


@pytest.mark.parametrize("text", ["ตากลม" * 200, "abcไทย123😀", "กกกกก", "\u0e48\u0e34"])
def test_words_join_to_the_phrase(text: str) -> None:
    assert "".join(segment(text)) == text
