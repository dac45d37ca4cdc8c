"""What the local Hub reads of a README: the facts it tells of a repository, and its faults.

The rules are those that users meet on the real one: an unknown licence or language is an error
(huggingface_hub issues #4218, with the list, and #1927), no front matter is a warning.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

FRONT = re.compile(r"---[\n\r]+([\S\s]*?)[\n\r]+---[\n\r]")
"""The Hub's own rule, as huggingface_hub/repocard.py has it."""
LICENCES = (
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m "
    "bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd "
    "bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 "
    "cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 "
    "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 "
    "cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 "
    "epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl "
    "lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr "
    "mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense "
    "zlib pddl lgpl-lr deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 "
    "llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma unknown other"
)
"""The list that the real Hub told in May 2026 (issue #4218)."""
NO_FRONT = "empty or missing yaml metadata in repo card"


def front_of(text: str) -> dict[str, Any]:
    """Return the YAML at the head of a README; raises yaml.YAMLError."""
    match = FRONT.match(text.lstrip("\ufeff"))
    found = yaml.safe_load(match[1]) if match else None
    return found if isinstance(found, dict) else {}


def as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def faults(text: str) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings of a README."""
    try:
        card = front_of(text)
    except yaml.YAMLError as err:
        return [f"Invalid YAML: {str(err).splitlines()[0]}"], []
    if not card:
        return [], [NO_FRONT]
    errors = [
        f'"language[{n}]" with value "{one}" is not valid. It must be an ISO 639-1, 639-2 or '
        f'639-3 code (two/three letters), or a special value like "code", "multilingual".'
        for n, one in enumerate(as_list(card.get("language")))
        if not re.fullmatch(r"[a-z]{2,3}(-\w+)?|code|multilingual", str(one))
    ]
    if any(one not in LICENCES.split() for one in as_list(card.get("license"))):
        errors.append(f'"license" must be one of [{", ".join(LICENCES.split())}]')
    return errors + index_faults(card.get("model-index")), []


def index_faults(index: Any) -> list[str]:
    """Return what a model-index lacks."""
    errors = []
    for n, model in enumerate(as_list(index)):
        if "name" not in model:
            errors.append(f'"model-index[{n}].name" is required')
        for m, result in enumerate(model.get("results", [])):
            for key in ("task", "metrics"):
                if key not in result:
                    errors.append(f'"model-index[{n}].results[{m}].{key}" is required')
    return errors


def facts_of(kind: str, text: str) -> dict[str, Any]:
    """Return what the Hub tells of a repository for its README."""
    card = front_of(text)
    prefix = "language:" if kind == "dataset" else ""
    tags = [
        *as_list(card.get("tags")),
        *(f"{prefix}{one}" for one in as_list(card.get("language"))),
    ]
    for key, name in (
        ("license", "license"),
        ("datasets", "dataset"),
        ("base_model", "base_model"),
    ):
        tags += [f"{name}:{one}" for one in as_list(card.get(key))]
    facts: dict[str, Any] = {"cardData": card or None}
    if kind == "model":
        tags = [one for one in (card.get("library_name"), card.get("pipeline_tag")) if one] + tags
        found = {key: card.get(key) for key in ("library_name", "pipeline_tag", "model-index")}
        facts |= {key: value for key, value in found.items() if value is not None}
    return {**facts, "tags": tags}
