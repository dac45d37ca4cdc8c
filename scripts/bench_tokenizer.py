"""Measure the tokenizers we train beside SentencePiece's own and other projects' files.

Usage: scripts/bench_tokenizer.py DATA_DIR --out DIR [--peer DIR]

DATA_DIR holds text/, bench/ and peers/ (as `thaitok clean` and `thaitok compare` read them); --peer
is a folder with thaixtransformers and emoji. A balanced mix of about 200 MB is cleaned, a fiftieth
of its documents held out, and every tokenizer trained on the rest. CPU seconds and peak memory are
those of whole processes with all below them. What is finished in DIR is used again, so that a
stopped run goes on; a full one takes about an hour on two cores, nearly all of it SentencePiece's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
import zstandard
from bench_cleaning import the_peer
from bench_encoding import bench as bench_encoding
from bench_pipeline import held_mb

from thaitok.compare.bits import bits_own
from thaitok.compare.boundaries import measure_boundaries, measure_edges
from thaitok.compare.gold import read_gold
from thaitok.compare.lines import lines_of
from thaitok.compare.load import load_tokenizer_any
from thaitok.corpus import read_documents
from thaitok.folder import stage_job
from thaitok.rules import SPACE_TOKEN, mark_spaces, normalize_many
from thaitok.show import print_table
from thaitok.tokenizer_json import SPM_FILE, read_model, write_tokenizer_files

CAPS = {"thaigov_v2": 24_000_000, "thaigov_v1": 12_000_000}
"""Characters of the largest sources: else most of the text would be government news."""
TWICE = ("social_mixed", "wiki_contexts")
"""Small registers that count twice, for every tokenizer."""
HELD_OUT = 50
"""One document of so many is held out, by its text's hash."""
DOMAINS = {
    "thaigov_v1": "news", "thaigov_v2": "news", "msdocs_th": "technical", "thailaw_ocs": "law",
    "thai_constitution": "law", "social_mixed": "social", "wiki_contexts": "encyclopedia",
}  # fmt: skip
OURS = {
    "word": ["--mode", "word"],
    "compact": ["--profile", "compact"],
    "balanced": ["--profile", "balanced"],
    "spans": ["--profile", "spans"],
    "social4": ["--profile", "compact", "--set=source_weights.social_mixed=4"],
}
"""What each is trained with; `social4` counts social media twice as much as the others do."""
SPM = {
    "line16": {"max_sentencepiece_length": 16, "character_coverage": 0.9999},
    "line10": {"max_sentencepiece_length": 10, "character_coverage": 0.9998},
}
"""SentencePiece with its default length, and with WangchanBERTa's options (thai2transformers,
docs/3_train_tokenizer.md), both on text with our normalising: its own splits sara am."""
GOLD = {
    "wisesight": "wisesight1000_wordseg/test.jsonl",
    "orchid": "orchidpp_pos/validation.jsonl",
    "tud": "ud_thai_tud_pos/validation.jsonl",
    "thainer": "thainer_v1.3/test.jsonl",
    "iapp": "iapp_wiki_qa_squad/validation.jsonl",
}
"""None of them was looked at while parameters were chosen; their train splits, and the validation
splits of thainer and wisesight_sentiment, were."""


def main() -> None:
    """Run what is missing and print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--peer", type=Path)
    asked = parser.parse_args()
    data, out = asked.data.resolve(), asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    prepare(data, out)
    costs = side_by_side(out, {name: our_command(out, name) for name in OURS})
    costs |= side_by_side(out, {name: peer_command(out, name) for name in SPM})
    for name in SPM:
        install(out / name, (out / f"{name}-spm.model").read_bytes())
    once(out, "whole", lambda: train_whole(data, out))
    once(out, "line16r", lambda: rescore(out, "line16"))
    print_costs(out, costs)
    found = {name: measure(data, out, name) for name in (*OURS, "line16", "line16r", "line10")}
    print_quality(found)
    bench_encoding(data, out / "balanced", the_peer(asked.peer))
    compare_with_others(data, out)


def once(out: Path, name: str, run: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Run what is not done yet, and keep what it cost."""
    note = out / f"{name}.json"
    if not note.exists():
        cost = run()
        note.write_text(json.dumps(cost))
    found: dict[str, float] = json.loads(note.read_text())
    return found


def prepare(data: Path, out: Path) -> None:
    """Make the corpus to train on, its lines for SentencePiece, and the held-out texts."""
    if (out / "held.json").exists():
        return
    caps = [f"--set=source_caps.{name}={size}" for name, size in CAPS.items()]
    clean(data, out / "mix", *caps)
    held: dict[str, list[str]] = {}
    kept: list[dict[str, str]] = []
    for document in read_documents(out / "mix"):
        if zlib.crc32(document.text.encode()) % HELD_OUT == 0:
            held.setdefault(DOMAINS[document.source], []).append(document.text)
        else:
            kept.append({"id": document.id, "text": document.text, "source": document.source})
    write_corpus(out / "train", kept)
    with (out / "lines.txt").open("w", encoding="utf-8") as stream:
        for document in (*kept, *(one for one in kept if one["source"] in TWICE)):
            lines = normalize_many(document["text"].split("\n"))
            stream.writelines(mark_spaces(line) + "\n" for line in lines if line)
    (out / "held.json").write_text(json.dumps(held, ensure_ascii=False), "utf-8")


def clean(data: Path, out: Path, *more: str) -> None:
    """Run `thaitok clean` on all text, without what the benchmarks hold."""
    command = [sys.executable, "-m", "thaitok", "clean", str(data / "text"), "--out", str(out)]
    subprocess.run([*command, "--decontaminate", str(data / "bench"), *more], check=True)


def write_corpus(out: Path, documents: Sequence[Mapping[str, str]], size: int = 8000) -> None:
    """Write a corpus folder of documents, in parts that two workers can share."""
    with stage_job(out, "corpus", {}, ()) as job:
        for number, at in enumerate(range(0, len(documents), size)):
            lines = (json.dumps(one, ensure_ascii=False) for one in documents[at : at + size])
            packed = zstandard.compress("".join(f"{line}\n" for line in lines).encode())
            (job.work / f"part-{number:05d}.jsonl.zst").write_bytes(packed)
        job.finish({"kept": len(documents)}, {})


def measured(commands: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """Run commands side by side; return CPU seconds and peak memory of each, all below it too."""
    found: dict[int, dict[str, float]] = {}

    def run(number: int, command: Sequence[str]) -> None:
        begun, peak = time.monotonic(), 0.0
        process = subprocess.Popen(command)
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            peak = max(peak, held_mb(process.pid))
            time.sleep(0.5)  # reading what a process holds costs, and more the more it is
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu, wall = used.ru_utime + used.ru_stime, time.monotonic() - begun
        if not status:
            found[number] = {"cpu_s": cpu, "peak_mb": peak, "wall_s": wall}

    threads = [threading.Thread(target=run, args=one) for one in enumerate(commands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) < len(threads):
        sys.exit("a command failed: see what it said above")
    return [found[number] for number in sorted(found)]


def side_by_side(out: Path, commands: Mapping[str, list[str]]) -> dict[str, dict[str, float]]:
    """Run commands two at a time, ours and the peers' alike: a busy machine costs more seconds."""
    missing = [name for name in commands if not (out / f"{name}.json").exists()]
    for at in range(0, len(missing), 2):
        pair = missing[at : at + 2]
        for name, cost in zip(pair, measured([commands[one] for one in pair]), strict=True):
            (out / f"{name}.json").write_text(json.dumps(cost))
    return {name: json.loads((out / f"{name}.json").read_text()) for name in commands}


def our_command(out: Path, name: str) -> list[str]:
    """Return the command that trains one of our tokenizers."""
    weights = [f"--set=source_weights.{source}=2" for source in TWICE]
    return train_command(out / "train", out / name, "25000", *weights, *OURS[name])


def train_command(corpus: Path, out: Path, size: str, *more: str) -> list[str]:
    """Return a command that trains a tokenizer."""
    command = [sys.executable, "-m", "thaitok", "train", str(corpus), "--out", str(out)]
    return [*command, "--vocab-size", size, *more]


def train_whole(data: Path, out: Path) -> dict[str, float]:
    """Train on all text, to see that memory does not follow the corpus."""
    clean(data, out / "all")
    return measured([train_command(out / "all", out / "whole", "25000", *OURS["word"])])[0]


PEER = """import json, sys, sentencepiece
sentencepiece.SentencePieceTrainer.train(**json.loads(sys.argv[1]))"""


def peer_command(out: Path, name: str) -> list[str]:
    """Return the command by which SentencePiece trains, with one thread."""
    options = {
        "input": str(out / "lines.txt"), "model_prefix": str(out / f"{name}-spm"),
        "vocab_size": 25_000, "bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3,
        "control_symbols": ["<mask>"], "user_defined_symbols": [SPACE_TOKEN],
        "normalization_rule_name": "identity", "add_dummy_prefix": False,
        "remove_extra_whitespaces": False, "max_sentence_length": 1 << 20, "num_threads": 1,
        "minloglevel": 2, **SPM[name],
    }  # fmt: skip
    return [sys.executable, "-c", PEER, json.dumps(options)]


def install(folder: Path, serialized: bytes) -> None:
    """Make a tokenizer folder of a SentencePiece model, with our normalising."""
    folder.mkdir(exist_ok=True)
    write_tokenizer_files(folder, read_model(serialized), 512)


def rescore(out: Path, name: str) -> dict[str, float]:
    """Estimate a peer's scores anew, by two passes of best cuts over the text it learned from.

    SentencePiece leaves the scores as they were before its last cut; half of what is gained in
    bits is this, and not the vocabulary.
    """
    begun = time.process_time()
    model = read_model((out / name / SPM_FILE).read_bytes())
    proto = sentencepiece.sentencepiece_model_pb2.ModelProto.FromString(model.serialized)
    for _ in range(2):
        processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        counts = np.zeros(len(proto.pieces))
        with (out / "lines.txt").open(encoding="utf-8") as stream:
            while lines := stream.readlines(20_000_000):
                for ids in processor.encode([line.rstrip("\n") for line in lines]):
                    np.add.at(counts, ids, 1)
        normal = np.array([piece.type == 1 for piece in proto.pieces])
        counts = np.where(normal, np.maximum(counts, 0.5), 0)
        for piece, count in zip(proto.pieces, counts, strict=True):
            if count:
                piece.score = float(np.log(count / counts.sum()))
    install(out / f"{name}r", proto.SerializeToString())
    return {"cpu_s": time.process_time() - begun}


def measure(data: Path, out: Path, name: str) -> dict[str, float]:
    """Measure one tokenizer on held-out text, on text of other sources, and on gold files."""
    tokenizer = load_tokenizer_any(out / name)
    held = json.loads((out / "held.json").read_text())
    domains = {**held, "unseen": messages(data)}
    found: dict[str, float] = {}
    tokens = bits = characters = 0.0
    for domain, texts in domains.items():
        lines = lines_of(texts)
        many = len(tokenizer.encode(lines.block).ids)
        found[f"{domain} tokens"] = many / lines.characters
        found[f"{domain} bits"] = bits_own(tokenizer, lines) or 0.0
        if domain in held:
            tokens += many
            bits += found[f"{domain} bits"] * lines.characters
            characters += lines.characters
    found |= {"tokens": tokens / characters, "bits": bits / characters}
    for gold, file in GOLD.items():
        texts = read_gold(data / "bench" / file)
        if texts.has_words and gold != "thainer":
            measured_ = measure_boundaries(tokenizer, texts.texts)
            found[f"{gold} crossed"] = measured_.crossed or 0.0
        if texts.spans:
            found[f"{gold} edges"] = measure_edges(tokenizer, texts.texts).lost or 0.0
    return found


def messages(data: Path) -> list[str]:
    """Return the messages of wisesight's validation and test: a source that was not trained on."""
    texts = []
    for split in ("validation", "test"):
        path = data / "bench" / "wisesight_sentiment" / f"{split}.jsonl"
        texts += [json.loads(row)["text"] for row in path.read_text("utf-8").splitlines()]
    return texts


def print_costs(out: Path, costs: Mapping[str, Mapping[str, float]]) -> None:
    """Print what training took, and how many times less than SentencePiece."""
    peer = costs["line16"]
    rows = [
        (name, cost["wall_s"], cost["cpu_s"], peer["cpu_s"] / cost["cpu_s"], cost["peak_mb"],
         peer["peak_mb"] / cost["peak_mb"])
        for name, cost in costs.items()
    ]  # fmt: skip
    columns = ("training", "wall s", "CPU s", "times less", "peak MB", "times less")
    print_table("Training 25,000 pieces", columns, rows)
    whole = {name: out / f"{name}.json" for name in ("word", "whole")}
    word, every = (json.loads(path.read_text())["peak_mb"] for path in whole.values())
    print(f"word mode on all text: {every:.0f} MB, {every / word:.2f} times that of the mix")


def print_quality(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print absolute figures, then ratios to each of the peers."""
    columns = list(found["line16"])
    rows = [[key, *(values[key] for values in found.values())] for key in columns]
    print_table("Held-out text and gold", ("measure", *found), rows)
    for peer in SPM:
        ratios = [
            [key, *(values[key] / found[peer][key] for values in found.values())] for key in columns
        ]
        print_table(f"The same, as ratios to {peer}", ("measure", *found), ratios)
    again = [
        [key, *(values[key] / found["line16r"][key] for values in found.values())]
        for key in columns
        if key.endswith("bits")
    ]
    print_table("Bits, as ratios to line16 with scores estimated anew", ("measure", *found), again)


def compare_with_others(data: Path, out: Path) -> None:
    """Run `thaitok compare` over ours, one of 8,000 pieces too, and other projects' tokenizers."""
    small = out / "small"
    subprocess.run(train_command(out / "train", small, "8000"), check=True)
    others = [path for path in sorted((data / "peers").rglob("*")) if path.suffix in SUFFIXES]
    ours = [small, *(out / name for name in OURS)]
    text = [data / "bench" / "thaigov_topic" / "validation.jsonl.zst"]
    text += [data / "bench" / "wisesight_sentiment" / "test.jsonl"]
    gold = [data / "bench" / file for file in GOLD.values()]
    command = [sys.executable, "-m", "thaitok", "compare", *map(str, (*ours, *others))]
    for name, paths in (("--text", text), ("--gold", gold)):
        for path in paths:
            command += [name, str(path)]
    subprocess.run([*command, "--out", str(out / "comparison")], check=True)


SUFFIXES = {".model", ".tiktoken"}

if __name__ == "__main__":
    main()
