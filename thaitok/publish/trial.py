"""The trial: what is published, loaded by a process that has nothing of ours and an empty cache."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thaitok.publish.plan import Plan

PROBE = Path(__file__).with_name("probe.py")
TOLERANCE = 1e-4
"""How far two outputs of the same weights may lie apart: kernels may add up in another order."""
FETCHED = 1 << 30
"""Bytes of a corpus that are fetched again; the sums of all files are compared as the Hub tells
them."""


class Trial:
    """A process that loads the folder, and later the repo; use it as a context."""

    def __init__(self, plan: Plan, endpoint: str | None) -> None:
        self.plan = plan
        self.place = tempfile.TemporaryDirectory(prefix="thaitok-publish-")
        cache = Path(self.place.name)
        env = {
            **os.environ,
            "HF_HUB_CACHE": str(cache / "hub"),
            "HF_DATASETS_CACHE": str(cache / "datasets"),
            "HF_XET_CACHE": str(cache / "xet"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "TRANSFORMERS_VERBOSITY": "error",
            "PYTHONIOENCODING": "utf-8",
        }
        if endpoint is not None:
            env["HF_ENDPOINT"] = endpoint
        self.folder = cache / "folder"
        self._stage()
        self.errors = (cache / "stderr").open("w+")
        self.process = subprocess.Popen(
            # -P: no module beside the script, or here, stands in for one of the same name.
            [sys.executable, "-P", str(PROBE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=env,
            cwd=cache,
            text=True,
        )
        self.values: list[float] = []

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()
        self.place.cleanup()

    def load_folder(self) -> str | None:
        """Load what is to be published; return what is wrong with it, None if nothing is."""
        answer = self._ask(str(self.folder), None, [])
        self.values = answer["values"]
        if answer["problem"]:
            return str(answer["problem"])
        finite = all(map(math.isfinite, self.values))
        return None if finite else "its outputs are no finite numbers: train the model again"

    def load_repo(self, repo: str, commit: str) -> str | None:
        """Fetch a commit and load it; return how it differs from the folder, None if not at all."""
        files = self._fetched()
        answer = self._ask(repo, commit, list(files))
        if answer["problem"]:
            return str(answer["problem"])
        differ = [name for name, digest in files.items() if answer["sums"][name] != digest]
        if differ:
            return f"{', '.join(differ)} came back different"
        values = answer["values"]
        if len(values) != len(self.values):
            return "it gives another number of outputs than the folder here"
        apart = max((abs(a - b) for a, b in zip(values, self.values, strict=True)), default=0.0)
        # What is no number is not near.
        return None if apart <= TOLERANCE else f"its outputs are {apart:.2g} from the folder's"

    def _stage(self) -> None:
        """Lay out what is to be published and nothing else: what stays must not be needed."""
        for file in self.plan.files:
            place = self.folder / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            content = self.plan.content(file.name)
            if isinstance(content, bytes):
                place.write_bytes(content)
            else:
                place.symlink_to(content.resolve())

    def _fetched(self) -> dict[str, str]:
        """Return the sums of the files to fetch: all, of a large corpus the first."""
        files: dict[str, str] = {}
        total = 0
        for file in sorted(self.plan.files, key=lambda file: file.bytes > FETCHED):
            total += file.bytes
            if self.plan.kind == "corpus" and total > FETCHED and files:
                break
            files[file.name] = file.sha256
        return files

    def _ask(self, source: str, revision: str | None, files: Sequence[str]) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        config = self.folder / "config.json"
        told = json.loads(config.read_bytes()) if config.is_file() else {}
        question = {
            "kind": self.plan.kind, "source": source, "revision": revision, "files": files,
            "config": told,
        }  # fmt: skip
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, ValueError):
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["it ended without a word"])[-1]
            return {"values": [], "sums": {}, "problem": last}
        return answer
