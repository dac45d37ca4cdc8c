"""The local Hub as huggingface_hub meets it: rights, commits, refs, cards, uploads, downloads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[[str], list[Any]]


def test_a_token_tells_its_user_its_role_and_its_repositories(hub: Any, ask: Ask) -> None:
    reader, bob = hub.token("anna", role="read"), hub.token("bob")
    told = ask(
        f"""
me = api.whoami()
tell([me["name"], me["orgs"][0]["name"], me["auth"]["accessToken"]["role"]])
tell(str(api.create_repo("anna/x")))
tell(str(api.create_repo("team/x", repo_type="dataset", private=True)))
attempt(lambda: api.create_repo("anna/x"))
attempt(lambda: api.create_repo("anna/x", exist_ok=True))
attempt(lambda: api.create_repo("bob/x"))
attempt(lambda: HfApi(token="{reader}").create_repo("anna/y"))
attempt(lambda: HfApi(token=False).create_repo("anna/y"))
attempt(lambda: HfApi(token="hf_expired").whoami())
attempt(lambda: commit("{reader}", "anna/x", {{"a": "1"}}))
attempt(lambda: commit("{bob}", "anna/x", {{"a": "1"}}))
attempt(lambda: commit(False, "anna/x", {{"a": "1"}}))
attempt(lambda: commit("{bob}", "team/x", {{"a": "1"}}, repo_type="dataset"))
attempt(lambda: commit(token, "anna/none", {{"a": "1"}}))
""",
    )
    assert told[:3] == [
        ["anna", "team", "write"],
        f"{hub.url}/anna/x",
        f"{hub.url}/datasets/team/x",
    ]
    wanted = ["HfHubHTTPError 409", "done", "HfHubHTTPError 403", "HfHubHTTPError 403"]
    wanted += ["RepositoryNotFoundError 401", "HfHubHTTPError 401", "HfHubHTTPError 403"]
    wanted += ["HfHubHTTPError 403", "RepositoryNotFoundError 401"]
    wanted += ["RepositoryNotFoundError 404"] * 2
    for one, want in zip(told[3:], wanted, strict=True):
        assert one.startswith(want), (one, want)
    assert hub.uploaded() == 0 and set(hub.repos) == {("model", "anna/x"), ("dataset", "team/x")}


def test_a_commit_is_one_and_comes_back_byte_for_byte(hub: Any, ask: Ask) -> None:
    told = ask(
        """
files = {"a/แมว.txt": "ก".encode(), "w.safetensors": bytes(range(256)) * 99, "empty.bin": b"",
         "README.md": b"---\\nlanguage: th\\nlicense: mit\\nlibrary_name: transformers\\n"
                      b"pipeline_tag: fill-mask\\n---\\n# x"}
api.create_repo("anna/x")
for _ in range(2):
    found = commit(token, "anna/x", adds(files), commit_message="one\\n\\ntwo")
    tell(found.oid)
place = snapshot_download("anna/x", revision=found.oid)
tell([open(f"{place}/{name}", "rb").read() == data for name, data in files.items()])
info = api.model_info("anna/x", files_metadata=True)
tell([info.sha, info.pipeline_tag, info.library_name, info.card_data.license, info.tags])
tell({one.rfilename: one.lfs and one.lfs.sha256 for one in info.siblings})
tell([[one.commit_id, one.title, one.authors] for one in api.list_repo_commits("anna/x")])
commit(token, "anna/x", [CommitOperationDelete("a/"), CommitOperationDelete("empty.bin")])
tell(api.list_repo_files("anna/x"))
""",
    )
    first, again, same, info, siblings, log, left = told
    assert first == again and same == [True] * 4
    assert info == [first, "fill-mask", "transformers", "mit",
                    ["transformers", "fill-mask", "th", "license:mit"]]  # fmt: skip
    sha256 = hashlib.sha256(bytes(range(256)) * 99).hexdigest()
    assert siblings == {".gitattributes": None, "README.md": None, "a/แมว.txt": None,
                        "empty.bin": None, "w.safetensors": sha256}  # fmt: skip
    assert [one[1:] for one in log] == [["one\n\ntwo", ["anna"]], ["initial commit", ["system"]]]
    assert left == [".gitattributes", "README.md", "w.safetensors"]
    assert hub.uploaded() == 1
    assert sum("/commit/" in one.path for one in hub.journal) == 2


def test_branches_tags_requests_and_stale_parents(hub: Any, ask: Ask) -> None:
    told = ask(
        f"""
api.create_repo("anna/x")
old = api.model_info("anna/x").sha
new = commit(token, "anna/x", {{"a": "1"}}, parent_commit=old).oid
attempt(lambda: commit(token, "anna/x", {{"a": "2"}}, parent_commit=old))
request = commit({hub.token("bob")!r}, "anna/x", {{"a": "3", "b.bin": "4"}}, create_pr=True)
tell([request.pr_url, request.pr_revision])
commit(token, "anna/x", {{"c": "5"}}, revision="refs/pr/1")
attempt(lambda: commit(token, "anna/x", {{"a": "6"}}, revision="dev"))
api.create_branch("anna/x", branch="dev", revision=old)
attempt(lambda: api.create_branch("anna/x", branch="dev"))
api.create_branch("anna/x", branch="dev", exist_ok=True)
commit(token, "anna/x", {{"a": "7"}}, revision="dev")
api.create_tag("anna/x", tag="v1", revision=new)
attempt(lambda: api.create_tag("anna/x", tag="v1"))
refs = api.list_repo_refs("anna/x", include_pull_requests=True)
tell([[one.name for one in refs.branches], [one.name for one in refs.tags],
      [one.ref for one in refs.pull_requests]])
for revision in ("main", "v1", "dev", "refs/pr/1"):
    tell([api.list_repo_files("anna/x", revision=revision),
          open(hf_hub_download("anna/x", "a", revision=revision)).read()])
api.delete_repo("anna/x")
tell(api.repo_exists("anna/x"))
""",
    )
    assert told[0].startswith("HfHubHTTPError 412")
    assert told[1] == [f"{hub.url}/anna/x/discussions/1", "refs/pr/1"]
    assert told[2].startswith("RevisionNotFoundError 404")
    assert all(one.startswith("HfHubHTTPError 409") for one in told[3:5])
    assert told[5] == [["main", "dev"], ["v1"], ["refs/pr/1"]]
    main, tag, dev, pull = told[6:10]
    assert main == tag == [[".gitattributes", "a"], "1"] and dev[1] == "7"
    assert pull == [[".gitattributes", "a", "b.bin", "c"], "3"] and told[10] is False


def test_a_card_is_judged_before_anything_is_sent(hub: Any, ask: Ask) -> None:
    cards = ["language: thai", "license: my-own", "a: [", "model-index: [{results: []}]"]
    fronts = [f"---\n{one}\n---\n# x" for one in cards]
    told = ask(
        f"""
api.create_repo("anna/x")
for card in {fronts!r}:
    attempt(lambda: commit(token, "anna/x", {{"README.md": card, "w.bin": "1"}}))
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    attempt(lambda: commit(token, "anna/x", {{"README.md": "# x"}}))
tell(str(said[0].message))
""",
    )
    words = ["ISO 639-1", '"license" must be one of', "Invalid YAML", '[0].name" is required']
    assert [word in one for word, one in zip(words, told, strict=False)] == [True] * 4
    assert all(one.startswith("ValueError") for one in told[:4]) and told[4] == "done"
    assert "missing yaml metadata" in told[5] and hub.uploaded() == 0


def test_private_and_gated_are_kept_from_strangers(hub: Any, ask: Ask) -> None:
    told = ask(
        f"""
bob = {hub.token("bob")!r}
api.create_repo("anna/x", private=True)
commit(token, "anna/x", {{"config.json": "{{}}"}})
def get(token):
    with tempfile.TemporaryDirectory() as cache:
        attempt(lambda: hf_hub_download("anna/x", "config.json", token=token, cache_dir=cache))
get(False); get(bob); get(token)
api.update_repo_settings("anna/x", visibility="public", gated="manual")
get(False); get(bob); get(token)
tell([api.model_info("anna/x").gated, api.model_info("anna/x").private])
""",
    )
    starts = ["RepositoryNotFoundError 401", "RepositoryNotFoundError 404", "done"]
    starts += ["GatedRepoError 401", "GatedRepoError 403", "done"]
    assert [one.startswith(start) for one, start in zip(told, starts, strict=False)] == [True] * 6
    assert told[6] == ["manual", False]


def test_large_files_go_up_in_parts_and_only_once(hub: Any, ask: Ask) -> None:
    hub.part_size = 100_000
    hub.trouble("/store/upload/", status=503, times=2)
    hub.trouble("/store/upload/.*/2", cut_upload_after=30_000)
    hub.trouble("/commit/", status=500, times=1)
    code = """
api.create_repo("anna/x", exist_ok=True)
big = {f"{n}.bin": bytes([n]) * 250_000 for n in range(2)}
attempt(lambda: commit(token, "anna/x", adds(big)))
"""
    (failed,) = ask(code)
    assert failed.startswith("HfHubHTTPError 500")
    sent = [one for one in hub.journal if one.method == "PUT"]
    assert sorted(one.received for one in sent if one.status == 200) == [50_000] * 2 + [100_000] * 4
    assert [one.status for one in sent].count(503) == 2 and [one.status for one in sent].count(
        0
    ) == 1
    hub.journal.clear()
    hub.trouble("/commit/", status=500, done=True)
    told = ask(code + code + "tell(len(api.list_repo_commits('anna/x')))")
    assert told[0].startswith("HfHubHTTPError 500") and told[1:] == ["done", 2]
    assert hub.uploaded() == 0 and sum("/commit/" in one.path for one in hub.journal) == 1


def test_a_large_file_that_never_came_is_refused(hub: Any, ask: Ask) -> None:
    (said,) = ask(
        """
import huggingface_hub._commit_api as inside
api.create_repo("anna/x")
sends, inside._upload_lfs_files = inside._upload_lfs_files, lambda **how: None
attempt(lambda: commit(token, "anna/x", {"w.bin": "1"}))
inside._upload_lfs_files = sends
""",
    )
    assert said.startswith("BadRequestError 400") and "not uploaded" in said
    assert len(hub.repos["model", "anna/x"].commits) == 1


def test_a_cut_download_goes_on_where_it_ended(hub: Any, ask: Ask) -> None:
    data = os.urandom(6 << 20)
    hub.commit(hub.repo("org/x", kind="model"), {"w.bin": data})
    hub.trouble("/store/", cut_after=1 << 20, method="GET")
    (told,) = ask(
        """
import huggingface_hub
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 1 << 18  # what a cut loses at most: 10 MB
tell(hf_hub_download("org/x", "w.bin"))
"""
    )
    assert Path(told).read_bytes() == data
    got = [one for one in hub.journal if "/store/" in one.path and one.method == "GET"]
    assert [one.sent for one in got] == [1 << 20, 5 << 20] and got[1].range
