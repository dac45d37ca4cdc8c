"""Benchmark items that a corpus must not hold: where they lie, and what text they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from corpora.lines import BrokenFileError, Packing, read_chunks, read_lines
from thaitok.config import Config
from thaitok.errors import UserError

SUFFIXES: dict[str, Packing] = {".jsonl": "", ".jsonl.gz": "gz", ".jsonl.zst": "zst"}
MAX_ITEM_BYTES = 16_000_000
TEXTS = (
    *("text", "texts", "sentence", "sentence1", "sentence2", "context", "passage", "question"),
    *("premise", "hypothesis", "choice1", "choice2", "choices", "document", "article", "body"),
    *("body_text", "content", "comment", "review", "review_body", "query", "summary"),
)
"""Fields whose text is a task's text, as the Hub's Thai benchmarks name them; not its labels,
answers (a date, a name) or ids."""
TITLES = ("title", "headline")
"""Fields that are looked for where an item has none of `TEXTS` but these, since every page
about a person has the title of the item about that person."""
TOKENS = ("tokens", "words")
"""Fields of words, joined without spaces: white space is not compared."""


class DecontaminationConfig(Config):
    """Which benchmarks' items to look for, and what counts as found."""

    benchmarks: tuple[str, ...] = ()
    """Folders with validation.jsonl and test.jsonl (plain, .gz or .zst), each named as its
    benchmark; folders of such folders; or single files."""
    splits: Annotated[tuple[str, ...], Field(min_length=1)] = ("validation", "test")
    """Which files of a folder are read."""
    gram_chars: Annotated[int, Field(ge=16, le=256)] = 40
    """Length of the character n-grams, in letters, marks and digits alone: 8 to 10 Thai words.

    With 30, names of offices already look like the questions about them."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Least share of a text's n-grams that stand in a document which holds the text.

    PaLM's share (arXiv 2204.02311). From 0.5 to 0.7 news of the same event come in as well."""
    min_chars: Annotated[int, Field(ge=4)] = 15
    """Shortest text looked for; one below `gram_chars` + 15 must be a whole line or document."""
    action: Literal["drop", "cut"] = "drop"
    """Leave out the document, or only the lines that carry the item."""


@dataclass(frozen=True, slots=True)
class BenchmarkSplit:
    """A file of benchmark items."""

    benchmark: str
    split: str
    path: Path


def find_splits(config: DecontaminationConfig) -> list[BenchmarkSplit]:
    """Return the files that the config's benchmarks mean, in order of name.

    Raises `UserError` where a path holds none, or where two files have one name.
    """
    found: dict[tuple[str, str], BenchmarkSplit] = {}
    for name in config.benchmarks:
        path = Path(name)
        splits = _splits_at(path, config.splits)
        if not splits:
            wanted = " or ".join(f"{split}.jsonl" for split in config.splits)
            do = f"name a folder with {wanted} (or .gz, .zst), a folder of such folders, or a file"
            raise UserError("holds no benchmark", where=path, do=do)
        for one in splits:
            same = found.setdefault((one.benchmark, one.split), one)
            if same.path.resolve() != one.path.resolve():
                raise UserError(
                    f"is a second {one.benchmark} {one.split} besides {same.path}",
                    where=one.path,
                    do="rename one of the folders",
                )
    return [found[key] for key in sorted(found)]


def _splits_at(path: Path, splits: tuple[str, ...]) -> list[BenchmarkSplit]:
    if path.is_file():
        suffix = _suffix(path)
        if suffix is None:
            return []
        stem = path.name.removesuffix(suffix)
        if stem in (*splits, "train", "validation", "test"):
            return [BenchmarkSplit(path.resolve().parent.name, stem, path)]
        return [BenchmarkSplit(stem, "all", path)]
    if not path.is_dir():
        raise UserError("no such benchmark", where=path)
    below = sorted(folder for folder in path.iterdir() if folder.is_dir())
    return [
        BenchmarkSplit(folder.resolve().name, split, folder / (split + suffix))
        for folder in (path, *below)
        for split in splits
        for suffix in SUFFIXES
        if (folder / (split + suffix)).is_file()
    ]


def _suffix(path: Path) -> str | None:
    return next((suffix for suffix in SUFFIXES if path.name.endswith(suffix)), None)


def read_items(split: BenchmarkSplit) -> Iterator[tuple[int, list[str]]]:
    """Yield the items of a file: the number of its line, from 1, and its texts.

    Raises `UserError` at a line that is no JSON object, and where no item has any text.
    """
    packing = SUFFIXES[_suffix(split.path) or ".jsonl"]
    fields: list[str] = []
    any_text = False
    try:
        for line in read_lines(read_chunks(split.path, packing, _unheard), MAX_ITEM_BYTES):
            if line.whole and not line.data.strip():
                continue
            item = _parse(split.path, line.number, line.data if line.whole else b"")
            fields = fields or list(item)
            texts = texts_of(item)
            any_text = any_text or bool(texts)
            yield line.number, texts
    except BrokenFileError as err:
        raise UserError(f"cannot be read: {err}", where=split.path) from None
    if not any_text:
        has = f"its items have {', '.join(fields)}" if fields else "it is empty"
        do = f"name a text field one of {', '.join((*TEXTS, *TITLES, *TOKENS))}"
        raise UserError(f"has no text to look for: {has}", where=split.path, do=do)


def _unheard(_: int) -> None:
    """Let the bytes read pass: benchmarks are small."""


def _parse(path: Path, number: int, data: bytes) -> dict[str, Any]:
    try:
        item = json.loads(data)
    except (ValueError, RecursionError):
        item = None
    if not isinstance(item, dict):
        raise UserError("is no JSON object", where=f"{path}:{number}")
    return item


def texts_of(item: dict[str, Any]) -> list[str]:
    """Return the texts of an item: of `TEXTS`, else its title, else its words joined."""
    for names in (TEXTS, TITLES):
        texts = [text for name in names for text in _strings(item.get(name)) if text.strip()]
        if texts:
            return texts
    words = ("".join(_strings(item.get(name))) for name in TOKENS)
    return [text for text in words if text.strip()]


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):  # choices as {"text": [...], "label": [...]}
        value = value.get("text")
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []
