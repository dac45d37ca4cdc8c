"""Weights stay as they are, bit for bit, and a pickle runs no code."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.errors import UserError

StandIn = Callable[..., Path]


@pytest.fixture
def source(stand_in: StandIn, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stand_in("wangchanberta"), tmp_path / "source"))


def state_of(folder: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    from transformers import CamembertConfig, CamembertForMaskedLM

    settings = json.loads((folder / "config.json").read_text())
    settings = {**settings, "architectures": ["CamembertForMaskedLM"]}
    (folder / "config.json").write_text(json.dumps(settings))
    del settings["auto_map"], settings["tokenizer_class"]
    torch.manual_seed(0)
    model = CamembertForMaskedLM(CamembertConfig(**settings))
    return model, model.state_dict()


def test_a_pickle_becomes_what_transformers_itself_would_save(source: Path, tmp_path: Path) -> None:
    model, state = state_of(source)
    torch.save(state, source / "pytorch_model.bin")
    done = convert_tokenizer(ConvertConfig(source=str(source), out=tmp_path / "out"))
    found = load_file(tmp_path / "out" / "model.safetensors")
    model.save_pretrained(tmp_path / "theirs")
    theirs = load_file(tmp_path / "theirs" / "model.safetensors")
    assert set(found) == set(theirs)
    for name, tensor in theirs.items():
        assert found[name].numpy().tobytes() == tensor.numpy().tobytes()
    assert done.counts["parameters"] == sum(one.numel() for one in theirs.values())


def test_fill_mask_works_without_a_trick(source: Path, tmp_path: Path) -> None:
    from transformers import pipeline

    torch.save(state_of(source)[1], source / "pytorch_model.bin")
    convert_tokenizer(ConvertConfig(source=str(source), out=tmp_path / "out"))
    fill = pipeline("fill-mask", model=str(tmp_path / "out"))
    ids = fill.tokenizer("แมว <mask> แมว").input_ids
    pieces = fill.tokenizer.convert_ids_to_tokens(ids)
    at = pieces.index("<mask>")
    assert pieces[at - 1] == pieces[at + 1] != "▁"
    assert "▁" not in pieces[at:]
    assert len(fill("แมว <mask> แมว")) == 5


def test_safetensors_are_copied(source: Path, tmp_path: Path) -> None:
    save_file({"x": torch.arange(6.0)}, source / "model.safetensors", {"format": "pt"})
    (source / "pytorch_model.bin").write_bytes(b"never read")
    done = convert_tokenizer(ConvertConfig(source=str(source), out=tmp_path / "out"))
    assert done.counts["parameters"] == 6
    before, after = (one / "model.safetensors" for one in (source, tmp_path / "out"))
    assert before.read_bytes() == after.read_bytes()
    assert not list((tmp_path / "out").glob("*.bin"))


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("evil-was-here",)


@pytest.mark.parametrize("content", [{"x": Evil()}, {"x": 3}, [torch.ones(2)]])
def test_a_pickle_of_something_else_is_refused_and_not_run(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, source / "pytorch_model.bin")
    with pytest.raises(UserError, match="state dict"):
        convert_tokenizer(ConvertConfig(source=str(source), out=tmp_path / "out"))
    assert not (tmp_path / "evil-was-here").exists()
    assert not (tmp_path / "out").exists()
