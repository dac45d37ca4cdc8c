"""The pretraining run: update, evaluate, log, save, and go on after a kill as if there was none."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from pretrain.config import PretrainConfig
from pretrain.data.batch import split_documents
from pretrain.data.feed import Feed
from pretrain.data.plan import generator
from pretrain.data.shards import TokenShards, open_shards
from pretrain.export import CHECKPOINTS, MODEL, export_checkpoint
from pretrain.measure.flops import attended_tokens, masked_share, matmul_peak
from pretrain.measure.report import write_report
from pretrain.measure.tracking import Trackers, open_trackers
from pretrain.model.encoder import encoder_config
from pretrain.model.families import first_position
from pretrain.model.objectives import build_objective, check_objective, objective_flops
from pretrain.model.start import added_rows, check_start, start_facts
from pretrain.training.checkpoint import (
    clear,
    gather,
    load_checkpoint,
    newest_checkpoint,
    save_checkpoint,
)
from pretrain.training.clock import Clock
from pretrain.training.devices import (
    Stop,
    anywhere,
    clip_gradients,
    gradients_stay,
    in_bf16,
    layout_of,
    memory_told,
    open_accelerator,
    spread,
)
from pretrain.training.evaluate import HeldOut
from pretrain.training.guard import Guard
from pretrain.training.interrupt import first_signal
from pretrain.training.metrics import append_metrics, cut_metrics
from pretrain.training.optim import build_optimizer, update
from pretrain.training.schedule import check_world, learning_rate, numbers
from thaitok.config import dump_toml
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

NO_EFFECT = {
    "out", "shards", "start", "keep", "log_every", "report_to", "compile", "parallel",
}  # fmt: skip
"""Settings that change no update but by rounding, so that a run may be taken up with others; of
the folders among them what is in them counts."""


def pretrain(config: PretrainConfig, *, resume: bool = True) -> Manifest:
    """Pretrain an encoder by masked language modelling and write its run folder.

    A run that was stopped goes on from its newest sound checkpoint, and ends with the same
    weights to the bit as one that was not, on the same device type and number of devices. With
    `resume=False` an unfinished run starts again from its first step. A finished one is
    returned as it is. Raises `UserError` when the shards are too few or settings do not fit,
    when memory does not do, and when the loss is no number any more; `SystemExit` with code 0
    after SIGTERM and `KeyboardInterrupt` after SIGINT, when the step is saved.
    """
    shards = open_shards(config.shards)
    if config.start is not None:
        check_start(config.start, shards, config.sequence_length)
    check_objective(config, shards)
    accelerator = open_accelerator(config)
    check_world(config, accelerator.num_processes)
    with _job(config, accelerator) as job:
        if job and not job.done:
            clear(config.out / CHECKPOINTS, everything=not resume)
        if not anywhere(accelerator, bool(job and job.done)):
            with memory_told(config, accelerator.num_processes):
                run = _Run(config, shards, accelerator)
                run.begin()
                with closing(run):
                    _loop(run)
            if job:
                export_checkpoint(config, config.out / MODEL)
                versions = package_versions("torch", "transformers", "accelerate", "numpy")
                job.finish(run.counts(), versions)
        accelerator.wait_for_everyone()
        return read_manifest(config.out, "run")


def _loop(run: _Run) -> None:
    """Make the updates that are left; on a signal save the step and end."""
    shown = progress("pretrain", run.config.steps, "steps")
    with first_signal() as stopped, shown if run.first else nullcontext() as advance:
        if advance:
            advance(run.step)
        stop = Stop(run.accelerator)
        while run.step < run.config.steps:
            before = run.step
            note = run.advance()
            if advance:
                advance(run.step - before, note=note)
            if stop.anywhere(bool(stopped)) and run.step < run.config.steps:
                run.save()
                if signal.SIGINT in stopped:
                    raise KeyboardInterrupt
                log.info("stopped after step %d; the same command goes on from it", run.step)
                raise SystemExit(0)


@dataclass
class _Run:
    """A run under way; all it must remember is its step and what that step left behind."""

    config: PretrainConfig
    shards: TokenShards
    accelerator: Accelerator
    step: int = 0
    tokens: int = 0
    left_out: int = 0
    """Micro-batches passed over, because updates on them went wrong."""
    rollbacks: int = 0
    evaluation: dict[str, float] = field(default_factory=dict)

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return bool(self.accelerator.is_main_process)

    def begin(self) -> None:
        """Build model, optimizer and batches, and take up the newest checkpoint."""
        config, device = self.config, self.accelerator.device
        torch.manual_seed(config.seed)
        self.encoder = build_objective(config, self.shards).to(device)
        self.batches, held_out, count = split_documents(
            config, self.shards, layout_of(config), first_position(self.encoder.model.config)
        )
        self.held_out = HeldOut(held_out, count)
        self.added = added_rows(config.start)
        if config.start is not None and self.first:
            log.info("going on from %s, %d new rows in it", config.start, self.added)
        self.model = spread(self.encoder, config, self.accelerator)
        self.parameters = dict(self.encoder.named_parameters())
        self.optimizer = build_optimizer(self.encoder, config.optim, self.added)
        self.guard = Guard(config.guard, device)
        self._take_up(newest_checkpoint(config.out / CHECKPOINTS))
        if config.compile == "layers" or (config.compile == "auto" and device.type == "cuda"):
            self.encoder.compile_layers()
        self.encoder.train()
        self.feed = self._feed()
        self.trackers: Trackers | None = open_trackers(config, config.out) if self.first else None
        self.clock = self._clock()
        self._restart()
        if config.start is not None and self.step == 0:
            self._log(self._evaluate())  # what there was before

    def close(self) -> None:
        """End what goes on beside the run."""
        self.feed.close()
        if self.trackers:
            self.trackers.close()

    def advance(self) -> str:
        """Make one update, log and evaluate and save when due; return a note on it."""
        loss, norm, rate = self._update()
        self.step += 1
        last = self.step == self.config.steps
        if self._went_wrong(loss, last=last):
            self._go_back()
            return "went back"
        note = ""
        if self.step % self.config.log_every == 0 or last:
            note = self._tell(loss.item(), norm.item(), rate)
        if self.step % self.config.eval_every == 0 or last:
            self.evaluation = self._evaluate()
            self._log(self.evaluation)
            if self.first:
                write_report(self.config.out)
        if last or (self.step % self.config.save_every == 0 and self.guard.in_order()):
            self.save()
        return note

    def save(self) -> None:
        """Write a checkpoint of this step."""
        tensors = gather(self.parameters, self.optimizer)
        if self.first:
            state = {
                "tokens": self.tokens,
                "epochs": self.batches.plan.counts,
                "left_out": self.left_out,
                "rollbacks": self.rollbacks,
                "guard": self.guard.state(),
                "evaluation": self.evaluation,
            }
            folder = self.config.out / CHECKPOINTS
            every = self.config.save_every
            save_checkpoint(folder, self.step, tensors, state, self.config.keep, every)
        self.accelerator.wait_for_everyone()
        self._restart()

    def counts(self) -> dict[str, Any]:
        """Return what the manifest says of the run."""
        size = sum(one.numel() for one in self.encoder.parameters())
        counts = {"steps": self.step, "tokens": self.tokens, "parameters": size}
        skipped = int(self.guard.state()["skipped"])
        return {**counts, "added": self.added, "skipped": skipped, **self.evaluation}

    def _feed(self) -> Feed:
        """Return the micro-batches of this process from this step on."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        config, left_out = self.config, self.left_out
        wanted = (
            (number, step)
            for step in range(self.step, config.steps)
            for number in numbers(step, config, left_out)[rank::world]
        )
        return Feed(wanted, self.batches, self.accelerator.device)

    def _update(self) -> tuple[Tensor, Tensor, float]:
        config, accelerator = self.config, self.accelerator
        world = accelerator.num_processes
        all_of_it = numbers(self.step, config, self.left_out)
        mine = all_of_it[accelerator.process_index :: world]
        sizes = [self.batches.size(number, self.step) for number in all_of_it]
        # Over the masked places of all devices: a mean of means would weigh them unequally.
        places = sum(size.places for size in sizes)
        self.tokens += sum(size.tokens for size in sizes)
        total = torch.zeros((), device=accelerator.device)
        for number in mine:
            batch = next(self.feed)
            # Dropout is drawn anew for each micro-batch: no generator's state has to be saved,
            # and it does not matter which device takes which.
            torch.manual_seed(int(generator(config.seed, number, 2).integers(2**63)))
            with gradients_stay(self.model, accelerator, last=number == mine[-1]):
                with accelerator.autocast():
                    loss, _ = self.model(batch)
                (loss * (world / places)).backward()
            total += loss.detach()
        loss = accelerator.reduce(total, "sum") / places
        norm = clip_gradients(self.encoder, config.optim.clip)
        rate = learning_rate(self.step, config.steps, config.optim)
        update(self.optimizer, rate, self.step, config.optim, self.guard.judge(loss, norm))
        self.optimizer.zero_grad()
        return loss, norm, rate

    def _evaluate(self) -> dict[str, float]:
        found = self.held_out.evaluate(self.encoder, self.accelerator)
        self._restart()
        return found

    def _clock(self) -> Clock:
        config, accelerator = self.config, self.accelerator
        dtype = torch.bfloat16 if in_bf16(config) else torch.float32
        peak = matmul_peak(accelerator.device, dtype, 0.2) * accelerator.num_processes
        size = encoder_config(config, self.shards.pieces, self.shards.special)
        first = self.batches.size(0, 0)
        seen = attended_tokens(self.batches.plan.spans.length, config.sequence_length)
        share = masked_share(size.model_type, first)
        return Clock(objective_flops(config, size, self.shards.pieces, seen, share), peak)

    def _restart(self) -> None:
        self.clock.restart(self.step, self.tokens, self.feed.waited)

    def _tell(self, loss: float, norm: float, rate: float) -> str:
        """Log an update and the speed since the last one logged; return a note for the bar."""
        speed = self.clock.speed(self.step, self.tokens, self.feed.waited)
        skipped = self.guard.state()["skipped"]
        line = {"loss": loss, "grad_norm": norm, "learning_rate": rate, "tokens": self.tokens}
        self._log({**line, **speed, "skipped": skipped})
        return f"loss {loss:.3f}, {speed['tokens_per_second']:,.0f} tokens/s"

    def _log(self, values: dict[str, float]) -> None:
        if self.first:
            append_metrics(self.config.out, self.step, values)
            if self.trackers:
                self.trackers.log(values, self.step)

    def _went_wrong(self, loss: Tensor, *, last: bool) -> bool:
        """Whether updates are skipped one after another; asked at times, for the device waits."""
        if self.step % self.config.guard.patience and not last:
            return False
        return self.guard.must_go_back() or (last and not bool(loss.isfinite()))

    def _go_back(self) -> None:
        """Take up the last checkpoint, and pass over the micro-batches seen since."""
        config = self.config
        # One that a signal made between two is none to go back to: a run without it has none.
        found = newest_checkpoint(config.out / CHECKPOINTS, config.save_every)
        if found is None or self.rollbacks == config.guard.rollbacks:
            seen = f"{self.rollbacks} times back" if found else "no checkpoint to go back to"
            raise UserError(
                f"the loss or its gradient is no number, or far too large, up to step {self.step}"
                f" ({seen})",
                where=config.out,
                do="lower optim.learning_rate and start again with another --out",
            )
        reached, rollbacks = numbers(self.step, config, self.left_out).start, self.rollbacks + 1
        skipped = self.guard.state()["skipped"]
        self._take_up(found)
        self.left_out += reached - numbers(self.step, config, self.left_out).start
        self.rollbacks = rollbacks
        self.guard.load({**self.guard.state(), "skipped": skipped, "row": 0})
        log.warning("updates went wrong: going on after step %d with later documents", self.step)
        self.feed.close()
        self.feed = self._feed()

    def _take_up(self, found: Path | None) -> None:
        if found:
            state = load_checkpoint(found, self.parameters, self.optimizer)
            self.step, self.tokens = state["step"], state["tokens"]
            self.left_out, self.rollbacks = state["left_out"], state["rollbacks"]
            self.evaluation = state["evaluation"]
            self.guard.load(state["guard"])
            self.batches.plan.remember(state["epochs"])
            if self.first:
                log.info("taking up the run after step %d", self.step)
        if self.first:
            # A run that starts again evaluates what it starts from again.
            cut_metrics(self.config.out, self.step or -1)


@contextmanager
def _job(config: PretrainConfig, accelerator: Accelerator) -> Iterator[Job | None]:
    """Open the run folder in the first process; the others get None."""
    if not accelerator.is_main_process:
        yield None
        return
    settings = config.model_dump(mode="json", exclude=NO_EFFECT)
    # As they are on this machine: on another one the micro-batches would be others.
    settings |= {"layout": layout_of(config), "precision": "bf16" if in_bf16(config) else "fp32"}
    inputs = [file_facts(config.shards / MANIFEST, f"shards/{MANIFEST}")]
    teacher = config.distil.teacher if config.distil else None
    for name, model in (("start", config.start), ("teacher", teacher)):
        inputs += start_facts(model, name) if model else ()
    begun = any((config.out / CHECKPOINTS).glob("step-*"))
    with stage_job(config.out, "run", settings, inputs, live=True, begun=begun) as job:
        if not job.done:
            with written(config.out / "config.toml") as stream:
                stream.write(dump_toml(config))
        yield job
