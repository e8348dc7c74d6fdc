"""Letters of one script that look like those of another: `Аna` with a Cyrillic first letter reads as `Ana`.

For telling whether two names could be taken for one by who reads them, only; folded names are compared, so a letter
that looks alike as a capital or as a small one counts (В is B, р is p). Which names are one person's is not decided
here: those who look alike are often two.
"""

from __future__ import annotations

_CYRILLIC = ("авеԁһіјкӏмнорԛѕтуүԝхсь", "abedhijklmhopqstyywxcb")
_GREEK = ("αβεζηικμνορτυχ", "abezhikmnoptyx")
_ARMENIAN = ("օսհո", "ouhn")
_LATIN = ("ıȷɑɡɩʟɴʀɪɢʙʜᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢøłđħŧ", "ijagilnrigbhacdejkmoptuvwzoldht")
_DIGITS = ("01", "ol")

LOOKALIKES = {
    ord(sign): latin
    for signs, letters in (_CYRILLIC, _GREEK, _ARMENIAN, _LATIN, _DIGITS)
    for sign, latin in zip(signs, letters, strict=True)
}
"""Code points of folded letters, and the Latin letter that each is taken for."""
