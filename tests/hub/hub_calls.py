"""A request to the local Hub and its answer: who asks, what they may, how errors are told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from hub_store import Account, Blob, Repo, Store

NAME = r"([^/]+(?:/[^/]+)?)"
REVISION = r"(refs/(?:convert|pr)/[^/]+|[^/]+)"
KIND = r"/api/(datasets|models)/"


class Refusal(Exception):
    """A request that is answered with an error the client knows by its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Body:
    """What came with a request: in memory, or as a file for what goes to the store."""

    size: int = 0
    data: bytes = b""
    file: Path | None = None
    sha256: str = ""


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
    body: Body

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.data.decode("utf-8", "replace"))

    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body.data)
        except ValueError as err:
            raise Refusal(400, "", f"Invalid JSON: {err}") from err
        if not isinstance(value, dict):
            raise Refusal(400, "", "Invalid JSON: not an object")
        return value

    def account(self) -> Account | None:
        """Return who asks, None without a token."""
        found = self.store.tokens.get(self.token or "")
        if self.token is not None and found is None:
            raise Refusal(401, "", "Invalid credentials in Authorization header")
        return found

    def repo(self, kind: str, name: str, inside: bool) -> Repo:
        """Return the repository asked for; `inside` a gated one only its members may look."""
        repo = self.store.repos.get((kind.removesuffix("s"), unquote(name)))
        who = self.account()
        member = who and repo and (repo.id in who.granted or who.owns(repo.id))
        if repo is None or (repo.private and not member):
            status = 401 if self.token is None else 404
            raise Refusal(status, "RepoNotFound", "Repository not found")
        if inside and repo.gated and not member:
            status = 401 if self.token is None else 403
            said = f"Access to {repo.kind} {repo.id} is restricted."
            raise Refusal(status, "GatedRepo", said)
        return repo

    def writer(self, what: str) -> Account:
        """Return who asks, with a token that may write."""
        who = self.account()
        if who is None:
            # The code is what the client makes of such a 401 of the real Hub by its URL.
            raise Refusal(401, "RepoNotFound", "Invalid username or password.")
        if who.role != "write":
            raise Refusal(403, "", f"Authorization error: a read token may not {what}")
        return who

    def written(self, kind: str, name: str, request: bool = False) -> Repo:
        """Return the repository to be written to by its owner; anyone may for a pull request."""
        repo = self.repo(kind, name, inside=True)
        who = self.writer("write")
        if not request and not who.owns(repo.id):
            raise Refusal(403, "", "Authorization error.")
        return repo


@dataclass
class Answer:
    """What goes back: JSON, or a blob of which a range may be asked."""

    body: bytes = b""
    blob: Blob | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def in_json(value: Any, status: int = 200, **headers: str) -> Answer:
    headers = {"Content-Type": "application/json", **headers}
    return Answer(json.dumps(value, default=str).encode(), status=status, headers=headers)


def refused(err: Refusal) -> Answer:
    answer = in_json({"error": str(err)}, err.status)
    said = str(err).encode("ascii", "backslashreplace").decode().replace("\n", " ")
    answer.headers["X-Error-Message"] = said
    if err.code:
        answer.headers["X-Error-Code"] = err.code
    return answer


def commit_of(repo: Repo, revision: str) -> tuple[str, dict[str, Blob]]:
    """Return the commit that a revision in a URL means, and its files."""
    sha = repo.sha_of(unquote(revision))
    if sha is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {unquote(revision)}")
    return sha, repo.commits[sha]


def url_of(call: Call, repo: Repo) -> str:
    """Return where a browser would find a repository."""
    return f"{call.urls[0]}/{'datasets/' if repo.kind == 'dataset' else ''}{repo.id}"


Route = tuple[str, str, Callable[..., Answer]]


def answer_to(call: Call, routes: Iterable[Route]) -> Answer:
    """Return the answer of the first route whose method and path are the call's."""
    for method, pattern, respond in routes:
        match = re.fullmatch(pattern, call.path)
        if match and re.fullmatch(method, call.method):
            try:
                return respond(call, *match.groups())
            except Refusal as err:
                return refused(err)
    return Answer(b"Not found", status=404)
