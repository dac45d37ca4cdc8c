"""Measure `thaitok convert` on real text: scripts/bench_convert.py DATA_DIR [--work DIR].

The real checkpoints are not needed: stand-ins of their exact layout are made from DATA_DIR
(text/NAME.jsonl.zst), with SentencePiece models trained as the originals were and small models
of random weights, under the file names of the Hub folders. Each is converted, loaded by plain
AutoTokenizer, and its ids are compared with SentencePiece's on lines that were not trained on:
those prepared beforehand as for the original, and raw ones. `ties` are differing lines whose
pieces are the same in another order: equal sums of scores, which SentencePiece's 32-bit floats
tell apart by rounding.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sentencepiece
import zstandard

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.rules import SPACE_TOKEN
from thaitok.show import print_table
from thaitok.wangchanberta import process_transformers

SETS = {"thaigov_v2": 15_000, "social_open": 20_000, "msdocs_th": 15_000}
"""Lines of each set to test on."""
TRAINED = 2
"""As many more to train on."""


def lines_of(file: Path, first: int) -> Iterator[str]:
    """Yield the lines of every other document, from the first or the second on."""
    with file.open("rb") as raw:
        stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8")
        for row in islice(stream, first, None, 2):
            yield from filter(None, json.loads(row)["text"].split("\n"))


def mark(texts: Sequence[str]) -> list[str]:
    """Prepare lines as for the models of Wikipedia."""
    return [text.replace("\u00a0", " ").replace(" ", SPACE_TOKEN) for text in texts]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A folder of the past: how its pieces were trained and what is in it."""

    prepare: Callable[[Sequence[str]], list[str]]
    pieces: int
    model_type: str
    tokenizer_class: str
    options: dict[str, Any]
    shift: Callable[[int], int]
    """From SentencePiece's ids to the model's."""
    extra: int
    """Rows of the model beyond SentencePiece's pieces."""
    added: tuple[str, ...] = ()


SPACES = {"user_defined_symbols": [SPACE_TOKEN]}
WIKI = {
    "user_defined_symbols": ["<mask>", SPACE_TOKEN],
    **{"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "add_dummy_prefix": False},
    **{"max_sentencepiece_length": 10, "character_coverage": 0.9998},
}
STAND_INS = {
    "wangchanberta": StandIn(
        process_transformers, 16_000, "camembert", "CamembertTokenizer", SPACES,
        lambda one: one + 4 if one else 3, 5,
    ),
    "phayathaibert": StandIn(
        process_transformers, 16_000, "camembert", "CamembertTokenizer", SPACES,
        lambda one: one + 4 if one else 3, 5, tuple(f"<added{one}>" for one in range(600)),
    ),
    "wiki-spm": StandIn(mark, 12_000, "roberta", "ThaiRobertaTokenizer", WIKI, lambda one: one, 0),
    "xlm-roberta": StandIn(
        list, 16_000, "xlm-roberta", "XLMRobertaTokenizer", {}, lambda one: one + 1 if one else 3, 2
    ),
}  # fmt: skip


def make(folder: Path, stand_in: StandIn, trained: Path) -> None:
    """Write the folder as the Hub has it."""
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    for left in (folder, folder.with_name(f"{folder.name}-out")):
        shutil.rmtree(left, ignore_errors=True)  # of a run before
    folder.mkdir()
    shutil.copyfile(trained, folder / "sentencepiece.bpe.model")
    size = stand_in.pieces + stand_in.extra
    added = {token: size + number for number, token in enumerate(stand_in.added)}
    if added:
        (folder / "added_tokens.json").write_text(json.dumps(added))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": stand_in.tokenizer_class})
    )
    config = AutoConfig.for_model(
        stand_in.model_type, vocab_size=size + len(added), hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=512, pad_token_id=1,
        architectures=["ForMaskedLM"], bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    config.save_pretrained(folder)
    torch.save(AutoModelForMaskedLM.from_config(config).state_dict(), folder / "pytorch_model.bin")


def train(stand_in: StandIn, lines: Sequence[str], file: Path) -> None:
    """Train SentencePiece as the original was, with its default normalizer."""
    with file.open("wb") as stream:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(stand_in.prepare(lines)),
            model_writer=stream,
            vocab_size=stand_in.pieces,
            max_sentence_length=10_000,
            minloglevel=2,
            **stand_in.options,
        )


def differing(folder: Path, texts: Sequence[str], wanted: Sequence[list[int]]) -> tuple[int, int]:
    """Return how many lines have other ids than wanted, and how many of them are ties."""
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(folder)(list(texts), add_special_tokens=False)
    pairs = zip(found["input_ids"], wanted, strict=True)
    other = [(ids, right) for ids, right in pairs if ids != right]
    return len(other), sum(sorted(ids) == sorted(right) for ids, right in other)


def measure(name: str, work: Path, lines: Sequence[str]) -> tuple[str, ...]:
    """Convert a stand-in and compare its ids."""
    stand_in = STAND_INS[name]
    model = sentencepiece.SentencePieceProcessor(
        model_file=str(work / name / "sentencepiece.bpe.model")
    )
    start = time.perf_counter()
    convert_tokenizer(ConvertConfig(source=str(work / name), out=work / f"{name}-out"))
    took = time.perf_counter() - start
    prepared = stand_in.prepare(lines)
    wanted = [list(map(stand_in.shift, ids)) for ids in model.encode(prepared, num_threads=1)]
    before = differing(work / f"{name}-out", prepared, wanted)
    start = time.perf_counter()
    raw = differing(work / f"{name}-out", lines, wanted)
    speed = sum(len(line.encode()) for line in lines) / 1e6 / (time.perf_counter() - start)
    counts = (f"{len(lines):,}", *(f"{number:,}" for pair in (before, raw) for number in pair))
    return (name, f"{stand_in.pieces:,}", *counts, f"{took:.1f}", f"{speed:.2f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, help="keep the stand-ins there")
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        files = {name: given.data / "text" / f"{name}.jsonl.zst" for name in SETS}
        trained = [
            line
            for name, count in SETS.items()
            for line in islice(lines_of(files[name], 0), TRAINED * count)
        ]
        tested = [
            line for name, count in SETS.items() for line in islice(lines_of(files[name], 1), count)
        ]
        megabytes = sum(len(line.encode()) for line in trained) / 1e6
        print(f"trained on {megabytes:.1f} MB, tested on {len(tested):,} other lines")
        models: dict[str, Path] = {}
        rows = []
        for name, stand_in in STAND_INS.items():
            same = models.setdefault(f"{stand_in.prepare}{stand_in.options}", work / f"{name}.spm")
            if not same.exists():
                train(stand_in, trained, same)
            make(work / name, stand_in, same)
            rows.append(measure(name, work, tested))
        print_table(
            "differing lines: of prepared text, of raw text",
            ("layout", "pieces", "lines", "prepared", "ties", "raw", "ties", "convert s", "MB/s"),
            rows,
        )


if __name__ == "__main__":
    main()
