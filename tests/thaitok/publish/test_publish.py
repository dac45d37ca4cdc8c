"""Publishing on the local Hub by the real client: one commit or nothing, and back again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

Publish = Callable[..., tuple[int, str, str]]
Made = Callable[..., Path]
While = Callable[[str], tuple[str, list[str]]]
KINDS = ("tokenizer", "mlm", "sentiment", "ner", "pos", "qa", "corpus", "export")


PLAIN = """
import sys
for name in ("thaitok", "corpora", "pretrain", "finetune"):
    sys.modules[name] = None
from transformers import pipeline
print(pipeline("text-classification", model="anna/sentiment")("อาหาร อร่อยมาก")[0]["label"])
"""


def there(
    hub: Any, name: str, kind: str = "model", ref: str = "refs/heads/main"
) -> dict[str, bytes]:
    """Return what a repo holds, without what the Hub itself puts there."""
    repo = hub.repos[(kind, name)]
    tree = repo.commits[repo.refs[ref]].items()
    return {path: blob.file.read_bytes() for path, blob in tree if path != ".gitattributes"}


def commits(hub: Any) -> int:
    return sum("/commit/" in one.path and one.method == "POST" for one in hub.journal)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_up_in_one_commit_and_comes_back(
    hub: Any, publish: Publish, made: Made, hub_env: dict[str, str], tmp_path: Path, kind: str
) -> None:
    source = made(kind)
    code, out, err = publish(source, kind, "--yes")  # to the token's user
    assert code == 0, err
    repo_type = "dataset" if kind == "corpus" else "model"
    files = there(hub, f"anna/{kind}", repo_type)
    assert commits(hub) == 1
    assert out.splitlines()[-1].endswith("/datasets/anna/corpus" if kind == "corpus" else kind)
    card = files.pop("README.md").decode()
    assert "license: cc0-1.0" in card and f"anna/{kind}" in card
    assert files == {name: (source / name).read_bytes() for name in files}
    main = {"corpus": "part-00000.jsonl.zst", "tokenizer": "spm.model",
            "export": "onnx/model.onnx"}  # fmt: skip
    assert main.get(kind, "model.safetensors") in files
    assert not {"manifest.json", "report.json"} & set(files)
    asked = [one.path for one in hub.journal if "/resolve/" in one.path]
    assert all(any(path.endswith(name) for path in asked) for name in files)
    if kind == "sentiment":
        done = subprocess.run(
            [sys.executable, "-c", PLAIN], env={**hub_env, "HF_HOME": str(tmp_path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.strip() in ("ดี", "ไม่ดี", "เฉย")


def test_what_is_there_already_gets_no_commit(hub: Any, publish: Publish, folder: Path) -> None:
    assert publish(folder, "anna/x", "--yes")[0] == 0
    hub.journal.clear()
    code, out, err = publish(folder, "anna/x", "--yes")
    assert code == 0 and "nothing to do" in err and out.endswith("/anna/x\n")
    assert {one.method for one in hub.journal} <= {"GET", "HEAD"}
    (folder / "LICENSE").write_text("CC0", encoding="utf-8")
    code, out, _ = publish(folder, "anna/x", "--yes", "--tag", "v2")
    assert code == 0 and hub.uploaded() == 0  # one small file, within the commit
    repo = hub.repos[("model", "anna/x")]
    assert repo.refs["refs/tags/v2"] == repo.refs["refs/heads/main"]
    assert there(hub, "anna/x")["LICENSE"] == b"CC0"
    hub.journal.clear()
    assert publish(folder, "anna/x", "--yes", "--tag", "v3")[0] == 0
    assert repo.refs["refs/tags/v3"] == repo.refs["refs/heads/main"] and commits(hub) == 0


def test_a_dry_run_shows_what_is_different_and_writes_nothing(
    hub: Any, publish: Publish, folder: Path
) -> None:
    code, out, _ = publish(folder, "anna/x", "--dry-run", token=None)
    assert code == 0 and "tokenizer.json" in out and "added" in out
    assert publish(folder, "anna/x", "--yes")[0] == 0
    files = {"notes.txt": b"mine", "spm.model": b"other", "LICENSE": b"MIT", "a.onnx": b""}
    hub.commit(hub.repo("anna/x", "model"), files)
    hub.journal.clear()
    code, out, _ = publish(folder, "anna/x", "--dry-run", "--json", token=None)
    what = {one["name"]: one["what"] for one in json.loads(out)["changes"]}
    assert code == 0 and {one.method for one in hub.journal} <= {"GET", "HEAD"}
    assert any("LICENSE there stays" in note for note in json.loads(out)["notes"])
    assert what.pop("notes.txt") == "kept" and what.pop("spm.model") == "changed"
    assert set(what.values()) == {"unchanged", "kept"}


def test_what_is_fetched_again_is_not_taken_from_a_cache(
    publish: Publish, publisher: Any, made: Made
) -> None:
    for kind in ("tokenizer", "corpus"):
        assert publish(made(kind), f"anna/{kind}", "--yes")[0] == 0
    ((cached,),) = publisher(
        "from pathlib import Path\n"
        "tell([[path.name for path in Path(os.environ['HF_HOME']).rglob('*--anna--*')]])"
    )
    assert cached == []


def test_a_dry_run_needs_no_hub(publish: Publish, folder: Path) -> None:
    code, out, err = publish(folder, "anna/x", "--dry-run", "--endpoint", "http://127.0.0.1:9")
    assert code == 0 and "the Hub cannot be asked" in err and "tokenizer.json" in out


def test_weights_of_before_do_not_stay_beside_the_new(
    hub: Any, publish: Publish, made: Made
) -> None:
    shard = {"model-00001-of-00002.safetensors": b"old", "model.safetensors.index.json": b"{}"}
    hub.commit(hub.repo("anna/m", "model"), {**shard, "picture.png": b"kept"})
    assert publish(made("mlm"), "anna/m", "--yes")[0] == 0
    names = set(there(hub, "anna/m"))
    assert not names & set(shard) and {"picture.png", "model.safetensors"} <= names


def test_what_old_tokenizers_had_does_not_change_ours(
    hub: Any, publish: Publish, folder: Path
) -> None:
    old = {"special_tokens_map.json": b'{"mask_token": "<blank>"}', "a/vocab.txt": b"by hand"}
    hub.commit(hub.repo("anna/x", "model"), old)
    code, _, err = publish(folder, "anna/x", "--yes", "--revision", "next")
    assert code == 0, err
    names = set(there(hub, "anna/x", ref="refs/heads/next"))
    assert "special_tokens_map.json" not in names and "a/vocab.txt" in names
    code, _, _ = publish(folder, "anna/x", "--yes", "--revision", "other")
    assert code == 0
    again = hub.repos[("model", "anna/x")].refs
    code, _, err = publish(folder, "anna/x", "--yes", "--revision", "next", "--tag", "v1")
    assert code == 0 and again["refs/tags/v1"] == again["refs/heads/next"]
    code, _, err = publish(folder, "anna/x", "--yes", "--revision", "v1")
    assert code == 2 and "v1 is a tag there" in err


def test_weights_that_are_no_numbers_are_not_sent(
    hub: Any, publish: Publish, made: Made, tmp_path: Path
) -> None:
    broken = shutil.copytree(made("sentiment"), tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["classifier.out_proj.bias"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    code, _, err = publish(broken, "anna/x", "--yes")
    assert code == 2 and "no finite numbers" in err and not hub.repos


def test_a_corpus_s_own_card_is_tried_before_it_is_sent(
    hub: Any, publish: Publish, made: Made, tmp_path: Path
) -> None:
    corpus = shutil.copytree(made("corpus"), tmp_path / "corpus")
    front = "configs:\n- config_name: default\n  data_files: train.jsonl\n"
    (corpus / "README.md").write_text(f"---\n{front}---\n# Mine\n", encoding="utf-8")
    code, _, err = publish(corpus, "anna/x", "--yes")
    assert code == 2 and "it cannot be loaded" in err and not hub.repos


def test_an_export_does_not_take_its_model_s_place(hub: Any, publish: Publish, made: Made) -> None:
    hub.commit(hub.repo("anna/m", "model"), {"model.safetensors": b"weights"})
    code, _, err = publish(made("export"), "anna/m", "--yes")
    assert code == 2 and "holds the model itself" in err


def test_a_branch_a_pull_request_and_a_private_repo(
    hub: Any, publish: Publish, folder: Path
) -> None:
    assert publish(folder, "team/x", "--yes", "--private")[0] == 0
    repo = hub.repos[("model", "team/x")]
    assert repo.private
    (folder / "LICENSE").write_text("CC0", encoding="utf-8")
    assert publish(folder, "team/x", "--yes", "--revision", "next")[0] == 0
    assert "LICENSE" in there(hub, "team/x", ref="refs/heads/next")
    assert "LICENSE" not in there(hub, "team/x")
    hub.commit(hub.repo("bert/x", "model"), {"config.txt": b""})
    code, out, err = publish(folder, "bert/x", "--yes", "--create-pr")
    assert code == 0, err
    assert "discussions" in out and "LICENSE" in there(hub, "bert/x", ref="refs/pr/1")
    assert set(there(hub, "bert/x")) == {"config.txt"}


def test_a_corpus_too_large_for_one_commit_goes_up_in_several(
    hub: Any, publisher: Any, anna: str, made: Made, tmp_path: Path
) -> None:
    source = shutil.copytree(made("corpus"), tmp_path / "corpus")
    manifest = json.loads((source / "manifest.json").read_bytes())
    for number in (1, 2, 3):
        name = f"part-0000{number}.jsonl.zst"
        shutil.copyfile(source / "part-00000.jsonl.zst", source / name)
        manifest["files"].append({**manifest["files"][0], "name": name})
    (source / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    fields = {"folder": str(source), "repo": "anna/big", "license": "mit", "files_at_once": 3}
    code = f"os.environ['HF_TOKEN'] = {anna!r}\nconfig = PublishConfig(**{fields!r})\n"
    ((notes, changed),) = publisher(
        code + "plan = []\nfound = publish_folder(config, lambda one: plan.append(one) or True)\n"
        "tell([plan[0].notes, found.changed])"
    )
    assert changed and "too many for one commit" in notes[0]
    assert len(there(hub, "anna/big", "dataset")) == 5
    assert publisher(code + "tell(publish_folder(config).changed)") == [False]
    old = {f"part-0001{number}.jsonl.zst": b"old" for number in range(4)}
    old |= {f"part-0000{number}.jsonl.zst": b"old" for number in range(4)}
    hub.commit(hub.repos[("dataset", "anna/big")], old)
    assert publisher(code + "tell(publish_folder(config).changed)") == [True]
    assert len(there(hub, "anna/big", "dataset")) == 5


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"token": None}, "no Hub token; log in with `hf auth login` or set HF_TOKEN"),
        ({"token": "hf_" + "x" * 34}, "the Hub does not accept the token"),
        ({"repo": "bert/x"}, "the token is anna's, not bert's"),
        ({"license": "apache2"}, "did you mean 'apache-2.0'?"),
        ({"repo": "anna/taken"}, "is a dataset repo, and a tokenizer goes to a model repo"),
        ({"repo": "anna/model"}, "holds a model, whose tokenizer would be replaced alone"),
        ({"repo": "anna/public", "flags": ("--private",)}, "is public already"),
        ({"repo": "anna/public", "flags": ("--tag", "v1")}, "has the tag v1 already"),
        ({"repo": "anna/none", "flags": ("--create-pr",)}, "no such repo to open a pull request"),
        ({"flags": ("--create-pr", "--tag", "v1")}, "a pull request has a branch of its own"),
        ({"flags": ("--tag", "a tag")}, 'tag = "a tag": write letters'),
        ({"flags": ("--revision", "a..b")}, 'revision = "a..b": write letters'),
        ({"flags": ("--endpoint", "hub")}, "hub is no address of a Hub"),
        ({"flags": ("--endpoint", "http://127.0.0.1:9")}, "the Hub cannot be reached"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    hub: Any, publish: Publish, folder: Path, flags: dict[str, Any], said: str
) -> None:
    hub.commit(hub.repo("anna/taken", "dataset"), {"a": b""})
    hub.commit(hub.repo("anna/model", "model"), {"config.json": b"{}"})
    at = hub.commit(hub.repo("anna/public", "model"), {"a": b""})
    hub.repos[("model", "anna/public")].refs["refs/tags/v1"] = at
    repos, how = set(hub.repos), {"repo": "anna/x", "flags": ()} | flags
    code, _, err = publish(folder, how.pop("repo"), "--yes", *how.pop("flags"), **how)
    assert code == 2 and said in err, err
    last = err.splitlines()[-1]
    assert last.startswith("thaitok: error: ") and said in last and "Traceback" not in err
    assert set(hub.repos) == repos and commits(hub) == 0 and hub.uploaded() == 0


def test_a_token_that_may_only_read_is_told_so(hub: Any, publish: Publish, folder: Path) -> None:
    code, _, err = publish(folder, "anna/x", "--yes", token=hub.token("anna", role="read"))
    assert code == 2 and "may read and not write" in err and not hub.repos


def test_nobody_to_ask_is_told_before_anything_is_sent(
    hub: Any, publish: Publish, folder: Path
) -> None:
    code, _, err = publish(folder, "anna/x")
    assert code == 2 and "give --yes" in err and not hub.repos


def test_a_model_that_does_not_load_is_not_sent(
    hub: Any, publish: Publish, made: Made, tmp_path: Path
) -> None:
    broken = shutil.copytree(made("sentiment"), tmp_path / "broken")
    config = json.loads((broken / "config.json").read_bytes())
    (broken / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    code, _, err = publish(broken, "anna/x", "--yes")
    assert code == 2 and "finds no weights for" in err and not hub.repos


OTHER = 'api.create_commit("anna/x", [CommitOperationAdd("b", b"2")], commit_message="other")'


def test_a_file_that_changes_meanwhile_is_not_committed(hub: Any, publish_while: While) -> None:
    said, names = publish_while('(folder / "spm.model").write_bytes(b"other")')
    assert "spm.model: changed meanwhile" in said and names == [".gitattributes"]


def test_a_repo_made_meanwhile_is_not_written_to(hub: Any, publish_while: While) -> None:
    said, names = publish_while(f'api.create_repo("anna/x"); {OTHER}')
    assert "the Hub answered 409" in said and "b" in names and "spm.model" not in names


def test_another_commit_meanwhile_is_not_overrun(hub: Any, publish_while: While) -> None:
    hub.commit(hub.repo("anna/x", "model"), {"a": b"1"})
    said, names = publish_while(OTHER)
    assert "somebody else changed the repo meanwhile, and nothing was committed" in said
    assert {"a", "b"} <= set(names) and "tokenizer.json" not in names


def test_what_stays_here_is_not_tried(hub: Any, publish: Publish, folder: Path) -> None:
    # It changes what is loaded here, and would not be there.
    (folder / "special_tokens_map.json").write_text('{"mask_token": "<s>"}', encoding="utf-8")
    code, _, err = publish(folder, "anna/x", "--yes")
    assert code == 0 and "special_tokens_map.json" not in there(hub, "anna/x"), err


def test_a_hub_that_is_busy_is_tried_again(hub: Any, publish: Publish, folder: Path) -> None:
    put = hub.trouble("/store/upload/", status=503, times=2, method="PUT")
    read = hub.trouble("/api/models/anna/x", status=503, method="GET")
    code, _, err = publish(folder, "anna/x", "--yes")
    assert code == 0, err
    assert put.times == read.times == 0 and commits(hub) == 1


def test_a_commit_that_failed_sends_no_file_twice(hub: Any, publish: Publish, folder: Path) -> None:
    hub.trouble("/commit/", status=500, method="POST", times=9)
    code, _, err = publish(folder, "anna/x", "--yes")
    assert code == 2 and "run the same command again" in err and "Traceback" not in err
    assert set(there(hub, "anna/x")) == set()  # the repo is there, and empty
    sent = hub.uploaded()
    assert sent > 0
    hub.troubles.clear()
    assert publish(folder, "anna/x", "--yes")[0] == 0
    assert hub.uploaded() == sent and "spm.model" in there(hub, "anna/x")


def test_a_download_that_is_cut_is_taken_up(hub: Any, publish: Publish, folder: Path) -> None:
    # The client keeps what came in pieces of 10 MB.
    (folder / "LICENSE").write_text("CC0 1.0\n" * 3_000_000, encoding="utf-8")
    cut = hub.trouble(r"^/store/[0-9a-f]{64}\S*LICENSE", cut_after=15_000_000, method="GET")
    code, _, err = publish(folder, "anna/x", "--yes")
    assert code == 0 and cut.times == 0, err
    ranges = [one.range for one in hub.journal if one.range and "LICENSE" in one.path]
    assert ranges == ["bytes=10485760-"]


def command(folder: Path, *flags: str) -> list[str]:
    verb = [sys.executable, "-m", "thaitok", "publish", str(folder), "--repo", "anna/x"]
    return [*verb, "--license", "mit", "--yes", *flags]


def test_a_full_disk_at_the_end_says_that_the_commit_is_there(
    hub: Any, anna: str, folder: Path, hub_env: dict[str, str]
) -> None:
    limited = ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *command(folder)]
    done = subprocess.run(
        limited, env={**hub_env, "HF_TOKEN": anna}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "no space left" in done.stderr, done.stderr
    assert "was committed as" in done.stderr and "Traceback" not in done.stderr
    assert "spm.model" in there(hub, "anna/x") and anna not in done.stderr + done.stdout


def test_ctrl_c_leaves_no_half_of_a_commit(
    hub: Any, anna: str, folder: Path, hub_env: dict[str, str], publish: Publish
) -> None:
    waits = hub.trouble("/store/upload/", status=503, times=99, method="PUT")
    run = subprocess.Popen(
        command(folder), env={**hub_env, "HF_TOKEN": anna}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while waits.times > 97 and run.poll() is None:
        pass
    os.killpg(run.pid, 2)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "stopped; run the same command again" in err, err
    assert "Traceback" not in err and anna not in out + err
    assert there(hub, "anna/x") == {}
    hub.troubles.clear()
    assert publish(folder, "anna/x", "--yes")[0] == 0


def test_no_token_is_left_anywhere(hub: Any, anna: str, folder: Path, publish: Publish) -> None:
    assert publish(folder, "anna/x", "--yes", "--message", "words")[0] == 0
    for content in there(hub, "anna/x").values():
        assert anna.encode() not in content
    for path in folder.parent.rglob("*"):
        assert not path.is_file() or anna.encode() not in path.read_bytes()
    assert all(anna not in one.path for one in hub.journal)
    assert all(one.token is None for one in hub.journal if one.host == "localhost")
