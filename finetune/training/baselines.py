"""The baselines of a task, fitted and scored: what a model must beat to be worth its cost."""

from __future__ import annotations

import logging
import time

from finetune.data.splits import TaskData
from finetune.measure.baselines import BASELINES
from finetune.measure.metrics import score
from thaitok.config import Config

log = logging.getLogger("thaitok")


class Baseline(Config):
    """A baseline's figures by split and metric, what it said of test, and its cost."""

    scores: dict[str, dict[str, float]]
    predicted: list[list[str]]
    cpu_seconds: float


def fit_baselines(data: TaskData) -> dict[str, Baseline]:
    """Fit and score each baseline of a task's kind."""
    found = {}
    for name, fit in BASELINES[data.task.kind].items():
        log.info("baseline %s", name)
        begun = time.process_time()
        predict = fit(data.train, data.validation, data.labels)
        predicted = {"validation": predict(data.validation), "test": predict(data.test)}
        scores = {
            split: score(data.task.kind, [row.gold for row in rows], predicted[split])
            for split, rows in (("validation", data.validation), ("test", data.test))
        }
        spent = round(time.process_time() - begun, 1)
        said = [list(row) for row in predicted["test"]]
        found[name] = Baseline(scores=scores, predicted=said, cpu_seconds=spent)
    return found
