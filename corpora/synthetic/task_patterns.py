"""The sentences of the three tasks, as patterns by slot: the labels follow from them.

Words are parted where a task labels words. The same word stands under several labels on
purpose: น้ำ is water and a name, ขัน is a bowl and to crow, and "not bad" is praise.
"""

from __future__ import annotations

NER = """
== ner
{person} {office_title}|{org} เปิดเผย|ว่า จะ|จัด|{fair}|ที่|{home}|ใน|วันที่ {date}
{org}|ลงนาม|ความ|ร่วมมือ|กับ|{org} เมื่อ|วันที่ {date}
{person}|เดินทาง|ไป|{location} เพื่อ|พบ|กับ|{person}
เมื่อ|เวลา {clock_time} เกิด|เหตุ|{incident}|ที่|{home}
{org}|อนุมัติ|งบประมาณ {money} เพื่อ|แก้|ปัญหา|{problem}|ใน|{home}
{person}|บริจาค|เงิน {money} ให้|แก่|{org}
ราคา|{crop}|ใน|{home}|เพิ่ม|ขึ้น {rate} เมื่อ|เทียบ|กับ|{month_date}
ตำรวจ|จับ|{person} พร้อม|ของกลาง|มูลค่า {money}
{person} อายุ {18-79} ปี ชาว|{home} ได้|รับ|รางวัล|จาก|{org}
{org}|ย้าย|สำนักงาน|ไป|ที่|{home}|ตั้งแต่|{month_date}
{nick}|ไป|ซื้อ|{fruit}|ที่|{home}
{nick}|กับ|{person}|นัด|พบ|กัน|ที่|{home} เวลา {clock_time}
{nick}|ทำงาน|ที่|{org}|มา {2-20} ปี
{nick}|บอก|ว่า|{thing}|ราคา {money}
แม่|ให้|{nick}|ซื้อ|ปลา|กับ|ส้ม|มา|ทำ|กับข้าว
แม่ค้า|ขาย|ปลา|และ|ไก่|ที่|{place}|ทุก|เช้า
ฝน|ตก|หนัก จน|น้ำ|ท่วม|ถนน|ใน|{home}
ดาว|บน|ฟ้า|ที่|{home}|สวย|{very}
ต้น|{fruit}|หน้า|{place}|ออก|ดอก|แล้ว
น้ำ|ใน|แก้ว|ของ|{job}|ยัง|ร้อน|อยู่|เลย
หมู|กับ|ไก่|ราคา|ขึ้น|อีก|แล้ว|ตั้งแต่|{month_date}
{food}|อร่อย|มาก|เลย สั่ง|มา|อีก|ได้|เลย
ตาก|ผ้า|ไว้|หน้า|บ้าน แล้ว|ไป|ทำงาน|ที่|{place}
ข่าว|เรื่อง|{topic}|แพร่|ไป|เร็ว|มาก ทั้ง|ที่|ยัง|ไม่|มี|ใคร|ยืนยัน
บริษัท|จะ|จ่าย|เงิน|ให้|{job}|ตาม|กฎหมาย
กระทรวง|ยัง|ไม่|ตอบ|คำถาม|เรื่อง|{topic}
{home}|อยู่|ห่าง|จาก|{home} ประมาณ {20-900} กิโลเมตร
{job}|จาก|{location}|ชนะ|การ|แข่งขัน|ที่|{org}|จัด|ขึ้น
วันที่ {date} {org}|ประกาศ|ลด|ราคา|{thing}|เหลือ {money}
{person}|เกิด|เมื่อ|วันที่ {date} ที่|{location}
ผู้|สมัคร {20-900} คน|มา|สอบ|ที่|{org} เมื่อ {clock_time}
{rate} ของ|นักเรียน|ใน|{home}|ชอบ|เรียน|{subject}
คุณ|ครู|ของ|{nick}|ย้าย|มา|จาก|{location}
{person}|โอน|เงิน {money} ไป|ที่|{org} เมื่อ|เวลา {clock_time}
"""

SENTIMENT = """
== positive
{@thing}{@good}{very}
{@thing}{@good}กว่าที่คิดไว้
ชอบ{@thing}มาก {@good}จริงๆ
{@thing}ไม่{@bad}เลยสักนิด
{@thing}ไม่ได้{@bad}อย่างที่เขาว่ากัน
ตอนแรกกลัวว่าจะ{@bad} แต่{@thing}{@good}เกินคาด
เพื่อนบอกว่า{@bad} แต่พอได้{@try}เองกลับ{@good}
ถึง{@thing}จะ{@bad}ไปนิด แต่โดยรวม{@good}มาก
ไม่เคยเจอ{@thing}ที่{@good}ขนาดนี้มาก่อน
ไม่ผิดหวังเลย {@thing}{@good}สมราคา
ใครว่า{@thing}{@bad} เราว่า{@good}ออก
เมื่อก่อน{@thing}{@bad} แต่เดี๋ยวนี้{@good}แล้ว
{@thing}{@good}จนต้องบอกต่อ
แนะนำเลย {@thing}{@good} ไม่มีที่ติ
== negative
{@thing}{@bad}{very}
{@thing}{@bad}กว่าที่คิดไว้
เบื่อ{@thing}มาก {@bad}จริงๆ
{@thing}ไม่{@good}เลยสักนิด
{@thing}ไม่ได้{@good}อย่างที่เขาว่ากัน
ตอนแรกนึกว่าจะ{@good} แต่{@thing}{@bad}เกินทน
เพื่อนบอกว่า{@good} แต่พอได้{@try}เองกลับ{@bad}
ถึง{@thing}จะ{@good}อยู่บ้าง แต่โดยรวม{@bad}มาก
ไม่เคยเจอ{@thing}ที่{@bad}ขนาดนี้มาก่อน
ผิดหวังมาก {@thing}{@bad}ไม่สมราคา
ใครว่า{@thing}{@good} เราว่า{@bad}ต่างหาก
เมื่อก่อน{@thing}{@good} แต่เดี๋ยวนี้{@bad}แล้ว
{@thing}{@bad}จนต้องบอกต่อ
ไม่แนะนำเลย {@thing}{@bad} มีแต่ที่ติ
== neutral
เพิ่งเห็น{@thing}เมื่อวาน ยังไม่รู้ว่า{@good}หรือ{@bad}
มีคนพูดถึง{@thing}ในกลุ่มเมื่อ{weekday}
{@thing}ก็งั้นๆ ไม่ได้{@good} แต่ก็ไม่ได้{@bad}
เรื่อง{@thing} บางคนว่า{@good} บางคนว่า{@bad} แล้วแต่คนชอบ
{later}จะลอง{@try}{@thing}สักครั้ง ถ้า{@good}จะมาเล่าให้ฟัง
{kin}ถามถึง{@thing} เลยบอกไปว่ายังไม่เคย{@try}
เขาเขียนว่า{@thing}{@good} ส่วนอีกคนเขียนว่า{@bad}
แจ้งให้ทราบว่า{@thing}จะเปลี่ยนใหม่ตั้งแต่วันที่ {1-28} {month}
รีวิว{@thing}ตอนที่ {2-40} ลงให้แล้วที่ {link}
เคยเขียนถึง{@thing}ไว้เมื่อปี {year}
== question
{@thing}{@good}ไหม{polite_ask}
{@thing}{@bad}จริงหรือเปล่า{polite_ask}
มีใครเคย{@try}{@thing}บ้าง{polite_ask} อยากรู้ว่า{@good}ไหม
ทำไม{@thing}ถึง{@bad}แบบนี้{polite_ask}
เทียบกับที่อื่นแล้ว {@thing}{@good}กว่าหรือเปล่า
{@thing}ที่ว่า{@good} {@good}จริงไหม{polite_ask}
ถ้าจะ{@try}{@thing} เริ่ม{weekday}หรือ{weekday}ดี{polite_ask}
ใครพอจะรู้บ้าง{polite_ask}ว่า{@thing}ยัง{@bad}อยู่หรือเปล่า
จะถามเรื่อง{@thing}ต้องติดต่อใคร{polite_ask}
== opener
วันนี้ไปกับ{kin}มา
สวัสดีชาว{home}
อัปเดตเมื่อ{weekday}
เปิดประเด็น{weekday}นี้
เห็นจากโฆษณา
ตามมาจาก {hashtag}
{kin}ฝากมาบอก
มาจากกลุ่มของ{job}
ขอพูดหน่อย
== ending
นะครับ
นะคะ
นะ
ครับ
ค่ะ
"""

POS = """
== pos
{kin}|{v_food}|{food}|ที่/ADP|{place}
{kin}|กำลัง/AUX|{v_food}|{food}|อยู่/AUX
{time}| |{job}|{v_thing}|{thing}|ให้/ADP|{kin}
{kin}|ให้/VERB|{thing}|แก่/ADP|{job}
{kin}|ให้/VERB|{job}|{v_thing}|{thing}
{later}| |{pronoun}|จะ/AUX|ไป/VERB|{place}|กับ/ADP|{kin}
{job}|เดิน/VERB|ไป/AUX|ที่/ADP|{place}
{pronoun}|ได้/VERB|{thing}|จาก/ADP|{job}
{pronoun}|ได้/AUX|ชิม/VERB|{food}|แล้ว/ADV
{pronoun}|ซ่อม/VERB|{thing}|ได้/AUX|ไม่/ADV|ดี/ADV
{thing}|ที่/PRON|{kin}|{v_thing_ask}|{adj_thing}|มาก/ADV
{pronoun}|คิด/VERB|ว่า/SCONJ|{thing}|นี้/DET|{adj_thing}|เกินไป/ADV
{kin}|ว่า/VERB|{pronoun}|แรง/ADV|มาก/ADV
{animal}| |{2-9}| |ตัว/NOUN|อยู่/VERB|ใน/ADP|{place}
{kin}|คน/VERB|{drink}|ใน/ADP|แก้ว/NOUN|ให้/ADP|{job}
{job}| |{2-90}| |คน/NOUN|มา/VERB|ถึง/ADP|{place}|แล้ว/ADV
{job}|ถึง/VERB|{place}|ตอนเช้า/NOUN
{kin}|คิด/VERB|ถึง/ADP|{animal}|ที่/PRON|หาย/VERB|ไป/AUX
ไก่/NOUN|ขัน/VERB|ตอนเช้า/NOUN|ที่/ADP|บ้าน/NOUN|{kin}
{kin}|ใช้/VERB|ขัน/NOUN|ตัก/VERB|น้ำ/NOUN|ให้/ADP|{job}
{animal}|นอน/VERB|บน/ADP|ตัก/NOUN|ของ/ADP|{kin}
นกแก้ว/NOUN|เกาะ/VERB|กิ่งไม้/NOUN|อยู่/AUX|ที่/ADP|{place}
{kin}|ไป/VERB|เที่ยว/VERB|เกาะ/NOUN|กับ/ADP|{job}
{kin}|ใช้/VERB|พัด/NOUN|พัด/VERB|ให้/ADP|{kin}
ลม/NOUN|พัด/VERB|{light_thing}|ของ/ADP|{kin}|ปลิว/VERB|ไป/AUX
{kin}|หยิบ/VERB|หวี/NOUN|สี/NOUN|{color}|มา/AUX|หวี/VERB|ผม/NOUN
ผม/PRON|ตัด/VERB|ผม/NOUN|ใกล้/ADP|{place}
{kin}|แกง/VERB|ปลา/NOUN|หม้อ/NOUN|ใหญ่/ADJ|ไป/AUX|ให้/ADP|{job}
{pronoun}|กิน/VERB|แกง/NOUN|กับ/ADP|{food}
{kin}|สี/VERB|ซอ/NOUN|เก่ง/ADV|กว่า/ADP|{job}
{thing}|สี/NOUN|{color}|ราคา/NOUN|แพง/ADJ|กว่า/ADP|{thing}
{job}|ใช้/VERB|{cover}|กัน/VERB|ฝุ่น/NOUN|ที่/ADP|{place}
{kin}|กับ/CCONJ|{job}|คุย/VERB|กัน/ADV|ที่/ADP|{place}
{thing}|ของ/ADP|{kin}|หาย/VERB|ที่/ADP|{place}
{kin}|ซื้อ/VERB|ของ/NOUN|ที่/ADP|{place}|{often}
{place}|ไม่/ADV|มี/VERB|ที่/NOUN|ให้/SCONJ|{kin}|นั่ง/VERB
{kin}|ของ/ADP|{pronoun}|เป็น/AUX|{job}
พระ/NOUN|ฉัน/VERB|{food}|กับ/ADP|{fruit}|{time}
ฉัน/PRON|ชอบ/VERB|{food}|แต่/CCONJ|ไม่/ADV|ชอบ/VERB|{drink}
{pronoun}|ฝัน/VERB|ว่า/SCONJ|{animal}|พูด/VERB|ได้/AUX
ฝัน/NOUN|ของ/ADP|{job}|เป็น/AUX|จริง/ADJ|แล้ว/ADV
ถ้า/SCONJ|ฝน/NOUN|ตก/VERB| |{kin}|จะ/AUX|ไม่/ADV|ไป/VERB|{place}
{pronoun}|ไม่/ADV|กิน/VERB|{food}|เพราะ/SCONJ|ไม่/ADV|หิว/VERB
{kin}|กิน/VERB|{food}|แล้ว/CCONJ|ไป/VERB|{place}
{job}|จาก/ADP|{province}|ขาย/VERB|{fruit}|กิโลกรัม/NOUN|ละ/ADP| |{15-95}| |บาท/NOUN
จังหวัด/NOUN|เลย/PROPN|ปลูก/VERB|{crop}|มาก/ADV|กว่า/ADP|{province}
{thing}|ของ/ADP|{kin}|ไม่/ADV|{adj_thing}|เลย/ADV
{kin}|ตาก/VERB|{fruit}|ไว้/AUX|ที่/ADP|{yard}
{job}|มา/VERB|จาก/ADP|ตาก/PROPN|กับ/ADP|{kin}
ข่าว/NOUN|ของ/ADP|{job}|แพร่/VERB|ไป/AUX|เร็ว/ADV|มาก/ADV
{kin}|อยู่/VERB|ที่/ADP|แพร่/PROPN|มา/AUX| |{2-40}| |ปี/NOUN
คุณ/NOUN|{male}|สอน/VERB|{subject}|ที่/ADP|{place}
ทุก/DET|คน/NOUN|รู้/VERB|ว่า/SCONJ|{female}|ชอบ/VERB|{fruit}
ขอ/VERB|{drink}| |{2-9}| |แก้ว/NOUN|หน่อย/PART|นะ/PART|{polite_ask}
โอ้โห/INTJ| |{place}|นี้/DET|{adj_place}|จริง/ADV|{polite}
{kin}|ถาม/VERB|ว่า/SCONJ| |“/PUNCT|{thing}|อยู่/VERB|ไหน/PRON|”/PUNCT
{crop}|หรือ/CCONJ|{fruit}|ขาย/VERB|ดี/ADV|กว่า/ADP|กัน/ADV
"""
