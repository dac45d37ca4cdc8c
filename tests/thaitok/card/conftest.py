"""Tiny models of every head, whose outputs hang on the piece alone and so can be foretold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, processors
from transformers import (
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)

from thaitok.rules import SPACE_TOKEN, tokenizers_normalizer

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
PIECES = (*SPECIALS, SPACE_TOKEN, "คุณ", "สมชาย", "ใจดี", "ไป", "เชียงใหม่", "ไหน")

Labelled = Mapping[str, str]
"""Piece → the label that it gets."""


def write_tokenizer(folder: Path) -> None:
    core = Tokenizer(models.Unigram([(piece, -1.0) for piece in PIECES], unk_id=3))
    core.normalizer = tokenizers_normalizer()
    core.decoder = decoders.Replace(SPACE_TOKEN, " ")
    core.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=False
    )
    PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", cls_token="<s>", eos_token="</s>",
        sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>",
        model_max_length=32,
    ).save_pretrained(folder)  # fmt: skip


def build(kind: type[Any], labels: Sequence[str] = (), **settings: Any) -> Any:
    """Build a model without layers: its hidden state is the piece, one dimension each."""
    torch.manual_seed(0)
    names = {"id2label": dict(enumerate(labels))} if labels else {}
    config = RobertaConfig(
        vocab_size=len(PIECES), hidden_size=len(PIECES), intermediate_size=8, pad_token_id=1,
        num_hidden_layers=0, num_attention_heads=1, max_position_embeddings=40,
        type_vocab_size=1, **names, **settings,
    )  # fmt: skip
    model = kind(config)
    with torch.no_grad():
        found = model.roberta.embeddings
        found.word_embeddings.weight.copy_(torch.eye(len(PIECES)))
        found.position_embeddings.weight.zero_()
        found.token_type_embeddings.weight.zero_()
    return model


def reads(linear: Any, row: int, pieces: Sequence[str]) -> None:
    """Let an output be high for these pieces."""
    with torch.no_grad():
        linear.weight[row] = torch.tensor([float(piece in pieces) for piece in PIECES])


def tagger(labels: Sequence[str], *layers: Labelled) -> Any:
    model = build(RobertaForTokenClassification, labels)
    with torch.no_grad():
        model.classifier.bias.zero_()
    for number, label in enumerate(labels):
        layer, _, tag = label.rpartition("|")
        said = layers[int(layer or 0)]
        reads(model.classifier, number, [one for one in PIECES if said.get(one, "O") == tag])
    return model


def classifier(labels: Sequence[str], logits: Sequence[float], **settings: Any) -> Any:
    model = build(RobertaForSequenceClassification, labels, **settings)
    with torch.no_grad():
        model.classifier.out_proj.weight.zero_()
        model.classifier.out_proj.bias.copy_(torch.tensor(logits))
    return model


def reader() -> Any:
    model = build(RobertaForQuestionAnswering)
    for row in (0, 1):
        reads(model.qa_outputs, row, ["เชียงใหม่"])
    return model


BIO = ("O", "B-PERSON", "I-PERSON", "B-LOCATION", "I-LOCATION")
PERSON = {"สมชาย": "B-PERSON", SPACE_TOKEN: "I-PERSON", "ใจดี": "I-PERSON", "เชียงใหม่": "B-LOCATION"}
BIOES = ("O", *(f"{place}-{kind}" for kind in ("PERSON", "LOCATION") for place in "BIES"))
ENDED = {**PERSON, "ใจดี": "E-PERSON", "เชียงใหม่": "S-LOCATION"}
INNER = {"ใจดี": "B-LOCATION"}
POS = {"คุณ": "PRON", "ไป": "VERB"}
THRESHOLDS = {"ดี": 0.4, "แพง": 0.6, "ใกล้": 0.5}


@pytest.fixture(scope="session")
def models_of_heads(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return model folders by what they do."""
    makers: Mapping[str, Callable[[], Any]] = {
        "fill-mask": lambda: build(RobertaForMaskedLM),
        "encoder": lambda: build(RobertaForMaskedLM).roberta,
        "sequence": lambda: classifier(("ลบ", "บวก"), (0.0, 2.0)),
        "pair": lambda: classifier(("ใช่", "ไม่"), (2.0, 0.0)),
        "multilabel": lambda: classifier(
            tuple(THRESHOLDS), (0.0, 0.0, 0.0), problem_type="multi_label_classification",
            thaitok={"kind": "multilabel", "thresholds": THRESHOLDS},
        ),
        "ner": lambda: tagger(BIO, PERSON),
        "bioes": lambda: tagger(BIOES, ENDED),
        "nested": lambda: tagger([f"{n}|{tag}" for n in (0, 1) for tag in BIO], PERSON, INNER),
        "pos": lambda: tagger(("O", "PRON", "VERB"), POS),
        "words": lambda: tagger(("O", "B", "I"), {SPACE_TOKEN: "I", "เชียงใหม่": "I",
                                **dict.fromkeys(("คุณ", "สมชาย", "ใจดี", "ไป"), "B")}),
        "qa": reader,
    }  # fmt: skip
    folders = {}
    for name, make in makers.items():
        folder = folders[name] = tmp_path_factory.mktemp("heads") / name
        make().save_pretrained(folder)
        write_tokenizer(folder)
    return folders
