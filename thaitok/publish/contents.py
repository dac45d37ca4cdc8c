"""What a folder holds: its kind, the files that are published, and why the others stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from thaitok.card import CARD
from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.folder import (
    JOB,
    MADE_BY,
    MANIFEST,
    TOKENIZER_FILES,
    FileFacts,
    Manifest,
    read_manifest,
)

Kind = Literal["model", "tokenizer", "corpus", "export"]

ALWAYS = (CARD, "LICENSE")
ALLOWED: dict[Kind, tuple[str, ...]] = {
    "tokenizer": (*TOKENIZER_FILES, *ALWAYS),
    "model": (
        "config.json", "model.safetensors", "model-*.safetensors", "model.safetensors.index.json",
        *TOKENIZER_FILES, "scores.json", *ALWAYS,
    ),
    "export": (
        "config.json", "onnx/*.onnx", "onnx/*.onnx.data", "checks.json", *TOKENIZER_FILES, *ALWAYS,
    ),
    "corpus": ("part-*.jsonl.zst", *ALWAYS),
}  # fmt: skip
"""Names that are published; everything else stays here."""

_TOKENIZER = (
    "spm.model", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja",
    "sentencepiece.bpe.model", "vocab.json", "vocab.txt", "merges.txt",
)  # fmt: skip
"""What tokenizers have had beside tokenizer.json, which a loader would mix with ours."""
REPLACED: dict[Kind, tuple[str, ...]] = {
    "tokenizer": _TOKENIZER,
    "model": (
        "model.safetensors", "model-*.safetensors", "model.safetensors.index.json", "scores.json",
        *_TOKENIZER,
    ),
    "export": ("onnx/*.onnx", "onnx/*.onnx.data", "checks.json", *_TOKENIZER),
    "corpus": ("part-*.jsonl.zst",),
}  # fmt: skip
"""Names that go from the repo when the folder has them no longer: parts that fit what was there
before, and that a loader would mix with the new ones."""

REASONS = (
    (".*", "hidden"),
    ("training_args.bin", "a pickle that holds the Hub token of the one who trained, in clear"),
    ("checkpoint-*", "a checkpoint of the training run"),
    ("*.bin", "may be a pickle, which runs code when it is loaded; weights go as safetensors"),
    ("*.pt", "a pickle, which runs code when it is loaded"),
    ("*.pth", "a pickle, which runs code when it is loaded"),
    ("*.pkl", "a pickle, which runs code when it is loaded"),
    ("*.py", "remote code: what we publish loads without any"),
    ("dropped/", "texts that cleaning left out, personal data among them perhaps"),
    (MANIFEST, "tells of files and settings here; the card has what matters"),
    ("*", "not on the list of what is published"),
)
"""Why a name is left out: the first pattern that fits."""


class LeftOut(Config):
    """A file of the folder that is not published, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A folder sorted out: what goes under which name, what stays, and what is wrong."""

    folder: Path
    kind: Kind
    files: dict[str, Path]
    left_out: tuple[LeftOut, ...]
    made: tuple[FileFacts, ...]
    """The files as they were when the stage that made them was finished."""
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def sort_out(given: Path) -> Contents:
    """Part a folder into what is published and what is not.

    Raises `UserError` for a folder that is unfinished or holds nothing to publish.
    """
    if not given.is_dir():
        raise UserError("no such folder", where=given)
    named = given.resolve()
    folder, kind = _find(named)
    files, left_out, problems = _part(folder, kind)
    notes = [] if folder == named else [f"publishing {given / 'model'}, the model inside {given}"]
    above = _finished(folder.parent)
    scores = folder.parent / "scores.json"
    if kind == "model" and above and above.stage == "result" and not scores.is_symlink():
        files["scores.json"] = scores
    made = _as_made(_finished(folder), "") + _as_made(above, f"{folder.name}/")
    return Contents(folder, kind, files, left_out, made, problems, tuple(notes))


def _find(folder: Path) -> tuple[Path, Kind]:
    """Return the folder to publish, which may lie inside the one given, and its kind."""
    manifest = _finished(folder)
    if manifest and manifest.stage == "corpus":
        return folder, "corpus"
    for place in (folder, folder / "model"):
        if (place / "config.json").is_file():
            graphs, weights = place.glob("onnx/*.onnx"), place.glob("*.safetensors")
            return place, "export" if any(graphs) and not any(weights) else "model"
        if (place / "tokenizer.json").is_file():
            return place, "tokenizer"
    what = f"is a {manifest.stage} folder, which" if manifest else "is no folder that"
    raise UserError(
        f"{what} has neither a model's config.json nor a tokenizer.json",
        where=folder,
        do="give a folder of `thaitok clean`, `train`, `pretrain`, `finetune` or `export`",
    )


def _finished(folder: Path) -> Manifest | None:
    """Return the manifest of a stage's folder, None for another; `UserError` if unfinished."""
    if (folder / JOB).is_file() and not (folder / MANIFEST).is_file():
        do = "run the command that makes it once more"
        raise UserError("is unfinished", where=folder, do=do)
    try:
        stage = json.loads((folder / MANIFEST).read_bytes())["stage"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return read_manifest(folder, stage) if stage in MADE_BY else None  # others write manifests too


def _as_made(manifest: Manifest | None, prefix: str) -> tuple[FileFacts, ...]:
    files = manifest.files if manifest else ()
    return tuple(
        file.model_copy(update={"name": file.name.removeprefix(prefix)})
        for file in files
        if file.name.startswith(prefix)
    )


def _part(folder: Path, kind: Kind) -> tuple[dict[str, Path], tuple[LeftOut, ...], tuple[str, ...]]:
    files: dict[str, Path] = {}
    left_out: list[LeftOut] = []
    problems: list[str] = []
    inside = folder.resolve()
    for name, path in _named(folder, kind):
        if not fits(name, ALLOWED[kind]):
            reason = next(why for pattern, why in REASONS if fnmatch(name, pattern))
            left_out.append(LeftOut(name=name, reason=reason))
        elif not path.is_file():
            problems.append(f"{name} is no file that can be read; put the file in")
        elif not path.resolve().is_relative_to(inside):
            problems.append(f"{name} is a link to outside of the folder; copy the file in")
        else:
            files[name] = path
    return files, tuple(left_out), tuple(problems)


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a name fits a pattern, whose `*` stays within a folder."""
    depth = name.count("/")
    return any(fnmatch(name, one) for one in patterns if one.count("/") == depth)


def _named(folder: Path, kind: Kind) -> Iterator[tuple[str, Path]]:
    """Yield what lies in a folder by name; of folders only an export's onnx/ is looked into."""
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            yield path.name, path
        elif kind == "export" and path.name == "onnx":
            yield from ((f"onnx/{file.name}", file) for file in sorted(path.iterdir()))
        else:
            yield f"{path.name}/", path
