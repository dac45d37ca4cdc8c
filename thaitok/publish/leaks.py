"""What must not leave this machine: tokens, keys, and the names of folders here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from thaitok.card import SECRET

KINDS = (
    (SECRET, "holds a Hub token; take it out and revoke it"),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[oprsu]_\w{36}|github_pat_\w{22,}|glpat-[\w-]{20}|"
            r"A[KS]IA[0-9A-Z]{16}|AIza[\w-]{35}|xox[abprs]-[\w-]{10,}|sk-[\w-]{32,})"
        ),
        "holds what looks like a key of another service; take it out and revoke it",
    ),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"),
        "holds a private key; take it out",
    ),
)
"""Prefixes by which GitHub, GitLab, AWS, Google, Slack and OpenAI tell their own keys."""

NOT_TEXT = (".model", ".onnx", ".data", ".zst")
"""Endings of files without text of ours; a corpus is searched for personal data when cleaned."""

HEADER = 8
"""Bytes of a safetensors file that say how long its header is (github.com/huggingface/safetensors,
format)."""


def find_leaks(files: Mapping[str, Path]) -> Iterator[str]:
    """Yield in which line of which file a secret or a folder of this machine stands, unshown."""
    home = str(Path.home())
    for name, path in files.items():
        if name.endswith(NOT_TEXT):
            continue
        for number, line in enumerate(_text(path).splitlines(), 1):
            said = secrets_in(line)
            if len(home) > 1 and re.search(re.escape(home) + r"\b", line):
                said.append("names your home folder; write the name without its path")
            yield from (f"{name}:{number}: {why}" for why in said)


def secrets_in(line: str) -> list[str]:
    """Return what secrets a line holds, unshown."""
    found = [why for pattern, why in KINDS if pattern.search(line)]
    token = _token()
    if token and token in line and not found:
        found = ["holds your Hub token; take it out and revoke it"]
    return found


def hide(text: str) -> str:
    """Take secrets out of what is shown."""
    for pattern, _ in KINDS:
        text = pattern.sub("[removed]", text)
    token = _token()
    return text.replace(token, "[removed]") if token else text


def _token() -> str | None:
    from huggingface_hub import get_token

    return get_token()


def _text(path: Path) -> str:
    if path.suffix != ".safetensors":
        return path.read_text(encoding="utf-8", errors="replace")
    with path.open("rb") as stream:  # its header alone is text
        size = int.from_bytes(stream.read(HEADER), "little")
        return stream.read(min(size, path.stat().st_size)).decode("utf-8", "replace")
