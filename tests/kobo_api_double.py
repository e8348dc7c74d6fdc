"""A KoboToolbox server as the API v2 shows one form of it, over real HTTP on loopback, with faults on request.

Paging, `count`, `sort`, `query`, `fields`, the cap on `limit` and the answers without a valid token are those of KPI
(formats.md 1.3); a fault stands in for the answer to one request for submissions, or changes the form after it.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

ASSET = "aSurveyOfReturnees0001"
TOKEN = "0123456789abcdef0123456789abcdef01234567"

Fault = Callable[["Answering"], bool]
"""Does something to one answer; True: the answer was given, nothing more is sent."""


class KoboServer:
    """One deployed form with submissions that a test edits; `asked` are the paths and queries that were requested."""

    def __init__(self, survey: list[dict[str, Any]], cap: int = 1000) -> None:
        self.content = {"survey": list(survey), "choices": [], "settings": {}, "translations": ["English (en)"]}
        self.draft: dict[str, Any] | None = None
        self.submissions: dict[int, dict[str, Any]] = {}
        self.versions = ["vFirst"]
        self.former: dict[str, list[dict[str, Any]]] = {}
        """The survey of former versions that are still shown, by uid."""
        self.files: dict[str, bytes] = {}
        """Attachments by uid; each is served below the submission that names it."""
        self.file_faults: list[Fault | None] = []
        self.resumed: list[tuple[str, int]] = []
        """Uids of files that were gone on with, and from which byte."""
        self.next_of_versions: str | None = None
        self.cap = cap
        self.faults: list[Fault | None] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tokens: list[str | None] = []

    def add(self, number: int, **answers: Any) -> None:
        """A submission; keys of answers are full paths with `__` for the slash between them."""
        given = {name.replace("__", "/"): value for name, value in answers.items()}
        self.submissions[number] = {
            "_id": number,
            "_uuid": f"u-{number}",
            "meta/instanceID": f"uuid:u-{number}",
            "meta/rootUuid": f"uuid:r-{number}",
            "formhub/uuid": "f" * 32,
            "__version__": self.versions[-1],
            "_submission_time": "2026-03-01T10:00:00",
            "_status": "submitted_via_web",
            "_validation_status": {},
            "_geolocation": [None, None],
            "_attachments": [],
            "_tags": [],
            "_notes": [],
            "_submitted_by": None,
            **given,
        }

    def edit(self, number: int, **answers: Any) -> None:
        """An edit in the browser: other answers, and another uuid each time."""
        given = {name.replace("__", "/"): value for name, value in answers.items()}
        self.submissions[number] |= {**given, "_uuid": f"u-{number}-{len(self.asked)}"}

    def attach(self, number: int, question: str, name: str, content: bytes, **told: Any) -> str:
        """A file of a submission as the server lists it; its uid. `told` replaces what is said of it."""
        uid = f"att{len(self.files)}"
        self.files[uid] = content
        listed = {
            "uid": uid,
            "question_xpath": question,
            "filename": f"somebody/attachments/{'f' * 32}/{number}/{name}",
            "media_file_basename": name,
            "mimetype": "image/jpeg",
            "download_url": f"https://elsewhere.example/{uid}",
        }
        self.submissions[number]["_attachments"] = [
            *self.submissions[number]["_attachments"],
            {key: value for key, value in {**listed, **told}.items() if value is not None},
        ]
        return uid

    def page(self, query: dict[str, str], base: str) -> dict[str, Any]:
        found = sorted(self.submissions.values(), key=lambda one: one["_id"])
        until = json.loads(query.get("query", "{}")).get("_id", {}).get("$lte")
        found = [one for one in found if until is None or one["_id"] <= until]
        if json.loads(query.get("sort", "{}")).get("_id") == -1:
            found.reverse()
        start, limit = int(query.get("start", 0)), min(int(query.get("limit", 100)), self.cap)
        fields = json.loads(query.get("fields", "[]"))
        results = [{k: v for k, v in one.items() if not fields or k in fields} for one in found[start : start + limit]]
        more = {**query, "start": start + limit, "limit": limit}
        return {
            "count": len(found),
            "next": f"{base}?{urlencode(more)}" if start + limit < len(found) else None,
            "previous": None,
            "results": results,
        }


class Answering(BaseHTTPRequestHandler):
    """One request to the server."""

    kobo: KoboServer

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self.kobo.asked.append((split.path, query))
        self.kobo.tokens.append(self.headers.get("Authorization"))
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return self.say(401, {"detail": "Invalid token."})
        base = f"/api/v2/assets/{ASSET}/"
        here = f"http://{self.headers['Host']}{split.path}"
        if split.path == base:
            content = self.kobo.draft or self.kobo.content
            asset = {"uid": ASSET, "owner__username": "somebody", "content": content}
            return self.say(200, {**asset, "deployed_version_id": self.kobo.versions[-1], "date_modified": time.time()})
        if split.path == f"{base}versions/":
            found = [{"uid": uid, "date_deployed": "2026-01-01T00:00:00Z"} for uid in reversed(self.kobo.versions)]
            if self.kobo.draft is not None:
                found.insert(0, {"uid": "vDraft", "date_deployed": False})
            return self.say(200, {"count": len(found), "next": self.kobo.next_of_versions, "results": found})
        former = split.path.removeprefix(f"{base}versions/").rstrip("/")
        if former in self.kobo.former:
            return self.say(200, {"uid": former, "content": {"survey": self.kobo.former[former]}})
        if split.path == f"{base}versions/{self.kobo.versions[-1]}/":
            return self.say(200, {"uid": self.kobo.versions[-1], "content": self.kobo.content})
        if "/attachments/" in split.path:
            return self.hand_out(split.path.rstrip("/").rpartition("/")[2])
        if split.path != f"{base}data/":
            return self.say(404, {"detail": "Not found."})
        fault = self.kobo.faults.pop(0) if self.kobo.faults else None
        answer = self.kobo.page(query, here)
        if fault is None or not fault(self):
            self.say(200, answer)

    def hand_out(self, uid: str) -> None:
        """A file as nginx gives it, from the byte that is asked for."""
        fault = self.kobo.file_faults.pop(0) if self.kobo.file_faults else None
        content = self.kobo.files.get(uid)
        if fault is not None and fault(self):
            return None
        if content is None:
            return self.say(404, {"detail": "Not found."})
        asked = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
        if not asked:
            return self.say(200, content, ETag=f'"{uid}"')
        self.kobo.resumed.append((uid, int(asked)))
        part = f"bytes {asked}-{len(content) - 1}/{len(content)}"
        return self.say(206, content[int(asked) :], Content_Range=part)

    def say(self, status: int, answer: object, **headers: str) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # who has read enough hangs up
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


def status(code: int, page: bytes = b"<html>secret-of-the-server</html>", **headers: str) -> Fault:
    """An error page of a proxy; it holds what must never be repeated."""

    def answer(to: Answering) -> bool:
        to.say(code, page, **headers)
        return True

    return answer


def html(to: Answering) -> bool:
    """A page for people, with status 200."""
    to.say(200, b"<html>secret-of-the-server: maintenance</html>")
    return True


def hang(seconds: float) -> Fault:
    def answer(to: Answering) -> bool:
        time.sleep(seconds)
        return False

    return answer


def drip(seconds: float) -> Fault:
    """An answer that comes a little at a time, and breaks off when nobody waits for it any more."""

    def answer(to: Answering) -> bool:
        to.send_response(200)
        to.send_header("Content-Length", "1000000")
        to.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(int(5 / seconds)):
                to.wfile.write(b" ")
                time.sleep(seconds)
        to.close_connection = True
        return True

    return answer


def drip_headers(to: Answering) -> bool:
    """Headers that come a letter at a time, until nobody waits for them any more."""
    with suppress(BrokenPipeError, ConnectionResetError):
        to.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        for _ in range(1_500):
            to.wfile.write(b"x")
            time.sleep(0.02)
    to.close_connection = True
    return True


def drip_packed(to: Answering) -> bool:
    """A packed answer of which each part that comes is nothing when it is unpacked."""
    to.send_response(200)
    to.send_header("Content-Encoding", "gzip")
    to.end_headers()
    with suppress(BrokenPipeError, ConnectionResetError):
        to.wfile.write(b"\x1f\x8b\x08\x08" + bytes(6))  # the name of a file follows, and does not end
        for _ in range(1_500):
            to.wfile.write(b"x")
            time.sleep(0.02)
    to.close_connection = True
    return True


def cut(to: Answering) -> bool:
    """The connection ends in the middle of the answer."""
    to.send_response(200)
    to.send_header("Content-Length", "1000000")
    to.end_headers()
    to.wfile.write(b'{"count": 250, "results": [')
    to.close_connection = True
    return True


def cut_file(after: int) -> Fault:
    """The connection ends within a file."""

    def answer(to: Answering) -> bool:
        content = to.kobo.files[to.path.rstrip("/").rpartition("/")[2]]
        start = int(to.headers.get("Range", "bytes=0-")[6:-1])
        to.send_response(206 if start else 200)
        to.send_header("Content-Length", str(len(content) - start))
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        to.end_headers()
        to.wfile.write(content[start : start + after])
        to.close_connection = True
        return True

    return answer


def whole_again(to: Answering) -> bool:
    """A server that does not know of ranges."""
    to.say(200, to.kobo.files[to.path.rstrip("/").rpartition("/")[2]])
    return True


def told(change: Callable[[dict[str, Any]], object], packed: float = 0.0) -> Fault:
    """A page that is not as it should be; `packed`: how much of it arrives, as gzip."""

    def answer(to: Answering) -> bool:
        split = urlsplit(to.path)
        here = f"http://{to.headers['Host']}{split.path}"
        page = to.kobo.page({name: values[0] for name, values in parse_qs(split.query).items()}, here)
        change(page)
        if not packed:
            to.say(200, page)
            return True
        body = gzip.compress(json.dumps(page).encode())
        to.say(200, body[: int(len(body) * packed)], Content_Encoding="gzip")
        return True

    return answer


short = told(lambda page: page["results"].pop())
"""A page that leaves out its last submission."""


def meanwhile(change: Callable[[], object]) -> Fault:
    """Somebody changes the form after this answer was made."""

    def answer(to: Answering) -> bool:
        change()
        return False

    return answer


@contextmanager
def serving(kobo: KoboServer) -> Iterator[str]:
    """The server's address while it serves."""
    handler = type("Handler", (Answering,), {"kobo": kobo})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
