"""A tiny RoBERTa and its tokenizer, and small task files, made here."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, processors, trainers
from transformers import (
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)

from thaitok.rules import tokenizers_normalizer

SENTENCES = [
    "วันนี้อากาศดีมาก",
    "อาหารร้านนี้อร่อยมาก บริการดี",
    "รอนานมาก พนักงานพูดไม่ดี",
    "คุณสมชายไปเชียงใหม่เมื่อวานนี้",
    "นางสาวสมหญิงทำงานที่กรุงเทพมหานคร",
    "ราคา 1,250 บาท แพงเกินไป",
    "iPhone รุ่นใหม่ถ่ายรูปสวย",
    "น้ำท่วมถนนสุขุมวิทตอนเช้า",
    "เขาแข็งแรงและทำงานหนัก",
]
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

torch.set_num_threads(1)


def make_tokenizer(model_max_length: int = 64) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = tokenizers_normalizer()
    tokenizer.train_from_iterator(
        SENTENCES * 4,
        trainers.UnigramTrainer(
            vocab_size=160, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=False
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=model_max_length,
    )


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny masked language model whose tokenizer claims 10**30 pieces, as old ones do."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    tokenizer = make_tokenizer(model_max_length=10**30)
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    RobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


Row = Mapping[str, Any]
Write = Callable[..., Path]


@pytest.fixture
def write_task(tmp_path: Path) -> Write:
    """Write the splits of a task under tmp_path/data and return that folder."""

    def write(name: str, **splits: Sequence[Row]) -> Path:
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        for split, rows in splits.items():
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
            (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        return tmp_path / "data"

    return write


def sentiment_rows(count: int, seed: int) -> list[Row]:
    dice = random.Random(seed)
    things = ["อาหาร", "บริการ", "ราคา", "ร้านนี้", "iPhone", "ถนน"]
    words = {"positive": ["ดีมาก", "อร่อย", "สวย"], "negative": ["แพง", "ไม่ดี", "นานมาก"]}
    rows = []
    for _ in range(count):
        label = dice.choice(sorted(words))
        rows.append({"text": f"{dice.choice(things)} {dice.choice(words[label])}", "label": label})
    return rows


def ner_rows(count: int, seed: int) -> list[Row]:
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        name = dice.choice([["สม", "ชาย"], ["สม", "หญิง"]])
        place = dice.choice(["เชียงใหม่", "กรุงเทพมหานคร"])
        rows.append(
            {
                "tokens": ["คุณ", *name, "ไป", place],
                "tags": ["O", "B-PERSON", "I-PERSON", "O", "B-LOCATION"],
                "space_after": [False, False, dice.random() < 0.5, False, False],
            }
        )
    return rows


def pos_rows(count: int, seed: int) -> list[Row]:
    dice = random.Random(seed)
    rows = []
    for _ in range(count):
        verb = dice.choice(["ไป", "ทำงาน"])
        rows.append({"tokens": ["เขา", verb, "ร้านนี้"], "tags": ["PRON", "VERB", "NOUN"]})
    return rows


@pytest.fixture
def demo_data(write_task: Write) -> Path:
    """Three easy tasks with all their splits."""
    for name, make in (
        ("demo_sentiment", sentiment_rows),
        ("demo_ner", ner_rows),
        ("demo_pos", pos_rows),
    ):
        folder = write_task(name, train=make(48, 1), validation=make(12, 2), test=make(12, 3))
    return folder
