"""How many pieces pay: tokens a loanword against added pieces and parameters, before any is added.

A tenth of the corpus's documents is held out, and every size measured on its words.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.extend.changes import Changes, compare_lines
from thaitok.extend.choose import choose
from thaitok.extend.config import ExtendConfig
from thaitok.extend.counting import count_words
from thaitok.extend.extend import tell, with_chosen
from thaitok.extend.pieces import find_script, pieces_of_another, read_terms, score_terms
from thaitok.extend.vocabulary import Vocabulary, read_vocabulary

SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
"""Pieces added in the rows of a plan."""
HIDDEN = 768
"""Width of a base model, where no model is given."""
SOURCES = 4
"""Most sources that have a column of their own."""
BAR = 40
"""Characters of the longest bar of a curve."""


class PlanRow(Config):
    """A vocabulary of some more pieces, measured on held-out words."""

    added: int
    tokens_per_word: float
    by_source: dict[str, float]
    """Tokens a word in each source."""
    one_token: float
    """Share of the words that are one token."""
    two_tokens: float
    """Share of the words that are one token or two."""
    parameters: int
    """That a model gains: rows of its tables, and of its output's bias."""


class ExtensionPlan(Config):
    """What `thaitok extend` would do, by size."""

    script: str
    words: int
    """Held-out words measured."""
    candidates: int
    """Pieces that the corpus could give."""
    rows: tuple[PlanRow, ...]
    """The tokenizer as it is, then with more and more pieces."""
    terms: int
    """Terms of `words` that are no pieces yet."""
    lines: int
    """Lines of the corpus's sample that were cut with the terms and without."""
    lines_changed: int


def plan_extension(config: ExtendConfig) -> ExtensionPlan:
    """Measure vocabularies of 500 to 50,000 more pieces on held-out documents; write nothing.

    Sizes are `SIZES`, `add`, and all there are up to the last of `SIZES`. With terms, the lines
    that change by these alone are counted too. Raises `UserError` as `extend_tokenizer` does,
    and when too little is held out to measure.
    """
    if not config.corpus:
        raise UserError("--plan is for pieces to add", do="give corpus folders, and no --prune")
    old = read_vocabulary(config.tokenizer)
    terms = read_terms(config.words, config.tokenizer, old) if config.words else []
    wanted = pieces_of_another(config, old) if config.source is not None else None
    width = _parameters_a_piece(config.model)
    with tempfile.TemporaryDirectory(prefix="thaitok-") as scratch:
        words = count_words(
            config.tokenizer,
            config.corpus,
            config.script,
            Path(scratch),
            hold_out=True,
            workers=config.workers,
        )
    held_out = {source: counts for source, counts in words.held_out.items() if counts}
    if not held_out:
        raise UserError(
            f"a tenth of the documents holds no word of the script {config.script!r}",
            where=", ".join(map(str, config.corpus)),
            do="give more text",
        )
    counts = words.weighted(config.balance, config.source_weights)
    script = find_script(config, old, counts, wanted)
    most = script.candidates.new
    asked = {*SIZES, min(most, SIZES[-1]), config.add or 0}
    sizes = sorted((size for size in asked if 0 < size <= most), reverse=True)
    chosen = choose(script.candidates, sizes, script.mass)
    rows = [
        _row(held_out, with_chosen(old, one), size, width)
        for size, one in zip(sizes, chosen, strict=True)
    ]
    changes = _changes(config, old, terms) if terms else None
    return ExtensionPlan(
        script=config.script,
        words=sum(counts.total() for counts in held_out.values()),
        candidates=most,
        rows=(_row(held_out, old, 0, width), *rows[::-1]),
        terms=len(terms),
        lines=changes.lines if changes else 0,
        lines_changed=changes.changed if changes else 0,
    )


def _changes(config: ExtendConfig, old: Vocabulary, terms: Sequence[str]) -> Changes:
    """Count the lines that terms change, and tell it."""
    new = old.with_scores(score_terms(terms, old))
    changes = compare_lines(config.corpus, config.script, old, new)
    tell(changes, config.script)
    return changes


def _row(
    words: Mapping[str, Counter[str]], vocabulary: Vocabulary, added: int, width: int
) -> PlanRow:
    """Cut each word alone: a change of script is always a cut."""
    unigram = vocabulary.unigram()
    sizes = {source: Counter[int]() for source in words}
    for source, counts in words.items():
        for word, count in counts.items():
            sizes[source][len(unigram.tokenize(word))] += count
    every = sum(sizes.values(), Counter())
    return PlanRow(
        added=added,
        tokens_per_word=_mean(every),
        by_source={source: _mean(one) for source, one in sorted(sizes.items())},
        one_token=round(every[1] / every.total(), 4),
        two_tokens=round((every[1] + every[2]) / every.total(), 4),
        parameters=added * width,
    )


def _mean(sizes: Counter[int]) -> float:
    return round(sum(size * count for size, count in sizes.items()) / sizes.total(), 4)


def _parameters_a_piece(model: Path | None) -> int:
    """Return what a piece costs a model; by default a row of a tied table, and its bias."""
    if model is None:
        return HIDDEN + 1
    from thaitok.extend.model import parameters_a_piece  # torch: some seconds

    return parameters_a_piece(model)


def plan_table(plan: ExtensionPlan) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Return a plan's columns and rows for people: each size, what it brings, and a curve.

    `saved by 1,000` are the tokens a word that each thousand pieces since the row above save; the
    bar is what a word takes beyond one token.
    """
    sources = tuple(plan.rows[0].by_source) if len(plan.rows[0].by_source) > 1 else ()
    columns = ("pieces", "parameters", *sources[:SOURCES], "tokens a word", "one token", "1–2")
    rows = _table_rows(plan, sources[:SOURCES])
    return (*columns, "saved by 1,000", ""), list(rows)


def _table_rows(plan: ExtensionPlan, sources: Sequence[str]) -> Iterator[tuple[object, ...]]:
    before = plan.rows[0]
    over = max(1e-9, before.tokens_per_word - 1)
    for row in plan.rows:
        saved = before.tokens_per_word - row.tokens_per_word
        pieces = row.added - before.added
        yield (
            f"+{row.added:,}",
            f"+{row.parameters / 1e6:.1f} M",
            *(f"{row.by_source[source]:.3f}" for source in sources),
            f"{row.tokens_per_word:.3f}",
            f"{row.one_token:.3f}",
            f"{row.two_tokens:.3f}",
            f"{1000 * saved / pieces:.4f}" if pieces else "",
            "█" * round(BAR * (row.tokens_per_word - 1) / over),
        )
        before = row
