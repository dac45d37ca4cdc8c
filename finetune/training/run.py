"""Fine-tuning: a model and a task in, a folder of heads, scores and predictions out."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from finetune.config import FinetuneConfig, Settings, resolve
from finetune.data.rows import Example
from finetune.data.splits import TaskData, leaked, load_task
from finetune.data.tasks import find_task
from finetune.measure.baselines import BASELINES
from finetune.measure.metrics import score
from finetune.measure.report import result_page
from finetune.measure.scores import Scores, SeedScores, best_seed, over_seeds
from finetune.model import heads
from finetune.model.encode import Encoded, encode
from finetune.training.fit import Fitted, Material, fit
from thaitok.card import Score, write_card
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

VERSIONS = ("torch", "transformers", "tokenizers", "scikit-learn", "seqeval")
PIPELINES = {"sequence": "text-classification", "ner": "token-classification",
             "pos": "token-classification"}  # fmt: skip


def finetune(config: FinetuneConfig) -> Scores:
    """Fine-tune a model on a task, once a seed, and write the result folder.

    The weights kept are those of the epoch that is best on validation, and test is scored
    once, with them. Run again it keeps the seeds that are finished; a finished folder is left
    as it is. Raises `UserError` for a wrong task, model folder or data row.
    """
    task = find_task(config.task)
    folder = heads.find_model(config.model)
    heads.check_device(config.device)
    tokenizer = heads.open_tokenizer(folder)
    size = heads.measure(folder)
    length = heads.window_length(size, tokenizer, config.max_length)
    settings = resolve(config, task.kind, size.parameters, length)
    bench = load_task(
        task, config.data_dir, split_seed=config.split_seed, max_train_rows=config.max_train_rows
    )
    recorded = {
        **config.model_dump(mode="json", exclude={"out", "data_dir", "device", "model"}),
        **settings.model_dump(mode="json"),
        "model": heads.model_name(config.model),
        "source": bench.source,
    }
    with stage_job(config.out, "result", recorded, _inputs(bench, folder)) as job:
        if job.done is None:
            _write_result(job, config, settings, bench, folder, tokenizer)
        return Scores.model_validate_json((job.out / "scores.json").read_bytes())


def _inputs(bench: TaskData, folder: Path) -> list[FileFacts]:
    names = sorted({"config.json", "tokenizer.json", *heads.weight_files(folder)})
    return [
        *(file_facts(file, f"{bench.task.name}/{file.name}") for file in bench.files),
        *(file_facts(folder / name, f"model/{name}") for name in names
          if (folder / name).is_file()),
    ]  # fmt: skip


def _write_result(
    job: Job,
    config: FinetuneConfig,
    settings: Settings,
    bench: TaskData,
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    baselines = _baselines(job.work / ".baselines.json", bench) if config.baselines else {}
    material = Material(
        bench, tokenizer,
        *(encode(tokenizer, rows, settings.max_length)
          for rows in (bench.train, bench.validation, bench.test)),
    )  # fmt: skip
    if any((cut := material.counts(lambda encoded: encoded.cut)).values()):
        log.info("texts longer than %d pieces, cut there: %s", settings.max_length, cut)
    seeds = [_one_seed(job.work, seed, config, settings, material, folder) for seed in config.seeds]
    scores = _scores(config, settings, material, seeds, baselines)
    best = job.work / f"seed-{scores.best_seed}"
    _mirror(best / "model", job.work / "model")
    _mirror(best / "predictions.jsonl", job.work / "predictions.jsonl")
    _card(job.work / "model", scores, bench, config.model)
    with written(job.work / "report.html") as stream:
        stream.write(result_page(scores, bench, read_predictions(best / "predictions.jsonl")))
    write_json(job.work / "scores.json", scores.model_dump(mode="json"))
    (job.work / ".baselines.json").unlink(missing_ok=True)
    job.finish(scores.rows, package_versions(*VERSIONS))


def _baselines(kept: Path, bench: TaskData) -> dict[str, dict[str, dict[str, float]]]:
    """Fit and score the baselines, or take what a run before this one left."""
    if kept.exists():
        found: dict[str, dict[str, dict[str, float]]] = json.loads(kept.read_text("utf-8"))
        return found
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for name, fit_baseline in BASELINES[bench.task.kind].items():
        log.info("baseline %s", name)
        predict = fit_baseline(bench.train, bench.labels)
        scores[name] = {
            split: score(bench.task.kind, [row.gold for row in rows], predict(rows))
            for split, rows in (("validation", bench.validation), ("test", bench.test))
        }
    write_json(kept, scores)
    return scores


def _one_seed(
    work: Path,
    seed: int,
    config: FinetuneConfig,
    settings: Settings,
    material: Material,
    folder: Path,
) -> SeedScores:
    """Fine-tune one seed into seed-N/, or read what it came to when that is done already."""
    final, partial = work / f"seed-{seed}", work / f".seed-{seed}.partial"
    if final.exists():
        log.info("seed %d is done already", seed)
        return SeedScores.model_validate_json((final / "scores.json").read_bytes())
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    fitted = fit(folder, seed, config, settings, material)
    _save_model(partial / "model", fitted, folder, material.tokenizer, settings)
    _write_predictions(partial / "predictions.jsonl", material.bench.test, fitted.predicted)
    write_json(partial / "scores.json", fitted.scores.model_dump(mode="json"))
    move_into_place(partial, final)
    metric = material.bench.task.metric
    log.info("seed %d: %s %.3f on validation (epoch %d), %.3f on test", seed, metric,
             fitted.scores.validation[metric], fitted.scores.epoch,
             fitted.scores.test[metric])  # fmt: skip
    return fitted.scores


def _save_model(
    out: Path,
    fitted: Fitted,
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
    settings: Settings,
) -> None:
    """Save the model with the tokenizer's own files: saved anew, they would be other files."""
    with quiet():
        fitted.model.save_pretrained(out)
        if not (folder / "tokenizer.json").is_file():
            tokenizer.save_pretrained(out)
    for name in TOKENIZER_FILES:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    _limit_length(out / "tokenizer_config.json", tokenizer, settings)


def _limit_length(file: Path, tokenizer: PreTrainedTokenizerBase, settings: Settings) -> None:
    """Write the length that fits the model where the tokenizer claims more, as old ones do."""
    if tokenizer.model_max_length <= settings.max_length:
        return
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    write_json(file, {**config, "model_max_length": settings.max_length})


def _write_predictions(file: Path, rows: Sequence[Example], predicted: list[list[str]]) -> None:
    with written(file) as stream:
        for row, labels in zip(rows, predicted, strict=True):
            found: dict[str, Any] = {"where": Path(row.where).name, "text": row.text}
            if row.words:
                found |= {"tokens": row.words, "tags": row.gold, "predicted": labels}
            else:
                found |= {"label": row.gold[0], "predicted": labels[0]}
            stream.write(json.dumps(found, ensure_ascii=False) + "\n")


def read_predictions(file: Path) -> list[list[str]]:
    """Return the predicted labels of each row of a `predictions.jsonl`."""
    with file.open(encoding="utf-8") as stream:
        found = [json.loads(line)["predicted"] for line in stream]
    return [[labels] if isinstance(labels, str) else labels for labels in found]


def _scores(
    config: FinetuneConfig,
    settings: Settings,
    material: Material,
    seeds: Sequence[SeedScores],
    baselines: dict[str, dict[str, dict[str, float]]],
) -> Scores:
    bench, task = material.bench, material.bench.task
    return Scores(
        task=task.name,
        kind=task.kind,
        metric=task.metric,
        model=heads.model_name(config.model),
        labels=bench.labels,
        rows={"train": len(bench.train), "validation": len(bench.validation),
              "test": len(bench.test)},
        split_rule=bench.split_rule,
        source=bench.source,
        leakage={"validation": leaked(bench.validation, bench.train),
                 "test": leaked(bench.test, bench.train)},
        cut=material.counts(lambda encoded: encoded.cut),
        swallowed=material.counts(Encoded.swallowed),
        settings=settings.model_dump(mode="json"),
        seeds=tuple(seeds),
        best_seed=best_seed(seeds, task.metric),
        validation=over_seeds(seeds, "validation"),
        test=over_seeds(seeds, "test"),
        baselines=baselines,
        published=tuple(
            {"system": figure.system, "metric": figure.metric, "value": figure.value,
             "source": figure.source}
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


def _card(out: Path, scores: Scores, bench: TaskData, base_model: str) -> None:
    settings = {name.replace("_", " "): str(value) for name, value in scores.settings.items()}
    source = bench.task.hub or bench.task.name
    write_card(
        out,
        pipeline_tag=PIPELINES[scores.kind],
        title=f"{scores.model}, {scores.task}",
        summary=f"{scores.model} fine-tuned for {bench.task.about}.",
        facts={
            "rows": ", ".join(f"{split} {count:,}" for split, count in scores.rows.items()),
            "split": scores.split_rule,
            "labels": ", ".join(scores.labels),
            "seeds": ", ".join(str(seed.seed) for seed in scores.seeds),
            "chosen": f"seed {scores.best_seed}, by {scores.metric} on validation",
            "test texts also in train": str(scores.leakage["test"]),
            **settings,
        },
        scores=[
            Score(scores.task, source, "test", metric, round(figure.mean, 4))
            for metric, figure in scores.test.items()
        ],
        base_model=base_model if heads.is_hub_name(base_model) else None,
    )
