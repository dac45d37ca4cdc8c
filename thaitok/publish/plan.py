"""The plan of publishing: what would go to the Hub, checked before anything leaves this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from thaitok.card import CARD, corpus_card, in_repo
from thaitok.checks import check_model, check_tokenizer
from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.folder import FileFacts, file_facts
from thaitok.publish.config import PublishConfig
from thaitok.publish.contents import ALWAYS, Contents, Kind, LeftOut, sort_out
from thaitok.publish.leaks import find_leaks, hide, secrets_in
from thaitok.publish.licenses import check_license


class Change(Config):
    """What the commit does to a file of the repo."""

    name: str
    what: Literal["added", "changed", "removed", "unchanged", "kept"]
    """kept: it is there and not here, and stays."""
    bytes: int


class Plan(Config):
    """What publishing would do; `problems` must be empty before it may."""

    folder: Path
    """The folder whose files are published, which may lie inside the one given."""
    repo: str
    license: str
    kind: Kind
    files: tuple[FileFacts, ...]
    """What goes up. The card's size and sum are those of `card`, not of the file on disk."""
    places: dict[str, Path] = Field(exclude=True)
    """Where each lies; a result's scores stand beside its model."""
    left_out: tuple[LeftOut, ...]
    card: str
    """The card as it would be published."""
    problems: tuple[str, ...]
    """What forbids publishing, each with its remedy."""
    notes: tuple[str, ...]
    """What the user should know besides."""
    url: str = ""
    """Where the repo is, or will be."""
    head: str | None = None
    """The commit that the repo is at; None for a repo that is not there yet."""
    changes: tuple[Change, ...] | None = None
    """What is different there, file by file; None while the Hub was not asked."""

    @property
    def repo_type(self) -> Literal["model", "dataset"]:
        """What the Hub calls a repo of this kind."""
        return "dataset" if self.kind == "corpus" else "model"

    @property
    def to_do(self) -> tuple[Change, ...]:
        """The changes that make up the commit."""
        touched = ("added", "changed", "removed")
        return tuple(one for one in self.changes or () if one.what in touched)

    @property
    def sent(self) -> tuple[Change, ...]:
        """The files that the commit adds or changes."""
        return tuple(one for one in self.to_do if one.what != "removed")

    def content(self, name: str) -> Path | bytes:
        """Return where a file lies, or of the card its content."""
        return self.card.encode() if name == CARD else self.places[name]


def plan_publish(config: PublishConfig) -> Plan:
    """Check a folder and say what publishing it would send, without any network.

    Raises `UserError` when the folder is unfinished or holds nothing to publish, or when the repo's
    name or the licence cannot be; faults inside the folder are listed in the plan, all at once.
    """
    check_license(config.license)
    _check_repo(config.repo)
    found = sort_out(config.folder)
    card, licence, problems = _card(found, config)
    problems = [*found.problems, *_faults(found), *problems]
    if config.license == "other" and "LICENSE" not in found.files:
        problems.append("licence 'other' needs a LICENSE file in the folder; add its text")
    problems += find_leaks(found.files)
    problems += [f"--message: {why}" for why in secrets_in(config.message)]
    files = _facts(found, card)
    if found.kind == "corpus":
        problems += _strange(found, files)
    return Plan(
        folder=found.folder,
        repo=config.repo,
        license=config.license,
        kind=found.kind,
        files=files,
        places=found.files,
        left_out=found.left_out,
        card=hide(card),
        problems=tuple(problems),
        notes=(*found.notes, *licence, *_notes(found, files, config)),
    )


def _check_repo(repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise UserError(
            f"{repo!r} is no name for a Hub repo",
            where="--repo",
            do="write USER/NAME with letters, digits, '-', '_' and '.'",
        ) from None


def _faults(found: Contents) -> list[str]:
    """Return what is wrong with the files together."""
    names = list(found.files)
    match found.kind:
        case "corpus":
            parts = any(name.startswith("part-") for name in names)
            return [] if parts else ["there is no part-*.jsonl.zst; make the folder again"]
        case "model":
            return check_model(found.folder, names)
        case "export":
            graphs = any(name.endswith(".onnx") for name in names)
            problems = [] if graphs else ["there is no onnx/*.onnx; export the model again"]
            return [*problems, *check_model(found.folder, names, weights=False)]
    return check_tokenizer(found.folder, names)


def _strange(found: Contents, files: tuple[FileFacts, ...]) -> Iterator[str]:
    """Yield which parts of a corpus are not those that cleaning wrote."""
    made = {file.name: file.sha256 for file in found.made}
    for file in files:
        if file.name not in ALWAYS and made.get(file.name) != file.sha256:
            yield f"{file.name} is not as `thaitok clean` wrote it; make the corpus again"


def _card(found: Contents, config: PublishConfig) -> tuple[str, list[str], list[str]]:
    """Return the card with licence and name filled in, notes, and what is wrong."""
    import yaml
    from huggingface_hub import DatasetCard, ModelCard

    try:
        if found.kind == "corpus" and CARD not in found.files:
            text = corpus_card(found.folder)
        else:
            text = found.files[CARD].read_text(encoding="utf-8")
        kind = DatasetCard if found.kind == "corpus" else ModelCard
        card = kind(text, ignore_metadata_errors=False)
    except KeyError:
        return "", [], [f"there is no {CARD}: a model needs its card; make the folder again"]
    except (ValueError, TypeError, yaml.YAMLError) as err:
        line = hide(" ".join(str(err).split()))
        return "", [], [f"the front matter of {CARD} cannot be read ({line}); mend it"]
    before, notes = card.data.get("license"), []
    if before not in (None, config.license):
        notes = [f"{CARD} said licence {before}; it will say {config.license}"]
    card.data["license"] = config.license
    if config.license != "other":
        for key in ("license_name", "license_link"):
            card.data.pop(key, None)
    return in_repo(str(card), config.repo).rstrip() + "\n", notes, []


def _facts(found: Contents, card: str) -> tuple[FileFacts, ...]:
    raw = card.encode()
    facts = {name: file_facts(path, name) for name, path in found.files.items() if name != CARD}
    if raw:
        digest = hashlib.sha256(raw).hexdigest()
        facts[CARD] = FileFacts(name=CARD, bytes=len(raw), sha256=digest)
    return tuple(facts[name] for name in sorted(facts))


def _notes(found: Contents, files: tuple[FileFacts, ...], config: PublishConfig) -> list[str]:
    made = {file.name: file.sha256 for file in found.made}
    notes = [
        f"{file.name} is not as it was made"
        for file in files
        if file.name != CARD and made.get(file.name, file.sha256) != file.sha256
    ]
    if "/" not in config.repo:
        notes.append(f"{config.repo} has no owner: it goes to the user who is logged in")
    return notes
