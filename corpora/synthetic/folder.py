"""A corpus and three tasks made from sentence patterns: the demo's and the tests' own Thai text.

`raw/` has the dirt of real corpora at known counts, `bench/` has labels known by construction,
and `planted.json` tells the counts. Names, places and words come from pythainlp at run time.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from corpora.synthetic.dirt import DirtCount, plant_dirt
from corpora.synthetic.grammar import Grammar
from corpora.synthetic.patterns import ENTITIES, rules
from corpora.synthetic.raw import SHARES, SOURCES, add_unwanted, make_documents
from corpora.synthetic.tasks import MAKERS, make_task
from corpora.synthetic.words import build_grammar
from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.folder import FileFacts, file_facts, move_into_place, write_json

PLANTED = "planted.json"


class SyntheticConfig(Config):
    """How much to make, and where."""

    out: Path
    """The folder to make."""
    seed: int = 1
    """Everything follows from it: the same seed gives the same bytes."""
    megabytes: float = Field(default=2.0, gt=0, le=100)
    """UTF-8 text in `raw/`, in millions of bytes."""
    train: int = Field(default=1500, ge=1, le=3000)
    """Training examples of each task."""
    validation: int = Field(default=200, ge=1, le=500)
    """Validation examples of each task."""
    test: int = Field(default=300, ge=1, le=500)
    """Test examples of each task."""


class Planted(Config):
    """What a synthetic folder holds, as its `planted.json` tells."""

    seed: int
    megabytes: float
    sizes: dict[str, int]
    """Examples of each split."""
    records: int
    """Lines of jsonl and txt and rows of csv, the bad ones too."""
    documents: int
    """Records that can be read: `records` less all `bad_lines`."""
    sources: dict[str, int]
    """Documents by source, which is the name of the file."""
    exact_duplicates: int
    """Documents equal to an earlier one once both are cleaned."""
    near_duplicates: int
    """Documents equal to another but for one figure and a line at the end."""
    english_only: int
    """Documents without any Thai."""
    too_short: int
    """Documents of one word, at most 12 characters."""
    bad_lines: dict[str, int]
    """Lines that hold no document: broken_json, invalid_utf8, missing_text."""
    dirt: dict[str, DirtCount]
    """Dirt on letters, by kind: all of it can be cleaned off."""
    files: tuple[FileFacts, ...]


BAD_LINES = {"broken_json": 0.003, "invalid_utf8": 0.003, "missing_text": 0.003}
"""Bad lines for each document of a jsonl file; there is at least one of each kind in a file."""


def write_synthetic(config: SyntheticConfig) -> Planted:
    """Make the folder, or return what it holds if it is made already.

    Raises `UserError` when something else, or another synthetic corpus, is in the way.
    """
    if config.out.exists() and any(config.out.iterdir() if config.out.is_dir() else (1,)):
        return _made_already(config)
    work = config.out.absolute().parent / f".{config.out.name}.partial"
    shutil.rmtree(work, ignore_errors=True)
    (work / "raw").mkdir(parents=True)
    grammar = build_grammar(config.seed, rules(), ENTITIES)
    counts = _write_raw(work / "raw", config, grammar)
    _write_bench(work / "bench", config, grammar)
    names = sorted(path.relative_to(work).as_posix() for path in work.rglob("*.*"))
    files = tuple(file_facts(work / name, name) for name in names if (work / name).is_file())
    planted = Planted(**_settings(config), **counts, files=files)
    write_json(work / PLANTED, planted.model_dump(mode="json"))
    move_into_place(work, config.out)
    return planted


def _settings(config: SyntheticConfig) -> dict[str, Any]:
    return {"seed": config.seed, "megabytes": config.megabytes, "sizes": _sizes(config)}


def _sizes(config: SyntheticConfig) -> dict[str, int]:
    return {"train": config.train, "validation": config.validation, "test": config.test}


def _made_already(config: SyntheticConfig) -> Planted:
    try:
        planted = Planted.model_validate_json((config.out / PLANTED).read_bytes())
    except (OSError, ValidationError):
        planted = None
    wanted = _settings(config)
    if planted is None or planted.model_dump(include=set(wanted)) != wanted:
        raise UserError(
            "is in the way: not this synthetic corpus", where=config.out, do="choose another --out"
        )
    return planted


def _write_raw(folder: Path, config: SyntheticConfig, grammar: Grammar) -> dict[str, Any]:
    """Write every source and return the counts of `Planted`."""
    seen: set[str] = set()
    rng = random.Random(f"{config.seed}/raw")
    texts: dict[str, list[str]] = {}
    added = dict.fromkeys(SHARES, 0)
    for name, share in SOURCES.items():
        texts[name] = make_documents(name, share * config.megabytes * 1e6, grammar, rng, seen)
        for kind, count in add_unwanted(texts[name], grammar, rng, seen).items():
            added[kind] += count
    flat, dirt = plant_dirt([text for name in texts for text in texts[name]], rng)
    rest = iter(flat)
    bad = dict.fromkeys(BAD_LINES, 0)
    for name in texts:
        dirty = [next(rest) for _ in texts[name]]
        for kind, count in _write_source(folder / name, dirty, rng).items():
            bad[kind] += count
    return {
        "records": len(flat) + sum(bad.values()),
        "documents": len(flat),
        "sources": {name: len(found) for name, found in texts.items()},
        "exact_duplicates": added["exact"],
        "near_duplicates": added["near"],
        "english_only": added["english"],
        "too_short": added["short"],
        "bad_lines": bad,
        "dirt": dirt,
    }


def _write_source(file: Path, texts: Sequence[str], rng: random.Random) -> dict[str, int]:
    """Write a source in the format of its name and return how many bad lines it got."""
    name = file.name.partition(".")[0]
    bad: dict[str, int] = {}
    if file.suffix == ".txt":
        raw = "".join(f"{text}\n" for text in texts).encode()
    elif file.suffix == ".csv":
        raw = _csv(name, texts)
    else:
        lines = [_json_line(name, index, text) for index, text in enumerate(texts)]
        bad = {kind: max(1, round(share * len(lines))) for kind, share in BAD_LINES.items()}
        for kind, count in bad.items():
            for _ in range(count):
                lines.insert(rng.randint(0, len(lines)), _bad_line(kind, name, rng))
        raw = b"".join(line + b"\n" for line in lines)
    # Time 0: the hour must not change the bytes.
    file.write_bytes(gzip.compress(raw, mtime=0) if file.suffix == ".gz" else raw)
    return bad


def _csv(name: str, texts: Sequence[str]) -> bytes:
    stream = io.StringIO(newline="")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(("id", "text", "source"))
    table.writerows((f"{name}-{index}", text, name) for index, text in enumerate(texts))
    return stream.getvalue().encode()


def _json_line(name: str, index: int, text: str) -> bytes:
    record = {"id": f"{name}-{index}", "text": text, "source": name}
    return json.dumps(record, ensure_ascii=False).encode()


def _bad_line(kind: str, name: str, rng: random.Random) -> bytes:
    number = rng.randint(10**6, 10**7)
    whole = _json_line(name, number, "ข้อความนี้เสียหายระหว่างการคัดลอก จึงอ่านไม่ได้ทั้งบรรทัด")
    if kind == "broken_json":
        return whole[: whole.index(b'"source"')]
    if kind == "invalid_utf8":
        # The last byte of a letter is gone, as where a copy was cut into blocks.
        return whole.replace("เสีย".encode(), "เสีย".encode()[:-1])
    return whole.replace(b'"text"', b'"body"')


def _write_bench(folder: Path, config: SyntheticConfig, grammar: Grammar) -> None:
    for name in MAKERS:
        (folder / name).mkdir(parents=True)
        made = make_task(name, _sizes(config), grammar, config.seed)
        for split, examples in made.items():
            lines = (json.dumps(example, ensure_ascii=False) + "\n" for example in examples)
            (folder / name / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
