"""What a device can do."""

from __future__ import annotations

import torch


def computes_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bf16 matrices in hardware, so that it is faster than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
