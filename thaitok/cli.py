"""The `thaitok` command: one verb a stage; the one file that sees every stage."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from thaitok import tokenizer_verbs
from thaitok.console import ConfigFile, Json, Out, Set, print_counts, run_app, texts_of
from thaitok.errors import UserError
from thaitok.publish.verb import publish

# Each stage is imported inside its verb, so that `thaitok --help` loads neither torch nor
# transformers.

log = logging.getLogger(__name__)

DataDir = Annotated[
    str | None, typer.Option("--data-dir", help="Folder of TASK/train.jsonl, or hub:REPO.")
]
Seeds = Annotated[str | None, typer.Option(help="Comma-separated, such as 1,2,3.")]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Thai encoders for your own domain: raw text to a published, fine-tuned model.",
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Where everything goes.")] = Path("demo"),
) -> None:
    """Run the whole pipeline on bundled text: minutes on two cores."""
    from corpora.synthetic import SyntheticConfig, write_synthetic
    from finetune.measure.report import results_table
    from thaitok.demo import RESULTS, run_demo
    from thaitok.show import print_table

    write_synthetic(SyntheticConfig(out=out / "bundled"))
    times = run_demo(out)
    print_table("Results", *results_table([out / name for name in RESULTS]))
    print_table("Time", ("stage", "seconds", "folder"), times)


@app.command()
def clean(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, globs, or hub:REPO.")
    ] = None,
    out: Out = None,
    text_column: Annotated[str | None, typer.Option(help="Field that holds the text.")] = None,
    decontaminate: Annotated[
        list[str] | None, typer.Option(help="A benchmark whose test texts must not be kept.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Clean raw text: jsonl, txt, csv, parquet or Hub data sets to deduplicated shards."""
    from corpora import CleanConfig, clean_corpus, summary_tables
    from thaitok.config import load_config
    from thaitok.show import print_table

    flags = {
        "inputs": inputs,
        "out": out,
        "text_column": text_column,
        "decontaminate.benchmarks": decontaminate,
        "workers": workers,
    }
    settings = load_config(CleanConfig, config, set_ or (), **flags)
    manifest = clean_corpus(settings)
    if as_json:
        print(json.dumps({"folder": str(settings.out), **manifest.counts}, ensure_ascii=False))
        return
    for table in summary_tables(settings.out):
        print_table(table.title, table.columns, table.rows)
    log.info("the report is %s", settings.out / "report.html")


@app.command()
def sources(as_json: Json = False) -> None:
    """List open Thai corpora on the Hub that `thaitok clean` reads by name."""
    from corpora import sources_table
    from thaitok.show import print_table

    rows = sources_table()
    if as_json:
        print(json.dumps([row.model_dump(mode="json") for row in rows], ensure_ascii=False))
        return
    shown = [
        (f"hub:{row.name}" if row.repo else row.name, row.repo, row.config or row.files or "",
         f"{row.bytes / 1e9:,.1f} GB" if row.bytes else "?", row.licence, row.warning)
        for row in rows
    ]  # fmt: skip
    print_table("Sources", ("input", "repository", "config", "size", "licence", "mind"), shown)


for verb in tokenizer_verbs.VERBS:
    app.command()(verb)


@app.command()
def shard(
    corpus: Annotated[list[Path] | None, typer.Argument(help="Corpus folders.")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="A tokenizer folder.")] = None,
    out: Out = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every file again.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Lengths, words, packing.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Tokenise a corpus once, to memory-mapped shards.

    With a shards folder and --verify or --stats alone, it is checked or measured.
    """
    from pretrain.data.shards import verify_shards
    from pretrain.data.stats import shard_stats
    from thaitok.config import load_config
    from thaitok.folder import read_manifest
    from thaitok.show import print_table

    sources = {"corpus", "tokenizer", "out"} & {one.partition("=")[0].strip() for one in set_ or ()}
    finished = [*(corpus or ()), *([out] if out else ())]
    if (verify or stats) and len(finished) == 1 and not (tokenizer or config or sources):
        if set_:
            raise UserError(
                f"--set {set_[0]}: a finished folder is read as it is",
                where=finished[0],
                do="leave --set out",
            )
        out, manifest = finished[0], read_manifest(finished[0], "shards")
    else:
        from pretrain.data.sharding import ShardConfig, shard_corpus

        flags = {"corpus": corpus, "tokenizer": tokenizer, "out": out, "workers": workers}
        settings = load_config(ShardConfig, config, set_ or (), **flags)
        out, manifest = settings.out, shard_corpus(settings)
    if verify:
        verify_shards(out)
        log.info("%s: every file is as its manifest says", out)
    figures = shard_stats(out) if stats else None
    if as_json:
        more = figures.as_json() if figures else {}
        print(json.dumps({"folder": str(out), **manifest.counts, **more}, ensure_ascii=False))
    elif figures:
        print_table(f"shards: {out}", ("", ""), figures.rows())
    else:
        print_counts("shards", out, manifest.counts, as_json)


@app.command()
def pretrain(
    config: Annotated[Path, typer.Option("--config", help="A TOML file, or a preset's name.")],
    shards: Annotated[Path | None, typer.Option(help="A shards folder.")] = None,
    start: Annotated[Path | None, typer.Option(help="A model folder to go on from.")] = None,
    out: Out = None,
    steps: Annotated[int | None, typer.Option(help="Updates of the weights.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order, masks.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the newest checkpoint.")] = True,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show size, memory, time and FLOPs, and do not begin.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write the newest checkpoint as a model's folder, and end.")
    ] = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Pretrain an encoder by masked language modelling.

    Presets: tiny, small, base, wangchanberta-base, phayathaibert-base; loanword goes on from an
    extended model.
    """
    from pretrain import PretrainConfig, export_checkpoint, plan_run, plan_tables
    from pretrain import pretrain as run
    from pretrain.config import PRESETS
    from thaitok.config import load_config, preset_path
    from thaitok.show import print_table

    flags = {"shards": shards, "start": start, "out": out, "steps": steps, "seed": seed}
    settings = load_config(PretrainConfig, preset_path(config, PRESETS), set_ or (), **flags)
    if plan:
        found = plan_run(settings)
        if as_json:
            print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
            return
        for table in plan_tables(found):
            print_table(*table)
        return
    if export is not None:
        export_checkpoint(settings, export)
        log.info("the model is %s", export)
        return
    manifest = run(settings, resume=resume)
    if os.environ.get("RANK", "0") == "0":  # of several processes one speaks
        print_counts("model", settings.out / "model", manifest.counts, as_json)


@app.command()
def finetune(
    model: Annotated[str | None, typer.Argument(help="A model folder or Hub name.")] = None,
    task: Annotated[
        str | None, typer.Option(help="A name from `thaitok tasks`, or a kind for your own data.")
    ] = None,
    out: Out = None,
    data_dir: DataDir = None,
    text_column: Annotated[str | None, typer.Option(help="Column of texts or contexts.")] = None,
    pair_column: Annotated[str | None, typer.Option(help="Of second texts or questions.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Of labels, tags, or answers.")] = None,
    tokens_column: Annotated[str | None, typer.Option(help="Of words.")] = None,
    seeds: Seeds = None,
    lora: Annotated[bool | None, typer.Option("--lora", help="Train low-rank matrices.")] = None,
    probe: Annotated[bool | None, typer.Option("--probe", help="Train the head alone.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on a benchmark task, or on data of your own, and score it.

    The kinds are sequence, multilabel, ner, pos, words, nested and qa; with a task of the table
    the column flags name other columns.
    """
    from finetune import FinetuneConfig
    from finetune import finetune as run
    from finetune.measure.report import results_table
    from thaitok.config import load_config
    from thaitok.show import print_table

    flags = {
        "model": model, "task": task, "out": out, "data_dir": data_dir,
        "text_column": text_column, "pair_column": pair_column, "label_column": label_column,
        "tokens_column": tokens_column, "seeds": _seeds(seeds), "lora": lora, "probe": probe,
    }  # fmt: skip
    settings = load_config(FinetuneConfig, config, set_ or (), **flags)
    scores = run(settings)
    if as_json:
        print(json.dumps(scores.model_dump(mode="json"), ensure_ascii=False))
    else:
        print_table(f"{settings.out}", *results_table([settings.out]))
        log.info("the report is %s", settings.out / "report.html")


@app.command()
def benchmark(
    models: Annotated[list[str] | None, typer.Argument(help="Model folders or Hub names.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Comma-separated `thaitok tasks`.")] = None,
    out: Out = None,
    data_dir: DataDir = None,
    seeds: Seeds = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Fine-tune models on tasks and write one table, beside baselines and published figures.

    What is in OUT already is reused. `random:MODEL` is a model's architecture with weights drawn
    anew. --set settings.KEY=VALUE is for all tasks, task_settings.TASK.KEY=VALUE for one.
    """
    from finetune import BenchmarkConfig, run_benchmark
    from finetune.measure.table import SPREAD, benchmark_table
    from thaitok.config import load_config
    from thaitok.show import print_table

    flags = {
        "models": models, "tasks": _names(tasks), "out": out, "data_dir": data_dir,
        "seeds": _seeds(seeds),
    }  # fmt: skip
    settings = load_config(BenchmarkConfig, config, set_ or (), **flags)
    table = run_benchmark(settings)
    if as_json:
        print(json.dumps(table.model_dump(mode="json"), ensure_ascii=False))
        return
    print_table("Benchmark", *benchmark_table(table))
    log.info("*: the best of our own. %s", SPREAD)
    log.info("the tables are %s", settings.out / "benchmark.{md,html,json}")


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="A fine-tuned model's folder or Hub name.")],
    text: Annotated[str | None, typer.Argument(help="A text; stdin by default.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Texts, a line each; .jsonl: text, context.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="What answers the question, or a pair's second text.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts at once.")] = 32,
) -> None:
    """Predict with any head, texts of any length: a JSON object a text."""
    from finetune import predict as run

    if text is not None and file is not None:
        raise UserError("give a text or --file, not both")
    for prediction in run(model, texts_of(text, file, context), batch_size=batch_size):
        whole = prediction.label is not None or prediction.labels is not None
        shown = prediction.model_dump(
            mode="json", exclude_none=True, exclude={"found"} if whole else None
        )
        print(json.dumps(shown, ensure_ascii=False))


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the benchmark tasks."""
    from finetune.data.tasks import TASKS
    from thaitok.show import print_table

    rows = [(one.name, one.kind, one.metric, one.hub or "--data-dir", one.about) for one in TASKS]
    if as_json:
        print(json.dumps([dict(zip(TASK_COLUMNS, row, strict=True)) for row in rows]))
    else:
        print_table("Tasks", TASK_COLUMNS, rows)


TASK_COLUMNS = ("task", "kind", "metric", "from", "what it is")


@app.command()
def export(
    model: Annotated[str | None, typer.Argument(help="A model folder or Hub name.")] = None,
    out: Out = None,
    quantize: Annotated[str | None, typer.Option(help="int8: a second, smaller file.")] = None,
    data: Annotated[Path | None, typer.Option(help="Validation rows to score it on.")] = None,
    task: Annotated[str | None, typer.Option(help="The benchmark whose rows they are.")] = None,
    texts: Annotated[Path | None, typer.Option(help="Lines to compare its logits on.")] = None,
    config: ConfigFile = None,
    set_: Set = None,
    as_json: Json = False,
) -> None:
    """Write a model as ONNX, checked against the model it came from."""
    from finetune import ExportConfig, export_model
    from finetune.export.card import checks_table
    from thaitok.config import load_config
    from thaitok.show import print_table

    flags = {
        "model": model, "out": out, "quantize": quantize, "data": data, "task": task,
        "texts": texts,
    }  # fmt: skip
    settings = load_config(ExportConfig, config, set_ or (), **flags)
    checks = export_model(settings)
    if as_json:
        print(json.dumps(checks.model_dump(mode="json"), ensure_ascii=False))
    else:
        print_table(f"{settings.out}", *checks_table(checks))


app.command()(publish)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check versions, devices, disk and Hub login."""
    from thaitok.doctor import diagnose
    from thaitok.show import print_table

    found = diagnose()
    rows = [(one.name, one.value, one.state, one.remedy) for one in found]
    if as_json:
        columns = ("name", "value", "state", "remedy")
        print(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
    else:
        print_table("Doctor", ("what", "found", "state", "what to do"), rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb: 0 done, 2 the user's fault, 130 Ctrl-C; a bug keeps its traceback."""
    return run_app(app, argv)


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        raise UserError(
            f"--seeds {text}: write numbers with commas between, such as 1,2,3"
        ) from None
