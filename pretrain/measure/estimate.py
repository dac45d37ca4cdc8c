"""What a run will need, told before anything is written: size, work, memory, disk and time."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from transformers import AutoModelForMaskedLM, PreTrainedModel

from pretrain.config import PretrainConfig
from pretrain.data.batch import Batches, split_documents
from pretrain.data.plan import Layout, packing_efficiency
from pretrain.data.shards import SpecialIds, TokenShards, open_shards
from pretrain.measure.flops import (
    Flops,
    attended_tokens,
    flops_per_token,
    masked_share,
    matmul_peak,
)
from pretrain.measure.memory import Memory, step_memory
from pretrain.model.distil import keep_layers
from pretrain.model.encoder import build_model
from pretrain.model.families import FAMILIES, first_position
from pretrain.model.objectives import check_objective, objective_flops
from pretrain.model.rtd import ReplacedTokenDetection, generator_config
from pretrain.model.start import check_start, start_config
from pretrain.training.schedule import check_world, first_micro, learning_rate, micro_batches
from thaitok.config import Config

Table: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[object]]]

UTILISATION = {"cuda": 0.4, "cpu": 0.65}
"""Share of the matmul peak that training is assumed to reach. On one CPU core `small` (3 layers of
192, 4,096 tokens) reached 0.55 to 0.73 and base (12 of 768, 1,664 tokens) 0.65 to 0.87."""
CHECKPOINT = 12
"""Bytes a parameter on disk: the weight and two moments in fp32; the exported model has 4."""


class Parameters(Config):
    """Numbers that are learnt, and those of a teacher, which are not."""

    embeddings: int
    """In tables; a table that the head shares counts here."""
    encoder: int
    head: int
    generator: int = 0
    """Of what replaces tokens, the table that it shares aside; it is not exported."""
    teacher: int = 0
    """Up to the layer that is used."""
    total: int
    """All that is learnt."""


class Text(Config):
    """What the shards hold and what a run makes of it."""

    pieces: int
    documents: int
    tokens: int
    """Without special ones."""
    held_out: int
    """Documents."""
    evaluated_tokens: int
    """Places of the held-out documents that each evaluation looks at."""
    attended: float
    """Tokens that a token sees on average."""


class Batching(Config):
    """How documents become updates."""

    layout: str
    packing: float
    """Share of the places that hold tokens."""
    masked: int
    """Places predicted in a full micro-batch, at the first step."""
    tokens: int
    """Of an update, after the batch warm-up."""
    updates_an_epoch: float
    """After the batch warm-up."""
    epochs: float
    run_tokens: int


class Work(Config):
    """Floating-point operations, forward and backward, and how long one device takes."""

    encoder: float
    """A token's, as the others up to the total."""
    attention: float
    head: float
    total: float
    run: float
    device: str
    peak: float
    """FLOP a second of a matmul on this device, measured now."""
    utilisation: float
    """Assumed share of the peak."""
    tokens_per_second: float
    seconds: float
    """Of the run on one such device, without evaluations and checkpoints."""


class Disk(Config):
    """Bytes at the run folder."""

    checkpoint: int
    most: int
    """Of all checkpoints kept, the one being written, and the exported model."""
    free: int


class Moment(Config):
    """Learning rate and tokens of an update."""

    step: int
    learning_rate: float
    tokens: int


class RunPlan(Config):
    """What a pretraining run will need."""

    steps: int
    parameters: Parameters
    text: Text
    batching: Batching
    work: Work
    memory: Memory
    disk: Disk
    schedule: tuple[Moment, ...]


def plan_run(config: PretrainConfig) -> RunPlan:
    """Work out what a run will need on one device such as this; writes nothing.

    Reads the lengths of the documents, lays the first epoch and measures the matmul peak for half
    a second. Raises `UserError` as the run itself would: shards that are missing or too few, a
    sequence longer than the model's positions, settings that do not fit this machine.
    """
    from pretrain.training.devices import in_bf16, layout_of  # which needs `less_memory`

    shards = open_shards(config.shards)
    if config.start is not None:
        check_start(config.start, shards, config.sequence_length)
    check_objective(config, shards)
    check_world(config, 1)
    model = _model_without_weights(config, shards)
    parameters = _all_parameters(config, model, shards.special)
    layout = layout_of(config)
    batches, held_out, evaluations = split_documents(
        config, shards, layout, first_position(model.config)
    )
    first = batches.size(0, 0)
    text = Text(
        pieces=shards.pieces,
        documents=len(shards),
        tokens=int(shards.lengths.sum()),
        held_out=len(set(held_out.plan.spans.document.tolist())),
        evaluated_tokens=evaluations * held_out.plan.tokens,
        attended=attended_tokens(batches.plan.spans.length, config.sequence_length),
    )
    batching = _batching(config, batches, layout, first.places)
    share = masked_share(model.config.model_type, first)
    flops = flops_per_token(model.config, shards.pieces, text.attended, share)
    whole = objective_flops(config, model.config, shards.pieces, text.attended, share)
    # What a generator or a teacher does beside stands with the head.
    flops = replace(flops, head=whole - flops.encoder - flops.attention)
    bf16 = in_bf16(config)
    memory = step_memory(
        model.config, parameters.total, batches.plan.tokens,
        first.places if model.config.model_type in FAMILIES else batches.plan.tokens,
        bf16=bf16, cuda=torch.cuda.is_available(),
        generator=generator_config(model.config, config.rtd.generator) if config.rtd else None,
        teacher=parameters.teacher,
    )  # fmt: skip
    return RunPlan(
        steps=config.steps,
        parameters=parameters,
        text=text,
        batching=batching,
        work=_work(flops, batching.run_tokens, bf16=bf16),
        memory=memory,
        disk=_disk(config, parameters),
        schedule=tuple(_schedule(config)),
    )


def less_memory(config: PretrainConfig, devices: int = 1) -> str:
    """Say which setting to lower where memory does not do, and to what, in one sentence.

    Micro-batches become half as large or less, and still divide an update among the devices.
    """
    first = config.batch_start_tokens or config.batch_tokens
    half = config.micro_tokens // 2
    fitting = (size for size in range(half, 7, -1) if first % (size * devices) == 0)
    size = next(fitting, None)
    if size is None:
        return "take a smaller model: model.layers or model.hidden"
    if size < config.sequence_length:
        return f"lower micro_tokens to {size} and sequence_length to {size}"
    return f"lower micro_tokens to {size}"


def count_parameters(model: PreTrainedModel) -> Parameters:
    """Count what a model learns; it may be on the meta device."""
    tables = {id(one.weight) for one in model.modules() if isinstance(one, torch.nn.Embedding)}
    body = {id(one) for one in model.base_model.parameters()}
    counts = {"embeddings": 0, "encoder": 0, "head": 0}
    for one in model.parameters():  # tied ones come once
        name = "embeddings" if id(one) in tables else "encoder" if id(one) in body else "head"
        counts[name] += one.numel()
    return Parameters(**counts, total=sum(counts.values()))


def _all_parameters(
    config: PretrainConfig, model: PreTrainedModel, special: SpecialIds
) -> Parameters:
    """Count with a generator or a teacher beside the model."""
    own = count_parameters(model)
    with torch.device("meta"):
        if config.rtd:
            learnt = ReplacedTokenDetection(model, config.rtd, special)
            shared = {id(one) for one in learnt.model.parameters()}
            rest = [one for one in learnt.generator.parameters() if id(one) not in shared]
            total = sum(one.numel() for one in learnt.parameters())
            generator = sum(one.numel() for one in rest)
            head = total - own.embeddings - own.encoder - generator
            return own.model_copy(update={"head": head, "generator": generator, "total": total})
        if config.distil:
            auto: Any = AutoModelForMaskedLM
            teacher: PreTrainedModel = auto.from_config(start_config(config.distil.teacher))
            if config.distil.layer:
                keep_layers(teacher, config.distil.layer)
            many = sum(one.numel() for one in teacher.parameters())
            return own.model_copy(update={"teacher": many})
    return own


def _model_without_weights(config: PretrainConfig, shards: TokenShards) -> PreTrainedModel:
    with torch.device("meta"):
        if config.start is None:
            return build_model(config, shards.pieces, shards.special)
        auto: Any = AutoModelForMaskedLM
        model: PreTrainedModel = auto.from_config(start_config(config.start))
        return model


def _batching(config: PretrainConfig, batches: Batches, layout: Layout, masked: int) -> Batching:
    plan, last = batches.plan, config.steps - 1
    packing = packing_efficiency(
        plan.spans.length, config.sequence_length, config.micro_tokens, layout
    )
    micros = first_micro(last, config) + micro_batches(last, config)
    epoch, update = plan.epoch_micros(0), micro_batches(last, config)
    return Batching(
        layout=layout,
        packing=packing,
        masked=masked,
        tokens=round(update * plan.tokens * packing),
        updates_an_epoch=epoch / update,
        epochs=micros / epoch,
        run_tokens=round(micros * plan.tokens * packing),
    )


def _work(flops: Flops, tokens: int, *, bf16: bool) -> Work:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    peak = matmul_peak(device, torch.bfloat16 if bf16 else torch.float32)
    rate = peak * UTILISATION[device.type] / flops.total
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    return Work(
        encoder=flops.encoder,
        attention=flops.attention,
        head=flops.head,
        total=flops.total,
        run=flops.total * tokens,
        device=f"{name}, {torch.get_num_threads()} threads" if name == "CPU" else name,
        peak=peak,
        utilisation=UTILISATION[device.type],
        tokens_per_second=rate,
        seconds=tokens / rate,
    )


def _disk(config: PretrainConfig, parameters: Parameters) -> Disk:
    size = CHECKPOINT * parameters.total
    there = next(
        one for one in (config.out.absolute(), *config.out.absolute().parents) if one.is_dir()
    )
    most = size * (config.keep + 1) + 4 * (parameters.total - parameters.generator)
    return Disk(checkpoint=size, most=most, free=shutil.disk_usage(there).free)


def _schedule(config: PretrainConfig) -> list[Moment]:
    """Tell a few steps: the first, the ends of the warm-ups, the quarters, the last."""
    last = config.steps - 1
    told = {0, config.optim.warmup_steps, config.batch_warmup_steps, last}
    told |= {config.steps * part // 4 for part in range(1, 4)}
    return [
        Moment(
            step=step + 1,
            learning_rate=learning_rate(step, config.steps, config.optim),
            tokens=micro_batches(step, config) * config.micro_tokens,
        )
        for step in sorted(one for one in told if one <= last)
    ]
