from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from thaitok.config import Config, dump_toml, load_config, preset_path
from thaitok.errors import UserError


class Inner(Config):
    rate: float = Field(default=0.1, gt=0)
    kind: Literal["a", "b"] = "a"


class Outer(Config):
    out: Path
    steps: int = 10
    names: tuple[str, ...] = ()
    inner: Inner = Inner()
    maybe: Inner | None = None


class Tables(Config):
    of: dict[str, dict[str, int]] = Field(default_factory=dict)


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_file_then_flags_then_set_wins(tmp_path: Path) -> None:
    file = write(tmp_path, 'out = "x"\nsteps = 1\n[inner]\nrate = 0.2\n')
    config = load_config(Outer, file, ["inner.rate=0.4", "inner.kind=b"], steps=3, names=None)
    assert (config.out, config.steps, config.inner) == (Path("x"), 3, Inner(rate=0.4, kind="b"))


def test_a_part_of_a_key_in_quotes_may_hold_dots(tmp_path: Path) -> None:
    config = load_config(Tables, None, ['of."v1.3".epochs=2', "of.v2.epochs=3"])
    assert config.of == {"v1.3": {"epochs": 2}, "v2": {"epochs": 3}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('out = "x"\nstep = 1\n', "{file}:2: unknown key 'step'; did you mean 'steps'?"),
        (
            'out = "x"\n[inner]\nrat = 1\n',
            "{file}:3: unknown key 'inner.rat'; did you mean 'inner.rate'?",
        ),
        (
            'out = "x"\n[inner]\nrate = -1\n',
            "{file}:3: inner.rate = -1: input should be greater than 0",
        ),
        (
            "steps = 2\n",
            "{file}: 'out' is not given; give it on the command line or in a config file",
        ),
    ],
)
def test_a_wrong_key_is_answered_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UserError) as caught:
        load_config(Outer, file)
    assert str(caught.value) == message.format(file=file)


def test_a_wrong_override_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"steps = \{\"x\": 1\}: input should be a valid integer"):
        load_config(Outer, None, ["steps.x=1"], out="x")
    with pytest.raises(UserError, match=r"^--set inner\.kind=c: inner\.kind = \"c\": input should"):
        load_config(Outer, None, ["inner.kind=c"], out="x")
    with pytest.raises(UserError, match="write it as key=value"):
        load_config(Outer, None, ["steps"], out="x")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("maybe.rat=1", "unknown key 'maybe.rat'; did you mean 'maybe.rate'?"),
        ("maybe.zzz=1", "unknown key 'maybe.zzz'; known keys are maybe.rate, maybe.kind"),
        ("inner=b", "inner is a table: its keys are inner.rate, inner.kind"),
        ("maybe=b", "maybe is a table: its keys are maybe.rate, maybe.kind"),
    ],
)
def test_tables_are_answered_with_their_keys(override: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(Outer, None, [override], out="x")
    assert str(caught.value) == f"--set {override}: {message}"


@pytest.mark.parametrize("text", ["steps = ", "steps = 1\nsteps = 2\n"])
def test_broken_toml_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match="is not valid TOML") as caught:
        load_config(Outer, write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such config file"):
        load_config(Outer, tmp_path / "none.toml")


@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    rate=st.floats(1e-9, 1e9),
    steps=st.integers(-(2**53), 2**53),
)
def test_dumped_toml_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], rate: float, steps: int
) -> None:
    config = Outer(out=Path("a/b"), steps=steps, names=tuple(names), inner=Inner(rate=rate))
    file = write(tmp_path_factory.mktemp("toml"), dump_toml(config))
    assert load_config(Outer, file) == config


def test_a_folder_hides_no_preset_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "demo.toml").touch()
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    assert preset_path("demo", tmp_path / "presets") == tmp_path / "presets" / "demo.toml"
    with pytest.raises(UserError, match="no preset or config file 'presets'; presets are demo"):
        preset_path("presets", tmp_path / "presets")
