"""Files of the Hub, read over the network in ranges: bounded memory, and patience."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, cast

from corpora.inputs import InputFile
from thaitok.hub_faults import patiently

STREAM_BLOCK = 1 << 23
"""Bytes asked for at once of a file read from end to end."""
TABLE_BLOCK, TABLE_BLOCKS = 1 << 21, 6
"""Bytes asked for at once of a parquet file, and how many such blocks are held: its columns lie
apart and are read in turn."""
WAITS = (15.0,) * 20
"""Seconds to wait before the next try at a Hub that cannot be reached, beside the library's own
waits of 23 s a try: some ten minutes in all, so that a run outlives a router's restart."""


@dataclass(frozen=True, slots=True)
class HubPath:
    """Where a file lies on the Hub; opened as a path is."""

    repo: str
    commit: str
    path: str
    size: int
    table: bool
    """Whether it is read here and there, not from end to end."""

    def __str__(self) -> str:
        return f"hub:{self.repo}@{self.commit[:12]}/{self.path}"

    @property
    def url(self) -> str:
        """How `datasets` names the file."""
        return f"hf://datasets/{self.repo}@{self.commit}/{self.path}"

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """Open for reading bytes; nothing is asked of the Hub before the first read."""
        block, kept = (TABLE_BLOCK, TABLE_BLOCKS) if self.table else (STREAM_BLOCK, 1)
        return io.BufferedReader(RangeFile(self, block, kept), 1 << 16)


@dataclass(frozen=True, slots=True)
class HubFile(InputFile):
    """An input file that lies on the Hub; its path is a `HubPath`."""

    digest: str = ""
    """sha256 of its bytes, or `git-` and the git object id of a file that git keeps itself."""
    column: str = "text"
    """The text column."""
    source: str = ""
    """The source of documents that name none."""
    module: str = ""
    """The packaged module of `datasets` that reads it, when our readers do not."""

    @property
    def stem(self) -> str:
        """The source of documents that name none."""
        return self.source

    @property
    def place(self) -> HubPath:
        """Return where it lies."""
        return cast("HubPath", self.path)


class RangeFile(io.RawIOBase):
    """The bytes of a Hub file, fetched block by block; the last `kept` blocks are held."""

    def __init__(self, path: HubPath, block: int, kept: int) -> None:
        super().__init__()
        self.path, self.block, self.kept = path, block, kept
        self.at = 0
        self.blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + (0, self.at, self.path.size)[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        if self.at >= self.path.size:
            return 0
        number, offset = divmod(self.at, self.block)
        data = memoryview(self._held(number))[offset : offset + len(buffer)]
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)

    def _held(self, number: int) -> bytes:
        data = self.blocks.pop(number, None)
        if data is None:
            while len(self.blocks) >= self.kept:
                del self.blocks[next(iter(self.blocks))]
            start = number * self.block
            data = fetch(self.path, start, min(start + self.block, self.path.size))
        self.blocks[number] = data  # last in order: the one used last
        return data


def fetch(path: HubPath, start: int, end: int) -> bytes:
    """Return a range of a file's bytes.

    Raises `UserError` when the Hub stays out of reach or no longer gives the file.
    """
    return patiently(lambda: _ask(path, start, end), path, WAITS)


def _ask(path: HubPath, start: int, end: int) -> bytes:
    import huggingface_hub

    utils: Any = huggingface_hub.utils
    url = huggingface_hub.hf_hub_url(
        path.repo, path.path, repo_type="dataset", revision=path.commit
    )
    # The token, where there is one, is added by the library and stays inside it.
    headers = {**utils.build_hf_headers(), "Range": f"bytes={start}-{end - 1}"}
    answer = utils.http_backoff("GET", url, headers=headers, follow_redirects=True, timeout=60)
    utils.hf_raise_for_status(answer)
    data: bytes = answer.content
    if answer.status_code == 200:  # the whole file, from a server that knows no ranges
        data = data[start:end]
    if len(data) != end - start:
        raise ConnectionError(f"{len(data)} bytes came of {end - start}")
    return data
