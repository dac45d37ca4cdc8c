"""The command: results on stdout, faults in one line on stderr, exit 0, 2 or 130."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from thaitok.cli import main

VERBS = [
    "demo",
    "clean",
    "train",
    "compare",
    "shard",
    "pretrain",
    "finetune",
    "benchmark",
    "predict",
    "encode",
    "decode",
    "tasks",
    "doctor",
    "publish",
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command in this process; return its exit code, stdout and stderr."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = main([str(one) for one in argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def feed(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))


def test_help_is_quick() -> None:
    # The best of three, since the machine may be busy.
    command = [sys.executable, "-m", "thaitok", "--help"]
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - began)
    assert all(verb in done.stdout for verb in VERBS)
    assert min(seconds) < 0.6


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run: Any, verb: str) -> None:
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert "Usage: thaitok" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'"),
        (["train", "--nope"], "No such option: --nope"),
        (["encode"], "Missing parameter: tokenizer"),
        (["train", "none", "--out", "x"], "none: no such corpus folder; make one with"),
        (["train", "--out", "x"], "'corpus' is not given"),
        (["train", "none", "--set", "vocab_siz=3"], "unknown key 'vocab_siz'; did you mean"),
        (["train", "none", "--out", "x", "--vocab-size", "3"], "vocab_size = 3: input should be"),
        (["clean", "none.jsonl", "--out", "x"], "none.jsonl"),
        (["shard", "none", "--tokenizer", "t", "--out", "x"], "none: no such corpus folder"),
        (["pretrain", "--config", "tinny"], "no preset or config file 'tinny'"),
        (["pretrain", "--config", "tiny", "--shards", "none", "--out", "x"], "no such shards"),
        (["encode", "none"], "none: no tokenizer.json here"),
        (["decode", "none"], "none: no tokenizer.json here"),
        (["finetune", "m", "--task", "wisesigt_sentiment", "--out", "x"], "did you mean 'wise"),
        (["finetune", "m", "--task", "demo_ner", "--out", "x", "--seeds", "a"], "--seeds a"),
        (["finetune", "m", "--task", "ner", "--out", "x", "--lora", "--probe"], "choose one"),
        (["finetune", "m", "--task", "ner", "--out", "x", "--seeds", "1,1"], "named twice"),
        (["benchmark", "m", "--tasks", "demo_nr", "--out", "x"], "did you mean 'demo_ner'"),
        (["benchmark", "m", "m", "--tasks", "demo_ner", "--out", "x"], "two models are called"),
        (["predict", "none", "ก", "--file", "f"], "give a text or --file, not both"),
        (["publish", "none", "--repo", "a/b", "--license", "mit", "--dry-run"], "no such folder"),
        (["publish", ".", "--repo", "a/b", "--license", "mitt", "--dry-run"], "did you mean 'mit'"),
        (["publish", ".", "--license", "mit"], "'repo' is not given"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, argv: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*argv)
    assert code == 2
    assert out == ""
    line = err.strip().splitlines()[-1]
    assert line.startswith("thaitok: error: ")
    assert said in line
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_encode_and_decode_are_inverse(
    run: Any, monkeypatch: pytest.MonkeyPatch, tokenizer: Path, tmp_path: Path
) -> None:
    lines = ["แมวนั่งบนเสื่อ", "", "วันนี้ อากาศดี"]
    file = tmp_path / "text.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, ids, _ = run("encode", tokenizer, file)
    assert code == 0
    feed(monkeypatch, ids.encode())
    assert run("decode", tokenizer)[1].splitlines() == lines
    pieces = run("encode", tokenizer, file, "--pieces")[1].splitlines()
    assert [line.replace(" ", "").replace("<_>", " ") for line in pieces] == lines
    first = run("encode", tokenizer, file, "--offsets")[1].split()[0]
    assert first.rsplit(":", 2)[1:] == ["0", str(len(first.rsplit(":", 2)[0]))]


def test_a_dash_is_stdin(run: Any, monkeypatch: pytest.MonkeyPatch, tokenizer: Path) -> None:
    feed(monkeypatch, "แมว นั่ง\n".encode())
    code, ids, _ = run("encode", tokenizer, "-")
    assert code == 0
    feed(monkeypatch, ids.encode())
    assert run("decode", tokenizer, "-")[1] == "แมว นั่ง\n"
    feed(monkeypatch, b"x\n")
    assert "<stdin>:1: is no line of ids" in run("decode", tokenizer, "-")[2]


def test_a_folder_is_no_file_of_lines(run: Any, tokenizer: Path) -> None:
    code, _, err = run("encode", tokenizer, tokenizer)
    assert code == 2
    assert f"{tokenizer}: is a folder" in err
    assert f"{tokenizer / 'none'}: no such file" in run("encode", tokenizer, tokenizer / "none")[2]


def test_encode_and_decode_speak_json(
    run: Any, monkeypatch: pytest.MonkeyPatch, tokenizer: Path
) -> None:
    text = "แมว  นั่ง<mask>"
    feed(monkeypatch, f"{text}\n\n".encode())
    first, empty = map(json.loads, run("encode", tokenizer, "--json")[1].splitlines())
    assert first["text"] == text and empty["ids"] == []
    assert len(first["ids"]) == len(first["pieces"]) == len(first["offsets"])
    assert first["offsets"][-1][1] == len(text)
    assert "<mask>" not in first["pieces"]
    feed(monkeypatch, text.encode())
    special = json.loads(run("encode", tokenizer, "--json", "--special-tokens")[1])
    assert special["pieces"][0] == "<s>" and special["pieces"][-2:] == ["<mask>", "</s>"]
    feed(monkeypatch, " ".join(map(str, special["ids"])).encode())
    assert json.loads(run("decode", tokenizer, "--json")[1]) == {"text": "แมว นั่ง"}


def test_encode_prints_one_thing_at_a_time(run: Any, tokenizer: Path) -> None:
    code, _, err = run("encode", tokenizer, "--pieces", "--json")
    assert code == 2
    assert "give one of --pieces, --offsets and --json" in err


def test_a_line_that_is_not_utf8_is_named(
    run: Any, monkeypatch: pytest.MonkeyPatch, tokenizer: Path
) -> None:
    feed(monkeypatch, "ก\n".encode() + b"\xff\xfe\n")
    code, out, err = run("encode", tokenizer)
    assert code == 2
    assert len(out.splitlines()) == 1
    assert "<stdin>:2: is not UTF-8 text" in err


def test_a_stage_run_again_says_the_same_and_does_nothing(
    run: Any, corpus: Path, tmp_path: Path
) -> None:
    argv = ["train", corpus, "--out", tmp_path / "t", "--vocab-size", 150, "--json"]
    first, again = run(*argv), run(*argv)
    assert first[0] == again[0] == 0
    assert json.loads(first[1]) == json.loads(again[1])
    assert "already" not in first[2]
    code, _, err = run(*argv[:-2], 151)
    assert code == 2
    assert "is finished with vocab_size = 150, not 151" in err


def test_json_is_for_machines(run: Any) -> None:
    code, out, _ = run("tasks", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {"wisesight_sentiment", "thainer_v1.3", "ud_thai_tud_pos"} <= {r["task"] for r in rows}


def test_ctrl_c_is_130(run: Any, monkeypatch: pytest.MonkeyPatch, corpus: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("thaitok.trainer.train._on_counts", interrupted)
    out = corpus.parent / "never"
    code, _, err = run("train", corpus, "--out", out, "--vocab-size", 150)
    assert code == 130
    assert "stopped; run the same command again to take it up" in err
    assert not out.exists()


LIMITED = """
import resource, signal, sys
from thaitok.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""
"""The command where no file may grow beyond a size, as on a disk that runs full."""


@pytest.mark.parametrize("size", [100, 3000, 9000])
def test_promise_4_a_full_disk_is_one_line(corpus: Path, tmp_path: Path, size: int) -> None:
    argv = ["train", str(corpus), "--out", str(tmp_path / "t"), "--vocab-size", "300"]
    command = [sys.executable, "-c", LIMITED, str(size), *argv]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "no space left to write; free some space" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "t").exists()
    assert main(argv) == 0, "and then it goes on"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, corpus: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("thaitok.trainer.train._on_counts", broken)
    with pytest.raises(ZeroDivisionError):
        main(["train", str(corpus), "--out", str(corpus.parent / "bug"), "--vocab-size", "150"])


def test_a_table_has_no_markup(run: Any, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out[v2][/x]"
    _, said, _ = run("train", corpus, "--out", out, "--vocab-size", 150)
    assert f"tokenizer: {out}" in said


def test_a_reader_that_stops_early_is_no_fault(tokenizer: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("แมวนั่งบนเสื่อ\n" * 20_000, encoding="utf-8")
    command = [sys.executable, "-m", "thaitok", "encode", str(tokenizer), str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_promise_8_no_token_is_printed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hf_" + "a" * 34
    monkeypatch.setitem(os.environ, "HF_TOKEN", secret)
    _, out, err = run("doctor")
    assert secret not in out + err
