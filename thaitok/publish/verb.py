"""The verb `thaitok publish`."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thaitok.console import ConfigFile, Json, Set
from thaitok.errors import UserError

if TYPE_CHECKING:
    from thaitok.publish.plan import Plan

log = logging.getLogger("thaitok")


def publish(
    folder: Annotated[
        Path | None, typer.Argument(help="Tokenizer, model, corpus or export; a run or result.")
    ] = None,
    repo: Annotated[str | None, typer.Option(help="NAMESPACE/NAME on the Hub.")] = None,
    license_: Annotated[str | None, typer.Option("--license", help="Such as cc-by-sa-4.0.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, and upload nothing.")] = False,
    private: Annotated[bool, typer.Option("--private", help="For a new repo.")] = False,
    revision: Annotated[str | None, typer.Option(help="A branch; main by default.")] = None,
    create_pr: Annotated[bool, typer.Option("--create-pr", help="Open a pull request.")] = False,
    message: Annotated[str | None, typer.Option(help="The commit's message.")] = None,
    tag: Annotated[str | None, typer.Option(help="A tag for the commit.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    endpoint: Annotated[str | None, typer.Option(help="Another Hub's address.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Publish a folder on the Hugging Face Hub: checked, in one commit, fetched again, compared.

    The token is HF_TOKEN, or what `hf auth login` keeps.
    """
    from thaitok.config import load_config
    from thaitok.publish import PublishConfig, prepare, publish_folder

    flags: dict[str, Any] = {
        "folder": folder, "repo": repo, "license": license_, "private": private or None,
        "revision": revision, "create_pr": create_pr or None, "message": message, "tag": tag,
        "endpoint": endpoint,
    }  # fmt: skip
    settings = load_config(PublishConfig, config, set_ or (), **flags)
    if as_json and not (yes or dry_run):
        raise UserError("--json asks nothing", do="give --yes, or --dry-run")
    if dry_run:
        plan = prepare(settings)
        if as_json:
            print(json.dumps(plan.model_dump(mode="json"), ensure_ascii=False))
        else:
            _show(plan)
            print(plan.card)
        if plan.problems:
            raise UserError("; ".join(plan.problems), where=plan.folder)
        return

    def agree(plan: Plan) -> bool:
        if not as_json:
            _show(plan)
        return yes or not plan.to_do or _asked(plan)

    found = publish_folder(settings, agree)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
        return
    log.info(
        "%s, as %s", "published" if found.changed else "nothing to do: it is there", found.commit
    )
    print(found.url)


def _asked(plan: Plan) -> bool:
    if not (sys.stdin and sys.stdin.isatty()):
        raise UserError(
            "nobody is there to be asked", where=plan.repo, do="give --yes, or --dry-run first"
        )
    try:
        return typer.confirm(f"Publish this as {plan.repo}?", err=True)
    except typer.Abort:
        return False


def _show(plan: Plan) -> None:
    from thaitok.show import print_table

    what = {one.name: one.what for one in plan.changes or ()}
    files = [(one.name, what.get(one.name, "?"), one.bytes, one.sha256[:12]) for one in plan.files]
    files += [(one.name, one.what, one.bytes, "") for one in plan.changes or ()
              if one.what in ("removed", "kept")]  # fmt: skip
    print_table(f"To {plan.url or plan.repo}", ("file", "there it is", "bytes", "sha256"), files)
    left = [(one.name, one.reason) for one in plan.left_out]
    print_table("Stays here", ("file", "why"), left)
    for note in plan.notes:
        log.info("note: %s", note)
