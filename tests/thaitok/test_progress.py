from __future__ import annotations

import logging

import pytest

from thaitok.progress import progress


def test_plain_lines_tell_count_rate_and_note(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), progress("clean", 3, "documents") as advance:
        for _ in range(3):
            advance(1, note="loss 5.2")
    (line,) = caplog.messages
    assert line.startswith("clean: 3/3 documents, ")
    assert line.endswith("/s, loss 5.2")


def test_lines_come_now_and_then(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thaitok.progress.PLAIN_EVERY", 0.0)
    with caplog.at_level(logging.INFO), progress("shard", 4, "documents") as advance:
        advance()
        advance()
    assert [line.partition(" documents")[0] for line in caplog.messages] == [
        "shard: 1/4",
        "shard: 2/4",
        "shard: 2/4",
    ]
    assert "s to go" in caplog.messages[0]


def test_a_terminal_gets_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("train", 2, "documents") as advance:
        advance(2, note="done")
    said = capsys.readouterr()
    assert "train" in said.err
    assert said.out == ""
