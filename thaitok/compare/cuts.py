"""How tokenizers cut a sentence: its own text in parts, a byte of a character written as a code."""

from __future__ import annotations

from collections.abc import Sequence

from thaitok.compare.kinds import AnyTokenizer
from thaitok.compare.spans import block_of

SENTENCES = (
    "ศิลปะไม่เป็นเจ้านายใคร และไม่เป็นขี้ข้าใคร",
    "วันนี้ทีม dev ประชุมกันเรื่อง deploy ระบบใหม่ขึ้น cloud",
    "ร้านนี้ wifi แรงมาก นั่งทำงานชิลๆ ได้ทั้งวันเลย 555",
    "ลอง restart เครื่องแล้ว update driver ก่อนค่อยโทรหา call center",
    "ซื้อ iPhone 15 Pro Max ผ่อน 0% 10 เดือนที่เซ็นทรัลเวิลด์",
    "เพลงนี้ฟังแล้ว feel good มากกก ขอบคุณที่ share นะคะ 🥰",
    "ผู้ป่วยได้รับการตรวจ MRI และ CT scan ที่โรงพยาบาลศิริราช",
    "หุ้น PTT ปิดที่ 34.25 บาท เพิ่มขึ้น 1.5% ตาม SET Index",
    "น้ำท่วมกรุงเทพฯ พ.ศ. ๒๕๕๔ เสียหายกว่า 1.4 ล้านล้านบาท",
    "สมัครสมาชิกที่ https://www.example.com/register แล้วรับ code ส่วนลดทาง email",
    "นักวิจัยใช้ machine learning วิเคราะห์ big data ของกระทรวงสาธารณสุข",
)
"""One sentence of plain Thai, and ten with English, figures and signs among the Thai."""

Cut = tuple[tuple[str, bool], ...]
"""The parts of a sentence, each with whether it is unknown to the tokenizer."""


def cut_sentences(tokenizer: AnyTokenizer, sentences: Sequence[str]) -> dict[str, Cut]:
    """Return the parts that tokens have of each sentence; what no token has goes with the next."""
    block = block_of(sentences)
    tokens = tokenizer.encode(block)
    raw = "".join(sentences).encode()
    cuts: dict[str, Cut] = {}
    for number, sentence in enumerate(sentences):
        parts = []
        at = int(block.bases[number])
        for token in range(tokens.bounds[number], tokens.bounds[number + 1]):
            end = int(tokens.ends[token])
            if end > at:
                parts.append((_shown(raw[at:end]), bool(tokens.ids[token] == tokenizer.unknown)))
                at = end
        if rest := raw[at : int(block.bases[number + 1])]:
            parts.append((_shown(rest), False))
        cuts[sentence] = tuple(parts)
    return cuts


def _shown(raw: bytes) -> str:
    return raw.decode(errors="backslashreplace")
