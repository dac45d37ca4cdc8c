"""The table of a benchmark: systems by tasks, for a terminal, Markdown, JSON and a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from finetune.measure.plots import Point, interval_chart
from finetune.measure.scores import Figure, told
from thaitok.charts import ASIDE, KEPT, REST, sound
from thaitok.config import Config
from thaitok.report import Chart, Section, Table, html_page

SystemKind = Literal["model", "baseline", "published"]

TONES: dict[SystemKind, str] = {"model": KEPT, "baseline": ASIDE, "published": REST}
LEGEND = [("fine-tuned here", KEPT), ("baseline, fitted here", ASIDE),
          ("published, not re-run", REST)]  # fmt: skip


class TaskFacts(Config):
    """What must be known of a task to read its figures."""

    name: str
    kind: str
    metric: str
    """The headline metric, which a table shows where a cell names no other."""
    rows: dict[str, int]
    leakage: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Split → rows that stand in train too ("same"), or share a long string with it ("near")."""
    split_rule: str


class Cell(Config):
    """One system's figure on one task."""

    task: str
    system: str
    kind: SystemKind
    metric: str
    figure: Figure | None = None
    """Over seeds; of our own systems."""
    value: float | None = None
    """One figure without a spread: a baseline's, or a published one, in 0..1."""
    source: str = ""
    """Where a published figure stands."""
    gain: bool = False
    """Whether a published value is a difference from another system."""
    cpu_minutes: float | None = None
    """CPU time to fit and score, over all seeds."""

    @property
    def mean(self) -> float | None:
        """The figure, or the mean over seeds."""
        return self.figure.mean if self.figure is not None else self.value


class Comparison(Config):
    """Two systems on the same test rows, by the paired bootstrap."""

    task: str
    a: str
    b: str
    difference: float
    """How much higher a scores than b."""
    interval: tuple[float, float]
    p: float


class BenchmarkTable(Config):
    """All figures of a benchmark, as benchmark.json holds them."""

    tasks: tuple[TaskFacts, ...]
    cells: tuple[Cell, ...]
    comparisons: tuple[Comparison, ...] = ()


SPREAD = (
    "± is half the 95 % interval of the mean over seeds (Student's t); a figure without it is of "
    "one seed, of a baseline, which has none, or published."
)
PUBLISHED = "published, not re-run"
COMPARED = (
    "Difference of the headline metric, a less b, on the same test rows: 95 % interval and "
    "two-sided p of the paired bootstrap over rows."
)

Grid = tuple[list[str], list[list[str]]]
"""Columns and rows."""

Show = Callable[[Cell, str, bool], str]
"""Writes a cell: the cell, its figure in words, and whether it is the best of our own."""


def benchmark_table(table: BenchmarkTable) -> Grid:
    """Return columns and rows of the table, a system a row, for `thaitok.show.print_table`.

    The best of our own, baselines among them, has a star; `SPREAD` says what ± is.
    """
    return _grid(table, lambda _, text, best: f"{text} *" if best else text)


def markdown(table: BenchmarkTable) -> str:
    """Return the table, its notes, the comparisons and the tasks as Markdown."""
    sources = _sources(table)

    def show(cell: Cell, text: str, best: bool) -> str:
        if cell.kind == "published":
            return f"{text}[^{sources[cell.source]}]"
        return f"**{text}**" if best else text

    parts = [_pipes(*_grid(table, show)), f"Bold: the best of our own. {SPREAD}"]
    if table.comparisons:
        parts += [_pipes(*_compared(table)), COMPARED]
    parts.append(_pipes(*_facts(table)))
    parts += [f"[^{number}]: {PUBLISHED}: {source}" for source, number in sources.items()]
    return "\n\n".join(parts) + "\n"


def html(table: BenchmarkTable, title: str = "Benchmark") -> str:
    """Return the page: the table, a drawing of each task's intervals, comparisons and tasks."""
    sources = _sources(table)

    def show(cell: Cell, text: str, best: bool) -> str:
        if cell.kind == "published":
            return f"{text}<sup>{sources[cell.source]}</sup>"
        return f"<b>{text}</b>" if best else text

    sections: list[Section] = [
        Chart(_html_table(*_grid(table, show, sound)) + _notes(sources)),
        *(Chart(_plot(table, task)) for task in table.tasks),
    ]
    if table.comparisons:
        sections.append(Table("Comparisons", *_compared(table), COMPARED))
    return html_page(title, [*sections, Table("Tasks", *_facts(table))])


def cell_text(cell: Cell | None) -> str:
    """Return a cell in words; nothing where there is no figure."""
    if cell is None or cell.mean is None:
        return ""
    if cell.figure is not None:
        return told(cell.figure)
    return f"{cell.value:+.3f}" if cell.gain else f"{cell.value:.3f}"


def _grid(table: BenchmarkTable, show: Show, name: Callable[[str], str] = str) -> Grid:
    """Return the table with its cells written by `show` and the names of systems by `name`."""
    rows = []
    for kind, system in _systems(table):
        shown = [name(f"{system} ({PUBLISHED})" if kind == "published" else system)]
        for task in table.tasks:
            cell = _cell(table, kind, system, task)
            text = cell_text(cell)
            shown.append(show(cell, text, cell in _best(table, task)) if cell and text else "")
        rows.append([*shown, _cost(table, kind, system)])
    return ["system", *(f"{task.name} {task.metric}" for task in table.tasks), "CPU min"], rows


def _systems(table: BenchmarkTable) -> list[tuple[SystemKind, str]]:
    """Return the systems: models first, then baselines, then what is published."""
    found = dict.fromkeys((cell.kind, cell.system) for cell in table.cells)
    return sorted(found, key=lambda one: list(TONES).index(one[0]))


def _cell(table: BenchmarkTable, kind: SystemKind, system: str, task: TaskFacts) -> Cell | None:
    """Return a system's cell of a task's headline metric."""
    wanted = (kind, system, task.name, task.metric)
    return next(
        (cell for cell in table.cells
         if (cell.kind, cell.system, cell.task, cell.metric) == wanted), None,
    )  # fmt: skip


def _best(table: BenchmarkTable, task: TaskFacts) -> list[Cell]:
    """Return the cells of our own with the highest figure, as it is shown."""
    own = [
        (round(cell.mean, 3), cell) for cell in table.cells
        if cell.kind != "published" and cell.mean is not None
        and (cell.task, cell.metric) == (task.name, task.metric)
    ]  # fmt: skip
    highest = max((mean for mean, _ in own), default=0.0)
    return [cell for mean, cell in own if mean == highest]


def _cost(table: BenchmarkTable, kind: SystemKind, system: str) -> str:
    """Return a system's CPU minutes over the tasks, each counted once for all its metrics."""
    minutes = {
        cell.task: cell.cpu_minutes for cell in table.cells
        if (cell.kind, cell.system) == (kind, system) and cell.cpu_minutes is not None
    }  # fmt: skip
    return f"{sum(minutes.values()):.1f}" if minutes else ""


def _sources(table: BenchmarkTable) -> dict[str, int]:
    """Give each source of a published figure its number, in the order of the table."""
    cells = [
        _cell(table, kind, system, task) for kind, system in _systems(table) for task in table.tasks
    ]
    found = [cell.source for cell in cells if cell and cell.kind == "published" and cell_text(cell)]
    return {source: number for number, source in enumerate(dict.fromkeys(found), 1)}


def _facts(table: BenchmarkTable) -> Grid:
    columns = ["task", "kind", "metric", "train", "validation", "test", "same in train",
               "near in train", "split"]  # fmt: skip
    return columns, [
        [task.name, task.kind, task.metric,
         *(f"{task.rows.get(split, 0):,}" for split in ("train", "validation", "test")),
         *(f"{task.leakage['test'].get(how, 0):,}" if "test" in task.leakage else ""
           for how in ("same", "near")), task.split_rule]
        for task in table.tasks
    ]  # fmt: skip


def _compared(table: BenchmarkTable) -> Grid:
    return ["task", "a", "b", "difference", "95 % interval", "p"], [
        [one.task, one.a, one.b, f"{one.difference:+.3f}",
         f"{one.interval[0]:+.3f} to {one.interval[1]:+.3f}",
         "< 0.001" if one.p < 0.001 else f"{one.p:.3f}"]
        for one in table.comparisons
    ]  # fmt: skip


def _plot(table: BenchmarkTable, task: TaskFacts) -> str:
    points = []
    for kind, system in _systems(table):
        cell = _cell(table, kind, system, task)
        if cell is not None and cell.mean is not None and not cell.gain:
            interval = cell.figure.interval if cell.figure is not None else None
            points.append(Point(system, cell.mean, interval, cell_text(cell), TONES[kind]))
    return interval_chart(f"{task.name}: {task.metric}", points, LEGEND)


def _pipes(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines
    )


def _html_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose cells are HTML already, the first of a row its name."""
    head = "".join(f'<th scope="col">{sound(column)}</th>' for column in columns)
    body = "\n".join(
        f"<tr><td>{row[0]}</td>"
        + "".join(f'<td class="number">{cell}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _notes(sources: Mapping[str, int]) -> str:
    told_of = "".join(
        f'<p class="note"><sup>{number}</sup> {PUBLISHED}: {sound(source)}</p>'
        for source, number in sources.items()
    )
    return f'<p class="note">Bold: the best of our own. {sound(SPREAD)}</p>{told_of}'
