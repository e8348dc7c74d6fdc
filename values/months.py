"""Names of months as people write them: the number of a name, in the calendar that a source declares.

Gregorian in English, French, Spanish and Arabic (names of the Levant, of Egypt and the Gulf, of Algeria and Tunisia, of
Morocco and Mauritania); Solar Hijri in Persian, Dari and Pashto; Islamic in Arabic; Ethiopian in Amharic and Tigrinya;
of the last three also usual Latin spellings. Each line is a month, `_` joins the words of one name. A name is compared
by its letters alone: without accents, vowel signs, case, spaces, points and the letters that keyboards exchange.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

_GREGORIAN = """
jan january janv janvier ene enero يناير كانون_الثاني كانون_ثاني جانفي
feb february févr fév février febrero فبراير شباط فيفري
mar march mars marzo مارس آذار
apr april avr avril abr abril أبريل نيسان أفريل
may mai mayo مايو أيار ماي
jun june juin junio يونيو يونيه حزيران جوان
jul july juil juill juillet julio يوليو يوليه تموز جويلية يوليوز
aug august août ago agosto أغسطس آب أوت غشت أغشت
sep sept september septembre septiembre set setiembre سبتمبر أيلول شتنبر شتمبر
oct october octobre octubre أكتوبر تشرين_الأول تشرين_أول
nov november novembre noviembre نوفمبر تشرين_الثاني تشرين_ثاني نونبر
dec december déc décembre dic diciembre ديسمبر كانون_الأول كانون_أول دجنبر دجمبر
"""
_SOLAR_HIJRI = """
فروردین farvardin حمل hamal وری wray wrey wuray
اردیبهشت ordibehesht ثور sawr saur sowr thawr غویی غوایی ghwayay ghwaye ghoyay
خرداد khordad جوزا jawza jauza jowza غبرګولی ghbargolay ghabargolay ghbargoley
تیر tir سرطان saratan چنګاښ changakh changash chungash
مرداد امرداد mordad amordad اسد asad زمری zmaray zmarai zmarey
شهریور shahrivar سنبله sunbula sunbulah sumbula sonbola sonboleh وږی wazhay wagay
مهر mehr میزان mizan تله tala
آبان aban عقرب aqrab لړم laram
آذر azar قوس qaws qaus qows لیندۍ linday lindai lindey
دی dey dei جدی jadi jaddi jadee مرغومی marghumay marghomay
بهمن bahman دلو dalw dalwa dalv سلواغه salwagha salwaghah
اسفند اسپند esfand حوت hut hoot hout کب kab
"""
_ISLAMIC = """
محرم محرم_الحرام muharram moharram
صفر صفر_المظفر safar
ربيع_الأول ربيع_أول rabi_al-awwal rabi_ul-awwal rabi_al-awal rabi_i
ربيع_الآخر ربيع_الثاني ربيع_ثاني rabi_al-thani rabi_ath-thani rabi_al-akhir rabi_ul-akhir rabi_ii
جمادى_الأولى جمادى_الأول jumada_al-ula jumada_al-awwal jumada_i
جمادى_الآخرة جمادى_الآخر جمادى_الثانية جمادى_الثاني jumada_al-akhirah jumada_al-akhira jumada_al-thani jumada_ii
رجب رجب_المرجب rajab
شعبان شعبان_المعظم shaban shaaban
رمضان رمضان_المبارك ramadan ramadhan ramazan
شوال شوال_المكرم shawwal shawal
ذو_القعدة ذي_القعدة ذيقعده dhu_al-qadah dhu_al-qidah dhul_qadah dhul_qidah dhul_qada zul_qadah zul_qada
ذو_الحجة ذي_الحجة ذيحجه dhu_al-hijjah dhul_hijjah dhul_hijja zul_hijjah zul_hijja
"""
_ETHIOPIAN = """
መስከረም meskerem mäskäräm
ጥቅምት ጥቅምቲ tikimt tekemt tiqimt tikemet
ኅዳር ሕዳር hidar hedar
ታኅሣሥ ታሕሳስ tahsas tahesas tahisas tahasas
ጥር ጥሪ tir ter
የካቲት ለካቲት yekatit yakatit
መጋቢት megabit magabit
ሚያዝያ ሚያዚያ miyazya miyaziya miazia
ግንቦት ginbot genbot
ሰኔ ሰነ sene sane
ሐምሌ ሓምለ hamle
ነሐሴ ነሓሰ nehase nehasse nahase
ጳጉሜን ጳጉሜ ጷጉሜን ጷግሜን pagume pagumen pagumien
"""

_ARABIC_KEYBOARDS = {
    **dict.fromkeys("ىیېۍ", "ي"),
    **dict.fromkeys("ةۀە", "ه"),
    **dict.fromkeys("ءـ", ""),
    "ک": "ك",
    "ګ": "گ",
}


def ethiopic_homophones() -> dict[str, str]:
    """Letters of Amharic that sound alike and are written for each other: ሐ ኀ for ሀ, ሠ for ሰ, ዐ for አ, ፀ for ጸ."""
    rows = ((0x1210, 0x1200, 7), (0x1280, 0x1200, 7), (0x1220, 0x1230, 8), (0x12D0, 0x12A0, 7), (0x1340, 0x1338, 7))
    letters = {chr(of + n): chr(to + n) for of, to, count in rows for n in range(count)}
    # The first and the fourth order of these are one sound.
    first_of_fourth = {"ሃ": "ሀ", "ኣ": "አ"}
    return first_of_fourth | {letter: first_of_fourth.get(to, to) for letter, to in letters.items()}


_SAME_LETTER = str.maketrans(_ARABIC_KEYBOARDS | ethiopic_homophones())


def letters_of(name: str) -> str:
    """A name by its letters alone, as names are compared."""
    folded = unicodedata.normalize("NFKD", name.casefold()).translate(_SAME_LETTER)
    return "".join(sign for sign in folded if unicodedata.category(sign).startswith("L"))


@cache
def month_names(calendar: str) -> Mapping[str, int]:
    """The months of a calendar by the letters of their names."""
    lines = _NAMES[calendar].strip().splitlines()
    return {letters_of(name): number for number, line in enumerate(lines, start=1) for name in line.split()}


_NAMES = {
    "gregorian": _GREGORIAN,
    "jalali": _SOLAR_HIJRI,
    "hijri": _ISLAMIC,
    "hijri_civil": _ISLAMIC,
    "ethiopian": _ETHIOPIAN,
}
