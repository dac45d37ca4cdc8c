from __future__ import annotations

import fcntl
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import corpora.cluster
import corpora.engine
import corpora.on_ray
import corpora.plan
import corpora.slurm
from corpora import CleanConfig, clean_corpus
from corpora.cluster import GROUPS_A_WORKER, LEAST_GROUP, MOST_GROUPS, deal, require_all, watch
from corpora.engine import run_pass
from thaitok.errors import UserError

Files = Callable[..., Path]
Make = Callable[..., CleanConfig]

# A pass whose tasks do what they are told; every process that runs it must find this module.
COUNTING = """
import os, signal, time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

@dataclass(frozen=True)
class Counting:
    folder: Path
    count: int = 4
    seconds: float = 0.0
    fail: tuple = ()
    kill: tuple = ()
    title: str = "count"

    def sizes(self):
        return [1_000_000] * self.count

    def mark(self, rank):
        return self.folder / f"done-{rank}"

    def steps(self, told):
        return [partial(count, self)]

def count(job, _, rank, world_size):
    assert world_size == job.count
    with (job.folder / f"begun-{rank}").open("a") as stream:
        stream.write("begun ")
    time.sleep(job.seconds)
    if rank in job.fail:
        raise ValueError(f"nothing comes after {rank}")
    if rank in job.kill:
        os.kill(os.getpid(), signal.SIGKILL)
    job.mark(rank).write_text(str(rank))
"""

DRIVER = """
import json, sys
from pathlib import Path
import corpora.cluster, counting
from corpora import CleanConfig
from corpora.engine import run_pass
config = CleanConfig.model_validate_json(sys.argv[1])
run_pass(counting.Counting(config.out, seconds=float(sys.argv[2])), config)
"""

# Slurm as far as we use it, on this machine: one program under four names.
SLURM = """
import json, os, re, signal, subprocess, sys
from pathlib import Path
state = Path(__file__).parent / "state"
command = "run" if sys.argv[1:2] == ["run"] else Path(sys.argv[0]).name
words = [one.removeprefix("--").partition("=")[::2] for one in sys.argv[1:] if one[:2] == "--"]
options = dict(words)

if command == "sbatch" and options.get("partition") == "nowhere":
    sys.exit("sbatch: error: invalid partition specified: nowhere\\nsbatch: error: no job")
elif command == "sbatch":
    number = 1 + len(list(state.glob("*.sh")))
    (state / f"{number}.sh").write_text(sys.stdin.read())
    (state / f"{number}.options").write_text(json.dumps(options))
    null = subprocess.DEVNULL
    command = [sys.executable, "-IS", __file__, "run", str(number)]
    job = subprocess.Popen(command, start_new_session=True, stdin=null, stdout=null, stderr=null)
    (state / f"{number}.job").write_text(f"{job.pid} {options['job-name']}")
    print(f"{number};cluster")
elif command == "squeue" and (state / "deaf").exists():
    (state / "deaf").unlink()
    sys.exit("slurm_load_jobs error: Unable to contact slurm controller")
elif command == "squeue":
    for job in state.glob("*.job"):
        print(job.stem, job.read_text().split()[1])
elif command == "scancel":
    for number in sys.argv[1:]:
        job = state / f"{number}.job"
        os.killpg(int(job.read_text().split()[0]), signal.SIGKILL)
        job.rename(job.with_suffix(".cancelled"))
elif command == "scontrol":
    print("here")
elif command == "run":
    number = sys.argv[2]
    options = json.loads((state / f"{number}.options").read_text())
    last = int(options["array"].partition("%")[0].partition("-")[2])
    try:
        for task in range(last + 1):
            signs = {"%%": "%", "%A": number, "%j": number, "%a": str(task)}
            told = re.sub("%.", lambda found: signs[found[0]], options["output"])
            with open(told, "wb") as stream:
                env = os.environ | {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_NODELIST": "here"}
                script = ["bash", str(state / f"{number}.sh")]
                subprocess.run(script, env=env, stdout=stream, stderr=subprocess.STDOUT)
    finally:
        (state / f"{number}.job").unlink()
"""


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Make a pass of counting tasks below `tmp_path/corpus`."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "counting.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(str(code))
    (tmp_path / "corpus").mkdir()
    module = importlib.import_module("counting")
    yield lambda **how: module.Counting(tmp_path / "corpus", **how)
    del sys.modules["counting"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often."""
    monkeypatch.setattr(corpora.cluster, "LOOK_FIRST", 0.05)
    monkeypatch.setattr(corpora.cluster, "LOOK_AT_LEAST", 0.05)
    monkeypatch.setattr(corpora.slurm, "GONE_EVERY", 0.05)


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> Iterator[Path]:
    """Put a small Slurm on PATH and return the folder of its jobs."""
    place = tmp_path / "slurm"
    (place / "state").mkdir(parents=True)
    for name in ("sbatch", "squeue", "scancel", "scontrol"):
        program = place / name
        program.write_text(f"#!{sys.executable} -IS{SLURM}")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    yield place / "state"
    for job in (place / "state").glob("*.job"):
        os.killpg(int(job.read_text().split()[0]), signal.SIGKILL)


def plant(jsonl: Files, files: int = 3, documents: int = 150) -> None:
    """Documents, some of them repeated, with a line that all have, in files of several kinds."""
    chance = random.Random(0)
    for number in range(files):
        jsonl(
            f"f{number}.jsonl",
            [
                {"text": f"เอกสารที่ {chance.randrange(300)} เรื่องแมวกับปลา\nสงวนลิขสิทธิ์ตามกฎหมาย"}
                for _ in range(documents)
            ]
            + [b"{broken"],
        )


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)


@given(st.integers(1, 5000), st.integers(1, 300))
def test_each_task_is_dealt_out_once_and_workers_are_busy(tasks: int, workers: int) -> None:
    left = list(range(7, 7 + tasks))
    groups = deal(left, workers)
    assert [rank for group in groups for rank in group] == left
    assert len(groups) <= min(MOST_GROUPS, GROUPS_A_WORKER * workers)
    # Groups are small only if workers would stand idle otherwise.
    size = len(groups[0])
    assert size >= LEAST_GROUP or len(left) <= workers * size


@pytest.mark.usefixtures("quick")
def test_tasks_are_told_when_they_finish_and_the_last_ones_too(counting: Any) -> None:
    job = counting(count=6)
    told: list[int] = []
    alive = iter([True, True, True, False])

    def goes_on() -> bool:
        running = next(alive)
        # Two tasks finish just before each answer, the last one included.
        for _ in range(2):
            if len(finished) < job.count:
                job.mark(len(finished)).touch()
                finished.append(0)
        return running

    finished: list[int] = [0]
    job.mark(0).touch()
    watch(job, [1, 2, 3, 4, 5], lambda size, dropped: told.append(size), goes_on)
    assert told == [2_000_000, 2_000_000, 1_000_000, 0]


def test_what_is_left_has_its_reason(counting: Any) -> None:
    job = counting(count=3)
    launch = corpora.cluster.launch_of(job, [0, 1, 2], 1, "slurm")
    job.mark(0).touch()
    with pytest.raises(UserError, match=r"2 of 3 tasks of the count pass .*: were they cancelled"):
        require_all(launch)
    (launch.folder / "7_0.out").write_text("fine\nslurmstepd: error: CANCELLED AT noon\n\n")
    with pytest.raises(UserError, match=r"7_0.out: 2 of 3 .* slurmstepd: error: CANCELLED AT noon"):
        require_all(launch)
    launch.failure(2).write_text("Traceback:\nValueError: two is too many\n")
    with pytest.raises(UserError, match=r"00002.failed: 2 of 3 .*: ValueError: two is too many"):
        require_all(launch)
    launch.failure(1).write_text("")
    with pytest.raises(UserError, match=r"is the disk full"):
        require_all(launch)
    job.mark(1).touch()
    job.mark(2).touch()
    require_all(launch)


def test_a_pass_that_is_not_whole_is_never_taken_for_whole(
    counting: Any, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(corpora.engine.RUNNERS, "local", lambda *_: None)
    with pytest.raises(RuntimeError, match=r"tasks \[0, 1\] of the count pass"):
        run_pass(counting(count=2), config())


def test_local_tasks_fail_as_what_they_raise(counting: Any, config: Make) -> None:
    with pytest.raises(ValueError, match="nothing comes after 1") as error:
        run_pass(counting(fail=(1,)), config())
    assert "in count" in error.value.__notes__[0]
    with pytest.raises(UserError, match="a worker was ended by SIGKILL"):
        run_pass(counting(kill=(2,)), config())
    run_pass(counting(), config())


def test_slurm_gives_the_same_bytes(
    tmp_path: Path,
    jsonl: Files,
    config: Make,
    slurm: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corpora.plan, "PIECE_BYTES", 20_000)
    plant(jsonl)
    local = clean_corpus(config())
    out = tmp_path / "a b %j ก" / "slurm"  # sbatch takes %j for the job's number
    assert clean_corpus(config(out=out, engine={"kind": "slurm"})) == local
    assert hashes(out) == hashes(config().out)
    assert len(list(slurm.glob("*.sh"))) == 2  # one array a pass
    assert not list(out.parent.glob(".*"))


def test_a_failing_task_on_slurm_stops_no_other(counting: Any, config: Make, slurm: Path) -> None:
    settings = config(engine={"kind": "slurm"})
    with pytest.raises(UserError) as error:
        run_pass(counting(fail=(1,), kill=(2,)), settings)
    job = counting()
    place, _, said = str(error.value).partition(": ")
    assert said.startswith("2 of 4 tasks of the count pass did not finish: ValueError: nothing com")
    assert 'raise ValueError(f"nothing comes after {rank}")' in Path(place).read_text()
    killed = Path(place).with_name("task-00002.failed").read_text()
    assert "a worker was ended by SIGKILL, as systems do when memory is short" in killed
    assert [rank for rank in range(4) if job.mark(rank).exists()] == [0, 3]
    run_pass(job, settings)
    begun = [(job.folder / f"begun-{rank}").read_text() for rank in range(4)]
    assert begun == ["begun ", "begun " * 2, "begun " * 2, "begun "]


@pytest.mark.parametrize("then", ["slurm", "local"])
def test_a_killed_driver_leaves_its_job_to_the_next(
    counting: Any, config: Make, slurm: Path, then: str
) -> None:
    job = counting(seconds=0.5)
    settings = config(engine={"kind": "slurm"})
    command = [sys.executable, "-c", DRIVER, settings.model_dump_json(), "0.5"]
    driver = subprocess.Popen(command)
    wait_for(job.folder / "begun-0")
    driver.kill()
    driver.wait()
    run_pass(job, config(engine={"kind": then}))
    begun = {(job.folder / f"begun-{rank}").read_text() for rank in range(job.count)}
    assert begun == {"begun "}
    assert len(list(slurm.glob("*.sh"))) == 1
    assert not list(job.folder.glob(f"*/{corpora.slurm.QUEUED}"))


def test_ctrl_c_cancels_the_slurm_job(counting: Any, config: Make, slurm: Path) -> None:
    def told(size: int, dropped: int) -> None:
        if size:
            raise KeyboardInterrupt

    job = counting(seconds=0.5)
    with pytest.raises(KeyboardInterrupt):
        corpora.slurm.run_on_slurm(job, list(range(4)), config(engine={"kind": "slurm"}), told)
    assert [path.name for path in slurm.glob("*.c*")] == ["1.cancelled"]
    assert len(list(job.folder.glob("done-*"))) < job.count


def test_the_job_of_a_folder_that_was_deleted_is_cancelled(
    counting: Any, config: Make, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(size: int, dropped: int) -> None:
        raise ZeroDivisionError

    settings = config(engine={"kind": "slurm"})
    job = counting(seconds=30)
    with monkeypatch.context() as patch:
        patch.setattr(corpora.slurm, "_cancel", lambda numbers: None)  # as if it were killed
        with pytest.raises(ZeroDivisionError):
            corpora.slurm.run_on_slurm(job, list(range(4)), settings, told)
    shutil.rmtree(job.folder)
    run_pass(counting(), settings)
    assert [path.name for path in slurm.glob("*.c*")] == ["1.cancelled"]


def test_a_controller_that_does_not_answer_is_asked_again(
    counting: Any, config: Make, slurm: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = counting()
    sizes: list[int] = []

    def told(size: int, dropped: int) -> None:
        if not sizes:
            (slurm / "deaf").touch()
        sizes.append(size)

    corpora.slurm.run_on_slurm(job, list(range(4)), config(engine={"kind": "slurm"}), told)
    assert not (slurm / "deaf").exists()
    assert sum(sizes) == 4_000_000
    assert "Unable to contact slurm controller" in caplog.text


def test_what_slurm_is_asked_for(counting: Any, config: Make, slurm: Path) -> None:
    engine = {
        "kind": "slurm",
        "memory_gb": 3,
        "time": "1:00:00",
        "environment": f"export PATH={Path(sys.executable).parent}:$PATH; "
        f"export PYTHONPATH={os.pathsep.join(sys.path)}; alias; greeting=hello",
        "sbatch": {"account": "two words", "job-name": "mine", "exclusive": ""},
    }
    run_pass(counting(count=6), config(workers=2, engine=engine))
    options = json.loads((slurm / "1.options").read_text())
    assert options["account"] == "two words"
    assert options["exclusive"] == ""
    assert options["mem-per-cpu"] == "3G"
    assert options["time"] == "1:00:00"
    assert options["array"] == "0-1%2"
    assert options["job-name"].startswith("thaitok-corpus-")
    assert "no-requeue" in options
    assert not {"partition", "qos"} & set(options)  # the cluster has its own
    assert "greeting=hello\n" in (slurm / "1.sh").read_text()


def test_slurms_refusal_is_one_line(counting: Any, config: Make, slurm: Path) -> None:
    settings = config(engine={"kind": "slurm", "partition": "nowhere"})
    with pytest.raises(UserError) as error:
        run_pass(counting(), settings)
    assert str(error.value).startswith(
        "sbatch failed: invalid partition specified: nowhere; no job"
    )
    run_pass(counting(), config(engine={"kind": "slurm"}))


def test_without_slurm_it_says_so(
    counting: Any, config: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is no Slurm here: sbatch is not found; run it on"):
        run_pass(counting(), config(engine={"kind": "slurm"}))
    launch = corpora.cluster.launch_of(counting(), [0], 1, "slurm")
    (launch.folder / corpora.slurm.QUEUED).touch()
    with pytest.raises(UserError, match="Slurm jobs of an earlier run may be writing here"):
        run_pass(counting(), config())


def test_without_ray_it_says_so(
    counting: Any, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora.on_ray, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"ray is not installed; pip install 'thaitok\[ray\]'"):
        run_pass(counting(), config(engine={"kind": "ray"}))


def test_a_ray_that_does_not_answer(
    counting: Any, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpora.on_ray, "find_spec", lambda name: "there")
    with pytest.raises(UserError, match=r"no Ray answers at engine.address = ray://127.0.0.1:1"):
        run_pass(counting(), config(engine={"kind": "ray", "address": "ray://127.0.0.1:1"}))


def test_the_ray_of_a_killed_run_is_waited_for(
    counting: Any, config: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = counting()
    log = corpora.cluster.launch_of(job, [0], 1, "ray").folder / corpora.on_ray.DRIVER_LOG
    monkeypatch.setattr(corpora.on_ray, "SHUTDOWN", 0.3)
    monkeypatch.setattr(corpora.on_ray, "LOOK_EVERY", 0.05)
    with log.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="the Ray of an earlier run does not end"):
            run_pass(job, config())
        assert not list(job.folder.glob("begun-*"))
        timer = threading.Timer(0.3, fcntl.flock, (stream, fcntl.LOCK_UN))
        timer.start()
        run_pass(job, config())
        timer.join()
    assert len(list(job.folder.glob("begun-*"))) == job.count


def is_slurm_up() -> bool:
    if not shutil.which("sbatch"):
        return False
    asked = subprocess.run(["sinfo", "--noheader"], capture_output=True, timeout=30, check=False)
    return asked.returncode == 0 and bool(asked.stdout)


@pytest.mark.slow
def test_a_real_slurm_gives_the_same_bytes(
    tmp_path: Path,
    jsonl: Files,
    config: Make,
    counting: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not is_slurm_up():
        pytest.skip("there is no Slurm: sbatch is not found, or no controller answers")
    monkeypatch.setattr(corpora.plan, "PIECE_BYTES", 20_000)
    plant(jsonl)
    shutil.rmtree(tmp_path / "corpus")
    local = clean_corpus(config())
    out = tmp_path / "a b %j ก" / "slurm"
    assert clean_corpus(config(out=out, workers=2, engine={"kind": "slurm"})) == local
    assert hashes(out) == hashes(config().out)
    (tmp_path / "counting").mkdir()
    job = type(counting())(tmp_path / "counting", fail=(2,), kill=(3,))
    with pytest.raises(UserError, match=r"2 of 4 tasks .* ValueError: nothing comes after 2"):
        run_pass(job, config(workers=2, engine={"kind": "slurm"}))


needs_ray = pytest.mark.skipif(not find_spec("ray"), reason="ray is not installed")


def rays() -> set[str]:
    """Return the processes of Ray, by what they were started with."""
    found = set()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ProcessLookupError):
            continue
        if "ray::" in command or "/ray/" in command or "corpora.on_ray" in command:
            found.add(f"{place.parent.name} {command[:80]}")
    return found


@needs_ray
@pytest.mark.slow
def test_ray_gives_the_same_bytes_quietly_and_leaves_nothing(
    tmp_path: Path, jsonl: Files, config: Make
) -> None:
    plant(jsonl)
    local = clean_corpus(config())
    there = rays()
    ray = config(out=tmp_path / "ray", workers=2, engine={"kind": "ray", "memory_gb": 1})
    run = textwrap.dedent(
        """
        import sys, corpora.plan
        from corpora import CleanConfig, clean_corpus
        corpora.plan.PIECE_BYTES = 20_000
        print(clean_corpus(CleanConfig.model_validate_json(sys.argv[1])).counts["kept"])
        """
    )
    scratch = set(Path("/tmp").glob("ray*"))
    command = [sys.executable, "-c", run, ray.model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", f"{local.counts['kept']}\n")
    assert hashes(ray.out) == hashes(config().out)
    assert rays() <= there
    assert set(Path("/tmp").glob("ray*")) <= scratch
    assert not list(tmp_path.glob(".*"))


@needs_ray
@pytest.mark.slow
def test_a_failing_task_on_ray_stops_no_other(counting: Any, config: Make) -> None:
    settings = config(workers=2, engine={"kind": "ray", "memory_gb": 1})
    with pytest.raises(UserError, match=r"2 of 4 tasks .* ValueError: nothing comes after 1"):
        run_pass(counting(fail=(1,), kill=(2,)), settings)
    job = counting()
    assert [rank for rank in range(4) if job.mark(rank).exists()] == [0, 3]
    run_pass(job, settings)
    with pytest.raises(UserError, match=r"engine.memory_gb is 4000, but"):
        (job.folder / "done-0").unlink()
        run_pass(job, config(engine={"kind": "ray", "memory_gb": 4000}))


@needs_ray
@pytest.mark.slow
def test_a_killed_driver_takes_its_ray_along(counting: Any, config: Make) -> None:
    there = rays()
    job = counting(seconds=3)
    settings = config(workers=2, engine={"kind": "ray", "memory_gb": 1})
    command = [sys.executable, "-c", DRIVER, settings.model_dump_json(), "3"]
    driver = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    wait_for(job.folder / "begun-0")
    driver.kill()
    driver.wait()
    begun = len(list(job.folder.glob("begun-*")))
    run_pass(counting(), config())
    assert rays() <= there
    counts = [(job.folder / f"begun-{n}").read_text().count("begun") for n in range(job.count)]
    assert sum(counts) <= job.count + begun + 2  # what ran at the kill, and nothing after it
