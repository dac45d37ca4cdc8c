"""Full disks and hostile input: one clear error, bounded memory and time."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora import CleanConfig, clean_corpus
from thaitok.errors import UserError, explain_system_error

Files = Callable[..., Path]
Make = Callable[..., CleanConfig]
Start = Callable[..., "subprocess.Popen[bytes]"]


def document(index: int) -> dict[str, Any]:
    return {"text": f"เอกสารที่ {index} เรื่องแมวกับปลา"}


def test_promise_4_a_full_disk_is_an_os_error_and_resumable(
    jsonl: Files, config: Make, start: Start
) -> None:
    chance = random.Random(7)
    jsonl("a.jsonl", [{"text": "ไทย" + chance.randbytes(90).hex()} for _ in range(9000)])
    make = config(filters={"min_thai_share": 0})

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    full = start(make, preexec_fn=limit, stderr=subprocess.PIPE)
    said = full.communicate()[1].decode()
    assert full.returncode == 1
    assert "OSError: [Errno 27] File too large" in said.splitlines()[-1] or "Errno 27" in said
    assert not make.out.exists()
    assert clean_corpus(make).counts["kept"] == 9000


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_promise_4_a_full_disk_at_every_size(tmp_path: Path, jsonl: Files, config: Make) -> None:
    chance = random.Random(7)
    jsonl("a.jsonl", [{"text": "ไทย" + chance.randbytes(90).hex()} for _ in range(9000)])
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(*options: str) -> None:
        command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this system lets nobody mount a disk")

    mount("-o", "size=200k")
    make = config(filters={"min_thai_share": 0}, out=disk / "corpus")
    try:
        for kilobytes in (600, 1400, 2200):  # in the map pass, before and during the join
            with pytest.raises(OSError, match="No space left on device") as error:
                clean_corpus(make)
            assert isinstance(explain_system_error(error.value), UserError)
            assert not make.out.exists()
            mount("-o", f"remount,size={kilobytes}k")
        mount("-o", "remount,size=9m")
        assert clean_corpus(make).counts["kept"] == 9000
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)  # errors hold files open


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_promise_5_memory_is_bounded_in_the_workers_too(
    jsonl: Files, config: Make, start: Start
) -> None:
    path = jsonl("a.jsonl", [document(1)])
    with gzip.open(path.with_name("bomb.jsonl.gz"), "wb") as stream:
        for _ in range(300):
            stream.write(b" " * 1_000_000)
        stream.write(b"\n" + b"[" * 100_000 + b"\n" + "ไทย\0".encode() + b"\n")
        marks = {"text": "ก" + "\u0301\u0323" * 2_000_000}
        stream.write(json.dumps(marks, ensure_ascii=False).encode() + b"\n")
        stream.write(json.dumps(document(2)).encode())
    # Not ru_maxrss of the process itself: it is born with that of the one that started it.
    measured = (
        "import re, resource\n"
        "peak = re.search(r'VmHWM:\\s+([0-9]+) kB', Path('/proc/self/status').read_text())\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, peak[1])\n"
    )
    run = start(config(), after=measured, stdout=subprocess.PIPE)
    assert max(map(int, run.communicate()[0].split())) < 300_000
    report = json.loads((config().out / "report.json").read_text())
    assert report["kept"] == 2
    assert report["quarantined"] == {
        "nested_too_deep": 1, "nul": 1, "too_many_bytes": 1, "too_many_marks": 1
    }  # fmt: skip


def test_hostile_texts_take_no_quadratic_time(jsonl: Files, config: Make) -> None:
    jsonl(
        "a.jsonl",
        [
            document(1),
            {"text": "ก" + "\u0301\u0323" * 400_000},
            {"text": "แมว &" + "amp;" * 400_000},
        ],
    )
    begun = time.monotonic()
    counts = clean_corpus(config(filters={"min_thai_share": 0})).counts
    assert time.monotonic() - begun < 15
    assert counts["quarantined"] == {"too_many_marks": 1}
    assert counts["kept"] + sum(counts["dropped"].values()) == 2
