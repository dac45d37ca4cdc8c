"""Who may import whom, and what the command may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("corpora", "thaitok", "pretrain", "finetune")

TEXT = (
    "rules", "passes", "triggers", "letters", "marks", "markup", "mojibake", "stretches",
    "wangchanberta", "newmm", "doubled", "emoji", "words",
)  # fmt: skip
SHARED = ("errors", "config", "folder", "progress", "report", "charts", "exports", "corpus", "crew",
          "hub_faults")  # fmt: skip
GROUND = {f"thaitok.{name}" for name in (*TEXT, *SHARED)}
"""Text rules, and what every stage needs to meet on disk and to speak to its user."""

FLOORS = {
    "corpora": {"corpora", *GROUND},
    "thaitok": {"thaitok"},
    "pretrain": {"pretrain", "thaitok"},
    "finetune": {"finetune", "thaitok"},
}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def ours(path: Path) -> set[str]:
    """Return the modules of ours that a file imports, as package.module."""
    found: set[str] = set()
    package = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            found.add(f"{package}.{name}" if node.level else name)
    return {name for name in found if name.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_package_keeps_to_its_floor(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    if path == ROOT / "thaitok" / "cli.py":
        return  # the roof: the one file that sees every stage
    allowed = FLOORS[package]
    over = {
        name for name in ours(path) if name not in allowed and name.split(".")[0] not in allowed
    }
    assert not over


@pytest.mark.parametrize("name", sorted(GROUND))
def test_the_ground_stands_on_nothing_of_ours(name: str) -> None:
    path = ROOT / (name.replace(".", "/") + ".py")
    assert ours(path) <= GROUND


def imported_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_loads_neither_torch_nor_transformers() -> None:
    loaded = imported_by(
        "from thaitok.cli import main\nimport contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()): assert main(['--help']) == 0"
    )
    heavy = {"torch", "transformers", "datasets", "datatrove", "numpy", "sklearn", "tokenizers"}
    assert "thaitok.cli" in loaded
    assert not loaded & heavy


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_no_stage(package: str) -> None:
    assert not imported_by(f"import {package}") & {"torch", "transformers", "datatrove"}


def test_pretraining_needs_no_thai_or_corpus_library() -> None:
    # A GPU machine may have torch, transformers and accelerate alone.
    code = (
        "import sys\n"
        "for name in ('pythainlp', 'nlpo3', 'datatrove', 'datasets', 'sentencepiece', 'typer',\n"
        "             'rich', 'zstandard', 'scipy', 'sklearn', 'numba', 'pyarrow', 'orjson'):\n"
        "    sys.modules[name] = None\n"
        "import pretrain.training.run\n"
    )
    assert "pretrain.training.run" in imported_by(code)
