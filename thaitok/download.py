"""Model folders of the Hugging Face Hub: fetched by name, without what is not wanted."""

from __future__ import annotations

import re
from pathlib import Path

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
"""How a repository is named: NAME or OWNER/NAME."""
FILES = ("*.json", "*.safetensors", "*.model", "*.txt")
"""What of a repository is wanted: no pickle where there are safetensors."""
PICKLES = "pytorch_model*.bin"


def download_model(name: str) -> Path:
    """Fetch a model's or tokenizer's files from the Hub and return their folder.

    Raises `UserError` when there is no such repository, it is closed to the user, or the Hub
    cannot be reached.
    """
    from huggingface_hub import snapshot_download

    from thaitok.hub_faults import explained

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(FILES)))
        if not any(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(name, allow_patterns=[*FILES, PICKLES]))
    except Exception as err:  # each client has its own
        if problem := explained(err, f"{name}, which is no folder here"):
            raise problem from err
        raise
    return folder
