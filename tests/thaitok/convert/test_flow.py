"""Promise: README's commands bring an old model to new words, and plain transformers loads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer, pipeline

from thaitok.cli import main

SMALL = (
    "steps=2",
    "batch_tokens=64",
    "micro_tokens=64",
    "sequence_length=32",
    "optim.warmup_steps=1",
)
WORDS = ("marketplace", "notebook", "bookmark", "marketing", "webinar", "webmaster")


def test_an_old_model_learns_new_words(
    stand_in: Callable[[str], Path],
    corpus_of: Callable[[Path, Iterable[str]], Path],
    tmp_path: Path,
) -> None:
    old = tmp_path / "hub"
    shutil.copytree(stand_in("wangchanberta"), old)
    settings = json.loads((old / "config.json").read_text())
    for name in ("auto_map", "tokenizer_class"):
        del settings[name]
    settings["architectures"] = ["CamembertForMaskedLM"]
    (old / "config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(old))
    torch.save(model.state_dict(), old / "pytorch_model.bin")
    texts = [f"ขายของใน {one} และ {two} {n}" for n in range(9) for one in WORDS for two in WORDS]
    corpus = str(corpus_of(tmp_path / "corpus", texts))

    def run(*words: str) -> None:
        assert main([*words]) == 0

    converted, grown, shards = (str(tmp_path / one) for one in ("converted", "grown", "shards"))
    run("convert", str(old), "--out", converted)
    run("extend", converted, corpus, "--add", "12", "--model", converted, "--out", grown)
    run("shard", corpus, "--tokenizer", grown, "--out", shards)
    sets = [word for one in SMALL for word in ("--set", one)]
    out = str(tmp_path / "run")
    run(
        "pretrain",
        "--config",
        "loanword",
        "--start",
        grown,
        "--shards",
        shards,
        "--out",
        out,
        *sets,
    )

    final = tmp_path / "run" / "model"
    tokenizer = AutoTokenizer.from_pretrained(final)
    assert len(tokenizer) == 617
    assert "marketplace" in tokenizer.tokenize("ขายของใน Marketplace")
    assert tokenizer.model_max_length == 510
    rows = AutoModelForMaskedLM.from_pretrained(final).get_input_embeddings().weight
    kept = model.get_input_embeddings().weight
    # The layers' turn never came in so few steps, and old rows come last.
    assert torch.equal(rows[:605], kept)
    assert rows.shape[0] == 617
    assert len(pipeline("fill-mask", model=str(final))("ขายของใน <mask>")) == 5
