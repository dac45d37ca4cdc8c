"""The plan of a run in tables, as the command prints it."""

from __future__ import annotations

from pretrain.measure.estimate import RunPlan, Table


def plan_tables(plan: RunPlan) -> list[Table]:
    """Return (title, columns, rows) of each table."""
    return [
        ("model and text", ("", ""), _text(plan)),
        ("batches", ("", ""), _batches(plan)),
        ("FLOPs, forward and backward", ("", ""), _work(plan)),
        ("memory on a device, estimated", ("", ""), _memory(plan)),
        ("schedule", ("step", "learning rate", "tokens an update"), [
            (one.step, one.learning_rate, one.tokens) for one in plan.schedule
        ]),
    ]  # fmt: skip


def _text(plan: RunPlan) -> list[tuple[str, str]]:
    size, text = plan.parameters, plan.text
    parts = f"embeddings {size.embeddings:,}, encoder {size.encoder:,}, head {size.head:,}"
    parts += f", generator {size.generator:,}" if size.generator else ""
    return [
        ("parameters", f"{size.total:,}: {parts}"),
        *([("teacher", f"{size.teacher:,} parameters")] if size.teacher else []),
        ("pieces", f"{text.pieces:,}"),
        ("documents", f"{text.documents:,}, held out {text.held_out:,}"),
        ("tokens", f"{text.tokens:,}, evaluated {text.evaluated_tokens:,}"),
        ("tokens seen by one", f"{text.attended:,.1f} on average"),
    ]


def _batches(plan: RunPlan) -> list[tuple[str, str]]:
    one = plan.batching
    return [
        ("layout", f"{one.layout}, {100 * one.packing:.2f} % of the places hold tokens"),
        ("masked", f"{one.masked:,} places of a micro-batch"),
        ("update", f"{one.tokens:,} tokens; {one.updates_an_epoch:,.1f} updates an epoch"),
        ("run", f"{plan.steps:,} updates, {one.run_tokens:,} tokens, {one.epochs:,.2f} epochs"),
    ]


def _work(plan: RunPlan) -> list[tuple[str, str]]:
    work = plan.work
    parts = (("encoder", work.encoder), ("attention", work.attention), ("head", work.head))
    told = ", ".join(f"{name} {number / 1e6:,.1f}" for name, number in parts)
    return [
        ("a token", f"{work.total / 1e6:,.1f} million: {told}"),
        ("the run", f"{work.run:.3g}"),
        ("matmul peak", f"{work.peak / 1e12:.3g} TFLOP/s measured on {work.device}"),
        ("speed", f"{work.tokens_per_second:,.0f} tokens/s at an assumed MFU of "
                  f"{100 * work.utilisation:.0f} %"),
        ("time", f"{duration(work.seconds)} on one such device, evaluations aside"),
    ]  # fmt: skip


def _memory(plan: RunPlan) -> list[tuple[str, str]]:
    memory, disk = plan.memory, plan.disk
    parts = memory.model_dump()
    total = parts.pop("total")
    most = "at most, if nothing is compiled"
    if plan.parameters.teacher:
        most = "if nothing is compiled; relations and the teacher's activations are not counted"
    free = "" if disk.free > disk.most else ": TOO LITTLE"
    return [
        *((name, _bytes(size)) for name, size in parts.items()),
        ("all", f"{_bytes(total)} {most}"),
        ("checkpoint on disk", _bytes(disk.checkpoint)),
        ("disk", f"{_bytes(disk.most)} for all that is kept, {_bytes(disk.free)} free{free}"),
    ]


def duration(seconds: float) -> str:
    """Say a time in its two largest units."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 72 else f"{hours // 24} days {hours % 24} h"


def _bytes(size: float) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
