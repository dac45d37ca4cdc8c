"""What was an old folder loads with plain transformers, and its ids are SentencePiece's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pretrain.data.sharding import ShardConfig, shard_corpus
from pretrain.data.shards import open_shards
from thaitok.checks import check_tokenizer
from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.folder import TOKENIZER_FILES
from thaitok.rules import SPACE_TOKEN
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.wangchanberta import process_transformers
from thaitok.word_starts import PhraseEncoder

StandIn = Callable[..., Path]
LAYOUTS = ("wangchanberta", "phayathaibert", "camembert", "xlm-roberta", "wiki-spm")
SHIFTS: dict[str, Callable[[int], int]] = {
    "wangchanberta": lambda one: one + 4 if one else 3,
    "phayathaibert": lambda one: one + 4 if one else 3,
    "camembert": lambda one: one + 4 if one else 3,
    "xlm-roberta": lambda one: one + 1 if one else 3,
    "wiki-spm": lambda one: one,
}

TEXTS = st.lists(
    st.text("กขคมวำาํุ่้เแ 5aAbéÉ½\u00a0\u200b\n\t😀龘()\\&Σ\u0301", max_size=8)
    | st.sampled_from(["  ", "กกกก", "(ก)", "( ก )", "&lt;", "&amp;", "iPhone", "<b>", "\\n"]),
    max_size=6,
).map("".join)


def prepared(name: str, text: str) -> str:
    if name in ("wangchanberta", "phayathaibert"):
        return process_transformers([text])[0]
    if name == "wiki-spm":
        return text.replace("\u00a0", " ").replace(" ", SPACE_TOKEN)
    return text


@cache
def originals(folder: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))


@cache
def loaded(folder: Path) -> Tokenizer:
    return load_tokenizer(folder)


@pytest.mark.parametrize("name", LAYOUTS)
@given(text=TEXTS)
@settings(max_examples=80, deadline=None)
def test_ids_are_sentencepieces_of_the_prepared_text(
    stand_in: StandIn, converted: StandIn, name: str, text: str
) -> None:
    done = prepared(name, text)
    source, out = originals(stand_in(name)), loaded(converted(name))
    wanted = [SHIFTS[name](one) for one in source.encode(done)]
    found = out.encode(done, add_special_tokens=False).ids
    # Equal cuts in another order tie, and SentencePiece's floats round.
    assert found == wanted or sorted(found) == sorted(wanted), ascii(done)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_model_written_has_the_same_ids(
    stand_in: StandIn, converted: StandIn, name: str
) -> None:
    source, out = originals(stand_in(name)), converted(name)
    model = sentencepiece.SentencePieceProcessor(model_file=str(out / "spm.model"))
    fast = loaded(out)
    assert model.get_piece_size() == fast.get_vocab_size()
    for number in range(model.get_piece_size()):
        assert fast.token_to_id(model.id_to_piece(number)) == number
    for text in ("แมว iPhone", f"ก{SPACE_TOKEN}ข é½", "龘"):
        assert model.encode(text) == [SHIFTS[name](one) for one in source.encode(text)]
    assert (model.pad_id(), model.unk_id()) == (1, 3)


@pytest.mark.parametrize("name", LAYOUTS)
def test_raw_text_is_prepared_inside(stand_in: StandIn, converted: StandIn, name: str) -> None:
    source, out = originals(stand_in(name)), loaded(converted(name))
    for text in (
        " แมว  มากๆๆๆๆๆ (!) iPhone ",
        "( ก ) [] {!!} AT&amp;T 10000",
        "a\\b &lt;b&gt; <br />ก\nข",
        "ΣΟΦΟΣ \u00a0ก",
        "",
        "  ",
    ):
        wanted = [SHIFTS[name](one) for one in source.encode(prepared(name, text))]
        assert out.encode(text, add_special_tokens=False).ids == wanted, text


def test_added_tokens_keep_their_ids(converted: StandIn) -> None:
    fast = loaded(converted("phayathaibert"))
    assert fast.token_to_id("<ใหม่>") == 605
    assert fast.token_to_id("@@x") == 607
    found = fast.encode("ก<ใหม่>ข@@X")
    assert [one for one in found.ids if one > 604] == [605, 607]
    assert fast.get_vocab_size() == 608


def test_a_mask_takes_no_stray_prefix_and_decode_gives_spaces_back(converted: StandIn) -> None:
    fast = loaded(converted("wangchanberta"))
    found = fast.encode("  แมว <mask> แมว<mask>แมว ")
    assert found.tokens[0] == "<s>" and found.tokens[-1] == "</s>"
    assert "".join(found.tokens[1:-1]) == (f"▁แมว{SPACE_TOKEN}<mask>{SPACE_TOKEN}แมว<mask>แมว")
    assert fast.decode(found.ids) == "แมว  แมวแมว"
    assert fast.encode("<mask>แมว").tokens[1] == "<mask>"
    for name in ("camembert", "xlm-roberta"):
        found = loaded(converted(name)).encode("แมว <mask> แมว")
        assert "".join(found.tokens[1:-1]) == "▁แมว<mask>▁แมว"


AUTO = """
import json, sys
from transformers import AutoTokenizer
texts = json.load(sys.stdin)
found = []
for folder in sys.argv[1:3]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    special = [tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id,
               tokenizer.unk_token_id, tokenizer.mask_token_id]
    found.append({"ids": tokenizer(texts)["input_ids"], "special": special,
                  "most": tokenizer.model_max_length, "size": len(tokenizer)})
    tokenizer.save_pretrained(sys.argv[2])
print(json.dumps(found))
"""


def test_promise_9_auto_tokenizer_gives_the_same_ids_also_saved_again(
    converted: StandIn, tmp_path: Path
) -> None:
    out = converted("wangchanberta")
    again = tmp_path / "again"
    shutil.copytree(out, again)
    texts = ["  แมว <mask> ไทย", "มากกกก é½", ""]
    done = subprocess.run(
        [sys.executable, "-c", AUTO, str(out), str(again)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    for found in json.loads(done.stdout):
        assert found["ids"] == [loaded(out).encode(text).ids for text in texts]
        assert found["special"] == [5, 1, 6, 3, 604]
        assert (found["most"], found["size"]) == (510, 605)


def test_configs_are_mended(converted: StandIn) -> None:
    config = json.loads((converted("wangchanberta") / "config.json").read_text())
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (5, 6, 1)
    assert config["model_type"] == "camembert"
    assert not {"auto_map", "tokenizer_class"} & set(config)
    card = (converted("wangchanberta") / "README.md").read_text()
    assert "doubled words" in card and "\n## Limits" in card
    assert "no-break spaces, zero-width" not in card, "that is what ours do"
    assert "2101.09635" in card and "| sha256 of config.json | `" in card
    other = (converted("xlm-roberta") / "README.md").read_text()
    assert "## Citation" not in other, "no recipe of Thai was followed"
    assert check_tokenizer(converted("xlm-roberta"), TOKENIZER_FILES) == []


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_a_bare_model_keeps_its_ids_and_gets_what_is_missing(
    tmp_path: Path, algorithm: str
) -> None:
    source = tmp_path / "m.model"
    texts = [f"แมว นั่ง บน เสื่อ {one} abc กขค" for one in range(200)]
    with source.open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=stream,
            model_type=algorithm,
            vocab_size=60,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    manifest = convert_tokenizer(ConvertConfig(source=str(source), out=tmp_path / "out"))
    model = sentencepiece.SentencePieceProcessor(model_file=str(source))
    fast, size = load_tokenizer(tmp_path / "out"), model.get_piece_size()
    assert manifest.counts["pieces"] == size + 2
    assert (fast.token_to_id("<pad>"), fast.token_to_id("<mask>")) == (size, size + 1)
    for text in ("แมวนั่ง  abc 12", "ก龘ข", "", " é"):
        assert fast.encode(text, add_special_tokens=False).ids == model.encode(text)


def test_our_own_model_is_written_as_it_was(tokenizer: Path, tmp_path: Path) -> None:
    config = ConvertConfig(source=str(tokenizer / "spm.model"), out=tmp_path / "out")
    convert_tokenizer(config)
    for name in TOKENIZER_FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tokenizer / name).read_bytes()


def test_shards_of_a_converted_tokenizer_hold_tokenizer_jsons_ids(
    converted: StandIn, corpus_of: Callable[[Path, Iterable[str]], Path], tmp_path: Path
) -> None:
    texts = [" แมว iPhone มากกกกก\nก ข", "(ก) é½", "แมวแมว 10000", "วันนี้อากาศดีมาก ท้องฟ้า"]
    out, fast = converted("wangchanberta"), loaded(converted("wangchanberta"))
    corpus = corpus_of(tmp_path / "corpus", texts)
    shard_corpus(ShardConfig(corpus=(corpus,), tokenizer=out, out=tmp_path / "shards"))
    wanted = [fast.encode(text, add_special_tokens=False) for text in texts]
    shards = open_shards(tmp_path / "shards")
    assert [shards.document(number).tolist() for number in range(4)] == [one.ids for one in wanted]
    assert BulkEncoder(out).encode_many(texts) == [one.ids for one in wanted]
    ids, starts, _ = PhraseEncoder(out).encode([texts[3]])
    pieces = [fast.id_to_token(one) for one in ids]
    assert starts[0] and starts[pieces.index(SPACE_TOKEN)]
    assert starts[pieces.index(SPACE_TOKEN) + 1], "after a space a word begins"
    assert sum(starts) <= 7, "six words and a space, and no more"
