from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pretrain.data import stats
from pretrain.data.plan import packing_efficiency
from pretrain.data.shards import open_shards
from pretrain.data.stats import shard_stats
from thaitok.cli import main


def test_figures_are_those_of_the_documents(shards: Path) -> None:
    found, shown = open_shards(shards), shard_stats(shards)
    lengths = found.lengths
    ids = np.concatenate([found.document(number) for number in range(len(found))])
    starts = [found.word_starts(number, 0, int(size)) for number, size in enumerate(lengths)]
    assert (shown.documents, shown.tokens) == (300, lengths.sum())
    assert shown.mean_length == round(lengths.mean(), 2)
    ranked = sorted(lengths.tolist())
    assert shown.length_percentiles == {
        f"p{p}": ranked[-(-300 * p // 100) - 1] for p in (5, 25, 50, 75, 95)
    }
    assert shown.share_over_414 == 0
    assert shown.tokens_per_word == round(len(ids) / sum(one.sum() for one in starts), 4)
    assert shown.unknown_share == round(float((ids == found.special.unk).mean()), 8)
    names = ("tokens-*", "docs-*", "words-*")
    size = sum(path.stat().st_size for name in names for path in shards.glob(name))
    assert shown.bytes_per_token == round(size / len(ids), 4)
    for length in (128, 416, 512):
        rows = packing_efficiency(lengths, length, 32 * length, "rows")
        assert shown.packing[str(length)]["rows"] == round(rows, 5)
        assert set(shown.packing[str(length)]) == {"rows", "stream"}


def test_counting_in_pieces_changes_nothing(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = shard_stats(shards)
    monkeypatch.setattr(stats, "READ", 13)
    assert shard_stats(shards) == wanted


def test_packing_is_measured_on_a_sample(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def efficiency(lengths: np.ndarray, *_: object) -> float:
        asked.append(len(lengths))
        return 1.0

    monkeypatch.setattr(stats, "SAMPLE", 40)
    monkeypatch.setattr(stats, "packing_efficiency", efficiency)
    shard_stats(shards)
    assert 0 < max(asked) <= 40


def test_the_command_measures_a_finished_folder(
    shards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shard", "--out", str(shards), "--stats", "--verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["documents"] == 300 and found["folder"] == str(shards)
    assert found["packing"] == shard_stats(shards).packing
    assert main(["shard", "--out", str(shards), "--stats"]) == 0
    out = capsys.readouterr().out
    assert main(["shard", "--stats", "--verify", str(shards)]) == 0
    assert capsys.readouterr().out == out
    assert "tokens per word" in out and "packed to 416, stream" in out and "length p95" in out


def test_the_command_refuses_what_is_no_shards_folder(
    shards: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv, message in (
        (["--out", tmp_path / "none", "--stats"], "none: no such shards folder"),
        (["--out", corpus, "--verify"], "is a corpus folder where a shards folder is wanted"),
        (["--out", tmp_path / "none"], "corpus"),
        (["--verify", corpus], "is a corpus folder where a shards folder is wanted"),
        (["--verify", corpus, "--out", tmp_path / "none"], "'tokenizer' is not given"),
        (["--verify", "--out", shards, "--set", "x=y"], "--set x=y: a finished folder is read"),
        (["--verify", "--out", shards, "--set", f"corpus=['{corpus}']"], "'tokenizer' is not"),
    ):
        assert main(["shard", *map(str, argv)]) == 2
        err = capsys.readouterr().err
        assert message in err and err.count("\n") == 1
    damaged = tmp_path / "damaged"
    shutil.copytree(shards, damaged)
    file = damaged / "words-00000.bits"
    file.write_bytes(bytes(file.stat().st_size))
    assert main(["shard", "--out", str(damaged), "--verify"]) == 2
    assert "words-00000.bits: is not the file its manifest describes" in capsys.readouterr().err
