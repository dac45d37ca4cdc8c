from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import datasets
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from finetune.data.sources import find_files, read_file
from finetune.data.splits import load_task
from finetune.data.tasks import describe_task, find_task, own_task
from thaitok.errors import UserError

ROWS = [{"text": f"ข้อความ, {n}", "label": "ab"[n % 2]} for n in range(20)]


def packed(name: str, data: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(data)
    return zstandard.compress(data) if name.endswith(".zst") else data


def table(delimiter: str) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["text", "label"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    return stream.getvalue().encode()


JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in ROWS).encode()
FILES = {
    "train.jsonl": JSONL,
    "train.jsonl.gz": JSONL,
    "train.jsonl.zst": JSONL,
    "train.json": json.dumps(ROWS).encode(),
    "my-train.json": json.dumps({"data": ROWS}).encode(),
    "training.csv": b"\xef\xbb\xbf" + table(","),
    "train.csv.gz": table(";"),
    "train.tsv": table("\t"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(packed(name, FILES[name]))
    data = load_task(own_task("sequence"), tmp_path)
    rows = [*data.train, *data.validation, *data.test]
    assert sorted(row.text for row in rows) == sorted(row["text"] for row in ROWS)
    assert {(row.text, *row.gold) for row in rows} == {(r["text"], r["label"]) for r in ROWS}
    assert all(row.where.startswith(str(tmp_path / name)) for row in rows)
    assert data.files == (tmp_path / name,)
    # The file itself may be given, too.
    assert load_task(own_task("sequence"), tmp_path / name).train == data.train


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))),
        min_size=1,
    )
)
def test_tables_give_back_what_was_written(rows: list[tuple[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("a,b",), *rows])
    path = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    file = path / "finetune-sources-test.csv"
    file.write_bytes(stream.getvalue().encode())
    try:
        assert [row["a,b"] for _, row in read_file(file, "sequence")] == [row[0] for row in rows]
    finally:
        file.unlink()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('text,label\n"ก\nข",a\nค\n', "data.csv:4: 1 cells below 2 columns"),
        ('text,label\nก,a\n"ก\n', "data.csv:3: is no table"),
        ("text,label\nก,a\n\nก,\n", "data.csv:4: label '' is not a name"),
        ("text,mood\nก,a\n", "data.csv:2: has no column 'label'; its columns are text, mood"),
    ],
)
def test_a_bad_line_of_a_table_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_task(own_task("sequence"), tmp_path / "data.csv")
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_table_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(b"text,label\n" + "ไทย,a\n".encode("cp874"))
    with pytest.raises(UserError, match=r"train.csv:2: is not UTF-8 text"):
        load_task(own_task("sequence"), tmp_path)


def test_parquet_files_keep_the_names_of_classes(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_dict({"text": ["ก"] * 20, "label": [0, 1] * 10})
    rows = rows.cast_column("label", datasets.ClassLabel(names=["ดี", "แย่"]))
    datasets.disable_progress_bars()
    for split in ("train-00000-of-00002", "train-00001-of-00002", "test", "valid"):
        rows.to_parquet(tmp_path / f"{split}.parquet")
    data = load_task(own_task("sequence"), tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (40, 20, 20)
    assert data.labels == ("ดี", "แย่")
    assert data.test[1].where == f"{tmp_path / 'test.parquet'}:2"
    (tmp_path / "test.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"test.parquet: is no whole parquet file"):
        load_task(own_task("sequence"), tmp_path)


CONLL = "-DOCSTART- -X- O O\n\nคุณ NN B-NP O\nสมชาย NN I-NP S-PER\n\n\nไป VV O O\n"


@pytest.mark.parametrize("name", ["train.txt", "train.conll", "train.bio"])
def test_columns_are_words_and_tags(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONLL, encoding="utf-8")
    (_, first), (where, second) = read_file(tmp_path / name, "ner")
    assert first["tokens"] == ["คุณ", "สมชาย"] and second["tokens"] == ["ไป"]
    assert first["tags"] == first["3"] == ["O", "S-PER"] and first["1"] == ["NN", "NN"]
    assert where.endswith(f"{name}:7")
    (tmp_path / name).write_text("คุณ O\nไป\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"{name}:2: 1 columns where 2 are needed"):
        list(read_file(tmp_path / name, "ner"))


def test_lst20_is_read_from_its_folder(tmp_path: Path) -> None:
    lines = "นาย\tNN\tB_PER\tB_CLS\nสม\tNN\tE_PER\tI_CLS\n_\tPU\tO\tI_CLS\nไป\tVV\tO\tE_CLS\n"
    for split in ("train", "eval", "test"):
        for number in range(3):
            file = tmp_path / "LST20" / split / f"T0{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{lines}\n{lines}", encoding="utf-8")
    ner = load_task(find_task("lst20_ner"), tmp_path / "LST20")
    assert (len(ner.train), len(ner.validation), len(ner.test)) == (6, 6, 6)
    assert ner.labels == ("O", "B-PER", "I-PER") and not ner.repairs
    assert ner.train[0].text == "นายสม ไป"
    assert ner.train[0].gold == ("B-PER", "I-PER", "O", "O")
    assert ner.train[1].where.endswith("train/T00.txt:6")
    pos = load_task(find_task("lst20_pos"), tmp_path / "LST20")
    assert pos.labels == ("NN", "PU", "VV")


def test_conllu_is_read_with_its_spaces(tmp_path: Path) -> None:
    def line(number: str, word: str, tag: str, misc: str = "SpaceAfter=No") -> str:
        return "\t".join([number, word, "_", tag, "X", "_", "0", "root", "_", misc])

    rows = ["# text = ไป กินข้าว", line("1", "ไป", "VERB", "_"), line("2-3", "กินข้าว", "_"),
            line("2", "กิน", "VERB"), line("2.1", "", "_"), line("3", "ข้าว", "NOUN")]  # fmt: skip
    (tmp_path / "th_pud-ud-test.conllu").write_text(("\n".join(rows) + "\n\n") * 20, "utf-8")
    data = load_task(find_task("ud_thai_pud_pos"), tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (16, 2, 2)
    assert data.train[0].text == "ไป กินข้าว"
    assert data.train[0].gold == ("VERB", "VERB", "NOUN")
    assert data.split_rule.startswith("one split of 20 rows, of which test is 10%")


def test_words_between_bars_are_read_as_best_has_them(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("<NE>สมชาย</NE>|ไป| |<AB>กทม.</AB>|\n\n" * 10, "utf-8")
    data = load_task(find_task("best2010_wordseg"), tmp_path)
    assert data.train[0].text == "สมชายไป กทม."
    assert "".join(data.train[0].gold).count("B") == 4
    assert data.labels == ("B", "I")


def test_squad_articles_are_taken_apart(tmp_path: Path) -> None:
    article = {"paragraphs": [{"context": f"เมือง {n} สวย", "qas": [
        {"question": "ที่ใด", "answers": [{"text": "สวย", "answer_start": 8}]}
    ]} for n in range(10)]}  # fmt: skip
    (tmp_path / "train.json").write_text(json.dumps({"data": [article]}), "utf-8")
    data = load_task(own_task("qa"), tmp_path)
    rows = [*data.train, *data.validation, *data.test]
    assert len(rows) == 10 and {row.gold for row in rows} == {("สวย",)}


def test_files_that_are_not_one_set_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(JSONL)
    (tmp_path / "train.csv").write_bytes(table(","))
    with pytest.raises(UserError, match=r"has train in several formats: train.csv, train.jsonl"):
        find_files(own_task("sequence"), tmp_path)
    with pytest.raises(UserError, match="no such data folder"):
        find_files(own_task("sequence"), tmp_path / "nowhere")
    (tmp_path / "notes.doc").touch()
    with pytest.raises(UserError, match=r"is of no format known here; give one of .jsonl"):
        find_files(own_task("sequence"), tmp_path / "notes.doc")
    (tmp_path / "train.jsonl").unlink()
    (tmp_path / "train.csv").unlink()
    (tmp_path / "contest.jsonl").write_bytes(JSONL)
    with pytest.raises(UserError, match=r"holds no sequence; it needs sequence/train.jsonl"):
        find_files(own_task("sequence"), tmp_path)


def test_columns_are_chosen_without_code(tmp_path: Path) -> None:
    rows = [{"post": {"th": f"ก {n}"}, "a": n % 2, "b": "1", "c": 0.0} for n in range(20)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    task = describe_task("multilabel", text_column="post.th", label_column="a,b,c")
    data = load_task(task, tmp_path)
    assert data.labels == ("a", "b")
    assert {row.gold for row in data.train} == {("a", "b"), ("b",)}
    named = describe_task("multilabel", text_column="text", label_column="a,b,c")
    with pytest.raises(UserError, match=r"has no column 'text'; its columns are post, a, b, c$"):
        load_task(named, tmp_path)
    with pytest.raises(UserError, match=r"has no column 'a,d'; its columns are post, a, b, c$"):
        load_task(describe_task("multilabel", text_column="post.th", label_column="a,d"), tmp_path)
