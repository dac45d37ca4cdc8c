"""What the local Hub of the tests answers: the paths, headers and error codes of the real one.

They follow what huggingface_hub 2.4 and datasets 5.2 read of it (measured). The write side would
add its routes here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import yaml
from hub_store import Blob, Repo, Store


class Refusal(Exception):
    """A request that is answered with an error the client knows by its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Call:
    """A request under way: who asks for what, and the answer's parts."""

    store: Store
    urls: tuple[str, str]
    """Where the Hub answers, and where large files lie."""
    page: int
    """Most entries of a tree told at once."""
    method: str
    path: str
    query: dict[str, list[str]]
    token: str | None
    form: dict[str, list[str]]

    def repo(self, kind: str, name: str, inside: bool) -> Repo:
        """Return the repository asked for; `inside` a gated one only its members may look."""
        repo = self.store.repos.get((kind.removesuffix("s"), unquote(name)))
        granted = self.store.tokens.get(self.token or "")
        if self.token is not None and granted is None:
            raise Refusal(401, "", "Invalid credentials in Authorization header")
        member = repo is not None and repo.id in (granted or ())
        if repo is None or (repo.private and not member):
            status = 401 if self.token is None else 404
            raise Refusal(status, "RepoNotFound", "Repository not found")
        if inside and repo.gated and not member:
            status = 401 if self.token is None else 403
            raise Refusal(status, "GatedRepo", f"Access to dataset {repo.id} is restricted.")
        return repo


@dataclass
class Answer:
    """What goes back: JSON, or a blob of which a range may be asked."""

    body: bytes = b""
    blob: Blob | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def _json(value: Any, **headers: str) -> Answer:
    headers = {"Content-Type": "application/json", **headers}
    return Answer(json.dumps(value).encode(), headers=headers)


def _commit_of(repo: Repo, revision: str) -> tuple[str, dict[str, Blob]]:
    sha = repo.sha_of(unquote(revision))
    if sha is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {unquote(revision)}")
    return sha, repo.commits[sha]


def _whoami(call: Call) -> Answer:
    if call.token not in call.store.tokens:
        raise Refusal(401, "", "Invalid credentials in Authorization header")
    return _json({"type": "user", "name": "tester", "orgs": [], "auth": {"accessToken": {}}})


def _auth_check(call: Call, kind: str, name: str) -> Answer:
    call.repo(kind, name, inside=True)
    return _json({})


def _info(call: Call, kind: str, name: str, revision: str | None) -> Answer:
    repo = call.repo(kind, name, inside=False)
    sha, tree = _commit_of(repo, revision or "main")
    facts = {"id": repo.id, "sha": sha, "private": repo.private, "tags": []}
    facts |= {"gated": "auto" if repo.gated else False, "disabled": False, "downloads": 0}
    if "README.md" in tree:
        card = tree["README.md"].file.read_text(encoding="utf-8")
        front = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
        facts["cardData"] = yaml.safe_load(front[1]) if front else None
    return _json({**facts, "siblings": [{"rfilename": path} for path in tree]})


def _refs(call: Call, kind: str, name: str) -> Answer:
    lists: dict[str, list[dict[str, str]]] = {"heads": [], "tags": [], "convert": [], "pr": []}
    for ref, sha in call.repo(kind, name, inside=False).refs.items():
        _, group, own = ref.split("/", 2)
        lists[group].append({"name": own, "ref": ref, "targetCommit": sha})
    names = {"heads": "branches", "tags": "tags", "convert": "converts", "pr": "pullRequests"}
    return _json({names[group]: refs for group, refs in lists.items()})


def _tree(call: Call, kind: str, name: str, revision: str, folder: str | None) -> Answer:
    _, tree = _commit_of(call.repo(kind, name, inside=False), revision)
    prefix = f"{unquote(folder)}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    recursive = call.query.get("recursive", ["false"])[0].lower() == "true"
    for path, blob in tree.items():
        if path.startswith(prefix):
            parts = path.removeprefix(prefix).split("/")
            for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
                above = prefix + "/".join(parts[:depth])
                entries[above] = {"type": "directory", "path": above, "oid": "0" * 40, "size": 0}
            if recursive or len(parts) == 1:
                entries[path] = blob.entry(path)
    if not entries and prefix:
        raise Refusal(404, "EntryNotFound", f"{folder} does not exist")
    start = int(call.query.get("cursor", ["0"])[0])
    headers = {}
    if start + call.page < len(entries):
        more = f"{call.urls[0]}{call.path}?recursive={recursive}&cursor={start + call.page}"
        headers["Link"] = f'<{more}>; rel="next"'
    return _json(list(entries.values())[start : start + call.page], **headers)


def _paths(call: Call, kind: str, name: str, revision: str) -> Answer:
    _, tree = _commit_of(call.repo(kind, name, inside=False), revision)
    found = []
    for path in call.form.get("paths", []):
        if path in tree:
            found.append(tree[path].entry(path))
        elif any(other.startswith(f"{path}/") for other in tree):
            found.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
    return _json(found)


def _resolve(call: Call, kind: str | None, name: str, revision: str, path: str) -> Answer:
    repo = call.repo(kind or "models", name, inside=True)
    sha, tree = _commit_of(repo, revision)
    blob = tree.get(unquote(path))
    if blob is None:
        raise Refusal(404, "EntryNotFound", "Entry not found")
    headers = {"X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
    if not blob.lfs:
        return Answer(blob=blob, headers={**headers, "ETag": f'"{blob.oid}"'})
    linked = {"X-Linked-ETag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
    place = f"{call.urls[1]}/{blob.sha256}?{quote(unquote(path), safe='')}"
    return Answer(b"Found", status=302, headers={**headers, **linked, "Location": place})


def _stored(call: Call, sha256: str) -> Answer:
    file = call.store.folder / sha256
    blob = Blob(file, file.stat().st_size, sha256, sha256, lfs=True)
    return Answer(blob=blob, headers={"ETag": f'"{sha256}"', "Accept-Ranges": "bytes"})


NAME = r"([^/]+(?:/[^/]+)?)"
REVISION = r"(refs/(?:convert|pr)/[^/]+|[^/]+)"
KIND = r"/api/(datasets|models)/"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"/api/whoami-v2", _whoami),
    ("GET|HEAD", r"/store/([0-9a-f]{64})", _stored),
    ("GET", rf"{KIND}{NAME}/refs", _refs),
    ("GET", rf"{KIND}{NAME}/auth-check", _auth_check),
    ("GET", rf"{KIND}{NAME}/tree/{REVISION}(?:/(.*))?", _tree),
    ("POST", rf"{KIND}{NAME}/paths-info/{REVISION}", _paths),
    ("GET", rf"{KIND}{NAME}/revision/{REVISION}", _info),
    ("GET", rf"{KIND}{NAME}()", lambda call, kind, name, _: _info(call, kind, name, None)),
    ("GET|HEAD", rf"/(?:(datasets)/)?{NAME}/resolve/{REVISION}/(.+)", _resolve),
]
"""Method, path and answer; the write side adds its own."""


def answer_to(call: Call) -> Answer:
    for method, pattern, respond in ROUTES:
        match = re.fullmatch(pattern, call.path)
        if match and re.fullmatch(method, call.method):
            try:
                return respond(call, *match.groups())
            except Refusal as err:
                headers = {"X-Error-Message": str(err)}
                if err.code:
                    headers["X-Error-Code"] = err.code
                body = json.dumps({"error": str(err)}).encode()
                return Answer(body, status=err.status, headers=headers)
    return Answer(b"Not found", status=404)
