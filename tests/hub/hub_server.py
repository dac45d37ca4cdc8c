"""A Hub on this machine for tests: what the real client libraries ask of it, over HTTP.

Read side: repository facts, refs, trees, files with ranges and redirects to a store of their
own, private and gated repositories, tokens, faults on demand, and a journal of every request.
"""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub_answers import Answer, Call, answer_to
from hub_store import Store

PIECE = 1 << 16
PAGE = 1000
"""Most entries of a tree in one answer, as on the real Hub."""


@dataclass
class Trouble:
    """A fault to show: a status, or a connection cut after some bytes of the body.

    `pattern` is looked for in the path, a space, and the Range asked for.
    """

    pattern: str
    status: int = 0
    cut_after: int = 0
    times: int = 1
    method: str = "GET|HEAD|POST"
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
        """Begin anew: no repositories, tokens, faults or journal."""
        for held in (self.repos, self.tokens, self.troubles, self.journal):
            held.clear()
        self.page, self.knows_ranges = PAGE, True

    def trouble(self, pattern: str, **how: Any) -> None:
        """Answer requests that match with a fault, `times` times."""
        self.troubles.append(Trouble(pattern, **how))

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


class HubHandler(BaseHTTPRequestHandler):
    """One connection to the Hub or to its store."""

    hub: LocalHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each small answer waits 40 ms for the client's word

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = Call(
            store=self.hub,
            urls=(self.hub.url, self.hub.store_url),
            page=self.hub.page,
            method=self.command,
            path=url.path,
            query=parse_qs(url.query),
            token=self._token(),
            form=parse_qs(data.decode("utf-8", "replace")),
        )
        wanted = f"{self.path} {self.headers.get('Range', '')}"
        trouble = self.hub.next_trouble(self.command, wanted)
        if trouble and trouble.status:
            self._send(Answer(b"{}", status=trouble.status, headers=trouble.headers))
        else:
            self._send(answer_to(call), trouble.cut_after if trouble else None)

    do_HEAD = do_POST = do_GET

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
        host = self.headers.get("Host", "").split(":")[0]
        asked = self.headers.get("Range")
        seen = Seen(self.command, host, self.path, self._token(), asked, status, end - start)
        with self.hub.lock:  # before the body, so that it is there once the client has it
            self.hub.journal.append(seen)
        self._send_body(answer, start, end)
        if end < stop:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()

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
