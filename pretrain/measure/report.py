"""report.html of a run: its figures, curves, evaluations, settings and surroundings."""

from __future__ import annotations

import json
import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch

from pretrain.measure.tables import duration
from thaitok.charts import KEPT, TONES
from thaitok.curves import Line, line_chart
from thaitok.folder import package_versions, written
from thaitok.report import Chart, Figures, Group, Section, Table, html_page

Metrics: TypeAlias = Sequence[Mapping[str, float]]

CURVES = (
    ("Loss in nats", (("loss", "training"), ("eval_loss", "held out"))),
    ("Accuracy at the masked places, held out", (("eval_accuracy", "accuracy"),)),
    ("Bits a character, held out", (("eval_bits", "bits"),)),
    ("Norm of the gradient, before it is clipped", (("grad_norm", "norm"),)),
    ("Learning rate", (("learning_rate", "learning rate"),)),
    ("Tokens a second", (("tokens_per_second", "tokens"),)),
)
"""Charts: title, and for each line the key of metrics.jsonl and its name."""


def write_report(folder: Path) -> None:
    """Write report.html into a run folder, of what metrics.jsonl and config.toml tell so far."""
    config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    page = report_page(folder.name, read_metrics(folder / "metrics.jsonl"), config)
    with written(folder / "report.html") as stream:
        stream.write(page)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Return the lines of metrics.jsonl in order of steps.

    A line cut short by a kill, and what was logged before a run went back to an earlier step, are
    left out; so are values that are null.
    """
    found: list[dict[str, float]] = []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.splitlines():
        try:
            values = json.loads(line)
            step = values["step"]
        except (ValueError, KeyError, TypeError):
            continue
        if found and found[-1]["step"] > step:
            found = [one for one in found if one["step"] < step]
        found.append({name: value for name, value in values.items() if value is not None})
    return found


def report_page(name: str, metrics: Metrics, config: Mapping[str, Any]) -> str:
    """Return the page of a run, as HTML."""
    settings = [(key, _told(value)) for key, value in _flat(config)]
    sections: list[Section] = [
        Figures(list(_figures(metrics, config))),
        Group("Curves", _charts(metrics)),
        _evaluations(metrics),
        Table("Settings", ("setting", "value"), settings),
        Table("Environment", ("", ""), list(_environment())),
    ]
    return html_page(f"Pretraining of {name}", sections)


def _figures(metrics: Metrics, config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    last: dict[str, float] = {}
    for line in metrics:
        last |= line
    yield "Steps", f"{last.get('step', 0):,}", f"of {config.get('steps', 0):,}"
    if "tokens" in last:
        yield "Tokens", _short(last["tokens"]), "seen in training"
    if losses := [line["eval_loss"] for line in metrics if "eval_loss" in line]:
        yield "Held-out loss", f"{losses[-1]:.4f}", f"nats; least {min(losses):.4f}"
    if "eval_accuracy" in last:
        yield "Accuracy", f"{100 * last['eval_accuracy']:.1f} %", "of masked tokens held out"
    if "eval_bits" in last:
        yield "Bits", f"{last['eval_bits']:.3f}", "a character, held out"
    if speeds := sorted(
        line["tokens_per_second"] for line in metrics if "tokens_per_second" in line
    ):
        yield "Speed", f"{speeds[len(speeds) // 2]:,.0f}", "tokens a second, median"
    if used := sorted(line["mfu"] for line in metrics if "mfu" in line):
        yield "MFU", f"{100 * used[len(used) // 2]:.1f} %", "of the measured matmul peak, median"
    if seconds := _seconds(metrics):
        yield "Time", duration(seconds), "of updates"
    if last.get("skipped"):
        yield "Skipped", f"{last['skipped']:,.0f}", "updates, as no number or far too large"


def _seconds(metrics: Metrics) -> float:
    """Return how long all updates took; a line tells the mean since the line before."""
    steps, total = 0.0, 0.0
    for line in metrics:
        if "seconds" in line:
            total += line["seconds"] * (line["step"] - steps)
            steps = line["step"]
    return total


def _charts(metrics: Metrics) -> list[Chart]:
    marks = list(_skips(metrics))
    drawn = []
    for title, series in CURVES:
        curves = [
            Line(name, [(line["step"], line[key]) for line in metrics if key in line], tone)
            for (key, name), tone in zip(series, (KEPT, *TONES), strict=False)
        ]
        if any(curve.points for curve in curves):
            below = "step" + ("; red ticks: updates that were skipped" if marks else "")
            drawn.append(Chart(line_chart(title, curves, below, marks)))
    return drawn


def _skips(metrics: Metrics) -> Iterator[float]:
    """Yield the steps before which updates were skipped; a line has the number of all so far."""
    before = 0.0
    for line in metrics:
        if line.get("skipped", before) > before:
            yield line["step"]
        before = line.get("skipped", before)


def _evaluations(metrics: Metrics) -> Table:
    columns = ("step", "eval_loss", "eval_accuracy", "eval_bits")
    rows = [[line.get(one) for one in columns] for line in metrics if "eval_loss" in line]
    return Table("Evaluations", ("step", "loss", "accuracy", "bits a character"), rows)


def _environment() -> Iterator[tuple[str, str]]:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    yield "device", f"{device}, {torch.get_num_threads()} threads" if device == "CPU" else device
    yield "python", platform.python_version()
    yield from package_versions("torch", "transformers", "accelerate", "numpy").items()


def _flat(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def _told(value: Any) -> str:
    # Not as a table has numbers: 1e-12 is what the user wrote, and a seed has no thousands.
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(number: float) -> str:
    """Write a large number in three digits and a word."""
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{word}"
    return f"{number:,.0f}"
