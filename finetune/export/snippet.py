"""How to run an export: a program of onnxruntime, tokenizers and NumPy alone, for each head."""

from __future__ import annotations

import json

OPEN = '''\
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

config = json.loads(Path("config.json").read_text(encoding="utf-8"))
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_truncation({length}{strategy})
tokenizer.enable_padding(pad_id={pad_id}, pad_token={pad_token})
model = onnxruntime.InferenceSession("{file}")


def run(texts):
    """Return the pieces of each text, and what the model says: (texts, ...)."""
    read = tokenizer.encode_batch(texts)
    inputs = {{
        "input_ids": [one.ids for one in read],
        "attention_mask": [one.attention_mask for one in read],
        "token_type_ids": [one.type_ids for one in read],
    }}
    feed = {{one.name: np.array(inputs[one.name], np.int64) for one in model.get_inputs()}}
    return read, *model.run(None, feed)


def softmax(logits):
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    return chances / chances.sum(-1, keepdims=True)


'''

SEQUENCE = """\
texts = [{text}]
labels = config["id2label"]
for text, chances in zip(texts, softmax(run(texts)[1])):
    best = int(chances.argmax())
    print(labels[str(best)], float(chances[best]))
"""

MULTILABEL = """\
texts = [{text}]
labels = config["id2label"]
thresholds = config.get("thaitok", {{}}).get("thresholds", {{}})
for text, logits in zip(texts, run(texts)[1]):
    chances = {{labels[str(number)]: 1 / (1 + np.exp(-one)) for number, one in enumerate(logits)}}
    print({{name: float(one) for name, one in chances.items() if one > thresholds.get(name, 0.5)}})
"""

TAGS = """\
texts = [{text}]
labels = config["id2label"]
read, logits = run(texts)
for text, pieces, rows in zip(texts, read, softmax(logits)):
    for (start, end), chances in zip(pieces.offsets, rows):
        best = int(chances.argmax())
        if start < end:  # not a special piece, nor padding
            print(start, end, text[start:end], labels[str(best)], float(chances[best]))
"""

NESTED = """\
texts = [{text}]
layers = config["thaitok"]["layers"]
labels = config["id2label"]
read, logits = run(texts)
for text, pieces, rows in zip(texts, read, logits):
    for (start, end), by_layer in zip(pieces.offsets, softmax(rows.reshape(len(rows), layers, -1))):
        best = by_layer.argmax(-1)  # the outermost entity's tag first
        tags = [labels[str(layer * by_layer.shape[1] + tag)] for layer, tag in enumerate(best)]
        if start < end:
            print(start, end, text[start:end], *tags)
"""

MASK = """\
texts = [{text}]
mask = tokenizer.token_to_id({mask})
read, logits = run(texts)
for pieces, rows in zip(read, logits):
    for chances in softmax(rows[np.array(pieces.ids) == mask]):
        for piece in np.argsort(-chances)[:5]:
            print(tokenizer.decode([int(piece)]), float(chances[piece]))
"""

ANSWER = """\
pairs = [({question}, {text})]
read, starts, ends = run(pairs)
for (question, context), pieces, start, end in zip(pairs, read, starts, ends):
    inside = [sequence == 1 for sequence in pieces.sequence_ids]
    start, end = np.where(inside, start, -np.inf), np.where(inside, end, -np.inf)
    ways = start[:, None] + np.where(np.tri(len(end)).T > 0, end[None], -np.inf)
    first, last = np.unravel_index(ways.argmax(), ways.shape)
    print(context[pieces.offsets[first][0] : pieces.offsets[last][1]])
"""

VECTORS = """\
texts = [{text}]
read, vectors = run(texts)
for pieces, rows in zip(read, vectors):
    inside = np.array(pieces.attention_mask, bool)
    print(rows[inside].mean(0)[:5])  # the mean of a text's vectors, its first five numbers
"""

PARTS = {
    "sequence": SEQUENCE,
    "multilabel": MULTILABEL,
    "nested": NESTED,
    "qa": ANSWER,
    "fill-mask": MASK,
    "feature-extraction": VECTORS,
}
"""By what a model does; of the others, `TAGS`."""

TEXT = "คุณสมชายไปเชียงใหม่เมื่อวานนี้"
QUESTION = "คุณสมชายไปไหน"


def snippet(
    kind: str, *, file: str, length: int, pad_id: int, pad_token: str, mask: str, pairs: bool
) -> str:
    """Return the program that runs the graph `file` from the folder of an export.

    It reads the first `length` pieces of a text; `pairs` says whether the head is one of pairs
    of texts.
    """
    text = f"วันนี้อากาศ{mask}มาก" if kind == "fill-mask" else TEXT
    quoted = json.dumps(text, ensure_ascii=False)
    question = json.dumps(QUESTION, ensure_ascii=False)
    if pairs and kind != "qa":
        quoted = f"({quoted}, {question})"
    opened = OPEN.format(
        file=file,
        length=length,
        strategy=', strategy="only_second"' if kind == "qa" else "",
        pad_id=pad_id,
        pad_token=json.dumps(pad_token, ensure_ascii=False),
    )
    part = PARTS.get(kind, TAGS)
    return opened + part.format(text=quoted, question=question, mask=json.dumps(mask))
