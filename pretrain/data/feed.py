"""A thread that builds the next micro-batches while the device computes."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from queue import Queue
from typing import TypeAlias

import torch

from pretrain.data.batch import Batch, Batches

AHEAD = 3
"""Micro-batches built ahead: enough to be ready, 2 MB each at 65,536 tokens."""

Parcel: TypeAlias = Batch | BaseException | None


def feed(numbers: Iterable[tuple[int, int]], batches: Batches, device: torch.device) -> Feed:
    """Return the micro-batches of (number, step) pairs, on a device and in order.

    They are those of `batches.micro(number, step)`. What the thread raises, the consumer gets.
    The thread ends with the numbers, with `close()`, or when nobody holds the feed any more.
    """
    return Feed(numbers, batches, device)


class Feed(Iterator[Batch]):
    """An iterator over micro-batches built ahead; also a context that closes it."""

    def __init__(
        self, numbers: Iterable[tuple[int, int]], batches: Batches, device: torch.device
    ) -> None:
        self.waited = 0.0
        """Seconds that the consumer has waited for batches so far."""
        self._device = device
        self._queue: Queue[Parcel] = Queue(AHEAD)
        self._stopped = threading.Event()
        pin = device.type == "cuda"
        # The thread knows nothing of the feed, which else would never be let go.
        work = (numbers, batches, pin, self._queue, self._stopped)
        # A daemon, so that a process that ends on an error does not wait for it.
        self._thread = threading.Thread(target=_build, args=work, name="feed", daemon=True)
        self._thread.start()
        self.close = weakref.finalize(self, _stop, self._stopped, self._queue, self._thread)

    def __next__(self) -> Batch:
        began = time.perf_counter()
        found = self._queue.get() if self.close.alive else None
        self.waited += time.perf_counter() - began
        if isinstance(found, Batch):
            return found.to(self._device)
        self.close()
        if found is not None:
            raise found
        raise StopIteration

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _build(
    numbers: Iterable[tuple[int, int]],
    batches: Batches,
    pin: bool,
    queue: Queue[Parcel],
    stopped: threading.Event,
) -> None:
    last: BaseException | None = None
    try:
        for number, step in numbers:
            batch = batches.micro(number, step)
            if stopped.is_set():
                return
            queue.put(batch.pin() if pin else batch)
    except BaseException as error:  # raised again where it can be dealt with
        last = error
    queue.put(last)


def _stop(stopped: threading.Event, queue: Queue[Parcel], thread: threading.Thread) -> None:
    """End the thread: what it waits for is room, and it puts one more parcel at most."""
    stopped.set()
    while not queue.empty():
        queue.get_nowait()
    if thread is not threading.current_thread():  # where garbage may be collected too
        thread.join()
