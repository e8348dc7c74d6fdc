"""In which code page the text of a statistical file is: what the file says, if its bytes agree, or what is declared.

A file names its code page wrongly (the machine's, not the text's), or not at all (.por, .xpt, .dta before 14), and a
wrong one mostly raises no error (formats.md 2). So every text is looked at as bytes. What only one code page can be is
taken; where several could, it is a guess, and says so: deliveries are refused then, profiles show the candidates.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from codebook.errors import BadDefinition, Refused
from connectors.statistical.readstat import Dictionary
from connectors.text.encodings import Proof

_SAMPLE = 1 << 18
_FOREIGN = re.compile(r"[^\W\d_\x00-\x7f]{3,}")
"""Three letters beyond ASCII in a row: rule in another alphabet, rare in any Latin one."""
_ACCENTED = re.compile(r"[^\W\d_\x00-\x7f]")
_OTHERS = ("cp1252", "cp1250", "cp1251", "cp1256", "cp1254", "cp1253", "cp1255")

Basis = Literal["ascii", "file", "declared", "bytes", "guess"]


@dataclass(frozen=True)
class CodePage:
    """`encoding` by its Python name; `basis` is why; `candidates` are what else the bytes could be (of a guess only).

    `cut`: some texts end within a letter, as where a writer cut them at so many bytes.
    """

    encoding: str
    basis: Basis
    candidates: tuple[str, ...] = ()
    cut: bool = False


@dataclass
class Letters:
    """Collects the texts of one file, each as its bytes, and judges them."""

    name: str
    texts: int = 0
    broken: int = 0
    cut: int = 0
    _sample: list[bytes] = field(default_factory=list)
    _sampled: int = 0
    _proofs: dict[str, Proof | None] = field(default_factory=dict)

    def consider(self, *encodings: str) -> None:
        """Try these on every text that follows."""
        for encoding in encodings:
            self._proofs.setdefault(encoding, Proof(encoding, self.name))

    def feed(self, text: bytes) -> None:
        if text.isascii():
            return
        self.texts += 1
        if not _decodes(text, "utf-8"):
            cut = any(_decodes(text[:-n], "utf-8") for n in (1, 2, 3) if text[:-n] and not text[:-n].isascii())
            self.cut += cut
            self.broken += not cut
        if self._sampled < _SAMPLE:
            self._sample.append(text)
            self._sampled += len(text)
        for encoding, proof in self._proofs.items():
            if proof is not None:
                try:
                    proof.feed(text + b"\n")
                except Refused:
                    self._proofs[encoding] = None

    def judge(self, own: str | None, declared: str | None, language: str | None) -> CodePage:
        """The code page of what was fed; Refused where a declared one cannot be true."""
        if not self.texts:
            return CodePage(own or declared or "ascii", "ascii")
        # Cut texts of a UTF-8 file are few; in another code page hardly any text looks like UTF-8 up to its end.
        if not self.broken and self.cut * 10 <= self.texts:
            if declared is not None and "utf-8" not in (declared, own):
                raise self._refusal(f"declared {declared}, but the text is UTF-8")
            return CodePage("utf-8", "file" if own == "utf-8" else "bytes", cut=bool(self.cut))
        if declared is not None:
            if not self._possible(declared):
                raise self._refusal(f"some text is not in {declared}, which is declared")
            return CodePage(declared, "declared")
        if own is not None and own != "utf-8" and self._possible(own) and not self._foreign(own):
            return CodePage(own, "file")
        candidates = self._candidates(language)
        if not candidates:
            raise self._refusal("its text is in no code page that is known here")
        return CodePage(candidates[0], "guess", candidates)

    def _possible(self, encoding: str) -> bool:
        proof = self._proofs.get(encoding)
        try:
            if proof is not None:
                proof.finish()
        except Refused:
            return False
        return proof is not None

    def _foreign(self, encoding: str) -> bool:
        """Whether as this Latin code page the words are made of accents: they are of another alphabet."""
        text = "\n".join(piece.decode(encoding, "replace") for piece in self._sample)
        if any(letter > "\u024f" and letter.isalpha() for letter in text):
            return False
        in_rows = sum(len(found) for found in _FOREIGN.findall(text))
        return in_rows * 2 > len(_ACCENTED.findall(text))

    def _candidates(self, language: str | None) -> tuple[str, ...]:
        """Code pages in which the sample reads as words, the likeliest first."""
        import chardet

        sample = b"\n".join(self._sample)
        found = [guess["encoding"] for guess in chardet.detect_all(sample) if guess["encoding"]]
        usual = ["cp1256"] if language == "ar" else []
        ordered = dict.fromkeys(python_name(name) or "" for name in [*usual, *found, *_OTHERS])
        return tuple(name for name in ordered if name and self._reads(name))

    def _reads(self, encoding: str) -> bool:
        proof = Proof(encoding, self.name)
        try:
            for text in self._sample:
                proof.feed(text + b"\n")
            proof.finish()
        except Refused:
            return False
        return not self._foreign(encoding)

    def _refusal(self, what: str) -> Refused:
        return Refused("delivery.wrong_encoding", what, self.name, "correct the encoding in source.yaml")


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def python_name(encoding: str | None) -> str | None:
    """Python's name of a code page; None where there is none."""
    try:
        return codecs.lookup(encoding).name.removesuffix("-sig") if encoding else None
    except LookupError:
        return None


def declared_name(encoding: str | None) -> str | None:
    """The same of one that source.yaml declares."""
    if encoding is not None and python_name(encoding) is None:
        raise BadDefinition(f"unknown encoding {encoding}", "source.yaml, format.encoding")
    return python_name(encoding)


def texts_of(dictionary: Dictionary, name: str) -> list[bytes]:
    """Every text of a dictionary that was read raw.

    Portable files have a table of letters of their own: what is not in it is lost before it can be looked at.
    """
    labels = [text for labels in dictionary.label_sets.values() for pair in labels.items() for text in pair]
    texts = [*dictionary.names, *(label or "" for label in dictionary.labels), *labels]
    try:
        return [text.encode("latin-1") for text in texts]
    except UnicodeEncodeError:
        what = "it has letters that a portable file cannot hold"
        raise Refused("delivery.wrong_encoding", what, name, "save it as .sav") from None


def decoded(dictionary: Dictionary, encoding: str) -> Dictionary:
    """A dictionary that was read raw, in its letters; a letter that was cut off at the end of a label is left away."""

    def text(raw: str) -> str:
        return raw.encode("latin-1").decode(encoding, "ignore")

    return replace(
        dictionary,
        names=tuple(text(name) for name in dictionary.names),
        labels=tuple(label and text(label) for label in dictionary.labels),
        label_sets={
            text(name): {text(code): text(label) for code, label in labels.items()}
            for name, labels in dictionary.label_sets.items()
        },
        labelled={text(name): text(label_set) for name, label_set in dictionary.labelled.items()},
        missing={
            text(name): tuple((text(low), text(high)) for low, high in ranges)
            for name, ranges in dictionary.missing.items()
        },
        mr_sets={
            text(name): {
                **told,
                "label": text(told["label"] or ""),
                "variable_list": [text(member) for member in told["variable_list"]],
            }
            for name, told in dictionary.mr_sets.items()
        },
    )


def in_letters(text: pa.ChunkedArray, encoding: str) -> tuple[pa.ChunkedArray, NDArray[np.bool_] | None]:
    """A column that was read raw, in its letters; where cells end within a letter, which are null."""
    if pc.all(pc.string_is_ascii(text)).as_py() is not False:
        return text, None
    coded = text.combine_chunks().dictionary_encode()
    letters: list[str | None] = []
    for raw in coded.dictionary.to_pylist():
        try:
            letters.append(raw.encode("latin-1").decode(encoding))
        except UnicodeDecodeError:
            letters.append(None)
    found = pa.chunked_array([pa.array(letters, pa.string()).take(coded.indices)])
    return found, pc.and_(found.is_null(), text.is_valid()).to_numpy()
