"""Lines repeated across documents: menus and footers of a source, or any line but its first.

A line is known by a key, a hash of it without white space. Two uses: *boilerplate*, where keys
hold the source and digits count as one ("details/35023" is "details/00000"), and all occurrences
go; and *line deduplication* over the whole corpus, where the first stays.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from hashlib import blake2b
from itertools import repeat
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from thaitok.folder import written

ROW = np.dtype([("key", "<u8"), ("document", "<u4")])
"""One line of one document: 12 bytes."""
PLACED = np.dtype([("key", "<u8"), ("task", "<u4"), ("document", "<u4")])
Rows = NDArray[Any]

MIN_CHARS = 15
"""Shortest line looked at, in characters other than white space: above "มาตรา ๓๘ ตรี" and bare
dates, below telephone numbers and "วันพุธที่ 15 มีนาคม 2560"."""
MIN_DOCUMENTS = 50
"""Documents of a source that must have a line, if it is to be the source's and not theirs.

Read in all sets: from 50 on they are addresses, dates, YAML keys and standing headings, 2 to 3 %
of government news and 8 % of manuals; from 20 to 50 more and more news and legal clauses. Of the
formulae of law, those of 50 acts go too ("มาตรา ๒ พระราชบัญญัตินี้ให้ใช้บังคับตั้งแต่วันถัดจาก..."
stands in 290 pieces): 0.9 % of the statutes' characters, at 20 it were 2.2 %."""
CHUNK_ROWS = 1 << 18
"""Rows in memory at once: some 15 MB with what sorting takes."""
BUCKET_ROWS = 1 << 19
MAX_BUCKETS = 256
"""Files open at once. Beyond 130 million rows buckets grow instead: of their rows, only the
different keys are held."""

_DIGITS = bytes(ord("0") if ord("0") <= byte <= ord("9") else byte for byte in range(256))
_SEPARATOR = re.compile(
    rb"(?<![0-9A-Za-z])[-:]|[-:](?![0-9A-Za-z])|\||\xe2\x80[\x93\x94\xa2]|\xc2\xbb"
)
"""What parts a site's name from a page's title: - : | – — • » but not the hyphen of COVID-19."""
_AFFIXES = 3
"""Separators looked at from either end of a title."""


def line_rows(
    texts: Sequence[str],
    sources: Sequence[str] | None,
    first_document: int,
    min_chars: int = MIN_CHARS,
) -> Rows:
    """Return the keys of the documents' lines, each once a document, as `ROW`s.

    With sources, for boilerplate: only documents of two lines or more, and also the beginnings
    and ends of their titles (a first line "Site - Section - Title").
    """
    keys: list[bytes] = []
    counts: list[int] = []
    for text, source in zip(texts, sources or repeat(None), strict=False):
        own = set()
        if source is None or "\n" in text:
            own = {key for key in _line_keys(text, source, min_chars) if key}
        if own and source is not None:
            own.update(key for key, _, _ in _title_keys(text, source, min_chars))
        keys += sorted(own)
        counts.append(len(own))
    rows = np.empty(len(keys), dtype=ROW)
    rows["key"] = np.frombuffer(b"".join(keys), dtype="<u8")
    rows["document"] = np.repeat(np.arange(first_document, first_document + len(counts)), counts)
    return rows


def _line_keys(text: str, source: str | None, min_chars: int) -> Iterator[bytes]:
    """Yield the key of each line, empty for one too short."""
    # Bytes, since they hash without a copy and bytes.translate is 20 times as fast as str's.
    data, salt = text.encode(), b""
    if source is None:
        data = data.replace(b" ", b"")
    else:
        data, salt = data.translate(_DIGITS, b" "), source.encode() + b"\n"
    salted = blake2b(salt, digest_size=8)
    surely = 4 * min_chars  # the bytes of a line that is long enough in any script
    for line in data.split(b"\n"):
        if len(line) >= surely or _long(line, min_chars):
            key = salted.copy()
            key.update(line)
            yield key.digest()
        else:
            yield b""


def _long(line: bytes, min_chars: int) -> bool:
    # A character has up to 4 bytes; only the lines in between must be counted.
    size = len(line)
    return size >= min_chars and (size >= 4 * min_chars or len(line.decode()) >= min_chars)


def _title_keys(text: str, source: str, min_chars: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield keys of what may stand around the title: key, and where it begins and ends in bytes.

    The beginnings come first, then the ends, each from the shortest on.
    """
    line = text[: text.find("\n")].encode()
    marks = list(_SEPARATOR.finditer(line))
    spans = [(0, mark.end()) for mark in marks[:_AFFIXES]]
    spans += [(mark.start(), len(line)) for mark in reversed(marks[-_AFFIXES:])]
    for begin, end in spans:
        affix = line[begin:end].replace(b" ", b"")
        if len(affix) < len(line) and _long(affix, min_chars):
            yield _affix_key(b"<" if begin == 0 else b">", affix, source), begin, end


@lru_cache(4096)  # most affixes are the site's name
def _affix_key(side: bytes, affix: bytes, source: str) -> bytes:
    salt = side + source.encode() + b"\n"
    return blake2b(salt + affix.translate(_DIGITS), digest_size=8).digest()


def without_lines(
    text: str, keys: Collection[int], source: str | None, min_chars: int = MIN_CHARS
) -> str:
    """Return the text less the lines of these keys, with at most one empty line at a place.

    `source` and `min_chars` must be those that `line_rows` had.
    """
    gone = {int(key).to_bytes(8, "little") for key in keys}
    lines = text.split("\n")
    kept = [
        line
        for line, key in zip(lines, _line_keys(text, source, min_chars), strict=True)
        if key not in gone
    ]
    if source is not None and "\n" in text and kept and kept[0] is lines[0]:
        kept[0] = _bare_title(text, gone, source, min_chars)
    return _tidied(kept)


def _bare_title(text: str, gone: set[bytes], source: str, min_chars: int) -> str:
    """Return the title without the shortest beginning and end that are to go.

    The shortest, since "Site - " in all documents makes "Site - Thailand - " of some of them look
    repeated too.
    """
    title = text[: text.find("\n")].encode()
    begin, end = 0, len(title)
    for key, first, last in _title_keys(text, source, min_chars):
        if key not in gone:
            continue
        if first == 0 and begin == 0:
            begin = last
        elif first > 0 and end == len(title):
            end = first
    return title[begin:end].decode().strip(" ") if begin < end else ""


def without_echoes(text: str, min_chars: int = MIN_CHARS) -> str:
    """Return the text less each long line that says what the line before it said.

    Government news has its title two to four times: as the page's, in print, and as the first
    line of the text.
    """
    kept: list[str] = []
    said = ""
    for line in text.split("\n"):
        if line == said and len(line) >= min_chars:
            continue
        kept.append(line)
        said = line or said
    return _tidied(kept)


def _tidied(lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return re.sub("\n{3,}", "\n\n", text) if "\n\n\n" in text else text


def find_repeats(
    rows: Sequence[Path],
    skip: Sequence[NDArray[np.bool_] | None],
    out: Sequence[Path],
    scratch: Path,
    *,
    min_documents: int = MIN_DOCUMENTS,
    keep_first: bool = False,
    chunk_rows: int = CHUNK_ROWS,
    bucket_rows: int = BUCKET_ROWS,
) -> int:
    """Write for each task the rows to be removed there; return how many these are.

    `rows[i]` is task i's file of `ROW`s, in order of document; `skip[i]` tells, by document, which
    are left out of the corpus already. Removed are the keys of at least `min_documents`
    documents: all occurrences, or with `keep_first` all but the first in order of task and
    document. `out[i]` holds `ROW`s in order of document and key. What is in memory is bounded by
    `chunk_rows` and the different keys of a bucket; `scratch`, made and removed, takes 16 bytes a
    row.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    total = sum(path.stat().st_size for path in rows) // ROW.itemsize
    bits = min(max(total - 1, 0) // bucket_rows, MAX_BUCKETS - 1).bit_length()
    buckets = [scratch / f"bucket-{number:03d}" for number in range(1 << bits)]
    _partition(rows, skip, buckets, chunk_rows)
    parts = [scratch / f"task-{number:06d}" for number in range(len(rows))]
    for bucket in buckets:
        _find_in(bucket, parts, min_documents, keep_first, chunk_rows)
        bucket.unlink()
    removed = 0
    for part, path in zip(parts, out, strict=True):
        found = np.fromfile(part, dtype=ROW) if part.exists() else np.empty(0, dtype=ROW)
        found.sort(order=("document", "key"))
        with written(path, "wb") as stream:
            stream.write(found.tobytes())
        removed += len(found)
    shutil.rmtree(scratch)
    return removed


def _chunks(path: Path, dtype: np.dtype[Any], size: int) -> Iterator[Rows]:
    with path.open("rb") as stream:
        while len(chunk := np.fromfile(stream, dtype=dtype, count=size)):
            yield chunk


def _partition(
    rows: Sequence[Path],
    skip: Sequence[NDArray[np.bool_] | None],
    buckets: Sequence[Path],
    chunk_rows: int,
) -> None:
    """Deal out the rows to files by the first bits of their keys, keeping their order."""
    shift = np.uint64(64 - (len(buckets) - 1).bit_length())
    with ExitStack() as stack:
        streams = [stack.enter_context(bucket.open("wb")) for bucket in buckets]
        for task, (path, left_out) in enumerate(zip(rows, skip, strict=True)):
            for chunk in _chunks(path, ROW, chunk_rows):
                if left_out is not None:
                    chunk = chunk[~left_out[chunk["document"]]]
                placed = np.empty(len(chunk), dtype=PLACED)
                placed["key"], placed["document"] = chunk["key"], chunk["document"]
                placed["task"] = task
                # A shift by all 64 bits is no shift at all.
                if len(buckets) == 1:
                    placed.tofile(streams[0])
                    continue
                bucket = (placed["key"] >> shift).astype(np.int64)
                _deal(placed, bucket, lambda number: streams[number])


def _deal(rows: Rows, to: NDArray[np.int64], stream_of: Callable[[int], IO[bytes]]) -> None:
    """Write rows to the streams of their numbers, keeping their order in each."""
    order = np.argsort(to, kind="stable")
    rows, to = rows[order], to[order]
    begins = np.flatnonzero(np.diff(to, prepend=-1))
    for begin, end in zip(begins, np.append(begins, len(to))[1:], strict=True):
        rows[begin:end].tofile(stream_of(int(to[begin])))


def _find_in(
    bucket: Path, parts: Sequence[Path], min_documents: int, keep_first: bool, chunk_rows: int
) -> None:
    """Add the rows of a bucket that are to be removed to the files of their tasks."""
    keys = _repeated(bucket, min_documents, chunk_rows)
    if not len(keys):
        return
    seen = np.zeros(len(keys), dtype=bool)
    for chunk in _chunks(bucket, PLACED, chunk_rows):
        at = np.searchsorted(keys, chunk["key"])
        at[at == len(keys)] = 0
        chunk, at = (some[keys[at] == chunk["key"]] for some in (chunk, at))
        if keep_first:
            first, places = np.unique(at, return_index=True)
            gone = np.ones(len(at), dtype=bool)
            gone[places[~seen[first]]] = False
            seen[first] = True
            chunk = chunk[gone]
        found = np.empty(len(chunk), dtype=ROW)
        found["key"], found["document"] = chunk["key"], chunk["document"]
        with ExitStack() as stack:
            task = chunk["task"].astype(np.int64)
            _deal(found, task, lambda number: stack.enter_context(parts[number].open("ab")))


def _repeated(bucket: Path, min_documents: int, chunk_rows: int) -> NDArray[np.uint64]:
    """Return the keys of at least `min_documents` rows of a bucket, ascending."""
    keys = np.empty(0, dtype=np.uint64)
    counts = np.empty(0, dtype=np.int64)
    for chunk in _chunks(bucket, PLACED, chunk_rows):
        new, times = np.unique(chunk["key"], return_counts=True)
        keys, inverse = np.unique(np.concatenate([keys, new]), return_inverse=True)
        counts = np.bincount(inverse, np.concatenate([counts, times])).astype(np.int64)
    return keys[counts >= min_documents]
