"""One KoboToolbox server as this room speaks to it: JSON over HTTPS with a token, patient and bounded.

The token goes to the declared server only: a redirect is an error and is never followed, and of a `next` link nothing
but its query is used. No error holds the token, an address that the server named, or anything that it sent. What is
asked for is the business of `server`, and of `downloads` where it is no JSON.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from codebook.errors import BadDefinition, HomewardError, Unavailable
from connectors.kobo.time_limit import TimeLimit
from sources.models import KoboServerFormat

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 256 << 20
"""Bytes of one answer; a page of 1,000 long interviews has about 20 MB."""
_TOKEN = re.compile(r"[\x21-\x7e]+")
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_JITTER = random.SystemRandom()


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for: attempts at one request, seconds between them (doubled each time), and at most
    so many seconds for one pause and for one answer."""

    attempts: int = 6
    first_pause: float = 1.0
    longest_pause: float = 120.0
    answer: float = 120.0


class Passing(Exception):
    """Something that may be over soon; `pause` is what the server asked for, in seconds."""

    def __init__(self, what: str, pause: float | None = None) -> None:
        super().__init__(what)
        self.what, self.pause = what, pause


class Server:
    """A connection to the declared server; close it after use. Its repr shows neither address nor token."""

    def __init__(
        self,
        declared: KoboServerFormat,
        token: str,
        patience: Patience | None = None,
        may_read: Callable[[], None] = lambda: None,
    ) -> None:
        import httpx

        # A stray line end would be quoted, with the token, by the HTTP library's own error.
        if not _TOKEN.fullmatch(token.strip()):
            raise BadDefinition("the token is empty or has characters that no token has", declared.token_env)
        self.declared, self._may_read = declared, may_read
        self._patience = patience or Patience()
        self._limit = TimeLimit(self._patience.answer)
        self._client = httpx.Client(
            headers={"Authorization": f"Token {token.strip()}", "Accept": "application/json"},
            timeout=httpx.Timeout(min(60.0, self._patience.answer), connect=min(15.0, self._patience.answer)),
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return "Server(...)"

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at `/api/v2/assets/<asset>/<path>`.

        Unavailable after the last attempt; HomewardError at once where trying again cannot help.
        """
        for attempt in count(1):
            try:
                return self._once(path, query or {})
            except Passing as trouble:
                self.wait(trouble, attempt)
        raise AssertionError("counting ended")

    @contextmanager
    def answer(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str], also: Collection[int] = ()
    ) -> Iterator[httpx.Response]:
        """The server's answer with status 200 or one of `also`, to be read as it comes. Passing, whenever that may help
        if it is asked again; HomewardError where it cannot help. Whether it may be asked is asked each time, and again
        when the answer has come."""
        import httpx

        self._may_read()
        traced = {"trace": self._limit.opened}
        url = f"{self.declared.url.rstrip('/')}/api/v2/assets/{self.declared.asset}/{path}"
        try:
            with (
                self._limit.running(),
                self._client.stream(
                    "GET", url, params=dict(query), headers=dict(headers), extensions=traced
                ) as response,
            ):
                if response.status_code not in also:
                    self._refuse(response)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._limit.is_over:
                raise Passing("does not come to the end of its answer") from None
            raise Passing(f"does not answer ({type(error).__name__})") from None
        self._may_read()

    def wait(self, trouble: Passing, attempt: int) -> None:
        """Pause before the next attempt, longer each time. Unavailable after the last, or if too long."""
        asked, longest = trouble.pause or 0.0, self._patience.longest_pause
        if attempt >= self._patience.attempts or asked > longest:
            raise Unavailable(f"the KoboToolbox server {trouble.what}", self.where, "run again later") from None
        # Half of it at random: clients that were turned away together do not come back together.
        pause = min(self._patience.first_pause * 2 ** (attempt - 1), longest)
        time.sleep(max(asked, pause * _JITTER.uniform(0.5, 1.0)))

    @property
    def where(self) -> str:
        return f"asset {self.declared.asset}"

    def _once(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        with self.answer(path, query, {}) as response:
            body = self._body(response)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            # A proxy's error page can come with status 200.
            raise Passing("answers with something that is not JSON") from None
        if not isinstance(found, dict):
            raise HomewardError("the answer is not one of KoboToolbox's API v2", self.where, "correct format.url")
        return found

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        if status in _TRY_AGAIN:
            raise Passing(f"answers with status {status}", asked_pause(response.headers))
        if 300 <= status < 400:
            raise HomewardError(
                f"the server redirects to another address (status {status}), which the token must not follow",
                self.where,
                "correct format.url",
            )
        token = self.declared.token_env
        if status == 401:
            raise HomewardError("the server refuses the token", token, f"put a valid API token into {token}")
        if status in (403, 404):
            raise HomewardError(
                f"the server shows no such form to the owner of the token (status {status})",
                self.where,
                "check format.asset, and ask the form's owner for the right to view submissions",
            )
        raise HomewardError(f"the server does not understand the request (status {status})", self.where)

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > MAX_ANSWER:
                raise HomewardError(
                    f"an answer has more than {MAX_ANSWER >> 20} MiB", self.where, "make format.page_size smaller"
                )
        return bytes(body)


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, which is a number of them or a moment: by the server's own clock, where its
    answer tells the time."""
    header = headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    until, now = _moment(header), _moment(headers.get("Date", ""))
    return None if until is None else max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _moment(header: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return told.replace(tzinfo=told.tzinfo or UTC)
