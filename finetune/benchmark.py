"""The benchmark: models by tasks, what is missing run and what is there reused, in one table."""

from __future__ import annotations

import difflib
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from finetune.config import FinetuneConfig, task_of
from finetune.data.splits import TaskData, load_task
from finetune.data.tasks import Task
from finetune.measure.bootstrap import compare
from finetune.measure.scores import Scores
from finetune.measure.table import BenchmarkTable, Cell, Comparison, TaskFacts, html, markdown
from finetune.model.models import model_name
from finetune.training.baselines import Baseline, fit_baselines
from finetune.training.records import PREDICTIONS, read_gold, read_predictions
from finetune.training.run import finetune
from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.folder import file_facts, read_manifest, write_json, written

log = logging.getLogger("thaitok")

BASELINES = "baselines"
"""The folder of the baselines, a file a task."""


class BenchmarkConfig(Config):
    """A benchmark: every model on every task, each pair a result folder OUT/MODEL/TASK."""

    models: tuple[str, ...] = Field(min_length=1)
    """Folders or Hub names; `random:` before one draws its weights anew."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Names out of `thaitok tasks`."""
    out: Path
    """The folder of all results; what is there is not run again."""
    data_dir: str | None = None
    """The folder with TASK/train.jsonl and so on; without it tasks come from the Hub."""
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field((1, 2, 3), min_length=1)
    """One model a seed."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Any setting of `thaitok finetune`, for all tasks alike."""
    task_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of single tasks: task_settings.NAME.epochs = 3."""


def run_benchmark(config: BenchmarkConfig) -> BenchmarkTable:
    """Run what is missing, and write benchmark.{json,md,html}, anew after each task.

    All models meet the same rows, seeds and settings. Raises `UserError` for models of one
    name, and for whatever fine-tuning finds wrong; what is done by then stays.
    """
    _check(config)
    table = BenchmarkTable(tasks=(), cells=())
    for name in config.tasks:
        folders = {}
        for model in config.models:
            log.info("%s on %s", model_name(model), name)
            settings = cell_config(config, model, name)
            finetune(settings)
            folders[model_name(model)] = settings.out
        task = task_of(settings)
        baselines = _baselines(config, settings)
        table = BenchmarkTable(
            tasks=(*table.tasks, _facts(next(iter(folders.values())))),
            cells=(*table.cells, *_cells(task, folders, baselines)),
            comparisons=(*table.comparisons, *_comparisons(task, folders, baselines)),
        )
        _write(config.out, table)
    return table


def cell_config(config: BenchmarkConfig, model: str, task: str) -> FinetuneConfig:
    """Return the fine-tuning run of one model on one task.

    Raises `UserError` for a setting that fine-tuning does not know.
    """
    chosen = {**config.settings, **config.task_settings.get(task, {})}
    fixed = {
        "model": model,
        "task": task,
        "out": config.out / _folder_name(model_name(model)) / task,
        "data_dir": config.data_dir,
        "seeds": config.seeds,
        "baselines": False,
    }
    for name in chosen:
        if name in fixed:
            raise UserError(f"settings for fine-tuning: {name} is set by the benchmark itself")
        if name not in FinetuneConfig.model_fields:
            near = difflib.get_close_matches(name, FinetuneConfig.model_fields, n=1)
            do = f"did you mean {near[0]}?" if near else "see docs/finetuning.md"
            raise UserError(f"settings for fine-tuning: {name} is no setting of it", do=do)
    try:
        return FinetuneConfig(**{**fixed, **chosen})
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or task
        raise UserError(f"settings for fine-tuning: {where}: {first['msg']}") from None


def _check(config: BenchmarkConfig) -> None:
    """Raise `UserError` for what would stop the benchmark later on."""
    names = [_folder_name(model_name(model)) for model in config.models]
    for name in names:
        if names.count(name) > 1 or name == BASELINES:
            raise UserError(
                f"two models are called {name!r}", do="give one a folder of another name"
            )
    for task in (*config.tasks, *config.task_settings):
        task_of(cell_config(config, config.models[0], task))


def _folder_name(model: str) -> str:
    return model.replace("/", "--").replace(":", "-")


def _baselines(config: BenchmarkConfig, settings: FinetuneConfig) -> dict[str, Baseline]:
    """Fit the baselines of a task, or take what was fitted on the same rows before."""
    data = load_task(
        task_of(settings),
        config.data_dir,
        split_seed=settings.split_seed,
        max_train_rows=settings.max_train_rows,
    )
    key = _key(data)
    file = config.out / BASELINES / f"{data.task.name}.json"
    if (kept := _read_kept(file)) and kept.key == key:
        return kept.baselines
    found = fit_baselines(data)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, _Kept(key=key, baselines=found))
    return found


class _Kept(Config):
    key: dict[str, Any]
    baselines: dict[str, Baseline]


def _read_kept(file: Path) -> _Kept | None:
    try:
        return _Kept.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # none yet, or one to be made again


def _key(data: TaskData) -> dict[str, Any]:
    """Return what tells the rows of a task from others: files, splits and how many there are."""
    files = [file_facts(file).model_dump(mode="json") for file in data.files]
    rows = [len(data.train), len(data.validation), len(data.test)]
    return {"files": files, "source": data.source, "split": data.split_rule, "rows": rows}


def _facts(folder: Path) -> TaskFacts:
    scores = _scores(folder)
    return TaskFacts(
        name=scores.task,
        kind=scores.kind,
        metric=scores.metric,
        rows=scores.rows,
        leakage=scores.leakage,
        split_rule=scores.split_rule,
    )


def _scores(folder: Path) -> Scores:
    return Scores.model_validate_json((folder / "scores.json").read_bytes())


def _cells(task: Task, folders: dict[str, Path], baselines: dict[str, Baseline]) -> Iterator[Cell]:
    """Yield every figure of a task: of models, baselines, and those published."""
    for model, folder in folders.items():
        minutes = read_manifest(folder, "result").counts["cpu_seconds"] / 60
        for metric, figure in _scores(folder).test.items():
            yield Cell(task=task.name, system=model, kind="model", metric=metric, figure=figure,
                       cpu_minutes=round(minutes, 2))  # fmt: skip
    for name, baseline in baselines.items():
        for metric, value in baseline.scores["test"].items():
            yield Cell(task=task.name, system=name, kind="baseline", metric=metric, value=value,
                       cpu_minutes=round(baseline.cpu_seconds / 60, 2))  # fmt: skip
    for one in task.published:
        yield Cell(task=task.name, system=one.system, kind="published", metric=one.metric,
                   value=one.value, source=one.source, gain=one.gain)  # fmt: skip


def _comparisons(
    task: Task, folders: dict[str, Path], baselines: dict[str, Baseline]
) -> Iterator[Comparison]:
    """Yield each two models on the same test rows, and each model against the best baseline.

    Which baseline is the best is chosen on validation, as the models' weights are.
    """
    scores = _scores(next(iter(folders.values())))
    said = {
        model: [read_predictions(folder / f"seed-{seed.seed}" / PREDICTIONS)
                for seed in _scores(folder).seeds]
        for model, folder in folders.items()
    }  # fmt: skip
    pairs = list(itertools.combinations(folders, 2))
    if baselines:
        best = max(baselines, key=lambda name: baselines[name].scores["validation"][scores.metric])
        said[best] = [baselines[best].predicted] * len(scores.seeds)
        pairs += [(model, best) for model in folders]
    gold = read_gold(next(iter(folders.values())) / PREDICTIONS)
    for a, b in pairs:
        found = compare(task.kind, scores.metric, gold, said[a], said[b])
        yield Comparison(task=task.name, a=a, b=b, **found._asdict())


def _write(out: Path, table: BenchmarkTable) -> None:
    write_json(out / "benchmark.json", table.model_dump(mode="json"))
    for name, text in (("benchmark.md", markdown(table)), ("benchmark.html", html(table))):
        with written(out / name) as stream:
            stream.write(text)
