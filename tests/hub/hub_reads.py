"""What the local Hub answers to those who read: repositories, refs, trees, files, commits.

Paths, headers and error codes are the real one's, as huggingface_hub 2.4, transformers 5.23 and
datasets 5.2 read them (measured).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from hub_calls import KIND, NAME, REVISION, Answer, Call, Refusal, Route, commit_of, in_json
from hub_cards import facts_of
from hub_store import Blob


def _whoami(call: Call) -> Answer:
    who = call.account()
    if who is None:
        raise Refusal(401, "", "Invalid username or password.")
    orgs = [{"type": "org", "name": name, "roleInOrg": "write"} for name in who.orgs]
    held = {"type": "access_token", "accessToken": {"displayName": "tests", "role": who.role}}
    user = {"type": "user", "name": who.name, "fullname": who.name, "isPro": False}
    return in_json({**user, "orgs": orgs, "auth": held})


def _auth_check(call: Call, kind: str, name: str) -> Answer:
    call.repo(kind, name, inside=True)
    return in_json({})


def _info(call: Call, kind: str, name: str, revision: str | None = None) -> Answer:
    repo = call.repo(kind, name, inside=False)
    sha, tree = commit_of(repo, revision or "main")
    first = repo.history(sha)[-1][1].date
    facts: dict[str, Any] = {
        "id": repo.id, "author": repo.id.partition("/")[0], "sha": sha,
        "createdAt": first, "lastModified": repo.notes[sha].date, "private": repo.private,
        "gated": "auto" if repo.gated is True else repo.gated,
        "disabled": False, "downloads": 0, "likes": 0, "tags": [],
    }  # fmt: skip
    if "README.md" in tree:
        facts |= facts_of(repo.kind, tree["README.md"].file.read_text(encoding="utf-8"))
    detailed = call.query.get("blobs", ["false"])[0].lower() == "true"
    return in_json({**facts, "siblings": [_sibling(*one, detailed) for one in tree.items()]})


def _sibling(path: str, blob: Blob, detailed: bool) -> dict[str, Any]:
    if not detailed:
        return {"rfilename": path}
    large = {"lfs": {"sha256": blob.sha256, "size": blob.size, "pointerSize": 134}}
    return {"rfilename": path, "size": blob.size, "blobId": blob.oid, **(large if blob.lfs else {})}


def _commits(call: Call, kind: str, name: str, revision: str) -> Answer:
    repo = call.repo(kind, name, inside=False)
    return in_json(
        [
            {
                "id": sha,
                "title": note.title,
                "message": note.message,
                "date": note.date,
                "authors": [{"user": note.author}],
            }
            for sha, note in repo.history(commit_of(repo, revision)[0])
        ]
    )


def _refs(call: Call, kind: str, name: str) -> Answer:
    lists: dict[str, list[dict[str, str]]] = {"heads": [], "tags": [], "convert": [], "pr": []}
    for ref, sha in call.repo(kind, name, inside=False).refs.items():
        _, group, own = ref.split("/", 2)
        lists[group].append({"name": own, "ref": ref, "targetCommit": sha})
    names = {"heads": "branches", "tags": "tags", "convert": "converts", "pr": "pullRequests"}
    return in_json({names[group]: refs for group, refs in lists.items()})


def _tree(call: Call, kind: str, name: str, revision: str, folder: str | None) -> Answer:
    _, tree = commit_of(call.repo(kind, name, inside=False), revision)
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
    return in_json(list(entries.values())[start : start + call.page], **headers)


def _paths(call: Call, kind: str, name: str, revision: str) -> Answer:
    _, tree = commit_of(call.repo(kind, name, inside=False), revision)
    found = []
    for path in call.form.get("paths", []):
        if path in tree:
            found.append(tree[path].entry(path))
        elif any(other.startswith(f"{path}/") for other in tree):
            found.append({"type": "directory", "path": path, "oid": "0" * 40, "size": 0})
    return in_json(found)


def _resolve(call: Call, kind: str | None, name: str, revision: str, path: str) -> Answer:
    repo = call.repo(kind or "models", name, inside=True)
    sha, tree = commit_of(repo, revision)
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


ROUTES: list[Route] = [
    ("GET", r"/api/whoami-v2", _whoami),
    ("GET|HEAD", r"/store/([0-9a-f]{64})", _stored),
    ("GET", rf"{KIND}{NAME}/refs", _refs),
    ("GET", rf"{KIND}{NAME}/commits/{REVISION}", _commits),
    ("GET", rf"{KIND}{NAME}/auth-check", _auth_check),
    ("GET", rf"{KIND}{NAME}/tree/{REVISION}(?:/(.*))?", _tree),
    ("POST", rf"{KIND}{NAME}/paths-info/{REVISION}", _paths),
    ("GET", rf"{KIND}{NAME}/revision/{REVISION}", _info),
    ("GET", rf"{KIND}{NAME}", _info),
    ("GET|HEAD", rf"/(?:(datasets)/)?{NAME}/resolve/{REVISION}/(.+)", _resolve),
]
"""Method, path and answer."""
