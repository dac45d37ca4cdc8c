"""Measure encoding on real text: scripts/bench_encoding.py DATA_DIR TOKENIZER [--peer DIR].

DATA_DIR holds text/NAME.jsonl.zst, TOKENIZER is a tokenizer's folder; --peer is a folder with
thaixtransformers and emoji. The peer is WangchanBERTa's way: process_transformers, then
SentencePiece. Times of one core are those of this process alone (CPU seconds), the median of
several turns that all take one after the other, so that a busy machine hurts each alike.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench_cleaning import Batch, documents, megabytes, the_peer

from thaitok.alignment import widen
from thaitok.bulk import encode_texts
from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize, normalize_many, tokenizers_normalizer
from thaitok.show import print_table
from thaitok.tokenizer import BulkEncoder, is_uncased, load_sentencepiece, load_tokenizer
from thaitok.tokenizer_json import SPECIAL_TOKENS

SETS = {"thaigov_v2": 40, "social_open": 1, "msdocs_th": 10}
"""Which sets, and every how manieth document: together over 80,000 lines."""

TURNS = 5
SHARES = {"peer": 40, "tokenizer.json": 10, "bulk": 2}
"""Every how manieth line is encoded in a turn."""

NASTY = (
    *("\u200b", "\ufeff", "\u00a0", "\t", "\u200d", "\u2028", "\u3000", "  ", "\u0338", "\u0301"),
    *("👨\u200d👩\u200d👧", "🇹🇭", "👍🏽", "❤\ufe0f", "ＡＢ１２", "ﾊﾟ", "™", "⁉", "龘", "ΣΟΦΟΣ", "İ"),
    *("\u0e4d\u0e32", "น\u0e4d\u0e49\u0e32", "น\u0e49\u0e4d\u0e32", "ำ้", "ท่ี", "่่", "เเ", "โโ"),
    *("555555", "กกกก", "วววว", "!!!!", "----", "<", "<<", "</", "a<b>", "\u0e48", "\u0e33"),
    *(one for one in (*SPECIAL_TOKENS.values(), SPACE_TOKEN) if one != "<mask>"),
)
NASTY_LINES = 12_000


def nasty_lines(lines: Sequence[str], count: int) -> Iterator[str]:
    """Make mutated real lines and random strings of what has told encoders apart."""
    chance = random.Random(0)
    for number in range(count):
        if number % 4 == 0:
            yield "".join(chance.choice(NASTY) for _ in range(chance.randint(1, 12)))
            continue
        text = chance.choice(lines)[:300]
        for _ in range(chance.randint(1, 6)):
            at = chance.randint(0, len(text))
            again = text[at : at + chance.randint(0, 9)] * chance.randint(0, 3)
            text = text[:at] + again + chance.choice(NASTY) * chance.randint(1, 3) + text[at:]
        yield text


@dataclass(frozen=True, slots=True)
class Parity:
    """How many lines differ; zero everywhere is the promise."""

    lines: int
    sentencepiece: int
    """Ids of `spm.model` alone from those of `tokenizer.json`; lines that spell the space token
    are left out, since to it that is a space."""
    bulk: int
    """Ids of `BulkEncoder` from those of `tokenizer.json`."""
    normalizer: int
    """What Python normalises to from what `tokenizer.json` does."""
    round_trip: int
    """decode(encode(x)) from normalize(x), where no piece is unknown."""
    known: int
    """Lines without an unknown piece."""


def parity(folder: Path, lines: Sequence[str]) -> Parity:
    """Compare all encoders on lines; a mask written out is cut, being text to some alone."""
    texts = [line.replace("<mask>", "") for line in lines]
    lower = is_uncased(folder)
    fast, model = load_tokenizer(folder), load_sentencepiece(folder)
    normal = normalize_many(texts, lower)
    by_json = [e.ids for e in fast.encode_batch_fast(texts, add_special_tokens=False)]
    by_model = model.encode(list(map(mark_spaces, normal)))
    by_bulk = BulkEncoder(folder).encode_many(texts)
    rust = tokenizers_normalizer(lower)
    read = ("<".join(map(rust.normalize_str, text.split("<"))) for text in texts)
    unknown = model.unk_id()
    known = [number for number, ids in enumerate(by_json) if unknown not in ids]
    decoded = fast.decode_batch([by_json[number] for number in known])
    return Parity(
        lines=len(texts),
        sentencepiece=sum(
            one != two
            for one, two, text in zip(by_model, by_json, normal, strict=True)
            if SPACE_TOKEN not in text
        ),
        bulk=sum(one != two for one, two in zip(by_bulk, by_json, strict=True)),
        normalizer=sum(a != mark_spaces(b) for a, b in zip(read, normal, strict=True)),
        round_trip=sum(normal[n] != text for n, text in zip(known, decoded, strict=True)),
        known=len(known),
    )


@dataclass(frozen=True, slots=True)
class Offsets:
    """How offsets stand, in lines and in tokens."""

    lines: int
    overlapping: int
    """Lines in which two tokens share a character, as `tokenizers` gives them."""
    widened_overlapping: int
    """The same after `widen`."""
    uncovered: int
    """Lines with a character after the first token that no token has, white space apart."""
    tokens: int
    unlike: int
    """Tokens whose characters on their own are not read as the piece, as `tokenizers` has them."""
    widened_unlike: int


def offsets(folder: Path, lines: Sequence[str]) -> Offsets:
    """Look at each line's offsets before and after `widen`."""
    fast, lower = load_tokenizer(folder), is_uncased(folder)
    counts = {"overlapping": 0, "widened_overlapping": 0, "uncovered": 0}
    tokens = unlike = widened_unlike = 0
    for text in lines:
        encoding = fast.encode(text, add_special_tokens=False)
        wide = widen(text, encoding.offsets)
        counts["overlapping"] += _overlap(encoding.offsets)
        counts["widened_overlapping"] += _overlap(wide)
        counts["uncovered"] += _uncovered(text, wide)
        for piece, span, widened in zip(encoding.tokens, encoding.offsets, wide, strict=True):
            if piece != "<unk>":
                tokens += 1
                unlike += mark_spaces(normalize(text[slice(*span)], lower)) != piece
                widened_unlike += mark_spaces(normalize(text[slice(*widened)], lower)) != piece
    return Offsets(
        len(lines), **counts, tokens=tokens, unlike=unlike, widened_unlike=widened_unlike
    )


def _overlap(spans: Sequence[tuple[int, int]]) -> bool:
    return any(one[1] > two[0] for one, two in pairwise(spans))


def _uncovered(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    gaps = [text[end:start] for end, start in zip(ends[1:], starts[1:], strict=True)]
    return any(gap and not gap.isspace() for gap in gaps)


def speeds(folder: Path, lines: Sequence[str], peer: Batch | None) -> dict[str, float]:
    """Return MB/s of a core, raw text to ids: of the peer, `tokenizer.json` and bulk."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    fast, model, bulk = load_tokenizer(folder), load_sentencepiece(folder), BulkEncoder(folder)

    def in_bulk(texts: Sequence[str]) -> object:
        bulk.phrases.clear()
        return [bulk.encode_packed(texts[at : at + 5000]) for at in range(0, len(texts), 5000)]

    ways: dict[str, Callable[[Sequence[str]], object]] = {
        "tokenizer.json": lambda texts: fast.encode_batch_fast(texts, add_special_tokens=False),
        "bulk": in_bulk,
    }
    if peer:
        ways["peer"] = lambda texts: [model.encode(text) for text in peer(texts)]
    seconds = {name: [] for name in ways}
    parts = {name: lines[:: SHARES[name]] for name in ways}
    for _ in range(TURNS):
        for name, encode in ways.items():
            start = time.process_time()
            encode(parts[name])
            seconds[name].append(time.process_time() - start)
    return {name: megabytes(parts[name]) / median(seconds[name]) for name in ways}


def scaling(folder: Path, texts: Sequence[str]) -> tuple[float, float]:
    """Return MB/s of one worker and of two by the clock, the better of two turns each."""
    best = [0.0, 0.0]
    for _ in range(2):
        for number in range(2):
            start = time.perf_counter()
            for _ in encode_texts(folder, texts, number + 1):
                pass
            best[number] = max(best[number], megabytes(texts) / (time.perf_counter() - start))
    return best[0], best[1]


def bench(data: Path, folder: Path, peer: Batch | None) -> None:
    """Print the tables."""
    sets = {name: documents(data / "text" / f"{name}.jsonl.zst", n) for name, n in SETS.items()}
    lines = {name: [x for t in texts for x in t.split("\n")] for name, texts in sets.items()}
    if peer:
        peer(["พีพี"])  # the dictionary is read once
    rows = []
    for name, some in lines.items():
        found = speeds(folder, some, peer)
        base = found.get("peer", 0.0)
        ratios = [found[way] / base if base else "-" for way in ("tokenizer.json", "bulk")]
        rows.append([name, megabytes(some), base or "-", found["tokenizer.json"], ratios[0],
                     found["bulk"], ratios[1]])  # fmt: skip
    columns = ("data set", "MB", "peer", "tokenizer.json", "ratio", "bulk", "ratio")
    print_table("Raw text to ids, MB/s of a core", columns, rows)
    whole = documents(data / "text" / "thaigov_v2.jsonl.zst", 5)
    one, two = scaling(folder, whole)
    print_table(
        "Bulk encoding of whole documents, MB/s by the clock",
        ("MB", "one worker", "two workers", "ratio"),
        [[megabytes(whole), one, two, two / one]],
    )
    every = [line for some in lines.values() for line in some]
    lines["nasty"] = list(nasty_lines(every, NASTY_LINES))
    found_parity = [(name, parity(folder, some)) for name, some in lines.items()]
    print_table(
        "Lines that differ",
        ("data set", "lines", "spm.model", "bulk", "normalizer", "round trip", "of"),
        [[n, p.lines, p.sentencepiece, p.bulk, p.normalizer, p.round_trip, p.known]
         for n, p in found_parity],
    )  # fmt: skip
    found_offsets = [(name, offsets(folder, some[:20_000])) for name, some in lines.items()]
    print_table(
        "Offsets: before and after widening",
        ("data set", "lines", "overlap", "after", "uncovered", "tokens", "read otherwise", "after"),
        [[n, o.lines, o.overlapping, o.widened_overlapping, o.uncovered, o.tokens, o.unlike,
          o.widened_unlike] for n, o in found_offsets],
    )  # fmt: skip


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--peer", type=Path)
    args = parser.parse_args()
    bench(args.data, args.tokenizer, the_peer(args.peer))


if __name__ == "__main__":
    main()
