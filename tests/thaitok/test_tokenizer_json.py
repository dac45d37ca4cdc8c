"""One truth in two encoders: `tokenizer.json` and `spm.model` give equal ids, anywhere."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES
from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.tokenizer_json import SPECIAL_TOKENS, fast_tokenizer, read_model
from thaitok.trainer import TokenizerConfig, train_tokenizer

Trained = Callable[..., Path]
SPECIALS = (*dict.fromkeys(SPECIAL_TOKENS.values()), SPACE_TOKEN)
KINDS = [
    {},
    {"byte_fallback": True},
    {"algorithm": "bpe"},
    {"algorithm": "bpe", "byte_fallback": True},
    {"lower": True},
]

AWKWARD = (
    "",
    " ",
    "\n",
    "ก",
    "น้ำ",
    "น\u0e49\u0e4d\u0e32",
    "น\u0e4d\u0e49\u0e32",
    "กำ",
    "ก\u0e4d\u0e32",
    "เเมวเเละแมว",
    "👨\u200d👩\u200d👧\u200d👦 ครอบครัว 👍🏽 ❤\ufe0f 🏳\ufe0f\u200d🌈 🇹🇭",
    "ไม่\u00a0แยก\u200bคำ\ufeffเลย\u2060",
    "แท็บ\tและ\r\nบรรทัดใหม่\n\nอีก",
    "  เว้น   วรรค  ",
    "iPhone15รุ่นใหม่ ราคา 39,900.- บาท",
    "5555555555 มากกกกกกก กกก วววว",
    "ＡＢＣ １２３ ﾊﾟ ｶﾞ",
    "日本語 한국어 العربية ελληνικός σοφός ΣΟΦΟΣ İ",
    "ๆ ฯลฯ ๏ ๚ ๛ ฿100",
    "ผู้ใหญ่ฝ่ายปิ๊ดก็รักเรามาก",
    "https://example.com/?a=1&b=2#ก me@example.com @user #แท็ก",
    "ก็ ณ ธ.ค. พ.ศ. ๒๕๖๙",
    "<b>ตัวหนา</b> &amp; &nbsp; a<\u0338b ก<ข",
    "\u0e48\u0e34\u0e31 ่ ้ ์",
    "a" * 500,
    "ก" * 3000,
    f"มี{SPACE_TOKEN}เครื่องหมาย<s>และ</s> <pad><unk><<s>>",
    "<0x41> \u0338 <0xE0>",
    "\x00\x1f\x7f",
)
ALPHABET = "กขคงมวำาํ่้เแ 5aAbΣİ\u200d\n😀<>_s/x龘\u0338\u0301"
TEXTS = st.lists(
    st.text(ALPHABET, max_size=8)
    | st.sampled_from([one for one in SPECIALS if one != "<mask>"])
    | st.sampled_from(["abab", "ababa", "กกกก", "5555", "a<b", "</b", "<<<", "<0x41>", "  "]),
    max_size=8,
).map("".join)


def nasty(lines: Sequence[str], count: int) -> Iterator[str]:
    """Mutate lines by what has ever told the two encoders apart."""
    chance = random.Random(0)
    bits = (
        *(
            "\u200b",
            "\u00a0",
            "\t",
            "\u200d",
            "👨\u200d👩\u200d👧",
            "🇹🇭",
            "ＡＢ",
            "ﾊﾟ",
            "\u0e4d\u0e32",
        ),
        *("น\u0e4d\u0e49\u0e32", "555555", "กกกก", "่่", "ำ้", "เเ", "龘", "\u0338", "  "),
        *(one for one in SPECIALS if one != "<mask>"),
    )
    for _ in range(count):
        text = chance.choice(lines)[:200]
        for _ in range(chance.randint(1, 5)):
            at = chance.randint(0, len(text))
            text = text[:at] + chance.choice(bits) * chance.randint(1, 3) + text[at:]
        yield text


@cache
def loaded(folder: Path) -> tuple[BulkEncoder, Tokenizer]:
    return BulkEncoder(folder), load_tokenizer(folder)


def both(folder: Path, texts: Sequence[str]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the ids of texts by `spm.model` and by `tokenizer.json`."""
    bulk, fast = loaded(folder)
    found = fast.encode_batch(list(texts), add_special_tokens=False)
    return bulk.encode_many(texts), [encoding.ids for encoding in found]


def assert_equal(folder: Path, texts: Sequence[str], lower: bool = False) -> None:
    by_model, by_json = both(folder, texts)
    _, fast = loaded(folder)
    for text, one, two in zip(texts, by_model, by_json, strict=True):
        assert one == two, repr(text)
        if fast.token_to_id("<unk>") not in one:
            assert fast.decode(one) == normalize(text, lower), repr(text)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_promise_6_ids_are_equal_on_awkward_strings(trained: Trained, kind: dict[str, Any]) -> None:
    assert_equal(trained(**kind), AWKWARD, kind.get("lower", False))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=100, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_promise_6_ids_are_equal_ties_included_and_decode_gives_back_the_text(
    trained: Trained, kind: dict[str, Any], texts: list[str]
) -> None:
    assert_equal(trained(**kind), texts, kind.get("lower", False))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=100, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_promise_6_ids_are_those_of_sentencepiece_alone(
    trained: Trained, kind: dict[str, Any], texts: list[str]
) -> None:
    model = sentencepiece.SentencePieceProcessor(model_file=str(trained(**kind) / "spm.model"))
    plain = [normalize(text.replace(SPACE_TOKEN, ""), kind.get("lower", False)) for text in texts]
    plain = [text for text in plain if SPACE_TOKEN not in text]
    assert model.encode(list(map(mark_spaces, plain))) == both(trained(**kind), plain)[1]


def test_promise_6_ids_are_equal_where_the_trainer_of_ours_made_the_pieces(tokenizer: Path) -> None:
    # It has no piece `<`: there special tokens are tokens, and U+0338 composes with it.
    told = (*SPECIALS, "\u0338")
    assert_equal(tokenizer, [text for text in AWKWARD if not any(one in text for one in told)])


@pytest.mark.parametrize("token", SPECIALS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_special_token_written_out_is_text(
    trained: Trained, kind: dict[str, Any], token: str
) -> None:
    folder = trained(**kind)
    fast = load_tokenizer(folder)
    fast.encode_special_tokens = token == "<mask>"  # what `split_special_tokens` sets
    for text in (token, f"ก{token}ข", f"{token}{token}", f"<{token}>", f"a {token} b"):
        ids = fast.encode(text, add_special_tokens=False).ids
        assert BulkEncoder(folder).encode(text) == ids
        assert fast.token_to_id(token) not in ids or (token == SPACE_TOKEN and " " in text)
        assert fast.decode(ids) == normalize(text, kind.get("lower", False))


def test_a_mask_is_a_token_to_json_and_text_to_a_corpus(trained: Trained) -> None:
    by_model, by_json = both(trained(), ["ก<mask>ข"])
    assert by_json[0].count(4) == 1
    assert 4 not in by_model[0]


def test_a_vocabulary_without_the_opening_bracket_still_gives_equal_ids(trained: Trained) -> None:
    serialized = (trained() / "spm.model").read_bytes()
    proto = sentencepiece_model_pb2.ModelProto.FromString(serialized)  # type: ignore[attr-defined]
    next(piece for piece in proto.pieces if piece.piece == "<").piece = "龠"
    fast = fast_tokenizer(read_model(proto.SerializeToString()))
    model = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    assert fast.encode("a<b", add_special_tokens=False).ids == model.encode("a<b")


@pytest.mark.parametrize(
    ("serialized", "said"),
    [(b"nonsense", "is no SentencePiece model"), (b"", "has no <s> <pad> </s>")],
)
def test_what_is_no_model_of_ours_is_said(serialized: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_model(serialized)


def test_promise_6_ids_are_equal_on_real_text(
    real_lines: Callable[[str, int], list[str]],
    corpus_of: Callable[[Path, list[str]], Path],
    tmp_path: Path,
) -> None:
    train = real_lines("social_open", 6000) + real_lines("msdocs_th", 4000)
    corpus = corpus_of(tmp_path / "corpus", train)
    config = TokenizerConfig(corpus=(corpus,), out=tmp_path / "tokenizer", vocab_size=4000)
    train_tokenizer(config)
    lines = real_lines("social_open", 4000) + real_lines("msdocs_th", 2000)
    assert_equal(config.out, [line.replace("<mask>", "") for line in lines])
    fast = load_tokenizer(config.out)
    assert "<" in fast.get_vocab()
    assert_equal(config.out, list(nasty(lines, 2000)))


AUTO = """
import importlib.abc, json, sys

class NoneOfOurs(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"thaitok", "corpora", "pretrain", "finetune"}:
            raise ImportError(name)

sys.meta_path.insert(0, NoneOfOurs())
from transformers import AutoTokenizer
texts = json.load(sys.stdin)
found = []
for again in range(2):
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1 + again])
    split = AutoTokenizer.from_pretrained(sys.argv[1 + again], split_special_tokens=True)
    ids = tokenizer(texts)["input_ids"]
    found.append({
        "ids": tokenizer(texts, add_special_tokens=False)["input_ids"],
        "whole": ids,
        "decoded": tokenizer.batch_decode(ids, skip_special_tokens=True),
        "shown": tokenizer.decode(ids[-1]),
        "one": tokenizer("ก <mask> ข")["input_ids"],
        "split": split("ก <mask><s> ข", add_special_tokens=False)["input_ids"],
        "pair": tokenizer("ก", "ข<s>")["input_ids"],
        "special": [tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id,
                    tokenizer.unk_token_id, tokenizer.mask_token_id],
        "most": tokenizer.model_max_length,
        "size": [len(tokenizer), tokenizer.vocab_size],
        "masked": tokenizer.get_special_tokens_mask(ids[-1], already_has_special_tokens=True),
    })
    tokenizer.save_pretrained(sys.argv[2])
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("model_type", "lower"),
    [("roberta", True), ("camembert", False), ("modernbert", False)],
)
def test_promise_9_plain_auto_tokenizer_gives_the_same_ids_also_saved_again(
    trained: Trained, tmp_path: Path, model_type: str, lower: bool
) -> None:
    folder, here, again = trained(lower=lower), tmp_path / "here", tmp_path / "again"
    for out in (here, again):
        out.mkdir()
        # A model's config must not make AutoTokenizer rebuild the tokenizer.
        (out / "config.json").write_text(json.dumps({"model_type": model_type}))
    for name in TOKENIZER_FILES:
        (here / name).write_bytes((folder / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", AUTO, str(here), str(again)],
        input=json.dumps([*AWKWARD, "ก<s>"]),
        capture_output=True,
        text=True,
        check=True,
    )
    bulk, fast = BulkEncoder(folder), load_tokenizer(folder)
    ids = bulk.encode_many([*AWKWARD, "ก<s>"])
    for found in json.loads(done.stdout):
        assert found["ids"] == ids
        assert found["whole"] == [[0, *one, 2] for one in ids]
        assert found["special"] == [0, 1, 2, 3, 4]
        assert found["most"] == 512
        assert found["size"] == [fast.get_vocab_size()] * 2
        assert found["one"][2:5] == [bulk.space, 4, bulk.space], "a mask takes no stray space"
        assert found["split"] == bulk.encode("ก <mask><s> ข"), "then a mask is text"
        assert found["pair"] == [0, *bulk.encode("ก"), 2, 2, *bulk.encode("ข<s>"), 2]
        assert found["shown"] == "<s>ก<s></s>"
        assert found["masked"] == [1, *[0] * len(ids[-1]), 1]
        for one, text, decoded in zip(ids, AWKWARD, found["decoded"], strict=False):
            if 3 not in one:
                assert decoded == normalize(text, lower)
