"""How a fine-tuned model is used, and texts to try it on: all made up, none of a data set."""

from __future__ import annotations

from collections.abc import Mapping

from finetune.config import FinetuneConfig
from finetune.data.splits import TaskData
from thaitok.card import EXAMPLES, Use

POSTS = (("ร้านนี้อาหารอร่อยมาก พนักงานน่ารัก",), ("รอนานเป็นชั่วโมง ไม่มาอีกแล้ว",), ("ร้านเปิดกี่โมงคะ",))
REVIEWS = (("รสชาติดี ราคาไม่แพง บริการรวดเร็ว",), ("อาหารเย็นชืด รอนานมาก ไม่แนะนำ",))
PRODUCTS = (("หูฟังเสียงดี ใส่สบาย คุ้มราคามาก",), ("ใช้ได้สองวันก็พัง ผิดหวังมาก",))
ENGLISH = (("Great food and friendly staff.",), ("We waited an hour and the soup was cold.",))
TITLES = (("รัฐบาลเพิ่มงบประมาณด้านการศึกษา",), ("ชาวบ้านคัดค้านการสร้างเขื่อน",))
CALLS = (("ค่าโทรเดือนนี้ทำไมแพงจัง",), ("อินเทอร์เน็ตใช้ไม่ได้ครับ",), ("จะไปญี่ปุ่น เปิดโรมมิ่งอย่างไร",))
NEWS = (("นายกรัฐมนตรีหารือแนวทางส่งเสริมการส่งออก",), ("กระทรวงศึกษาธิการประกาศวันเปิดภาคเรียน",))
NAMES = (("คุณสมชาย ใจดี เดินทางไปเชียงใหม่เมื่อวันที่ 5 มกราคม",), ("บริษัท แสงไทย จำกัด เปิดสาขาที่ขอนแก่น",))
PAPERS = (("ระบบนี้ใช้คอมพิวเตอร์ในการประมวลผลข้อมูล",), ("ผลการทดลองแสดงให้เห็นว่าวิธีนี้ใช้ได้ดี",))
SENTENCES = (("นักเรียนอ่านหนังสือในห้องสมุด",), ("พรุ่งนี้ฝนจะตกทางภาคใต้",))
CHATTER = (("วันนี้ร้อนมากกกก อยากกินไอติม",), ("ใครไปคอนเสิร์ตบ้าง ขอรูปหน่อย",))
CLAIMS = (("ร้านเปิดทุกวัน", "ร้านปิดวันจันทร์"), ("เด็กสองคนเล่นฟุตบอลในสวน", "มีเด็กอยู่ข้างนอก"))
QUESTIONS = (
    ("วัดพระแก้วอยู่ที่ไหน", "วัดพระแก้วตั้งอยู่ในพระบรมมหาราชวัง กรุงเทพมหานคร สร้างขึ้นในสมัยรัชกาลที่ 1"),
    ("แม่น้ำสายนี้ยาวเท่าใด", "แม่น้ำสายนี้ไหลผ่านสี่จังหวัด มีความยาวประมาณ 370 กิโลเมตร"),
)

BY_TASK: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "wisesight_sentiment": POSTS,
    "wongnai_reviews": REVIEWS,
    "generated_reviews_enth": PRODUCTS,
    "yelp_review_full": ENGLISH,
    "prachathai67k": TITLES,
    "truevoice_intent": CALLS,
    "thaigov_topic": NEWS,
    "thainer_v1.3": NAMES,
    "thainer_v2": NAMES,
    "lst20_ner": NAMES,
    "thai_nner": NAMES,
    "orchidpp_pos": PAPERS,
    "wisesight1000_wordseg": CHATTER,
}
BY_USE: Mapping[Use, tuple[tuple[str, ...], ...]] = {
    "sequence": REVIEWS,
    "multilabel": TITLES,
    "pair": CLAIMS,
    "ner": NAMES,
    "layers": NAMES,
    "pos": SENTENCES,
    "words": SENTENCES,
    "qa": QUESTIONS,
}
"""Texts of a task, or of a use where the task has none of its own."""

SECOND: Mapping[Use, tuple[str, str]] = {"pair": ("text", "text_pair"), "qa": ("text", "context")}
"""What the Hub calls the two texts of a head that reads two."""


def use_of(data: TaskData, config: FinetuneConfig) -> Use:
    """Return how the model of a task is used."""
    kind = data.task.kind
    if kind in ("sequence", "multilabel"):
        pairs = any(row.pair is not None for row in data.train)
        return "pair" if pairs and kind == "sequence" else kind
    if kind == "nested" or (kind == "ner" and config.scheme == "bioes"):
        return "layers"
    return kind


def widget_of(data: TaskData, use: Use) -> list[dict[str, str]]:
    """Return examples for a model's page on the Hub, the first of which the snippet runs."""
    texts = BY_TASK.get(data.task.name) or BY_USE.get(use) or (EXAMPLES[use],)
    names = SECOND.get(use, ("text",))
    return [dict(zip(names, one, strict=True)) for one in texts]
