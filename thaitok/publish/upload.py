"""Sending: one commit onto the commit that was looked at, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from thaitok.card import CARD
from thaitok.errors import UserError
from thaitok.publish.config import PublishConfig
from thaitok.publish.plan import Plan
from thaitok.publish.remote import There, ask, look

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger("thaitok")


@dataclass(frozen=True, slots=True)
class Sent:
    """The commit that holds what was published, and the pull request if it is one."""

    commit: str
    pull_request: str | None = None


def create(api: HfApi, plan: Plan, config: PublishConfig, there: There) -> There:
    """Make the repo and the branch where they are not there; return the repo as it then is."""
    if not there.exists:
        ask(
            lambda: api.create_repo(
                plan.repo, repo_type=plan.repo_type, private=config.private or None
            ),
            plan.repo,
            waits=(),  # one that came to be meanwhile was not looked at
        )
        there = look(api, plan.repo, plan.repo_type, config.revision)
    if config.revision and not there.branch:
        branch, head = config.revision, there.head
        ask(
            lambda: api.create_branch(
                plan.repo, branch=branch, revision=head, repo_type=plan.repo_type, exist_ok=True
            ),
            plan.repo,
        )
    return there


def send(api: HfApi, plan: Plan, config: PublishConfig, there: There) -> Sent:
    """Commit the changes of a plan in one commit whose parent is `there.head`.

    Raises `UserError` when the Hub refuses it; then nothing was committed, and what was uploaded
    is not sent again by the next run.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    head, to_do = there.head, plan.to_do
    if len(plan.sent) > config.files_at_once:
        head = _send_parts(api, plan, config, there)
        to_do = tuple(one for one in to_do if one.what == "removed" or not _is_part(one.name))
    operations: list[Any] = [
        CommitOperationDelete(path_in_repo=one.name)
        if one.what == "removed"
        else CommitOperationAdd(
            path_in_repo=one.name,
            path_or_fileobj=plan.content(one.name),
        )
        for one in to_do
    ]
    _require_unchanged(plan, operations)
    try:
        found = ask(
            lambda: api.create_commit(
                plan.repo,
                operations,
                commit_message=config.message,
                repo_type=plan.repo_type,
                revision=config.revision,
                create_pr=config.create_pr,
                parent_commit=head,
            ),
            plan.repo,
            waits=(),  # a commit that came through unheard would be its own stale parent
        )
    except ValueError as err:  # the Hub's word on a card's front matter
        said = " ".join(str(err).split())
        raise UserError(f"the Hub does not take the card: {said}", where=CARD) from None
    return Sent(found.oid, found.pr_url)


def _require_unchanged(plan: Plan, operations: Sequence[Any]) -> None:
    """Raise `UserError` for a file that is no longer what was checked."""
    planned = {file.name: file.sha256 for file in plan.files}
    for one in operations:
        info = getattr(one, "upload_info", None)
        if info is not None and info.sha256.hex() != planned[one.path_in_repo]:
            do = "publish again once nothing writes to it"
            raise UserError("changed meanwhile", where=plan.folder / one.path_in_repo, do=do)


def _is_part(name: str) -> bool:
    return name.startswith("part-")


def _send_parts(api: HfApi, plan: Plan, config: PublishConfig, there: There) -> str | None:
    """Send the parts of a large corpus by the library's resumable upload; return the new head."""
    if look(api, plan.repo, plan.repo_type, config.revision).head != there.head:
        what = "somebody else changed the repo meanwhile, and nothing was sent"
        raise UserError(what, where=plan.repo, do="run again to see what is there now")
    parts = [one.name for one in plan.sent if _is_part(one.name)]
    log.info("%d files go up in several commits; stopped, run the same command again", len(parts))
    where: dict[str, Any] = {
        "folder_path": plan.folder, "repo_type": plan.repo_type, "revision": config.revision,
        "allow_patterns": parts,
    }  # fmt: skip
    # Since version 2 of the client its `upload_folder` is the one that takes up what was begun.
    old = getattr(api, "upload_large_folder", None)
    if old is None:
        where["commit_message"] = config.message
    ask(lambda: (old or api.upload_folder)(repo_id=plan.repo, **where), plan.repo)
    return look(api, plan.repo, plan.repo_type, config.revision).head


def tag(api: HfApi, plan: Plan, name: str, commit: str) -> None:
    """Put a tag on a commit."""
    ask(
        lambda: api.create_tag(
            plan.repo, tag=name, revision=commit, repo_type=plan.repo_type, exist_ok=True
        ),
        plan.repo,
    )
