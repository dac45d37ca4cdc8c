"""What every test shares: real text where it is at hand, and small finished stage folders."""

from __future__ import annotations

import importlib
import io
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import settings
from pythainlp.corpus import thai_words

from thaitok.folder import stage_job
from thaitok.trainer import TokenizerConfig, train_tokenizer

# The same cases at each run, so that a failure is the change's. Others are drawn by
# `HYPOTHESIS_PROFILE=new make test`.
settings.register_profile("same", derandomize=True)
settings.register_profile("new")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

SENTENCES = (
    "แมวนั่งอยู่บนเสื่อหน้าบ้าน",
    "วันนี้อากาศดีมาก ท้องฟ้าแจ่มใส",
    "นายสมชายไปทำงานที่กรุงเทพมหานคร",
    "ร้านอาหารแห่งนี้อร่อยและราคาไม่แพง",
    "รัฐบาลประกาศมาตรการช่วยเหลือประชาชน",
    "เด็กนักเรียนอ่านหนังสือในห้องสมุด",
    "ราคาน้ำมันปรับขึ้น 2.50 บาทต่อลิตร",
    "ฉันชอบฟังเพลงและดูหนังตอนเย็น",
    "บริษัทเปิดตัวโทรศัพท์รุ่นใหม่ iPhone",
    "ตำรวจจับกุมผู้ต้องหาได้ที่เชียงใหม่",
)


def make_corpus(out: Path, texts: Iterable[str]) -> Path:
    """Write a finished corpus folder of the given texts."""
    with stage_job(out, "corpus", {}, ()) as job:
        documents = [
            json.dumps({"id": str(number), "text": text, "source": "test"}, ensure_ascii=False)
            for number, text in enumerate(texts)
        ]
        packed = zstandard.ZstdCompressor().compress("".join(f"{d}\n" for d in documents).encode())
        (job.work / "part-00000.jsonl.zst").write_bytes(packed)
        job.finish({"kept": len(documents)}, {})
    return out


def variations(count: int) -> list[str]:
    """Return different documents: two sentences and some words of the dictionary."""
    words = sorted(thai_words())[:: len(thai_words()) // (3 * count)]
    size = len(SENTENCES)
    return [
        f"{SENTENCES[n % size]} {SENTENCES[(n // size + n) % size]}\n"
        f"{words[n]}{words[n + count]} {words[n + 2 * count]} ครั้งที่ {n}"
        for n in range(count)
    ]


@pytest.fixture(scope="session")
def real_lines() -> Callable[[str, int], list[str]]:
    """Read the first lines of a set of real text; the test is skipped where there is none."""
    if not SHARED.exists():
        pytest.skip(f"no real text at {SHARED}")

    def read(name: str, count: int) -> list[str]:
        with (SHARED / "text" / f"{name}.jsonl.zst").open("rb") as raw:
            stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8")
            lines = (line for row in stream for line in json.loads(row)["text"].split("\n"))
            return list(itertools.islice(lines, count))

    return read


@pytest.fixture(scope="session")
def corpus_of() -> Callable[[Path, Iterable[str]], Path]:
    """Write a finished corpus folder of given texts."""
    return make_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("stage") / "corpus", variations(300))


@pytest.fixture(scope="session")
def tokenizer(corpus: Path) -> Path:
    out = corpus.parent / "tokenizer"
    train_tokenizer(TokenizerConfig(corpus=(corpus,), out=out, vocab_size=500))
    return out


@pytest.fixture(scope="session")
def hub_modules() -> tuple[Any, Any]:
    """Load the local Hub and its client; the modules of tests/hub find each other there."""
    folder = str(Path(__file__).resolve().parent / "hub")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("hub_server"), importlib.import_module("hub_client")
    finally:
        sys.path.remove(folder)


@pytest.fixture(scope="session")
def local_hub(hub_modules: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run the local Hub."""
    with hub_modules[0].LocalHub(tmp_path_factory.mktemp("hub")) as server:
        yield server


@pytest.fixture
def hub(local_hub: Any) -> Any:
    """Return the local Hub without repositories, tokens, faults or a journal."""
    local_hub.forget()
    return local_hub


@pytest.fixture
def anna(hub: Any) -> str:
    """Return the token of user anna, who is in the organisation team."""
    token: str = hub.token("anna", orgs=("team",))
    return token


@pytest.fixture(scope="session")
def hub_env(local_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process whose only Hub is the local one; no token."""
    names = ("PATH", "PYTHONPATH", "HOME", "TMPDIR")
    return {
        **{name: os.environ[name] for name in names if name in os.environ},
        "HF_ENDPOINT": local_hub.url,
        "HF_HOME": str(tmp_path_factory.mktemp("hf")),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    }


@pytest.fixture(scope="session")
def client_of(
    hub_modules: Any, hub_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Any]]:
    """Start processes that run code over the Hub: by a prelude, and what their environment adds.

    Each has a cache and a log of its own, and ends with the tests.
    """
    started = []

    def start(prelude: str, **env: str) -> Any:
        place = tmp_path_factory.mktemp("client")
        own = {**hub_env, "HF_HOME": str(place / "hf"), **env}
        started.append(hub_modules[1].Client(prelude, own, place / "stderr"))
        return started[-1]

    yield start
    for client in started:
        client.close()
