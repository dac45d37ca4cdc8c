from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pretrain.config import PretrainConfig
from pretrain.data.batch import Batch, Batches, digest, split_documents
from pretrain.data.plan import Layout
from pretrain.data.shards import TOKENIZER_FOLDER, open_shards
from thaitok.errors import UserError
from thaitok.rules import SPACE_TOKEN

ConfigOf = Callable[..., PretrainConfig]
LAYOUTS = pytest.mark.parametrize("layout", ["stream", "rows"])
UNITS = pytest.mark.parametrize("unit", ["token", "word", "span"])


@pytest.fixture
def build(config_of: ConfigOf, tmp_path: Path) -> Callable[..., tuple[Batches, Batches, int]]:
    def build(layout: Layout, position: int = 2, **changes: object) -> tuple[Batches, Batches, int]:
        config = config_of(tmp_path, **changes)
        return split_documents(config, open_shards(config.shards), layout, position)

    return build


Build = Callable[..., tuple[Batches, Batches, int]]


def original(batch: Batch) -> torch.Tensor:
    """Return the ids before they were masked, flat."""
    ids = batch.input_ids.clone().view(-1)
    ids[batch.places] = batch.labels
    return ids


def parts(batch: Batch) -> list[tuple[list[int], list[int]]]:
    """Return ids and positions of each part of a document."""
    documents, ids = batch.documents.view(-1), original(batch)
    numbers = range(1, int(documents.max()) + 1)
    return [
        (ids[documents == one].tolist(), batch.position_ids.view(-1)[documents == one].tolist())
        for one in numbers
    ]


@LAYOUTS
@pytest.mark.parametrize("position", [0, 2])
def test_positions_restart_in_each_document(build: Build, layout: Layout, position: int) -> None:
    batches, _, _ = build(layout, position)
    for number in range(batches.plan.epoch_micros(0)):
        batch = batches.micro(number, 0)
        for ids, positions in parts(batch):
            assert positions == list(range(position, position + len(ids)))
            assert (ids[0], ids[-1]) == (0, 2)
            assert not set(ids[1:-1]) & {0, 1, 2}
        padding = batch.documents == 0
        assert (batch.input_ids[padding] == 1).all()
        assert (batch.position_ids[padding] == max(position - 1, 0)).all()
        assert batch.tokens == int((~padding).sum())


@LAYOUTS
def test_an_epoch_holds_every_token_of_the_shards(build: Build, layout: Layout) -> None:
    batches, _, _ = build(layout)
    shards, spans = batches.shards, batches.plan.spans
    found: dict[int, dict[int, list[int]]] = {}
    for number in range(batches.plan.epoch_micros(0)):
        micro = batches.plan.micro(number)
        columns = (micro.span, micro.skip, parts(batches.micro(number, 0)))
        for span, skip, (ids, _) in zip(*columns, strict=True):
            document = found.setdefault(int(spans.document[span]), {})
            document[int(spans.start[span] + skip)] = ids[1:-1]
    assert len(found) == len(set(spans.document))
    for number, pieces in found.items():
        joined = [one for start in sorted(pieces) for one in pieces[start]]
        assert joined == shards.document(number).tolist()


def test_cu_seqlens_are_where_documents_begin_and_of_one_length(build: Build) -> None:
    batches, held_out, _ = build("stream", micro_tokens=256)
    lengths, padded = set(), 0
    for each in (batches, held_out):
        for number in range(each.plan.epoch_micros(0)):
            batch = each.micro(number, 0)
            assert batch.cu_seqlens is not None
            bounds, documents = batch.cu_seqlens.tolist(), batch.documents.view(-1)
            lengths.add(len(bounds))
            assert batch.cu_seqlens.dtype == torch.int32
            assert (np.diff(bounds) >= 0).all()
            assert max(np.diff(bounds)) <= batch.longest == 32
            assert (bounds[0], bounds[-1]) == (0, 256)
            changes = torch.nonzero(torch.diff(documents)).view(-1) + 1
            assert bounds[: len(changes) + 1] == [0, *changes.tolist()]
            padded += int((documents == 0).sum()) > 32
    assert len(lengths) == 1
    assert padded, "padding of more than one part was among them"


def test_rows_have_no_cu_seqlens(build: Build) -> None:
    batch = build("rows")[0].micro(0, 0)
    assert batch.cu_seqlens is None
    assert batch.input_ids.shape == batch.documents.shape == batch.position_ids.shape == (4, 32)
    one_row = build("rows", micro_tokens=32)[0].micro(0, 0)
    assert one_row.input_ids.shape == (1, 32)
    assert one_row.cu_seqlens is None


@LAYOUTS
@UNITS
def test_specials_are_never_masked_nor_drawn(build: Build, layout: Layout, unit: str) -> None:
    batches, _, _ = build(layout, mask={"unit": unit, "masked": 0.5, "random": 0.5})
    special = set(astuple(batches.special))
    for number in range(20):
        batch = batches.micro(number, 0)
        assert not set(batch.labels.tolist()) & special
        seen = batch.input_ids.view(-1)[batch.places]
        assert not set(seen.tolist()) & (special - {batches.special.mask})
        assert int((seen == batches.special.mask).sum()) == round(0.5 * len(batch.places))


def test_no_special_token_of_a_converted_tokenizer_is_drawn(
    config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(tmp_path / "run")
    opened, folder = open_shards(config.shards), tmp_path / TOKENIZER_FOLDER
    shutil.copytree(opened.folder / TOKENIZER_FOLDER, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["added_tokens"] += [
        {"content": "<s>NOTUSED", "id": 11, "special": True},
        {"content": "คำใหม่", "id": 12, "special": False},
        {"content": SPACE_TOKEN, "id": 13, "special": True},
    ]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    before, after = (
        set(split_documents(config, one, "rows", 2)[0].replacements)
        for one in (opened, replace(opened, folder=tmp_path))
    )
    assert before - after == {11}


@LAYOUTS
def test_the_number_of_places_is_fixed_and_follows_the_rate(build: Build, layout: Layout) -> None:
    mask = {"probability": 0.1, "final_probability": 0.4}
    batches, _, _ = build(layout, micro_tokens=640, batch_tokens=640, mask=mask)
    micros = range(batches.plan.epoch_micros(0))
    content = [int(batches.plan.micro(number).length.sum()) for number in micros]
    mean = np.mean(content[:-1])
    for step, rate in ((0, 0.1), (11, 0.4)):
        found = [len(batches.micro(number, step).places) for number in micros]
        own = [max(1, round(rate * one)) for one in content]
        full = [one > 7 / 8 * mean for one in content]
        fixed = round(rate * mean)
        assert found == [fixed if yes else one for yes, one in zip(full, own, strict=True)]
        assert 1 <= full.count(False) <= 3, "the last one, at least, is partly empty"
        assert len(set(own)) > 2, "they would differ"


def test_words_are_masked_whole(build: Build) -> None:
    batches, _, _ = build("stream", mask={"unit": "word", "masked": 1, "random": 0})
    shards, spans, cut, longer, rests = batches.shards, batches.plan.spans, 0, 0, 0
    for number in range(30):
        micro, batch = batches.plan.micro(number), batches.micro(number, 0)
        chosen = (batch.input_ids.view(-1) == batches.special.mask).numpy()
        columns = (micro.span, micro.skip, micro.length, micro.place)
        for span, skip, length, place in zip(*columns, strict=True):
            start = int(spans.start[span] + skip)
            starts = shards.word_starts(int(spans.document[span]), start, start + int(length))
            begins = np.unique([0, *np.flatnonzero(starts)])
            for word in np.split(chosen[place + 1 : place + 1 + length], begins[1:]):
                cut += len(set(word)) > 1
                longer += len(word) > 1 and bool(word.all())
                rests += skip > 0
    assert longer > 50
    assert rests > 50
    assert cut <= 3, "only to meet a count"


@LAYOUTS
def test_another_epoch_has_another_order_and_another_mask(build: Build, layout: Layout) -> None:
    batches, _, _ = build(layout, eval_share=0.4)
    size = batches.plan.epoch_micros(0)
    assert not torch.equal(original(batches.micro(0, 0)), original(batches.micro(size, 0)))
    once = [batches.micro(number, 0).labels for number in range(size)]
    again = [batches.micro(size + number, 0).labels for number in range(size)]
    assert not torch.equal(torch.cat(once)[:100], torch.cat(again)[:100])


def test_the_same_documents_get_another_mask_at_another_number(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, _, _ = build("stream")
    micro = batches.plan.micro(0)
    monkeypatch.setattr(batches.plan, "micro", lambda number: micro)
    assert torch.equal(batches.micro(3, 0).places, batches.micro(3, 1).places)
    assert not torch.equal(batches.micro(3, 0).places, batches.micro(4, 0).places)


def test_held_out_batches_have_the_shapes_of_the_others(build: Build) -> None:
    for tokens in range(2_000, 6_000, 80):
        train, held_out, _ = build("stream", micro_tokens=tokens, batch_tokens=tokens)
        assert train.plan.most_documents == held_out.plan.most_documents


PROGRAM = """
import sys
from pathlib import Path
from pretrain.config import PretrainConfig
from pretrain.data.batch import digest, split_documents
from pretrain.data.shards import open_shards
config = PretrainConfig.model_validate_json(sys.argv[1])
for layout in ("stream", "rows"):
    batches, _, _ = split_documents(config, open_shards(config.shards), layout, 2)
    print(*(digest(batches.micro(number, 5)) for number in (40, 3)))
"""


def test_a_fresh_process_makes_the_same_batches(config_of: ConfigOf, tmp_path: Path) -> None:
    config = config_of(tmp_path, mask={"unit": "word", "final_probability": 0.3})
    command = [sys.executable, "-c", PROGRAM, config.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expected = []
    for layout in ("stream", "rows"):
        batches, _, _ = split_documents(config, open_shards(config.shards), layout, 2)
        digests = [digest(batches.micro(number, 5)) for number in range(41)]
        assert len(set(digests)) == 41
        expected += [digests[40], digests[3]]
    assert done.stdout.split() == expected


@LAYOUTS
def test_any_world_size_reads_the_same_global_batches(build: Build, layout: Layout) -> None:
    def read(world: int) -> list[set[str]]:
        """Return the digests of each of six updates of four micro-batches."""
        updates: list[set[str]] = [set() for _ in range(6)]
        for rank in range(world):
            batches, _, _ = build(layout)  # each rank has its own
            for number in range(rank, 24, world):
                updates[number // 4].add(digest(batches.micro(number, number // 4)))
        return updates

    assert read(1) == read(2) == read(4)
    assert all(len(update) == 4 for update in read(1))


def test_digest_sees_every_tensor(build: Build) -> None:
    batch = build("stream")[0].micro(0, 0)
    changed = [batch._each(lambda one, skip=skip: one + skip) for skip in (0, 1)]
    assert digest(changed[0]) == digest(batch) != digest(changed[1])


@LAYOUTS
def test_held_out_documents_are_not_trained_on(build: Build, layout: Layout) -> None:
    train, held_out, micros = build(layout)
    one, two = set(train.plan.spans.document), set(held_out.plan.spans.document)
    assert not one & two
    assert one | two == set(range(len(train.shards)))
    assert len(two) == round(0.1 * len(train.shards))
    assert micros == 2, "256 tokens"
    assert build(layout, eval_tokens=8)[2] == 1
    assert build(layout, eval_tokens=10**9)[2] == held_out.plan.epoch_micros(0)


def test_too_little_text_is_one_line(config_of: ConfigOf, tmp_path: Path) -> None:
    config = config_of(tmp_path)
    shards = open_shards(config.shards)

    class One:
        special, pieces, tokens, lengths = shards.special, shards.pieces, shards.tokens, [4]

        def __len__(self) -> int:
            return 1

    with pytest.raises(UserError, match="1 documents are too few to hold some out"):
        split_documents(config, One(), "rows", 2)  # type: ignore[arg-type]
