from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from pretrain.config import PretrainConfig
from pretrain.data.batch import Batches, digest, split_documents
from pretrain.data.feed import AHEAD, feed
from pretrain.data.shards import open_shards

CPU = torch.device("cpu")


@pytest.fixture
def batches(config_of: Callable[..., PretrainConfig], tmp_path: Path) -> Batches:
    config = config_of(tmp_path)
    return split_documents(config, open_shards(config.shards), "stream", 2)[0]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not threads()


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "feed"]


def numbers(count: int) -> list[tuple[int, int]]:
    return [(number, number // 4) for number in range(count)]


def test_a_feed_gives_what_batches_give_in_order(batches: Batches) -> None:
    expected = [digest(batches.micro(*one)) for one in numbers(60)]
    assert [digest(batch) for batch in feed(numbers(60), batches, CPU)] == expected


def test_a_feed_that_ended_stays_ended(batches: Batches) -> None:
    fed = feed(numbers(2), batches, CPU)
    assert len(list(fed)) == 2
    assert next(fed, None) is None


def test_building_runs_only_a_little_ahead(batches: Batches) -> None:
    asked: list[int] = []

    def watched() -> Iterator[tuple[int, int]]:
        for one in numbers(100):
            asked.append(one[0])
            yield one

    with feed(watched(), batches, CPU) as fed:
        next(fed)
        deadline = time.monotonic() + 5
        while len(asked) < AHEAD + 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(asked) == AHEAD + 2, "one taken, three waiting, one in hand"


def test_what_the_thread_raises_reaches_the_consumer(batches: Batches) -> None:
    def broken() -> Iterator[tuple[int, int]]:
        yield 0, 0
        raise OSError("the disk is gone")

    fed = feed(broken(), batches, CPU)
    next(fed)
    with pytest.raises(OSError, match="the disk is gone"):
        next(fed)
    assert next(fed, None) is None


@pytest.mark.parametrize("pause", [0, 0.05])
def test_stopping_early_leaves_no_thread(batches: Batches, pause: float) -> None:
    with feed(numbers(10_000), batches, CPU) as fed:
        next(fed)
        time.sleep(pause)  # with a full queue, too
        assert threads()
    assert not threads()
    assert next(fed, None) is None


def test_a_forgotten_feed_leaves_no_thread(batches: Batches) -> None:
    fed = feed(numbers(10_000), batches, CPU)
    next(fed)
    del fed
    gc.collect()
    assert not threads()


def test_an_error_of_the_consumer_leaves_no_thread(batches: Batches) -> None:
    with pytest.raises(KeyboardInterrupt), feed(numbers(10_000), batches, CPU) as fed:
        next(fed)
        raise KeyboardInterrupt


def test_waiting_is_measured(batches: Batches) -> None:
    def slow() -> Iterator[tuple[int, int]]:
        for one in numbers(4):
            time.sleep(0.05)
            yield one

    fed = feed(slow(), batches, CPU)
    assert len(list(fed)) == 4
    assert 0.15 < fed.waited < 1
    with feed(numbers(3), batches, CPU) as fed:
        time.sleep(0.3)
        assert len(list(fed)) == 3
    assert fed.waited < 0.05
