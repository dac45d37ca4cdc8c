"""Promise: what is dropped is not missed: other text keeps its tokens, and a model its logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, RobertaConfig, RobertaForMaskedLM

from thaitok.errors import UserError
from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.extend.vocabulary import read_vocabulary
from thaitok.folder import read_manifest
from thaitok.tokenizer import BulkEncoder, load_tokenizer


@pytest.fixture(scope="module")
def lines(sentences: Callable[[int, int, float], list[str]]) -> list[str]:
    return sentences(150, 2, 0.0)


@pytest.fixture(scope="module")
def thai(
    lines: list[str], write_corpus: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("thai") / "corpus"
    return write_corpus(out, (("web", line) for line in lines))


@pytest.fixture(scope="module")
def pruned(extended: Path, thai: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pruned")
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = RobertaConfig(
        vocab_size=460, intermediate_size=32, bos_token_id=0, pad_token_id=1, eos_token_id=2, **size
    )
    RobertaForMaskedLM(config).save_pretrained(folder / "model")
    out = folder / "small"
    config_ = ExtendConfig(tokenizer=extended, prune=(thai,), out=out, model=folder / "model")
    extend_tokenizer(config_)
    return out


def test_text_that_uses_kept_pieces_has_the_same_tokens(
    extended: Path, pruned: Path, lines: list[str]
) -> None:
    old, new = load_tokenizer(extended), load_tokenizer(pruned)
    assert new.get_vocab_size() < old.get_vocab_size() - 50
    for line in lines:
        assert new.encode(line).tokens == old.encode(line).tokens
        assert BulkEncoder(pruned).encode(line) == new.encode(line, add_special_tokens=False).ids
        assert new.decode(new.encode(line).ids) == line


def test_pieces_are_numbered_anew_in_their_order(extended: Path, pruned: Path) -> None:
    old, new = read_vocabulary(extended), read_vocabulary(pruned)
    ids = [old.pieces.index(piece) for piece in new.pieces]
    assert ids == sorted(ids)
    assert [new.scores[one] for one in new.normal] == [old.scores[ids[one]] for one in new.normal]
    assert new.range[0] == old.range[0]
    fast = load_tokenizer(pruned)
    for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>"):
        assert fast.token_to_id(token) == new.pieces.index(token)
    counts = read_manifest(pruned, "tokenizer").counts
    assert (counts["added"], counts["dropped"]) == (0, len(old) - len(new))


def test_letters_of_thai_and_ascii_stay_known(pruned: Path) -> None:
    fast = load_tokenizer(pruned)
    unknown = fast.token_to_id("<unk>")
    assert unknown not in fast.encode("Zebra quick").ids


def test_a_model_keeps_its_logits(extended: Path, pruned: Path, lines: list[str]) -> None:
    whole = AutoModelForMaskedLM.from_pretrained(pruned.parent / "model").eval()
    small = AutoModelForMaskedLM.from_pretrained(pruned).eval()
    before, after = (AutoTokenizer.from_pretrained(one) for one in (extended, pruned))
    assert small.config.vocab_size == len(after) == small.lm_head.bias.shape[0]
    assert small.config.pad_token_id == after.pad_token_id
    kept = [before.convert_tokens_to_ids(one) for one in read_vocabulary(pruned).pieces]
    for line in lines[:8]:
        with torch.no_grad():
            old = whole(**before(line, return_tensors="pt")).logits[0][:, kept]
            new = small(**after(line, return_tensors="pt")).logits[0]
        torch.testing.assert_close(new, old)
        # The softmax runs over fewer pieces, so each right answer can only gain.
        ids = after(line, return_tensors="pt").input_ids[0]
        loss = torch.nn.functional.cross_entropy(new, ids)
        assert loss <= torch.nn.functional.cross_entropy(old, ids) + 1e-6


def test_keep_gives_that_many_pieces(extended: Path, thai: Path, tmp_path: Path) -> None:
    config = ExtendConfig(tokenizer=extended, prune=(thai,), keep=380, out=tmp_path / "t")
    extend_tokenizer(config)
    assert len(read_vocabulary(tmp_path / "t")) == 380


@pytest.mark.parametrize(
    ("keep", "message"),
    [(460, "the tokenizer has 460 pieces"), (20, "must stay; give --keep")],
)
def test_a_size_that_cannot_be_is_refused(
    extended: Path, thai: Path, tmp_path: Path, keep: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        extend_tokenizer(
            ExtendConfig(tokenizer=extended, prune=(thai,), keep=keep, out=tmp_path / "t")
        )
    assert not (tmp_path / "t").exists()


def test_the_lowest_score_stays_though_nothing_uses_its_piece(
    extended: Path, thai: Path, tmp_path: Path
) -> None:
    whole = read_vocabulary(extended).with_scores({"zzzzzz": -5.0})
    lowest = whole.range[0] - 1
    (tmp_path / "t").mkdir()
    replace(whole, scores=(*whole.scores[:-1], lowest)).write(tmp_path / "t")
    config = ExtendConfig(tokenizer=tmp_path / "t", prune=(thai,), out=tmp_path / "small")
    extend_tokenizer(config)
    assert read_vocabulary(tmp_path / "small").range[0] == lowest
