from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

import corpora.plan
from corpora import CleanConfig
from corpora.inputs import InputFile, find_files
from corpora.passes.pipeline import run_rank
from corpora.passes.split import SplitPass
from corpora.plan import Piece, needs_unpacking, pieces_of, tasks_of
from corpora.readers import read_piece
from corpora.records import Fault, Found


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora.plan, "PIECE_BYTES", 1000)


def config_of(path: Path, **changes: Any) -> CleanConfig:
    return CleanConfig(inputs=(str(path),), out=Path("/nowhere"), **changes)


def the_file(config: CleanConfig) -> InputFile:
    (file,) = find_files(config.inputs, config.out)
    return file


def read(pieces: list[Piece], config: CleanConfig) -> list[Found | Fault]:
    return [item for piece in pieces for item in read_piece(piece, config, lambda _: None)]


def lines(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for number in range(300):
        kind = chance.random()
        if kind < 0.1:
            yield b""
        elif kind < 0.15:
            yield b"{broken"
        elif kind < 0.17:
            yield b'{"text": "' + b"x" * 3000 + b'"}'  # longer than a piece
        else:
            yield f'{{"text": "เอกสารที่ {number}"}}'.encode() + b"\r" * (kind > 0.9)


def small(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(corpora.plan, "PIECE_BYTES", size)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("suffix", [".jsonl", ".txt", ".jsonl.gz", ".jsonl.zst", ".txt.zst"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_file_in_pieces_reads_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, suffix: str, end: bytes
) -> None:
    data = b"\xef\xbb\xbf" + b"\n".join(lines(seed)) + end
    pack: dict[str, Any] = {".gz": gzip.compress, ".zst": zstandard.compress}
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack.get(path.suffix, bytes)(data))
    config = config_of(path)
    file = the_file(config)
    small(monkeypatch, 10**9)
    whole = read(pieces_of(file, config), config)
    assert len(whole) > 200
    small(monkeypatch, 1000)
    pieces = split(file, config, tmp_path) if file.packing else pieces_of(file, config)
    assert len(pieces) > 5
    assert read(pieces, config) == whole
    if not file.packing:
        assert [one.start for one in pieces[1:]] == [one.end for one in pieces[:-1]]
        assert sum(one.bytes for one in pieces) == len(data)


def split(file: InputFile, config: CleanConfig, folder: Path) -> list[Piece]:
    assert needs_unpacking(file, config)
    job = SplitPass([file], folder / "split")
    job.folder.mkdir()
    run_rank(job, 0, lambda size, dropped: None)
    return job.pieces(0)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_packed_file_gives_what_came_before(tmp_path: Path, suffix: str) -> None:
    # Words at random, so that little is packed into the bytes cut off.
    texts = (random.Random(n).randbytes(40).hex() for n in range(200))
    data = b"".join(b'{"text": "%s"}\n' % text.encode() for text in texts)
    packed = gzip.compress(data) if suffix == ".gz" else in_blocks(data)
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    config = config_of(path)
    items = read(split(the_file(config), config, tmp_path), config)
    assert len(items) > 50
    assert isinstance(items[-1], Fault)
    assert items[-1].reason == "broken_file"
    assert items == read(pieces_of(the_file(config), config), config)


def in_blocks(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    blocks = (
        packer.compress(data[n : n + 999]) + packer.flush(flush) for n in range(0, 99999, 999)
    )
    return b"".join(blocks) + packer.flush()


def test_parquet_is_divided_by_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"เอกสารที่ {number} " * 5 for number in range(100)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=10, use_dictionary=False)
    config = config_of(path)
    pieces = pieces_of(the_file(config), config)
    assert len(pieces) > 3
    items = read(pieces, config)
    assert [one.text for one in items if isinstance(one, Found)] == texts
    assert [one.line for one in items] == list(range(1, 101))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("a.csv", {}),
        ("a.txt", {"txt_documents": "paragraph"}),
        ("a.txt", {"txt_documents": "file"}),
    ],
)
def test_what_cannot_be_divided_at_any_line_is_one_piece(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"text\n" * 2000)
    config = config_of(path, **changes)
    assert len(pieces_of(the_file(config), config)) == 1


def test_small_pieces_share_a_task() -> None:
    def piece(size: int) -> Piece:
        return Piece(InputFile(Path("x"), "x", "txt", "", size), Path("x"), "", size, size)

    tasks = tasks_of(map(piece, [400, 400, 400, 9900, 100, 0, 1000]))
    assert [[one.bytes for one in task] for task in tasks] == [
        [400, 400], [400], [9900], [100, 0], [1000]
    ]  # fmt: skip
