"""The words of the synthetic corpus: own lists by meaning, and what pythainlp carries."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from corpora.synthetic.grammar import Grammar
from thaitok.rules import clean_text

# A slot a line: its name, the part of speech, the words; a line set in goes on with them.
_LISTS = """
kin NOUN พ่อ แม่ พี่สาว พี่ชาย น้องสาว น้องชาย คุณยาย คุณตา คุณป้า คุณลุง คุณน้า หลานสาว ลูกชาย
  ลูกสาว เพื่อนบ้าน
job NOUN ครู หมอ พยาบาล ชาวนา วิศวกร ทหาร ตำรวจ นักข่าว พ่อค้า แม่ค้า ช่างไม้ ช่างไฟ ทนายความ
  นักบัญชี พนักงานขาย คนขับรถ ชาวประมง นักศึกษา นักเรียน เชฟ โปรแกรมเมอร์ เกษตรกร ศิลปิน
  นักดนตรี นักวิจัย อาจารย์ ข้าราชการ สถาปนิก เภสัชกร ล่าม
food NOUN ข้าวผัด ต้มยำกุ้ง ส้มตำ ไก่ย่าง ผัดไทย แกงเขียวหวาน ก๋วยเตี๋ยวเรือ ข้าวมันไก่
  ข้าวเหนียวมะม่วง ลาบหมู น้ำพริกปลาทู แกงส้ม ไข่เจียว หมูปิ้ง ข้าวขาหมู ผัดกะเพรา ขนมจีน
  ต้มข่าไก่ ข้าวซอย ยำวุ้นเส้น โจ๊กหมู บะหมี่เกี๊ยว หอยทอด ปลาเผา มัสมั่นไก่ สุกี้ ขนมครก
  กล้วยทอด บัวลอย ไอศกรีม
fruit NOUN มะม่วง ทุเรียน มังคุด เงาะ ลำไย ลิ้นจี่ ส้มโอ กล้วย ฝรั่ง ชมพู่ สับปะรด มะละกอ แตงโม
  ขนุน น้อยหน่า ลองกอง มะพร้าว ส้ม องุ่น แก้วมังกร
drink NOUN กาแฟ ชาเย็น น้ำส้ม น้ำมะพร้าว นมเย็น โกโก้ ชาเขียว น้ำแตงโม น้ำอ้อย นมถั่วเหลือง
animal NOUN แมว หมา ช้าง วัว ควาย ไก่ เป็ด ลิง ม้า หมู แพะ กระต่าย เต่า นกแก้ว
pet NOUN แมว หมา กระต่าย นกแก้ว เต่า ปลาทอง หนูแฮมสเตอร์
thing NOUN หนังสือ ร่ม กระเป๋า รองเท้า เสื้อ แก้วน้ำ โต๊ะ เก้าอี้ พัดลม โทรศัพท์ จักรยาน นาฬิกา
  กล้อง กุญแจ ผ้าห่ม หมอน ตะกร้า แจกัน ปากกา สมุด ตู้เย็น โคมไฟ กระจก หมวก แว่นตา
place NOUN ตลาด โรงเรียน วัด โรงพยาบาล สวนสาธารณะ ห้องสมุด ร้านกาแฟ สถานีรถไฟ ห้างสรรพสินค้า
  ชายหาด สนามกีฬา พิพิธภัณฑ์ ไปรษณีย์ ธนาคาร สำนักงาน โรงแรม สนามบิน ท่าเรือ ที่ว่าการอำเภอ
  ศูนย์ประชุม
crop NOUN ข้าว อ้อย ข้าวโพด มันสำปะหลัง ยางพารา ถั่วเหลือง ปาล์มน้ำมัน พริก กระเทียม หอมแดง กาแฟ
  ลำไย ทุเรียน
topic NOUN เศรษฐกิจ การศึกษา สิ่งแวดล้อม สาธารณสุข การท่องเที่ยว พลังงาน การเกษตร เทคโนโลยี
  วัฒนธรรม กีฬา การคมนาคม แรงงาน การลงทุน ความปลอดภัย การประมง ดิจิทัล ผู้สูงอายุ เยาวชน ป่าไม้
  อุตสาหกรรม
problem NOUN น้ำท่วม ภัยแล้ง ฝุ่นละออง ขยะตกค้าง รถติด ไฟป่า โรคระบาด หนี้ครัวเรือน ค่าครองชีพ
  น้ำเสีย ถนนชำรุด ไฟฟ้าดับ อุบัติเหตุ ยาเสพติด ดินถล่ม
incident NOUN น้ำท่วม ไฟป่า ดินถล่ม อุบัติเหตุ เพลิงไหม้ ต้นไม้ล้ม แก๊สรั่ว ท่อประปาแตก ไฟฟ้าดับ
farmer NOUN เกษตรกร ชาวนา ชาวสวน ชาวไร่ แม่ค้า พ่อค้า ผู้ส่งออก
fair NOUN งานเกษตรแฟร์ งานกาชาด งานหนังสือ งานผลไม้ งานผ้าไทย งานอาหารพื้นบ้าน งานวิ่งการกุศล
  งานดนตรี
light_thing NOUN หมวก ร่ม ผ้าเช็ดหน้า กระดาษ เสื้อ ผ้าพันคอ ใบเสร็จ
cover NOUN ผ้า ผ้าใบ หน้ากาก พลาสติก ม่าน
yard NOUN หน้าบ้าน หลังบ้าน ระเบียง ดาดฟ้า ลานวัด สวน ชานบ้าน
subject NOUN คณิตศาสตร์ ภาษาไทย ภาษาอังกฤษ ฟิสิกส์ เคมี ชีววิทยา ประวัติศาสตร์ ภูมิศาสตร์ ดนตรี
  ศิลปะ พลศึกษา
festival NOUN ลอยกระทง สงกรานต์ แห่เทียนพรรษา บุญบั้งไฟ ไหลเรือไฟ ตรุษจีน กินเจ ผีตาโขน
  แข่งเรือยาว ปอยส่างลอง
english X project meeting update content review feedback account promotion podcast workshop
  booking upgrade presentation email report proposal campaign template demo seminar training
brand X MangoGo Sabaidee SmartTuk Chang5 ThaiNow JaiDee Lotus88 RimNam
hashtag X #รีวิวของดี #เที่ยวไทย #ของมันต้องมี #มนุษย์เงินเดือน #วันนี้กินอะไรดี #ทาสแมว
  #คาเฟ่ฮอปปิ้ง #งานเข้า #ชีวิตติดแกลม #คนรักการอ่าน
link X https://example.com/p/1024 https://example.org/th/news https://example.net/shop?id=77
  www.example.com
emoji X 😂 😍 😭 🙏 👍 🔥 ❤️ 🥰 😅 😡 🎉 🤣 👨‍👩‍👧 ✨ 🐶 🍜 🙄
laugh X 555 5555 55555 ฮ่าๆ อิอิ
month NOUN มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม
  พฤศจิกายน ธันวาคม
weekday NOUN วันจันทร์ วันอังคาร วันพุธ วันพฤหัสบดี วันศุกร์ วันเสาร์ วันอาทิตย์
year NUM 2555 2556 2557 2558 2559 2560 2561 2562 2563 2564 2565 2566 2567 2568
year_old NUM 2468 2471 2475 2480 2484 2489 2493 2497 2502 2506 2511
clock NUM 08.00 08.30 09.15 10.45 11.20 13.00 14.30 16.05 17.45 18.30 20.00 21.10
pronoun PRON ผม ฉัน เรา เขา เธอ พวกเขา พวกเรา
polite PART ครับ ค่ะ
polite_ask PART ครับ คะ
v_food VERB กิน ซื้อ ขาย ทำ สั่ง ชิม
v_thing VERB ซื้อ ขาย ซ่อม ยืม ล้าง เก็บ
v_thing_ask VERB ขอ ยืม ซื้อ
adj_thing ADJ แพง ถูก สวย เก่า ใหม่ ใหญ่ เล็ก หนัก เบา แปลก
adj_place ADJ ใหญ่ เล็ก เงียบ สะอาด ใหม่ เก่า สวย
color ADJ แดง เขียว ขาว ดำ เหลือง ฟ้า ส้ม ม่วง น้ำตาล ชมพู
time NOUN เมื่อวาน วันนี้ ตอนเช้า ตอนเย็น ตอนบ่าย เมื่อคืน เมื่อกี้
later NOUN พรุ่งนี้ มะรืนนี้ เย็นนี้ คืนนี้ สัปดาห์หน้า เดือนหน้า
often ADV บ่อย เสมอ ทุกวัน เป็นประจำ เป็นครั้งคราว
very ADV มาก ที่สุด จริงๆ สุดๆ
person_title NOUN นาย นาง นางสาว
office_title NOUN ผู้อำนวยการ โฆษก อธิบดี ประธาน เลขาธิการ ผู้จัดการ หัวหน้า รองอธิบดี
nickname PROPN น้ำ ฝน ปลา ต้น ดาว ฟ้า แก้ว หมู ไก่ กบ นก ส้ม แป้ง มด ใหม่ เล็ก ใหญ่ อ้วน แดง
  เขียว
company_word PROPN เจริญ รุ่งเรือง ไทย สยาม บูรพา ทอง มั่นคง พัฒนา รวมใจ ก้าวหน้า สุวรรณ เพชร
  มงคล ธารา ภูผา นคร ทรัพย์ ไพศาล วัฒนา อุดม ศรี สหะ เอเชีย
company_line NOUN การค้า ก่อสร้าง ขนส่ง การเกษตร อาหาร พลังงาน สิ่งทอ ประกันภัย คอมพิวเตอร์
  ยานยนต์
ministry PROPN มหาดไทย การคลัง คมนาคม สาธารณสุข ศึกษาธิการ พาณิชย์ แรงงาน วัฒนธรรม ยุติธรรม
  กลาโหม
department PROPN ชลประทาน ป่าไม้ ประมง การค้าภายใน ทางหลวง ควบคุมโรค ศิลปากร ที่ดิน สรรพากร
  ปศุสัตว์ อุตุนิยมวิทยา
district PROPN เมือง บ้านโนน หนองบัว ท่าช้าง ดอนแก้ว ปากน้ำ บางรัก วังทอง โคกสูง ห้วยใหญ่ นาดี
  แม่ริม
food_thing NOUN อาหาร กับข้าว น้ำซุป ของหวาน น้ำจิ้ม ข้าวกล่อง บุฟเฟต์ เมนูใหม่
food_try VERB ชิม
food_good ADJ อร่อย กลมกล่อม ถูกปาก สดใหม่ น่ากิน เด็ด
food_bad ADJ จืดชืด เค็ม มันเยิ้ม เหม็นคาว ห่วย เลี่ยน
staff_thing NOUN พนักงาน แม่บ้าน คนส่งของ เจ้าหน้าที่ ฝ่ายบริการ แคชเชียร์ เจ้าของร้าน แอดมินเพจ
staff_try VERB ติดต่อ
staff_good ADJ สุภาพ น่ารัก ใส่ใจ กระตือรือร้น ใจดี เป็นกันเอง
staff_bad ADJ หยาบคาย ชักช้า หงุดหงิด เย็นชา มักง่าย ขี้เหวี่ยง
phone_thing NOUN มือถือเครื่องนี้ กล้องรุ่นนี้ แล็ปท็อปเครื่องนี้ หูฟังรุ่นนี้
  แท็บเล็ตเครื่องนี้ นาฬิการุ่นนี้
phone_try VERB ใช้
phone_good ADJ ทนทาน คุ้มค่า ใช้ง่าย ลื่นไหล เบา ทันสมัย
phone_bad ADJ ช้า หน่วง บอบบาง เปราะ ร้อน ห่วย
room_thing NOUN ห้องพัก ห้องน้ำ ล็อบบี้ เตียง สระว่ายน้ำ ที่จอดรถ ระเบียง ห้องประชุม
room_try VERB ใช้
room_good ADJ สะอาด กว้างขวาง สบาย เงียบสงบ หรูหรา น่าอยู่
room_bad ADJ สกปรก คับแคบ เหม็นอับ เก่า มืด ทรุดโทรม
film_thing NOUN หนังเรื่องนี้ ละครเรื่องนี้ ซีรีส์เรื่องนี้ สารคดีชุดนี้ สารคดีเรื่องนี้
  การ์ตูนเรื่องนี้
film_try VERB ดู
film_good ADJ สนุก ซาบซึ้ง น่าติดตาม ลึกซึ้ง ตื่นเต้น ประทับใจ
film_bad ADJ น่าเบื่อ ยืดเยื้อ น่าผิดหวัง สับสน ซ้ำซาก งี่เง่า
app_thing NOUN แอปนี้ เว็บไซต์นี้ ระบบจอง หน้าสมัครสมาชิก เกมนี้ โปรแกรมนี้
app_try VERB ใช้
app_good ADJ สะดวก เสถียร รวดเร็ว ใช้ง่าย ครบครัน น่าใช้
app_bad ADJ อืด ยุ่งยาก ซับซ้อน ล่มบ่อย น่ารำคาญ ห่วย
cloth_thing NOUN เสื้อตัวนี้ กางเกงตัวนี้ รองเท้าคู่นี้ กระเป๋าใบนี้ ชุดเดรสตัวนี้ หมวกใบนี้
cloth_try VERB ใส่
cloth_good ADJ สวย เนี้ยบ ใส่สบาย ทน คุ้มราคา เท่
cloth_bad ADJ แพง บาง หยาบ ยับง่าย เชย แข็งกระด้าง
"""

DOMAINS = ("food", "staff", "phone", "room", "film", "app", "cloth")
"""What reviews speak of: each has its own words for `thing`, `try`, `good` and `bad`."""

_THAI_NAME = re.compile("[ก-ฮเ-ไ][ก-๎]{2,11}")


def own_lists() -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the lists above as words by slot and part of speech by slot."""
    lines = _LISTS.replace("\n ", "").strip().splitlines()
    rows = [line.split() for line in lines]
    return {row[0]: tuple(row[2:]) for row in rows}, {row[0]: row[1] for row in rows}


def build_grammar(
    seed: int, rules: Mapping[str, Sequence[str]], entities: Mapping[str, str]
) -> Grammar:
    """Join the own lists with pythainlp's names, places and words, in a fixed order.

    pythainlp gives sets, whose order changes from process to process, so each is sorted.
    """
    words, upos = own_lists()
    names = _pythainlp_names()
    for slot, found in names.items():
        random.Random(f"{seed}/{slot}").shuffle(found)
    facts = _facts(names["vocab"])
    tags = dict.fromkeys(names, "PROPN") | {"vocab": "NOUN"}
    return Grammar({**words, **names, **facts}, {**upos, **tags}, rules, entities)


def fold(grammar: Grammar, folds: Sequence[int]) -> Grammar:
    """Keep only the people's names of these tenths: tasks test on names not seen in training.

    A name's tenth follows from its letters, since many stand in two of the lists.
    """
    kept = {
        slot: [name for name in grammar.words[slot] if _tenth(name) in folds]
        for slot in ("male", "female", "family")
    }
    return replace(grammar, words={**grammar.words, **kept})


def _tenth(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0] % 10


def _pythainlp_names() -> dict[str, list[str]]:
    from pythainlp import corpus

    names = {
        "male": corpus.thai_male_names(),
        "female": corpus.thai_female_names(),
        "family": corpus.thai_family_names(),
    }
    found = {slot: [name for name in sorted(names[slot]) if _is_name(name)] for slot in names}
    # Others are descriptions of islands and territories more than names.
    found["country"] = [
        name for name in sorted(corpus.countries()) if _is_name(name) and "เกาะ" not in name
    ]
    found["province"] = [row["name_th"] for row in _provinces()]
    found["vocab"] = _school_words()
    return found


def _is_name(name: str) -> bool:
    # Some names have a tone mark before its vowel: dirt that was not planted.
    return _THAI_NAME.fullmatch(name) is not None and clean_text(name) == name


def _school_words() -> list[str]:
    """Words of Thai school books that are in the word list, too: many, and fit for anyone."""
    from pythainlp import corpus
    from pythainlp.corpus import ttc

    known, rude = corpus.thai_words(), corpus.thai_profanity_words()
    school = {word for word, count in ttc.word_freqs() if count > 2}
    return [word for word in sorted(school & known - rude) if _is_name(word)]


def _facts(vocab: Sequence[str]) -> dict[str, list[str]]:
    """Return sentences about words and provinces that are true whatever the word is.

    They bring thousands of different words into the corpus without saying nonsense with them.
    """
    by_letter: dict[str, list[str]] = {}
    for word in vocab:
        by_letter.setdefault(_first_consonant(word), []).append(word)
    return {
        "fact_province": [
            f"จังหวัด{row['name_th']}ใช้อักษรย่อว่า {row['abbr_th']} "
            f"และเขียนด้วยอักษรโรมันว่า {row['name_en']}"
            for row in _provinces()
        ],
        "fact_spelling": [
            f"คำว่า “{word}” เขียนด้วยอักขระ {len(word)} ตัว และขึ้นต้นด้วยพยัญชนะ {_first_consonant(word)}"
            for word in vocab
        ],
        "fact_letter": [
            f"คำที่ขึ้นต้นด้วย {letter} เช่น {' '.join(words[start : start + 5])}"
            for letter, words in by_letter.items()
            for start in range(0, len(words) - 5, 5)
        ],
    }


def _provinces() -> list[dict[str, str]]:
    """Return name_th, name_en, abbr_th of every province, sorted by name."""
    from pythainlp import corpus

    rows: Any = corpus.provinces(details=True)
    return sorted(rows, key=lambda row: str(row["name_th"]))


def _first_consonant(word: str) -> str:
    # Five vowels are written before the consonant that they follow in speech.
    return word[1] if word[0] in "เแโใไ" else word[0]
