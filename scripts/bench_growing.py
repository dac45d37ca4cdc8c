"""Measure how a model grows with its vocabulary: scripts/bench_growing.py DATA_DIR --out DIR.

DATA_DIR holds text/NAME.jsonl.zst. A vocabulary of Thai news and posts is trained, and a small
model with it on these and on manuals full of English words; then the vocabulary gains 2,000 Latin
pieces and the model rows for them, in three ways. Each is evaluated on the same held-out rows
under the same masks: right after growing, and while its pretraining goes on with the same
settings. Each stage leaves a folder in DIR, and one that is finished there is taken as it is: a
tokenizer of your own may lie in DIR/tokenizer.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import zstandard
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from transformers import RobertaForMaskedLM

from corpora import CleanConfig, clean_corpus
from pretrain import PretrainConfig, ShardConfig, pretrain, shard_corpus
from pretrain.data.batch import Batch, Batches, split_documents
from pretrain.data.shards import open_shards
from pretrain.model.attention import same_document
from pretrain.model.start import load_start
from pretrain.training.checkpoint import WEIGHTS
from thaitok.config import load_config
from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.extend.config import Init
from thaitok.folder import MANIFEST, write_json, written
from thaitok.show import print_table
from thaitok.trainer import TokenizerConfig, train_tokenizer

NEWS_EVERY = 20
"""Every how manieth document of government news: 29 MB, a third of the mix."""

INITS: tuple[Init, ...] = ("random", "mean", "similar")
ADDED = 2000
STEPS, SAVED = 200, 50
"""Updates after growing, and between evaluations."""

ROWS = {"sequence_length": 128, "batch_tokens": 4096, "micro_tokens": 4096, "eval_share": 0.02,
        "eval_tokens": 32_768, "precision": "fp32"}  # fmt: skip
BASE = {
    "steps": 1300,
    "eval_every": 250,
    "save_every": 250,
    "model": {"layers": 2, "hidden": 128, "heads": 4, "intermediate": 512, "dropout": 0.0},
    "optim": {"learning_rate": 2e-3, "warmup_steps": 60},
}
FURTHER = {
    "steps": STEPS,
    "eval_every": STEPS,
    "save_every": SAVED,
    "keep": STEPS // SAVED,
    "log_every": 1,
    "optim": {"learning_rate": 3e-4, "warmup_steps": 10, "beta2": 0.99},
}
"""The preset `loanword`'s rate, with a warm-up as short as the run."""


def unless_done(stage: Callable[[Any], object], config: Any) -> Path:
    """Let a stage make its folder, unless one is there: what is finished is taken as it is."""
    out: Path = config.out
    if not (out / MANIFEST).is_file():
        stage(config)
    return out


def corpora(data: Path, out: Path) -> tuple[Path, Path]:
    """Return the corpora of Thai text and of manuals."""
    news = out / "thaigov.jsonl"
    if not news.exists():
        with (data / "thaigov_v2.jsonl.zst").open("rb") as raw, written(news) as stream:
            lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8")
            stream.writelines(itertools.islice(lines, 0, None, NEWS_EVERY))
    thai = (str(news), str(data / "social_open.jsonl.zst"))
    manuals = (str(data / "msdocs_th.jsonl.zst"),)
    return (
        unless_done(clean_corpus, CleanConfig(inputs=thai, out=out / "thai")),
        unless_done(clean_corpus, CleanConfig(inputs=manuals, out=out / "mixed")),
    )


def losses(folder: Path, held_out: Batches, count: int, old: int) -> tuple[float, float, float]:
    """Return the mean loss in nats at all masked places, at new pieces and at old ones."""
    model = load_start(folder).eval()
    total = torch.zeros(2, 2, dtype=torch.float64)
    for number in range(count):
        batch = held_out.micro(number, 0)
        each = place_losses(model, batch)
        for row, chosen in enumerate((batch.labels >= old, batch.labels < old)):
            total[row] += torch.stack([each[chosen].double().sum(), chosen.sum().double()])
    (new, new_places), (kept, kept_places) = total.tolist()
    return (new + kept) / (new_places + kept_places), new / new_places, kept / kept_places


@torch.no_grad()
def place_losses(model: RobertaForMaskedLM, batch: Batch) -> Tensor:
    """Return the cross-entropy (K,) at each masked place, as pretraining computes it."""
    mask = same_document(batch.documents)
    hidden = model.roberta(batch.input_ids, attention_mask=mask, position_ids=batch.position_ids)[0]
    logits = model.lm_head(hidden.flatten(0, 1)[batch.places])
    return functional.cross_entropy(logits, batch.labels, reduction="none")


def curve(run: Path, grown: Path, old: int) -> dict[int, tuple[float, float, float]]:
    """Return the losses of a run by step; 0 is right after growing."""
    config = load_config(PretrainConfig, run / "config.toml")
    shards = open_shards(config.shards)
    _, held_out, count = split_documents(config, shards, "rows", shards.special.pad + 1)
    found = {0: losses(grown, held_out, count, old)}
    with tempfile.TemporaryDirectory() as scratch:
        model = load_start(grown)
        for step in range(SAVED, STEPS + 1, SAVED):
            weights = load_file(run / "checkpoints" / f"step-{step}" / WEIGHTS)
            named = {name.removeprefix("model."): one for name, one in weights.items()}
            model.load_state_dict(named, strict=False)  # tied names are there once
            model.save_pretrained(scratch)
            found[step] = losses(Path(scratch), held_out, count, old)
    return found


def grow(
    out: Path, both: tuple[Path, ...], tokenizer: Path, model: Path, init: Init, old: int
) -> dict[int, tuple[float, float, float]]:
    """Grow the model one way, go on with it, and return its losses by step."""
    settings = ExtendConfig(
        tokenizer=tokenizer, corpus=both, add=ADDED, model=model, init=init,
        out=out / f"grown-{init}",
    )  # fmt: skip
    grown = unless_done(extend_tokenizer, settings)
    # The ids are the same whatever the rows are: one tokenisation serves all.
    shards = unless_done(
        shard_corpus, ShardConfig(corpus=both, tokenizer=grown, out=out / "grown-shards")
    )
    run = {"shards": shards, "start": grown, "out": out / f"run-{init}", **ROWS, **FURTHER}
    return curve(unless_done(pretrain, PretrainConfig.model_validate(run)), grown, old)


def bench(data: Path, out: Path) -> None:
    """Make what is not there yet, print the table and write it as JSON."""
    out.mkdir(parents=True, exist_ok=True)
    both = corpora(data, out)
    settings = TokenizerConfig(
        corpus=both[:1], vocab_size=25_000, profile="compact", out=out / "tokenizer"
    )
    tokenizer = unless_done(train_tokenizer, settings)
    shards = unless_done(
        shard_corpus, ShardConfig(corpus=both, tokenizer=tokenizer, out=out / "shards")
    )
    run = {"shards": shards, "out": out / "base", **ROWS, **BASE}
    base = unless_done(pretrain, PretrainConfig.model_validate(run)) / "model"
    old = open_shards(shards).pieces
    curves = {init: grow(out, both, tokenizer, base, init, old) for init in INITS}
    rows = [[step, *(x for i in INITS for x in curves[i][step][:2])] for step in curves["mean"]]
    columns = ("steps", *(f"{i}, {what}" for i in INITS for what in ("all", "new")))
    print_table("Held-out loss in nats, all masked tokens and those of new pieces", columns, rows)
    write_json(out / "growing.json", curves)


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    bench(arguments.data / "text", arguments.out)


if __name__ == "__main__":
    main()
