"""What the local Hub of the tests holds: repositories, commits, files, tokens, uploads."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LFS_NAMES = (
    ".7z .arrow .bin .bz2 .gz .h5 .joblib .model .msgpack .npy .npz .onnx .parquet .pickle .pkl "
    ".pt .pth .safetensors .tar .tgz .xz .zip .zst"
)
LFS_SUFFIXES = tuple(LFS_NAMES.split())
"""Of the .gitattributes that the Hub writes into a new repository."""
ATTRIBUTES = "".join(f"*{one} filter=lfs diff=lfs merge=lfs -text\n" for one in LFS_SUFFIXES)
LFS_SIZE = 10 << 20
"""Bytes above which any file is a large one."""
MAIN = "refs/heads/main"


def is_large(path: str, size: int) -> bool:
    """Return whether the Hub keeps a file of that name and size in its store."""
    return path.endswith(LFS_SUFFIXES) or size > LFS_SIZE


@dataclass(frozen=True)
class Blob:
    """A file's content: where it lies on disk, and the names that the Hub gives it."""

    file: Path
    size: int
    sha256: str
    oid: str
    lfs: bool
    served: int | None = None
    """How many bytes are really there, for a Hub that tells of more than it has."""

    def entry(self, path: str) -> dict[str, Any]:
        """Return how a tree lists it."""
        entry = {"type": "file", "path": path, "oid": self.oid, "size": self.size}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 134}
        return entry


@dataclass(frozen=True)
class Note:
    """What is told of a commit beside its files."""

    parent: str | None
    title: str
    message: str
    author: str
    date: str


@dataclass
class Repo:
    """A repository: its commits by sha, and the refs that point at them."""

    id: str
    kind: str = "dataset"
    private: bool = False
    gated: bool | str = False
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)
    """The sha256 of large files that were uploaded here, committed or not."""

    def sha_of(self, revision: str) -> str | None:
        """Return the commit that a branch, tag, full ref or sha means."""
        for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if name in self.refs:
                return self.refs[name]
        return revision if revision in self.commits else None

    def history(self, sha: str) -> list[tuple[str, Note]]:
        """Return the commits from one back to the first."""
        found = []
        at: str | None = sha
        while at is not None:
            found.append((at, self.notes[at]))
            at = self.notes[at].parent
        return found


@dataclass
class Account:
    """What a token stands for: a user, and what it may do."""

    name: str = "tester"
    role: str = "read"
    orgs: tuple[str, ...] = ()
    granted: set[str] = field(default_factory=set)
    """Repositories of others, private or gated, that it may read."""

    def owns(self, repo: str) -> bool:
        return repo.partition("/")[0] in (self.name, *self.orgs)


@dataclass
class Upload:
    """A large file that is being uploaded, whole or in parts."""

    repo: Repo
    sha256: str
    size: int
    parts: dict[int, Path] = field(default_factory=dict)


class Store:
    """The content, on disk below `folder` under its sha256."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.repos: dict[tuple[str, str], Repo] = {}
        self.tokens: dict[str, Account] = {}
        self.uploads: dict[str, Upload] = {}
        self.part_size: int | None = None
        """Bytes of a part of a large file; None takes files whole."""
        self.writing = threading.RLock()

    def repo(self, name: str, kind: str = "dataset", **facts: bool) -> Repo:
        """Return a repository, made if it is not there."""
        return self.repos.setdefault((kind, name), Repo(name, kind, **facts))

    def commit(
        self,
        repo: Repo,
        files: Mapping[str, bytes | None],
        revision: str = MAIN,
        fresh: bool = False,
    ) -> str:
        """Add a commit to a ref, on top of the last one unless `fresh`; None deletes a file."""
        parent = repo.refs.get(revision)
        tree = {} if fresh or parent is None else dict(repo.commits[parent])
        for path, data in files.items():
            tree.pop(path, None)
            if data is not None:
                tree[path] = self.keep(path, data)
        return self.record(repo, tree, revision, None if fresh else parent)

    def record(
        self,
        repo: Repo,
        tree: Mapping[str, Blob],
        ref: str,
        parent: str | None,
        told: tuple[str, str, str] = ("commit", "", "tester"),
    ) -> str:
        """Point a ref at a commit of these files; `told` are its title, message and author."""
        files = [(path, tree[path].oid) for path in sorted(tree)]
        named = json.dumps([repo.kind, repo.id, parent, ref, files, *told])
        sha = hashlib.sha1(named.encode()).hexdigest()
        repo.commits[sha] = dict(sorted(tree.items()))
        repo.objects.update(blob.sha256 for blob in tree.values() if blob.lfs)
        date = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        repo.notes[sha] = Note(parent, *told, date)
        repo.refs[ref] = sha
        return sha

    def commit_folder(self, repo: Repo, folder: Path, revision: str = MAIN) -> str:
        """Add a commit that holds what lies below a folder, and nothing else."""
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        return self.commit(repo, files, revision, fresh=True)

    def keep(self, path: str, data: bytes, large: bool | None = None) -> Blob:
        """Keep a file's content, and name it by its sha256 and as git does."""
        sha256 = hashlib.sha256(data).hexdigest()
        file = self.folder / sha256
        file.write_bytes(data)
        if is_large(path, len(data)) if large is None else large:
            return self.large(sha256)
        return Blob(file, len(data), sha256, git_name(data), lfs=False)

    def large(self, sha256: str) -> Blob:
        """Return the blob of a large file whose content is here."""
        file = self.folder / sha256
        size = file.stat().st_size
        # git names it by the pointer that stands for it.
        pointer = f"oid sha256:{sha256}\nsize {size}\n".encode()
        return Blob(file, size, sha256, git_name(pointer), lfs=True)

    def token(self, name: str, role: str = "write", orgs: tuple[str, ...] = ()) -> str:
        """Return a token of a user, in the form of a real one."""
        drawn = hashlib.sha256(json.dumps([name, role, orgs]).encode()).hexdigest()
        token = f"hf_{drawn[:34]}"
        self.tokens.setdefault(token, Account(name, role, tuple(orgs)))
        return token

    def allow(self, token: str, *repos: str) -> None:
        """Let a token read repositories that are private or gated."""
        self.tokens.setdefault(token, Account()).granted.update(repos)


def git_name(data: bytes) -> str:
    """Return the sha1 by which git names a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
