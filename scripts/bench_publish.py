"""Publishing what is there already: ours beside the library's own upload, on a Hub of this machine.

    python scripts/bench_publish.py TOKENIZER [--megabytes 100] [--rounds 5]

A model of random weights goes to the tests' Hub once; then each side is told to send it again, in
turns, a process each, as a user would. The peer is `hf upload` of huggingface_hub. Medians.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Publish once, send again in turns, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tokenizer", type=Path, help="a tokenizer folder")
    parser.add_argument("--megabytes", type=int, default=100, help="of weights, about")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, local_hub(Path(scratch) / "hub") as hub:
        folder = make_model(Path(scratch) / "model", asked.tokenizer, asked.megabytes)
        env = {
            **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token("anna"),
            "HF_HOME": str(Path(scratch) / "hf"), "HF_HUB_DISABLE_XET": "1",
        }  # fmt: skip
        sides = {
            "thaitok publish": [sys.executable, "-m", "thaitok", "publish", str(folder), "--repo",
                                "anna/ours", "--license", "mit", "--yes"],
            "hf upload": [str(Path(sys.executable).with_name("hf")), "upload", "anna/theirs",
                          str(folder)],
        }  # fmt: skip
        first = {name: seconds(command, env) for name, command in sides.items()}
        again: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(asked.rounds):
            for name, command in sides.items():
                again[name].append(seconds(command, env))
    print("| | first, s | unchanged, s |\n|---|---:|---:|")
    for name, times in again.items():
        print(f"| {name} | {first[name]:.2f} | {statistics.median(times):.2f} |")


def local_hub(folder: Path) -> Any:
    """Return the Hub that the tests run against."""
    folder.mkdir()
    sys.path.insert(0, str(ROOT / "tests" / "hub"))
    return importlib.import_module("hub_server").LocalHub(folder)


def make_model(folder: Path, tokenizer: Path, megabytes: int) -> Path:
    """Write a masked language model of about that size, with its tokenizer and card."""
    from transformers import AutoTokenizer, RobertaConfig, RobertaForMaskedLM

    from thaitok.card import write_card
    from thaitok.folder import TOKENIZER_FILES

    loaded = AutoTokenizer.from_pretrained(tokenizer)
    width, layer = 768, 12 * 768**2 * 4 / 1e6  # a layer has 12 squares of the width in fp32
    embeddings = len(loaded) * width * 4 / 1e6
    config = RobertaConfig(
        vocab_size=len(loaded),
        num_hidden_layers=max(1, round((megabytes - embeddings) / layer)),
        max_position_embeddings=loaded.model_max_length + 2,
        bos_token_id=loaded.bos_token_id,
        pad_token_id=loaded.pad_token_id,
        eos_token_id=loaded.eos_token_id,
    )
    RobertaForMaskedLM(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer / name, folder / name)
    write_card(folder, pipeline_tag="fill-mask", title="Random", summary="Random.", facts={})
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"a folder of {size / 1e6:.0f} MB")
    return folder


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Return how long a command takes, which must end well."""
    begun = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
