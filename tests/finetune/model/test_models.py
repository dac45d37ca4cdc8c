from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

from finetune.model import models
from finetune.model.heads import saved_head
from finetune.model.windows import cut_windows
from thaitok.errors import UserError


def test_a_run_folder_is_taken_for_its_model(model_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(model_folder, run / "model")
    assert models.find_model(str(run)) == run / "model"
    assert models.model_name(str(run)) == models.model_name(str(run / "model")) == "run"


def test_what_is_no_model_is_one_clear_line(model_folder: Path, tmp_path: Path) -> None:
    def said(folder: Path) -> str:
        with pytest.raises(UserError) as error:
            models.find_model(str(folder))
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "no such model folder" in said(tmp_path / "none" / "here")
    (tmp_path / "empty").mkdir()
    assert "is no model: it has no config.json" in said(tmp_path / "empty")
    (tmp_path / ".run.partial").mkdir()
    assert "is unfinished; run the command" in said(tmp_path / "run")
    (tmp_path / "begun" / "checkpoints").mkdir(parents=True)
    assert "is no finished model folder" in said(tmp_path / "begun")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "manifest.json").write_text("{}")
    assert "is another stage's folder" in said(tmp_path / "corpus")
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(model_folder / "config.json", bare)
    assert "has no weights" in said(bare)


def test_a_damaged_model_is_one_clear_line(model_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "m")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be opened as a model"):
        models.open_model(folder, AutoModelForMaskedLM)
    (folder / "config.json").write_text('{"model_type": "none such"}')
    with pytest.raises(UserError, match="cannot be opened as a model"):
        models.measure(folder)


def test_a_tokenizer_without_a_fast_backend_is_refused(model_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer|cannot be opened"):
        models.open_tokenizer(folder)


def test_windows_fit_the_positions_whatever_the_tokenizer_claims(model_folder: Path) -> None:
    # RoBERTa's positions begin after the padding's: 66 rows hold 64 pieces.
    size = models.measure(model_folder)
    tokenizer = models.open_tokenizer(model_folder)
    assert tokenizer.model_max_length > 10**9
    assert size.pieces == models.window_length(size, tokenizer, 416) == 64
    model = models.open_model(model_folder, AutoModelForMaskedLM)
    (windows,) = cut_windows(tokenizer, ["อาหารร้านนี้อร่อยมาก " * 40], 64)
    assert max(len(window.ids) for window in windows) == 64
    list(models.forward(model, windows, batch_size=2, pad_id=1))


def test_a_batch_gives_what_each_text_gives_alone(
    model_folder: Path, tokenizer: PreTrainedTokenizerFast
) -> None:
    model = models.open_model(model_folder, AutoModelForMaskedLM)
    rows = cut_windows(tokenizer, ["ดี", "อาหารร้านนี้อร่อยมาก", "", "ราคา 1,250 บาท"], 64)
    together = models.all_logits(model, rows, batch_size=4, pad_id=1)
    for (window,), (found,) in zip(rows, together, strict=True):
        ((alone,),) = models.all_logits(model, [[window]], batch_size=1, pad_id=1)
        assert found.shape == alone.shape == (len(window.ids), len(tokenizer))
        torch.testing.assert_close(torch.tensor(found), torch.tensor(alone), atol=1e-5, rtol=0)


def test_a_device_that_is_not_here_is_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no cuda device here"):
            models.check_device("cuda")
    models.check_device("auto")


def test_a_limit_too_small_for_text_is_refused(model_folder: Path) -> None:
    tokenizer = models.open_tokenizer(model_folder)
    with pytest.raises(UserError, match="leaves no room"):
        models.window_length(models.Size(1, 2), tokenizer, 416)


def test_the_model_s_head_must_be_one_that_can_be_read(model_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(model_folder, tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["RobertaModel"]}))
    with pytest.raises(
        UserError, match=r"has no head to predict with \(architecture RobertaModel\)"
    ):
        saved_head(models.read_config(folder), folder)


def test_random_weights_are_drawn_by_seed_and_not_read(model_folder: Path) -> None:
    assert models.find_model(f"random:{model_folder}") == model_folder
    assert models.model_name(f"random:{model_folder}").startswith("random:")

    def embeddings(*, fresh: bool) -> torch.Tensor:
        torch.manual_seed(7)
        model = models.open_model(model_folder, AutoModelForMaskedLM, fresh=fresh)
        return model.get_input_embeddings().weight.detach()

    assert torch.equal(embeddings(fresh=True), embeddings(fresh=True))
    assert not torch.equal(embeddings(fresh=True), embeddings(fresh=False))
