"""How large files come to the local Hub: what to send, LFS batch, whole or in parts, verify."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path
from typing import Any

from hub_calls import KIND, NAME, REVISION, Answer, Call, Refusal, Route, commit_of, in_json
from hub_store import Repo, Upload, is_large

LFS = rf"/(?:(datasets)/)?{NAME}\.git/info/lfs"


def _preupload(call: Call, kind: str, name: str, revision: str) -> Answer:
    repo = call.written(kind, name, call.query.get("create_pr") == ["1"])
    _, tree = commit_of(repo, revision)
    files = []
    for one in call.json()["files"]:
        large = is_large(one["path"], one["size"]) or b"\0" in base64.b64decode(one["sample"])
        there = tree.get(one["path"])
        oid = None if there is None else there.sha256 if there.lfs else there.oid
        mode = "lfs" if large else "regular"
        files.append({**one, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return in_json({"files": files})


def _batch(call: Call, kind: str | None, name: str) -> Answer:
    repo = call.written(kind or "models", name, request=True)
    objects = [_instructions(call, repo, **one) for one in call.json()["objects"]]
    return in_json({"transfer": "basic", "objects": objects})


def _instructions(call: Call, repo: Repo, oid: str, size: int) -> dict[str, Any]:
    """Say where the content of a large file goes, or that it is here."""
    told = {"oid": oid, "size": size, "authenticated": True}
    if oid in repo.objects:
        return told
    ticket = f"{len(call.store.uploads):08x}"
    call.store.uploads[ticket] = Upload(repo, oid, size)
    place = f"{call.urls[1]}/upload/{ticket}"
    upload: dict[str, Any] = {"href": f"{place}/0"}
    step = call.store.part_size
    if step is not None and size > step:
        count = -(-size // step)
        parts = {f"{number:05}": f"{place}/{number}" for number in range(1, count + 1)}
        upload = {"href": f"{call.urls[0]}/api/complete/{ticket}"}
        upload["header"] = {"chunk_size": str(step), **parts}
    folder = "datasets/" if repo.kind == "dataset" else ""
    verify = f"{call.urls[0]}/{folder}{repo.id}.git/info/lfs/objects/verify"
    return {**told, "actions": {"upload": upload, "verify": {"href": verify}}}


def _put(call: Call, ticket: str, part: str) -> Answer:
    """Take a file or a part of one; its address is its permission, as with a signed URL."""
    upload = call.store.uploads.get(ticket)
    if upload is None or call.body.file is None:
        raise Refusal(403, "", "Access Denied")
    if int(part):
        upload.parts[int(part)] = call.body.file.rename(call.store.folder / f"{ticket}-{part}")
    else:
        _take(call, upload, call.body.file, call.body.sha256)
    return Answer(headers={"ETag": f'"{call.body.sha256[:32]}"'})


def _complete(call: Call, ticket: str) -> Answer:
    """Put the parts of a file together."""
    upload = call.store.uploads.get(ticket)
    told = [one["partNumber"] for one in call.json()["parts"]]
    if upload is None or told != sorted(upload.parts):
        raise Refusal(400, "", "parts are missing")
    whole = call.store.folder / f"{ticket}-whole"
    with whole.open("wb") as sink:
        for number in told:
            with upload.parts[number].open("rb") as source:
                shutil.copyfileobj(source, sink, 1 << 20)
            upload.parts[number].unlink()
    with whole.open("rb") as stream:
        _take(call, upload, whole, hashlib.file_digest(stream, "sha256").hexdigest())
    return in_json({})


def _take(call: Call, upload: Upload, file: Path, sha256: str) -> None:
    """Keep what was uploaded under its sha256, if it is what was promised."""
    if (sha256, file.stat().st_size) != (upload.sha256, upload.size):
        raise Refusal(400, "", "the content is not what its sha256 says")
    file.rename(call.store.folder / sha256)
    upload.repo.objects.add(sha256)


def _verify(call: Call, kind: str | None, name: str) -> Answer:
    repo, told = call.written(kind or "models", name, request=True), call.json()
    if told["oid"] not in repo.objects or call.store.large(told["oid"]).size != told["size"]:
        raise Refusal(404, "", "object not found")
    return in_json({})


ROUTES: list[Route] = [
    ("POST", rf"{KIND}{NAME}/preupload/{REVISION}", _preupload),
    ("POST", rf"{LFS}/objects/batch", _batch),
    ("POST", rf"{LFS}/objects/verify", _verify),
    ("PUT", r"/store/upload/([0-9a-f]{8})/(\d+)", _put),
    ("POST", r"/api/complete/([0-9a-f]{8})", _complete),
]
"""Method, path and answer."""
