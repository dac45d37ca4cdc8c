"""What is loaded as a tokenizer, and what is one clear line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from thaitok.compare.load import distinct_names, load_tokenizer_any
from thaitok.compare.patterns import CL100K, pattern_of
from thaitok.compare.spans import block_of
from thaitok.errors import UserError


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bytes.json", "byte BPE"),
        ("metaspace.json", "unigram"),
        ("gpt2.tiktoken", "byte BPE"),
        ("nfkc.model", "unigram"),
        ("bpe.model", "BPE"),
    ],
)
def test_every_kind_encodes_and_decodes(zoo: dict[str, Path], kind: str, said: str) -> None:
    tokenizer = load_tokenizer_any(zoo[kind])
    assert (tokenizer.name, tokenizer.kind) == (kind, said)
    ids = tokenizer.ids(["แมวกินแมว"])
    assert tokenizer.decode(ids) == ["แมวกินแมว"]
    assert all(0 <= one < tokenizer.size for one in ids[0])
    assert len(tokenizer.encode(block_of([])).ids) == 0
    assert (tokenizer.scores is not None) == (said == "unigram")


def test_a_folder_goes_through_autotokenizer(tokenizer: Path) -> None:
    ours = load_tokenizer_any(tokenizer)
    text = "แมวนั่งอยู่บนเสื่อ วันนี้"
    plain = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    assert list(ours.ids([text])[0]) == plain.encode(text, add_special_tokens=False).ids
    assert ours.kind == "unigram"


def test_a_folder_of_one_file_is_that_file(zoo: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(zoo["bpe.model"], tmp_path / "one.model")
    assert load_tokenizer_any(tmp_path).kind == "BPE"
    shutil.copy(zoo["bpe.model"], tmp_path / "two.model")
    with pytest.raises(UserError, match=r"several tokenizers: one\.model, two\.model"):
        load_tokenizer_any(tmp_path)


def test_remote_code_is_never_run(tmp_path: Path, zoo: dict[str, Path]) -> None:
    ran = tmp_path / "ran"
    code = f"from pathlib import Path\nPath({str(ran)!r}).touch()\nclass Mine: pass\n"
    (tmp_path / "mine.py").write_text(code)
    settings = {"tokenizer_class": "Mine", "auto_map": {"AutoTokenizer": ["mine.Mine", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="AutoTokenizer does not load it"):
        load_tokenizer_any(tmp_path)
    assert not ran.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.model", b"no model", "is no tokenizer: "),
        ("empty.model", b"", "is no tokenizer: "),
        ("broken.json", b"{", "is no tokenizer: "),
        ("other.json", b'{"a": 1}', "is no tokenizer: "),
        ("broken.tiktoken", b"IQ== 0\n%% 1\n", "broken.tiktoken:2: is no token and rank"),
        ("short.tiktoken", b"IQ== 0\n", "has no token for the byte 0x00"),
        ("model.bin", b"x", r"\.bin is no tokenizer's; give a tokenizer folder"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        load_tokenizer_any(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no tokenizer; give"):
        load_tokenizer_any(tmp_path)
    for missing in (tmp_path / "none", "./none", "none.model", "a/b/c"):
        with pytest.raises(UserError, match="no such file or folder"):
            load_tokenizer_any(missing)


def test_a_mistyped_folder_is_one_line_and_quick_where_the_hub_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    for name in ("nope-none", "nope/none"):
        with pytest.raises(UserError, match="no such folder, and the Hub cannot be reached; give"):
            load_tokenizer_any(name)
    assert not caplog.records


def test_names_tell_tokenizers_apart() -> None:
    assert distinct_names(["a/tokenizer", "b/tokenizer", "c/spm.model"]) == (
        "a/tokenizer", "b/tokenizer", "spm.model",
    )  # fmt: skip
    assert distinct_names(["x/a/t", "y/a/t", "z/t"]) == ("x/a/t", "y/a/t", "z/t")
    with pytest.raises(UserError, match="is given twice"):
        distinct_names(["a", "b", "a"])


def test_one_tokenizer_spelled_in_two_ways_is_given_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tok").mkdir()
    (tmp_path / "link").symlink_to("tok")
    for again in ("./tok", "tok/", str(tmp_path / "tok"), "link", "link/../tok"):
        with pytest.raises(UserError, match="is given twice"):
            distinct_names(["tok", again])
    with pytest.raises(UserError, match="is given twice"):
        distinct_names(["org/name", "org/name/"])
    (tmp_path / "other" / "tok").mkdir(parents=True)
    assert distinct_names(["tok", "other/tok"]) == (f"{tmp_path.name}/tok", "other/tok")
    monkeypatch.chdir("tok")
    assert distinct_names([".", "../other/tok"]) == (f"{tmp_path.name}/tok", "other/tok")


def test_a_rank_file_of_unknown_name_says_so(zoo: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(zoo["gpt2.tiktoken"], tmp_path / "mine.tiktoken")
    note = load_tokenizer_any(tmp_path / "mine.tiktoken").notes[0]
    assert note == "mine.tiktoken is of no known name: cut by the pattern of cl100k"
    assert pattern_of(Path("x/mine.tiktoken"))[0] == CL100K
    assert load_tokenizer_any(zoo["gpt2.tiktoken"]).notes == ("cut by the pattern of gpt2",)


def test_whispers_empty_token_is_left_out(zoo: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "multilingual.tiktoken"
    path.write_bytes(zoo["gpt2.tiktoken"].read_bytes() + b"= 999\n")
    whole = load_tokenizer_any(zoo["gpt2.tiktoken"])
    assert load_tokenizer_any(path).ids(["แมว 1"]) == whole.ids(["แมว 1"])
