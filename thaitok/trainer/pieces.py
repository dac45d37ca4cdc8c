"""The pieces that may still be chosen, and the lattices of the corpus over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thaitok.trainer.arrays import Flags, Floats, Ints, Longs, Rows, only
from thaitok.trainer.counting import Counted
from thaitok.trainer.phrases import Candidates, PhraseOptions, Phrases, find_candidates
from thaitok.trainer.scripts import script_of
from thaitok.trainer.seeds import Seeds, Words, substrings

PHRASE = "phrase"
"""The class of pieces over several words; the others are scripts."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Candidate pieces, and where they stand in words and in rows of words.

    A piece may do both: ในการ is a word of some dictionary and two words elsewhere.
    """

    ids: Longs
    """The number of each piece among all seeds."""
    places: Longs
    """A place inside a word where each piece stands, -1 for none."""
    sizes: Ints
    """Its characters there."""
    phrase_places: Longs
    """A place in the rows of words where it begins, -1 for none."""
    phrase_sizes: Ints
    """Its words there."""
    fixed: Flags
    """Single characters: they stay."""
    kinds: Mapping[str, Flags]
    inside: Rows
    """Words over pieces."""
    over: Rows
    """Rows of words over phrase pieces."""
    phrases: Phrases

    def taken(self, alive: Flags) -> Pieces:
        """Return these pieces only; rows are cut where no phrase crosses any more."""
        over = only(self.over, alive)
        phrases, places = self.phrases.cut(_crossed(over, len(self.phrases.words)))
        sizes = over.first[places + 1] - over.first[places]
        first = np.zeros(len(places) + 1, np.int64)
        np.cumsum(sizes, out=first[1:])
        edges = np.arange(int(first[-1])) + np.repeat(over.first[places] - first[:-1], sizes)
        over = Rows(phrases.starts, first, over.length[edges], over.piece[edges])
        phrase_places = np.full(int(alive.sum()), -1, np.int64)
        phrase_sizes = np.zeros(len(phrase_places), np.int32)
        phrase_places[over.piece[::-1]] = np.repeat(np.arange(len(places)), sizes)[::-1]
        phrase_sizes[over.piece[::-1]] = over.length[::-1]
        return Pieces(
            self.ids[alive],
            self.places[alive],
            self.sizes[alive],
            phrase_places,
            phrase_sizes,
            self.fixed[alive],
            {name: flags[alive] for name, flags in self.kinds.items()},
            only(self.inside, alive),
            over,
            phrases,
        )


def _crossed(over: Rows, total: int) -> Flags:
    """Say of each place whether a phrase joins it to the place before."""
    begins = np.repeat(np.arange(total), np.diff(over.first))
    joined = np.zeros(total + 1, np.int64)
    np.add.at(joined, begins + 1, 1)
    np.add.at(joined, begins + over.length, -1)
    return np.asarray(np.cumsum(joined)[:-1] > 0)


def seed_pieces(
    words: Words, counted: Counted, options: PhraseOptions, least: float, most: int
) -> tuple[Pieces, list[str], Floats]:
    """Return all seeds: pieces, their texts and their counts.

    At most `most` substrings of words that come `least` times, and the candidate phrases.
    """
    seeds = substrings(words, options.longest, least, most)
    where = zip(seeds.places.tolist(), seeds.sizes.tolist(), strict=True)
    texts = [words.text(*one) for one in where]
    thai = np.fromiter((script_of(word[0]) == "thai" for word in counted.words), bool)
    letters = np.diff(words.starts).astype(np.int32)
    found = find_candidates(counted, thai, letters, options)
    texts, counts, ids = _named(texts, seeds.counts.tolist(), found, counted.words)
    return _joined(seeds, found, texts, ids), texts, counts


def _named(
    texts: list[str], counts: list[float], found: Candidates, words: list[str]
) -> tuple[list[str], Floats, Ints]:
    """Give candidate phrases their texts and numbers; one text is one piece with one score."""
    number = {text: one for one, text in enumerate(texts)}
    ids = np.empty(len(found.places), np.int32)
    where = zip(found.places.tolist(), found.sizes.tolist(), found.counts.tolist(), strict=True)
    for one, (place, many, count) in enumerate(where):
        text = "".join(words[word] for word in found.phrases.words[place : place + many].tolist())
        ids[one] = number.setdefault(text, len(texts))
        if ids[one] == len(texts):
            texts.append(text)
            counts.append(0.0)
        counts[ids[one]] += count
    return texts, np.array(counts), ids


def _joined(seeds: Seeds, found: Candidates, texts: list[str], ids: Ints) -> Pieces:
    total, known = len(texts), len(seeds.places)
    places, phrase_places = (np.full(total, -1, np.int64) for _ in range(2))
    sizes, phrase_sizes = (np.zeros(total, np.int32) for _ in range(2))
    places[:known], sizes[:known] = seeds.places, seeds.sizes
    phrase_places[ids[::-1]], phrase_sizes[ids[::-1]] = found.places[::-1], found.sizes[::-1]
    scripts = np.array([script_of(text) for text in texts])
    kinds = {name: scripts == name for name in np.unique(scripts).tolist()}
    return Pieces(
        np.arange(total),
        places,
        sizes,
        phrase_places,
        phrase_sizes,
        np.array([len(text) == 1 for text in texts]),
        kinds | {PHRASE: places < 0},
        seeds.rows,
        found.rows._replace(piece=ids[found.rows.piece]),
        found.phrases,
    )
