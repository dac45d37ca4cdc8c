"""The doctor finds what is amiss, says how to mend it, and never breaks or tells a token."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from thaitok import doctor
from thaitok.doctor import Finding, diagnose


def by_name() -> dict[str, Finding]:
    return {finding.name: finding for finding in diagnose()}


def test_a_machine_that_passes_its_tests_is_well() -> None:
    found = by_name()
    assert {name for name in found if found[name].state == "fail"} <= {"disk"}
    assert {"python", "torch", "numpy", "bf16", "threads", "disk", "thai words"} <= set(found)
    assert any(name.startswith("device") for name in found)
    assert "pytest" not in found  # an extra is no dependency


def test_whatever_is_amiss_has_a_remedy() -> None:
    assert all(finding.remedy for finding in diagnose() if finding.state != "ok")


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("numpy>=2", "ok"),
        ("numpy>=99,<100", "fail"),
        ("no-such-package-of-ours>=1", "fail"),
        ("no-such-package-of-ours>=1; extra == 'test'", None),
    ],
)
def test_versions_are_held_against_the_bounds(
    line: str, state: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "requires", lambda name: [line])
    found = list(doctor._dependencies())
    assert [finding.state for finding in found] == ([state] if state else [])
    if state == "fail":
        assert found[0].remedy.startswith('pip install "n')


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        raise OSError("lib\nmissing")

    monkeypatch.setattr(doctor, "CHECKS", {"device": broken})
    assert diagnose() == [
        Finding("device", "OSError: lib missing", "fail", "install the project again")
    ]


def test_the_hub_token_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "hf_" + "a1B2" * 8
    monkeypatch.setenv("HF_TOKEN", token)
    found = by_name()
    assert found["hub login"].state == "ok"
    assert token not in repr(found)
    assert token[3:] not in repr(found)


@pytest.mark.parametrize(("free", "state"), [(10**8, "fail"), (2 * 10**9, "warn"), (10**12, "ok")])
def test_a_full_disk_is_seen(free: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    assert [finding.state for finding in doctor._disk()] == [state]
