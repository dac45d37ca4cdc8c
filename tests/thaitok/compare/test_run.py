"""The comparison as a whole, its tables and page, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thaitok.cli import main
from thaitok.compare import CompareConfig, Comparison, compare, measure_boundaries, read_gold
from thaitok.compare.cuts import cut_sentences
from thaitok.compare.load import load_tokenizer_any
from thaitok.compare.page import compare_page
from thaitok.compare.tables import mean_measures, terminal_tables, text_tables

KINDS = ("bytes.json", "nfkc.model", "identity.model")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    news, chat, gold = (folder / name for name in ("news.txt", "chat.jsonl", "gold.jsonl"))
    news.write_text("แมวกินน้ำ วันนี้\nอากาศดีมาก\nทำงานที่กรุงเทพ\n", encoding="utf-8")
    chat.write_text('{"text": "deploy ระบบ online 😀"}\n{"text": "น้ำใจ"}\n', encoding="utf-8")
    record = {"tokens": ["นาย", "ดี", "กิน", "น้ำ", " ", "ดี"], "tags": ["B-P", "I-P", *"OOOO"]}
    gold.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    return {"news": news, "chat": chat, "gold": gold}


@pytest.fixture(scope="module")
def comparison(zoo: dict[str, Path], files: dict[str, Path]) -> Comparison:
    return compare(
        CompareConfig(
            tokenizers=tuple(str(zoo[kind]) for kind in KINDS),
            text=(files["news"], files["chat"]),
            gold=(files["gold"],),
            sentences=("แมว <b>😀</b>",),
        )
    )


def test_every_tokenizer_is_measured_on_everything(
    zoo: dict[str, Path], files: dict[str, Path], comparison: Comparison
) -> None:
    for found in (comparison.text, comparison.boundaries, comparison.edges, comparison.cuts):
        assert all(set(one) == set(KINDS) for one in found.values())
    assert set(comparison.domains) == {"news", "chat"}
    assert comparison.domains["chat"].latin_words == 2
    assert comparison.gold["gold"].spans == "entities"
    alone = measure_boundaries(
        load_tokenizer_any(zoo["nfkc.model"]), read_gold(files["gold"]).texts
    )
    assert comparison.boundaries["gold"]["nfkc.model"] == alone


def test_the_mean_weighs_domains_and_not_texts(comparison: Comparison) -> None:
    means = mean_measures(comparison)["nfkc.model"]
    both = [comparison.text[name]["nfkc.model"] for name in ("news", "chat")]
    assert means.tokens == sum(one.tokens for one in both)
    assert means.lost == pytest.approx(sum(one.lost or 0.0 for one in both) / 2)
    assert mean_measures(comparison)["bytes.json"].bits_own is None


def test_tables_are_best_first_and_mark_the_best(comparison: Comparison) -> None:
    table = text_tables(comparison)[0]
    place = {title: number for number, title in enumerate(table.columns)}
    figures = [float(str(row[place["tok/char"]]).strip(" *")) for row in table.rows]
    assert figures == sorted(figures)
    for title, best in (("tok/char", min), ("bytes/tok", max), ("lost", min)):
        cells = [str(row[place[title]]) for row in table.rows]
        values = [float(cell.strip(" *%")) for cell in cells]
        marked = {value for value, cell in zip(values, cells, strict=True) if "*" in cell}
        assert marked == {best(values)}
    gold = next(one for one in terminal_tables(comparison) if one.title.startswith("Gold"))
    assert gold.columns[3] == "F1"
    f1 = [float(str(row[3]).strip(" *")) for row in gold.rows]
    assert f1 == sorted(f1, reverse=True)


def test_nothing_is_marked_where_all_are_equal(comparison: Comparison) -> None:
    equal = comparison.model_copy(
        update={"text": {"news": dict.fromkeys(KINDS, comparison.text["news"]["nfkc.model"])}}
    )
    cells = [str(cell) for row in text_tables(equal)[0].rows for cell in row[3:]]
    assert not any("*" in cell for cell in cells)


def test_the_parts_of_a_sentence_are_its_text(zoo: dict[str, Path]) -> None:
    sentence = " แมว  น้ำ😀\u200bdeploy "
    for path in zoo.values():
        cut = cut_sentences(load_tokenizer_any(path), [sentence])[sentence]
        whole = "".join(part for part, _ in cut).encode()
        for byte in sorted({b for ch in sentence for b in ch.encode() if b > 127}):
            whole = whole.replace(b"\\x%02x" % byte, bytes([byte]))
        assert whole.decode() == sentence
    cut = cut_sentences(load_tokenizer_any(zoo["identity.model"]), ["แมว😀"])["แมว😀"]
    assert [part for part, unknown in cut if unknown] == ["😀"]


def test_the_page_escapes_and_shows_everything(comparison: Comparison) -> None:
    page = compare_page(comparison)
    assert "<b>😀" not in page
    for kind in KINDS:
        assert kind in page
    for title in ("Tokens in 10,000 characters: news", "Gold boundaries crossed", "Edges of"):
        assert title in page
    assert "<script" not in page


def test_gold_alone_makes_a_page(
    zoo: dict[str, Path], files: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "a" / "out"
    found = compare(
        CompareConfig(tokenizers=(str(zoo["bpe.model"]),), gold=(files["gold"],), out=out)
    )
    assert {one.name for one in out.iterdir()} == {"report.json", "report.html"}
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report == json.loads(json.dumps(found.model_dump(mode="json")))
    assert terminal_tables(found)[0].title == "Gold words: gold"


def test_the_command_prints_tables_or_json(
    zoo: dict[str, Path], files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["compare", str(zoo["nfkc.model"]), str(zoo["bytes.json"]), "--text", str(files["news"])]
    assert main([*argv, "--sentence", "แมว😀"]) == 0
    out = capsys.readouterr().out
    assert "Text: news" in out
    assert "How they cut" in out
    assert "😀\u2047\n" in out
    assert main([*argv, "--limit", "1", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["domains"]["news"]["documents"] == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "'tokenizers' is not given"),
        (["{model}"], "nothing to measure on: give --text or --gold"),
        (["none.model", "--text", "{news}"], "none.model: no such file or folder; give"),
        (["{model}", "--text", "none.txt"], "none.txt: no such file"),
        (["{model}", "{model}", "--text", "{news}"], "is given twice"),
        (["{model}", "--text", "{news}", "--limit", "0"], "limit = 0: input should be"),
        (["{model}", "--gold", "{chat}"], "has none of the known fields, but text"),
        (["{model}", "--text", "{gold}"], "has no field 'text'"),
    ],
)
def test_a_mistake_is_one_line(
    zoo: dict[str, Path],
    files: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    argv: list[str],
    said: str,
) -> None:
    paths = {name: str(path) for name, path in files.items()} | {"model": str(zoo["bpe.model"])}
    given = [one.format(**paths) for one in argv]
    assert main(["compare", *given, "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err.strip().splitlines()[-1]
    assert err.startswith("thaitok: error: ")
    assert said in err
    assert not (tmp_path / "out").exists()


def test_real_text_and_known_figures(
    tokenizer: Path, real_lines: Callable[[str, int], list[str]]
) -> None:
    from thaitok.compare import bits_fit, bits_own, measure_text

    ours = load_tokenizer_any(tokenizer)
    lines = real_lines("wiki_contexts", 200)
    found = measure_text(ours, lines)
    assert found.bits_fit == bits_fit(ours, lines)
    assert found.bits_own == bits_own(ours, lines)
    assert found.characters_per_token is not None
    assert 1 < found.characters_per_token < 5
