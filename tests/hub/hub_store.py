"""What the local Hub of the tests holds: repositories, commits, files, tokens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LFS_SUFFIXES = (".parquet", ".gz", ".zst", ".xz", ".bz2", ".arrow", ".bin", ".safetensors")


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


@dataclass
class Repo:
    """A repository: its commits by sha, and the refs that point at them."""

    id: str
    kind: str = "dataset"
    private: bool = False
    gated: bool = False
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)

    def sha_of(self, revision: str) -> str | None:
        """Return the commit that a branch, tag, full ref or sha means."""
        for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if name in self.refs:
                return self.refs[name]
        return revision if revision in self.commits else None


class Store:
    """The content, on disk below `folder` under its sha256."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repos: dict[tuple[str, str], Repo] = {}
        self.tokens: dict[str, set[str]] = {}

    def repo(self, name: str, kind: str = "dataset", **facts: bool) -> Repo:
        """Return a repository, made if it is not there."""
        return self.repos.setdefault((kind, name), Repo(name, kind, **facts))

    def commit(
        self,
        repo: Repo,
        files: Mapping[str, bytes | None],
        revision: str = "refs/heads/main",
        fresh: bool = False,
    ) -> str:
        """Add a commit to a ref, on top of the last one unless `fresh`; None deletes a file."""
        parent = repo.refs.get(revision)
        tree = {} if fresh or parent is None else dict(repo.commits[parent])
        for path, data in files.items():
            tree.pop(path, None)
            if data is not None:
                tree[path] = self._blob(path, data)
        named = json.dumps([parent, revision, [(path, tree[path].oid) for path in sorted(tree)]])
        sha = hashlib.sha1(named.encode()).hexdigest()
        repo.commits[sha] = dict(sorted(tree.items()))
        repo.refs[revision] = sha
        return sha

    def commit_folder(self, repo: Repo, folder: Path, revision: str = "refs/heads/main") -> str:
        """Add a commit that holds what lies below a folder, and nothing else."""
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        return self.commit(repo, files, revision, fresh=True)

    def _blob(self, path: str, data: bytes) -> Blob:
        sha256 = hashlib.sha256(data).hexdigest()
        file = self.folder / sha256
        file.write_bytes(data)
        lfs = path.endswith(LFS_SUFFIXES)
        # git names an LFS file by the pointer that stands for it.
        kept = f"oid sha256:{sha256}\nsize {len(data)}\n".encode() if lfs else data
        oid = hashlib.sha1(b"blob %d\0" % len(kept) + kept).hexdigest()
        return Blob(file, len(data), sha256, oid, lfs)

    def allow(self, token: str, *repos: str) -> None:
        """Let a token read repositories that are private or gated."""
        self.tokens.setdefault(token, set()).update(repos)
