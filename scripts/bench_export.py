"""An export beside its model: size, time and scores of PyTorch, ONNX and int8, and of the peer.

    python scripts/bench_export.py MODEL DATA_FILE [--texts 300] [--threads 2] [--peer PYTHON]

MODEL has a head for labels of texts, DATA_FILE gold rows of its task (take validation). Every side
reads the same windows on the same threads, in turns; times are the best of the rounds for each
text, then medians. The peer is optimum's exporter with its own int8, run by PYTHON: it wants
transformers 4, so `pip install optimum-onnx[onnxruntime]` goes into an environment of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from finetune.data.rows import Example, read_rows
from finetune.data.sources import read_file
from finetune.data.tasks import describe_task
from finetune.export.check import logits_of, score_rows
from finetune.export.config import ExportConfig
from finetune.export.run import FP32, INT8, export_model
from finetune.export.session import open_graph
from finetune.export.source import Source, open_source
from finetune.model import models
from finetune.model.windows import Window

ROUNDS = 3
BATCH = 32
LENGTHS = ((0, 16), (16, 32), (32, 64), (64, 128), (128, 1 << 30))

Open = Callable[[], PreTrainedModel]


def main() -> None:
    """Export, measure every side and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=300, help="texts that are timed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-scores", action="store_true", help="of random weights, say")
    parser.add_argument("--peer", help="the Python of an environment with optimum")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    source = open_source(models.find_model(asked.model))
    rows = read_rows(describe_task(source.kind), read_file(asked.data, source.kind), Counter())
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "ours"
        begun = time.perf_counter()
        export_model(ExportConfig(model=asked.model, out=out, quantize="int8"))
        print(
            f"thaitok export --quantize int8: {time.perf_counter() - begun:.0f} s, checks included"
        )
        sides: dict[str, tuple[Path | None, Open]] = {
            "PyTorch fp32": (None, lambda: source.model),
            "PyTorch int8": (None, partial(torch_int8, source)),
            "ONNX fp32": (out / FP32, partial(open_graph, out / FP32, source.model, alone=True)),
            "ONNX int8": (out / INT8, partial(open_graph, out / INT8, source.model, alone=True)),
        }
        for name, file in peers(asked.peer, source.folder, Path(scratch) / "peer").items():
            sides[name] = (file, partial(open_graph, file, source.model, alone=True))
        tell(source, rows, sides, asked.texts, scores=not asked.no_scores)


def torch_int8(source: Source) -> PreTrainedModel:
    """Return the model with PyTorch's own dynamic quantisation of its linear layers."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated for torchao
        found: PreTrainedModel = torch.ao.quantization.quantize_dynamic(
            source.model, {torch.nn.Linear}, dtype=torch.qint8
        )
    return found


def peers(python: str | None, folder: Path, out: Path) -> dict[str, Path]:
    """Export with optimum, or say why not."""
    if python is None:
        print("no peer: give --peer the Python of an environment with optimum")
        return {}
    export = [python, "-m", "optimum.exporters.onnx", "--model", str(folder)]
    config = ("from optimum.onnxruntime import ORTQuantizer as Q\n"
              "from optimum.onnxruntime.configuration import AutoQuantizationConfig as C\n"
              "import sys\n"
              "Q.from_pretrained(sys.argv[1], file_name='model.onnx').quantize("
              "save_dir=sys.argv[1], quantization_config=C.avx2(is_static=False))")  # fmt: skip
    for argv in ([*export, "--task", "text-classification", str(out)],
                 [python, "-c", config, str(out)]):  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["no reason given"]
            print(f"the peer (optimum) does not run here: {said[-1]}")
            return {}
    return {"optimum fp32": out / "model.onnx", "optimum int8": out / "model_quantized.onnx"}


def tell(
    source: Source,
    rows: Sequence[Example],
    sides: dict[str, tuple[Path | None, Open]],
    texts: int,
    *,
    scores: bool,
) -> None:
    """Measure the sides in turns and print the table."""
    assert source.head is not None
    encoded = source.head.encode(source.tokenizer, rows, source.length)
    windows = [row[0] for row in encoded.windows[:texts]]
    spent = timed(source, {name: opened for name, (_, opened) in sides.items()}, windows)
    expected = logits_of_all(source.model, source, windows)
    base = spent["PyTorch fp32"]
    lengths = [len(window.ids) for window in windows]
    print(f"{len(windows)} texts of {min(lengths)} to {max(lengths)} pieces (median "
          f"{statistics.median(lengths):.0f}), {torch.get_num_threads()} threads")  # fmt: skip
    print(
        "| | MB | ms a text | times as fast | texts/s at 32 | times | logits differ by | micro-F1 |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (file, opened) in sides.items():
        alone, many = spent[name]
        model = opened()
        far = np.abs(logits_of_all(model, source, windows) - expected).max()
        said = (
            score_rows(model, source.kind, source.head, encoded, rows, source.pad) if scores else {}
        )
        size = file.stat().st_size if file else sum(w.nbytes for w in source.model.parameters())
        print(f"| {name} | {size / 1e6 if file or name.endswith('fp32') else float('nan'):.1f} "
              f"| {np.median(alone):.2f} | {np.median(base[0] / alone):.2f} "
              f"| {len(windows) / many:.0f} | {base[1] / many:.2f} | {far:.2g} "
              f"| {said.get('micro_f1', float('nan')):.4f} |", flush=True)  # fmt: skip
        del model
    for low, high in LENGTHS:
        inside = [low < length <= high for length in lengths]
        if any(inside):
            row = ", ".join(
                f"{name} {np.median(alone[inside]):.2f}" for name, (alone, _) in spent.items()
            )
            print(f"{low + 1} to {min(high, max(lengths))} pieces ({sum(inside)} texts), ms: {row}")


def timed(
    source: Source, sides: dict[str, Open], windows: Sequence[Window]
) -> dict[str, tuple[np.ndarray, float]]:
    """Return for each side milliseconds a text alone (texts,), and seconds for all in batches."""
    alone: dict[str, list[list[float]]] = {name: [] for name in sides}
    many: dict[str, list[float]] = {name: [] for name in sides}
    singles = [models.model_inputs(source.model, [window], source.pad) for window in windows]
    batches = [
        models.model_inputs(source.model, windows[start : start + BATCH], source.pad)
        for start in range(0, len(windows), BATCH)
    ]
    for number in range(ROUNDS):
        for name in list(sides) if number % 2 == 0 else reversed(sides):
            model = sides[name]()
            model(**singles[0])
            alone[name].append([1000 * seconds(model, inputs) for inputs in singles])
            many[name].append(sum(seconds(model, inputs) for inputs in batches))
            del model
    return {name: (np.min(alone[name], axis=0), min(many[name])) for name in sides}


def seconds(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> float:
    """Return the seconds of one call."""
    begun = time.perf_counter()
    with torch.inference_mode():
        model(**inputs)
    return time.perf_counter() - begun


def logits_of_all(model: PreTrainedModel, source: Source, windows: Sequence[Window]) -> np.ndarray:
    """Return each text's logits, read alone: (texts, labels)."""
    return np.stack([logits_of(model, [window], source.pad)[0] for window in windows])


if __name__ == "__main__":
    main()
