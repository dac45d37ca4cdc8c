"""A user who has nothing of ours: a script that loads what is published and says what came of it.

It runs as a process of its own. Each line of stdin is a JSON object: `kind`, `source` (a folder or
a Hub name), `revision` (a commit, or null for a folder), `files` (to download), `config`
(config.json's content, of a model). Each is answered by a line: `values`, numbers that are the same
for the same files; `sums`, the sha256 of each file downloaded; `problem`, null if all went well.
"""

from __future__ import annotations

import errno
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

for name in ("thaitok", "corpora", "pretrain", "finetune"):
    sys.modules[name] = None  # type: ignore[assignment]  # what imports it fails

TEXTS = ("วันนี้ อากาศดีมาก", "น้ำตก AI  5,000 บาท 😀", "เเม่ไป ํา\u200bตลาด", "กา" * 40)
"""Texts with spaces, a sara am in two parts, Latin, an emoji, and one that is longer."""
SHOWN = 64
"""Outputs of a text that are compared one by one; the others by their mean size."""
DOCUMENTS = 3
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

HEADS = {
    "ForMaskedLM": "AutoModelForMaskedLM",
    "ForPreTraining": "AutoModelForPreTraining",
    "ForSequenceClassification": "AutoModelForSequenceClassification",
    "ForTokenClassification": "AutoModelForTokenClassification",
    "ForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ForMultipleChoice": "AutoModelForMultipleChoice",
}


class Problem(Exception):
    """What a user would meet."""


def main() -> None:
    """Answer each line of stdin."""
    for line in sys.stdin:
        answer: dict[str, Any] = {"values": [], "sums": {}, "problem": None}
        try:
            answer |= probe(**json.loads(line))
        except Exception as err:  # each library raises its own
            answer["problem"] = told(err)
        print(json.dumps(answer), flush=True)


def told(err: Exception) -> str:
    """Return in one line what went wrong."""
    if isinstance(err, OSError) and err.errno in FULL_DISK:
        return f"there is no space left below {tempfile.gettempdir()} for a copy of it"
    said = (str(err).strip().splitlines() or [""])[0]
    return (
        said if isinstance(err, Problem) else f"it cannot be loaded: {type(err).__name__}: {said}"
    )


def probe(
    kind: str, source: str, revision: str | None, files: list[str], config: dict[str, Any]
) -> dict[str, Any]:
    """Load what `source` holds as a user would; return what it gives, and the files' sums."""
    folder = Path(source)
    if revision is not None:
        from huggingface_hub import snapshot_download

        repo_type = "dataset" if kind == "corpus" else "model"
        found = snapshot_download(
            source, revision=revision, repo_type=repo_type, allow_patterns=files
        )
        folder = Path(found)
    sums = {name: sha256(folder / name) for name in files} if revision else {}
    match kind:
        case "corpus":
            values = corpus_values(source, revision)
        case "export":
            values = onnx_values(folder)
        case "model":
            values = model_values(source, revision, config)
        case _:
            values = [float(one) for row in tokenized(source, revision) for one in row]
    return {"values": values, "sums": sums}


def sha256(file: Path) -> str:
    """Return the sum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tokenized(source: str, revision: str | None) -> list[list[int]]:
    """Return the special ids and the longest input, then the ids of each text."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source, revision=revision)
    special = [-1 if one is None else one for one in (
        tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id,
        tokenizer.unk_token_id, tokenizer.mask_token_id, tokenizer.sep_token_id,
        tokenizer.cls_token_id, tokenizer.model_max_length,
    )]  # fmt: skip
    return [special, *(tokenizer(text, truncation=True).input_ids for text in TEXTS)]


def model_values(source: str, revision: str | None, config: dict[str, Any]) -> list[float]:
    """Return outputs for each text; `Problem` when a weight is missing."""
    import torch
    import transformers

    architecture = str((config.get("architectures") or [""])[0])
    auto = next((auto for head, auto in HEADS.items() if architecture.endswith(head)), "AutoModel")
    model, told = getattr(transformers, auto).from_pretrained(
        source, revision=revision, output_loading_info=True, dtype=torch.float32
    )
    # A pooler that no head uses is made anew by the bare class, as everywhere.
    missing = [name for name in told["missing_keys"] if auto != "AutoModel" or "pooler" not in name]
    wrong = [*missing, *map(str, told["mismatched_keys"])]
    if wrong:
        raise Problem(f"{auto} finds no weights for {', '.join(sorted(wrong)[:3])}")
    special, *texts = tokenized(source, revision)
    values = list(map(float, special))
    for ids in texts:
        with torch.inference_mode():
            outputs = model(input_ids=torch.tensor([ids]))
        values += shown(outputs[0].flatten().tolist())
    return values


def onnx_values(folder: Path) -> list[float]:
    """Return outputs of each graph for each text."""
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    values: list[float] = []
    for file in sorted((folder / "onnx").glob("*.onnx")):
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        for text in TEXTS[:-1]:  # nothing cuts a text here
            ids = numpy.array([tokenizer.encode(text).ids])
            made = {"input_ids": ids, "attention_mask": numpy.ones_like(ids)}
            made["token_type_ids"] = numpy.zeros_like(ids)
            wanted = {one.name: made[one.name] for one in session.get_inputs()}
            values += shown(session.run(None, wanted)[0].ravel().tolist())
    return values


def shown(values: Sequence[float]) -> list[float]:
    """Return what is compared of a text's outputs."""
    return [*values[:SHOWN], sum(map(abs, values)) / max(1, len(values))]


def corpus_values(source: str, revision: str | None) -> list[float]:
    """Return the sum of the first documents, as `datasets` streams them."""
    import datasets

    rows = datasets.load_dataset(source, revision=revision, split="train", streaming=True)
    found = [sorted(row.items()) for row in islice(rows, DOCUMENTS)]
    if not found or not all(dict(row).get("text") for row in found):
        raise Problem("the corpus has no texts")
    digest = hashlib.sha256(json.dumps(found).encode()).digest()
    return [float(byte) for byte in digest]


if __name__ == "__main__":
    main()
