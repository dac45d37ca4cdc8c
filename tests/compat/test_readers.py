"""A tokenizer folder gives the same ids to every reader: Python, SentencePiece, and browsers."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer

from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize

HERE = Path(__file__).resolve().parent
KINDS = (
    "mixed", "phrase", "word", "line", "word-bpe", "word-bpe-bytes", "line-bpe",
    "line-bytes", "mixed-bytes", "mixed-lower", "bpe-lower", "extended", "wangchanberta",
    "phayathaibert", "camembert", "xlm-roberta", "wiki-spm",
)  # fmt: skip
OLD = KINDS[-5:]
NO_BYTES = ("line-bytes", "mixed-bytes")
"""The npm package writes no unknown character of a unigram model in bytes."""
PAIRS = (("ก ข", "ค"), ("", "น้ำ"), ("<mask>", "a<s> b"))
OTHERWISE_MAPPED = "\u061c\u200d"
"""What the npm package's `Precompiled` does otherwise: it reads no charsmap, but knows one by heart
(as of 0.2.0)."""

Folders = Callable[[str], Path]
Read = dict[str, Any]


@pytest.fixture(scope="module")
def texts(awkward: list[str], random_texts: list[str]) -> list[str]:
    return awkward + random_texts


@pytest.fixture(scope="module")
def browser() -> Callable[[Sequence[dict[str, Any]]], list[Read]]:
    """Read texts by the npm package; skipped where it is not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here")
    if not (HERE / "node_modules").is_dir():
        pytest.skip("no npm package here: run `npm ci` in tests/compat")

    def read(requests: Sequence[dict[str, Any]]) -> list[Read]:
        done = subprocess.run(
            [node, "read.mjs"], cwd=HERE, input=json.dumps(list(requests)), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: list[Read] = json.loads(done.stdout)
        return found

    return read


@pytest.fixture(scope="module")
def in_browser(
    browser: Callable[[Sequence[dict[str, Any]]], list[Read]],
    folder_of: Folders,
    texts: list[str],
) -> dict[str, Read]:
    """What one process of node reads, of all texts by all tokenizers."""
    asked = [{"folder": str(folder_of(kind)), "texts": texts, "pairs": PAIRS} for kind in KINDS]
    return dict(zip(KINDS, browser(asked), strict=True))


def open_tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def told(kind: str, text: str) -> bool:
    """Say whether the npm package is known to read a text otherwise."""
    return kind in OLD and any(one in text for one in OTHERWISE_MAPPED)


def without_bytes(tokenizer: Tokenizer, ids: Sequence[int]) -> list[int]:
    """Write each run of bytes as one unknown piece."""
    ids_of = tokenizer.get_vocab()
    unknown, first = ids_of["<unk>"], ids_of["<0x00>"]
    whole = [unknown if first <= one < first + 256 else one for one in ids]
    return [
        one for one, run in itertools.groupby(whole) for _ in (range(1) if one == unknown else run)
    ]


def test_there_are_as_many_awkward_texts_as_promised(awkward: list[str]) -> None:
    assert len(set(awkward)) == len(awkward) >= 400


@pytest.mark.parametrize("kind", KINDS)
def test_promise_6_the_npm_package_gives_the_same_ids(
    in_browser: dict[str, Read], folder_of: Folders, texts: list[str], kind: str
) -> None:
    tokenizer = open_tokenizer(folder_of(kind))
    for name, special in (("bare", False), ("whole", True)):
        found = tokenizer.encode_batch(texts, add_special_tokens=special)
        for text, one, ids in zip(texts, found, in_browser[kind][name], strict=True):
            wanted = without_bytes(tokenizer, one.ids) if kind in NO_BYTES else one.ids
            assert ids == wanted or told(kind, text), ascii(text)
    assert in_browser[kind]["pairs"] == [tokenizer.encode(*pair).ids for pair in PAIRS]


@pytest.mark.parametrize("kind", KINDS)
def test_promise_6_the_npm_package_decodes_to_the_same_text(
    in_browser: dict[str, Read], folder_of: Folders, kind: str
) -> None:
    tokenizer, found = open_tokenizer(folder_of(kind)), in_browser[kind]
    assert found["decoded"] == tokenizer.decode_batch(found["bare"])
    assert found["shown"] == tokenizer.decode_batch(found["whole"], skip_special_tokens=False)


def test_promise_6_the_npm_package_gives_the_same_ids_on_real_text(
    browser: Callable[[Sequence[dict[str, Any]]], list[Read]],
    folder_of: Folders,
    real_lines: Callable[[str, int], list[str]],
) -> None:
    lines = [line[:500] for name in ("social_open", "msdocs_th") for line in real_lines(name, 400)]
    kinds = ("mixed", "word-bpe-bytes", "xlm-roberta", "wangchanberta")
    asked = [{"folder": str(folder_of(kind)), "texts": lines, "pairs": []} for kind in kinds]
    for kind, read in zip(kinds, browser(asked), strict=True):
        found = open_tokenizer(folder_of(kind)).encode_batch(lines)
        for text, one, ids in zip(lines, found, read["whole"], strict=True):
            assert ids == one.ids or told(kind, text), ascii(text)


def test_the_npm_package_takes_half_a_character_for_an_unknown_one(
    browser: Callable[[Sequence[dict[str, Any]]], list[Read]], folder_of: Folders
) -> None:
    folder = folder_of("mixed")
    (read,) = browser([{"folder": str(folder), "texts": ["\ud83d", "ก\ude00ข"], "pairs": []}])
    unknown = open_tokenizer(folder).token_to_id("<unk>")
    assert read["bare"][0] == [unknown] and read["bare"][1].count(unknown) == 1


@pytest.mark.parametrize("kind", KINDS[:-5])
def test_promise_6_sentencepiece_gives_the_same_ids(
    folder_of: Folders, texts: list[str], kind: str
) -> None:
    folder = folder_of(kind)
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    tokenizer = open_tokenizer(folder)
    # Normalised, cut at `<`, which stands alone, and spaces marked; a mask is a token to JSON only.
    plain = [text for text in texts if "<mask>" not in text.lower()]
    parts = [normalize(text, kind.endswith("-lower")).split("<") for text in plain]
    ready = model.encode([mark_spaces(part) for row in parts for part in row])
    encoded, opening = iter(ready), tokenizer.token_to_id("<")
    found = tokenizer.encode_batch(plain, add_special_tokens=False)
    for text, row, one in zip(plain, parts, found, strict=True):
        ids = [two for _ in row for two in (opening, *next(encoded))][1:]
        assert ids == one.ids, ascii(text)


@pytest.mark.parametrize("kind", KINDS[:-5])
def test_promise_6_offsets_and_decoding_in_python(
    folder_of: Folders, texts: list[str], kind: str
) -> None:
    tokenizer, lower = open_tokenizer(folder_of(kind)), kind.endswith("-lower")
    unknown, mask = tokenizer.token_to_id("<unk>"), tokenizer.token_to_id("<mask>")
    for text, one in zip(
        texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True
    ):
        assert all(0 <= start <= end <= len(text) for start, end in one.offsets), ascii(text)
        assert [start for start, _ in one.offsets] == sorted(start for start, _ in one.offsets)
        if unknown not in one.ids and mask not in one.ids:
            assert tokenizer.decode(one.ids) == normalize(text, lower), ascii(text)


@pytest.mark.parametrize("kind", KINDS[:-5])
def test_promise_6_no_text_spells_a_special_token(folder_of: Folders, kind: str) -> None:
    tokenizer = open_tokenizer(folder_of(kind))
    for token in ("<s>", "</s>", "<pad>", SPACE_TOKEN):
        for text in (token, f"ก{token}ข", f"<{token}{token}"):
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            assert tokenizer.token_to_id(token) not in ids, text
