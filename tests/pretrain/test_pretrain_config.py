from __future__ import annotations

from pathlib import Path

import pytest

from pretrain.config import PRESETS, PretrainConfig
from thaitok.config import load_config
from thaitok.errors import UserError


def test_one_tracker_may_be_given_by_its_name(tmp_path: Path) -> None:
    flags = {"shards": tmp_path, "out": tmp_path, "steps": 400}

    def load(given: str) -> PretrainConfig:
        return load_config(PretrainConfig, PRESETS / "tiny.toml", [f"report_to={given}"], **flags)

    assert load("wandb").report_to == ("wandb",)
    assert load("['wandb', 'trackio']").report_to == ("wandb", "trackio")
    with pytest.raises(UserError, match="input should be 'tensorboard', 'wandb' or 'trackio'"):
        load("wandbb")


def test_a_size_beside_a_start_is_answered_with_what_to_take(tmp_path: Path) -> None:
    flags = {"shards": tmp_path, "out": tmp_path, "start": tmp_path}
    with pytest.raises(UserError) as caught:
        load_config(PretrainConfig, PRESETS / "tiny.toml", **flags)
    remedy = "; take the preset loanword, or a file without [model]"
    assert str(caught.value).endswith("whose own config counts" + remedy)


@pytest.mark.parametrize("table", ["model", "rtd", "distil"])
def test_a_typo_below_an_optional_table_is_answered(table: str, tmp_path: Path) -> None:
    flags = {"shards": tmp_path, "out": tmp_path, "steps": 400}
    with pytest.raises(UserError, match=rf"unknown key '{table}.layr'; .*{table}\.\w+"):
        load_config(PretrainConfig, PRESETS / "tiny.toml", [f"{table}.layr=3"], **flags)
