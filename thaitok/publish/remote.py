"""The Hub's side: who asks, what a repo holds, and how it differs from a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from thaitok.errors import UserError
from thaitok.hub_faults import LOG_IN, lost, patiently
from thaitok.publish.config import PublishConfig
from thaitok.publish.contents import REPLACED, fits
from thaitok.publish.plan import Change, Plan

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Result = TypeVar("Result")

WAITS = (2.0, 5.0)
"""Seconds before the next try at a Hub that cannot be reached; the client itself waits longer where
it sends files."""
WRITE_TOKEN = "make one with write access in your Hub settings, then `hf auth login`"


def open_hub(endpoint: str | None) -> HfApi:
    """Return the client of a Hub; `UserError` for an address that is none."""
    from huggingface_hub import HfApi

    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        raise UserError(f"{endpoint} is no address of a Hub", do="write https://…")
    return HfApi(endpoint=endpoint and endpoint.rstrip("/"))


def ask(question: Callable[[], Result], where: str, waits: tuple[float, ...] = WAITS) -> Result:
    """Put a question to the Hub, with what it refuses to a writer told in one line."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return patiently(question, where, waits)
    except UserError as err:
        if isinstance(err.__cause__, HfHubHTTPError):
            raise _refused(err.__cause__, where) or err from err.__cause__
        raise


def unreachable(err: UserError) -> bool:
    """Say whether the Hub could not be asked at all."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    cause = err.__cause__
    return cause is not None and (isinstance(cause, OfflineModeIsEnabled) or lost(cause))


def _refused(err: Any, where: str) -> UserError | None:
    match err.response.status_code:
        case 403:
            return UserError("the token may not write there", where=where, do=WRITE_TOKEN)
        case 412:
            what = "somebody else changed the repo meanwhile, and nothing was committed"
            return UserError(what, where=where, do="run again to see what is there now")
        case 400 | 409 | 413 | 422 as code:
            said = " ".join(str(err.server_message or "").split())
            what = f"the Hub answered {code}" + (f": {said[:200]}" if said else "")
            return UserError(what, where=where)
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is, and for whom it may write."""

    name: str
    owners: tuple[str, ...]


def account(api: HfApi) -> Account:
    """Return who is logged in.

    Raises `UserError` when nobody is, or the token is not accepted or may only read.
    """
    from huggingface_hub import get_token

    if get_token() is None:
        raise UserError("no Hub token", do=LOG_IN)
    told = ask(api.whoami, "the Hub")
    role = ((told.get("auth") or {}).get("accessToken") or {}).get("role")
    if role == "read":
        raise UserError("the token may read and not write", where="the Hub", do=WRITE_TOKEN)
    orgs = [str(one["name"]) for one in told.get("orgs") or ()]
    return Account(told["name"], (told["name"], *orgs))


@dataclass(frozen=True, slots=True)
class There:
    """A repo as it is: the commit of a branch and its files, by name their sums and sizes."""

    exists: bool = False
    head: str | None = None
    branch: bool = True
    """Whether the branch asked for is there; else `head` is main's."""
    private: bool = False
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name → (sha256 of an LFS file, git's name of another; bytes)."""
    tags: dict[str, str] = field(default_factory=dict)
    """Tag → commit."""


def look(
    api: HfApi, repo: str, repo_type: str, revision: str | None, waits: tuple[float, ...] = WAITS
) -> There:
    """Return what a repo holds; raises `UserError` when the Hub does not tell."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    def info(of: str | None) -> Any:
        return api.repo_info(repo, repo_type=repo_type, revision=of, timeout=30)

    def find() -> tuple[Any, bool] | None:
        try:
            return info(revision), True
        except RevisionNotFoundError:
            if revision and revision.startswith("refs/"):
                raise
            return info(None), False
        except RepositoryNotFoundError:
            return None

    found = ask(find, repo, waits)
    if found is None:
        return There()
    known, branch = found
    refs = ask(lambda: api.list_repo_refs(repo, repo_type=repo_type), repo, waits)
    return There(
        exists=True,
        head=known.sha,
        branch=branch,
        private=bool(known.private),
        files=tree(api, repo, repo_type, known.sha) if known.sha else {},
        tags={tag.name: tag.target_commit for tag in refs.tags},
    )


def tree(api: HfApi, repo: str, repo_type: str, commit: str) -> dict[str, tuple[str, int]]:
    """Return the files of a commit: their sums and bytes by name."""
    from huggingface_hub.hf_api import RepoFile

    def entries() -> list[Any]:
        return list(api.list_repo_tree(repo, recursive=True, revision=commit, repo_type=repo_type))

    return {
        entry.path: (entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size)
        for entry in ask(entries, repo)
        if isinstance(entry, RepoFile)
    }


def same(plan: Plan, name: str, sha256: str, told: str) -> bool:
    """Say whether a file is what the Hub tells of it, by its sha256 or by git's name for it."""
    if len(told) == len(sha256):
        return told == sha256
    content = plan.content(name)
    raw = content if isinstance(content, bytes) else content.read_bytes()
    return told == hashlib.sha1(b"blob %d\0" % len(raw) + raw).hexdigest()


def changes(plan: Plan, there: There) -> Iterator[Change]:
    """Yield what the commit does to each file."""
    for file in plan.files:
        told = there.files.get(file.name)
        if told is None:
            yield Change(name=file.name, what="added", bytes=file.bytes)
        else:
            equal = file.bytes == told[1] and same(plan, file.name, file.sha256, told[0])
            what = "unchanged" if equal else "changed"
            yield Change.model_validate({"name": file.name, "what": what, "bytes": file.bytes})
    names = {file.name for file in plan.files}
    for name, (_, size) in there.files.items():
        if name not in names:
            stale = fits(name, REPLACED[plan.kind])
            yield Change(name=name, what="removed" if stale else "kept", bytes=size)


def refuse_misfit(plan: Plan, config: PublishConfig, there: There, other: bool) -> None:
    """Raise `UserError` where the repo is not one that this folder can go to.

    `other` says whether there is a repo of that name of the other type.
    """
    wanted, unwanted = ("dataset", "model") if plan.kind == "corpus" else ("model", "dataset")
    if other and not there.exists:
        what = f"is a {unwanted} repo, and a {plan.kind} goes to a {wanted} repo"
        raise UserError(what, where=plan.repo, do="choose another --repo")
    if not there.exists:
        if config.create_pr:
            raise UserError("no such repo to open a pull request in", where=plan.repo)
        return
    if config.private and not there.private:
        do = "make it private in its settings first, or choose another --repo"
        raise UserError("is public already, and --private is for new repos", where=plan.repo, do=do)
    if plan.kind == "tokenizer" and "config.json" in there.files:
        what = "holds a model, whose tokenizer would be replaced alone"
        raise UserError(what, where=plan.repo, do="choose another --repo, or publish the model")
    if plan.kind == "export" and any(name.endswith(".safetensors") for name in there.files):
        what = "holds the model itself, whose card and licence would be replaced"
        raise UserError(what, where=plan.repo, do="choose another --repo for its export")


def refuse_tag(config: PublishConfig, there: There, unchanged: bool) -> None:
    """Raise `UserError` where the tag is taken by another commit, or the branch is a tag."""
    if config.revision in there.tags:
        what = f"{config.revision} is a tag there, and not a branch"
        raise UserError(what, where=config.repo, do="choose another --revision")
    at = there.tags.get(config.tag or "")
    if at is not None and not (unchanged and at == there.head):
        raise UserError(
            f"has the tag {config.tag} already, at {at[:12]}",
            where=config.repo,
            do="choose another --tag",
        )
