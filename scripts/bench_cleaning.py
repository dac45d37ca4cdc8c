"""Measure cleaning on real text: scripts/bench_cleaning.py DATA_DIR rules [--peer DIR].

DATA_DIR holds text/NAME.jsonl.zst; --peer is a folder with thaixtransformers and emoji. Times are
those of this process alone, interleaved over parts of the lines, and the median part counts.
"""

from __future__ import annotations

import argparse
import importlib
import io
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import zstandard

from thaitok.rules import SPACE_TOKEN, clean_texts
from thaitok.show import print_table
from thaitok.wangchanberta import process_transformers

SETS = {"thaigov_v2": 40, "social_open": 1}
"""Which sets, and every how manieth document: each then gives over 20,000 lines."""

PARTS = 5
ADVERSARIAL = 20_000
NO_PEER = """No peer to compare with. To have it:
  pip install --no-deps --target DIR thaixtransformers==0.1.0 emoji==2.16.0
and give --peer DIR."""

Batch = Callable[[Sequence[str]], list[str]]

NASTY = (
    *"()[]{}<>_/\\\"'&;#@!?.,:-–…ฯๆ฿“”*=+ \t\r\n\x0b\x00\x1f\x85",
    *"\u00a0\u200b\u2028\u3000\ufe0f\ufdd0",
    *("😀😀", "👍🏽", "👨\u200d👩\u200d👧", "❤\ufe0f❤", "🇹🇭🇹🇭", "™™", "★★", "⭐", "🏻", "Ⓜ"),
    *("&amp;", "&amp", "&#39;", "amp;nbsp;", "&#3585;", "&copy", "<br />", "\\n", '\\"', " @.@ "),
    *("</s>", SPACE_TOKEN, "<unk>", "日本", "人人", "ΑΣ", "ß", "İ", "é", "hello", "Ab", "x"),
    *("0", "5555", "10:30", "๑:2!", "๑๐:๓๐", "๑", "1,000", "٣"),
    *"กขคงนมรยวอเแโไะาำิีุู่้๊๋์็ัํ",
    *("น\u0e4d\u0e32", "เมีย", "เลียย", "พีพี", "นานา", "การการ", "ฆฆ", "น.น.", "มท.1"),
)


def documents(path: Path, every: int) -> list[str]:
    """Read every so manieth document of a set."""
    with path.open("rb") as raw:
        stream = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8")
        return [json.loads(row)["text"] for row in itertools.islice(stream, 0, None, every)]


def adversarial(lines: Sequence[str], count: int) -> Iterator[str]:
    """Make mutated real lines, random strings and rows of doubled words of the dictionary."""
    from pythainlp.corpus import thai_words

    chance, words = random.Random(0), sorted(thai_words())
    for number in range(count):
        if number % 3 == 0:
            text = list(chance.choice(lines))
            for _ in range(chance.randint(1, 8)):
                place = chance.randint(0, len(text))
                again = text[place : place + chance.randint(0, 12)]
                text[place:place] = [*again, chance.choice(NASTY) * chance.randint(0, 4)]
        elif number % 3 == 1:
            few = chance.sample(NASTY, chance.randint(2, 40))
            text = [chance.choice(few) * chance.randint(1, 4) for _ in range(chance.randint(0, 30))]
        else:
            text = [chance.choice(words) * chance.randint(1, 3) for _ in range(8)]
            text.insert(chance.randint(0, 8), chance.choice(NASTY))
        yield "".join(text)


def megabytes(texts: Sequence[str]) -> float:
    """Return the size of texts in UTF-8, in 1e6 bytes."""
    return sum(len(text.encode()) for text in texts) / 1e6


def timed(clean: Batch, texts: Sequence[str]) -> tuple[float, list[str]]:
    """Return MB/s of one core, and the clean texts."""
    start = time.process_time()
    cleaned = clean(texts)
    return megabytes(texts) / (time.process_time() - start), cleaned


def the_peer(folder: Path | None) -> Batch | None:
    """Return `process_transformers` of thaixtransformers over a batch, if it is installed."""
    sys.path += [str(folder)] if folder else []
    try:
        process = importlib.import_module("thaixtransformers.preprocess").process_transformers
    except ImportError:
        print(NO_PEER, file=sys.stderr)
        return None
    return lambda texts: [process(text) for text in texts]


def differing(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Count the texts that come out differently."""
    return sum(mine != yours for mine, yours in zip(ours, theirs, strict=True))


def rules_row(name: str, texts: list[str], peer: Batch | None) -> list[object]:
    """Time the rule sets on the lines of one set, part by part, and compare every line."""
    lines = [line for text in texts for line in text.split("\n")]
    peers, ours, defaults, unequal = [], [], [], 0
    for part in range(PARTS):
        some = lines[part * len(lines) // PARTS : (part + 1) * len(lines) // PARTS]
        speed, cleaned = timed(process_transformers, some)
        ours.append(speed)
        if peer:
            speed, theirs = timed(peer, some)
            peers.append(speed)
            unequal += differing(cleaned, theirs)
        defaults.append(timed(clean_texts, texts[part::PARTS])[0])
    return [
        name,
        megabytes(lines),
        median(peers) if peer else "-",
        median(ours),
        median(a / b for a, b in zip(ours, peers, strict=True)) if peer else "-",
        f"{unequal} of {len(lines):,}" if peer else "-",
        median(defaults),
    ]


def bench_rules(data: Path, peer: Batch | None) -> None:
    """Print the speed of the rule sets, and how often `wangchanberta` differs from the peer."""
    for clean in filter(None, (process_transformers, clean_texts, peer)):
        clean(["พีพี"])  # the dictionary is read once
    sets = {name: documents(data / "text" / f"{name}.jsonl.zst", n) for name, n in SETS.items()}
    rows = [rules_row(name, texts, peer) for name, texts in sets.items()]
    columns = ("data set", "MB", "peer MB/s", "wangchanberta MB/s", "ratio", "differing lines")
    print_table("Rules, one core", (*columns, "default rules MB/s"), rows)
    if peer:
        lines = [line for texts in sets.values() for text in texts for line in text.split("\n")]
        nasty = list(adversarial(lines, ADVERSARIAL))
        whole = [text for texts in sets.values() for text in texts[:300]]
        for name, texts in (("adversarial texts", nasty), ("whole documents", whole)):
            unequal = differing(process_transformers(texts), peer(texts))
            print(f"{name}: {unequal} of {len(texts):,} differ")


def main() -> None:
    """Run one section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("section", choices=["rules"])
    parser.add_argument("--peer", type=Path)
    args = parser.parse_args()
    bench_rules(args.data, the_peer(args.peer))


if __name__ == "__main__":
    main()
