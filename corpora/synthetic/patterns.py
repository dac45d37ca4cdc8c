"""The sentences of the synthetic corpus, as patterns by slot; `expand` says how to read them."""

from __future__ import annotations

from corpora.synthetic.task_patterns import NER, POS, SENTIMENT

ENTITIES = {
    "person": "PERSON",
    "nick": "PERSON",
    "location": "LOCATION",
    "home": "LOCATION",
    "org": "ORGANIZATION",
    "date": "DATE",
    "month_date": "DATE",
    "money": "MONEY",
    "clock_time": "TIME",
    "rate": "PERCENT",
}
"""Which slots are named entities."""

_NAMES = """
== person
นาย|{male} {family}
นาย|{male}
นาง|{female} {family}
นางสาว|{female} {family}
{male} {family}
{female} {family}
คุณ|{male}
คุณ|{female}
== nick
{nickname}
น้อง|{nickname}
พี่|{nickname}
== home
จังหวัด|{province}
{province}
อำเภอ|{district} จังหวัด|{province}
ตำบล|{district}
== location
{home}
{home}
ประเทศ|{country}
{country}
== org
บริษัท {company_word}|{company_word}|{company_line} จำกัด
บริษัท {company_word}|{company_word} จำกัด
กระทรวง|{ministry}
กรม|{department}
ธนาคาร|{company_word}|{company_word}
มหาวิทยาลัย|{province}
โรงพยาบาล|{province}
โรงเรียน|{company_word}|วิทยา
สโมสร|{province} ยูไนเต็ด
มูลนิธิ|{company_word}|{company_word}
== date
{1-28} {month} {year}
{1-28} {month}
== month_date
เดือน|{month} {year}
เดือน|{month}
ปี {year}
== money
{2-990} บาท
{1000-9900} บาท
{2-90} ล้าน|บาท
{10-90} ดอลลาร์
== clock_time
{clock} น.
== rate
ร้อยละ {2-95}
{2-95} เปอร์เซ็นต์
"""

_NEWS = """
== news
ผู้สื่อข่าวรายงานว่า {person} ลงพื้นที่{home}เพื่อติดตามเรื่อง{topic}
ที่ประชุมมีมติให้เร่งแก้ปัญหา{problem}ภายในเดือน{month}
ชาวบ้านใน{home}ร้องเรียนเรื่อง{problem}มานานกว่า {2-12} เดือน
โครงการนี้ใช้งบประมาณ {2-90} ล้านบาท และจะแล้วเสร็จในปี {year}
{office_title}{org}ย้ำว่าเรื่อง{topic}เป็นวาระสำคัญของปีนี้
ทั้งนี้ ผู้ที่สนใจสามารถสอบถามได้ที่{place}ในวันและเวลาราชการ
นอกจากนี้ยังมีการอบรมเรื่อง{topic}ให้แก่{job}กว่า {20-900} คน
ด้าน{person}กล่าวว่า ปัญหา{problem}ต้องอาศัยความร่วมมือจากทุกฝ่าย
ผลสำรวจพบว่า ประชาชนร้อยละ {20-95} ให้ความสำคัญกับ{topic}
ราคา{crop}ในสัปดาห์นี้เฉลี่ยกิโลกรัมละ {8-95} บาท
กรมอุตุนิยมวิทยาเตือนว่า {later}จะมีฝนตกหนักใน{home}
เจ้าหน้าที่ปิดถนนหน้า{place}ชั่วคราวเพราะ{incident}
{farmer}หลายรายหันมาปลูก{crop}แทน{crop}เพราะราคาดีกว่า
{fair}ปีนี้จัดที่{home} ตั้งแต่วันที่ {1-9} ถึง {10-28} {month} {year}
== headline
{org}เดินหน้าแก้ปัญหา{problem}
{home}เตรียมจัด{fair}
{crop}ราคาพุ่ง {farmer}ยิ้มได้
จับตา{topic}ปี {year}
{job}วอนรัฐช่วยเรื่อง{problem}
"""

_SOCIAL = """
== social
ส่ง{thing}แบบ delivery มา {2-9} วันแล้วยังไม่ถึง {emoji}
ลืม password อีกแล้ว เข้า {brand} ไม่ได้ตั้งแต่ {clock} น. {laugh}
check-in ที่{place} ใน{home} {hashtag}
{kin}อยากเป็น influencer เลยเปิดช่อง vlog รีวิว{food} {emoji}
laptop พังตอนเรียน online วิชา{subject}พอดี {emoji} {laugh}
ใครทัน live เมื่อ {clock} น. บ้าง เขาแจก{thing}ด้วยนะ
{weekday}นี้มี {english} ตั้งแต่ {clock} น. {laugh}
ใครว่างไป{place}กับเราบ้าง {emoji}
กิน{food}ที่{place}มา อร่อยจนต้องถ่ายรูป {hashtag}
{brand} ออกรุ่นใหม่แล้ว แต่เงินเดือนยังไม่ออก {laugh}
ขอ {english} หน่อย{polite} รอมา {2-9} วันแล้ว {emoji}
{pet}ที่บ้านไม่ยอมกินข้าว ทำไงดี {emoji}
ฝนตกอีกแล้ว รถติดตั้งแต่{place}ถึง{place}
สั่ง{drink}ได้{drink} {laugh} {emoji}
งาน {english} ยังไม่เสร็จ ส่วนเจ้านายถามหา {english} แล้ว
{time}เพิ่งกลับจาก{location} อากาศดีมาก {hashtag}
แชร์ไว้ก่อน {link} เผื่อใครหา{thing}อยู่
อยากกิน{food}มากกก ใครผ่าน{place}ฝากซื้อหน่อย
เพื่อนชวนดู live ของ {brand} จนดึก {emoji}
{kin}ส่งสติกเกอร์สวัสดี{weekday}มาอีกแล้ว {emoji}
สอบ{subject}เสร็จแล้ว ขอไปนอน {2-9} ชั่วโมงนะ {laugh}
ทำ {english} ทั้งคืนเพราะ deadline เลื่อนมาเป็น{weekday}
{home}ฝนตกไหม{polite_ask} {later}จะไป {emoji}
"""

_ENCYCLOPEDIA = """
== made_of
ตะกร้าสานทำจากไม้ไผ่และหวาย
เครื่องปั้นดินเผาทำจากดินเหนียวผสมทราย
ผ้าทอพื้นบ้านทำจากฝ้ายหรือไหม
ร่มกระดาษทำจากกระดาษสาและไม้ไผ่
เครื่องเงินทำจากเงินแท้ที่ตีเป็นแผ่นบาง
หุ่นกระบอกทำจากไม้แกะสลักและผ้า
เสื่อกกทำจากต้นกกที่ตากแห้งแล้วย้อมสี
กลองยาวทำจากไม้ขนุนขึงด้วยหนังวัว
หัวโขนทำจากกระดาษปิดทับกันหลายชั้น
== encyclopedia
{made_of} พบมากใน{home}
ประเพณี{festival}จัดขึ้นเป็นประจำทุกปี โดยชาวบ้านใน{home}จะร่วมกันทำบุญที่วัด
{crop}เป็นพืชเศรษฐกิจที่ปลูกกันมากใน{home} และเก็บเกี่ยวได้ในเดือน{month}
{food}เป็นอาหารที่นิยมรับประทานกับ{food} มีส่วนผสมต่างกันไปในแต่ละท้องถิ่น
หมู่บ้าน{district}ตั้งอยู่ในหุบเขา มีประชากรประมาณ {120-980} คน ส่วนใหญ่ประกอบอาชีพปลูก{crop}
{person} ({year_old}–{year}) เป็น{job}ชาว{location} ผู้เขียนตำราเรื่อง{topic}
วิชา{subject}แบ่งออกเป็น {2-9} สาขา ตามเนื้อหาที่ศึกษา
{animal}เป็นสัตว์ที่คนไทยคุ้นเคย และปรากฏในนิทานพื้นบ้านหลายเรื่อง
{made_of} ช่างต้องเลือกวัสดุที่ดีและใช้เวลาทำประมาณ {2-30} วัน
พิพิธภัณฑ์แห่งนี้เก็บรักษางานหัตถกรรมพื้นบ้านไว้กว่า {20-900} ชิ้น เปิดให้เข้าชมทุกวันเว้น{weekday}
ที่นี่มี{place}และ{place}ที่สร้างขึ้นเมื่อปี {year_old} ปัจจุบันเปิดให้คนทั่วไปเข้าชม
{fruit}และ{fruit}เป็นผลไม้ที่หาซื้อได้ง่ายใน{home} ราคาเฉลี่ยกิโลกรัมละ {15-95} บาท
{animal}กับ{animal}เป็นตัวละครสำคัญในนิทานเรื่องเดียวกัน เล่ากันมากว่า {100-900} ปี
{fact_province}
{fact_spelling}
{fact_spelling}
{fact_letter}
{fact_letter}
{fact_letter}
"""

_ENGLISH = """
== english_text
The {english} for {brand} starts at {clock} and takes {2-9} hours.
Please read the {english} and send your {english} before the next {english}.
We moved the {english} to a new {english} and {20-900} people joined.
{brand} opened a {english} last week with {2-90} seats.
Our {english} was late again, so the {english} has to wait for {2-9} days.
Thank you for your {english}, we will answer within {2-9} hours.
"""


def rules() -> dict[str, tuple[str, ...]]:
    """Return the patterns by slot."""
    found: dict[str, list[str]] = {}
    blocks = _NAMES, _NEWS, _SOCIAL, _ENCYCLOPEDIA, _ENGLISH, NER, SENTIMENT, POS
    slot = ""
    for line in "".join(blocks).splitlines():
        if line.startswith("== "):
            slot = line.removeprefix("== ")
            found[slot] = []
        elif line:
            found[slot].append(line)
    return {slot: tuple(patterns) for slot, patterns in found.items()}
