"""Stage folders: complete before they appear under their final name, manifest written last."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from thaitok.config import Config
from thaitok.errors import UserError

MANIFEST = "manifest.json"
JOB = ".job.json"


class FileFacts(Config):
    """A file's name, size in bytes and sha256."""

    name: str
    bytes: int
    sha256: str


class Manifest(Config):
    """What a stage says of the folder it wrote."""

    stage: str
    """Which stage wrote it: corpus, tokenizer, shards, run or result."""
    inputs: tuple[FileFacts, ...]
    """The files it was made from."""
    config: dict[str, Any]
    """The config as resolved, without what cannot change the result."""
    versions: dict[str, str]
    """Versions of the packages that made it."""
    counts: dict[str, Any]
    """What the stage counted."""
    files: tuple[FileFacts, ...]
    """The files of the folder, this one excepted."""


def file_facts(path: Path, name: str | None = None) -> FileFacts:
    """Read a file once and return its size and sha256."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileFacts(name=name or path.name, bytes=path.stat().st_size, sha256=digest)


def package_versions(*names: str) -> dict[str, str]:
    """Return the installed version of each distribution."""
    return {name: version(name) for name in ("thaitok", *names)}


def read_manifest(folder: Path, stage: str) -> Manifest:
    """Return the manifest of a finished folder of `stage`.

    Raises `UserError` when the folder is not there, is unfinished, or is another stage's.
    """
    if not folder.exists():
        raise UserError(f"no such {stage} folder", where=folder, do=MADE_BY[stage])
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"is no finished {stage} folder: it has no {MANIFEST}", where=folder, do=MADE_BY[stage]
        ) from None
    except ValidationError:
        raise UserError(
            "is damaged or of another version", where=folder / MANIFEST, do=MADE_BY[stage]
        ) from None
    if manifest.stage != stage:
        raise UserError(
            f"is a {manifest.stage} folder where a {stage} folder is wanted",
            where=folder,
            do=MADE_BY[stage],
        )
    for facts in manifest.files:
        file = folder / facts.name
        if not file.is_file() or file.stat().st_size != facts.bytes:
            raise UserError(
                f"is missing or not {facts.bytes} bytes as its manifest says",
                where=file,
                do=f"make the {stage} folder again",
            )
    return manifest


MADE_BY = {
    "corpus": "make one with `thaitok clean`",
    "tokenizer": "make one with `thaitok train`",
    "shards": "make one with `thaitok shard`",
    "run": "make one with `thaitok pretrain`",
    "result": "make one with `thaitok finetune`",
}
"""Which verb makes a folder of each stage."""


class Job:
    """A stage at work on a hidden folder beside its final name.

    `work` is where the stage writes; `finish` writes the manifest and gives the folder its
    final name. A job taken up again finds in `work` what the last one left, provided that its
    config and inputs are the same; otherwise it starts from an empty folder.
    """

    def __init__(
        self, out: Path, stage: str, config: Mapping[str, Any], inputs: Iterable[FileFacts]
    ) -> None:
        self.out = out
        self.stage = stage
        self.config = dict(config)
        self.inputs = tuple(inputs)
        self.work = out.parent / f".{out.name}.partial"
        self.done: Manifest | None = None

    def finish(self, counts: Mapping[str, Any], versions: Mapping[str, str]) -> Manifest:
        """Write the manifest and let the folder appear under its final name."""
        names = sorted(
            path.relative_to(self.work).as_posix()
            for path in self.work.rglob("*")
            if path.is_file() and path.name != JOB
        )
        manifest = Manifest(
            stage=self.stage,
            inputs=self.inputs,
            config=self.config,
            versions=dict(versions),
            counts=dict(counts),
            files=tuple(file_facts(self.work / name, name) for name in names),
        )
        (self.work / JOB).unlink(missing_ok=True)
        write_json(self.work / MANIFEST, manifest.model_dump(mode="json"))
        sync_folder(self.work)
        self.work.rename(self.out)
        self.done = manifest
        return manifest

    def _open(self) -> None:
        if self.out.exists() and not (self.out.is_dir() and not any(self.out.iterdir())):
            self.done = read_manifest_of(self.out, self.stage)
            self._refuse_other_settings(self.done)
            return
        if self.out.exists():
            self.out.rmdir()
        self.work.mkdir(parents=True, exist_ok=True)
        job = {"stage": self.stage, "config": self.config, "inputs": _dump(self.inputs)}
        note = self.work / JOB
        if not note.exists() or json.loads(note.read_text(encoding="utf-8")) != _plain(job):
            shutil.rmtree(self.work)
            self.work.mkdir()
            write_json(note, job)

    def _refuse_other_settings(self, found: Manifest) -> None:
        remedy = "choose another --out, or delete it first"
        for key, value in _flat(_plain(self.config)).items():
            there = _flat(found.config).get(key)
            if there != value:
                raise UserError(
                    f"is finished, with {key} = {json.dumps(there, ensure_ascii=False)} and not "
                    f"{json.dumps(value, ensure_ascii=False)}",
                    where=self.out,
                    do=remedy,
                )
        if found.inputs != self.inputs:
            raise UserError("is finished, but from other input", where=self.out, do=remedy)


@contextmanager
def stage_job(
    out: Path, stage: str, config: Mapping[str, Any], inputs: Iterable[FileFacts]
) -> Iterator[Job]:
    """Open the job that makes folder `out`; `job.done` is its manifest if it is made already.

    Raises `UserError` when `out` holds something else, or when another process is making it.
    """
    out = out.absolute()
    job = Job(out, stage, config, inputs)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _lock(out):
        job._open()
        yield job


def read_manifest_of(out: Path, stage: str) -> Manifest:
    """Return the manifest of a folder about to be written again, or say why it is in the way."""
    if not (out / MANIFEST).is_file():
        raise UserError(
            f"is in the way: not a {stage} folder of ours", where=out, do="choose another --out"
        )
    return read_manifest(out, stage)


@contextmanager
def _lock(out: Path) -> Iterator[None]:
    path = out.parent / f".{out.name}.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError("another run is writing this folder", where=out) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def written(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when it was written whole and is on disk."""
    partial = path.with_name(f".{path.name}.partial")
    encoding = None if "b" in mode else "utf-8"
    try:
        with partial.open(mode, encoding=encoding) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON: Thai as Thai, two spaces, whole or not at all."""
    with written(path) as stream:
        json.dump(_plain(value), stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def sync_folder(folder: Path) -> None:
    """Force a folder's names to disk, so that a power cut cannot undo a rename."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _dump(inputs: Iterable[FileFacts]) -> list[dict[str, Any]]:
    return [facts.model_dump(mode="json") for facts in inputs]


def _plain(value: Any) -> Any:
    """Return the value as JSON gives it back, so that tuples and paths compare equal."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=str))


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, below in value.items():
        flat.update(_flat(below, f"{prefix}.{key}" if prefix else key))
    return flat
