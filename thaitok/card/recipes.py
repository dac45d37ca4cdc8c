"""The recipes that what we make may follow, and how their authors are cited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from thaitok.folder import TOKENIZER_FILES
from thaitok.rules import SPACE_TOKEN

Recipe = Literal["wangchanberta", "phayathaibert"]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper: what was taken from it, and its BibTeX entry."""

    name: str
    taken: str
    arxiv: str
    bibtex: str


PAPERS: dict[Recipe, Paper] = {
    "wangchanberta": Paper(
        "WangchanBERTa",
        "spaces as a token of the vocabulary, RoBERTa for Thai",
        "2101.09635",
        """\
@misc{lowphansirikul2021wangchanberta,
  title  = {{WangchanBERTa: Pretraining transformer-based Thai Language Models}},
  author = {Lowphansirikul, Lalita and Polpanumas, Charin and Jantrakulchai, Nawat and Nutanong, Sarana},
  year   = {2021},
  eprint = {2101.09635},
  archivePrefix = {arXiv},
}""",  # noqa: E501
    ),
    "phayathaibert": Paper(
        "PhayaThaiBERT",
        "new pieces for a trained vocabulary, and training that goes on with them",
        "2311.12475",
        """\
@misc{sriwirote2023phayathaibert,
  title  = {{PhayaThaiBERT: Enhancing a Pretrained Thai Language Model with Unassimilated Loanwords}},
  author = {Sriwirote, Panyut and Thapiang, Jalinee and Timtong, Vasan and Rutherford, Attapol T.},
  year   = {2023},
  eprint = {2311.12475},
  archivePrefix = {arXiv},
}""",  # noqa: E501
    ),
}


def recipes_of(folder: Path, name: str = "") -> tuple[Recipe, ...]:
    """Return the recipes that a model or tokenizer of this name and folder follows.

    By the name, by what its own card cites, and by a space token among the pieces.
    """
    card, pieces = _text(folder / "README.md"), _text(folder / TOKENIZER_FILES[0])
    spaced = f'"{SPACE_TOKEN}"' in pieces
    return tuple(
        recipe
        for recipe, paper in PAPERS.items()
        if paper.arxiv in card
        or paper.name.lower() in name.lower()
        or (spaced and recipe == "wangchanberta")
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def citation(recipes: Iterable[Recipe]) -> str:
    """Return the section that cites the recipes; empty where none was followed."""
    papers = [PAPERS[recipe] for recipe in dict.fromkeys(recipes)]
    if not papers:
        return ""
    named = " and ".join(f"{paper.name} ({paper.taken})" for paper in papers)
    entries = "\n".join(paper.bibtex for paper in papers)
    return f"This follows {named}.\n\n```bibtex\n{entries}\n```"
