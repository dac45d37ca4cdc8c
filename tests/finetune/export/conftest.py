"""Tiny models of each architecture and head with random weights, and one of them exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import PreTrainedTokenizerFast

from finetune.export.config import ExportConfig
from finetune.export.run import export_model

Make = Callable[..., Path]

LABELS = {
    "ForSequenceClassification": ("negative", "positive", "neutral"),
    "ForTokenClassification": ("O", "B-PERSON", "I-PERSON"),
}
OWN: dict[str, dict[str, Any]] = {
    "Electra": {"embedding_size": 32},
    "Albert": {"embedding_size": 16},
    "ModernBert": {
        "global_attn_every_n_layers": 2, "local_attention": 8, "cls_token_id": 0, "sep_token_id": 2,
    },
}  # fmt: skip


def make_model(
    folder: Path,
    tokenizer: PreTrainedTokenizerFast,
    family: str = "Roberta",
    head: str = "ForSequenceClassification",
    seed: int = 0,
    layers: int = 1,
    **settings: Any,
) -> Path:
    labels = LABELS.get(head, ("a", "b"))
    config = getattr(transformers, f"{family}Config")(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        initializer_range=0.3,  # logits apart enough to choose by
        **OWN.get(family, {}),
        **settings,
    )
    torch.manual_seed(seed)
    getattr(transformers, f"{family}{head}")(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def model_of(tokenizer: PreTrainedTokenizerFast) -> Make:
    def make(folder: Path, *args: Any, **settings: Any) -> Path:
        return make_model(folder, tokenizer, *args, **settings)

    return make


@pytest.fixture(scope="session")
def sentiment(tmp_path_factory: pytest.TempPathFactory, model_of: Make) -> Path:
    """A model that labels texts, and gold rows for it beside it."""
    folder = model_of(tmp_path_factory.mktemp("export") / "sentiment")
    labels = LABELS["ForSequenceClassification"]
    rows = [{"text": f"ราคา {n} บาท", "label": labels[n % 3]} for n in range(12)]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder.parent / "validation.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def exported(sentiment: Path) -> ExportConfig:
    """The config of an export that is done."""
    config = ExportConfig(
        model=str(sentiment),
        out=sentiment.parent / "onnx",
        quantize="int8",
        data=sentiment.parent / "validation.jsonl",
    )
    export_model(config)
    return config
