"""Notes in twelve languages in many styles, to measure redaction on text that its rules were not written from.

Chats, letters, forms, lists and JSON snippets; lower-cased, in capitals, without punctuation. Names, templates and
number forms come from `unseen_names.yaml` and `unseen_templates.yaml`. Names and templates are split by their place in
the list: `tuned` may be looked at while rules are changed, `held_out` only measures. Prints one note a line in the form
of `benchmarks/redaction.py`: `python -m benchmarks.unseen_notes PART [NOTES_PER_LANGUAGE] > notes.jsonl`.
"""

from __future__ import annotations

import json
import random
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from babel.dates import format_date

_HERE = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")
_KINDS = {
    "n": "PERSON", "g": "GIVENNAME", "s": "SURNAME", "ti": "TITLE", "t": "PHONE", "e": "EMAIL", "st": "STREET",
    "b": "BUILDINGNUM", "z": "ZIPCODE", "c": "CITY", "d": "DATE", "id": "IDCARD", "pp": "PASSPORT",
    "dl": "DRIVERLICENSE", "ssn": "SOCIALNUM", "tax": "TAXNUM", "iban": "IBAN", "cc": "CREDITCARD", "u": "USERNAME",
    "ip": "IP", "url": "URL", "a": "AGE",
}  # fmt: skip
_COUNTRIES = {"en": "GBR", "es": "SLV", "fr": "FRA", "de": "DEU", "it": "ITA", "pt": "BRA", "nl": "NLD", "so": "SOM",
              "ar": "IRQ", "fa": "AFG", "am": "ETH", "ti": "ETH"}  # fmt: skip
_PHONES = {
    "en": "07### ###### |+44 20 7### ####|(0161) 496 0###|001-202-555-01##",
    "es": "7###-####|+503 2### ####|6## ## ## ##",
    "fr": "06 ## ## ## ##|+33 1 ## ## ## ##|0033.6.##.##.##.##", "de": "0176 ########|+49 (0)30 ######-##|0221/######",
    "it": "3## ### ####|+39 06 ########|02-########", "pt": "(11) 9####-####|+55 21 9####-####|21 9#### ####",
    "nl": "06-########|+31 6 ########|(020) ### ## ##", "so": "+252 61 #######|0615######",
    "ar": "+964 770 ### ####|0770#######", "fa": "+93 70 ### ####|079#######", "am": "+251 91 ### ####|091#######",
    "ti": "+251 92 ### ####|092#######",
}  # fmt: skip
_TITLES = {
    "en": "Mr|Mrs|Ms|Dr|Prof.|Rev.", "es": "Sr.|Sra.|Don|Doña|Dr.|Lic.", "fr": "M.|Mme|Mlle|Dr|Me|Monsieur",
    "de": "Herr|Frau|Dr.|Prof. Dr.", "it": "Sig.|Sig.ra|Dott.|Avv.|Dott.ssa", "pt": "Sr.|Sra.|Dr.|Dona|Eng.",
    "nl": "dhr.|mevr.|Dr.|Mw.|Ir.",
}  # fmt: skip
_NUMBERS = {  # 9 a digit, A a letter
    "b": "9|99|999|99A|99-99|99/A|999 bis",
    "z": "99999|9999 AA|AA9 9AA|99999-999|AA99 9AA|9999|9999-999",
    "id": "99999999-9|AA99999AA|A9999999|99 9999 AAA|999999999|AA9999999|9999 99999 9999|A99A9999|AAAA999999AAAA99"
    "|X9999999A",
    "pp": "A99999999|AA9999999|999999999|99AA99999|A99AAA99A",
    "dl": "AAAAA999999AA9AA|A999-9999-9999|AA 99 999999|99999999|A99999999|AA-999999-99",
    "ssn": "999-99-9999|AA 99 99 99 A|9 99 99 99 999 999 99|99 999999 A 999|756.9999.9999.99|999.999.999-99"
    "|999 9999 9999",
    "tax": "99 999 999 999|999.999.999-99|99999999A|AA999999999|9999999999|99/999/99999",
    "cc": "4### #### #### ####|5#############99|4###-####-####-####",
    "ip": "192.168.99.9|10.9.99.199|2001:db8::9999:ff9a:99",
}  # fmt: skip


def _number(shape: str, rng: random.Random) -> str:
    return "".join(
        rng.choice(string.digits) if sign in "9#" else rng.choice(string.ascii_uppercase) if sign == "A" else sign
        for sign in shape
    )


def _luhn(card: str, rng: random.Random) -> str:
    """The card with its last digit made to fit."""
    digits = [int(sign) for sign in card if sign.isdigit()][:-1]
    doubled = [d * 2 - 9 * (d > 4) if place % 2 == 0 else d for place, d in enumerate(reversed(digits))]
    return card[:-1] + str(-sum(doubled) % 10)


def _iban(rng: random.Random) -> str:
    country, length = rng.choice((("DE", 18), ("FR", 23), ("NL", 14), ("ES", 20), ("GB", 18)))
    body = _number({"NL": "AAAA", "GB": "AAAA"}.get(country, ""), rng)
    body += _number("9" * (length - len(body)), rng)
    check = 98 - int("".join(str(int(sign, 36)) for sign in body + country + "00")) % 97
    whole = f"{country}{check:02}{body}"
    return whole if rng.random() < 0.5 else " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))


class Writer:
    """Writes notes of one language from one half of its names and templates."""

    def __init__(self, language: str, part: str, rng: random.Random) -> None:
        half = ("tuned", "held_out").index(part)
        names = yaml.safe_load((_HERE / "unseen_names.yaml").read_text("utf-8"))
        written = yaml.safe_load((_HERE / "unseen_templates.yaml").read_text("utf-8"))[language]
        self.language, self.rng = language, rng
        self.lists = {
            key: [one.replace("_", " ") for one in words.split()[half::2]] for key, words in names[language].items()
        }
        self.texts: list[str] = written["texts"][half::2]
        self.labels: dict[str, str] = {str(key): str(value) for key, value in written["labels"].items()}

    def value(self, slot: str) -> str:
        rng, lists = self.rng, self.lists
        if slot in ("g", "s", "c", "st"):
            return rng.choice(lists[{"g": "given", "s": "family", "c": "city", "st": "street"}[slot]])
        if slot == "n":
            return self._full_name()
        if slot == "t":
            return _number(rng.choice(_PHONES[self.language].split("|")).strip(), rng)
        if slot == "ti":
            return rng.choice(_TITLES[self.language].split("|"))
        if slot == "d":
            return self._date()
        if slot in ("u", "e", "url"):
            return self._handle(slot)
        if slot == "iban":
            return _iban(rng)
        if slot == "a":
            return str(rng.randint(18, 79))
        shaped = _number(rng.choice(_NUMBERS[slot].split("|")), rng)
        return _luhn(shaped, rng) if slot == "cc" else shaped

    def _full_name(self) -> str:
        rng, given, family = self.rng, self.lists["given"], self.lists["family"]
        kind = rng.random()
        if kind < 0.08:
            return f"{rng.choice(given)} {rng.choice(given)} {rng.choice(family)}"
        if kind < 0.14 and self.language not in ("ar", "fa", "am", "ti"):
            return f"{rng.choice(string.ascii_uppercase)}. {rng.choice(family)}"
        if kind < 0.2 and self.language not in ("ar", "fa", "am", "ti"):
            return f"{rng.choice(family)}, {rng.choice(given)}"
        return f"{rng.choice(given)} {rng.choice(family)}"

    def _date(self) -> str:
        from datetime import date

        day = date(self.rng.randint(1950, 2025), self.rng.randint(1, 12), self.rng.randint(1, 28))
        shape = self.rng.choice(("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%y", "%Y-%m-%dT00:00:00", "long", "medium", "MMMM y"))
        if shape.startswith("%"):
            return day.strftime(shape)
        return format_date(day, shape, locale={"en": "en_GB"}.get(self.language, self.language))

    def _handle(self, slot: str) -> str:
        rng = self.rng
        name = rng.choice(("kestrel", "m.quillan", "tess_b", "ruzh", "jvdb", "zolani", "ayla-k", "bcorrea")) + str(
            rng.choice(("", rng.randint(1, 9999)))
        )
        if slot == "e":
            return f"{name}@{rng.choice(('posteo.example', 'mail.example.org', 'gmx.de', 'correo.com.sv'))}"
        if slot == "url":
            return rng.choice((f"https://forum.example.org/u/{name}", f"www.{name.replace('_', '-')}.net/me"))
        return rng.choice(("@" + name, f"{rng.randint(10, 2010)}{name}", f"{name}{rng.randint(10, 2010)}"))

    def fill(self, text: str) -> tuple[str, list[list[Any]]]:
        """The text with its slots filled, and the spans of what was filled in."""
        out, spans, place, length = [], [], 0, 0
        for slot in _SLOT.finditer(text):
            value = self.value(slot[1])
            before = text[place : slot.start()]
            start = length + len(before)
            spans.append([start, start + len(value), _KINDS[slot[1]]])
            out += [before, value]
            place, length = slot.end(), start + len(value)
        return "".join([*out, text[place:]]), spans

    def template(self) -> str:
        """Prose mostly; else a form, a list or a snippet of JSON with some of the language's labels."""
        rng = self.rng
        if rng.random() < 0.7:
            return rng.choice(self.texts)
        slots = sorted(rng.sample(sorted(self.labels), min(len(self.labels), rng.randint(2, 5))))
        style = rng.choice(("form", "list", "json", "line"))
        if style == "json":
            return "[" + ", ".join(f'"{self.labels[slot]}": "{{{slot}}}"' for slot in slots) + "]"
        pairs = [f"{self.labels[slot]}: {{{slot}}}" for slot in slots]
        return {"form": "\n", "list": "\n- ", "line": " | "}[style].join(["", *pairs] if style == "list" else pairs)

    def note(self) -> dict[str, Any]:
        text, spans = self.fill(self.template())
        style = self.rng.random()
        if style < 0.12:
            text = _same_length(text, text.lower())
        elif style < 0.22:
            text = _same_length(text, text.upper())
        elif style < 0.3:
            text = re.sub(r"[.,;!?](?=\s|$)", " ", text) if not any(k == "TITLE" for _, _, k in spans) else text
        return {"text": text, "lang": self.language, "country": _COUNTRIES[self.language], "spans": spans}


def _same_length(text: str, changed: str) -> str:
    """The changed text where places stay (ß becomes SS in capitals)."""
    return changed if len(changed) == len(text) else text


def notes(part: str, count: int) -> Iterator[dict[str, Any]]:
    """Notes of every language, the same ones in every run."""
    for language in _COUNTRIES:
        writer = Writer(language, part, random.Random(f"{language} {part}"))
        for _ in range(count):
            yield writer.note()


def main() -> None:
    for note in notes(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500):
        print(json.dumps(note, ensure_ascii=False))


if __name__ == "__main__":
    main()
