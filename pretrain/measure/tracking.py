"""The trackers that get a run's metrics too: TensorBoard, Weights & Biases, Trackio."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from pretrain.config import PretrainConfig
from thaitok.errors import UserError

log = logging.getLogger(__name__)

PROJECT = "thaitok"


@dataclass(frozen=True, slots=True)
class Tracker:
    """An open tracker."""

    log: Callable[[dict[str, float], int], object]
    close: Callable[[], object]


@dataclass
class Trackers:
    """Trackers by name; one that fails is warned of once and left alone."""

    open: dict[str, Tracker]

    def log(self, values: Mapping[str, float | None], step: int) -> None:
        """Send numbers to each tracker; what is no number is left out."""
        sound = {
            name: float(value)
            for name, value in values.items()
            if value is not None and math.isfinite(value)
        }
        for name, tracker in list(self.open.items()):
            self._try(name, partial(tracker.log, sound, step))

    def close(self) -> None:
        """Let each tracker write what it has left."""
        for name, tracker in list(self.open.items()):
            self._try(name, tracker.close)
        self.open.clear()

    def _try(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as err:  # a network that is gone must not end a run of days
            log.warning("%s gets no more metrics: %s", name, _line(err))
            self.open.pop(name, None)


def open_trackers(config: PretrainConfig, folder: Path) -> Trackers:
    """Open the trackers of `report_to` for the run in `folder`, which has its name.

    Each library is imported here and only if named. Raises `UserError` when one is not installed
    or does not open. Local files are in hidden folders of the run, which its manifest leaves out.
    """
    opened = Trackers({})
    for name in dict.fromkeys(config.report_to):
        try:
            opened.open[name] = OPENERS[name](config, folder)
        except Exception as err:
            opened.close()
            if isinstance(err, ImportError):
                missing = f"report_to names {name}, which is not installed"
                raise UserError(missing, do=f"install it with `pip install {name}`") from None
            remedy = f"mend that, or leave {name} out of report_to"
            raise UserError(f"{name} does not open: {_line(err)}", do=remedy) from None
    return opened


def shared_config(config: PretrainConfig) -> dict[str, Any]:
    """Return the settings as others may see them: of paths the last name alone."""
    told: dict[str, Any] = _without_folders(config.model_dump(exclude_none=True))
    return told


def _without_folders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_folders(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(one) for one in value]
    return value.name if isinstance(value, Path) else value


def _tensorboard(config: PretrainConfig, folder: Path) -> Tracker:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(folder / ".tensorboard")
    told = json.dumps(shared_config(config), ensure_ascii=False, indent=2)
    writer.add_text("config", f"```json\n{told}\n```")

    def write(values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)

    return Tracker(write, writer.close)


def _wandb(config: PretrainConfig, folder: Path) -> Tracker:
    wandb = import_module("wandb")
    hidden = folder / ".wandb"  # which it prefers to a folder that is seen
    hidden.mkdir(exist_ok=True)
    known = hidden / "id"  # a run that is taken up goes on in the same curves
    run = wandb.init(
        project=PROJECT,
        name=folder.name,
        dir=folder,
        config=shared_config(config),
        id=known.read_text(encoding="utf-8") if known.exists() else None,
        resume="allow" if known.exists() else None,
        # Host, user, paths and the difference to the last commit are nobody's business.
        settings=wandb.Settings(x_disable_meta=True, disable_git=True, save_code=False),
    )
    known.write_text(run.id, encoding="utf-8")
    return Tracker(lambda values, step: run.log(values, step=step), run.finish)


def _trackio(config: PretrainConfig, folder: Path) -> Tracker:
    trackio = import_module("trackio")
    known = folder / ".trackio"  # as for wandb; another run's folder may have the same name
    taken_up = known.exists()
    with redirect_stdout(sys.stderr):  # stdout is for results
        run = trackio.init(
            project=PROJECT,
            name=known.read_text(encoding="utf-8") if taken_up else folder.name,
            config=shared_config(config),
            resume="allow" if taken_up else "never",
        )
    known.write_text(run.name, encoding="utf-8")

    def close() -> None:
        with redirect_stdout(sys.stderr):
            run.finish()

    return Tracker(lambda values, step: run.log(values, step=step), close)


OPENERS: dict[str, Callable[[PretrainConfig, Path], Tracker]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "trackio": _trackio,
}


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
