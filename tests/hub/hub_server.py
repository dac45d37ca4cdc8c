"""A Hub on this machine for tests: what the real client libraries ask of it, over HTTP.

Reads with ranges and redirects to a store of its own, writes by LFS and one commit, private and
gated repositories, tokens with roles, faults on demand, and a journal of every request. Xet is
not spoken: a client needs HF_HUB_DISABLE_XET=1.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hub_reads
import hub_uploads
import hub_writes
from hub_calls import Answer, Body, Call, answer_to
from hub_store import Store

ROUTES = (*hub_writes.ROUTES, *hub_uploads.ROUTES, *hub_reads.ROUTES)
PIECE = 1 << 18
PAGE = 1000
"""Most entries of a tree in one answer, as on the real Hub."""


@dataclass
class Trouble:
    """A fault to show: a status, or a connection cut after some bytes of a body.

    `pattern` is looked for in the path, a space, and the Range asked for.
    """

    pattern: str
    status: int = 0
    cut_after: int | None = None
    """Bytes of the answer after which the connection ends."""
    cut_upload_after: int | None = None
    """Bytes of what the client sends after which the connection ends."""
    done: bool = False
    """Whether the request is carried out all the same, and only its answer is the status."""
    wait: float = 0.0
    """Seconds before the request is answered, for what is to happen meanwhile."""
    times: int = 1
    method: str = ".*"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A request as it came, and how it was answered."""

    method: str
    host: str
    path: str
    token: str | None
    range: str | None
    status: int
    sent: int
    received: int
    """Bytes of the request's body."""


class LocalHub(Store):
    """The server and its content; use as a context, point HF_ENDPOINT at `url`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.page = PAGE
        self.knows_ranges = True
        self.troubles: list[Trouble] = []
        self.journal: list[Seen] = []
        self.lock = threading.Lock()
        handler = type("Handler", (HubHandler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where the Hub answers."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def store_url(self) -> str:
        """Where large files lie: another host, to which no client may take its token."""
        return f"http://localhost:{self.server.server_port}/store"

    def __enter__(self) -> LocalHub:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def forget(self) -> None:
        """Begin anew: no repositories, tokens, uploads, faults or journal."""
        for held in (self.repos, self.tokens, self.uploads, self.troubles, self.journal):
            held.clear()
        self.page, self.knows_ranges, self.part_size = PAGE, True, None

    def uploaded(self) -> int:
        """Return how many large files, or parts of them, were sent."""
        return sum(one.method == "PUT" and "/store/upload/" in one.path for one in self.journal)

    def trouble(self, pattern: str, **how: Any) -> Trouble:
        """Answer requests that match with a fault, `times` times; what is left is counted there."""
        self.troubles.append(Trouble(pattern, **how))
        return self.troubles[-1]

    def next_trouble(self, method: str, wanted: str) -> Trouble | None:
        """Return the fault this request is to meet, and count it off."""
        with self.lock:
            for one in self.troubles:
                if (
                    one.times
                    and re.search(one.pattern, wanted)
                    and re.fullmatch(one.method, method)
                ):
                    one.times -= 1
                    return one
        return None


def _new_file(folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        return Path(file.name)


class HubHandler(BaseHTTPRequestHandler):
    """One connection to the Hub or to its store."""

    hub: LocalHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits 40 ms for the client's word

    def do_GET(self) -> None:
        wanted = f"{self.path} {self.headers.get('Range', '')}"
        trouble = self.hub.next_trouble(self.command, wanted)
        self.received = 0
        body = self._body(trouble)
        if body is None:
            self._note(0, 0)
            self.close_connection = True
            return
        time.sleep(trouble.wait if trouble else 0)
        try:
            answer = self._answer(body, trouble)
        finally:
            if body.file is not None:
                body.file.unlink(missing_ok=True)
        self._send(answer, trouble.cut_after if trouble else None)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _answer(self, body: Body, trouble: Trouble | None) -> Answer:
        fault = trouble if trouble and trouble.status else None
        shown = Answer(b"{}", status=fault.status, headers=fault.headers) if fault else Answer()
        if fault and not fault.done:
            return shown
        url = urlsplit(self.path)
        call = Call(
            store=self.hub,
            urls=(self.hub.url, self.hub.store_url),
            page=self.hub.page,
            method=self.command,
            path=url.path,
            query=parse_qs(url.query),
            token=self._token(),
            body=body,
        )
        if self.command in ("GET", "HEAD"):
            return answer_to(call, ROUTES)
        with self.hub.writing:  # one change at a time: else two commits have one parent
            answer = answer_to(call, ROUTES)
        return shown if fault else answer

    def _body(self, trouble: Trouble | None) -> Body | None:
        """Read what came with the request: to disk what goes to the store, None if it is cut."""
        cut = trouble.cut_upload_after if trouble else None
        digest, whole = hashlib.sha256(), False
        stored = self.command == "PUT" and self.path.startswith("/store/")
        file = _new_file(self.hub.folder) if stored else None
        sink: Any = file.open("wb") if file else io.BytesIO()
        try:
            for piece in self._pieces():
                self.received += len(piece)
                if cut is not None and self.received > cut:
                    return None
                if file:
                    digest.update(piece)
                sink.write(piece)
            whole = True
            data = b"" if file else sink.getvalue()
            return Body(self.received, data, file, digest.hexdigest())
        finally:
            sink.close()
            if file and not whole:
                file.unlink()

    def _pieces(self) -> Iterator[bytes]:
        """Yield the body of the request, whether its length is told or it comes in chunks."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        left = 0 if chunked else int(self.headers.get("Content-Length", 0))
        while left or chunked:
            if left == 0:
                left = int(self.rfile.readline() or b"0", 16)
                chunked = left > 0
                if not chunked:
                    self.rfile.readline()
                    return
            piece = self.rfile.read(min(PIECE, left))
            if not piece:
                raise ConnectionResetError("the client went away")
            left -= len(piece)
            yield piece
            if chunked and left == 0:
                self.rfile.readline()

    def _token(self) -> str | None:
        return self.headers.get("Authorization", "").removeprefix("Bearer ") or None

    def _send(self, answer: Answer, cut_after: int | None = None) -> None:
        status, start, stop = self._range(answer)
        self.send_response(status, HTTPStatus(status).phrase)
        for name, value in {**answer.headers, "Content-Length": str(stop - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        end = stop if cut_after is None else min(stop, start + cut_after)
        if self.command == "HEAD":
            stop = end = start
        self._note(status, end - start)  # before the body: it is there once the client has it
        self._send_body(answer, start, end)
        if end < stop:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()

    def _note(self, status: int, sent: int) -> None:
        """Write the request into the journal; status 0 is a connection cut before the answer."""
        host = self.headers.get("Host", "").split(":")[0]
        asked = self.headers.get("Range")
        told = (self.command, host, self.path, self._token(), asked, status, sent, self.received)
        with self.hub.lock:
            self.hub.journal.append(Seen(*told))

    def _range(self, answer: Answer) -> tuple[int, int, int]:
        """Return the status, and the first and last byte of the body to send."""
        size = (answer.blob.served or answer.blob.size) if answer.blob else len(answer.body)
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None or answer.blob is None or not self.hub.knows_ranges:
            return answer.status, 0, size
        start = int(match[1])
        stop = min(int(match[2]) + 1, size) if match[2] else size
        if start >= size:
            return 416, 0, 0
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return 206, start, stop

    def _send_body(self, answer: Answer, start: int, end: int) -> None:
        if answer.blob is None:
            self.wfile.write(answer.body[start:end])
            return
        with answer.blob.file.open("rb") as stream:
            stream.seek(start)
            while start < end:
                self.wfile.write(stream.read(min(PIECE, end - start)))
                start += PIECE

    # The client may go away, and connections are cut on purpose.

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the journal holds it."""
