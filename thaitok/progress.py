"""Progress on stderr: a bar with rate and ETA on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

log = logging.getLogger("thaitok")

PLAIN_EVERY = 10.0
"""Seconds between two lines where stderr is no terminal."""


class Advance(Protocol):
    """Moves a progress by `steps`, with an optional note such as `loss 5.21`."""

    def __call__(self, steps: int = 1, note: str = "") -> None: ...


@contextmanager
def progress(title: str, total: int | None = None, unit: str = "") -> Iterator[Advance]:
    """Show how far a long loop has come; yields the function that moves it."""
    shown = _bar if sys.stderr.isatty() else _lines
    with shown(title, total, unit) as advance:
        yield advance


@contextmanager
def _bar(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit + " {task.fields[rate]} {task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, rate="", note="")

        def advance(steps: int = 1, note: str = "") -> None:
            speed = bars.tasks[task].speed
            rate = f"{speed:,.1f}/s" if speed else ""
            bars.update(task, advance=steps, rate=rate, note=note)

        yield advance


@contextmanager
def _lines(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    start = last = time.monotonic()
    done = 0

    def say(note: str) -> None:
        seconds = time.monotonic() - start
        rate = done / seconds if seconds > 0 else 0.0
        of = f"/{total:,}" if total else ""
        eta = f", {(total - done) / rate:.0f} s to go" if total and rate and done < total else ""
        tail = f", {note}" if note else ""
        log.info("%s: %s%s %s, %s/s%s%s", title, f"{done:,}", of, unit, f"{rate:,.1f}", eta, tail)

    note_now = ""

    def advance(steps: int = 1, note: str = "") -> None:
        nonlocal done, last, note_now
        done += steps
        note_now = note or note_now
        if time.monotonic() - last >= PLAIN_EVERY:
            last = time.monotonic()
            say(note_now)

    yield advance
    say(note_now)
