"""The verbs of `thaitok` that make, use and measure tokenizers."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from thaitok.console import ConfigFile, Json, Out, Set, lines_of, name_of_lines, print_counts
from thaitok.errors import UserError

# Libraries are imported inside the verbs, as in cli.py.

log = logging.getLogger(__name__)


def train(
    corpus: Annotated[list[Path] | None, typer.Argument(help="Corpus folders.")] = None,
    out: Out = None,
    vocab_size: Annotated[int | None, typer.Option(help="Pieces.")] = None,
    mode: Annotated[str | None, typer.Option(help="mixed, word, phrase or line.")] = None,
    profile: Annotated[str | None, typer.Option(help="compact, balanced or spans.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file, or a preset's name.")] = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Train a tokenizer for plain AutoTokenizer. Presets: default-32k, wangchanberta-25k, demo."""
    from thaitok.config import load_config, preset_path
    from thaitok.trainer.config import PRESETS, TokenizerConfig
    from thaitok.trainer.train import train_tokenizer

    flags = {"corpus": corpus, "out": out, "vocab_size": vocab_size, "mode": mode}
    file = preset_path(config, PRESETS) if config else None
    settings = load_config(TokenizerConfig, file, set_ or (), **flags, profile=profile)
    manifest = train_tokenizer(settings)
    print_counts("tokenizer", settings.out, manifest.counts, as_json)


def extend(
    tokenizer: Annotated[Path | None, typer.Argument(help="A unigram tokenizer folder.")] = None,
    corpus: Annotated[list[Path] | None, typer.Argument(help="Corpus folders.")] = None,
    out: Out = None,
    add: Annotated[int | None, typer.Option(help="Pieces to add for the corpus's words.")] = None,
    words: Annotated[Path | None, typer.Option(help="Terms to add, a line each.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Take another tokenizer's pieces only.")
    ] = None,
    script: Annotated[str | None, typer.Option(help="Whose words count; latin.")] = None,
    prune: Annotated[
        list[Path] | None, typer.Option(help="Drop pieces that this corpus does not use.")
    ] = None,
    keep: Annotated[int | None, typer.Option(help="Pieces left by --prune.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model folder to change with it.")] = None,
    init: Annotated[str | None, typer.Option(help="New rows: mean, similar or random.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what sizes bring; write none.")
    ] = False,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Add loanwords or terms to a tokenizer, or drop unused pieces; a model changes with it."""
    from thaitok.config import load_config
    from thaitok.extend import ExtendConfig, extend_tokenizer

    flags = {
        "tokenizer": tokenizer,
        "corpus": corpus or None,
        "out": out,
        "add": add,
        "words": words,
        "source": source,
        "script": script,
        "prune": prune or None,
        "keep": keep,
        "model": model,
        "init": init,
    }
    settings = load_config(ExtendConfig, config, set_ or (), **flags)
    if not plan:
        manifest = extend_tokenizer(settings)
        print_counts("tokenizer", settings.out or Path(), manifest.counts, as_json)
        return
    from thaitok.extend.plan import plan_extension, plan_table
    from thaitok.show import print_table

    found = plan_extension(settings)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
    else:
        print_table(f"{settings.tokenizer} with more pieces", *plan_table(found))


def convert(
    source: Annotated[
        str, typer.Argument(help="A SentencePiece model, an old folder, or a Hub name.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    as_json: Json = False,
) -> None:
    """Make an old tokenizer and model load with plain transformers, ids as in its training."""
    from thaitok.convert import ConvertConfig, convert_tokenizer

    manifest = convert_tokenizer(ConvertConfig(source=source, out=out))
    print_counts("tokenizer", out, manifest.counts, as_json)


def encode(
    tokenizer: Annotated[Path, typer.Argument(help="A tokenizer or model folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="Text, a line each; - or none is stdin.")
    ] = None,
    pieces: Annotated[bool, typer.Option("--pieces", help="Pieces and not ids.")] = False,
    offsets: Annotated[
        bool, typer.Option("--offsets", help="Piece, start and end in characters of the line.")
    ] = False,
    special_tokens: Annotated[
        bool,
        typer.Option("--special-tokens", help="Put <s> and </s> around; a <mask> is no text."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn lines of text into lines of ids, pieces or offsets."""
    from thaitok.tokenizer import encode_lines, load_tokenizer

    if pieces + offsets + as_json > 1:
        raise UserError("give one of --pieces, --offsets and --json; --json holds them all")
    for line in encode_lines(load_tokenizer(tokenizer), lines_of(file), special_tokens):
        if as_json:
            print(json.dumps(asdict(line), ensure_ascii=False))
        elif offsets:
            spans = zip(line.pieces, line.offsets, strict=True)
            print(" ".join(f"{piece}:{start}:{end}" for piece, (start, end) in spans))
        else:
            print(*(line.pieces if pieces else line.ids))


def decode(
    tokenizer: Annotated[Path, typer.Argument(help="A tokenizer or model folder.")],
    file: Annotated[Path | None, typer.Argument(help="Lines of ids; - or none is stdin.")] = None,
    as_json: Json = False,
) -> None:
    """Turn lines of ids back into text."""
    from thaitok.tokenizer import decode_lines, load_tokenizer

    for text in decode_lines(load_tokenizer(tokenizer), lines_of(file), name_of_lines(file)):
        print(json.dumps({"text": text}, ensure_ascii=False) if as_json else text)


def compare(
    tokenizers: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, Hub names, .json, .model or .tiktoken files."),
    ] = None,
    text: Annotated[
        list[Path] | None, typer.Option(help="Text to measure on: txt, jsonl, a corpus folder.")
    ] = None,
    gold: Annotated[
        list[Path] | None, typer.Option(help="Gold words, entities or answers: jsonl.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Most documents of a domain.")] = None,
    sentence: Annotated[list[str] | None, typer.Option(help="A sentence to show cut.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for a page and JSON.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Measure tokenizers side by side: tokens, bits, boundaries crossed, round trip, speed."""
    from thaitok.compare.run import CompareConfig
    from thaitok.compare.run import compare as run
    from thaitok.compare.tables import cut_table, terminal_tables
    from thaitok.config import load_config
    from thaitok.show import print_table

    flags = {
        "tokenizers": tokenizers,
        "text": text,
        "gold": gold,
        "limit": limit,
        "sentences": sentence,
        "out": out,
    }
    settings = load_config(CompareConfig, config, set_ or (), **flags)
    comparison = run(settings)
    if as_json:
        print(json.dumps(comparison.model_dump(mode="json"), ensure_ascii=False))
        return
    for table in [*terminal_tables(comparison), *(cut_table(comparison) if sentence else ())]:
        print_table(table.title, table.columns, table.rows)
    if settings.out:
        log.info("the report is %s", settings.out / "report.html")


VERBS = (train, extend, convert, encode, decode, compare)
"""In the order of `thaitok --help`."""
