"""Asks pyreadstat, in a process of its own (`readstat_process`), about a statistical file; refuses what is none.

Here a file's kind is found by its first bytes, and what is asked is answered. Not its business: which rows are asked
for (`steps`), code pages (`letters`), and what cells mean as text (`text`).
"""

from __future__ import annotations

import json
import subprocess
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa

from codebook.errors import Refused
from connectors.reading_process import command, environment
from connectors.shapes import MAX_COLUMNS
from connectors.statistical import readstat_process
from connectors.statistical.transport import holds_several, is_cut, transport
from sources.batches import DeliveredFile

PARSERS = {"sav": "sav/zsav", "por": "por", "dta": "dta", "xpt": "xport", "sas7bdat": "sas7bdat"}
KINDS = {"sav": "SPSS", "por": "SPSS", "dta": "Stata", "xpt": "SAS", "sas7bdat": "SAS", "sas7bcat": "SAS"}
_LOOKED_AT = frozenset({"sav", "sas7bdat", "por"})
"""Where `packed_rows`, `page_rows` and `portable_rows` find a row, so that reading can begin there; as it can in files
of Stata, where one lies where its number says, and in transport files whose rows' length is told (`transport_rows`)."""
_PATIENCE = 60
"""Seconds without a word, after which reading has run into an endless loop."""
_SAS = b"\0" * 12 + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_SAS_CATALOG = b"\0" * 12 + bytes.fromhex("c2ea8163b31411cfbd92080009c7318c181f1011")
_STATA_RELEASES = frozenset({104, 105, 108, 110, 111, 112, 113, 114, 115})


def suffix_of(file: DeliveredFile) -> str | None:
    """Which of the formats a file is in, by its bytes and not by its name; None if it is none of them."""
    with file.open() as handle:
        head = handle.read(1024)
    if head.startswith((b"$FL2", b"$FL3", "$FL2".encode("cp037"))):
        return "sav"
    if head.startswith(b"<stata_dta>") or (
        len(head) > 4 and head[0] in _STATA_RELEASES and head[1] in (1, 2) and head[2] == 1
    ):
        return "dta"
    if head.startswith(b"HEADER RECORD*******LIB"):
        return "xpt"
    if head.startswith(_SAS):
        return "sas7bdat"
    if head.startswith(_SAS_CATALOG):
        return "sas7bcat"
    letters = head.replace(b"\r", b"").replace(b"\n", b"")
    return "por" if b"SPSSPORT" in letters or "SPSSPORT".encode("cp037") in letters else None


def is_torn(file: DeliveredFile, suffix: str) -> bool:
    """Whether a file of a format that does not say how many rows it has lacks its end (pyreadstat reads it as shorter).

    A portable file ends with letters Z up to a full line; a transport file is made of records of 80 bytes, and ends
    between two rows.
    """
    if suffix == "xpt":
        told = transport(file)
        return file.size % 80 != 0 or told is None or is_cut(file, told)
    if suffix != "por":
        return False
    with file.open() as handle:
        handle.seek(max(0, file.size - 90))
        return not handle.read().rstrip(b"\r\n\x1a ").endswith((b"Z", "Z".encode("cp037")))


@dataclass(frozen=True)
class Dictionary:
    """What a file says about itself; nothing here is a value of a row."""

    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    formats: tuple[str, ...]
    types: tuple[str, ...]
    widths: tuple[int, ...]
    label_sets: Mapping[str, Mapping[str, str]]
    labelled: Mapping[str, str]
    missing: Mapping[str, tuple[tuple[str, str], ...]]
    rows: int | None
    encoding: str | None
    table: str | None
    mr_sets: Mapping[str, Mapping[str, Any]]

    @property
    def strings(self) -> list[str]:
        return [name for name, kind in zip(self.names, self.types, strict=True) if kind == "string"]


class Readstat:
    """A reading process and the files it may ask bytes of; use it as a context. It ends with this object at last."""

    def __init__(self, file: DeliveredFile, catalog: DeliveredFile | None = None) -> None:
        self.file = file
        found = suffix_of(file)
        if found not in PARSERS:
            raise Refused(
                "delivery.unreadable",
                "it is no SPSS, Stata or SAS file",
                file.name,
                "deliver .sav, .zsav, .por, .dta, .xpt or .sas7bdat",
            )
        self.suffix = found
        told = transport(file) if found == "xpt" else None
        if told is not None and holds_several(file, told):
            raise Refused("delivery.unreadable", "it holds several tables", file.name, "deliver each in its own file")
        if is_torn(file, found):
            raise self.damaged()
        self._transport = told
        self.stated_rows = told.rows if told is not None else None
        self.finds_rows = found == "dta" or (told is not None and told.length > 0)
        self.in_order = found == "por"
        """Rows are found, but only by the process that read those before them."""
        self._second: Readstat | None = None
        self._ended: Callable[[], object] | None = None
        self._files = {"data": file} | ({"catalog": catalog} if catalog is not None else {})

    def __enter__(self) -> Self:
        if self._ended is not None:
            return self
        self._handles = {of: file.open() for of, file in self._files.items()}
        self._process = subprocess.Popen(  # noqa: S603
            command(Path(readstat_process.__file__), "numpy", "pyarrow", "pyreadstat", "narwhals"),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=1 << 20,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("the reading process has no pipes")
        self._send = Connection(self._process.stdin.fileno(), readable=False)
        self._receive = Connection(self._process.stdout.fileno(), writable=False)
        self._ended = weakref.finalize(self, _end, self._process, self._send, self._receive, [*self._handles.values()])
        self._say({of: file.size for of, file in self._files.items()})
        if self.suffix in _LOOKED_AT:
            self.finds_rows = json.loads(bytes(self._ask(do="look", suffix=self.suffix)))
        elif self._transport is not None and self.finds_rows:
            self._ask(do="rows_at", begins=self._transport.begins, length=self._transport.length)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._ended is not None:
            self._ended()
        if self._second is not None:
            self._second.__exit__(kind, error, at)

    def describe(self, encoding: str | None = None) -> Dictionary:
        """The dictionary of the file, its text read in `encoding` (None: as the file itself says)."""
        told = json.loads(bytes(self._ask(do="describe", of="data", parser=PARSERS[self.suffix], encoding=encoding)))
        self._refuse_impossible(told["names"])
        return Dictionary(
            names=tuple(told["names"]),
            labels=tuple(told["labels"]),
            formats=tuple(form or "" for form in told["formats"]),
            types=tuple(told["types"]),
            widths=tuple(told["widths"]),
            label_sets={name: dict(labels) for name, labels in told["label_sets"].items()},
            labelled=told["labelled"],
            missing={name: tuple((low, high) for low, high in told["missing"][name]) for name in told["missing"]},
            rows=told["rows"],
            encoding=told["encoding"],
            table=told["table"],
            mr_sets=told["mr_sets"],
        )

    def catalog(self, encoding: str | None = None) -> Mapping[str, Mapping[str, str]]:
        """The sets of value labels of a SAS catalog, by the name of their format."""
        told = json.loads(bytes(self._ask(do="describe", of="catalog", parser="sas7bcat", encoding=encoding)))
        return {name: dict(labels) for name, labels in told["label_sets"].items()}

    def both(self) -> list[Readstat]:
        """This process, and a second one that reads the same file."""
        if self._second is None:
            self._second = Readstat(self.file)
        return [self, self._second.__enter__()]

    def check_rows(self, found: int) -> None:
        """Refuse a file that says it has other rows than were found."""
        if self.stated_rows is not None and self.stated_rows != found:
            raise self.damaged()

    def damaged(self) -> Refused:
        kind = KINDS[self.suffix]
        return Refused(
            "delivery.unreadable", f"it is no whole {kind} file (.{self.suffix})", self.file.name, "save it again"
        )

    def _refuse_impossible(self, names: Sequence[str]) -> None:
        if len(names) > MAX_COLUMNS:
            raise Refused(
                "delivery.unreadable",
                f"{len(names)} columns, at most {MAX_COLUMNS} can be read",
                self.file.name,
                "deliver it in several files",
            )
        if not names or len(set(names)) != len(names) or any(not name or "\0" in name for name in names):
            raise self.damaged()
        present = set(names)
        if any(name.endswith("_duplicated1") and name.removesuffix("_duplicated1") in present for name in names):
            raise Refused(  # pyreadstat loses the third of them
                "delivery.unreadable", "two variables have one name", self.file.name, "give each its own name"
            )

    def table(self, **request: Any) -> pa.Table:
        """An answer that is a table."""
        return pa.ipc.open_stream(pa.py_buffer(self._ask(parser=PARSERS[self.suffix], **request))).read_all()

    def _ask(self, **request: Any) -> memoryview:
        """One answer, serving the bytes that are asked for on the way to it."""
        try:
            self._say(request)
            while self._receive.poll(_PATIENCE):
                message = self._receive.recv_bytes()
                kind, content = message[:1], memoryview(message)[1:]
                if kind == b"R":
                    name, at, n = json.loads(bytes(content))
                    self._handles[name].seek(at)
                    self._send.send_bytes(self._handles[name].read(n))
                elif kind == b"E":
                    raise self._refusal(bytes(content).decode())
                else:
                    return content
        except (EOFError, ConnectionError):
            raise self.damaged() from None
        raise self.damaged()

    def _refusal(self, why: str) -> Refused:
        if why == "encoding":
            return Refused(
                "delivery.wrong_encoding",
                "some text is not in the code page",
                self.file.name,
                # Long strings and notes of Stata 13 reach pyreadstat as they are, and it takes them for UTF-8.
                "save it with Stata 14 or later" if self.suffix == "dta" else "declare the encoding in source.yaml",
            )
        if why == "memory":
            return Refused(
                "delivery.unreadable",
                f"a part of it asks for more than {readstat_process.MEMORY >> 30} GiB of memory",
                self.file.name,
                "save it again, or deliver it in several files",
            )
        return self.damaged()

    def _say(self, what: Mapping[str, Any]) -> None:
        self._send.send_bytes(json.dumps(what).encode())


def _end(process: subprocess.Popen[bytes], send: Connection, receive: Connection, handles: Sequence[BinaryIO]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    # Their descriptors are the pipes' own, which are closed.
    send._handle = receive._handle = None  # type: ignore[attr-defined]
    for handle in handles:
        handle.close()


class Waiting:
    """The process that looked at a file waits for who reads its rows; it is left behind where this is pickled."""

    def __init__(self, readstat: Readstat) -> None:
        self._file = readstat.file
        self._processes = [readstat]

    def __getstate__(self) -> dict[str, object]:
        return {"_file": self._file, "_processes": []}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Waiting) and self._file == other._file

    def __hash__(self) -> int:
        return hash(self._file)

    def taken(self) -> Readstat:
        return self._processes.pop() if self._processes else Readstat(self._file)
