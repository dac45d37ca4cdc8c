"""How fast a run is, without the time of evaluations and checkpoints."""

from __future__ import annotations

import time

import torch


class Clock:
    """Speed since the last line told.

    `work` are the floating-point operations of a token, `peak` those a second of all devices.
    """

    def __init__(self, work: float, peak: float) -> None:
        self.work = work
        self.peak = peak
        self.restart(0, 0, 0.0)

    def restart(self, step: int, tokens: int, waited: float) -> None:
        """Begin to count anew; `waited` are the seconds spent waiting for batches so far."""
        self._at = step, tokens, waited
        self._began = time.perf_counter()

    def speed(self, step: int, tokens: int, waited: float) -> dict[str, float]:
        """Return seconds a step, tokens a second, MFU, the share of time spent waiting, memory."""
        seconds = time.perf_counter() - self._began
        steps, rate = step - self._at[0], (tokens - self._at[1]) / seconds
        found = {
            "seconds": round(seconds / max(1, steps), 4),
            "tokens_per_second": round(rate),
            "mfu": round(rate * self.work / self.peak, 4),
            "waiting": round((waited - self._at[2]) / seconds, 4),
        }
        if torch.cuda.is_available():
            found["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        self.restart(step, tokens, waited)
        return found
