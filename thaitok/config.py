"""Configs: one TOML a run, checked by pydantic; a wrong key is answered with the nearest one."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from thaitok.errors import UserError


class Config(BaseModel):
    """Base of every stage's config: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


C = TypeVar("C", bound=Config)


def load_config(
    kind: type[C],
    file: Path | None = None,
    overrides: Sequence[str] = (),
    **flags: Any,
) -> C:
    """Build a config from a TOML file, then flags, then `key=value` overrides, last wins.

    `overrides` are written `a.b=VALUE` with VALUE in TOML (a bare word is taken as a string).
    Flags that are None are left out. Raises `UserError` with the key, the value, the line of
    the file, and the nearest right key.
    """
    values = _read_toml(file) if file else {}
    for key, value in flags.items():
        if value is not None:
            _set(values, key.split("."), value, f"--{key}")
    for override in overrides:
        key, found, text = override.partition("=")
        if not found or not key.strip():
            raise UserError(f"--set {override}: write it as key=value")
        _set(values, _key_parts(key.strip()), _parse_value(text.strip()), f"--set {override}")
    try:
        return kind.model_validate(values)
    except ValidationError as err:
        raise _explain(err, kind, file, overrides) from None


def preset_path(name: str | Path, presets: Path) -> Path:
    """Return the TOML of a preset of that folder, or the path itself when it is no preset's name.

    Raises `UserError` for a name that is neither, with the presets there are.
    """
    path, preset = Path(name), presets / f"{name}.toml"
    # A folder is none: `make demo` makes one of a preset's name.
    if path.is_file() or path.suffix or len(path.parts) > 1:
        return path
    if not preset.is_file():
        known = ", ".join(sorted(one.stem for one in presets.glob("*.toml")))
        raise UserError(f"no preset or config file {str(name)!r}", do=f"presets are {known}")
    return preset


def dump_toml(config: Config) -> str:
    """Write a config as TOML that `load_config` reads back to an equal config.

    Fields that are None are left out, since TOML has no null.
    """
    return "\n".join(_toml_lines(config.model_dump(mode="json", exclude_none=True), ())) + "\n"


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError("no such config file", where=file) from None
    except IsADirectoryError:
        raise UserError("is a folder, not a config file", where=file) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", where=file, do="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as err:
        raise UserError(f"is not valid TOML: {err}", where=file) from None


def _set(values: dict[str, Any], path: Sequence[str], value: Any, said: str) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise UserError(f"{said}: {part!r} is a value, not a table")
    values[path[-1]] = value


def _key_parts(key: str) -> list[str]:
    """Return the parts of a dotted key; one in quotes may hold dots itself, as in TOML."""
    try:
        below: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return key.split(".")
    parts: list[str] = []
    while isinstance(below, dict):
        ((part, below),) = below.items()
        parts.append(part)
    return parts


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(
    error: ValidationError, kind: type[Config], file: Path | None, overrides: Sequence[str]
) -> UserError:
    # A misspelt key explains a missing one.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    key = ".".join(path)
    where = _locate(path, file, overrides)
    if first["type"] == "extra_forbidden":
        near = _nearest(kind, path)
        return UserError(f"unknown key {key!r}", where=where, do=near)
    if first["type"] == "missing":
        do = "give it on the command line or in a config file"
        return UserError(f"{key!r} is not given", where=where, do=do)
    if first["type"] == "model_type" and (fields := _fields(kind, path)):
        said = f"{key} is a table: its keys are " + ", ".join(f"{key}.{one}" for one in fields)
        return UserError(said, where=where)
    said = first["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    if first["type"] == "value_error" and isinstance(first["input"], dict):
        # A check over several keys names them itself.
        return UserError(said, where=where or file)
    value = json.dumps(first["input"], ensure_ascii=False, default=str)
    return UserError(f"{key} = {value}: {said}", where=where)


def _nearest(kind: type[Config], path: Sequence[str]) -> str:
    fields = _fields(kind, path[:-1])
    if not fields:
        return ""
    close = difflib.get_close_matches(path[-1], fields, n=1, cutoff=0.5)
    prefix = ".".join([*path[:-1], ""])
    if close:
        return f"did you mean {prefix + close[0]!r}?"
    return "known keys are " + ", ".join(prefix + field for field in fields)


def _fields(kind: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Names of the fields below `path`, walking nested config models, optional ones too."""
    for part in path:
        annotation = kind.model_fields[part].annotation if part in kind.model_fields else None
        tables = [
            one
            for one in (annotation, *get_args(annotation))
            if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        if not tables:
            return []
        kind = tables[0]
    return list(kind.model_fields)


def _locate(path: Sequence[str], file: Path | None, overrides: Sequence[str]) -> str | None:
    """Say where a key was given: `--set`, or FILE:LINE, or FILE, or None for a flag."""
    key = ".".join(path)
    for override in overrides:
        if override.partition("=")[0].strip() == key:
            return f"--set {override}"
    if file is None:
        return None
    table = ""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = header[1].strip() + "."
        elif (name := re.match(r"\s*([\w.-]+)\s*=", line)) and table + name[1] == key:
            return f"{file}:{number}"
    return str(file)


def _toml_lines(values: Mapping[str, Any], table: tuple[str, ...]) -> Iterator[str]:
    for key, value in values.items():
        if not isinstance(value, Mapping):
            # JSON's strings, numbers, booleans and lists are TOML's too, but for one character.
            text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
            yield f"{key} = {text}"
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield f"\n[{'.'.join((*table, key))}]"
            yield from _toml_lines(value, (*table, key))
