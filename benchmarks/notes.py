"""Caseworkers' notes in eight languages, made up: templates filled with names, numbers, dates and places.

Names are ones that `anonymization/redaction/names.yaml` does not have (checked when notes are made), so that a figure
says how names are found that nobody has listed. Prints one note a line in the form of `benchmarks/redaction.py`:
`python -m benchmarks.notes [NOTES_PER_LANGUAGE] > notes.jsonl`.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from anonymization.redaction.folding import fold
from anonymization.redaction.lexicon import frequent_names


@dataclass(frozen=True)
class _Language:
    country: str
    given: str
    family: str
    places: str
    phone: str
    templates: tuple[str, ...]


LANGUAGES = {
    "en": _Language(
        "NGA",
        "Chidinma Ifeoma Obinna Uchenna Tobiloba Adaeze Folake Olumide Nkechi Emeka Yetunde Segun Ngozi Chukwudi",
        "Okafor Adeyemi Eze Balogun Nwosu Okonkwo Afolabi Ogunleye Umeh Onyeka Bassey Ekpo Danjuma Lawal",
        "Benin Auchi Uromi Sapele Agbor",
        "+234 80# ### ####",
        (
            "Met {n} at the office today. She wants to restart her tailoring shop and asked about the grant.",
            "{n} called from {p}; he says the landlord {n} raised the rent again.",
            "Client returned from Libya in 2021 with two children. Her sister {n} keeps the goods. Phone {t}.",
            "the returnee {n} did not come to the counselling session, rescheduled for next week",
            "Referred to hospital for treatment, accompanied by neighbour {n} ({t}, {e}).",
            "Business plan approved. Supplier is Mr. {n}, account opened on {d}.",
            "He feels safe but sleeps badly since the detention. No further needs mentioned.",
            "My name is {n} and I need help with school fees for my son {g}.",
        ),
    ),
    "fr": _Language(
        "CIV",
        "Akissi Affoué N'Goran Yobouet Amenan Kouakou Gnamien Tanoh Bintou Nafissatou Souleymane Drissa Lacina Yacouba",
        "N'Guessan Brou Assamoi Gbagbi Zadi Tiémoko Doumbia Dagnogo Soro Ouédraogo Zongo Kaboré Sanogo",
        "Daloa Bouaké Korhogo Gagnoa Man",
        "+225 07 ## ## ## ##",
        (
            "Entretien avec {n} ce matin. Elle souhaite reprendre la vente de pagnes au marché.",
            "{n} habite toujours à {p} chez son oncle {n}, qui refuse de payer le loyer.",
            "Le bénéficiaire est revenu du Niger en 2020, sans papiers. Contact : {t} ou {e}.",
            "la sœur du migrant, {n}, garde les enfants pendant la formation",
            "Orienté vers le centre de santé, accompagné de M. {n}, rendez-vous le {d}.",
            "Le fournisseur {n} n'a pas livré la machine, dossier à suivre.",
            "Il dort mal depuis le retour et ne veut plus en parler. Aucun autre besoin signalé.",
            "Je m'appelle {n} et je cherche un emploi de chauffeur.",
        ),
    ),
    "es": _Language(
        "HND",
        "Xiomara Yadira Nohemí Wilmer Osman Darwin Keyla Yolibeth Melvin Arnulfo Suyapa Dilcia Elmer Marvin Reina",
        "Zelaya Bonilla Canales Euceda Maradiaga Oseguera Funez Padilla Ordóñez Amador Murillo Barahona Cáceres",
        "Choluteca Danlí Juticalpa Comayagua Progreso",
        "+504 9###-####",
        (
            "Se entrevistó a {n} en la oficina. Quiere abrir una pulpería y pide capital semilla.",
            "{n} vive ahora en {p} con su hermano {n}, porque teme a las maras.",
            "El retornado llegó en 2022 sin dinero. Teléfono {t}, correo {e}.",
            "la señora {n} no se presentó a la cita, se reprograma para la otra semana",
            "Fue remitido al centro de salud junto con su vecina {n} el {d}.",
            "El maestro {n} confirma la matrícula de los niños.",
            "Duerme mal desde la detención y no desea hablar del viaje. Sin otras necesidades.",
            "Me llamo {n} y busco trabajo de soldador.",
        ),
    ),
    "ar": _Language(
        "IRQ",
        "ميسلون رندلى شهيرة غزوان ضرغام عروبة ماجدولين دلشاد بهجت عبدالزهرة كواكب قحطان حذيفة صهيب لجين وئام",
        "الزوبعي الجنابي اللامي المحمداوي الخزرجي العكيلي الفتلاوي الحلفي الدراجي النداوي الياسري الهيتي الكبيسي",
        "الفلوجة سنجار تلعفر بيجي هيت",
        "+964 770 ### ####",
        (
            "تمت مقابلة {n} اليوم في المكتب وهو يريد فتح محل لبيع المواد الغذائية.",
            "يسكن {n} الآن في {p} مع أخيه {n} بسبب تضرر المنزل.",
            "عاد من النزوح سنة 2019 ولا يملك وثائق. الهاتف {t} والبريد {e}",
            "لم تحضر السيدة {n} إلى الموعد وتم تأجيل الجلسة إلى الأسبوع القادم",
            "تمت الإحالة إلى المركز الصحي مع جارته {n} بتاريخ {d}",
            "المختار {n} يؤكد ملكية الأرض والأطفال في المدرسة",
            "ينام بصعوبة منذ الاحتجاز ولا يرغب في الحديث عن السفر",
            "اسمي {n} وأبحث عن عمل كسائق",
        ),
    ),
    "fa": _Language(
        "AFG",
        "گلثوم نازبو زلمی هماینا شکردخت قندآغا نورآغا سیدآقا توریالی شاه‌پری ماه‌جبین شیرین‌گل خیرمحمد نیازمحمد",
        "میاخیل تگابی اندخویی گردیزی هزاره‌بای ارغستانی سالنگی لودین چرخی خوستوال غزنیوال زرمتی ارغندیوال بغلانی",
        "خوست غزنی بغلان تخار کنر",
        "+93 70 ### ####",
        (
            "امروز با {n} در دفتر ملاقات شد و میخواهد یک دکان خیاطی باز کند.",
            "{n} حالا در {p} با برادرش {n} زندگی میکند چون خانه ندارد.",
            "در سال 2021 از ایران اخراج شد و سند ندارد. شماره تماس {t} و ایمیل {e}",
            "خانم {n} به جلسه نیامد و برای هفته آینده وقت داده شد",
            "به شفاخانه معرفی شد همراه با همسایه {n} به تاریخ {d}",
            "معلم {n} گفت که اطفال به مکتب میروند",
            "از وقت بازداشت خواب خوب ندارد و نمیخواهد درباره سفر گپ بزند",
            "نام من {n} است و کار رانندگی میخواهم",
        ),
    ),
    "am": _Language(
        "ETH",
        "መቅደላዊት ሐመልማል ትዝታዬ ጽጌማርያም ዘነበወርቅ ይመናሹ አስናቁ አንሙት ዓለምፀሐይ ውድነሽ እጅጋየሁ ባንቻየሁ የሺወርቅ ማንጠግቦሽ",
        "እንየው ዋለልኝ ይርጋዓለም ፋንታሁን ሞትባይኖር ቸኮል አጥናፉ አለልኝ ቦጋለ ሽመክት ጎሹ ምስጋናው",
        "ደሴ ወልድያ ጅማ ነቀምት ሻሸመኔ",
        "+251 91 ### ####",
        (
            "ዛሬ {n} በቢሮ ተገኝታ የልብስ ስፌት ሱቅ መክፈት እንደምትፈልግ ተናገረች።",
            "{n} አሁን በ{p} ከወንድሙ {n} ጋር ይኖራል ምክንያቱም ቤት የለውም።",
            "በ2021 ከሳዑዲ ተመለሰ ሰነድ የለውም። ስልክ {t} ኢሜይል {e}",
            "ወይዘሮ {n} ወደ ስብሰባው አልመጣችም ለሚቀጥለው ሳምንት ተቀጠረ",
            "ወደ ሆስፒታል ተላከ ከጎረቤቱ {n} ጋር በ {d}",
            "መምህር {n} ልጆቹ ትምህርት ቤት እንደሚሄዱ ገለጸ",
            "ከእስር በኋላ እንቅልፍ የለውም ስለ ጉዞው መናገር አይፈልግም",
            "ስሜ {n} ይባላል እና የሹፌር ሥራ እፈልጋለሁ",
        ),
    ),
    "so": _Language(
        "SOM",
        "Cabdikariin Cawil Dirir Diiriye Magan Warfaa Sugulle Weheliye Qorane Yoonis Beyle Hurre",
        "Geeddi Gaashaan Koofi Ugaas Buraale Dualeh Gurey Sabriye Baashe Abokor",
        "Baydhabo Gaalkacyo Boosaaso Beledweyne Afgooye",
        "+252 61 #######",
        (
            "Maanta waxaan la kulannay {n} oo rabta inay furto dukaan dharka lagu tolo.",
            "{n} hadda wuxuu deggan yahay {p} isagoo la jooga walaalkiis {n}.",
            "Wuxuu ka soo noqday Liibiya 2021 mana haysto warqado. Taleefan {t}, iimayl {e}.",
            "marwo {n} ma iman kulanka, waxaa loo qabtay toddobaadka soo socda",
            "Waxaa loo gudbiyay isbitaalka isaga iyo deriskiisa {n} taariikhda {d}.",
            "Macallin {n} wuxuu sheegay in carruurtu dugsiga tagaan.",
            "Hurdo fiican ma helo tan iyo xabsiga mana rabo inuu ka hadlo safarka.",
            "Magacaygu waa {n} waxaanan raadinayaa shaqo darawal.",
        ),
    ),
    "ti": _Language(
        "ERI",
        "ምሕረታብ ንግስቲ ኣታኽልቲ ኣስመረት ሚልዮን ዘርኡ ክብረኣብ ርእሶም ኣብርሃለይ ኣለምሰገድ",
        "ተኽለሃይማኖት ወልደንኪኤል ገብረህይወት ኣረፋይነ ሓድጉ በሪሁ ጐይትኦም ኣስገዶም ፍስሃየ ኣብራሃ",
        "ኣድዋ ሽረ ዓዲግራት ከረን መንደፈራ",
        "+291 7 ### ###",
        (
            "ሎሚ ምስ {n} ኣብ ቤት ጽሕፈት ተራኺብና ድኳን ክኸፍት ይደሊ።",
            "{n} ሕጂ ኣብ {p} ምስ ሓዉ {n} ይነብር ገዛ የብሉን።",
            "ኣብ 2021 ካብ ሱዳን ተመሊሱ ሰነድ የብሉን። ስልኪ {t} ኢመይል {e}",
            "ወይዘሮ {n} ናብ ኣኼባ ኣይመጸትን ንዝመጽእ ሰሙን ተቖጺራ",
            "ናብ ሆስፒታል ተላኢኹ ምስ ጎረቤቱ {n} ብ {d}",
            "መምህር {n} ቆልዑ ቤት ትምህርቲ ከም ዝኸዱ ገሊጹ",
            "ድሕሪ ማእሰርቲ ድቃስ የብሉን ብዛዕባ ጉዕዞ ክዛረብ ኣይደልን",
            "ስመይ {n} እዩ ስራሕ ክረክብ ይደሊ",
        ),
    ),
}
_SLOT = re.compile(r"\{(\w)\}")
_TYPES = {"n": "NAME", "g": "NAME", "p": "PLACE", "t": "PHONE", "e": "EMAIL", "d": "DATE"}


def notes(language: str, count: int, seed: int = 7) -> Iterator[dict[str, Any]]:
    """`count` notes of a language with the spans that were filled in."""
    rng, made = random.Random(seed), LANGUAGES[language]
    given, family = (_unlisted(names) for names in (made.given, made.family))
    fills = {
        "n": lambda: f"{rng.choice(given)} {rng.choice(family)}" if rng.random() < 0.7 else rng.choice(given),
        "g": lambda: rng.choice(given),
        "p": lambda: rng.choice(made.places.split()),
        "t": lambda: re.sub("#", lambda _: str(rng.randint(0, 9)), made.phone),
        "e": lambda: f"user{rng.randint(10, 99)}.{rng.choice('abcdef')}@mail{rng.randint(1, 9)}.org",
        "d": lambda: f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{rng.randint(1970, 2024)}",
    }
    for _ in range(count):
        text, spans, last = "", [], 0
        template = rng.choice(made.templates)
        for slot in _SLOT.finditer(template):
            text += template[last : slot.start()]
            value = fills[slot[1]]()
            spans.append([len(text), len(text) + len(value), _TYPES[slot[1]]])
            text, last = text + value, slot.end()
        yield {"text": text + template[last:], "lang": language, "country": made.country, "spans": spans}


def _unlisted(names: str) -> list[str]:
    """Names that the product has no list of."""
    unlisted = [name for name in names.split() if fold(name) not in frequent_names()]
    assert len(unlisted) >= 8, "too few names that are not listed"
    return unlisted


if __name__ == "__main__":
    per_language = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for language in LANGUAGES:
        for note in notes(language, per_language):
            print(json.dumps(note, ensure_ascii=False))
