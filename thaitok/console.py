"""Between the command and its user: shared options, exit codes, one-line errors, lines, counts."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from thaitok.errors import UserError, explain_system_error

ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="key=value for any setting.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Out = Annotated[Path | None, typer.Option("--out", help="The folder to make.")]
"""Options that verbs share."""


def run_app(app: typer.Typer, argv: Sequence[str] | None) -> int:
    """Run one verb and return its exit code; a bug keeps its traceback."""
    # Threads that wait by spinning for long slow a busy machine down sixfold; spinning briefly
    # costs a few per cent on an idle one.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for client in ("httpx", "httpx2"):  # they would tell each request, with signed addresses
        logging.getLogger(client).setLevel(logging.WARNING)
    try:
        with _readable_errors():
            code = app(args=argv, prog_name="thaitok", standalone_mode=False)
        if code == 130:  # what typer makes of Ctrl-C
            raise KeyboardInterrupt
    except UserError as err:
        print(f"thaitok: error: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("thaitok: stopped; run the same command again to take it up", file=sys.stderr)
        return 130
    except SystemExit:
        # What typer makes of a reader (`head`, say) that has enough: no fault of anybody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
"""A word too many or too few; typer carries click under a name of its own."""


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except USAGE_ERROR as err:
        raise UserError(str(err) or "no verb given", do="see thaitok --help") from None
    except UserError:
        raise
    except Exception as err:
        if explained := explain_system_error(err):
            raise explained from None
        raise


def name_of_lines(file: Path | None) -> str:
    """Return what messages call a file of lines."""
    return str(file) if file and str(file) != "-" else "<stdin>"


def lines_of(file: Path | None) -> Iterator[str]:
    """Yield the lines of a file, or of stdin for None or `-`; one that is not UTF-8 is named."""
    where = name_of_lines(file)
    try:
        stream = file.open("rb") if file and str(file) != "-" else sys.stdin.buffer
    except FileNotFoundError:
        raise UserError("no such file", where=file) from None
    except IsADirectoryError:
        raise UserError("is a folder", where=file, do="give a file of lines") from None
    with stream:
        for number, line in enumerate(stream, 1):
            try:
                yield line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                raise UserError("is not UTF-8 text", where=f"{where}:{number}") from None


Text = str | tuple[str, str]
"""A text, or one with its context: a question and what answers it, or the two of a pair."""


def texts_of(text: str | None, file: Path | None, context: str | None) -> Iterator[Text]:
    """Yield the text given, or those of a file (stdin for None): a line each.

    Of a file that ends in .jsonl each line is an object with `text`, and `context` or not; else
    `context` is that of every text. Raises `UserError` naming FILE:LINE for another line.
    """
    lines = lines_of(file) if text is None else iter([text])
    objects = file is not None and file.suffix == ".jsonl"
    for number, line in enumerate(lines, 1):
        one, with_it = _read_object(line, f"{file}:{number}") if objects else (line, None)
        with_it = context if with_it is None else with_it
        yield one if with_it is None else (one, with_it)


def _read_object(line: str, where: str) -> tuple[str, str | None]:
    try:
        row = json.loads(line)
        text, context = row["text"], row.get("context")
    except (ValueError, KeyError, TypeError, AttributeError):
        text = context = None
    if not isinstance(text, str) or not isinstance(context, str | None):
        raise UserError('is not {"text": "…"}, with "context" beside it or not', where=where)
    return text, context


def print_counts(name: str, folder: Path, counts: Mapping[str, Any], as_json: bool) -> None:
    """Print what a stage counted, as a table or as one line of JSON."""
    from thaitok.show import print_table  # rich: --help is quicker without

    if as_json:
        print(json.dumps({"folder": str(folder), **counts}, ensure_ascii=False))
        return
    rows = [(key.replace("_", " "), value) for key, value in counts.items()]
    print_table(f"{name}: {folder}", ("", ""), rows)
