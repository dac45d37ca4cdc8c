from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.hub.files import TABLE_BLOCK

Ask = Callable[[str], list[dict[str, Any]]]


def parquet(rows: list[dict[str, Any]], **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink, **how)
    return sink.getvalue()


def jsonl(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def test_private_and_gated_sets_ask_for_what_is_missing(hub: Any, shared_client: Any) -> None:
    files = {"README.md": b"# x", "a.parquet": parquet([{"text": "ก"}, {"text": "ข"}])}
    hub.commit(hub.repo("org/secret", private=True), files)
    hub.commit(hub.repo("org/gated", gated=True), files)
    hub.allow("hf_member_of_both", "org/secret", "org/gated")
    hub.allow("hf_stranger_to_both")
    answers = shared_client(
        """
import os
for token in ["", "hf_stranger_to_both", "hf_member_of_both", "hf_expired_last_year"]:
    os.environ["HF_TOKEN"] = token
    for given in ["secret", "gated", "nowhere"]:
        read("hub:org/" + given)
del os.environ["HF_TOKEN"]
"""
    )
    told = iter(answers)
    secret, gated, nowhere = next(told), next(told), next(told)
    assert "no such repo on the Hub, or it is private" in secret["error"]
    assert secret["error"].replace("secret", "nowhere") == nowhere["error"]
    assert "`hf auth login`" in secret["error"]
    terms = f"accept its terms at {hub.url}/datasets/org/gated"
    assert "is gated" in gated["error"] and f"{terms}, then log in" in gated["error"]
    secret, gated, nowhere = next(told), next(told), next(told)
    assert "that your token may read it" in secret["error"]
    assert secret["error"].replace("secret", "nowhere") == nowhere["error"]
    assert gated["error"].endswith(terms)
    secret, gated, nowhere = next(told), next(told), next(told)
    assert len(secret["items"][0]) == len(gated["items"][0]) == 2
    expired = next(told)
    assert "hf auth login" in expired["error"]
    # The token went to the Hub, and nowhere else: not to the store, not into what is told.
    seen = [one for one in hub.journal if one.token == "hf_member_of_both"]
    assert seen and all(one.host == "127.0.0.1" for one in seen)
    assert any(one.host == "localhost" for one in hub.journal)
    assert "hf_member" not in shared_client.log.read_text() + json.dumps(answers)


def test_passing_faults_pass_and_lasting_ones_are_one_line(hub: Any, ask: Ask) -> None:
    rows = [{"text": f"{n} " + "กขคง" * 700} for n in range(900)]
    big = parquet(rows, compression="none", use_dictionary=False)
    assert len(big) > 3 * TABLE_BLOCK
    lines = jsonl(rows)
    hub.commit(hub.repo("org/big"), {"README.md": b"#", "a.parquet": big, "b.jsonl": lines})
    hub.trouble("/api/datasets/org/big", status=503, times=2)
    hub.trouble("/store/", status=502, times=2)
    hub.trouble("/store/", cut_after=100_000, times=2)
    hub.trouble("/resolve/.*b.jsonl", cut_after=300_000, times=2)
    code = 'read("hub:org/big:a.parquet*"); read("hub:org/big:b.jsonl*")'
    for told in ask(code):
        assert [item[1].split()[0] for item in told["items"][0]] == [str(n) for n in range(900)]
    assert not any(one.times for one in hub.troubles)
    hub.trouble("README", status=503, times=3)
    hub.trouble(f"bytes={TABLE_BLOCK}-", status=500, times=10_000)  # in the midst of a table
    (told,) = ask('read("hub:org/big")')
    assert "a.parquet: the Hub cannot be reached (it answered 500)" in told["error"]
    assert not hub.troubles[-2].times
    hub.troubles.clear()
    hub.trouble("/resolve/", status=500, times=10_000)
    (told,) = ask('read("hub:org/big:a.parquet*")')
    assert "the Hub cannot be reached (it answered 500)" in told["error"]
    assert "run the same command again" in told["error"]
    hub.troubles.clear()
    hub.trouble("/resolve/", status=404, times=9, headers={"X-Error-Code": "EntryNotFound"})
    (told,) = ask('read("hub:org/big:a.parquet*")')
    assert "the file is no longer there" in told["error"]


def test_a_server_without_ranges_and_one_that_sends_too_little(hub: Any, ask: Ask) -> None:
    rows = [{"text": f"{n} " + "กขคง" * 700} for n in range(900)]
    hub.commit(hub.repo("org/plain"), {"a.jsonl": jsonl(rows)})
    hub.knows_ranges = False
    whole, _ = ask(
        "import corpora.hub.files as files; files.STREAM_BLOCK = 1 << 20\n"
        'read("hub:org/plain:*.jsonl"); tell({})'
    )
    assert [item[1].split()[0] for item in whole["items"][0]] == [str(n) for n in range(900)]
    hub.forget()
    repo = hub.repo("org/short")
    sha = hub.commit(repo, {"a.jsonl": jsonl(rows)})
    blob = repo.commits[sha]["a.jsonl"]
    blob.file.write_bytes(blob.file.read_bytes()[:1_500_000])
    repo.commits[sha]["a.jsonl"] = replace(blob, served=1_500_000)
    (short,) = ask('read("hub:org/short:*.jsonl"); files.STREAM_BLOCK = 1 << 23')
    assert "the Hub cannot be reached" in short["error"]


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "the Hub cannot be reached (ConnectError)"),
        ({"HF_HUB_OFFLINE": "1"}, "the Hub is switched off by HF_HUB_OFFLINE; unset it"),
    ],
)
def test_no_network_is_one_line(hub_client: Any, env: dict[str, str], said: str) -> None:
    (told,) = hub_client(**env)('read("hub:org/any")')
    assert told["error"].startswith("hub:org/any: ") and said in told["error"]
