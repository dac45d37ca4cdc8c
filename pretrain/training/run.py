"""The pretraining run: update, evaluate, log, save, and go on after a kill as if there was none."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from pretrain.config import PretrainConfig
from pretrain.data.batch import split_documents
from pretrain.data.plan import generator
from pretrain.data.shards import TokenShards, open_shards
from pretrain.export import export_model
from pretrain.model.encoder import MaskedLanguageModel, build_model
from pretrain.model.start import added_rows, check_start, start_facts
from pretrain.training.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from pretrain.training.interrupt import first_signal
from pretrain.training.optim import build_optimizer, learning_rate, update
from thaitok.config import dump_toml
from thaitok.devices import computes_bf16
from thaitok.errors import UserError
from thaitok.folder import (
    MANIFEST,
    Job,
    Manifest,
    file_facts,
    package_versions,
    read_manifest,
    stage_job,
    written,
)
from thaitok.progress import progress

log = logging.getLogger(__name__)

METRICS, CHECKPOINTS = "metrics.jsonl", "checkpoints"

NO_EFFECT = {"out", "shards", "start", "keep", "log_every", "save_every"}
"""Settings that change no weight, so that a run may be taken up with others; of the folders
among them what is in them counts."""


def pretrain(config: PretrainConfig, *, resume: bool = True) -> Manifest:
    """Pretrain an encoder by masked language modelling and write its run folder.

    A run that was stopped goes on from its newest sound checkpoint, and ends with the same
    weights to the bit as one that was not, on the same device type and number of devices. With
    `resume=False` an unfinished run starts again from its first step. A finished one is
    returned as it is. Raises `UserError` when the shards are too few or settings do not fit,
    and when the loss is no number any more.
    """
    shards = open_shards(config.shards)
    if config.start is not None:
        check_start(config.start, shards, config.sequence_length)
    # Accelerate keeps its precision for the process, and refuses a second run with another.
    AcceleratorState._reset_state()
    # Unless it is told, Accelerate does not see that CPU processes belong together.
    cpu = not torch.accelerator.is_available()
    accelerator = Accelerator(mixed_precision=_precision(config), cpu=cpu)
    with _job(config, accelerator) as job:
        if job and not job.done:
            _clear(config.out / CHECKPOINTS, everything=not resume)
        if not _anywhere(accelerator, bool(job and job.done)):
            run = _Run(config, shards, accelerator)
            run.begin()
            _loop(run)
            if job:
                export_model(config, shards, run.encoder.model, run.counts())
                versions = package_versions("torch", "transformers", "accelerate", "numpy")
                job.finish(run.counts(), versions)
        accelerator.wait_for_everyone()
        return read_manifest(config.out, "run")


def _loop(run: _Run) -> None:
    """Make the updates that are left; on Ctrl-C save the step and raise KeyboardInterrupt."""
    shown = progress("pretrain", run.config.steps, "steps")
    with first_signal() as stopped, shown if run.first else nullcontext() as advance:
        if advance:
            advance(run.step)
        while run.step < run.config.steps:
            note = run.advance()
            if advance:
                advance(1, note=note)
            if _anywhere(run.accelerator, bool(stopped)):
                run.save()
                raise KeyboardInterrupt


def _anywhere(accelerator: Accelerator, here: bool) -> bool:
    """Whether something is so in any process; all of them learn it, and wait for it."""
    if accelerator.num_processes == 1:
        return here
    flag = torch.tensor(float(here), device=accelerator.device)
    return bool(accelerator.reduce(flag, "sum").item())


def _clear(checkpoints: Path, *, everything: bool) -> None:
    """Remove what a killed save left, or all checkpoints."""
    pattern = "*step-*" if everything else ".step-*.partial"
    for path in checkpoints.glob(pattern):
        shutil.rmtree(path)


@dataclass
class _Run:
    """A run under way; all it must remember is its step and what that step left behind."""

    config: PretrainConfig
    shards: TokenShards
    accelerator: Accelerator
    step: int = 0
    tokens: int = 0
    evaluation: dict[str, float] = field(default_factory=dict)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return bool(self.accelerator.is_main_process)

    def begin(self) -> None:
        """Build model, optimizer and batches, and take up the newest checkpoint."""
        config = self.config
        self.accumulate, rest = divmod(
            config.batch_rows, config.micro_rows * self.accelerator.num_processes
        )
        if rest:
            raise UserError(
                f"batch_rows {config.batch_rows} is not a multiple of micro_rows "
                f"{config.micro_rows} times {self.accelerator.num_processes} devices"
            )
        torch.manual_seed(config.seed)
        encoder = build_model(config, self.shards.pieces, self.shards.special)
        self.encoder = MaskedLanguageModel(encoder).to(self.accelerator.device)
        self.added = added_rows(config.start)
        if config.start is not None and self.first:
            log.info("going on from %s, %d new rows in it", config.start, self.added)
        self.optimizer = build_optimizer(self.encoder, config.optim, self.added)
        self.batches, self.held_out, self.held_out_rows = split_documents(config, self.shards)
        self._take_up()
        self.model = self.accelerator.prepare(self.encoder)
        if config.start is not None and self.step == 0:
            self._log(**self._evaluate())  # what there was before

    def advance(self) -> str:
        """Make one update, log and evaluate and save when due; return a note on it."""
        began = time.perf_counter()
        loss, norm, rate, tokens = self._update()
        self.step += 1
        self.tokens += tokens
        due = self.step % self.config.log_every == 0 or self.step == self.config.steps
        if due:
            self._log(
                loss=self._finite(loss),
                grad_norm=norm.item(),
                learning_rate=rate,
                tokens=self.tokens,
                tokens_per_second=round(tokens / (time.perf_counter() - began)),
            )
        if self.step % self.config.eval_every == 0 or self.step == self.config.steps:
            self.evaluation = self._evaluate()
            self._log(**self.evaluation)
        if self.step % self.config.save_every == 0 or self.step == self.config.steps:
            self.save()
        return f"loss {loss.item():.3f}" if due else ""

    def save(self) -> None:
        """Write a checkpoint of this step."""
        if self.first:
            state = {"tokens": self.tokens, "evaluation": self.evaluation}
            folder = self.config.out / CHECKPOINTS
            save_checkpoint(
                folder, self.step, self.encoder, self.optimizer, state, self.config.keep
            )
        self.accelerator.wait_for_everyone()

    def counts(self) -> dict[str, Any]:
        """Return what the manifest says of the run."""
        size = sum(one.numel() for one in self.encoder.parameters())
        counts = {"steps": self.step, "tokens": self.tokens, "parameters": size}
        return {**counts, "added": self.added, **self.evaluation}

    def _update(self) -> tuple[torch.Tensor, torch.Tensor, float, int]:
        config, accelerator = self.config, self.accelerator
        world, rank = accelerator.num_processes, accelerator.process_index
        rate = learning_rate(self.step, config.steps, config.optim)
        self.model.train()
        # Dropout is drawn anew from (seed, step, rank): no generator's state has to be saved.
        torch.manual_seed(int(generator(config.seed, self.step, rank, 2).integers(2**63)))
        first = self.step * config.batch_rows
        micro = [
            self.batches.rows(first + place * config.micro_rows, config.micro_rows)
            for place in range(rank, self.accumulate * world, world)
        ]
        counts = torch.tensor([[len(one.labels), one.tokens] for one in micro]).sum(0)
        counts = accelerator.reduce(counts.to(accelerator.device), "sum")
        total = torch.zeros((), device=accelerator.device)
        for number, batch in enumerate(micro, 1):
            # Gradients are averaged over devices once, when the last micro-batch is through.
            quiet = accelerator.no_sync(self.model) if number < len(micro) else nullcontext()
            with quiet:
                loss, _ = self.model(batch.to(accelerator.device))
                # Over the masked places of all devices: a mean of means would weigh them unequally.
                accelerator.backward(loss * world / counts[0])
            total += loss.detach()
        norm = accelerator.clip_grad_norm_(self.model.parameters(), config.optim.clip)
        update(self.optimizer, rate, self.step, config.optim)
        self.optimizer.zero_grad()
        return accelerator.reduce(total, "sum") / counts[0], norm, rate, int(counts[1])

    @torch.no_grad()
    def _evaluate(self) -> dict[str, float]:
        """Return the loss in nats and the accuracy at the masked places of held-out rows."""
        accelerator, size = self.accelerator, self.config.micro_rows
        self.model.eval()
        sums = torch.zeros(3, device=accelerator.device, dtype=torch.float64)
        starts = range(0, self.held_out_rows, size)
        for first in starts[accelerator.process_index :: accelerator.num_processes]:
            batch = self.held_out.rows(first, min(size, self.held_out_rows - first))
            loss, right = self.encoder(batch.to(accelerator.device))
            sums += torch.stack([loss, right, torch.full_like(loss, len(batch.labels))])
        loss, right, places = accelerator.reduce(sums, "sum").tolist()
        return {"eval_loss": round(loss / places, 6), "eval_accuracy": round(right / places, 6)}

    def _take_up(self) -> None:
        found = newest_checkpoint(self.config.out / CHECKPOINTS)
        if found:
            state = load_checkpoint(found, self.encoder, self.optimizer)
            self.step, self.tokens = state["step"], state["tokens"]
            self.evaluation = state["evaluation"]
            log.info("taking up the run after step %d", self.step)
        if self.first:
            # A run that starts again evaluates what it starts from again.
            _cut_metrics(self.config.out / METRICS, self.step or -1)

    def _log(self, **values: float) -> None:
        if self.first:
            with (self.config.out / METRICS).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"step": self.step, **values}) + "\n")

    def _finite(self, loss: torch.Tensor) -> float:
        value = loss.item()
        if not math.isfinite(value):
            raise UserError(
                f"the loss is {value} at step {self.step}",
                where=self.config.out,
                do="lower optim.learning_rate and start again with another --out",
            )
        return value


def _precision(config: PretrainConfig) -> str:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bf16 = config.precision == "bf16" or (config.precision == "auto" and computes_bf16(device))
    return "bf16" if bf16 else "no"


@contextmanager
def _job(config: PretrainConfig, accelerator: Accelerator) -> Iterator[Job | None]:
    """Open the run folder in the first process; the others get None."""
    if not accelerator.is_main_process:
        yield None
        return
    settings = config.model_dump(mode="json", exclude=NO_EFFECT)
    inputs = [file_facts(config.shards / MANIFEST, f"{config.shards.name}/{MANIFEST}")]
    inputs += start_facts(config.start) if config.start else ()
    with stage_job(config.out, "run", settings, inputs, live=True) as job:
        if not job.done:
            with written(config.out / "config.toml") as stream:
                stream.write(dump_toml(config))
        yield job


def _cut_metrics(path: Path, step: int) -> None:
    """Forget the lines of steps that are made again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        with written(path) as stream:
            stream.writelines(line for line in lines if _step_of(line) <= step)


def _step_of(line: str) -> float:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):
        return math.inf  # a line cut short by a kill
