from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretrain.data.shards import (
    TOKENIZER_FOLDER,
    Tokens,
    mapped,
    open_shards,
    piece_lengths,
    token_dtype,
    verify_shards,
    write_shards,
)
from thaitok.corpus import read_texts
from thaitok.errors import UserError
from thaitok.folder import file_facts, stage_job
from thaitok.rules import SPACE_TOKEN, normalize


def written_shards(
    out: Path, documents: Iterable[Tokens], shard_tokens: int, pieces: int = 100
) -> Path:
    with stage_job(out, "shards", {}, ()) as job:
        counts = write_shards(job.work, documents, shard_tokens, unknown=3)
        job.finish({**counts, "pieces": pieces}, {})
    return out


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 40), max_size=6), min_size=1, max_size=6),
    st.integers(1, 90),
    st.data(),
)
def test_what_is_written_is_read(
    chunks: list[list[int]], shard_tokens: int, data: st.DataObject
) -> None:
    lengths = [one for chunk in chunks for one in chunk]
    ids = np.arange(sum(lengths)).astype(np.uint16) % 90
    starts = np.random.default_rng(sum(lengths)).random(len(ids)) < 0.6
    documents, at = [], 0
    for chunk in chunks:
        end = at + sum(chunk)
        documents.append(Tokens(ids[at:end], starts[at:end], np.array(chunk, np.int64)))
        at = end
    if not lengths:
        return
    with TemporaryDirectory() as folder:
        found = open_shards(written_shards(Path(folder) / "s", documents, shard_tokens))
        assert found.lengths.tolist() == lengths
        sizes = [len(one) for one in found.tokens]
        assert all(size >= shard_tokens for size in sizes[:-1])
        ends = [
            size - int(np.diff(one)[-1]) for size, one in zip(sizes, found.offsets, strict=True)
        ]
        assert all(end < shard_tokens for end in ends), "the document that fills it is the last"
        begin = 0
        for number, length in enumerate(lengths):
            assert np.array_equal(found.document(number), ids[begin : begin + length])
            start = data.draw(st.integers(0, length))
            end = data.draw(st.integers(start, length))
            wanted = starts[begin + start : begin + end]
            given_back = found.word_starts(number, start, end)
            assert given_back.dtype == np.bool_ and np.array_equal(given_back, wanted)
            assert len(found.word_starts(number, start, length + 9)) == length - start
            begin += length
        counts = found.manifest.counts
        assert counts["documents"] == len(lengths) and counts["tokens"] == len(ids)
        assert counts["empty"] == lengths.count(0) and counts["shards"] == len(sizes)
        assert counts["unknown"] == np.count_nonzero(ids == 3)


def test_word_starts_reads_the_bytes_it_needs_alone(shards: Path) -> None:
    found = open_shards(shards)

    read = []

    class Watched:
        def __init__(self, bits: np.ndarray) -> None:
            self.bits = bits

        def __getitem__(self, key: slice) -> np.ndarray:
            read.append(key.stop - key.start)
            return self.bits[key]

    words: Any = [Watched(one) for one in found.words]
    number = len(found) - 1
    assert len(replace(found, words=words).word_starts(number, 3, 12)) == 9
    assert read in ([2], [3])


def test_ids_take_two_bytes_while_they_can() -> None:
    assert token_dtype(65_536) is np.uint16
    assert token_dtype(65_537) is np.uint32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return shards of two documents in a shard."""
    ids = np.arange(20).astype(np.uint16)
    documents = [Tokens(ids, ids % 2 == 0, np.array([5, 15]))]
    return written_shards(tmp_path / "s", documents, 100)


def say_so(folder: Path) -> None:
    """Let the manifest describe the files as they are now."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    names = [one["name"] for one in manifest["files"] if (folder / one["name"]).exists()]
    manifest["files"] = [file_facts(folder / name, name).model_dump() for name in names]
    path.write_text(json.dumps(manifest))


def test_a_truncated_file_is_named(folder: Path) -> None:
    for name in ("tokens-00000.bin", "docs-00000.idx", "words-00000.bits"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1])
        with pytest.raises(UserError, match=rf"{name}: is missing or not {len(whole)} bytes"):
            open_shards(folder)
        (folder / name).write_bytes(whole)
    open_shards(folder)


@pytest.mark.parametrize(
    ("name", "keep", "message"),
    [
        ("tokens-00000.bin", 39, r"tokens-00000\.bin: has 39 bytes where its documents need 40"),
        ("tokens-00000.bin", 38, r"tokens-00000\.bin: has 38 bytes where its documents need 40"),
        ("tokens-00000.bin", 0, r"tokens-00000\.bin: has 0 bytes where its documents need 40"),
        ("words-00000.bits", 2, r"words-00000\.bits: has 2 bytes where its documents need 3"),
        ("docs-00000.idx", 23, r"docs-00000\.idx: holds no offsets of documents"),
        ("docs-00000.idx", 8, r"docs-00000\.idx: holds no offsets of documents"),
        ("docs-00000.idx", 16, r"tokens-00000\.bin: has 40 bytes where its documents need 10"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    folder: Path, name: str, keep: int, message: str
) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:keep])
    say_so(folder)
    with pytest.raises(UserError, match=message) as refused:
        open_shards(folder)
    assert "; make the shards again" in str(refused.value)


def test_a_lost_file_is_refused(folder: Path) -> None:
    (folder / "words-00000.bits").unlink()
    say_so(folder)
    with pytest.raises(UserError, match=r"0 files words-\* for 1 of documents"):
        open_shards(folder)


def test_a_folder_of_another_stage_is_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a corpus folder where a shards folder is wanted"):
        open_shards(corpus)
    with pytest.raises(UserError, match="no such shards folder"):
        verify_shards(tmp_path / "none")


def test_a_changed_byte_is_found(shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    shutil.copytree(shards, out)
    verify_shards(out)
    for name in ("tokens-00000.bin", "words-00001.bits", f"{TOKENIZER_FOLDER}/spm.model"):
        whole = (out / name).read_bytes()
        (out / name).write_bytes(whole[:7] + bytes([whole[7] ^ 1]) + whole[8:])
        with pytest.raises(UserError, match=rf"{name}: is not the file"):
            verify_shards(out)
        (out / name).write_bytes(whole)


def test_verify_looks_at_ids_and_offsets(folder: Path) -> None:
    tokens, index = folder / "tokens-00000.bin", folder / "docs-00000.idx"
    right = tokens.read_bytes()
    np.array([*range(19), 100], np.uint16).tofile(tokens)
    say_so(folder)
    with pytest.raises(UserError, match=r"tokens-00000\.bin: id 100 is outside the vocabulary"):
        verify_shards(folder)
    tokens.write_bytes(right)
    np.array([0, 25, 20], np.int64).tofile(index)
    say_so(folder)
    with pytest.raises(UserError, match=r"docs-00000\.idx: offsets of documents go back"):
        verify_shards(folder)


def test_an_empty_file_is_an_empty_array(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert mapped(tmp_path / "empty", np.uint16).tolist() == []


def test_pieces_are_as_long_as_the_text(corpus: Path, shards: Path) -> None:
    found = open_shards(shards)
    lengths = piece_lengths(found)
    assert len(lengths) == found.pieces
    for number, text in enumerate(read_texts([corpus])):
        assert lengths[found.document(number)].sum() == len(normalize(text))
    special = found.special
    assert [lengths[one] for one in (special.bos, special.pad, special.eos, special.mask)] == [
        0
    ] * 4
    assert lengths[special.unk] == 1


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_pieces_of_other_tokenizers(folder: Path, kind: str) -> None:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces = [*special, SPACE_TOKEN, "▁แมว", "▁", "<0x41>", "<0xE0>", "<0xB8>", "<", "<0xkk>"]
    vocabulary: Any = {piece: number for number, piece in enumerate(pieces)}
    if kind == "unigram":
        vocabulary = [[piece, -1.0] for piece in pieces]
    added = [{"content": one, "id": pieces.index(one), "special": True} for one in special]
    added += [{"content": SPACE_TOKEN, "id": 5, "special": True}]
    added += [{"content": "<", "id": 11, "special": False}]
    added += [{"content": "😂😂", "id": 105, "special": False}]
    (folder / TOKENIZER_FOLDER).mkdir()
    whole = {"model": {"vocab": vocabulary}, "added_tokens": added}
    (folder / TOKENIZER_FOLDER / "tokenizer.json").write_text(json.dumps(whole))
    names = ("bos", "pad", "eos", "unk", "mask")
    config = {f"{name}_token": token for name, token in zip(names, special, strict=True)}
    (folder / TOKENIZER_FOLDER / "tokenizer_config.json").write_text(json.dumps(config))
    lengths = piece_lengths(open_shards(folder)).tolist()
    assert lengths[:13] == [0, 0, 0, 1, 0, 1, 4, 1, 1, 1, 0, 1, 6]
    assert len(lengths) == 106 and lengths[105] == 2


def test_shards_need_no_thai_library(shards: Path, run_bare: Callable[[str], str]) -> None:
    code = f"""
from pathlib import Path
from pretrain.data.shards import open_shards, verify_shards
from pretrain.data.stats import shard_stats
print(verify_shards(Path({str(shards)!r})).counts["documents"])
print(shard_stats(Path({str(shards)!r})).documents)
"""
    assert run_bare(code).split() == ["300", "300"]


@pytest.fixture
def run_bare() -> Callable[[str], str]:
    """Run code where libraries for text and for the command cannot be imported."""
    import subprocess
    import sys

    missing = (
        "pythainlp", "nlpo3", "datatrove", "datasets", "sentencepiece", "typer", "rich",
        "zstandard", "scipy", "sklearn",
    )  # fmt: skip

    def run(code: str) -> str:
        bare = f"import sys\nfor name in {missing!r}:\n    sys.modules[name] = None\n{code}"
        return subprocess.run(
            [sys.executable, "-c", bare], capture_output=True, text=True, check=True
        ).stdout

    return run
