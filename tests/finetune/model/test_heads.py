from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from finetune.data.entities import entities_of, layer_tags, parse_entities, write_entities
from finetune.data.rows import Example
from finetune.model.answers import AnswerHead, answer_pieces
from finetune.model.encode import Encoded
from finetune.model.head import IGNORED, Head, Logits
from finetune.model.nested import NestedHead, depth_of
from finetune.model.sequences import MultilabelHead, SequenceHead
from finetune.model.tags import TagHead
from thaitok.alignment import join_words

LABELS = ("O", "B-PER", "I-PER")


def example(words: list[str], tags: list[str], spaces: tuple[bool, ...] = ()) -> Example:
    text, spans = join_words(words, spaces)
    return Example(text, tuple(tags), "here:1", tuple(words), tuple(spans))


def certain(head: Head, encoded: Encoded, rows: list[Example]) -> list[list[Logits]]:
    """Logits of a model that is sure of every training label, and of O elsewhere."""
    flat = iter(head.training_rows(encoded, rows))
    return [
        [_sure(len(head.outputs), next(flat)["labels"]) for _ in windows]
        for windows in encoded.windows
    ]


def _sure(outputs: int, labels: list[tuple[int, int]]) -> Logits:
    logits = np.zeros((len(labels), outputs), np.float32)
    for piece, (tag, _) in enumerate(labels):
        logits[piece, max(tag, 0)] = 20.0
    return logits


def tags_of(head: TagHead, row: Example, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    encoded = head.encode(tokenizer, [row], 64)
    return [tag for tag, _ in head.training_rows(encoded, [row])[0]["labels"]]


def test_each_word_is_labelled_once_however_many_windows(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    words = ["คุณ", "สมชาย", "ไป", "เชียงใหม่"] * 12
    gold = example(words, ["O", "B-PER", "O", "O"] * 12)
    head = TagHead(LABELS)
    encoded = head.encode(tokenizer, [gold], 20)
    rows = head.training_rows(encoded, [gold])
    assert len(rows) == len(encoded.windows[0]) > 2
    assert all(len(row["labels"]) == len(row["input_ids"]) <= 20 for row in rows)
    own = [place for place in encoded.places[0] if place and place.own]
    labels = [rows[place.window]["labels"][place.piece] for place in own]
    assert labels == [(0, 1), (1, 1), (0, 1), (0, 1)] * 12
    assert sum(tag == 1 for row in rows for tag, _ in row["labels"]) == 12, "it begins once"


def test_the_further_pieces_of_a_word_carry_its_label_on(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    gold = example(["สมชาย", "เชียงใหม่", "ไป"], ["B-PER", "O", "O"])
    labels = tags_of(TagHead(LABELS), gold, tokenizer)
    assert labels[0] == labels[-1] == IGNORED
    inside = [label for label in labels if label in (1, 2)]
    assert inside == [1] + [2] * (len(inside) - 1) and len(inside) > 1


@pytest.mark.parametrize(("tags", "between"), [(["B-PER", "I-PER"], 2), (["B-PER", "B-PER"], 0)])
def test_a_space_goes_an_entity_on_or_stands_outside(
    tokenizer: PreTrainedTokenizerFast, tags: list[str], between: int
) -> None:
    gold = example(["สมชาย", "สมหญิง"], tags, (True, False))
    head = TagHead(LABELS)
    encoded = head.encode(tokenizer, [gold], 64)
    labels = [tag for tag, _ in head.training_rows(encoded, [gold])[0]["labels"]]
    (space,) = [piece for piece, span in enumerate(encoded.windows[0][0].spans) if span == (5, 6)]
    assert labels[space] == between


def test_a_swallowed_word_leaves_the_label_to_the_word_before(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    gold = example(["ทำ", "งาน"], ["B-PER", "O"])
    head = TagHead(LABELS)
    assert head.encode(tokenizer, [gold], 64).swallowed() == 1  # ทำงาน is one piece
    assert tags_of(head, gold, tokenizer) == [IGNORED, 1, IGNORED]


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_every_gold_word_gets_a_tag(tokenizer: PreTrainedTokenizerFast, scheme: str) -> None:
    # One swallowed by a longer piece, one that normalises to nothing, one cut by windows.
    words = ["ท", "ำงาน", "\u200b", "😀", "คุณ"] * 10
    gold = example(words, ["O"] * 50)
    head = TagHead(LABELS, scheme=scheme)  # type: ignore[arg-type]
    encoded = head.encode(tokenizer, [gold], 12)
    assert 0 < encoded.swallowed() < 50
    logits = [[np.zeros((len(w.ids), len(head.outputs)), np.float32) for w in encoded.windows[0]]]
    (found,) = head.read(encoded, logits)
    assert len(found) == 50 and set(found) <= set(LABELS)


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_a_sure_model_says_gold(tokenizer: PreTrainedTokenizerFast, scheme: str) -> None:
    words, tags = ["คุณ", "สมชาย", "สมหญิง", "ไป"], ["O", "B-PER", "I-PER", "O"]
    rows = [example(words * times, tags * times) for times in (1, 9)]
    head = TagHead(LABELS, scheme=scheme)  # type: ignore[arg-type]
    encoded = head.encode(tokenizer, rows, 24)
    assert head.read(encoded, certain(head, encoded, rows)) == [list(row.gold) for row in rows]


def test_an_unread_word_has_the_most_frequent_tag_of_training(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    train = [example(["ก", "ข", "ค"], ["NOUN", "VERB", "VERB"])]
    head = TagHead(("NOUN", "VERB"))
    head.training_rows(head.encode(tokenizer, train, 64), train)
    gold = example(["\u200b"], ["NOUN"])
    encoded = head.encode(tokenizer, [gold], 64)
    assert encoded.places == [[None]]
    assert head.read(encoded, [[np.zeros((2, 2), np.float32)]]) == [["VERB"]]
    assert TagHead(head.labels, **head.settings()).unread.argmax() == 1


def test_a_swallowed_word_has_the_tag_it_had_so_in_training(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    train = [example(["ทำ", "งาน"], ["VERB", "NOUN"])] * 3
    head = TagHead(("NOUN", "VERB"))
    head.training_rows(head.encode(tokenizer, train, 64), train)
    kept = TagHead(head.labels, **head.settings())
    assert kept.swallowed == {"งาน": {"NOUN": 3}}
    encoded = head.encode(tokenizer, train[:1], 64)
    assert encoded.swallowed() == 1  # ทำงาน is one piece
    says_verb = [[np.tile(np.float32([0, 9]), (len(encoded.windows[0][0].ids), 1))]]
    assert kept.read(encoded, says_verb) == [["VERB", "NOUN"]]
    assert TagHead(head.labels).read(encoded, says_verb) == [["VERB", "VERB"]]


def test_a_swallowed_cluster_begins_no_word(tokenizer: PreTrainedTokenizerFast) -> None:
    row = example(list("ทำงาน"), ["B", "I", "B", "I", "I"])
    head = TagHead(("B", "I"))
    encoded = head.encode(tokenizer, [row], 64)
    logits = [[np.tile(np.float32([5, 0]), (len(encoded.windows[0][0].ids), 1))]]
    assert head.read(encoded, logits) == [["B", "I", "I", "I", "I"]]


def test_a_crf_s_table_decides_where_the_model_does_not(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    row = example(["คุณ", "ไป"], ["NOUN", "VERB"])
    table = [[0.0, 3.0], [0.0, 0.0], [1.0, 0.0]]
    head = TagHead(("NOUN", "VERB"), transitions=table)
    encoded = head.encode(tokenizer, [row], 64)
    logits = [[np.zeros((len(encoded.windows[0][0].ids), 2), np.float32)]]
    assert head.read(encoded, logits) == [["NOUN", "VERB"]]
    assert head.settings()["transitions"] == table


def test_windows_of_a_text_vote_by_their_probabilities() -> None:
    head = SequenceHead(("a", "b"))
    encoded = Encoded(["x"], [[]], [])
    sure, doubtful = np.float32([0.0, 9.0]), np.float32([1.0, 0.0])
    assert head.read(encoded, [[sure, doubtful]]) == [["b"]]
    assert head.read(encoded, [[doubtful]]) == [["a"]]
    assert np.exp(head.scores([sure, doubtful])).sum() == pytest.approx(1.0)


def test_thresholds_are_chosen_on_validation_and_kept() -> None:
    head = MultilabelHead(("a", "b"))
    rows = [Example("", ("a",), ""), Example("", (), "")]
    logits = [[np.float32([-1.0, -2.0])], [np.float32([-3.0, -2.0])]]
    encoded = Encoded(["", ""], [[], []], [])
    assert head.read(encoded, logits) == [[], []]
    head.tune(logits, rows)
    assert head.read(encoded, logits) == [["a"], []]
    kept = MultilabelHead(head.labels, **head.settings())
    assert kept.read(encoded, logits) == [["a"], []]
    assert head.target(rows[0]) == [1.0, 0.0]


def spans_of(draw: st.DrawFn, words: int) -> list[tuple[int, int, str]]:
    """Draw entities that nest and never cross."""
    found: list[tuple[int, int, str]] = []
    for _ in range(draw(st.integers(0, 5))):
        first = draw(st.integers(0, words - 1))
        end = draw(st.integers(first + 1, words))
        kind = draw(st.sampled_from(["org", "loc"]))
        if all(e <= first or end <= f or (f <= first and end <= e) or (first <= f and e <= end)
               for f, e, _ in found) and (first, end, kind) not in found:  # fmt: skip
            found.append((first, end, kind))
    return found


@settings(deadline=None)
@given(st.data())
def test_entities_come_back_from_their_layers(data: st.DataObject) -> None:
    words = data.draw(st.integers(1, 8))
    gold = write_entities(data.draw(st.composite(spans_of)(words)))
    row = example(["คุณ"] * words, [])
    row = Example(row.text, tuple(gold), row.where, row.words, row.spans)
    layers = depth_of([row])
    found = {entity for tags in layer_tags(gold, words, layers) for entity in entities_of(tags)}
    assert found == set(parse_entities(gold))


def test_a_sure_nested_model_says_gold(tokenizer: PreTrainedTokenizerFast) -> None:
    words = ["คุณ", "สมชาย", "ไป", "เชียงใหม่"]
    plain = example(words, [])
    row = Example(plain.text, ("0:4:org", "0:2:loc", "1:2:org"), "", plain.words, plain.spans)
    head = NestedHead(("loc", "org"), depth_of([row]))
    assert head.depth == 3 and len(head.outputs) == 3 * 5
    encoded = head.encode(tokenizer, [row], 64)
    (made,) = head.training_rows(encoded, [row])
    logits = np.zeros((len(made["labels"]), 15), np.float32)
    for piece, layers in enumerate(made["labels"]):
        for layer, tag in enumerate(layers):
            logits[piece, layer * 5 + max(tag, 0)] = 20.0
    assert head.read(encoded, [[logits]]) == [list(row.gold)]
    loss = head.loss(torch.tensor(logits)[None], head.collate([made["labels"]]))
    assert float(loss) < 1e-6


def test_an_answer_is_found_in_the_window_that_holds_it(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    context = "อาหารร้านนี้อร่อยมาก " * 6 + "คุณสมชายไปเชียงใหม่ " + "ราคา 1,250 บาท " * 4
    start = context.index("สมชาย")
    row = Example(context, ("สมชาย",), "", spans=((start, start + 5),), pair="ใคร")
    head = AnswerHead()
    encoded = head.encode(tokenizer, [row], 24)
    rows = head.training_rows(encoded, [row])
    held = [made["labels"] for made in rows if made["labels"] != [0, 0]]
    assert 1 <= len(held) < len(rows)
    logits = []
    for made in rows:
        of = np.zeros((len(made["input_ids"]), 2), np.float32)
        of[made["labels"][0], 0] = of[made["labels"][1], 1] = 15.0
        logits.append(of)
    assert head.read(encoded, [logits]) == [["สมชาย"]]
    window = encoded.windows[0][0]
    assert answer_pieces(window, (start, start + 5)) == (0, 0), "it is in a later window"


def test_an_answer_is_no_longer_than_those_of_training(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    row = Example("คุณสมชายไปเชียงใหม่", ("สมชาย",), "", spans=((3, 8),), pair="ใคร")
    head = AnswerHead(longest=1)
    encoded = head.encode(tokenizer, [row], 64)
    window = encoded.windows[0][0]
    logits = np.zeros((len(window.ids), 2), np.float32)
    inside = [piece for piece, (start, end) in enumerate(window.spans) if start < end]
    logits[inside[0], 0] = logits[inside[-1], 1] = 9.0
    best = head.best(encoded.windows[0], [logits], row.text)
    assert best.span in {window.spans[inside[0]], window.spans[inside[-1]]}


def test_a_context_without_text_has_no_answer(tokenizer: PreTrainedTokenizerFast) -> None:
    row = Example("", (), "", pair="ใคร")
    head = AnswerHead()
    encoded = head.encode(tokenizer, [row], 64)
    logits = [[np.zeros((len(window.ids), 2), np.float32) for window in encoded.windows[0]]]
    assert head.read(encoded, logits) == [[""]]
