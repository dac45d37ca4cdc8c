"""Model folders of the Hugging Face Hub: fetched by name, without what is not wanted."""

from __future__ import annotations

import re
from pathlib import Path

from thaitok.errors import UserError

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
"""How a repository is named: NAME or OWNER/NAME."""
FILES = ("*.json", "*.safetensors", "*.model", "*.txt")
"""What of a repository is wanted: no pickle where there are safetensors."""
PICKLES = "pytorch_model*.bin"


def download_model(name: str) -> Path:
    """Fetch a model's or tokenizer's files from the Hub and return their folder.

    Raises `UserError` when there is no such repository, or the Hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(FILES)))
        if not any(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(name, allow_patterns=[*FILES, PICKLES]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as err:
        raise UserError(
            f"{name!r} is neither here nor to be had from the Hub",
            do="check the path, the name and the network",
        ) from err
    return folder
