"""One piece of work of bench_pretrain.py, in a process of its own: KIND and a JSON of its settings.

Prints what was found as the last line of stdout, as JSON.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from bench_pretrain_text import Examples, Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
Child: TypeAlias = "subprocess.Popen[str]"
CPU_STEPS = 2
"""Updates of ours that are timed on a CPU."""


def start(kind: str, spec: Row, errors: Path) -> Child:
    """Start a process for one piece of work."""
    return started((sys.executable, __file__, kind, json.dumps(spec)), errors)


def started(command: Sequence[str], errors: Path) -> Child:
    """Start a process in a group of its own, which ends with it."""
    with errors.open("wb") as stream:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stream, text=True, start_new_session=True
        )


def stop(child: Child) -> None:
    """End a process and all that it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def answer(child: Child, errors: Path, timeout: float) -> Row:
    """Return what a process prints last; `RuntimeError` with its error's last line."""
    try:
        out, _ = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took longer than {timeout:.0f} s") from None
    finally:
        stop(child)
    if child.returncode:
        raise RuntimeError(last_line(errors) or f"ended with {child.returncode}")
    found: Row = json.loads(out.strip().splitlines()[-1])
    return found


def last_line(path: Path) -> str:
    """Return the last line that names an error, else the last that is not empty."""
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line and not line.startswith(" ")]
    return (named or lines or [""])[-1].strip()[:300]


def timed_lines(run: Path) -> list[Row]:
    """Return the lines of a run's metrics on speed, of steps that are whole."""
    path = run / "metrics.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [one for one in map(json.loads, lines) if "tokens_per_second" in one]


def peak(spec: Row) -> Row:
    """Return the device and what it does in bf16, in FLOP a second."""
    import torch
    import transformers

    from pretrain.measure.flops import matmul_peak

    cuda = torch.cuda.is_available()
    dtype = torch.bfloat16 if cuda else torch.float32
    peak = max(matmul_peak(torch.device("cuda" if cuda else "cpu"), dtype) for _ in range(3))
    name = torch.cuda.get_device_name() if cuda else "CPU"
    return {"device": name, "peak_tflops": peak / 1e12, "torch": torch.__version__,
            "transformers": transformers.__version__, "cuda": cuda}  # fmt: skip


def ours(spec: Row) -> Row:
    """Run `thaitok pretrain`'s function; with `killed`, until that step's checkpoint is there."""
    from pretrain.config import PretrainConfig
    from pretrain.training import run

    save: Callable[..., None] = run.save_checkpoint

    def save_and_die(*given: Any) -> None:
        save(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    if spec.pop("killed", False):
        vars(run)["save_checkpoint"] = save_and_die
    return dict(run.pretrain(PretrainConfig.model_validate(spec)).counts)


def train(spec: Row, shards: Any, dataset: Any, collate: Any, clock: Any, **given: Any) -> Row:
    """Train with the Trainer for a while and return seconds, tokens and places of what is timed.

    `clock` gives seconds; `spec["warm"]` steps go before, and `spec["seconds"]` is how long.
    """
    import torch
    from transformers import AutoModelForMaskedLM, Trainer, TrainerCallback, TrainingArguments

    from pretrain.config import PretrainConfig
    from pretrain.model.encoder import encoder_config

    cuda = torch.cuda.is_available()
    found: Row = {"real": [], "pos": 0, "n": 0}

    def now() -> float:
        if cuda:
            torch.cuda.synchronize()
        return float(clock())

    class Counted(Trainer):
        def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            found["real"].append(inputs["attention_mask"].sum())  # the device is not waited for
            found["pos"] += inputs["input_ids"].numel()
            found["n"] += 1
            return super().training_step(model, inputs, *rest, **more)

    class Timer(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == spec["warm"]:
                found.update(real=[], pos=0, n=0, began=now())

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            over = "began" in found and clock() - found["began"] >= spec["seconds"]
            if over:
                found["seconds"] = now() - found["began"]
                control.should_training_stop = True

    settings = PretrainConfig.model_validate(spec["config"])
    torch.manual_seed(1)
    model = AutoModelForMaskedLM.from_config(
        encoder_config(settings, shards.pieces, shards.special)
    )
    with TemporaryDirectory() as scratch:
        args = TrainingArguments(
            scratch, max_steps=1_000_000, bf16=cuda, use_cpu=not cuda, save_strategy="no",
            report_to="none", disable_tqdm=True, gradient_accumulation_steps=1, **given,
        )  # fmt: skip
        trainer = Counted(model, args, collate, dataset, callbacks=[Timer()])
        loss = trainer.train().training_loss
    real = int(sum(one.item() for one in found["real"]))
    peak = round(torch.cuda.max_memory_allocated() / 1e9, 2) if cuda else None
    return {"seconds": found["seconds"], "real": real, "pos": found["pos"], "n": found["n"],
            "loss": round(loss, 4), "peak_gb": peak}  # fmt: skip


def hf(spec: Row) -> Row:
    """Time the Trainer with the largest batch that fits, of `batch` and its halves."""
    import torch
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    from pretrain.data.shards import TOKENIZER_FOLDER, open_shards

    shards = open_shards(Path(spec["config"]["shards"]))
    dataset = Examples(shards, spec["config"]["sequence_length"], lines=spec.get("lines", False))
    tokenizer = AutoTokenizer.from_pretrained(shards.folder / TOKENIZER_FOLDER)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    flags: Row = {}
    if spec.get("flags"):
        backend = None if torch.cuda.is_available() else "eager"
        flags = {"torch_compile": True, "torch_compile_backend": backend,
                 "dataloader_num_workers": 8, "optim": "adamw_torch_fused"}  # fmt: skip
    batch, note = spec["batch"], ""
    while True:
        flags["per_device_train_batch_size"] = batch
        try:
            found = train(spec, shards, dataset, collate, time.perf_counter, **flags)
            return {**found, "flops": _work(spec, shards), "note": f"{note}batch {batch}"}
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
        note += f"{batch} does not fit, "
        batch //= 2
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _work(spec: Row, shards: Any) -> float:
    """Return the FLOP that a token needs: without what padding and other documents cost."""
    from pretrain.config import PretrainConfig
    from pretrain.measure.flops import attended_tokens, flops_per_token
    from pretrain.model.encoder import encoder_config

    config = PretrainConfig.model_validate(spec["config"])
    seen = attended_tokens(shards.lengths, config.sequence_length)
    size = encoder_config(config, shards.pieces, shards.special)
    return flops_per_token(size, shards.pieces, seen, config.mask.probability).total


def checks(spec: Row) -> Row:
    """Compare losses and gradients with Hugging Face's padded ones, and look for leaks."""
    import torch

    from pretrain.config import PretrainConfig
    from pretrain.data.batch import split_documents
    from pretrain.data.shards import open_shards
    from pretrain.model.encoder import MaskedLanguageModel, build_model
    from pretrain.model.families import first_position
    from pretrain.model.padded import padded_loss

    config = PretrainConfig.model_validate(spec)
    shards = open_shards(config.shards)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    theirs = build_model(config, shards.pieces, shards.special).to(device).train()
    ours = MaskedLanguageModel(deepcopy(theirs)).to(device).train()
    first = first_position(theirs.config)
    rows, stream = (split_documents(config, shards, kind, first)[0] for kind in ("rows", "stream"))

    def packed(batch: Any) -> tuple[float, Any]:
        return _with_gradient(ours, ours(batch)[0] / len(batch.labels))

    def padded(batch: Any) -> tuple[float, Any]:
        loss, _ = padded_loss(theirs, batch, shards.special.pad)
        return _with_gradient(theirs, loss / len(batch.labels))

    found: Row = {}
    batch = rows.micro(0, 0).to(device)
    found["loss_fp32"], found["grad_fp32"] = _apart(packed(batch), padded(batch))
    batch = stream.micro(0, 0).to(device)
    masked = replace(batch, cu_seqlens=None)  # the same documents, and a mask between them
    batch = batch if device.type == "cuda" else masked
    exact = packed(masked)
    with torch.autocast(device.type, torch.bfloat16):
        flat, in_rows = packed(batch), packed(masked)
        found["loss_bf16"], found["grad_bf16"] = _apart(flat, padded(batch))
        found["grad_bf16_to_rows"] = _apart(flat, in_rows)[1]
        found["grad_bf16_to_fp32"] = _apart(flat, exact)[1]
        found["grad_rows_bf16_to_fp32"] = _apart(in_rows, exact)[1]
        found["no_leak"] = _no_leak(ours, batch, shards.pieces)
        found["recompiles"] = _recompiles(ours, stream, device)
    return {name: float(f"{value:.3g}") for name, value in found.items()}


def _with_gradient(model: Any, loss: Any) -> tuple[float, Any]:
    import torch

    loss.backward()
    gradient = torch.cat([one.grad.flatten() for one in model.parameters()])
    model.zero_grad()
    return loss.item(), gradient


def _apart(one: tuple[float, Any], other: tuple[float, Any]) -> tuple[float, float]:
    """Return how far loss and gradient are from the other's, as shares of these."""
    gradients = (one[1] - other[1]).norm() / other[1].norm()
    return abs(one[0] - other[0]) / abs(other[0]), float(gradients)


def _no_leak(model: Any, batch: Any, pieces: int) -> bool:
    """Whether no bit of the first document's states changes when all others do."""
    import torch

    from pretrain.data.plan import generator

    shape = tuple(batch.input_ids.shape)
    others = torch.from_numpy(generator(1, 2).integers(5, pieces, shape)).to(batch.places.device)
    first = batch.documents == 1
    only = replace(batch, places=first.flatten().nonzero().flatten())
    with torch.no_grad():
        before = model.hidden(only)
        after = model.hidden(replace(only, input_ids=torch.where(first, batch.input_ids, others)))
    return bool(torch.equal(before, after))


def _recompiles(ours: Any, batches: Any, device: Any) -> int:
    """Return how many graphs are compiled after the warm-up: three updates and an epoch's last."""
    import torch
    from torch._dynamo.utils import counters

    if device.type != "cuda":
        torch.compiler.set_stance("default", force_backend="eager")
    ours.compile_layers()
    end = batches.plan.epoch_micros(0) - 1
    before = 0
    for turn, number in enumerate((0, 1, end, 2, 3, 4, 5, 6, end)):
        batch = batches.micro(number, 0).to(device)
        batch = batch if device.type == "cuda" else replace(batch, cu_seqlens=None)
        ours(batch)[0].backward()
        before = counters["stats"]["unique_graphs"] if turn == 2 else before
    return int(counters["stats"]["unique_graphs"]) - before


def cpu_ours(spec: Row) -> Row:
    """Time updates of ours on one core, in CPU seconds; a small one goes before."""
    import torch

    from pretrain.config import PretrainConfig
    from pretrain.data.batch import split_documents
    from pretrain.data.shards import open_shards
    from pretrain.model.encoder import MaskedLanguageModel, build_model
    from pretrain.model.families import first_position
    from pretrain.training.devices import clip_gradients
    from pretrain.training.optim import build_optimizer, update

    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = PretrainConfig.model_validate(spec)
    shards = open_shards(config.shards)
    encoder = MaskedLanguageModel(build_model(config, shards.pieces, shards.special)).train()
    optimizer = build_optimizer(encoder, config.optim)
    few = config.model_copy(update={"micro_tokens": 2 * config.sequence_length})
    small, batches = (
        split_documents(one, shards, "rows", first_position(encoder.model.config))[0]
        for one in (few, config)
    )
    real, began, loss = 0, 0.0, torch.zeros(())
    for number in range(1 + CPU_STEPS):
        if number == 1:
            began = time.process_time()
        batch = (batches if number else small).micro(number, number)
        loss = encoder(batch)[0] / len(batch.labels)
        loss.backward()
        clip_gradients(encoder, config.optim.clip)
        update(optimizer, config.optim.learning_rate, number, config.optim)
        optimizer.zero_grad()
        real += batch.tokens if number else 0
    seconds = time.process_time() - began
    places = CPU_STEPS * batches.plan.tokens
    return {
        "seconds": seconds, "real": real, "pos": places, "n": CPU_STEPS,
        "loss": round(loss.item(), 4), "note": f"{real // CPU_STEPS} tokens a step",
    }  # fmt: skip


def cpu_hf(spec: Row) -> Row:
    """Time a step of the Trainer on one core on the batch that is padded as they are on average."""
    import torch
    from transformers import AutoTokenizer, DataCollatorForLanguageModeling

    from pretrain.data.plan import generator
    from pretrain.data.shards import TOKENIZER_FOLDER, open_shards

    torch.set_num_threads(1)
    shards = open_shards(Path(spec["config"]["shards"]))
    dataset, batch = (
        Examples(shards, spec["config"]["sequence_length"], lines=True),
        spec["batch"],
    )
    order = generator(1, 1).permutation(len(dataset))[: len(dataset) // batch * batch]
    lengths = (dataset.lengths + 2)[order.reshape(-1, batch)]
    real, places = lengths.sum(1), batch * lengths.max(1)
    padding = places.sum() / real.sum()
    far = abs(np.log(places / real / padding)) + abs(np.log(real / real.mean()))
    chosen = order.reshape(-1, batch)[far.argmin()]
    batches = [[dataset[int(one)] for one in some] for some in (chosen[:1], chosen)]
    collate = DataCollatorForLanguageModeling(
        AutoTokenizer.from_pretrained(shards.folder / TOKENIZER_FOLDER), mlm_probability=0.15
    )
    found = train(
        spec, shards, batches, lambda some: collate(some[0]), time.process_time,
        per_device_train_batch_size=1, train_sampling_strategy="sequential",
        remove_unused_columns=False,
    )  # fmt: skip
    return {**found, "note": f"batch {batch}, {found['real']} tokens; padding {padding:.2f} times"}


KINDS: dict[str, Callable[[Row], Row]] = {
    "peak": peak, "ours": ours, "hf": hf, "checks": checks, "cpu_ours": cpu_ours, "cpu_hf": cpu_hf,
}  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(KINDS[sys.argv[1]](json.loads(sys.argv[2]))))
