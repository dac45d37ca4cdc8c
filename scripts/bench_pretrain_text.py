"""How large bench_pretrain.py trains, and on what: text as shards and as run_mlm.py's rows."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
Row: TypeAlias = dict[str, Any]
LONG = 1_000_000
"""More steps than are made: a run ends when it has been timed."""
DOCUMENTS = ((0, 0.05, 0.25, 0.5, 0.75, 0.95, 1), (60, 157, 333, 512, 729, 1345, 4000))
PARAGRAPHS = ((0, 0.5, 0.95, 0.998, 1), (3, 30, 188, 414, 1500))
"""Quantiles of the lengths of government news in tokens, measured on thaigov_v2."""
EVERY = 12
"""Every how manieth document of thaigov_v2 is taken."""


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    model: tuple[int, int, int, int] = (12, 768, 12, 3072)
    """Layers, width, heads and inner width."""
    length: int = 416
    micro: int = 65_536
    pieces: tuple[int, int] = (25_005, 249_262)
    tokens: int = 20_000_000
    seconds: float = 10.0
    """Timed, of each turn of a variant."""
    check: int = 4_096
    """Places of a micro-batch that is checked."""

    def config(self, shards: Path, out: Path, **changes: Any) -> Row:
        """Return the settings of a run."""
        names = ("layers", "hidden", "heads", "intermediate")
        values = {
            "shards": str(shards), "out": str(out), "steps": LONG, "log_every": 5,
            "sequence_length": self.length, "micro_tokens": self.micro,
            "batch_tokens": 2 * changes.get("micro_tokens", self.micro),
            "eval_every": LONG, "save_every": LONG,
            "optim": {"learning_rate": 1e-4, "warmup_steps": 100},
        }  # fmt: skip
        model = {**dict(zip(names, self.model, strict=True)), **changes.pop("model", {})}
        return {**values, "model": model, **changes}


SMOKE = Size((2, 64, 2, 128), 64, 1024, (500, 900), 100_000, 1.0, 1024)


def synthetic(quantiles: Any, pieces: int, count: int) -> Any:
    """Return about `count` tokens of documents whose lengths have these quantiles."""
    from pretrain.data.plan import generator
    from pretrain.data.shards import Tokens, token_dtype

    draw = generator(1, pieces)
    lengths = np.exp(np.interp(draw.random(count // 20), quantiles[0], np.log(quantiles[1])))
    lengths = np.asarray(lengths, np.int64)[: int(np.searchsorted(np.cumsum(lengths), count))]
    size = int(lengths.sum())
    ids = 4 + np.exp(draw.random(size) * np.log(pieces - 5))  # as frequent as Zipf's law has it
    return Tokens(ids.astype(token_dtype(pieces)), np.ones(size, np.bool_), lengths)


def write_folder(out: Path, tokens: Any, pieces: int, tokenizer: Path) -> Path:
    """Write a shards folder."""
    from pretrain.data.shards import TOKENIZER_FOLDER, token_dtype, write_shards
    from thaitok.folder import TOKENIZER_FILES, stage_job

    tokens = tokens._replace(ids=tokens.ids.astype(token_dtype(pieces)))
    with stage_job(out, "shards", {}, ()) as job:
        if job.done:
            return out
        counts = write_shards(job.work, [tokens], 1 << 40, 3)
        (job.work / TOKENIZER_FOLDER).mkdir()
        for name in TOKENIZER_FILES:
            shutil.copyfile(tokenizer / name, job.work / TOKENIZER_FOLDER / name)
        job.finish({**counts, "pieces": pieces}, {})
    return out


def minimal_tokenizer(folder: Path, pieces: int) -> Path:
    """Write a tokenizer of `pieces` words, with the special tokens that training asks for."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    names = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    words = (*names.values(), *(f"w{number}" for number in range(len(names), pieces)))
    model = models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>")
    special: Any = {f"{name}_token": token for name, token in names.items()}
    kind: Any = PreTrainedTokenizerFast
    kind(tokenizer_object=Tokenizer(model), **special).save_pretrained(folder)
    (folder / "spm.model").write_bytes(b"")
    return folder


def real_text(data: Path, tokenizer: Path) -> dict[str, Any]:
    """Return tokens of real documents and of their paragraphs."""
    from bench_cleaning import documents

    from pretrain.data.shards import Tokens
    from thaitok.word_starts import PhraseEncoder

    encoder = PhraseEncoder(tokenizer)
    texts = documents(data / "text" / "thaigov_v2.jsonl.zst", EVERY)
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return {
        "documents": Tokens(*encoder.encode(texts)),
        "paragraphs": Tokens(*encoder.encode(lines)),
    }


def feeding(folder: Path, length: int, micro: int) -> dict[str, float]:
    """Return how full micro-batches are, and how fast one core builds them."""
    from pretrain.config import MaskConfig
    from pretrain.data.batch import Batches
    from pretrain.data.plan import cut_documents, make_plan, packing_efficiency
    from pretrain.data.shards import open_shards

    shards = open_shards(folder)
    lengths = shards.lengths
    spans = cut_documents(np.arange(len(lengths)), lengths, length - 2)
    plan = make_plan("stream", spans, micro, length, 1)
    batches = Batches(shards, plan, MaskConfig(), 1, 2, length)
    many = min(20, plan.epoch_micros(0))
    rates = []
    for _ in range(5):  # other programs only make it slower
        began = time.process_time()
        for number in range(many):
            batches.micro(number, 0)
        rates.append(many * micro / (time.process_time() - began))
    return {
        "rows_full": packing_efficiency(lengths, length, 32 * length, "rows"),
        "stream_full": packing_efficiency(lengths, length, micro, "stream"),
        "loader_tok_s": round(max(rates)),
        "share_at_550k": round(550_000 / max(rates), 5),
    }


class Examples:
    """A dataset of lists, as run_mlm.py's is: blocks of one stream, or a document each."""

    def __init__(self, shards: Any, length: int, *, lines: bool) -> None:
        from pretrain.data.plan import cut_documents

        special, lengths = shards.special, shards.lengths
        flat = np.concatenate(shards.tokens)
        if lines:
            spans = cut_documents(np.arange(len(lengths)), lengths, length - 2)
            self.begin = (np.cumsum(lengths) - lengths)[spans.document] + spans.start
            self.ids, self.lengths, self.ends = (flat, spans.length, (special.bos, special.eos))
            return
        end = np.cumsum(lengths + 2) - 1
        begin = end - lengths - 1
        self.ids = np.zeros(end[-1] + 1, flat.dtype)
        inner = np.ones(len(self.ids), np.bool_)
        inner[begin] = inner[end] = False
        self.ids[begin], self.ids[end], self.ids[inner] = special.bos, special.eos, flat
        self.begin = np.arange(len(self.ids) // length) * length
        self.lengths, self.ends = np.full(len(self.begin), length), ()

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, number: int) -> dict[str, list[int]]:
        begin = int(self.begin[number])
        ids = self.ids[begin : begin + int(self.lengths[number])].tolist()
        if self.ends:
            ids = [self.ends[0], *ids, self.ends[1]]
        return {"input_ids": ids, "attention_mask": [1] * len(ids)}
