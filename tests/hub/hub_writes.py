"""What the local Hub answers to those who write: repositories, branches, tags, one commit."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote

from hub_calls import KIND, NAME, REVISION, Answer, Call, Refusal, Route, commit_of, in_json, url_of
from hub_cards import faults
from hub_store import ATTRIBUTES, LFS_SIZE, MAIN, Blob, Repo

Tree = dict[str, Blob]


def _named(call: Call) -> tuple[str, str]:
    """Return kind and full name of the repository to create or delete; refuse a stranger."""
    told = call.json()
    who = call.writer("create or delete a repository")
    kind = told.get("type") or "model"
    space = told.get("organization") or who.name
    if kind not in ("model", "dataset") or not told.get("name"):
        raise Refusal(400, "", f"not kept here: a {kind} named {told.get('name')}")
    if space not in (who.name, *who.orgs):
        said = f'You don\'t have the rights to create a {kind} under the namespace "{space}"'
        raise Refusal(403, "", said)
    return kind, f"{space}/{told['name']}"


def _create(call: Call) -> Answer:
    kind, name = _named(call)
    told = call.json()
    there = (kind, name) in call.store.repos
    repo = call.store.repo(name, kind)
    if there:
        said = f"You already created this {kind} repo"
        return in_json({"error": said, "url": url_of(call, repo)}, 409)
    repo.private = told.get("visibility") == "private" or bool(told.get("private"))
    attributes = call.store.keep(".gitattributes", ATTRIBUTES.encode())
    first = ("initial commit", "", "system")
    call.store.record(repo, {".gitattributes": attributes}, MAIN, None, first)
    return in_json({"url": url_of(call, repo), "name": name})


def _delete(call: Call) -> Answer:
    if call.store.repos.pop(_named(call), None) is None:
        raise Refusal(404, "RepoNotFound", "Repository not found")
    return in_json({})


def _settings(call: Call, kind: str, name: str) -> Answer:
    repo, told = call.written(kind, name), call.json()
    repo.gated = told.get("gated", repo.gated)
    repo.private = told.get("visibility", "private" if repo.private else "") == "private"
    return in_json(told)


def _branch(call: Call, kind: str, name: str, branch: str) -> Answer:
    repo, own = call.written(kind, name), unquote(branch)
    if own.startswith("refs/"):
        raise Refusal(400, "", f"Invalid reference for a branch: {own}")
    sha, _ = commit_of(repo, call.json().get("startingPoint") or "main")
    return _point(repo, f"refs/heads/{own}", sha)


def _tag(call: Call, kind: str, name: str, revision: str) -> Answer:
    repo = call.written(kind, name)
    sha, _ = commit_of(repo, revision)
    return _point(repo, f"refs/tags/{call.json()['tag']}", sha)


def _point(repo: Repo, ref: str, sha: str) -> Answer:
    if ref in repo.refs:
        raise Refusal(409, "", f"Reference already exists: {ref}")
    repo.refs[ref] = sha
    return in_json({})


def _validate(call: Call) -> Answer:
    errors, warnings = faults(call.json()["content"])
    told = {
        "errors": [{"message": one} for one in errors],
        "warnings": [{"message": one} for one in warnings],
    }
    return in_json(told, 400 if errors else 200)


def _commit(call: Call, kind: str, name: str, revision: str) -> Answer:
    request = call.query.get("create_pr") == ["1"]
    repo = call.written(kind, name, request)
    lines = [json.loads(line) for line in call.body.data.splitlines() if line.strip()]
    header = next(one["value"] for one in lines if one["key"] == "header")
    ref, parent = _base(repo, unquote(revision), header.get("parentCommit"), request)
    tree = dict(repo.commits[parent])
    for line in lines:
        _apply(call, repo, tree, line["key"], line["value"])
    who = call.writer("commit")
    told = (header["summary"], header.get("description", ""), who.name)
    sha = call.store.record(repo, tree, ref, parent, told)
    home = url_of(call, repo)
    answer = {"success": True, "commitOid": sha, "commitUrl": f"{home}/commit/{sha}"}
    if request:
        answer["pullRequestUrl"] = f"{home}/discussions/{ref.rpartition('/')[2]}"
    return in_json(answer)


def _base(repo: Repo, revision: str, parent: str | None, request: bool) -> tuple[str, str]:
    """Return the ref that is to move, and the commit it moves on from."""
    ref = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    if ref not in repo.refs:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    if request:
        number = 1 + sum(one.startswith("refs/pr/") for one in repo.refs)
        return f"refs/pr/{number}", commit_of(repo, parent or ref)[0]
    if parent is not None and not repo.refs[ref].startswith(parent):
        raise Refusal(412, "", "A commit has happened since. Please refresh and try again.")
    return ref, repo.refs[ref]


def _apply(call: Call, repo: Repo, tree: Tree, key: str, value: dict[str, Any]) -> None:
    """Make one change of a commit in its tree."""
    path = value.get("path", "").rstrip("/")
    if key != "header" and {"..", ".", "", ".git"} & set(path.split("/")):
        raise Refusal(400, "", f"Invalid path: {path}")
    if key == "file":
        tree[path] = _small(call, path, base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if value["oid"] not in repo.objects:
            raise Refusal(400, "", f"{path}: its content was not uploaded")
        tree[path] = call.store.large(value["oid"])
    elif key in ("deletedFile", "deletedFolder"):
        whole = f"{path}/"
        gone = [
            one for one in tree if one == path or (key != "deletedFile" and one.startswith(whole))
        ]
        if not gone:
            raise Refusal(404, "EntryNotFound", "A file with this name doesn't exist")
        for one in gone:
            del tree[one]
    elif key != "header":
        raise Refusal(400, "", f"unknown operation {key}")


def _small(call: Call, path: str, data: bytes) -> Blob:
    """Keep a file that came in the commit itself; a README must have valid metadata."""
    if len(data) > LFS_SIZE:
        raise Refusal(400, "", f"{path}: larger than 10 MiB, use LFS")
    errors, _ = faults(data.decode("utf-8", "replace")) if path == "README.md" else ([], [])
    if errors:
        raise Refusal(400, "", f"Invalid metadata in README.md: {errors[0]}")
    return call.store.keep(path, data, large=False)


ROUTES: list[Route] = [
    ("POST", r"/api/repos/create", _create),
    ("DELETE", r"/api/repos/delete", _delete),
    ("POST", r"/api/validate-yaml", _validate),
    ("PUT", rf"{KIND}{NAME}/settings", _settings),
    ("POST", rf"{KIND}{NAME}/branch/([^/]+)", _branch),
    ("POST", rf"{KIND}{NAME}/tag/{REVISION}", _tag),
    ("POST", rf"{KIND}{NAME}/commit/{REVISION}", _commit),
]
"""Method, path and answer."""
