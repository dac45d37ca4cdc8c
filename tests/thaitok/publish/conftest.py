"""Folders of every kind, and a process that publishes them on the local Hub."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import RobertaConfig

from thaitok.card import write_card
from thaitok.folder import TOKENIZER_FILES

HEADS = {
    "mlm": ("fill-mask", "RobertaForMaskedLM", ()),
    "sentiment": ("text-classification", "RobertaForSequenceClassification", ("ดี", "ไม่ดี", "เฉย")),
    "ner": ("token-classification", "RobertaForTokenClassification", ("O", "B-PER", "I-PER")),
    "pos": ("token-classification", "RobertaForTokenClassification", ("NOUN", "VERB")),
    "qa": ("question-answering", "RobertaForQuestionAnswering", ()),
}
"""The Hub's name of the task, class and labels of each model."""

PRELUDE = """
import io, os, sys, time
pause = time.sleep
time.sleep = lambda seconds: pause(min(seconds, 0.01))  # the client's waits between tries
sys.stderr = io.StringIO()
from thaitok.cli import main
from thaitok.publish import PublishConfig, publish_folder

def run(*argv, token=None):
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    shown, sys.stdout = sys.stdout, io.StringIO()
    sys.stderr.seek(0); sys.stderr.truncate()
    try:
        code = main(["publish", *argv])
        said = sys.stdout.getvalue()
    finally:
        sys.stdout = shown
    tell([code, said, sys.stderr.getvalue()])
"""

Made = Callable[..., Path]


def make_model(out: Path, tokenizer: Path, kind: str) -> Path:
    """Write a tiny model of a head with the tokenizer and a card."""
    task, name, labels = HEADS[kind]
    pieces = len(transformers.AutoTokenizer.from_pretrained(tokenizer))
    size: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    if labels:
        size |= {"id2label": dict(enumerate(labels))}
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=pieces, num_hidden_layers=1, max_position_embeddings=514,
        bos_token_id=0, pad_token_id=1, eos_token_id=2, **size,
    )  # fmt: skip
    getattr(transformers, name)(config).save_pretrained(out)
    for file in TOKENIZER_FILES:
        shutil.copyfile(tokenizer / file, out / file)
    write_card(out, pipeline_tag=task, title=f"Thai {kind}", summary="Tiny.", facts={})
    return out


def make_export(out: Path, model: Path) -> Path:
    """Write an export's folder whose graph says of each piece its id."""
    import onnx
    from onnx import TensorProto, helper

    names = [("input_ids", TensorProto.INT64), ("logits", TensorProto.FLOAT)]
    given, said = (
        [helper.make_tensor_value_info(name, kind, ["batch", "length"])] for name, kind in names
    )
    node = helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.FLOAT)
    graph = helper.make_graph([node], "ids", given, said)
    opset = [helper.make_opsetid("", 18)]
    (out / "onnx").mkdir(parents=True)
    made = helper.make_model(graph, opset_imports=opset, ir_version=10)
    onnx.save(made, out / "onnx" / "model.onnx")
    for file in ("config.json", "README.md", *TOKENIZER_FILES):
        shutil.copyfile(model / file, out / file)
    return out


@pytest.fixture(scope="session")
def made(corpus: Path, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a folder of a kind; make it once."""

    @cache
    def make(kind: str) -> Path:
        if kind in ("corpus", "tokenizer"):
            return {"corpus": corpus, "tokenizer": tokenizer}[kind]
        out = tmp_path_factory.mktemp("made") / kind
        if kind == "export":
            return make_export(out, make("mlm"))
        return make_model(out, tokenizer, kind)

    return make


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    """Return a copy of the tokenizer's folder: the kind that loads quickest."""
    return shutil.copytree(made("tokenizer"), tmp_path / "tokenizer")


@pytest.fixture(scope="session")
def publisher(client_of: Callable[..., Any]) -> Any:
    """Start a process that runs `thaitok publish`; what it imports takes seconds."""
    return client_of(PRELUDE)


@pytest.fixture
def publish(publisher: Any, anna: str) -> Callable[..., tuple[int, str, str]]:
    """Run the verb with anna's token; return its exit code, and what it printed and said."""

    def run(
        folder: Path, repo: str, *flags: str, token: str | None = anna, license: str = "cc0-1.0"
    ) -> tuple[int, str, str]:
        argv = [str(folder), "--repo", repo, "--license", license, *flags]
        ((code, out, err),) = publisher(f"run(*{argv!r}, token={token!r})")
        for kept in (anna, token):
            assert not kept or kept not in out + err  # promise 8: the token is never shown
        return code, out, err

    return run


@pytest.fixture
def publish_while(
    publisher: Any, anna: str, folder: Path
) -> Callable[[str], tuple[str, list[str]]]:
    """Publish `folder` as anna/x while code runs at the question; return error and files."""

    def run(code: str) -> tuple[str, list[str]]:
        ((said, names),) = publisher(f"""
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi
from thaitok.errors import UserError
os.environ["HF_TOKEN"] = {anna!r}
api, folder = HfApi(), Path({str(folder)!r})
def meanwhile(plan):
    {code}
    return True
try:
    publish_folder(PublishConfig(folder=folder, repo="anna/x", license="mit"), meanwhile)
except UserError as err:
    tell([str(err), api.list_repo_files("anna/x")])
""")
        return said, names

    return run
