"""Hub files to documents: through our own readers, or those of `datasets` where it alone can.

`datasets` reads parquet and JSON lines as a stream too. Measured on 20,000 rows, 48 MB of text, it
takes 364 MB of memory where ours take 49 for parquet in one row group, 267 and 42 in row groups
of 500, 297 and 18 for JSON lines in gzip; divided at row groups it fetches the footer for each;
and one invalid byte or broken line of JSON ends the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from corpora.hub.columns import require_column, stream, table_columns
from corpora.hub.files import HubFile
from corpora.lines import BrokenFileError
from corpora.records import Fault, Found, record_of
from thaitok.hub_faults import explained

if TYPE_CHECKING:
    from corpora.config import CleanConfig
    from corpora.lines import Moved
    from corpora.plan import Piece

PIECE_BYTES = 64_000_000
"""Bytes before compression of a parquet file that one task reads. Each task reads the file's
footer again, up to a megabyte, so that smaller pieces would mostly be footers."""
UNDIVIDED_BYTES = 32_000_000
"""Parquet files up to this size are one piece, without a look at their footers."""


def hub_pieces(file: HubFile) -> list[Piece]:
    """Divide a large parquet file at its row groups; any other file is one piece.

    Lines could be numbered, and packed files divided, only by reading them whole.
    """
    from corpora.plan import UNPACKED, Piece, row_groups

    if file.format != "parquet" or file.bytes <= UNDIVIDED_BYTES:
        text_bytes = file.bytes * UNPACKED[file.packing]
        return [Piece(file, file.path, file.packing, text_bytes, file.bytes)]
    return row_groups(file, PIECE_BYTES)


def read_hub(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    """Yield every document of a piece of a Hub file, as `corpora.readers` does of local files.

    Lines and rows are numbered within the file; what follows damaged bytes is one fault,
    `broken_file`. Raises `UserError` when the Hub fails for good.
    """
    from corpora.readers import READERS

    file = cast("HubFile", piece.file)
    config = config.model_copy(update={"text_column": file.column})
    reader = _read_by_datasets if file.module else READERS[piece.format]
    if piece.format == "parquet":
        require_column(file, table_columns(file))
    line = piece.first - 1
    try:
        for item in reader(piece, config, moved):
            line = item.line
            yield item
    except BrokenFileError as err:
        yield Fault(line + 1, "broken_file", str(err))


def _read_by_datasets(piece: Piece, config: CleanConfig, moved: Moved) -> Iterator[Found | Fault]:
    file = cast("HubFile", piece.file)
    row = 0
    try:
        for row, record in enumerate(stream(file.module, file.place.url), 1):
            item = record_of(row, record, config.text_column)
            if isinstance(item, Found) and len(item.text.encode()) > config.max_line_bytes:
                item = Fault(row, "too_many_bytes", item.text[:1000])
            yield item
    except Exception as err:
        problem = explained(err, file.place)
        if problem:
            raise problem from err
        raise BrokenFileError(f"row {row + 1}: {type(err).__name__}") from err
    moved(file.bytes)
