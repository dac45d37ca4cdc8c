"""The search for hyper-parameters: optuna's trials, scored on validation, taken up when stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from finetune.config import FinetuneConfig, SearchConfig, Settings, resolve
from finetune.training.fit import Material, fit
from thaitok.errors import UserError
from thaitok.folder import write_json

log = logging.getLogger("thaitok")

STUDY = ".search.db"
"""Where a search that is not at its end keeps its trials, beside the result to be."""

RANGE = 10.0
"""How far below and above the usual learning rate is looked, as a factor."""


def search(
    work: Path, config: FinetuneConfig, usual: Settings, material: Material, parameters: int
) -> Mapping[str, Any]:
    """Return the hyper-parameters that are best on validation, and write work/search.json.

    Each trial is one run with the first seed; one that is worse after an epoch than half of those
    before it is ended there (median rule). Test rows are not looked at. Raises `UserError`
    where optuna is not installed.
    """
    wanted = config.search
    assert wanted is not None
    try:
        import optuna
    except ImportError:
        raise UserError("a search needs optuna", do="pip install 'thaitok[hpo]'") from None
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{work / STUDY}",
        study_name="search",
        load_if_exists=True,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=config.seeds[0]),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )

    def run(trial: Any) -> float:
        drawn = _draw(trial, wanted, usual, config)
        kind, length = material.data.task.kind, usual.max_length
        settings = resolve(config, kind, parameters, length, drawn)

        def report(epoch: int, value: float) -> None:
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        fitted = fit(config.seeds[0], config, settings, material, report=report, test=False)
        return fitted.scores.validation[material.data.task.metric]

    def tell(study: Any, trial: Any) -> None:
        value = "ended early" if trial.value is None else f"{trial.value:.4f} on validation"
        log.info("trial %d: %s with %s", trial.number + 1, value, trial.params)

    finished = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    study.optimize(run, n_trials=max(0, wanted.trials - len(finished)), callbacks=[tell])
    write_json(work / "search.json", _told(study, material.data.task.metric))
    return _settings_of(study.best_params)


def _draw(
    trial: Any, wanted: SearchConfig, usual: Settings, config: FinetuneConfig
) -> dict[str, Any]:
    """Draw what the config leaves open."""
    rate = usual.learning_rate
    low, high = wanted.learning_rate or (rate / RANGE, rate * RANGE)
    fewest, most = wanted.epochs or (usual.epochs, usual.epochs)
    draws: dict[str, Callable[[str], Any]] = {
        "learning_rate": lambda name: trial.suggest_float(name, low, high, log=True),
        "epochs": lambda name: trial.suggest_int(name, fewest, most),
        "batch_size": lambda name: trial.suggest_categorical(name, list(wanted.batch_size)),
        "weight_decay": lambda name: trial.suggest_float(name, *wanted.weight_decay),
    }
    return _settings_of(
        {name: draw(name) for name, draw in draws.items() if getattr(config, name) is None}
    )


def _settings_of(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Round what was drawn, so that what is written is what was run."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in drawn.items()
    }


def _told(study: Any, metric: str) -> dict[str, Any]:
    trials = [
        {"trial": trial.number + 1, "state": trial.state.name.lower(), "value": trial.value,
         **trial.params}
        for trial in study.trials
    ]  # fmt: skip
    return {"metric": metric, "best": study.best_params, "trials": trials}
