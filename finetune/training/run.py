"""Fine-tuning: a model and a task in, a folder of heads, scores and predictions out."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from finetune.config import FinetuneConfig, Settings, resolve, task_of
from finetune.data.splits import TaskData, leakage, load_task
from finetune.measure.bootstrap import interval
from finetune.measure.report import result_page
from finetune.measure.scores import Scores, SeedScores, best_seed, over_seeds
from finetune.model import models
from finetune.model.encode import Encoded
from finetune.model.head import SETTINGS
from finetune.training.baselines import fit_baselines
from finetune.training.card import Origin, write_card
from finetune.training.fit import Fitted, Material, encode_splits, fit
from finetune.training.records import PREDICTIONS, read_predictions, write_predictions
from finetune.training.search import STUDY, search
from thaitok.folder import (
    TOKENIZER_FILES,
    FileFacts,
    Job,
    file_facts,
    move_into_place,
    package_versions,
    stage_job,
    write_json,
    written,
)
from thaitok.quiet import quiet

log = logging.getLogger("thaitok")

VERSIONS = ("torch", "transformers", "tokenizers", "scikit-learn", "python-crfsuite")

Leakage = dict[str, dict[str, int]]
"""Rows of validation and test that train has too, by split and how."""

COST = "cost.json"
"""What a seed cost: apart from the scores, which are the same whenever a run is repeated."""


def finetune(config: FinetuneConfig) -> Scores:
    """Fine-tune a model on a task, once a seed, and write the result folder.

    The weights kept are those of the epoch that is best on validation, and test is scored
    once, with them. Run again it keeps the seeds that are finished; a finished folder is left
    as it is. Raises `UserError` for a wrong task, model folder or data row.
    """
    task = task_of(config)
    folder = models.find_model(config.model)
    models.check_device(config.device)
    tokenizer = models.open_tokenizer(folder)
    size = models.measure(folder)
    length = models.window_length(size, tokenizer, config.max_length)
    if "max_length" in config.model_fields_set and length < config.max_length:
        log.info("max_length = %d: the model reads %d pieces at once", config.max_length, length)
    settings = resolve(config, task.kind, size.parameters, length)
    data = load_task(
        task, config.data_dir, split_seed=config.split_seed, max_train_rows=config.max_train_rows
    )
    recorded = {
        **config.model_dump(mode="json", exclude={"out", "data_dir", "device", "model"}),
        **settings.model_dump(mode="json"),
        "model": models.model_name(config.model),
        "source": data.source,
    }
    with stage_job(config.out, "result", recorded, _inputs(data, config, folder)) as job:
        if job.done is None:
            shared = _leakage(data)
            material = encode_splits(folder, data, tokenizer, config, length)
            if config.search is not None:
                found = search(job.work, config, settings, material, size.parameters)
                settings = resolve(config, task.kind, size.parameters, length, found)
            _write_result(job, config, settings, material, shared)
        return Scores.model_validate_json((job.out / "scores.json").read_bytes())


def _inputs(data: TaskData, config: FinetuneConfig, folder: Path) -> list[FileFacts]:
    weights = [] if config.model.startswith(models.RANDOM) else models.weight_files(folder)
    names = sorted({"config.json", "tokenizer.json", *weights})
    return [
        *(file_facts(file, f"{data.task.name}/{file.name}") for file in data.files),
        *(file_facts(folder / name, f"model/{name}") for name in names
          if (folder / name).is_file()),
    ]  # fmt: skip


def _leakage(data: TaskData) -> Leakage:
    """Count, and say, how many rows of validation and test a model has seen in training."""
    found = {}
    for split, rows in (("validation", data.validation), ("test", data.test)):
        seen = found[split] = leakage(rows, data.train)
        log.info("%s: of %d %s rows, %d stand in train and %d more share 40 characters with it",
                 data.task.name, len(rows), split, seen["same"], seen["near"])  # fmt: skip
    return found


def _write_result(
    job: Job, config: FinetuneConfig, settings: Settings, material: Material, shared: Leakage
) -> None:
    data = material.data
    baselines = _baselines(job.work / ".baselines.json", data) if config.baselines else {}
    if any((cut := material.counts(lambda encoded: encoded.cut)).values()):
        log.info("texts longer than their windows of %d pieces: %s", settings.max_length, cut)
    seeds = [_one_seed(job.work, seed, config, settings, material) for seed in config.seeds]
    scores = _scores(job.work, config, settings, material, shared, seeds, baselines)
    best = job.work / f"seed-{scores.best_seed}"
    _mirror(best / "model", job.work / "model")
    _mirror(best / PREDICTIONS, job.work / PREDICTIONS)
    versions = package_versions(*VERSIONS)
    origin = Origin(material.folder, job.inputs, versions)
    write_card(job.work / "model", scores, data, config, origin)
    with written(job.work / "report.html") as stream:
        stream.write(result_page(scores, data, read_predictions(best / PREDICTIONS)))
    write_json(job.work / "scores.json", scores.model_dump(mode="json"))
    for note in (".baselines.json", STUDY):
        (job.work / note).unlink(missing_ok=True)
    job.finish({**scores.rows, "cpu_seconds": _cost(job.work, config.seeds)}, versions)


def _cost(work: Path, seeds: Sequence[int]) -> float:
    files = [work / f"seed-{seed}" / COST for seed in seeds]
    spent: float = sum(json.loads(file.read_bytes())["cpu_seconds"] for file in files)
    return round(spent, 1)


def _baselines(kept: Path, data: TaskData) -> dict[str, dict[str, dict[str, float]]]:
    """Fit and score the baselines, or take what a run before this one left."""
    if kept.exists():
        found: dict[str, dict[str, dict[str, float]]] = json.loads(kept.read_text("utf-8"))
        return found
    scores = {name: baseline.scores for name, baseline in fit_baselines(data).items()}
    write_json(kept, scores)
    return scores


def _one_seed(
    work: Path, seed: int, config: FinetuneConfig, settings: Settings, material: Material
) -> SeedScores:
    """Fine-tune one seed into seed-N/, or read what it came to when that is done already."""
    final, partial = work / f"seed-{seed}", work / f".seed-{seed}.partial"
    if final.exists():
        log.info("seed %d is done already", seed)
        return SeedScores.model_validate_json((final / "scores.json").read_bytes())
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    fitted = fit(seed, config, settings, material)
    task, scores = material.data.task, fitted.scores
    _save_model(partial / "model", fitted, material, settings)
    write_predictions(partial / PREDICTIONS, task.kind, material.data.test, fitted.predicted)
    write_json(partial / "scores.json", scores.model_dump(mode="json"))
    write_json(partial / COST, {"cpu_seconds": fitted.cpu_seconds})
    move_into_place(partial, final)
    log.info("seed %d: %s %.3f on validation (epoch %d), %.3f on test", seed, task.metric,
             scores.validation[task.metric], scores.epoch, scores.test[task.metric])  # fmt: skip
    return scores


def _save_model(out: Path, fitted: Fitted, material: Material, settings: Settings) -> None:
    """Save the model with the tokenizer's own files: saved anew, they would be other files."""
    with quiet():
        fitted.model.save_pretrained(out)
        if not (material.folder / "tokenizer.json").is_file():
            material.tokenizer.save_pretrained(out)
    for name in TOKENIZER_FILES:
        if (material.folder / name).is_file():
            shutil.copyfile(material.folder / name, out / name)
    _limit_length(out / "tokenizer_config.json", material.tokenizer, settings)


def _limit_length(file: Path, tokenizer: PreTrainedTokenizerBase, settings: Settings) -> None:
    """Write the length that fits the model where the tokenizer claims more, as old ones do."""
    if tokenizer.model_max_length <= settings.max_length:
        return
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    write_json(file, {**config, "model_max_length": settings.max_length})


def _thresholds(folder: Path) -> dict[str, float]:
    found: dict[str, float] = getattr(models.read_config(folder), SETTINGS).get("thresholds", {})
    return found


def _scores(
    work: Path,
    config: FinetuneConfig,
    settings: Settings,
    material: Material,
    shared: Leakage,
    seeds: Sequence[SeedScores],
    baselines: dict[str, dict[str, dict[str, float]]],
) -> Scores:
    data, task = material.data, material.data.task
    best = best_seed(seeds, task.metric)
    gold = [row.gold for row in data.test]
    said = [read_predictions(work / f"seed-{seed.seed}" / PREDICTIONS) for seed in seeds]
    return Scores(
        task=task.name,
        kind=task.kind,
        metric=task.metric,
        model=models.model_name(config.model),
        labels=data.labels,
        rows={"train": len(data.train), "validation": len(data.validation),
              "test": len(data.test)},
        split_rule=data.split_rule,
        source=data.source,
        leakage=shared,
        repairs=dict(data.repairs),
        cut=material.counts(lambda encoded: encoded.cut),
        swallowed=material.counts(Encoded.swallowed),
        settings=settings.model_dump(mode="json"),
        seeds=tuple(seeds),
        best_seed=best,
        validation=over_seeds(seeds, "validation"),
        test=over_seeds(seeds, "test"),
        baselines=baselines,
        thresholds=_thresholds(work / f"seed-{best}" / "model"),
        intervals={task.metric: interval(task.kind, task.metric, gold, said)},
        published=tuple(
            {"system": figure.system, "metric": figure.metric, "value": figure.value,
             "source": figure.source, "gain": figure.gain}
            for figure in task.published
        ),
    )  # fmt: skip


def _mirror(source: Path, target: Path) -> None:
    """Show a file or folder under a second name: by hard links where the disk has them."""
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    if source.is_dir():
        target.mkdir()
        for file in sorted(source.iterdir()):
            _mirror(file, target / file.name)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
