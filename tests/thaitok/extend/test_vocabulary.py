"""Promise: a vocabulary changes in what it is told to, and is read only where it is whole."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaitok.errors import UserError
from thaitok.extend.pieces import best_cut, score_terms
from thaitok.extend.vocabulary import letters_of, read_vocabulary, words_in
from thaitok.tokenizer import load_tokenizer
from thaitok.trainer import TokenizerConfig, train_tokenizer


def test_the_lowest_score_stays_where_it_was(base: Path) -> None:
    whole = read_vocabulary(base)
    lowest, highest = whole.range
    least, *equal = [one for one in whole.normal if whole.scores[one] == lowest]
    old = whole.only([one for one in range(len(whole)) if one not in equal])
    bounded = old.with_scores({"zzzz": -99.0, "qqqq": 5.0})
    assert bounded.range == (lowest, highest)
    raised = old.with_scores({whole.pieces[least]: -5.0, "zzzz": -6.0})
    assert raised.scored["zzzz"] == lowest


def test_what_is_written_is_read_again(base: Path, tmp_path: Path) -> None:
    old = read_vocabulary(base)
    old.write(tmp_path)
    again = read_vocabulary(tmp_path)
    assert (again.pieces, again.scores, again.pipeline) == (old.pieces, old.scores, old.pipeline)
    assert load_tokenizer(tmp_path).to_str() == load_tokenizer(base).to_str()


def test_ids_in_every_corner_are_numbered_anew(base: Path) -> None:
    old = read_vocabulary(base)
    drop = {old.pieces.index(piece) for piece in ("<pad>", "ก")}
    kept = [one for one in range(len(old)) if one not in drop]
    added = [one for one in old.pipeline["added_tokens"] if one["content"] != "<pad>"]
    thinner = old.__class__(
        old.pieces, old.scores, {**old.pipeline, "added_tokens": added}, old.proto, old.config
    ).only(kept)
    tokenizer = thinner.tokenizer()
    ids = tokenizer.encode("กา").ids
    assert [tokenizer.id_to_token(one) for one in ids][::3] == ["<s>", "</s>"]
    assert ids[0] == thinner.pieces.index("<s>")
    assert ids[-1] == thinner.pieces.index("</s>")
    assert thinner.proto.trainer_spec.pad_id == -1
    assert thinner.proto.trainer_spec.unk_id == thinner.pieces.index("<unk>")


def test_bpe_has_no_scores_to_extend(corpus: Path, tmp_path: Path) -> None:
    config = TokenizerConfig(
        corpus=(corpus,), out=tmp_path / "bpe", vocab_size=200, mode="word", algorithm="bpe"
    )
    train_tokenizer(config)
    with pytest.raises(UserError, match="a BPE tokenizer"):
        read_vocabulary(tmp_path / "bpe")


@pytest.mark.parametrize("name", ["tokenizer.json", "spm.model", "tokenizer_config.json"])
def test_a_folder_that_lacks_a_file_is_refused(base: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(base, tmp_path / "t")
    (tmp_path / "t" / name).unlink()
    with pytest.raises(UserError, match=f"no {re.escape(name)} here"):
        read_vocabulary(tmp_path / "t")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such tokenizer folder"):
        read_vocabulary(tmp_path / "none")


def test_a_folder_of_two_vocabularies_is_refused(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "t")
    file = tmp_path / "t" / "tokenizer.json"
    pipeline = json.loads(file.read_text("utf-8"))
    pipeline["model"]["vocab"][200][0] = "another"
    file.write_text(json.dumps(pipeline), "utf-8")
    with pytest.raises(UserError, match="do not have the same pieces"):
        read_vocabulary(tmp_path / "t")
    file.write_text("{", "utf-8")
    with pytest.raises(UserError, match="is no tokenizer"):
        read_vocabulary(tmp_path / "t")


@given(st.text(st.sampled_from("abc?"), max_size=12))
@settings(max_examples=300)
def test_the_best_cut_has_the_highest_sum(text: str) -> None:
    scores = {"a": -1.0, "b": -1.5, "c": -2.25, "ab": -2.0, "bc": -3.0, "abc": -5.0, "aab": -3.125}

    def best(rest: str) -> float:
        if not rest:
            return 0.0
        ways = [
            scores[rest[:size]] + best(rest[size:]) for size in (1, 2, 3) if rest[:size] in scores
        ]
        return max(ways, default=-20.0 + best(rest[1:]))

    cut = best_cut(text, scores, -20.0)
    assert "".join(cut) == text
    assert sum(scores.get(piece, -20.0) for piece in cut) == best(text)


def test_a_longer_term_beats_the_shorter_ones_in_it(base: Path) -> None:
    old = read_vocabulary(base)
    terms = ["คลาวด์", "คลาวด์คอมพิวติ้ง"]
    new = old.with_scores(score_terms(terms, old))
    for term in terms:
        assert new.tokenizer().encode(term, add_special_tokens=False).tokens == [term]


def test_a_script_is_what_unicode_calls_it() -> None:
    latin = words_in("latin")
    assert latin.findall("กกcafé123Ünï▁word") == ["café", "Ünï", "▁word"]
    assert words_in("greek").findall("αβγ abc") == ["αβγ"]
    assert re.fullmatch(f"[{letters_of('hiragana')}]+", "ひらがな")
    assert not re.search(f"[{letters_of('latin')}]", "ก1_-<>αд漢")
