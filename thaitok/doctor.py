"""The doctor: what of this machine a run would need, and how to mend what is amiss."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from thaitok.crew import cores

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GIGABYTE = 10**9
TIGHT, FULL = 10 * GIGABYTE, GIGABYTE
"""Free bytes: a base model's checkpoints (1.3 GB each) need the first, a demo the second."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its name, what was found, whether that is well, and how to mend it."""

    name: str
    value: str
    state: Literal["ok", "warn", "fail"] = "ok"
    remedy: str = ""


def diagnose() -> list[Finding]:
    """Look at everything a run needs, in seconds; a check that breaks is a finding itself.

    Nothing is written or downloaded, and the Hub token is never read out.
    """
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            findings += check()
        except Exception as err:  # a broken install raises anything
            said = " ".join(f"{type(err).__name__}: {err}".split())[:200]
            findings.append(Finding(name, said, "fail", "install the project again"))
    return findings


def _python() -> Iterator[Finding]:
    # Its version needs no check: an older one could not have read this file.
    where = f"{platform.system()} {platform.machine()}"
    yield Finding("python", f"{platform.python_version()} on {where}")


def _dependencies() -> Iterator[Finding]:
    """Compare what is installed with the bounds that pyproject.toml sets."""
    from packaging.requirements import Requirement

    for line in requires("thaitok") or []:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield _dependency(wanted)


def _dependency(wanted: Requirement) -> Finding:
    remedy = f'pip install "{wanted.name}{wanted.specifier}"'
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return Finding(wanted.name, "not installed", "fail", remedy)
    if wanted.specifier.contains(found, prereleases=True):
        return Finding(wanted.name, found)
    return Finding(wanted.name, f"{found}, wanted {wanted.specifier}", "fail", remedy)


def _numpy() -> Iterator[Finding]:
    """NumPy and torch built for different NumPys import, and fail at the first array."""
    import numpy as np
    import torch

    torch.from_numpy(np.arange(4)).numpy()
    yield Finding("numpy with torch", "arrays pass both ways")


def _devices() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(index)
            size = f"{facts.total_memory / GIGABYTE:.0f} GB"
            yield Finding(f"device cuda:{index}", f"{facts.name}, {size}")
    elif torch.backends.mps.is_available():
        yield Finding("device mps", "Apple GPU")
    else:
        yield Finding(
            "device cpu",
            "no GPU",
            "warn",
            "fine for the demo, tokenizers and fine-tuning small models; pretrain base on a GPU",
        )


def _bf16() -> Iterator[Finding]:
    import torch

    from thaitok.devices import computes_bf16

    native = computes_bf16(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    yield Finding("bf16", "in hardware" if native else "not in hardware")


def _threads() -> Iterator[Finding]:
    import torch

    many, threads = cores(), torch.get_num_threads()
    found = f"{threads} on {many} cores"
    if threads > many:
        yield Finding("threads", found, "warn", f"set OMP_NUM_THREADS={many}")
    else:
        yield Finding("threads", found)


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free
    found = f"{free / GIGABYTE:.1f} GB free here"
    if free >= TIGHT:
        yield Finding("disk", found)
    else:
        yield Finding("disk", found, "warn" if free >= FULL else "fail", "free some space")


def _hub() -> Iterator[Finding]:
    from huggingface_hub import get_token

    if get_token() is not None:
        yield Finding("hub login", "a token is set")
    else:
        remedy = "only private repos and publishing need one: `hf auth login`"
        yield Finding("hub login", "none", "warn", remedy)


def _words() -> Iterator[Finding]:
    from thaitok.words import segment

    found = segment("แมวกินปลา")
    if found == ["แมว", "กิน", "ปลา"]:
        yield Finding("thai words", "pythainlp's word list works in nlpo3")
    else:
        remedy = "install pythainlp and nlpo3 again"
        yield Finding("thai words", f"แมวกินปลา was cut into {found}", "fail", remedy)


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": _python,
    "dependencies": _dependencies,
    "numpy with torch": _numpy,
    "device": _devices,
    "bf16": _bf16,
    "threads": _threads,
    "disk": _disk,
    "hub login": _hub,
    "thai words": _words,
}
"""Every check by the name it fails under."""
