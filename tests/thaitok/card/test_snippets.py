"""Every card's snippet runs with plain libraries alone, and says what is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from thaitok.card import HEADS, MODEL_HERE, USES, corpus_card, in_repo, snippet_of, write_card
from thaitok.card.snippets import CORPUS_HERE, CORPUS_SNIPPET, SNIPPETS
from thaitok.rules import SPACE_TOKEN

TEXT = "คุณสมชาย ใจดีไปเชียงใหม่"
PLAIN = "ภาษาไทยเขียน ติดกัน"
ENTITIES = ["สมชาย ใจดี PERSON", "เชียงใหม่ LOCATION"]

RUN = """
import contextlib, io, json, os, sys, traceback, warnings
for name in ("thaitok", "corpora", "pretrain", "finetune"):
    sys.modules[name] = None
warnings.simplefilter("ignore")
said = {}
for name, (folder, code) in json.load(sys.stdin).items():
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        try:
            exec(code, {"__name__": "snippet"})
        except Exception:
            print(traceback.format_exc())
    said[name] = stream.getvalue().splitlines()
print(json.dumps(said))
"""


def snippet_in(folder: Path) -> str:
    text = (folder / "README.md").read_text(encoding="utf-8")
    return str(re.findall("```python\n(.*?)```", text, re.DOTALL)[0])


@pytest.fixture(scope="module")
def said(
    models_of_heads: Mapping[str, Path],
    trained: Callable[..., Path],
    corpus: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, list[str]]:
    """Run all snippets, each in its folder, in one process without our packages."""
    tag_of = {use: tag for tag, use in USES.items()}
    tags = {"pair": "text-classification", "multilabel": "text-classification"}
    examples = {"qa": ("ไปไหน", TEXT), "pair": (TEXT, "ไป"), "encoder": (TEXT, "ไป"),
                "fill-mask": ("คุณ<mask>ไป",)}  # fmt: skip
    jobs = {}
    for name, folder in models_of_heads.items():
        use = "layers" if name in ("bioes", "nested") else name
        write_card(
            folder,
            pipeline_tag=tags.get(name) or tag_of.get(use, "token-classification"),
            title="T",
            summary="S",
            facts={},
            snippet=snippet_of(use, *examples.get(name, (TEXT,))),  # type: ignore[arg-type]
        )
        jobs[name] = (str(folder), snippet_in(folder))
    jobs["tokenizer"] = (str(trained()), snippet_of("tokenizer"))
    home = tmp_path_factory.mktemp("home")
    published = shutil.copytree(corpus, home / "corpus")
    (published / "README.md").write_text(
        in_repo(corpus_card(corpus), str(published)), encoding="utf-8"
    )
    jobs["corpus"] = (str(home), snippet_in(published))
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(jobs),
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: Mapping[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_snippet_has_its_test(said: Mapping[str, list[str]]) -> None:
    assert set(said) - {"bioes", "nested", "corpus"} == set(SNIPPETS) - {"layers"}
    assert set(USES) == {"", "feature-extraction", *HEADS.values()}
    assert not [lines for lines in said.values() if "Traceback (most recent call last):" in lines]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("ner", ENTITIES),
        ("bioes", ENTITIES),
        ("nested", [*ENTITIES, "ใจดี LOCATION"]),
        ("pos", ["คุณ PRON", "ไป VERB"]),
        ("words", ["['คุณ', 'สมชาย', 'ใจดี', 'ไปเชียงใหม่']"]),
        ("qa", ["เชียงใหม่"]),
        ("multilabel", ["ดี 0.5"]),
        ("encoder", ["torch.Size([2, 8, 12])"]),
    ],
)
def test_outputs_are_those_of_the_head(
    said: Mapping[str, list[str]], name: str, lines: list[str]
) -> None:
    assert said[name] == lines


def test_labels_masks_and_pieces(said: Mapping[str, list[str]]) -> None:
    assert "'label': 'บวก'" in said["sequence"][0] and "0.88" in said["sequence"][0]
    assert "'label': 'ใช่'" in said["pair"][0]
    assert len(said["fill-mask"]) == 5
    assert SPACE_TOKEN in said["tokenizer"][0] and said["tokenizer"][1] == PLAIN


def test_a_corpus_is_read_by_datasets(said: Mapping[str, list[str]]) -> None:
    rows = [line.split()[0] for line in said["corpus"] if " test " in line]
    assert rows == ["0", "1", "2"]


def test_a_published_card_names_its_repo() -> None:
    assert 'model = "anna/cat"' in in_repo(snippet_of("ner"), "anna/cat")
    assert 'corpus = "anna/text"' in in_repo(CORPUS_SNIPPET, "anna/text")
    assert all(MODEL_HERE in snippet_of(use) for use in SNIPPETS)
    assert CORPUS_HERE in CORPUS_SNIPPET
