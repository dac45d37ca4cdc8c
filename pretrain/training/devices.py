"""The processes and devices of a run: precision, copies or parts of the model, agreement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from pretrain.config import ModelConfig, PretrainConfig
from pretrain.data.plan import Layout
from pretrain.measure.estimate import less_memory
from pretrain.model.encoder import MaskedLanguageModel
from pretrain.model.families import FAMILIES
from pretrain.model.start import start_config
from thaitok.devices import computes_bf16
from thaitok.errors import UserError

WIDEST = 256
"""Dimensions of a head that FlashAttention takes at most."""


def open_accelerator(config: PretrainConfig) -> Accelerator:
    """Return the accelerator of this process."""
    # Accelerate keeps its precision for the process, and refuses a second run with another.
    AcceleratorState._reset_state()
    # Unless it is told, Accelerate does not see that CPU processes belong together.
    cpu = not torch.accelerator.is_available()
    # Some architectures have weights that masked language modelling does not use.
    known = config.model is None or config.model.type in FAMILIES
    copies = DistributedDataParallelKwargs(find_unused_parameters=not known)
    precision = "bf16" if in_bf16(config) else "no"
    accelerator = Accelerator(mixed_precision=precision, cpu=cpu, kwargs_handlers=[copies])
    # cuBLAS wants to know before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(config.deterministic)
    return accelerator


def in_bf16(config: PretrainConfig) -> bool:
    """Whether a run multiplies in bf16 on this machine."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return config.precision == "bf16" or (config.precision == "auto" and computes_bf16(device))


def layout_of(config: PretrainConfig) -> Layout:
    """Return how documents lie in micro-batches on this machine.

    Raises `UserError` for a stream where there is no attention kernel that takes one.
    """
    width = _head_width(config)
    fits = width % 8 == 0 and width <= WIDEST
    kernel = torch.cuda.is_available() and in_bf16(config) and fits
    if config.layout == "stream" and not kernel:
        what = 'layout "stream" needs a CUDA device, bf16'
        what += f" and heads of 8 to {WIDEST} dimensions, a multiple of 8, not {width}"
        raise UserError(what, do='leave layout at "auto"')
    if config.layout == "auto":
        return "stream" if kernel else "rows"
    return config.layout


def _head_width(config: PretrainConfig) -> int:
    if config.start is None:
        size = config.model or ModelConfig()
        return size.hidden // size.heads
    found = start_config(config.start)
    return int(found.hidden_size) // int(found.num_attention_heads)


def spread(encoder: MaskedLanguageModel, config: PretrainConfig, accelerator: Accelerator) -> Any:
    """Return the encoder as the processes share it: a copy each (DDP), or a part each (FSDP2)."""
    if config.parallel == "fsdp2" and accelerator.num_processes > 1:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
        # The last layer goes with the rest, for it is not called as a whole.
        for layer in encoder.layers()[:-1]:
            fully_shard(layer, mesh=mesh)
        return fully_shard(encoder, mesh=mesh)
    return accelerator.prepare(encoder) if accelerator.num_processes > 1 else encoder


@contextmanager
def gradients_stay(model: Any, accelerator: Accelerator, *, last: bool) -> Iterator[None]:
    """Let gradients be averaged over the devices once, with an update's last micro-batch."""
    if hasattr(model, "set_requires_gradient_sync"):
        model.set_requires_gradient_sync(last)
    if last or accelerator.num_processes == 1:
        yield
        return
    with accelerator.no_sync(model):
        yield


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor with the parts that lie on other devices; every process has to ask."""
    gather = getattr(tensor, "full_tensor", None)
    return gather() if gather else tensor


def clip_gradients(model: nn.Module, largest: float) -> Tensor:
    """Scale gradients so that their norm is at most `largest`; return the norm before."""
    return whole(nn.utils.clip_grad_norm_(model.parameters(), largest))


def anywhere(accelerator: Accelerator, here: bool) -> bool:
    """Whether something is so in any process; all of them learn it, and wait for it."""
    if accelerator.num_processes == 1:
        return here
    flag = torch.tensor(float(here), device=accelerator.device)
    return bool(accelerator.reduce(flag, "sum").item())


class Stop:
    """Whether a process was asked to stop, which all have to learn after the same update.

    The answer to one question comes with the next, so that no device waits for it.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self._asked: Tensor | None = None

    def anywhere(self, here: bool) -> bool:
        """Ask again; return what is known."""
        if self.accelerator.num_processes == 1:
            return here
        before = self._asked
        flag = torch.tensor(float(here), device=self.accelerator.device)
        self._asked = self.accelerator.reduce(flag, "sum")
        return before is not None and bool(before.item())


@contextmanager
def memory_told(config: PretrainConfig, devices: int) -> Iterator[None]:
    """Say which setting to lower where a device's memory does not do."""
    try:
        yield
    except RuntimeError as err:  # the allocator of CPUs has no error of its own
        full = isinstance(err, torch.OutOfMemoryError) or "can't allocate memory" in str(err)
        if not full:
            raise
        raise UserError("the device is out of memory", do=less_memory(config, devices)) from None
