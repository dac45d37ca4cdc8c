"""Promise: where a folder says itself which id a piece has, that is the id."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.errors import UserError
from thaitok.tokenizer_json import CONFIG_FILE

StandIn = Callable[..., Path]
MODEL = "sentencepiece.bpe.model"
OLD = 604
"""The id of `<mask>` before the vocabulary grew: SentencePiece's next, as all ids are shifted."""


@pytest.fixture
def grown(stand_in: StandIn, tmp_path: Path) -> Path:
    """Return a WangchanBERTa that gained pieces after its mask, as PhayaThaiBERT's ids go on."""
    folder = tmp_path / "grown"
    shutil.copytree(stand_in("wangchanberta"), folder)
    proto = sentencepiece_model_pb2.ModelProto.FromString((folder / MODEL).read_bytes())  # type: ignore[attr-defined]
    proto.pieces.add(piece="<mask>", score=-20.0)
    proto.pieces.add(piece="hello", score=-5.0)
    (folder / MODEL).write_bytes(proto.SerializeToString())
    set_rows(folder, 606)
    return folder


def set_rows(folder: Path, rows: int) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": rows}))


def convert(folder: Path) -> Tokenizer:
    convert_tokenizer(ConvertConfig(source=str(folder), out=folder.parent / "out"))
    return Tokenizer.from_file(str(folder.parent / "out" / "tokenizer.json"))


def test_added_tokens_say_which_of_two_masks_it_is(grown: Path) -> None:
    (grown / "added_tokens.json").write_text(json.dumps({"<mask>": OLD}))
    fast = convert(grown)
    assert (fast.token_to_id("<mask>"), fast.token_to_id("hello")) == (OLD, OLD + 1)
    assert fast.get_vocab_size() == 606
    assert fast.encode("ก<mask>hello", add_special_tokens=False).ids[-2:] == [OLD, OLD + 1]
    assert json.loads((grown.parent / "out" / CONFIG_FILE).read_text())["mask_token"] == "<mask>"


def test_the_last_mask_counts_where_nothing_is_said(grown: Path) -> None:
    set_rows(grown, 607)
    fast = convert(grown)
    assert fast.token_to_id("<mask>") == OLD + 2
    assert fast.encode("<mask>", add_special_tokens=False).ids == [OLD + 2]
    assert fast.get_vocab_size() == 607


def table(folder: Path) -> dict[str, object]:
    """Return a tokenizer.json's vocabulary in which two pieces of the layout changed places."""
    proto = sentencepiece_model_pb2.ModelProto.FromString((folder / MODEL).read_bytes())  # type: ignore[attr-defined]
    texts = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED"]
    texts += [one.piece for one in proto.pieces[1:]]
    texts[100], texts[101] = texts[101], texts[100]
    vocab = [[text, 0.0] for text in texts]
    added = [{"content": "<mask>", "id": OLD}, {"content": "[new]", "id": 606}]
    return {"model": {"type": "Unigram", "vocab": vocab}, "added_tokens": added}


def test_ids_of_the_folders_own_tokenizer_json_count(grown: Path) -> None:
    pipeline = table(grown)
    (grown / "tokenizer.json").write_text(json.dumps(pipeline))
    set_rows(grown, 607)
    fast = convert(grown)
    names = [text for text, _ in pipeline["model"]["vocab"]]  # type: ignore[index]
    assert [fast.token_to_id(name) for name in names[5:]] == list(range(5, 606))
    assert fast.token_to_id("[new]") == 606
    assert fast.encode("<mask>", add_special_tokens=False).ids == [OLD]


def test_a_tokenizer_json_of_another_tokenizer_is_refused(grown: Path) -> None:
    pipeline = table(grown)
    pipeline["model"]["vocab"].pop()  # type: ignore[index]
    (grown / "tokenizer.json").write_text(json.dumps(pipeline))
    with pytest.raises(UserError, match=r"tokenizer\.json has no 'hello'"):
        convert(grown)


def test_what_is_converted_or_ours_is_not_converted_again(
    converted: StandIn, tokenizer: Path, tmp_path: Path
) -> None:
    for folder in (converted("wangchanberta"), tokenizer):
        with pytest.raises(UserError, match="is a tokenizer folder of thaitok already"):
            convert_tokenizer(ConvertConfig(source=str(folder), out=tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_our_model_keeps_its_rules_beside_a_config(tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copyfile(tokenizer / "spm.model", folder / "spm.model")
    pieces = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).get_vocab_size()
    settings = {"model_type": "roberta", "vocab_size": pieces, "max_position_embeddings": 130}
    (folder / "config.json").write_text(json.dumps({**settings, "pad_token_id": 1}))
    assert "".join(convert(folder).encode("เเก\u200bก").tokens[1:-1]) == "แกก"
    assert json.loads((tmp_path / "out" / CONFIG_FILE).read_text())["model_max_length"] == 128
