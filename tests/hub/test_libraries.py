"""The local Hub as transformers and datasets meet it, and as folders go up to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[[str], list[Any]]


def test_folders_of_models_are_pushed_and_loaded_by_name(
    hub: Any, ask: Ask, tokenizer: Path
) -> None:
    told = ask(
        f"""
from transformers import (AutoConfig, AutoModelForMaskedLM, AutoTokenizer, RobertaConfig,
                          RobertaForMaskedLM, pipeline)
import torch
given = AutoTokenizer.from_pretrained({str(tokenizer)!r})
config = RobertaConfig(vocab_size=len(given), hidden_size=8, num_hidden_layers=1,
                       num_attention_heads=1, intermediate_size=8, max_position_embeddings=40)
model = RobertaForMaskedLM(config).eval()
model.push_to_hub("anna/tiny", token=token)
given.push_to_hub("anna/tiny", token=token)
loaded = AutoModelForMaskedLM.from_pretrained("anna/tiny")
names = AutoTokenizer.from_pretrained("anna/tiny")
tell([names("แมว นั่ง").input_ids == given("แมว นั่ง").input_ids,
      all(torch.equal(a, b) for a, b in zip(model.state_dict().values(),
                                            loaded.state_dict().values()))])
tell(len(pipeline("fill-mask", model="anna/tiny")("แมว<mask>")))
""",
    )
    assert told == [[True, True], 5]
    assert any("additional_chat_templates" in one.path for one in hub.journal)


def test_data_sets_are_pushed_loaded_and_streamed(hub: Any, ask: Ask) -> None:
    rows = [{"text": f"ข่าว {n}"} for n in range(50)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    hub.commit(hub.repo("anna/lines"), {"data/train.jsonl": lines})
    told = ask(
        f"""
import datasets
datasets.disable_progress_bars()
rows = {rows!r}
whole = datasets.DatasetDict(train=datasets.Dataset.from_list(rows),
                             test=datasets.Dataset.from_list(rows[:5]))
whole.push_to_hub("anna/news", token=token)
for name in ("anna/news", "anna/lines"):
    tell(datasets.load_dataset(name)["train"].to_list() == rows)
    tell(list(datasets.load_dataset(name, split="train", streaming=True)) == rows)
tell(api.dataset_info("anna/news").card_data.configs[0]["config_name"])
""",
    )
    assert told == [True] * 4 + ["default"]


def test_a_folder_of_many_files_goes_up_again_where_it_stopped(
    hub: Any, ask: Ask, tmp_path: Path
) -> None:
    for number in range(20):
        (tmp_path / f"part-{number:05}.zst").write_bytes(bytes([number]) * 5000)
    hub.trouble("/store/upload/0000000f", status=403)
    code = f"""
api.create_repo("anna/big", repo_type="dataset", exist_ok=True)
attempt(lambda: api.upload_folder(repo_id="anna/big", folder_path={str(tmp_path)!r},
                                  repo_type="dataset"))
"""
    (failed,) = ask(code)
    sent = sum(one.method == "PUT" and one.status == 200 for one in hub.journal)
    assert failed.startswith("RuntimeError") and len(hub.repos["dataset", "anna/big"].commits) == 1
    assert ask(code) == ["done"]
    assert hub.uploaded() == 21 and 15 <= sent < 20
    assert len(hub.repos["dataset", "anna/big"].commits) == 2
