"""The guard: it judges each update on the device, and the host learns of it when it asks."""

from __future__ import annotations

import torch
from torch import Tensor

from pretrain.config import GuardConfig

BETA = 0.98
"""Of the running mean of the gradient's norm: about the last fifty updates count."""
ENOUGH = 50
"""Updates made before a norm can be a spike: in the first ones it falls by itself."""

KEYS = ("mean", "made", "skipped", "row")


class Guard:
    """Says of each update whether it is skipped, and remembers how often that was so.

    Loss and norm are the same in all processes once they are reduced, so each judges alike.
    What is remembered: the exponential mean of the norms of the updates made (not debiased),
    their number, how many were skipped in all, and how many of them in a row up to now.
    Apple's GPUs have no 64-bit floats, and 32 bits count 16 million updates exactly.
    """

    def __init__(self, config: GuardConfig, device: torch.device | str) -> None:
        self.config = config
        self._state = torch.zeros(len(KEYS), device=device)

    @torch.no_grad()
    def judge(self, loss: Tensor, norm: Tensor) -> Tensor:
        """Return 1 where an update is to be skipped, else 0: float32 of shape (), on the device.

        `loss` and `norm` have shape (). Nothing here waits for the device.
        """
        norm = norm.float()
        mean, made, skipped, row = self._state.unbind()
        bad = ~(loss.isfinite() & norm.isfinite())
        if self.config.spike:
            usual = mean / (1 - BETA**made)  # no number before the first, and never used then
            bad = bad | ((made >= ENOUGH) & (norm > self.config.spike * usual))
        after = (
            torch.where(bad, mean, BETA * mean + (1 - BETA) * norm),
            made + ~bad,
            skipped + bad,
            (row + 1) * bad,
        )
        self._state.copy_(torch.stack(after))
        return bad.float()

    def must_go_back(self) -> bool:
        """Whether `patience` updates in a row were skipped; waits for the device."""
        return self.state()["row"] >= self.config.patience

    def in_order(self) -> bool:
        """Whether the last update was made and not skipped; waits for the device."""
        return self.state()["row"] == 0

    def state(self) -> dict[str, float]:
        """Return what it remembers, exact in JSON too; waits for the device."""
        return dict(zip(KEYS, self._state.tolist(), strict=True))

    def load(self, state: dict[str, float]) -> None:
        """Remember what a state says."""
        self._state.copy_(torch.tensor([state[key] for key in KEYS]))
