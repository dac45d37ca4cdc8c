"""Benchmark tasks to heads, scores and predictions."""

from typing import TYPE_CHECKING

from thaitok.exports import export

if TYPE_CHECKING:
    from finetune.benchmark import BenchmarkConfig, run_benchmark
    from finetune.config import FinetuneConfig
    from finetune.data.tasks import TASKS
    from finetune.export.config import ExportConfig
    from finetune.export.run import export_model
    from finetune.measure.scores import Scores
    from finetune.predictor import Predictor, predict
    from finetune.training.run import finetune

__all__ = [
    "TASKS",
    "BenchmarkConfig",
    "ExportConfig",
    "FinetuneConfig",
    "Predictor",
    "Scores",
    "export_model",
    "finetune",
    "predict",
    "run_benchmark",
]

__getattr__ = export(
    {
        "BenchmarkConfig": "finetune.benchmark",
        "run_benchmark": "finetune.benchmark",
        "ExportConfig": "finetune.export.config",
        "export_model": "finetune.export.run",
        "FinetuneConfig": "finetune.config",
        "Scores": "finetune.measure.scores",
        "TASKS": "finetune.data.tasks",
        "finetune": "finetune.training.run",
        "Predictor": "finetune.predictor",
        "predict": "finetune.predictor",
    },
)
