from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thaitok.demo import COMMANDS

SLOW_TO_END = """
import signal, sys, time
def end(*_):
    time.sleep(1)
    sys.exit(130)
signal.signal(signal.SIGINT, end)
print("ready", flush=True)
time.sleep(30)
"""

PARENT = """
import sys
from pathlib import Path
from thaitok.demo import _run
print(_run([sys.executable, "-c", sys.argv[1]], Path(".")), flush=True)
"""


def test_ctrl_c_leaves_a_stage_the_time_to_save() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, SLOW_TO_END],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate()[0] == "130\n"
    assert process.returncode == 0


@pytest.mark.slow
def test_the_demo_runs_in_five_minutes_and_again_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "thaitok", "demo", "--out", str(tmp_path / "demo")]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 300
    for stage, folder, line in COMMANDS:
        assert f"$ thaitok {line}" in done.stderr
        assert stage in done.stdout
        assert (tmp_path / "demo" / folder).is_dir()
    report = json.loads((tmp_path / "demo" / "corpus" / "report.json").read_text("utf-8"))
    assert report["dropped"]["duplicate"] > 0
    assert {"not_json", "not_utf8", "no_text"} <= set(report["quarantined"])
    again = time.monotonic()
    subprocess.run(command, capture_output=True, check=True)
    assert time.monotonic() - again < 90
