"""The stage `thaitok extend`: from a tokenizer folder, and a model's, to one of other pieces."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thaitok.corpus import corpus_inputs, sample_texts
from thaitok.errors import UserError
from thaitok.extend.card import write_extended_card
from thaitok.extend.changes import Changes, compare_lines
from thaitok.extend.choose import Chosen, choose
from thaitok.extend.config import ExtendConfig
from thaitok.extend.counting import count_words
from thaitok.extend.pieces import (
    best_cut,
    find_script,
    pieces_of_another,
    read_terms,
    score_terms,
)
from thaitok.extend.prune import choose_kept
from thaitok.extend.vocabulary import Vocabulary, read_vocabulary, words_in
from thaitok.folder import (
    TOKENIZER_FILES,
    FileFacts,
    Job,
    Manifest,
    file_facts,
    package_versions,
    stage_job,
    write_json,
)
from thaitok.tokenizer import UNKNOWN_PENALTY, measure, tokenizer_facts
from thaitok.tokenizer_json import WORD_MARK

log = logging.getLogger(__name__)

SHOWN = 200
"""Pieces that the report names."""
MODEL_FILES = ("config.json", "*.safetensors", "model.safetensors.index.json")
"""What of a model's folder is an input."""


def extend_tokenizer(config: ExtendConfig) -> Manifest:
    """Write a tokenizer folder of more pieces, or of fewer, and its model if one is given.

    Old pieces keep their ids and new ones come after them; with `prune` the kept ones are
    numbered anew in their old order. A finished folder is returned as it is. Raises `UserError`
    for a tokenizer that is no unigram, a model with other rows than its pieces, a corpus with too
    few candidates, and terms that can be no pieces.
    """
    if config.out is None:
        raise UserError("'out' is not given", do="give it on the command line or in a config file")
    if config.add is None and config.words is None and config.source is None and not config.prune:
        raise UserError("nothing to do", do="give --add, --words, --from or --prune")
    old = read_vocabulary(config.tokenizer)
    # What can be told before the corpus is read is told before anything is begun.
    terms = read_terms(config.words, config.tokenizer, old) if config.words else []
    wanted = pieces_of_another(config, old) if config.source is not None else None
    words_in(config.script)
    if config.model is not None:
        from thaitok.extend.model import check_model  # torch: some seconds

        check_model(config.model, old.pieces)
    kept_out = {"out", "tokenizer", "corpus", "prune", "words", "model", "workers"}
    settings = config.model_dump(mode="json", exclude=kept_out)
    with stage_job(config.out, "tokenizer", settings, _inputs(config)) as job:
        if job.done:
            return job.done
        try:
            if config.prune:
                change = _pruned(config, old)
            else:
                change = _extended(config, old, terms, wanted, job.work)
            return _finish(config, job, old, change)
        except UserError:
            shutil.rmtree(job.work)  # the next try is not this one taken up
            raise


@dataclass(frozen=True, slots=True)
class Change:
    """Another vocabulary, and how it comes from the old one."""

    vocabulary: Vocabulary
    kept: Sequence[int]
    """The old id of each of its first ids; pieces that are new come after them."""
    report: Mapping[str, Any]

    @property
    def added(self) -> tuple[str, ...]:
        """The new pieces in the order of their ids."""
        return self.vocabulary.pieces[len(self.kept) :]


def _extended(
    config: ExtendConfig,
    old: Vocabulary,
    terms: Sequence[str],
    wanted: Collection[str] | None,
    work: Path,
) -> Change:
    new = old
    if config.add is not None or wanted is not None:
        new = _with_script(config, old, wanted, work)
    if terms:
        known = set(new.pieces)
        new = new.with_scores(score_terms([one for one in terms if one not in known], new))
    changes = compare_lines(config.corpus, config.script, old, new)
    tell(changes, config.script)
    return Change(new, range(len(old)), {"changes": asdict(changes)})


def tell(changes: Changes, script: str) -> None:
    """Say how many lines of the corpus change, before anything appears under its name."""
    log.info(
        "extend: %d of %d lines change (%.1f %%), %d of %d without %s letters; tokens %+.1f %%",
        changes.changed,
        changes.lines,
        100 * changes.changed / max(1, changes.lines),
        changes.plain_changed,
        changes.plain,
        script,
        100 * (changes.tokens_after / max(1, changes.tokens_before) - 1),
    )


def _with_script(
    config: ExtendConfig, old: Vocabulary, wanted: Collection[str] | None, work: Path
) -> Vocabulary:
    scratch = work / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    words = count_words(
        config.tokenizer, config.corpus, config.script, scratch, workers=config.workers
    )
    shutil.rmtree(scratch)
    counts = words.weighted(config.balance, config.source_weights)
    script = find_script(config, old, counts, wanted)
    most = script.candidates.new
    size = config.add or most
    if size > most or not size:
        raise UserError(
            f"holds {most:,} candidates for more pieces of the script {config.script!r}",
            where=", ".join(map(str, config.corpus)),
            do=f"give --add {most} or less, or more text" if most else "give other text",
        )
    (chosen,) = choose(script.candidates, [size], script.mass)
    return with_chosen(old, chosen)


def with_chosen(old: Vocabulary, chosen: Chosen) -> Vocabulary:
    """Return the vocabulary with the chosen pieces, the most useful one first."""
    new = set(chosen.new)
    rescored = {
        piece: score
        for piece, score in chosen.scores.items()
        if piece not in new and piece != WORD_MARK  # it stands before words of any script
    }
    return old.with_scores(rescored | {piece: chosen.scores[piece] for piece in chosen.new})


def _pruned(config: ExtendConfig, old: Vocabulary) -> Change:
    kept, counts = choose_kept(config, old)
    total = int(counts.sum())
    dropped = total - int(counts[kept].sum())
    log.info(
        "extend: %d of %d pieces stay; %d of %d tokens of the corpus are written by others",
        len(kept), len(old), dropped, total,
    )  # fmt: skip
    report = {"tokens": total, "tokens_of_dropped_pieces": dropped}
    return Change(old.only(kept), kept, report)


def _finish(config: ExtendConfig, job: Job, old: Vocabulary, change: Change) -> Manifest:
    """Write the folder: tokenizer, model, report, card, manifest."""
    new = change.vocabulary
    new.write(job.work)
    counts: dict[str, Any] = {
        "pieces": len(new),
        "pieces_before": len(old),
        "added": len(change.added),
        "dropped": len(old) - len(change.kept),
    }
    parts = dict(_parts(old, change.added))
    if config.model is not None:
        counts["parameters"] = _fit_model(config, job.work, old, change, parts)
    measured = measure(job.work, sample_texts(config.corpus or config.prune))
    named = [[piece, *parts[piece]] for piece in change.added[:SHOWN]]
    write_json(job.work / "report.json", {**measured, **change.report, "added": named})
    versions = package_versions("sentencepiece", "tokenizers", "transformers", "torch", "numba")
    counts |= measured
    write_extended_card(config, job, counts, change.added, change.report, versions)
    return job.finish(counts, versions)


def _parts(old: Vocabulary, added: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each new piece with the old ones that it replaces."""
    scores = old.scored
    unknown = old.range[0] - UNKNOWN_PENALTY
    for piece in added:
        yield piece, best_cut(piece, scores, unknown)


def _fit_model(
    config: ExtendConfig,
    work: Path,
    old: Vocabulary,
    change: Change,
    parts: Mapping[str, Sequence[str]],
) -> int:
    from thaitok.extend.model import fit_model
    from thaitok.extend.vectors import NewPiece

    assert config.model is not None
    ids = {piece: number for number, piece in enumerate(old.pieces)}
    unknown = int(old.pipeline["model"]["unk_id"])
    normal = set(old.normal)
    scores = [score if one in normal else 0.0 for one, score in enumerate(old.scores)]
    new_scores = change.vocabulary.scores[len(change.kept) :]
    new = [
        NewPiece(piece, tuple(ids.get(part, unknown) for part in parts[piece]), score)
        for piece, score in zip(change.added, new_scores, strict=True)
    ]
    fitted = fit_model(
        config.model,
        work,
        pieces=old.pieces,
        scores=scores,
        kept=list(change.kept),
        new=new,
        init=config.init,
        seed=config.seed,
    )
    return fitted["parameters"]


def _inputs(config: ExtendConfig) -> tuple[FileFacts, ...]:
    facts = [*tokenizer_facts(config.tokenizer), *corpus_inputs(config.corpus or config.prune)]
    if config.words is not None:
        facts.append(file_facts(config.words))
    if config.source is not None:
        facts += _facts_of(Path(config.source), TOKENIZER_FILES, "from")
    if config.model is not None:
        facts += _facts_of(config.model, MODEL_FILES, "model")
    return tuple(facts)


def _facts_of(path: Path, patterns: Sequence[str], name: str) -> list[FileFacts]:
    files = [path] if path.is_file() else [one for two in patterns for one in path.glob(two)]
    return [file_facts(one, f"{name}/{one.name}") for one in sorted(set(files))]
