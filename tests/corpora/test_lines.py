from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from corpora.lines import BrokenFileError, Packing, read_chunks, read_lines

PACK: dict[Packing, Callable[[bytes], bytes]] = {
    "": bytes,
    "gz": gzip.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def chunks(path: Path, packing: Packing) -> tuple[bytes, str | None, int]:
    read, moved = [], []
    try:
        for chunk in read_chunks(path, packing, moved.append):
            read.append(chunk)
    except BrokenFileError as err:
        return b"".join(read), str(err), sum(moved)
    return b"".join(read), None, sum(moved)


@given(
    st.lists(st.binary(max_size=40).filter(lambda data: b"\n" not in data), max_size=8),
    st.lists(st.integers(1, 30), max_size=20),
    st.integers(1, 30),
)
def test_lines_do_not_depend_on_the_chunks(
    texts: list[bytes], cuts: list[int], max_bytes: int
) -> None:
    data = b"\n".join(texts)
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(data[start : start + cut])
        start += cut
    pieces.append(data[start:])
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    lines = list(read_lines(pieces, max_bytes))
    assert [line.number for line in lines] == list(range(1, len(expected) + 1))
    for line, raw in zip(lines, expected, strict=True):
        assert line.whole == (len(raw) <= max_bytes)
        if line.number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if line.whole:
            assert line.data == raw.removesuffix(b"\r")
        else:
            assert raw.startswith(line.data)


def test_windows_ends_and_byte_order_mark() -> None:
    data = "\ufeffแมว\r\nหมา\r\n".encode()
    assert [line.data.decode() for line in read_lines([data], 100)] == ["แมว", "หมา"]


@pytest.mark.parametrize("packing", PACK)
def test_packed_files_give_their_bytes(tmp_path: Path, packing: Packing) -> None:
    data = "ภาษาไทย\n".encode() * 100_000
    # Two members, as tools write them that pack in blocks or append.
    packed = PACK[packing](data) + PACK[packing](b"end\n")
    (tmp_path / "file").write_bytes(packed)
    read, error, moved = chunks(tmp_path / "file", packing)
    assert (read == data + b"end\n", error, moved) == (True, None, len(packed))


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_empty_packed_file_is_no_fault(tmp_path: Path, packing: Packing) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert chunks(tmp_path / "file", packing)[:2] == (b"", None)
    (tmp_path / "file").write_bytes(PACK[packing](b""))
    assert chunks(tmp_path / "file", packing)[:2] == (b"", None)


@pytest.mark.parametrize("packing", ["gz", "zst"])
@pytest.mark.parametrize("fault", ["truncated", "damaged"])
def test_a_break_keeps_what_came_before(tmp_path: Path, packing: Packing, fault: str) -> None:
    import random

    data = random.Random(1).randbytes(600_000)
    packed = bytearray(PACK[packing](data))
    if fault == "truncated":
        del packed[500_000:]
    else:
        packed[400_000:400_400] = bytes(400)  # found by the checksum at the end
    (tmp_path / "file").write_bytes(packed)
    read, error, _ = chunks(tmp_path / "file", packing)
    assert error
    if fault == "truncated":
        assert len(read) > 300_000
        assert data.startswith(read)
    else:
        assert data[:200_000] == read[:200_000]


BOMB = """
import json, re, sys
from pathlib import Path
from corpora.lines import read_chunks, read_lines
chunks = read_chunks(Path(sys.argv[1]), sys.argv[2], lambda _: None)
lines = [(line.number, len(line.data), line.whole) for line in read_lines(chunks, 1_000_000)]
# Not ru_maxrss: a process is born with that of the one that started it.
peak = re.search("VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())
print(json.dumps([lines, int(peak[1])]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_promise_5_memory_is_bounded_on_a_bomb(tmp_path: Path, packing: Packing) -> None:
    import json

    bomb = tmp_path / "bomb"
    with bomb.open("wb") as raw:
        stream = (
            gzip.GzipFile(fileobj=raw, mode="wb")
            if packing == "gz"
            else zstandard.ZstdCompressor(level=19).stream_writer(raw, closefd=False)
        )
        with stream:
            for _ in range(300):
                stream.write(b" " * 1_000_000)
            stream.write(b"\nend")
    assert bomb.stat().st_size < 400_000
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(bomb), packing], capture_output=True, check=True
    )
    lines, kilobytes = json.loads(done.stdout)
    assert lines == [[1, 600, False], [2, 3, True]]
    assert kilobytes < 300_000
