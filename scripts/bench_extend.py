"""Measure vocabulary extension beside what PhayaThaiBERT did, simulated.

Usage: scripts/bench_extend.py DATA_DIR --out DIR

DATA_DIR holds text/ and bench/, as for bench_tokenizer.py, whose DIR with its cleaned mix of 207 MB
is used again. A third of the social media posts, and a twentieth of the manuals, are held out from
the base tokenizer and from the extension alike. Printed are the plan as `thaitok extend --plan`
makes it, tokens an English word on held-out text, pure Thai lines that change, and CPU seconds.

PhayaThaiBERT's own vocabulary is XLM-R's, which is not at hand. Its way is simulated: all pieces of
a foreign unigram (SentencePiece on lines of the mixed text, 25,000) that the base lacks are
appended with the scores they had there, Thai ones too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench_tokenizer import prepare, write_corpus

from thaitok.corpus import read_documents
from thaitok.extend import ExtendConfig
from thaitok.extend.choose import choose
from thaitok.extend.counting import count_words
from thaitok.extend.extend import with_chosen
from thaitok.extend.pieces import find_script
from thaitok.extend.plan import HIDDEN, SIZES
from thaitok.extend.vocabulary import Vocabulary, read_vocabulary, words_in
from thaitok.rules import normalize_many
from thaitok.show import print_table

SHARES = {"social_mixed": 3, "msdocs_th": 20}
"""One document of so many of a source is held out."""
DOMAIN = {"social_mixed": "social", "msdocs_th": "technical", "news": "news"}
MIXED = ("social_mixed", "msdocs_th")
SHIFT = -3.5
"""Of the foreign scores in the second simulation, in nats: fewer foreign Thai pieces win."""


def main() -> None:
    """Run what is missing and print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    out = asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    prepare(asked.data.resolve(), out)
    work = out / "extend"
    held_out = split(out, work)
    thaitok("train", work / "base", "--out", work / "tokenizer")
    thaitok("train", work / "mixed", "--out", work / "foreign", "--mode", "line")
    thaitok("extend", work / "tokenizer", work / "mixed", "--plan")
    print_costs(out / "train", work)
    old = read_vocabulary(work / "tokenizer")
    vocabularies = {"base": old, **extended(old, work)}
    foreign = read_vocabulary(work / "foreign")
    for name, shift in (("foreign", 0.0), (f"foreign {SHIFT}", SHIFT)):
        vocabularies[f"PhayaThaiBERT's way, {name}"] = appended(old, foreign, shift)
    print_quality(old, vocabularies, held_out)


def thaitok(*words: str | Path) -> None:
    """Run the command; its tables go to stdout with ours."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "thaitok", *map(str, words)], check=True)


def split(out: Path, work: Path) -> dict[str, list[str]]:
    """Write the corpora to learn from, and return the held-out texts by domain.

    A post that stands on both sides is on neither: the mix holds some registers twice.
    """
    note = work / "held.json"
    if not note.exists():
        held: dict[str, dict[str, None]] = {}
        kept = []
        for document in read_documents(out / "train"):
            one_of = SHARES.get(document.source)
            if one_of and zlib.crc32(document.text.encode()) % one_of == 0:
                held.setdefault(DOMAIN[document.source], {})[document.text] = None
            else:
                row = {"id": document.id, "text": document.text, "source": document.source}
                kept.append(row)
        write_corpus(work / "base", kept)
        write_corpus(work / "mixed", [row for row in kept if row["source"] in MIXED])
        news = json.loads((out / "held.json").read_text("utf-8"))["news"]
        texts = {**{name: list(some) for name, some in held.items()}, "news": news}
        note.write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
    found: dict[str, list[str]] = json.loads(note.read_text("utf-8"))
    return found


def print_costs(corpus: Path, work: Path) -> None:
    """Print what choosing and scoring 5,000 pieces of the whole mix costs, after counting."""
    config = ExtendConfig(tokenizer=work / "tokenizer", corpus=(corpus,), add=5000)
    old = read_vocabulary(config.tokenizer)
    begun = time.process_time()
    words = count_words(config.tokenizer, config.corpus, config.script, work, workers=1)
    counted = time.process_time()
    script = find_script(config, old, words.weighted(config.balance, {}))
    (chosen,) = choose(script.candidates, [5000], script.mass)
    with_chosen(old, chosen)
    done = time.process_time()
    size = sum(len(one.text.encode()) for one in read_documents(corpus)) / 1e6
    row = (f"{size:.0f} MB", f"{counted - begun:.1f}", f"{done - counted:.1f}")
    print_table("CPU seconds of +5,000", ("corpus", "counting", "choosing and scoring"), [row])


def extended(old: Vocabulary, work: Path) -> dict[str, Vocabulary]:
    """Return our extensions by name, learned from the mixed corpus."""
    found: dict[str, Vocabulary] = {}
    for balance in (0.3, 0.0):
        config = ExtendConfig(
            tokenizer=work / "tokenizer", corpus=(work / "mixed",), balance=balance
        )
        words = count_words(config.tokenizer, config.corpus, config.script, work)
        script = find_script(config, old, words.weighted(balance, {}))
        sizes = [size for size in SIZES if size <= script.candidates.new]
        chosen = choose(script.candidates, sizes, script.mass)
        made = {size: one for size, one in zip(sizes[::-1], chosen, strict=True)}
        for size in sizes:
            found[f"+{size:,}, balance {balance}"] = with_chosen(old, made[size])
    return found


def appended(old: Vocabulary, foreign: Vocabulary, shift: float) -> Vocabulary:
    """Return the old vocabulary with all pieces of another, whatever their script."""
    known = set(old.pieces)
    more = {piece: score for piece, score in foreign.scored.items() if piece not in known}
    return replace(
        old,
        pieces=(*old.pieces, *more),
        scores=(*old.scores, *(score + shift for score in more.values())),
    )


def print_quality(
    old: Vocabulary, vocabularies: Mapping[str, Vocabulary], held_out: Mapping[str, list[str]]
) -> None:
    """Print tokens an English word, and how many lines without a Latin letter change."""
    words = {name: words_of(texts) for name, texts in held_out.items()}
    plain = plain_lines(text for texts in held_out.values() for text in texts)
    before = tokens(old, plain)
    rows = []
    for name, vocabulary in vocabularies.items():
        changed = sum(
            one != two for one, two in zip(before, tokens(vocabulary, plain), strict=True)
        )
        added = len(vocabulary) - len(old)
        fertility = [value for domain in words for value in per_word(vocabulary, words[domain])]
        cost = f"{added * (HIDDEN + 1) / 1e6:.1f} M"
        rows.append((name, added, cost, *fertility, f"{changed:,} of {len(plain):,}"))
    columns = [column for domain in words for column in (domain, "one token")]
    many = ", ".join(f"{name} {one.total():,}" for name, one in words.items())
    title = f"Tokens an English word on held-out text ({many} words)"
    print_table(title, ("", "added", "parameters", *columns, "Thai lines changed"), rows)


def words_of(texts: Sequence[str]) -> Counter[str]:
    """Count the Latin words of texts."""
    find = words_in("latin").findall
    return Counter(word for text in normalize_many(texts) for word in find(text))


def plain_lines(texts: Iterable[str]) -> list[str]:
    """Return the lines that have no Latin letter."""
    search = words_in("latin").search
    return [line for text in texts for line in text.split("\n") if line and not search(line)]


def per_word(vocabulary: Vocabulary, words: Counter[str]) -> tuple[str, str]:
    """Return tokens a word, and the share of words that are one token."""
    unigram = vocabulary.unigram()
    sizes = {word: len(unigram.tokenize(word)) for word in words}
    total = words.total()
    mean = sum(sizes[word] * count for word, count in words.items()) / total
    one = sum(count for word, count in words.items() if sizes[word] == 1) / total
    return f"{mean:.3f}", f"{one:.3f}"


def tokens(vocabulary: Vocabulary, lines: list[str]) -> list[list[str]]:
    """Return the tokens of lines."""
    found = vocabulary.tokenizer().encode_batch(lines, add_special_tokens=False)
    return [one.tokens for one in found]


if __name__ == "__main__":
    main()
