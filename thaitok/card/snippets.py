"""The snippets of cards: what a reader copies to use a folder, with plain libraries alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

MODEL_HERE = 'model = "."'
"""The snippet's line that names the model: the folder itself, until it is published."""
CORPUS_HERE = 'corpus = "OWNER/NAME"'
"""The same of a corpus, whose card is written when it is published: `datasets` reads no "."."""

Use = Literal[
    "tokenizer", "encoder", "fill-mask", "sequence", "pair", "multilabel", "ner", "layers", "pos",
    "words", "qa",
]  # fmt: skip
"""How a folder is used: `layers` are entity tags that the plain pipeline does not join."""

USES: Mapping[str, Use] = {
    "": "tokenizer",
    "feature-extraction": "encoder",
    "fill-mask": "fill-mask",
    "text-classification": "sequence",
    "token-classification": "ner",
    "question-answering": "qa",
}
"""How a folder is used by its pipeline tag, where no more is known of it."""

EXAMPLES: Mapping[Use, tuple[str, ...]] = {
    "tokenizer": ("ภาษาไทยเขียน ติดกัน",),
    "encoder": ("วันนี้อากาศดีมาก", "เมื่อวานฝนตกทั้งวัน"),
    "fill-mask": ("กรุงเทพมหานครเป็นเมืองหลวงของ<mask>",),
    "sequence": ("อาหารอร่อยมาก พนักงานบริการดี",),
    "pair": ("ร้านเปิดทุกวัน", "ร้านปิดวันจันทร์"),
    "multilabel": ("รัฐบาลเพิ่มงบประมาณด้านการศึกษาและสาธารณสุข",),
    "ner": ("คุณสมชาย ใจดี เดินทางไปเชียงใหม่เมื่อวันที่ 5 มกราคม",),
    "layers": ("คุณสมชาย ใจดี เดินทางไปเชียงใหม่เมื่อวันที่ 5 มกราคม",),
    "pos": ("นักเรียนอ่านหนังสือในห้องสมุด",),
    "words": ("นักเรียนอ่านหนังสือในห้องสมุด",),
    "qa": ("สมชายไปไหน", "เมื่อวานนี้สมชายไปเชียงใหม่กับเพื่อน"),
}
"""What a snippet runs where no other example is given."""

_CLASSIFY = """\
from transformers import pipeline

{here}
classify = pipeline("text-classification", model=model)
print(classify({first}, truncation=True))"""

_TAG = """\
from transformers import pipeline

{here}
tag = pipeline("token-classification", model=model)
text = {first}
"""

SNIPPETS: Mapping[Use, str] = {
    "tokenizer": """\
from transformers import AutoTokenizer

{here}
tokenizer = AutoTokenizer.from_pretrained(model)
ids = tokenizer({first}).input_ids
print(tokenizer.convert_ids_to_tokens(ids))
print(tokenizer.decode(ids, skip_special_tokens=True))""",
    "encoder": """\
import torch
from transformers import AutoModel, AutoTokenizer

{here}
tokenizer = AutoTokenizer.from_pretrained(model)
encoder = AutoModel.from_pretrained(model)
texts = [{first}, {second}]
inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
with torch.no_grad():
    vectors = encoder(**inputs).last_hidden_state
print(vectors.shape)  # texts, tokens, width""",
    "fill-mask": """\
from transformers import pipeline

{here}
fill = pipeline("fill-mask", model=model)
for found in fill({first}):
    print(found["token_str"], round(found["score"], 3))""",
    "sequence": _CLASSIFY,
    "pair": _CLASSIFY.replace("{first}", '{{"text": {first}, "text_pair": {second}}}'),
    "multilabel": """\
from transformers import pipeline

{here}
classify = pipeline("text-classification", model=model)
thresholds = classify.model.config.thaitok["thresholds"]
for found in classify({first}, truncation=True, top_k=None):
    if found["score"] > thresholds[found["label"]]:
        print(found["label"], round(found["score"], 3))""",
    "ner": """\
from transformers import pipeline

{here}
tag = pipeline("token-classification", model=model, aggregation_strategy="simple")
text = {first}
for found in tag(text):
    print(text[found["start"] : found["end"]].strip(), found["entity_group"])""",
    "layers": """\
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

{here}
tokenizer = AutoTokenizer.from_pretrained(model)
tagger = AutoModelForTokenClassification.from_pretrained(model)
text = {first}
inputs = tokenizer(text, truncation=True, return_offsets_mapping=True, return_tensors="pt")
offsets = inputs.pop("offset_mapping")[0].tolist()
with torch.no_grad():
    logits = tagger(**inputs).logits[0]
names = [name.split("|")[-1] for _, name in sorted(tagger.config.id2label.items())]
entities = []
for scores in logits.split(len(set(names)), dim=-1):  # a layer of tags after the other
    running = None
    for (start, end), best in zip(offsets, scores.argmax(-1).tolist()):
        place, _, kind = names[best].partition("-")
        if start == end or place == "O":
            running = None
        elif running and place in "IE" and running["kind"] == kind:
            running["end"] = end
        else:
            running = {{"start": start, "end": end, "kind": kind}}
            entities.append(running)
for entity in entities:
    print(text[entity["start"] : entity["end"]].strip(), entity["kind"])""",
    "pos": _TAG
    + """\
for found in tag(text):
    if piece := text[found["start"] : found["end"]].strip():
        print(piece, found["entity"])""",
    "words": _TAG.replace("model=model", "model=model, ignore_labels=[]")
    + """\
starts = [found["start"] for found in tag(text) if found["entity"] == "B"]
cuts = sorted({{0, *starts, len(text)}})
words = [text[start:end].strip() for start, end in zip(cuts, cuts[1:])]
print([word for word in words if word])""",
    "qa": """\
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

{here}
tokenizer = AutoTokenizer.from_pretrained(model)
reader = AutoModelForQuestionAnswering.from_pretrained(model)
question = {first}
context = {second}
inputs = tokenizer(
    question, context, truncation="only_second", return_offsets_mapping=True, return_tensors="pt"
)
offsets = inputs.pop("offset_mapping")[0].tolist()
outside = torch.tensor([sequence != 1 for sequence in inputs.sequence_ids(0)])
with torch.no_grad():
    found = reader(**inputs)
start = found.start_logits[0].masked_fill(outside, -1e9)
end = found.end_logits[0].masked_fill(outside, -1e9)
scores = start[:, None] + end[None, :]  # of each first and last token
possible = torch.ones_like(scores).triu().tril({reach}).bool()
first, last = divmod(int(scores.masked_fill(~possible, -4e9).argmax()), len(offsets))
print(context[offsets[first][0] : offsets[last][1]].strip())""",
}
"""The snippets; questions have had no pipeline since transformers 5."""

CORPUS_SNIPPET = f"""\
from datasets import load_dataset

{CORPUS_HERE}
documents = load_dataset(corpus, split="train", streaming=True)
for document in documents.take(3):
    print(document["id"], document["source"], document["text"][:80])"""


def snippet_of(use: Use, *examples: str, longest: int = 64) -> str:
    """Return the snippet of a use on an example, which is the usual one where none is given.

    `longest` is how many tokens an answer may have.
    """
    texts = [json.dumps(text, ensure_ascii=False) for text in examples or EXAMPLES[use]]
    return SNIPPETS[use].format(
        here=MODEL_HERE, first=texts[0], second=texts[-1], reach=longest - 1
    )


def in_repo(text: str, repo: str) -> str:
    """Return a card whose snippet names a Hub repo in the place of the folder itself."""
    for here in (MODEL_HERE, CORPUS_HERE):
        text = text.replace(here, f"{here.partition(' ')[0]} = {json.dumps(repo)}", 1)
    return text
