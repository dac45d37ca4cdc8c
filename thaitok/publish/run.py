"""Publishing from end to end: the plan, the trial, the commit, and the copy that comes back."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from thaitok.config import Config
from thaitok.errors import UserError, explain_system_error
from thaitok.publish.config import PublishConfig
from thaitok.publish.plan import Plan, plan_publish
from thaitok.publish.remote import (
    WAITS,
    Account,
    There,
    account,
    changes,
    look,
    open_hub,
    refuse_misfit,
    refuse_tag,
    same,
    tree,
    unreachable,
)
from thaitok.publish.trial import Trial
from thaitok.publish.upload import create, send, tag

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger("thaitok")


class Published(Config):
    """What came of publishing."""

    url: str
    """Where a user finds it: the repo, or the pull request."""
    repo: str
    commit: str
    """The commit that holds it."""
    changed: bool
    """False when it was there already, to the byte: then no commit was made."""


def prepare(config: PublishConfig) -> Plan:
    """Return the plan of a dry run: checked, loaded by a process of its own, compared with the Hub.

    Nothing is written, and no token is needed. Where the Hub cannot be asked, a note says so.
    Raises `UserError` as `plan_publish` does, and for a repo that the folder cannot go to.
    """
    from huggingface_hub import get_token

    plan = plan_publish(config)
    try:
        if "/" not in config.repo and get_token() is not None:
            config = _owned(config, account(open_hub(config.endpoint)))
            plan = plan_publish(config)
        plan, _ = _compared(open_hub(config.endpoint), plan, config, waits=())
    except UserError as err:
        if not unreachable(err):
            raise
        note = "the Hub cannot be asked: what is there already is not shown"
        plan = plan.model_copy(update={"notes": (*plan.notes, note)})
    if plan.problems or (plan.changes is not None and not plan.to_do):
        return plan
    with Trial(plan, config.endpoint) as trial:
        problem = trial.load_folder()
    return plan.model_copy(update={"problems": (problem,)}) if problem else plan


def publish_folder(
    config: PublishConfig, agree: Callable[[Plan], bool] = lambda _: True
) -> Published:
    """Check a folder, show the plan to `agree`, commit it, fetch it again and compare.

    What is there already is not sent again, and a repo that is equal gets no commit. Raises
    `UserError` for every fault of the folder, the token or the Hub; before the commit nothing is
    seen on the Hub but a new repo that is empty.
    """
    _bars()
    api = open_hub(config.endpoint)
    whose = account(api)
    config = _owned(config, whose)
    plan = plan_publish(config)
    _require_sound(plan)
    owner = config.repo.split("/")[0]
    if owner not in whose.owners and not config.create_pr:
        do = f"write {whose.name}/… or one of your organisations, or give --create-pr"
        raise UserError(f"the token is {whose.name}'s, not {owner}'s", where="--repo", do=do)
    plan, there = _compared(api, plan, config)
    if not plan.to_do:
        agree(plan)
        there = create(api, plan, config, there)
        assert there.head is not None
        if config.tag and config.tag not in there.tags:
            tag(api, plan, config.tag, there.head)
        return Published(url=plan.url, repo=plan.repo, commit=there.head, changed=False)
    with Trial(plan, config.endpoint) as trial:
        if problem := trial.load_folder():
            raise UserError(problem, where=plan.folder)
        if not agree(plan):
            raise UserError("nothing was sent", where=plan.repo)
        there = create(api, plan, config, there)
        sent = send(api, plan, config, there)
        log.info("committed as %s; fetching it again", sent.commit[:12])
        _compare_back(api, plan, trial, sent.commit)
    if config.tag:
        tag(api, plan, config.tag, sent.commit)
    url = sent.pull_request or plan.url
    return Published(url=url, repo=plan.repo, commit=sent.commit, changed=True)


def _owned(config: PublishConfig, whose: Account) -> PublishConfig:
    """Return the config with the user's name before a repo's that has none."""
    repo = config.repo if "/" in config.repo else f"{whose.name}/{config.repo}"
    return config.model_copy(update={"repo": repo})


def _bars() -> None:
    """Leave the client's bars out where stderr is no terminal."""
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    if not sys.stderr.isatty():
        disable_progress_bars()


def _require_sound(plan: Plan) -> None:
    if plan.problems:
        raise UserError("; ".join(plan.problems), where=plan.folder)


def _compared(
    api: HfApi, plan: Plan, config: PublishConfig, waits: tuple[float, ...] = WAITS
) -> tuple[Plan, There]:
    """Return the plan with what is different on the Hub, and what is there."""
    if "/" not in plan.repo:  # a dry run without a token
        return plan, There()
    there = look(api, plan.repo, plan.repo_type, config.revision, waits)
    other = "model" if plan.repo_type == "dataset" else "dataset"
    taken = not there.exists and look(api, plan.repo, other, None, waits).exists
    refuse_misfit(plan, config, there, taken)
    path = f"datasets/{plan.repo}" if plan.repo_type == "dataset" else plan.repo
    found = tuple(changes(plan, there))
    plan = plan.model_copy(
        update={"url": f"{api.endpoint}/{path}", "head": there.head, "changes": found}
    )
    refuse_tag(config, there, unchanged=not plan.to_do)
    plan = plan.model_copy(update={"notes": (*plan.notes, *_notes_on_kept(plan))})
    if len(plan.sent) <= config.files_at_once:
        return plan, there
    many = f"{len(plan.sent)} files are too many for one commit"
    if plan.kind != "corpus" or config.create_pr:
        do = "publish it without --create-pr" if config.create_pr else "use fewer, larger shards"
        raise UserError(many, where=plan.folder, do=do)
    plan = plan.model_copy(update={"notes": (*plan.notes, f"{many}: they go up in several")})
    return plan, there


def _notes_on_kept(plan: Plan) -> Iterator[str]:
    """Yield what may no longer fit of the files that stay there."""
    kept = [one.name for one in plan.changes or () if one.what == "kept"]
    graphs = [name for name in kept if name.endswith(".onnx")]
    if graphs and any(one.name.endswith(".safetensors") for one in plan.sent):
        yield f"{', '.join(graphs)} there are of other weights than yours; export the model again"
    if "LICENSE" in kept:
        yield f"LICENSE there stays: see that it says {plan.license}"


def _compare_back(api: HfApi, plan: Plan, trial: Trial, commit: str) -> None:
    """Raise `UserError` when a commit is not, to the byte and the output, what the folder is."""
    there = tree(api, plan.repo, plan.repo_type, commit)
    wrong = [
        file.name
        for file in plan.files
        if file.name not in there or not same(plan, file.name, file.sha256, there[file.name][0])
    ]
    try:
        problem = f"{', '.join(wrong)} differ" if wrong else trial.load_repo(plan.repo, commit)
    except OSError as err:
        problem = str(explain_system_error(err) or err)
    if problem:
        do = "look at it there before others use it"
        raise UserError(f"was committed as {commit}, but {problem}", where=plan.url, do=do)
