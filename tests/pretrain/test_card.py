"""The card of a pretrained model hands on what its corpus was made of."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from transformers import RobertaConfig

from pretrain.card import write_model_card
from pretrain.config import PretrainConfig
from pretrain.data.shards import open_shards
from thaitok.card import CORPORA, provenance, read_corpora
from thaitok.folder import file_facts, read_manifest

ConfigOf = Callable[..., PretrainConfig]
STATE: dict[str, Any] = {
    "parameters": 1234, "step": 12, "tokens": 3000,
    "evaluation": {"eval_loss": 5.5, "eval_accuracy": 0.25, "eval_bits": 2.0},
}  # fmt: skip


def card(config: PretrainConfig, folder: Path) -> ModelCard:
    write_model_card(folder, config, open_shards(config.shards), RobertaConfig(), STATE)
    return ModelCard.load(folder / "README.md", ignore_metadata_errors=False)


def test_shards_keep_what_their_corpora_were_made_of(shards: Path, corpus: Path) -> None:
    (kept,) = read_corpora(shards)
    assert [kept] == provenance([corpus])
    assert kept.kept == read_manifest(corpus, "corpus").counts["kept"]
    assert kept.sha256 == file_facts(corpus / "manifest.json").sha256
    assert CORPORA in {facts.name for facts in read_manifest(shards, "shards").files}


def test_the_card_tells_corpus_procedure_and_held_out_loss(
    config_of: ConfigOf, tmp_path: Path, corpus: Path
) -> None:
    found = card(config_of(tmp_path / "run"), tmp_path)
    sha256 = file_facts(corpus / "manifest.json").sha256
    assert "300 documents, " in found.text and " tokens of cleaned text" in found.text
    assert f"`{sha256[:12]}`" in found.text
    assert "| Steps | 12 of 256 tokens (3,000 tokens in all)" in found.text
    assert "25.0% of the masked tokens right, 2.000 bits a character" in found.text
    assert found.data.pipeline_tag == "fill-mask" and found.data.datasets is None
    assert "transformers" in found.text.partition("## Environment")[2]


def test_shards_without_a_record_tell_their_size(
    config_of: ConfigOf, tmp_path: Path, shards: Path
) -> None:
    old = shutil.copytree(shards, tmp_path / "old")
    (old / CORPORA).rename(tmp_path / "record")
    manifest = read_manifest(shards, "shards")
    files = tuple(facts for facts in manifest.files if facts.name != CORPORA)
    (old / "manifest.json").write_text(
        manifest.model_copy(update={"files": files}).model_dump_json(), encoding="utf-8"
    )
    text = card(config_of(tmp_path / "run", shards=old), tmp_path).text
    assert "## Training data\n\n300 documents, " in text and "cleaned text" not in text
