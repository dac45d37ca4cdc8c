"""The demo: the pipeline's own commands, one after another, on text the project makes itself."""

from __future__ import annotations

import logging
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from thaitok.errors import UserError

log = logging.getLogger(__name__)

TASKS = {"demo_sentiment": "", "demo_ner": " --set epochs=6", "demo_pos": ""}
"""The demo's tasks, and what a command changes to be done in half a minute."""
RESULTS = tuple(f"results/{task}" for task in TASKS)

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("clean", "corpus", "clean bundled/raw --out corpus"),
    ("train", "tokenizer", "train corpus --out tokenizer --config demo"),
    ("shard", "shards", "shard corpus --tokenizer tokenizer --out shards"),
    ("pretrain", "run", "pretrain --config tiny --shards shards --out run"),
    *(
        (
            f"finetune {task.removeprefix('demo_')}",
            f"results/{task}",
            f"finetune run/model --task {task} --data-dir bundled/bench "
            f"--out results/{task}{changes}",
        )
        for task, changes in TASKS.items()
    ),
    (
        "publish",
        f"{RESULTS[0]}/model",
        f"publish {RESULTS[0]} --repo you/thai-demo --license cc0-1.0 --dry-run",
    ),
)
"""Stage, the folder it makes, and its command, as a user would type it inside the folder."""


def run_demo(out: Path) -> list[tuple[str, float, str]]:
    """Run every command inside `out`; return stage, seconds and folder of each.

    Each command is a process of its own, as it will be for the user; those that are done
    already say so. Raises `UserError` when one fails, after its own message.
    """
    times = []
    for stage, folder, command in COMMANDS:
        log.info("\n$ thaitok %s", command)
        began = time.monotonic()
        code = _run([sys.executable, "-m", "thaitok", *shlex.split(command)], out)
        if code == 130:
            raise KeyboardInterrupt
        if code:
            raise UserError(f"the stage {stage!r} failed", where=out, do="see its message above")
        times.append((stage, round(time.monotonic() - began, 1), str(out / folder)))
    return times


def _run(command: list[str], folder: Path) -> int:
    """Run a command and return its exit code; on Ctrl-C it is left the time to end by itself."""
    # A handler that does nothing and not SIG_IGN, which the command would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.Popen(command, cwd=folder).wait()
    finally:
        signal.signal(signal.SIGINT, before)
