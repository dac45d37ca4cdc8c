"""Fine-tuning beside the plain Trainer: speed and scores on texts of real lengths.

    python scripts/bench_finetune.py MODEL DATA_DIR [--task wisesight_sentiment] [--rows 4000]

Both sides train the same architecture on the same rows with the same rate, batch and epochs. The
peer is the Trainer as its documentation uses it: rows in random order, each batch padded to its
longest (DataCollatorWithPadding). Seeds alternate between the two sides; figures are CPU seconds
of training alone, and the scores of the last epoch on the test split.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import transformers

from finetune.config import FinetuneConfig, Settings, resolve
from finetune.data.splits import load_task
from finetune.data.tasks import describe_task
from finetune.measure.metrics import score
from finetune.measure.scores import figure
from finetune.model import models
from finetune.model.heads import new_head
from finetune.training.fit import Material, encode_splits, predict
from finetune.training.trainer import Watch, make_trainer, training_arguments

Run = Callable[[int], tuple[float, dict[str, float]]]
"""A seed to CPU seconds of training and test scores."""


def main() -> None:
    """Measure both sides and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data_dir")
    parser.add_argument("--task", default="wisesight_sentiment")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    config = FinetuneConfig(
        model=asked.model, task=asked.task, data_dir=asked.data_dir, out=Path("unused"),
        epochs=asked.epochs, max_train_rows=asked.rows, windows=1, device="cpu",
    )  # fmt: skip
    data = load_task(describe_task(asked.task), asked.data_dir, max_train_rows=asked.rows)
    folder = models.find_model(asked.model)
    tokenizer, size = models.open_tokenizer(folder), models.measure(folder)
    length = models.window_length(size, tokenizer, config.max_length)
    material = encode_splits(folder, data, tokenizer, config, length)
    settings = resolve(config, data.task.kind, size.parameters, length)
    sides: dict[str, Run] = {
        "thaitok": lambda seed: ours(seed, config, settings, material),
        "Trainer": lambda seed: peers(seed, config, settings, material),
    }
    tell(sides, asked.seeds, material, settings)


def tell(sides: dict[str, Run], seeds: int, material: Material, settings: Settings) -> None:
    """Run every seed on both sides, and print the table."""
    lengths = [len(window.ids) for row in material.encoded["train"].windows for window in row]
    tokens = settings.epochs * sum(lengths)
    print(f"{len(lengths):,} rows of {min(lengths)} to {max(lengths)} tokens "
          f"(median {statistics.median(lengths):.0f}), {settings}")  # fmt: skip
    spent: dict[str, list[float]] = {side: [] for side in sides}
    scores: dict[str, dict[str, dict[str, float]]] = {side: {} for side in sides}
    for seed in range(1, seeds + 1):
        for side in sides if seed % 2 else reversed(sides):
            seconds, found = sides[side](seed)
            spent[side].append(seconds)
            for metric, value in found.items():
                scores[side].setdefault(metric, {})[str(seed)] = value
            print(f"  seed {seed} {side}: {seconds:.1f} CPU s, {tokens / seconds:,.0f} tokens/s")
    for side in sides:
        told = []
        for metric, by_seed in scores[side].items():
            mean = figure(by_seed)
            low, high = mean.interval or (mean.mean, mean.mean)
            told.append(f"{metric} {mean.mean:.3f} [{low:.3f}, {high:.3f}]")
        print(f"{side}: median {statistics.median(spent[side]):.1f} CPU s; {', '.join(told)}")
    pairs = zip(spent["Trainer"], spent["thaitok"], strict=True)
    ratios = sorted(peer / own for peer, own in pairs)
    print(f"the Trainer takes {statistics.median(ratios):.2f} times as long "
          f"({ratios[0]:.2f} to {ratios[-1]:.2f})")  # fmt: skip


def ours(
    seed: int, config: FinetuneConfig, settings: Settings, material: Material
) -> tuple[float, dict[str, float]]:
    """Train as `thaitok finetune` does, without its scores of validation."""
    data = material.data
    transformers.set_seed(seed)
    head = new_head(data, config)
    rows = head.training_rows(material.encoded["train"], data.train)
    model = open_model(settings, material)
    steps = settings.epochs * -(-len(rows) // settings.batch_size)
    with tempfile.TemporaryDirectory() as scratch:
        arguments = training_arguments(Path(scratch), seed, steps, config, settings)
        watch = Watch(lambda *_: None, lambda: {data.task.metric: 0.0}, data.task.metric, None)
        trainer = make_trainer(model, head, rows, material.tokenizer, arguments, watch)
        begun = time.process_time()
        trainer.train()
        spent = time.process_time() - begun
    return spent, scored(model, config, settings, material)


def peers(
    seed: int, config: FinetuneConfig, settings: Settings, material: Material
) -> tuple[float, dict[str, float]]:
    """Train as the Trainer's documentation does."""
    data = material.data
    transformers.set_seed(seed)
    rows = [
        {"input_ids": list(window.ids), "labels": data.labels.index(example.gold[0])}
        for (window, *_), example in zip(material.encoded["train"].windows, data.train, strict=True)
    ]
    model = open_model(settings, material)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=scratch, seed=seed, num_train_epochs=settings.epochs,
                per_device_train_batch_size=settings.batch_size,
                learning_rate=settings.learning_rate, warmup_steps=settings.warmup,
                weight_decay=settings.weight_decay, save_strategy="no", report_to="none",
                use_cpu=True, disable_tqdm=True, dataloader_pin_memory=False,
                logging_strategy="no",
            ),
            train_dataset=rows,  # type: ignore[arg-type]
            data_collator=transformers.DataCollatorWithPadding(material.tokenizer),
        )  # fmt: skip
        trainer.remove_callback(transformers.trainer_callback.PrinterCallback)
        begun = time.process_time()
        trainer.train()
        spent = time.process_time() - begun
    return spent, scored(model, config, settings, material)


def open_model(settings: Settings, material: Material) -> transformers.PreTrainedModel:
    """Open the model with a new head, the same one under the same seed."""
    labels = dict(enumerate(material.data.labels))
    return models.open_model(
        material.folder, transformers.AutoModelForSequenceClassification, id2label=labels,
        label2id={label: number for number, label in labels.items()},
        hidden_dropout_prob=settings.dropout, attention_probs_dropout_prob=settings.dropout,
        classifier_dropout=settings.dropout,
    )  # fmt: skip


def scored(
    model: transformers.PreTrainedModel,
    config: FinetuneConfig,
    settings: Settings,
    material: Material,
) -> dict[str, float]:
    """Score the test split."""
    data = material.data
    found = predict(model, new_head(data, config), material, "test", settings)
    figures = score(data.task.kind, [row.gold for row in data.test], found)
    return {name: figures[name] for name in ("accuracy", "macro_f1")}


if __name__ == "__main__":
    main()
