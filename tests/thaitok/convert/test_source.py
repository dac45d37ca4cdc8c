"""What is no source is one line; a Hub name is fetched, without what is not needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.errors import UserError
from thaitok.folder import TOKENIZER_FILES

StandIn = Callable[..., Path]

MODEL, SAFE = "sentencepiece.bpe.model", "model.safetensors"
BAD: dict[str, dict[str, bytes | None]] = {
    "nonsense": {MODEL: b"nonsense"},
    "empty": {MODEL: b""},
    "no model": {MODEL: None},
    "only fast": {MODEL: None, "tokenizer.json": b"{}"},
    "size": {"config.json": b'{"model_type": "camembert", "vocab_size": 777}'},
    "id": {"added_tokens.json": '{"ก": 2}'.encode()},
    "shard": {f"{SAFE}.index.json": b'{"weight_map": {"a": "model-1.safetensors"}}'},
    "cut": {SAFE: bytes(40)},
    "pickle": {"pytorch_model.bin": b"\x80\x02}q\x00."},
    "config": {"config.json": b"["},
}
"""What is written over a good folder; None deletes."""


def spoil(folder: Path, name: str) -> None:
    for file, content in BAD[name].items():
        if content is None:
            (folder / file).unlink()
        else:
            (folder / file).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("size", "vocab_size 777 does not fit the layout wangchanberta, which has 605"),
        ("nonsense", "is no SentencePiece model"),
        ("empty", "is no SentencePiece model"),
        ("no model", "has no SentencePiece model"),
        ("only fast", "AutoTokenizer loads it as it is"),
        ("id", "gives 'ก' the id 2, which is another's"),
        ("shard", r"is missing, but model\.safetensors\.index\.json names it"),
        ("cut", "is no whole safetensors file"),
        ("pickle", "state dict"),
        ("config", r"config\.json: is no JSON object"),
    ],
)
def test_a_bad_source_is_one_line_and_nothing_is_written(
    stand_in: StandIn, tmp_path: Path, name: str, said: str
) -> None:
    folder = tmp_path / "source"
    shutil.copytree(stand_in("wangchanberta"), folder)
    spoil(folder, name)
    with pytest.raises(UserError, match=said) as raised:
        convert_tokenizer(ConvertConfig(source=str(folder), out=tmp_path / "out"))
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_no_such_source_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or folder"):
        convert_tokenizer(ConvertConfig(source="no/such/file.model", out=tmp_path / "out"))


HUB = """
import sys
from pathlib import Path
from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.errors import UserError
try:
    print(convert_tokenizer(ConvertConfig(source=sys.argv[1], out=Path(sys.argv[2]))).counts)
except UserError as err:
    print(err)
    sys.exit(2)
"""


def test_a_hub_name_is_fetched_without_what_is_not_needed(
    stand_in: StandIn, converted: StandIn, hub: Any, hub_env: dict[str, str], tmp_path: Path
) -> None:
    repo = hub.repo("airesearch/old-model", kind="model")
    hub.commit_folder(repo, stand_in("wangchanberta"))
    hub.commit(repo, {"evil.py": b"raise SystemExit(9)", "tf_model.h5": b"x" * 99})

    def run(name: str, out: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", HUB, name, str(tmp_path / out)]
        return subprocess.run(command, env=hub_env, capture_output=True, text=True)

    done = run("airesearch/old-model", "out")
    assert done.returncode == 0, done.stderr
    wrong = run("airesearch/none", "none")
    fetched = [one.path for one in hub.journal]
    assert (wrong.returncode, len(wrong.stdout.splitlines())) == (2, 1)
    assert not (tmp_path / "none").exists()
    assert not any("evil.py" in one or ".h5" in one for one in fetched)
    for name in TOKENIZER_FILES:
        ours, theirs = tmp_path / "out" / name, converted("wangchanberta") / name
        assert ours.read_bytes() == theirs.read_bytes()
