"""One truth in two encoders: `tokenizer.json` and `spm.model` give equal ids, anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.folder import TOKENIZER_FILES
from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.trainer import TokenizerConfig, train_tokenizer

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
    "日本語 한국어 العربية ελληνικός σοφός",
    "ๆ ฯลฯ ๏ ๚ ๛ ฿100",
    "ผู้ใหญ่ฝ่ายปิ๊ดก็รักเรามาก",
    "https://example.com/?a=1&b=2#ก me@example.com @user #แท็ก",
    "ก็ ณ ธ.ค. พ.ศ. ๒๕๖๙",
    "<b>ตัวหนา</b> &amp; &nbsp;",
    "\u0e48\u0e34\u0e31 ่ ้ ์",
    "a" * 500,
    "ก" * 500,
    f"มี{SPACE_TOKEN}เครื่องหมาย",
    "\x00\x1f\x7f",
)


def both(folder: Path, texts: list[str]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the ids of texts by `spm.model` and by `tokenizer.json`."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    fast = load_tokenizer(folder).encode_batch(texts, add_special_tokens=False)
    return model.encode([mark_spaces(normalize(text)) for text in texts]), [e.ids for e in fast]


def test_promise_6_ids_are_equal_on_awkward_strings(tokenizer: Path) -> None:
    by_model, by_json = both(tokenizer, list(AWKWARD))
    for text, one, two in zip(AWKWARD, by_model, by_json, strict=True):
        assert one == two, repr(text)


@settings(max_examples=500, deadline=None)
@given(text=st.text("กขคงมวำาํ่้เแ 5a\u200d\n😀", max_size=60))
def test_promise_6_ids_are_equal_ties_included(tokenizer: Path, text: str) -> None:
    by_model, by_json = both(tokenizer, [text])
    assert by_model == by_json
    assert BulkEncoder(tokenizer).encode(text) == by_json[0]


@settings(max_examples=500, deadline=None)
@given(text=st.text("กขคงมวำาํ่้เแ 5a\u200d\n\u00a0", max_size=60))
def test_promise_6_decode_gives_back_the_normalised_text(tokenizer: Path, text: str) -> None:
    fast = load_tokenizer(tokenizer)
    ids = fast.encode(text).ids
    if fast.token_to_id("<unk>") not in ids:
        assert fast.decode(ids) == normalize(text)


def test_special_tokens_written_out_are_tokens_to_json_and_text_to_sentencepiece(
    tokenizer: Path,
) -> None:
    # fill-mask needs the first; the second keeps them out of a corpus's ids.
    by_model, by_json = both(tokenizer, ["ก<mask>ข"])
    assert 4 in by_json[0]
    assert 4 not in by_model[0]


def test_promise_6_ids_are_equal_on_real_text(
    real_lines: Callable[[str, int], list[str]],
    corpus_of: Callable[[Path, list[str]], Path],
    tmp_path: Path,
) -> None:
    train = real_lines("social_open", 6000) + real_lines("thaigov_v1", 3000)
    corpus = corpus_of(tmp_path / "corpus", train)
    config = TokenizerConfig(corpus=(corpus,), out=tmp_path / "tokenizer", vocab_size=4000)
    train_tokenizer(config)
    lines = real_lines("social_open", 12_000) + real_lines("msdocs_th", 6000)
    by_model, by_json = both(config.out, lines)
    assert [n for n in range(len(lines)) if by_model[n] != by_json[n]] == []
    bulk = BulkEncoder(config.out)
    assert [bulk.encode(line) for line in lines] == by_json
    fast = load_tokenizer(config.out)
    known = [n for n in range(len(lines)) if 3 not in by_json[n]]
    assert len(known) > 10_000
    assert [fast.decode(by_json[n]) for n in known] == [normalize(lines[n]) for n in known]


AUTO = """
import importlib.abc, json, sys

class NoneOfOurs(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"thaitok", "corpora", "pretrain", "finetune"}:
            raise ImportError(name)

sys.meta_path.insert(0, NoneOfOurs())
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
texts = json.load(sys.stdin)
print(json.dumps({
    "ids": tokenizer(texts, add_special_tokens=False)["input_ids"],
    "decoded": tokenizer.batch_decode(tokenizer(texts)["input_ids"], skip_special_tokens=True),
    "one": tokenizer("ก <mask> ข")["input_ids"],
    "special": [tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id,
                tokenizer.unk_token_id, tokenizer.mask_token_id],
    "most": tokenizer.model_max_length,
}))
"""


@pytest.mark.parametrize("model_type", [None, "roberta", "camembert", "modernbert"])
def test_promise_9_plain_auto_tokenizer_gives_the_same_ids(
    tokenizer: Path, tmp_path: Path, model_type: str | None
) -> None:
    for name in TOKENIZER_FILES:
        (tmp_path / name).write_bytes((tokenizer / name).read_bytes())
    if model_type:  # a model's config must not make AutoTokenizer rebuild the tokenizer
        (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    done = subprocess.run(
        [sys.executable, "-c", AUTO, str(tmp_path)],
        input=json.dumps(AWKWARD),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    by_model, by_json = both(tokenizer, list(AWKWARD))
    assert found["ids"] == by_json == by_model
    assert found["special"] == [0, 1, 2, 3, 4]
    assert found["most"] == 512
    space = load_tokenizer(tokenizer).token_to_id(SPACE_TOKEN)
    assert found["one"][2:5] == [space, 4, space], "a mask takes no stray space"
    for ids, text, decoded in zip(by_json, AWKWARD, found["decoded"], strict=True):
        if 3 not in ids:
            assert decoded == normalize(text)
