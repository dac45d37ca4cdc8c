from __future__ import annotations

import gzip
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora import CleanConfig, clean_corpus, read_documents, read_texts
from thaitok.errors import UserError

Files = Callable[..., Path]
Make = Callable[..., CleanConfig]
Start = Callable[..., "subprocess.Popen[bytes]"]

SMALL_PIECES = """
import corpora.plan
corpora.plan.PIECE_BYTES = 30_000
"""
"""Several tasks a file, of which some are rewritten in pieces."""


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


NO_DEDUP = {"exact": False, "near": False}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def document(index: int) -> dict[str, Any]:
    return {"text": f"เอกสารที่ {index} เรื่องแมวกับปลา", "source": f"s{index % 3}"}


def plant(jsonl: Files, files: int = 6, documents: int = 200) -> None:
    """Files with faults of every kind at fixed places, some packed."""
    for number in range(files):
        chance = random.Random(number)
        records: list[Any] = []
        for index in range(documents):
            records.append(document(1000 * number + index))
            if chance.random() < 0.2:
                records.append(
                    chance.choice(
                        [document(chance.randrange(9)), {"text": "ok"}, {"text": "no Thai here"},
                         b"{broken", b'{"text": "\xff"}', {"body": "x"}, {"text": "&nbsp;"}]
                    )
                )  # fmt: skip
        path = jsonl(f"f{number}.jsonl", records)
        if number % 2:
            packed = path.with_name(path.name + ".gz")
            packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
            path.unlink()


def test_promise_1_every_document_is_kept_dropped_or_quarantined(
    jsonl: Files, config: Make
) -> None:
    jsonl(
        "a.jsonl",
        [
            {"text": "แมวกินปลา", "id": "cat", "source": "pets"},
            {"text": "แมว กิน\u00a0ปลา\n", "source": "pets"},  # white space alone: a duplicate
            {"text": "หมากินข้าว", "id": "cat", "source": "pets"},  # an id taken already
            {"text": "น้ํา&nbsp;เเข็ง"},
            {"text": "\u200b &#32; ", "source": "pets"},
            {"text": "ดี"},
            {"text": "กา" * 151},
            {"text": "not a word of Thai", "source": "pets"},
            b"{broken",
            b'{"text": "\xff"}',
            b"[1]",
            {"body": "x"},
            {"text": 7},
            {"text": "ก" + "\u0301\u0323" * 300 + "ข"},
            b'{"text": "' + b"x" * 5000 + b'"}',
            b"",
        ],
    )
    jsonl("b.txt", ["แมวกินปลา".encode(), "ช้างกินกล้วย".encode()])
    manifest = clean_corpus(config(filters={"max_chars": 300}, max_line_bytes=4000))
    out = config().out
    counts = manifest.counts
    assert counts["documents"] == 17
    assert counts["kept"] == 4
    assert counts["dropped"] == {
        "duplicate": 2, "empty": 1, "too_little_thai": 1, "too_long": 1, "too_short": 1
    }  # fmt: skip
    assert counts["quarantined"] == {
        "no_text": 1, "not_an_object": 1, "not_json": 1, "not_utf8": 1, "text_is_no_string": 1,
        "too_many_bytes": 1, "too_many_marks": 1,
    }  # fmt: skip
    assert [(d.id, d.text, d.source) for d in read_documents(out)] == [
        ("cat", "แมวกินปลา", "pets"),
        ("a.jsonl:3", "หมากินข้าว", "pets"),
        ("a.jsonl:4", "น้ำ แข็ง", "a"),
        ("b.txt:2", "ช้างกินกล้วย", "b"),
    ]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {s: (c["documents"], c["kept"]) for s, c in report["sources"].items()} == {
        "pets": (5, 2), "a": (10, 1), "b": (2, 1)
    }  # fmt: skip
    for count in [report, *report["sources"].values()]:
        fates = sum(count["dropped"].values()) + sum(count["quarantined"].values())
        assert count["documents"] == count["kept"] + fates
    kept = list(read_texts([out]))
    assert counts["characters_kept"] == sum(map(len, kept))
    assert counts["bytes_kept"] == sum(len(text.encode()) for text in kept)
    assert counts["changed_by_rules"] == 3  # the NBSP, sara am, the empty one
    duplicates = lines_of(out / "dropped" / "duplicate.jsonl")
    assert [(one["file"], one["line"]) for one in duplicates] == [("a.jsonl", 2), ("b.txt", 1)]
    quarantined = lines_of(out / "dropped" / "quarantined.jsonl")
    assert [(one["line"], one["reason"]) for one in quarantined] == [
        (9, "not_json"), (10, "not_utf8"), (11, "not_an_object"), (12, "no_text"),
        (13, "text_is_no_string"), (14, "too_many_marks"), (15, "too_many_bytes"),
    ]  # fmt: skip
    assert quarantined[1]["excerpt"] == '{"text": "\\xff"}'
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "too_little_thai" in page
    assert "a.jsonl:9" in page


def test_promise_1_is_asserted_in_code(
    jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import corpora.join

    jsonl("a.jsonl", [document(i) for i in range(5)])
    whole = corpora.join.read_records
    monkeypatch.setattr(corpora.join, "read_records", lambda path: list(whole(path))[1:])
    with pytest.raises(RuntimeError, match="documents were lost or doubled in 's0'"):
        clean_corpus(config())
    assert not config().out.exists()


def test_without_dedup_all_are_kept(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [document(1), document(1)])
    assert clean_corpus(config(dedup=NO_DEDUP)).counts["kept"] == 2


def test_the_first_input_wins(tmp_path: Path, jsonl: Files, config: Make) -> None:
    a, b = jsonl("a.jsonl", [document(1)]), jsonl("b.jsonl", [document(1)])
    clean_corpus(config(inputs=(str(b), str(a))))
    assert [one.id for one in read_documents(config().out)] == ["b.jsonl:1"]


def test_promise_2_same_bytes_for_any_number_of_workers(
    tmp_path: Path, jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import corpora.plan

    monkeypatch.setattr(corpora.plan, "PIECE_BYTES", 10_000)  # so that there is work to share out
    plant(jsonl)
    one = clean_corpus(config(shard_bytes=20_000))
    two = clean_corpus(config(shard_bytes=20_000, workers=2, out=tmp_path / "two"))
    assert one == two
    assert hashes(tmp_path / "corpus") == hashes(tmp_path / "two")
    assert len(list((tmp_path / "two").glob("part-*"))) > 3


@pytest.mark.parametrize(
    ("seed", "kills", "documents"),
    [(0, 3, 1500), *(pytest.param(seed, 20, 12_000, marks=pytest.mark.slow) for seed in (1, 2))],
)
def test_promise_1_kill_at_any_point_and_run_again(
    tmp_path: Path,
    jsonl: Files,
    config: Make,
    start: Start,
    seed: int,
    kills: int,
    documents: int,
) -> None:
    plant(jsonl, files=5, documents=documents)
    assert start(config(shard_bytes=100_000, workers=2), SMALL_PIECES).wait() == 0
    again = config(shard_bytes=100_000, workers=2, out=tmp_path / "again")
    chance = random.Random(seed)
    killed = 0
    while killed < kills:
        run = start(again, SMALL_PIECES)
        try:
            run.wait(timeout=0.7 + 2 * chance.random() ** 2)
            break
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            killed += 1
    assert killed == kills, "there was too little work to be killed at"
    assert start(again, SMALL_PIECES).wait() == 0
    assert hashes(tmp_path / "corpus") == hashes(again.out)
    assert not list(tmp_path.glob(".*"))


def test_finished_tasks_are_not_run_again(
    tmp_path: Path, jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import corpora.clean

    jsonl("a.jsonl", [document(1)])

    def killed(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(corpora.clean, "join_tasks", killed)
        with pytest.raises(ZeroDivisionError):
            clean_corpus(config())
    with monkeypatch.context() as patch:
        patch.setattr(corpora.engine, "run_locally", killed)
        assert clean_corpus(config()).counts["kept"] == 1


def test_a_stopped_run_is_not_taken_up_with_other_settings_or_input(
    tmp_path: Path, jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import corpora.clean

    jsonl("a.jsonl", [document(1), {"text": "ดี"}])

    def killed(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(corpora.clean, "join_tasks", killed)
        with pytest.raises(ZeroDivisionError):
            clean_corpus(config())
    partial = tmp_path / ".corpus.partial"
    with pytest.raises(UserError) as error:
        clean_corpus(config(filters={"min_chars": 1}))
    assert "was begun with filters.min_chars = 3, not 1; choose another" in str(error.value)
    assert f"or delete {partial} first" in str(error.value)
    jsonl("b.jsonl", [document(2)])
    with pytest.raises(UserError, match=r"was begun from other input: b\.jsonl is new"):
        clean_corpus(config())
    (tmp_path / "raw" / "b.jsonl").unlink()
    jsonl("a.jsonl", [document(2)])
    with pytest.raises(UserError, match=r"was begun from other input: a\.jsonl has changed"):
        clean_corpus(config())
    jsonl("a.jsonl", [document(1), {"text": "ดี"}])
    with monkeypatch.context() as patch:
        patch.setattr(corpora.clean, "_code", lambda: "other")
        with pytest.raises(UserError, match="was begun by another version of thaitok"):
            clean_corpus(config())
    assert clean_corpus(config()).counts["kept"] == 1
    assert not partial.exists()


def test_a_finished_corpus_is_not_made_again(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [document(1)])
    first = clean_corpus(config())
    before = hashes(config().out)
    assert clean_corpus(config(workers=2)) == first
    assert hashes(config().out) == before
    with pytest.raises(UserError, match=r"is finished with dedup\.exact = true, not false"):
        clean_corpus(config(dedup=NO_DEDUP))
    jsonl("a.jsonl", [document(2)])
    with pytest.raises(UserError, match="from other input"):
        clean_corpus(config())


def test_a_corpus_can_be_cleaned_again(tmp_path: Path, jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [document(i) for i in range(9)] + [{"text": "ดี"}])
    clean_corpus(config(shard_bytes=300))
    second = clean_corpus(config(inputs=(str(config().out),), out=tmp_path / "second"))
    assert (second.counts["documents"], second.counts["kept"]) == (9, 9)


def test_nothing_kept_is_the_users_fault(tmp_path: Path, jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [{"text": "only English"}, {"text": "no Thai"}, {"body": "x"}])
    with pytest.raises(UserError) as error:
        clean_corpus(config())
    assert "nothing would be kept of 3 documents: too_little_thai 2, no_text 1" in str(error.value)
    assert not config().out.exists()


def test_settings_may_be_changed_after_nothing_was_kept(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [{"text": "only English"}])
    with pytest.raises(UserError, match="nothing would be kept"):
        clean_corpus(config())
    assert clean_corpus(config(filters={"min_thai_share": 0})).counts["kept"] == 1


def test_a_setting_taken_away_is_noticed(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [document(1), document(2)])
    clean_corpus(config(source_caps={"s1": 5}))
    with pytest.raises(UserError, match=r"finished with source_caps\.s1 = 5, not null"):
        clean_corpus(config())


def test_a_worker_that_ended_while_it_waited_is_replaced(
    jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import corpora.clean
    import thaitok.crew

    find = corpora.clean._find_repeats

    def killing(*of: Any) -> None:
        find(*of)
        assert thaitok.crew._waiting
        for worker in thaitok.crew._waiting:
            worker.kill()
            worker.wait()

    monkeypatch.setattr(corpora.clean, "_find_repeats", killing)
    jsonl("a.jsonl", [document(1)])
    assert clean_corpus(config()).counts["kept"] == 1


def test_empty_input_is_the_users_fault(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [b" "])
    with pytest.raises(UserError, match="no document in the input"):
        clean_corpus(config())


def test_a_folder_of_another_kind_is_not_overwritten(jsonl: Files, config: Make) -> None:
    jsonl("a.jsonl", [document(1)])
    config().out.mkdir()
    (config().out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is in the way"):
        clean_corpus(config())


def test_it_is_quiet_and_runs_from_a_plain_script(jsonl: Files, config: Make, start: Start) -> None:
    jsonl("a.jsonl", [document(1)])
    run = start(config(workers=2), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.communicate()[0] == b""
    assert run.returncode == 0


def workers_of(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    return list(map(int, listed.read_text().split())) if listed.exists() else []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for workers in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(
    jsonl: Files, config: Make, start: Start, how: signal.Signals
) -> None:
    jsonl("a.jsonl", [document(i) for i in range(140_000)])  # one task: half a piece too long
    jsonl("b.jsonl", [document(1)])  # its worker is soon idle and waits for more
    run = start(config(workers=2), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 20
    idle = config().out.with_name(".corpus.partial") / "clean" / "task-00001.json"
    while not idle.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    crew = workers_of(run.pid)
    run.send_signal(how)
    assert b"KeyboardInterrupt" in run.communicate(timeout=20)[1] or how == signal.SIGKILL
    assert len(crew) == 2
    deadline = time.monotonic() + 2  # their task would take ten seconds
    while any(alive(pid) for pid in crew) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in crew)
    assert not config().out.exists()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_source_gives_no_more_than_its_share(
    jsonl: Files, config: Callable[..., CleanConfig]
) -> None:
    news = [{"text": f"ข่าวที่ {n} ของวันนี้", "source": "news"} for n in range(9)]
    jsonl("a.jsonl", [*news, {"text": "แมวกินปลา", "source": "pets"}])
    length = len("ข่าวที่ 0 ของวันนี้")
    manifest = clean_corpus(config(source_chars=2 * length + 1))
    assert manifest.counts["dropped"] == {"source_full": 6}
    assert [one.source for one in read_documents(config().out)] == ["news"] * 3 + ["pets"]


def test_the_fingerprint_covers_every_module_that_touches_the_text() -> None:
    import corpora.clean

    code = (
        "import sys, corpora.passes.clean, corpora.passes.sign, thaitok.wangchanberta\n"
        "thaitok.wangchanberta.process_transformers(['แมวแมว 5'])\n"
        "thaitok.rules.clean_text('แมว'); import thaitok.words\n"
        "print(*(name for name in sys.modules if name.startswith('thaitok.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("thaitok.") for name in done.stdout.split()}
    about_files = {
        "config",
        "crew",
        "corpus",
        "errors",
        "exports",
        "folder",
        "progress",
        "report",
        "charts",
        "hub_faults",
    }
    assert loaded - about_files == set(corpora.clean.TEXT_MODULES)


def test_workers_are_kept_from_pass_to_pass_and_no_longer(
    jsonl: Files, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import thaitok.crew

    hired: list[subprocess.Popen[bytes]] = []
    hire = thaitok.crew._hire
    monkeypatch.setattr(thaitok.crew, "_hire", lambda: hired.append(hire()) or hired[-1])
    jsonl("a.jsonl", [document(1)])
    clean_corpus(config())
    assert len(hired) == 1
    assert hired[0].poll() is not None
