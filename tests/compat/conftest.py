"""Awkward texts, and small tokenizers of every kind that we write."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from pythainlp.corpus import thai_words

from thaitok.convert import ConvertConfig, convert_tokenizer
from thaitok.extend import ExtendConfig, extend_tokenizer
from thaitok.rules import SPACE_TOKEN
from thaitok.trainer import TokenizerConfig, train_tokenizer
from thaitok.wangchanberta import process_transformers

KINDS: Mapping[str, Mapping[str, Any]] = {
    "mixed": {},
    "phrase": {"mode": "phrase"},
    "word": {"mode": "word", "split_digits": True},
    "word-bpe": {"mode": "word", "algorithm": "bpe"},
    "word-bpe-bytes": {
        "mode": "word",
        "algorithm": "bpe",
        "byte_fallback": True,
        "vocab_size": 760,
    },
    "line": {"mode": "line"},
    "line-bpe": {"mode": "line", "algorithm": "bpe"},
    "line-bytes": {"mode": "line", "byte_fallback": True, "vocab_size": 760},
    "mixed-bytes": {"byte_fallback": True, "vocab_size": 760},
    "mixed-lower": {"lower": True},
    "bpe-lower": {"mode": "word", "algorithm": "bpe", "lower": True},
}
"""Settings of `thaitok train`."""

OLD: Mapping[str, tuple[str, str, int]] = {
    "wangchanberta": ("camembert", "CamembertTokenizer", 5),
    "phayathaibert": ("camembert", "CamembertTokenizer", 8),
    "camembert": ("camembert", "CamembertTokenizer", 5),
    "xlm-roberta": ("xlm-roberta", "XLMRobertaTokenizer", 2),
    "wiki-spm": ("roberta", "ThaiRobertaTokenizer", 0),
}
"""Layouts of `thaitok convert`: model_type, tokenizer_class, and rows beyond SentencePiece's."""

PIECES = 520

WORDS = ("น้ำ", "แม่", "ที่นี่", "เข้า", "กำลัง", "ผู้ใหญ่", "ศิลปะ", "iPhone", "deploy", "๒๕๖๙")
ZERO_WIDTH = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u202a\u2060\u2066\ufeff\ufffc"
SPACES = " \t\n\r\x0b\x0c\u0085\u00a0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
ODD = (
    # Sara am in one and two parts, and tones before, between and behind
    *("น้ำ", "น\u0e49\u0e4d\u0e32", "น\u0e4d\u0e49\u0e32", "น\u0e33\u0e49", "กำ"),
    *("ก\u0e4d\u0e32", "\u0e4d\u0e32"),
    *("ำำ", "กำำ", "ก\u0e4d\u0e4d\u0e32", "ก\u0e4d\u0e32\u0e49", "\u0e33", "\u0e4d", "ำ้", "aำ"),
    "é\u0e4d\u0e49\u0e32",
    # Sara ae of two sara e; leading vowels doubled
    *("เเม่", "เเเม่", "แแม่", "เเ", "เเเเ", "โโ", "ไไป", "ใใจ", "เเละแมว", "เ เม่"),
    # Tones and vowel marks in the wrong order, doubled, piled up, and on nothing
    *("ท่ี", "ท่ี่", "ที่่", "ที่ี", "ท่่ี", "กิ์", "ก์ิ", "ก์ุ", "กุ์", "ก่ั", "กั่", "ก้ื"),
    *("กื้", "ู่", "ุ่", "ุ่"),
    *("\u0e48\u0e34\u0e31", "่ ้ ์", "่่่่่", "ก็็", "กู็", "ยตุิธรรม", "ฺพินฺทุ", "พุทฺธ", "๎"),
    *("ก๎", "กํ", "ํก"),
    # Old and rare letters and signs
    *("ฃวด", "ฅน", "ฤๅษี", "ฦๅ", "ๆ", "ฯลฯ", "๏ ๚ ๛", "฿100", "ๆๆๆ", "เฯ", "๐๑๒๓๔๕๖๗๘๙"),
    *("๑,๒๓๔.๕๖", "ๅ"),
    # Letters again and again
    *("5555", "55555555555", "กกกก", "มากกกกกกก", "วววว", "อ๊ากกกก", "!!!!!!", "------"),
    *("......", "aaaa", "ขำๆๆ"),
    *("abababab", "ababa", "<<<<", ">>>>", "____", "00000"),
    # Special tokens written out, and what looks like them
    *("<mask>", "<s>", "</s>", "<pad>", "<unk>", SPACE_TOKEN, "<mask", "mask>", "<mask><mask>"),
    "ก<mask>ข",
    *(" <mask> ", "<MASK>", "<Mask>", "<<mask>>", "<s><s>", "<s>ก</s>", f"มี{SPACE_TOKEN}ขีด"),
    *("< mask >", "<m\u200bask>"),
    *("<0x41>", "<0xE0>", "<0xE0><0xB8><0x81>", "<", ">", "</", "<_", "_>", "a<b", "a<\u0338b"),
    *("<\u0338", "<\u0301", "\u0338"),
    *("=\u0338", ">\u0338", "ก<ข", "<b>ตัวหนา</b>", "&amp; &nbsp; &lt;", "<ใหม่>", "@@x", "▁"),
    *("▁ก▁", "##ing", "Ġก", "[MASK]"),
    # Emoji: joiners, skin tones, variation selectors, flags, keycaps, tags
    *("😀", "👍🏽", "❤\ufe0f", "❤", "👨\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈"),
    *("👩🏻\u200d💻", "🇹🇭", "🇹🇭🇱🇦", "🇹", "1\ufe0f\u20e3"),
    *("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u200d👨", "👨\u200d"),
    *("ก\u200dข", "\u200d\u200d", "👨\u200d\u200d👩"),
    *("ดีมาก😀😀😀ค่ะ", "🙏🏻🙏🏻", "😂5555", "\U0001fae8", "\U0001faff", "🫶🏿", "(｡◕‿◕｡)"),
    *("ʕ•ᴥ•ʔ", "¯\\_(ツ)_/¯", ":-) ^_^ T_T"),
    # Latin with marks, ligatures, case, full width, other letters
    *("é", "e\u0301", "e\u0301\u0323", "e\u0323\u0301", "Å", "\u212b", "ﬁne", "ß", "ẞ", "İ"),
    *("i\u0307", "I\u0307", "Ǆ", "ŉ", "o\u031b\u0301"),
    *("ＡＢＣ１２３", "ｶﾞﾊﾟ", "ガ", "カ\u3099", "½ ² ³ №", "™®©", "café Zürich naïve", "Straße"),
    *("ΣΟΦΟΣ", "σοφός", "ΑΣ ΑΣ", "Σ", "ΣΣ"),
    *("aΣ", "aΣb", "aΣ.b", "aΣ\u0301", "Σas", "ᾈ", "ΐ", "ΰ", "Ωμέγα \u2126", "K\u212a", "Ⅷ", "ǆ"),
    *("Ա", "Ⴀ", "Ა", "Ꭰ", "ꭰ", "𐐀", "𞤀", "𝐀"),
    # Other scripts
    *("日本語", "한국어", "\u1100\u1161\u11a8", "가\u11a8", "中文字", "龘", "𠮷", "العربية"),
    *("עברית", "\u202bעברית\u202c", "ភាសាខ្មែរ"),
    *("ພາສາລາວ", "ນ້ຳ", "ນ\u0ecd\u0ec9\u0eb2", "မြန်မာ", "हिन्दी", "क\u093c", "\u0958", "বাংলা"),
    *("བོད\u0f71\u0f72", "\u0f73", "Việt Nam", "Привет", "й", "и\u0306"),
    *("\ufb1e", "\u05d9\u05b4", "\ufb1d", "\u1e9b\u0323", "\u0344", "\u0374", "\u037e", "\u0387"),
    *("\u2329", "\u2adc", "\uf900", "\ufa0e", "\U0002f800", "𝅘𝅥𝅮"),
    # Links, mail, code, numbers, mixtures
    *("https://example.com/?a=1&b=2#ก", "http://ไทย.ไทย/%E0%B8%81", "me@example.com"),
    *("@user #แท็ก", "www.ก.com", "C:\\ทาง\\a.txt"),
    *("iPhone15รุ่นใหม่ ราคา 39,900.- บาท", "1,234.56", "1e-5", "+66 2-123-4567", "12:30น."),
    *("ธ.ค. พ.ศ. ๒๕๖๙", "ก.ม.", "10%", "$100"),
    *("print('สวัสดี')", '{"a": "ข"}', "$1 $& $$", "\\n", "\\", "a\\u0e01", "`ก`"),
    *("ไปdeployขึ้นcloud", "ABCกขคabc", "Windowsหน้าต่าง", "__proto__"),
    *("constructor", "toString", "ก/ข|ค", "(ก)", "[ก]", "{ก}", "“ก”", "‘ก’", "…", "–—", "•"),
    *("don't can't", " .ก ?ข !ค ,ง"),
    # Nothing, controls, private use, no characters
    *("", "\x00", "ก\x00ข", "\x00\x1f\x7f", "\x80\x9f", "\ue000", "\uf70a", "น\uf70aำ"),
    *("\U000f0000", "\U0010ffff", "\ufffd", "\ufffe", "\uffff"),
    *("\ufeffก", "\ufeff", "ก\ufeff", "\ufff9ก\ufffb", "\U000e0001", "\u0378", "\U0001f0ff"),
    *("\u3164", "\u115f", "\u2800", "\ufdd0", "\ufe0f", "ก\ufe0f"),
    # Long ones
    "ก" * 1200, "a" * 300, "กา" * 300, "ไม่มีเว้นวรรค" * 30, "龘" * 300, "่" * 300,
    "e" + "\u0301" * 60, " " * 200, "ab " * 100,
)  # fmt: skip
"""Texts that have told readers of one tokenizer apart, or might."""

ALPHABET = (
    *(*"กขคฃฅนมวำาํ่้๊๋์ิีึืุูเแโไใๆฯ๕ 5aAbBΣσİéß<>_s/x&.龘", "\u0338", "\u0301", "\u0323"),
    "\u0345",
    *(*ZERO_WIDTH, *SPACES, "😀", "👍", "🏽", "❤", "\ufe0f", "🇹", "🇭", "\ue000", "\x00", "ນ"),
    *("ៃ", "ع", "가", "ｶ", "ﾞ"),
    *("<mask>", "<s>", "</s>", SPACE_TOKEN, "เเ", "\u0e4d\u0e32", "555", "กกก", "  ", "<0x41>"),
    *WORDS,
)  # fmt: skip


def awkward_texts() -> list[str]:
    """Return texts of odd characters alone, inside, around and between words."""
    texts = [*ODD]
    for number, odd in enumerate((*ZERO_WIDTH, *SPACES)):
        one, two = WORDS[number % len(WORDS)], WORDS[number * 3 % len(WORDS)]
        texts += [odd, f"{one}{odd}{two}", f"{odd}{one}", f"{one}{odd * 3}", f"{one} {odd} {two}"]
    lines = (
        "  นำ  หน้า",
        "ตาม  หลัง   ",
        " \t \n ",
        "\n\nก\n\n\nข\r\nค",
        "ก \u200b ข",
        "ก\u00a0\u00a0ข",
    )
    return list(dict.fromkeys((*texts, *lines, *WORDS)))


def random_texts(count: int, seed: int = 0) -> list[str]:
    """Return texts of up to 14 drawn characters and words."""
    chance = random.Random(seed)
    return ["".join(chance.choices(ALPHABET, k=chance.randint(1, 14))) for _ in range(count)]


def training_lines(count: int) -> list[str]:
    """Return lines of Thai words among Latin, digits, signs, emoji and repeated letters."""
    chance, words = random.Random(0), sorted(thai_words())
    more = (
        *("กกก", "555", "5555", "abab", "aba", "ขำๆ", "!!!", "iPhone", "ABC", "Σas", "é", "½"),
        *("<", ">", "</", "a<b", "_", "0", "x", "/", "(", ")", "\\", ".", "https://", "www", "@"),
        *("deploy", "server", "online", "ๆ", "๒๕๖๙", "เซิร์ฟเวอร์", "น้ำ", "กำลัง", "😀"),
    )  # fmt: skip
    picked = (*words[:: len(words) // 400], *more)
    return [" ".join("".join(chance.choices(picked, k=3)) for _ in range(4)) for _ in range(count)]


@pytest.fixture(scope="session")
def plain_corpus(corpus_of: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_of(tmp_path_factory.mktemp("compat") / "corpus", training_lines(900))


@pytest.fixture(scope="session")
def folder_of(plain_corpus: Path) -> Callable[[str], Path]:
    """Return the tokenizer folder of a kind: trained, extended, or converted."""
    root = plain_corpus.parent

    @cache
    def make(kind: str) -> Path:
        out = root / kind
        if kind in OLD:
            convert_tokenizer(ConvertConfig(source=str(write_old(root / "old", kind)), out=out))
        elif kind == "extended":
            config = ExtendConfig(tokenizer=make("mixed"), corpus=(plain_corpus,), out=out, add=8)
            extend_tokenizer(config)
        else:
            settings = {"vocab_size": 500, "workers": 1, **KINDS[kind]}
            train_tokenizer(TokenizerConfig(corpus=(plain_corpus,), out=out, **settings))
        return out

    return make


@cache
def old_model(spaced: bool, wiki: bool) -> bytes:
    """Train a SentencePiece model as the old ones were; `spaced` with the space token."""
    options: dict[str, Any] = {"user_defined_symbols": [SPACE_TOKEN]} if spaced else {}
    if wiki:
        options = {"bos_id": 0, "pad_id": 1, "eos_id": 2, "unk_id": 3, "add_dummy_prefix": False}
        options["user_defined_symbols"] = ["<mask>", SPACE_TOKEN]
    lines = training_lines(900)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(process_transformers(lines) if spaced else lines),
        model_writer=model,
        vocab_size=PIECES,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


def write_old(root: Path, name: str) -> Path:
    """Write a stand-in of an old Hub folder, without weights, in its exact layout."""
    model_type, tokenizer_class, rows = OLD[name]
    model = old_model(name not in ("camembert", "xlm-roberta"), name == "wiki-spm")
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "sentencepiece.bpe.model").write_bytes(model)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    config = {
        **sizes, "model_type": model_type, "vocab_size": PIECES + rows, "pad_token_id": 1,
        "max_position_embeddings": 512, "bos_token_id": 0, "eos_token_id": 2,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    said = json.dumps({"tokenizer_class": tokenizer_class})
    (folder / "tokenizer_config.json").write_text(said)
    if name == "phayathaibert":
        added = json.dumps({"<ใหม่>": PIECES + 5, "@@x": PIECES + 7}, ensure_ascii=False)
        (folder / "added_tokens.json").write_text(added)
    return folder


@pytest.fixture(scope="session")
def awkward() -> list[str]:
    return awkward_texts()


@pytest.fixture(scope="session", name="random_texts")
def some_random_texts() -> list[str]:
    return random_texts(300)
