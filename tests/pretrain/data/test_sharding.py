from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretrain.data import sharding
from pretrain.data.sharding import ShardConfig, shard_corpus
from pretrain.data.shards import Tokens, open_shards
from thaitok.corpus import read_texts
from thaitok.errors import UserError
from thaitok.folder import Manifest
from thaitok.tokenizer import BulkEncoder, load_tokenizer
from thaitok.word_starts import PhraseEncoder

MakeCorpus = Callable[[Path, Iterable[str]], Path]


@pytest.fixture(scope="module")
def encoder(tokenizer: Path) -> PhraseEncoder:
    return PhraseEncoder(tokenizer)


def test_shards_hold_every_document_in_order(corpus: Path, tokenizer: Path, shards: Path) -> None:
    bulk, found = BulkEncoder(tokenizer), open_shards(shards)
    texts = list(read_texts([corpus]))
    assert len(found) == len(texts) == found.manifest.counts["documents"]
    for number, text in enumerate(texts):
        assert found.document(number).tolist() == bulk.encode(text)
    assert found.lengths.sum() == found.manifest.counts["tokens"]


def test_ids_in_shards_are_those_of_tokenizer_json(
    corpus: Path, tokenizer: Path, shards: Path
) -> None:
    fast, found = load_tokenizer(tokenizer), open_shards(shards)
    for number, text in enumerate(read_texts([corpus])):
        assert fast.encode(text, add_special_tokens=False).ids == found.document(number).tolist()


def test_word_starts_in_shards_are_the_encoders(
    corpus: Path, encoder: PhraseEncoder, shards: Path
) -> None:
    found = open_shards(shards)
    for number, text in enumerate(read_texts([corpus])):
        ids, starts, lengths = encoder.encode([text])
        assert lengths.tolist() == [len(ids)] == [found.lengths[number]]
        assert found.word_starts(number, 0, len(ids)).tolist() == starts.tolist()


def made(out: Path, tokenizer: Path, *corpora: Path, workers: int | None = 1) -> Manifest:
    config = ShardConfig(
        corpus=corpora, tokenizer=tokenizer, out=out, shard_tokens=2000, workers=workers
    )
    return shard_corpus(config)


@pytest.mark.parametrize("workers", [1, 2])
def test_promise_2_sliced_or_not_and_any_workers_give_the_same_bytes(
    corpus: Path,
    tokenizer: Path,
    shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
) -> None:
    monkeypatch.setattr(sharding, "SLICE_BYTES", 2000)
    monkeypatch.setattr(sharding, "MOST_TASKS", 4)
    found = made(tmp_path / "s", tokenizer, corpus, workers=workers)
    assert found == open_shards(shards).manifest


@given(
    st.lists(st.integers(0, 5), max_size=60),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_slices_are_dealt_back_in_order(lengths: list[int], of: int, dealt: int) -> None:
    documents = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharding, "DEALT", dealt)
        slices = []
        for number in range(of):
            own = [
                one
                for at, one in enumerate(documents[: len(lengths)])
                if at // dealt % of == number
            ]
            ids = np.concatenate([np.zeros(0, np.int64), *own])
            sizes = np.array([len(one) for one in own], np.int64)
            slices.append(Tokens(ids.astype(np.uint16), ids % 2 == 1, sizes))
        back = list(sharding._dealt_back(slices))
    assert [int(one) for some in back for one in some.lengths] == lengths
    assert [int(one) for some in back for one in some.ids] == list(range(sum(lengths)))
    assert all(np.array_equal(some.starts, some.ids % 2 == 1) for some in back)


def test_corpora_keep_their_order(
    corpus_of: MakeCorpus, tokenizer: Path, encoder: PhraseEncoder, tmp_path: Path
) -> None:
    one, two = (corpus_of(tmp_path / name, [f"แมว {name}", "นั่ง"]) for name in ("a", "b"))
    made(tmp_path / "s", tokenizer, two, one, two)
    found = open_shards(tmp_path / "s")
    texts = ["แมว b", "นั่ง", "แมว a", "นั่ง", "แมว b", "นั่ง"]
    wanted = [encoder.encode([text])[0].tolist() for text in texts]
    assert [found.document(number).tolist() for number in range(6)] == wanted


def test_a_stopped_run_is_taken_up_and_other_work_is_not(
    corpus: Path, tokenizer: Path, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s"

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sharding, "write_shards", stopped)
        with pytest.raises(KeyboardInterrupt):
            made(out, tokenizer, corpus)
    assert not out.exists()
    (scratch,) = (tmp_path / ".s.partial").glob(".encoded-*")
    (tmp_path / ".s.partial" / "tokens-00099.bin").write_bytes(b"of another run")
    other = scratch.rename(scratch.with_name(".encoded-0123456789ab"))
    with monkeypatch.context() as patch:
        patch.setattr(sharding, "write_shards", stopped)
        with pytest.raises(KeyboardInterrupt):
            made(out, tokenizer, corpus)
    assert not other.exists()
    monkeypatch.delattr(PhraseEncoder, "encode")
    assert made(out, tokenizer, corpus) == open_shards(shards).manifest
    assert not list(out.glob(".*"))


LIMITED = """
import resource, signal, sys
from thaitok.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command where no file may grow beyond a size, as on a disk that runs full."""


@pytest.mark.parametrize(("size", "workers"), [(3000, 2), (20_000, 1)])
def test_promise_4_a_full_disk_is_one_line(
    corpus: Path, tokenizer: Path, shards: Path, tmp_path: Path, size: int, workers: int
) -> None:
    argv = ["shard", corpus, corpus, "--tokenizer", tokenizer, "--out", tmp_path / "s"]
    command = [sys.executable, "-c", LIMITED, str(size), *map(str, argv)]
    command += ["--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "no space left to write; free some space" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "s").exists()
    assert made(tmp_path / "s", tokenizer, corpus, corpus).counts["documents"] == 600


def test_a_corpus_without_a_token_is_refused(
    corpus_of: MakeCorpus, tokenizer: Path, tmp_path: Path
) -> None:
    corpus = corpus_of(tmp_path / "corpus", ["", "\u200b"])
    with pytest.raises(UserError, match="holds no token"):
        made(tmp_path / "s", tokenizer, corpus)
    assert not (tmp_path / "s").exists()


def test_documents_without_a_token_are_kept_and_counted(
    corpus_of: MakeCorpus, tokenizer: Path, tmp_path: Path
) -> None:
    long = "แมว " * 1000  # it fills the first shard, and the second has no token
    corpus = corpus_of(tmp_path / "corpus", ["", long, "", "\u200b"])
    counts = made(tmp_path / "s", tokenizer, corpus).counts
    assert (counts["documents"], counts["empty"], counts["shards"]) == (4, 3, 2)
    found = open_shards(tmp_path / "s")
    assert (found.lengths > 0).tolist() == [False, True, False, False]
    assert found.document(3).tolist() == found.word_starts(3, 0, 0).tolist() == []


def test_folders_that_are_no_input_are_refused(
    corpus: Path, tokenizer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "s"
    with pytest.raises(UserError, match=r"none: no such corpus folder"):
        made(out, tokenizer, tmp_path / "none")
    unfinished = tmp_path / "unfinished"
    shutil.copytree(corpus, unfinished)
    (unfinished / "manifest.json").unlink()
    with pytest.raises(UserError, match=r"is no finished corpus folder"):
        made(out, tokenizer, unfinished)
    with pytest.raises(UserError, match=r"no tokenizer\.json here: no such folder"):
        made(out, tmp_path / "none", corpus)
    with pytest.raises(UserError, match=r"no tokenizer\.json here; give a folder"):
        made(out, unfinished, corpus)
    assert not out.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_part_is_named(
    corpus: Path, corpus_of: MakeCorpus, tokenizer: Path, tmp_path: Path, workers: int
) -> None:
    damaged = corpus_of(tmp_path / "c", ["แมว"])
    part = damaged / "part-00000.jsonl.zst"
    part.write_bytes(b"x" * part.stat().st_size)
    with pytest.raises(UserError, match=r"part-00000\.jsonl\.zst: is damaged"):
        made(tmp_path / "s", tokenizer, corpus, damaged, workers=workers)
    assert not (tmp_path / "s").exists()


def test_shards_of_another_tokenizer_or_corpus_are_refused(
    corpus: Path, corpus_of: MakeCorpus, tokenizer: Path, tmp_path: Path
) -> None:
    out, small = tmp_path / "s", corpus_of(tmp_path / "corpus", ["แมว"])
    made(out, tokenizer, small)
    other = tmp_path / "tokenizer"
    shutil.copytree(tokenizer, other)
    with (other / "tokenizer_config.json").open("a") as stream:
        stream.write("\n")
    with pytest.raises(UserError, match=r"from other input: tokenizer_config\.json has changed"):
        made(out, other, small)
    with pytest.raises(UserError, match=r"from other input: corpus/manifest\.json has changed"):
        made(out, tokenizer, corpus)
    config = ShardConfig(corpus=(small,), tokenizer=tokenizer, out=out, shard_tokens=3000)
    with pytest.raises(UserError, match="is finished with shard_tokens = 2000, not 3000"):
        shard_corpus(config)
