"""Publishing: what would go to the Hub, checked before anything leaves this machine."""

from __future__ import annotations

import difflib
import hashlib
from fnmatch import fnmatch
from pathlib import Path

from thaitok.card import CARD, MODEL_HERE, SECRET
from thaitok.checks import check_model, check_tokenizer
from thaitok.config import Config
from thaitok.errors import UserError
from thaitok.folder import FileFacts, file_facts


class PublishConfig(Config):
    """What to publish, under which name and licence."""

    folder: Path
    """A model or tokenizer folder, or the run or result folder that holds one."""
    repo: str
    """Its name on the Hub, as USER/NAME or ORGANISATION/NAME."""
    license: str
    """A licence id of the Hub, such as apache-2.0: yours to choose, so there is no default."""


class LeftOut(Config):
    """A file of the folder that is not published, and why."""

    name: str
    reason: str


class Plan(Config):
    """What publishing would do; `problems` must be empty before it may."""

    folder: Path
    """The folder whose files are published, which may lie inside the one given."""
    repo: str
    license: str
    kind: str
    """model or tokenizer."""
    files: tuple[FileFacts, ...]
    """What goes up. The card's size and sum are those of `card`, not of the file on disk."""
    left_out: tuple[LeftOut, ...]
    card: str
    """The model card as it would be published."""
    problems: tuple[str, ...]
    """What forbids publishing, each with its remedy."""
    notes: tuple[str, ...]
    """What the user should know besides."""


ALLOWED = (
    "config.json",
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "spm.model",
    CARD,
    "LICENSE",
    "scores.json",
)
"""Names that are published; everything else stays here."""

REASONS = (
    (".*", "hidden"),
    ("training_args.bin", "a pickle that holds the Hub token of the one who trained, in clear"),
    ("checkpoint-*", "a checkpoint of the training run"),
    ("*.bin", "may be a pickle, which runs code when it is loaded; weights go as safetensors"),
    ("*.pt", "a pickle, which runs code when it is loaded"),
    ("*.pth", "a pickle, which runs code when it is loaded"),
    ("*.pkl", "a pickle, which runs code when it is loaded"),
    ("*.py", "remote code: what we publish loads without any"),
    ("*", "not on the list of what is published"),
)
"""Why a name is left out: the first pattern that fits."""

# huggingface.co/docs/hub/repositories-licenses; the client has no list of its own. `unknown` is
# left out, since a licence is to be chosen.
_LICENSES = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0
bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause
bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research
intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0
openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma other
"""
LICENSES = frozenset(_LICENSES.split())
"""The licence ids that the Hub knows."""


def plan_publish(config: PublishConfig) -> Plan:
    """Check a folder and say what publishing it would send, without any network.

    Raises `UserError` when the folder holds nothing to publish, or when the repo's name or the
    licence cannot be; faults inside the folder are listed in the plan, all at once.
    """
    _check_license(config.license)
    _check_repo(config.repo)
    folder, kind, notes = _find(config.folder)
    names, left_out, problems = _sort_out(folder)
    card, card_problems = _card(folder, config)
    check = check_model if kind == "model" else check_tokenizer
    problems += [*card_problems, *check(folder, names)]
    if config.license == "other" and "LICENSE" not in names:
        problems.append("licence 'other' needs a LICENSE file in the folder; add its text")
    problems += _secrets(folder, names)
    if "/" not in config.repo:
        notes.append(f"{config.repo} has no owner: it would go to the user who is logged in")
    return Plan(
        folder=folder,
        repo=config.repo,
        license=config.license,
        kind=kind,
        files=tuple(_facts(folder, name, card) for name in names),
        left_out=tuple(left_out),
        card=card,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _check_license(license_id: str) -> None:
    if license_id in LICENSES:
        return
    close = difflib.get_close_matches(license_id.lower(), sorted(LICENSES), n=1, cutoff=0.4)
    remedy = f"did you mean {close[0]!r}?" if close else "one such is apache-2.0"
    raise UserError(f"{license_id!r} is no licence id of the Hub", where="--license", do=remedy)


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


def _find(folder: Path) -> tuple[Path, str, list[str]]:
    """Return the folder to publish, its kind, and a note if it lies inside the one given."""
    if not folder.is_dir():
        raise UserError("no such folder", where=folder)
    for place in (folder, folder / "model"):
        note = [] if place == folder else [f"publishing {place}, the model inside {folder}"]
        if (place / "config.json").is_file():
            return place, "model", note
        if (place / "tokenizer.json").is_file():
            return place, "tokenizer", note
    raise UserError(
        "is no model or tokenizer folder: it has neither config.json nor tokenizer.json",
        where=folder,
        do="give a folder of `thaitok train`, `pretrain` or `finetune`",
    )


def _sort_out(folder: Path) -> tuple[list[str], list[LeftOut], list[str]]:
    """Part the names of a folder into what goes, what stays and why, and what is wrong."""
    names: list[str] = []
    left_out: list[LeftOut] = []
    problems: list[str] = []
    inside = folder.resolve()
    for path in sorted(folder.iterdir()):
        allowed = any(fnmatch(path.name, pattern) for pattern in ALLOWED)
        if allowed and not path.resolve().is_relative_to(inside):
            problems.append(f"{path.name} is a link to outside of the folder; copy the file in")
        elif allowed and path.is_file():
            names.append(path.name)
        else:
            reason = next(why for pattern, why in REASONS if fnmatch(path.name, pattern))
            left_out.append(LeftOut(name=path.name + "/" * path.is_dir(), reason=reason))
    return names, left_out, problems


def _card(folder: Path, config: PublishConfig) -> tuple[str, list[str]]:
    """Return the card with its licence and the model's name filled in, and what is wrong."""
    import yaml
    from huggingface_hub import ModelCard

    try:
        text = (folder / CARD).read_text(encoding="utf-8")
        card = ModelCard(text, ignore_metadata_errors=False)
    except FileNotFoundError:
        return "", [f"there is no {CARD}: a model needs its card; make the folder again"]
    except (ValueError, TypeError, yaml.YAMLError) as err:
        line = " ".join(str(err).split())
        return "", [f"the front matter of {CARD} cannot be read ({line}); mend it"]
    card.data["license"] = config.license
    filled = str(card).replace(MODEL_HERE, f'model = "{config.repo}"', 1)
    return filled.rstrip() + "\n", []


def _secrets(folder: Path, names: list[str]) -> list[str]:
    """Say in which line of which text file a Hub token stands, without showing it."""
    problems = []
    for name in names:
        if name.endswith((".safetensors", ".model")):
            continue
        text = (folder / name).read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if SECRET.search(line):
                problems.append(f"{name}:{number}: holds a Hub token; take it out and revoke it")
    return problems


def _facts(folder: Path, name: str, card: str) -> FileFacts:
    if name != CARD:
        return file_facts(folder / name)
    raw = card.encode()
    return FileFacts(name=name, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
