from __future__ import annotations

import json
from pathlib import Path

import pytest

from thaitok.errors import UserError
from thaitok.folder import MANIFEST, FileFacts, read_manifest, stage_job, write_json, written

INPUT = (FileFacts(name="a.txt", bytes=1, sha256="0"),)


def make(out: Path, *, rate: int = 1, inputs: tuple[FileFacts, ...] = INPUT) -> bool:
    """Make a tiny corpus folder; return whether there was anything to do."""
    with stage_job(out, "corpus", {"rate": rate}, inputs) as job:
        if job.done:
            return False
        (job.work / "sub").mkdir(exist_ok=True)
        (job.work / "sub" / "part").write_text("x")
        assert not (out / "sub").exists()
        job.finish({"kept": 1}, {"thaitok": "0"})
        return True


def test_a_folder_appears_whole_with_its_manifest(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    assert make(out)
    manifest = read_manifest(out, "corpus")
    assert [facts.name for facts in manifest.files] == ["sub/part"]
    assert manifest.counts == {"kept": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus"]


def test_the_same_job_again_has_nothing_to_do(tmp_path: Path) -> None:
    assert make(tmp_path / "corpus")
    assert not make(tmp_path / "corpus")


def test_another_setting_or_input_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path / "corpus")
    with pytest.raises(UserError, match="rate = 1, not 2; choose another --out"):
        make(tmp_path / "corpus", rate=2)
    with pytest.raises(UserError, match="from other input"):
        make(tmp_path / "corpus", inputs=())


def test_a_stopped_job_leaves_nothing_under_its_name_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt), stage_job(out, "corpus", {"rate": 1}, INPUT) as job:
        (job.work / "half").write_text("x")
        raise KeyboardInterrupt
    assert not out.exists()
    with stage_job(out, "corpus", {"rate": 1}, INPUT) as job:
        assert (job.work / "half").exists()
    with stage_job(out, "corpus", {"rate": 2}, INPUT) as job:
        assert not (job.work / "half").exists(), "another job's remains"


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="is in the way"):
        make(out)
    assert (out / "thesis.txt").read_text() == "mine"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    assert make(tmp_path / "corpus")


def test_a_link_to_another_disk_is_followed(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "corpus").symlink_to(tmp_path / "big")
    assert make(tmp_path / "corpus")
    assert read_manifest(tmp_path / "big", "corpus").counts == {"kept": 1}


def test_what_a_killed_run_left_hidden_is_no_part_of_the_folder(tmp_path: Path) -> None:
    with stage_job(tmp_path / "run", "run", {}, (), live=True) as job:
        (job.work / ".step-7.partial").mkdir()
        (job.work / ".step-7.partial" / "model").write_text("x")
        (job.work / "metrics").write_text("x")
        assert [facts.name for facts in job.finish({}, {}).files] == ["metrics"]


def test_two_jobs_do_not_write_one_folder(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with (
        stage_job(out, "corpus", {}, ()),
        pytest.raises(UserError, match="another run"),
        stage_job(out, "corpus", {}, ()),
    ):
        pass


def test_a_live_job_works_in_place_and_goes_on_with_the_same_settings(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with stage_job(out, "run", {"rate": 1}, (), live=True) as job:
        (job.work / "half").write_text("x")
    with pytest.raises(UserError, match="was begun with rate = 1, not 2"):
        stage_job(out, "run", {"rate": 2}, (), live=True).__enter__()
    with pytest.raises(UserError, match="it has no manifest"):
        read_manifest(out, "run")
    with stage_job(out, "run", {"rate": 1}, (), live=True) as job:
        assert (out / "half").exists()
        job.finish({}, {})
    assert read_manifest(out, "run").stage == "run"


def test_another_stage_an_unfinished_or_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(UserError, match="no such corpus folder; make one with `thaitok clean`"):
        read_manifest(out, "corpus")
    make(out)
    with pytest.raises(UserError, match="is a corpus folder where a shards folder is wanted"):
        read_manifest(out, "shards")
    (out / "sub" / "part").write_text("longer")
    with pytest.raises(UserError, match="not 1 bytes as its manifest says"):
        read_manifest(out, "corpus")
    (out / MANIFEST).write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        read_manifest(out, "corpus")
    (out / MANIFEST).unlink()
    with pytest.raises(UserError, match=f"it has no {MANIFEST}"):
        read_manifest(out, "corpus")


def test_a_file_keeps_its_old_content_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"ก": 1})
    with pytest.raises(OSError, match="full"), written(path) as stream:
        stream.write("{")
        raise OSError("full")
    assert json.loads(path.read_text(encoding="utf-8")) == {"ก": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]
