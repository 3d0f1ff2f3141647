"""Judges as a program, over the addresses a browser uses, by the standard library alone. Knows HTTP; knows no store.

Reads items as JSON, which the server gives only to links announced as simulated or llm when the study was made.
"""

from __future__ import annotations

import html
import http.client
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import orjson

from assay.errors import StudyError
from assay.study.study_records import ANNOUNCED, Choice, EditorKind, Rating

TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 60.0
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToJudge:
    """One item to judge, as far as a judge may know it."""

    showing: str
    round: int
    prompt: str | list[dict[str, str]]
    left: str
    right: str
    question: str
    aspects: tuple[str, ...]
    done: int
    total: int


class JudgeClient:
    """`for question in client: client.vote(question, "left")`. Sends again until confirmed; it counts once.

    announced: what this program is; the server then serves it no link that was made for another kind of judge.
    """

    def __init__(self, link: str, *, patience: float = PATIENCE_SECONDS, announced: EditorKind | None = None) -> None:
        parts = urlsplit(link)
        token = parts.path.rpartition("/")[2]
        if parts.scheme not in ("http", "https") or not parts.netloc or "/s/" not in parts.path:
            raise StudyError(f"{link}: not a personal link; they look like http://127.0.0.1:8321/s/TOKEN.")
        self.patience = patience
        self._announced = {ANNOUNCED: announced} if announced else {}
        self._secure, self._place = parts.scheme == "https", parts.netloc
        self._connection: http.client.HTTPConnection | None = None
        self._cookie, self._csrf = "", ""
        self._last: tuple[str, int] | None = None
        status, headers, body = self.request("POST", "/enter", {"token": token})
        if status != 303:
            raise StudyError(f"{self._place}: the link does not open ({_refusal(body)}).")
        self._cookie = headers.get("set-cookie", "").split(";")[0]

    def __iter__(self) -> Iterator[ItemToJudge]:
        while (question := self.question()) is not None:
            yield question

    def question(self) -> ItemToJudge | None:
        """The next item; None when all are judged. Raises StudyError where the server refuses."""
        status, _, body = self.request("GET", "/judge")
        if status != 200:
            raise StudyError(f"{self._place}: {_refusal(body)}")
        item = orjson.loads(body)
        undo = item.get("undo")
        self._last = (undo["showing"], undo["round"]) if undo else None
        self._csrf = item.get("csrf", self._csrf)
        if item["finished"]:
            return None
        names = ("showing", "round", "prompt", "left", "right", "question", "done", "total")
        return ItemToJudge(**{name: item[name] for name in names}, aspects=tuple(item["aspects"]))

    def vote(
        self,
        question: ItemToJudge,
        choice: Choice,
        *,
        comment: str = "",
        ratings: Mapping[str, Rating] | None = None,
        ms: int | None = None,
    ) -> str:
        """Send a judgement; returns the outcome, "recorded" or "repeated". Raises StudyError where it was refused."""
        fields = {
            "csrf": self._csrf,
            "showing": question.showing,
            "round": str(question.round),
            "choice": choice,
            "comment": comment,
            "ms": "" if ms is None else str(ms),
            **{f"aspect-{question.aspects.index(name)}": value for name, value in (ratings or {}).items()},
        }
        return self._act("/vote", fields)

    def undo(self) -> str:
        """Take back the last judgement known from the last question."""
        if self._last is None:
            raise StudyError("Nothing to undo.")
        showing, round_ = self._last
        return self._act("/undo", {"csrf": self._csrf, "showing": showing, "round": str(round_)})

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(
        self, method: str, path: str, fields: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request, sent again while the server cannot be reached or asks to wait."""
        end = time.monotonic() + self.patience
        wait = 0.05
        while True:
            try:
                status, headers, body = self._once(method, path, fields)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if time.monotonic() > end:
                    raise StudyError(f"{self._place}: no answer for {self.patience:.0f} s ({error}).") from None
            else:
                if status not in TRY_AGAIN or time.monotonic() > end:
                    return status, headers, body
            # Sent again without fear: the server finds an act that it has already and counts it once.
            time.sleep(wait)
            wait = min(2 * wait, 0.5)

    def _act(self, path: str, fields: Mapping[str, str]) -> str:
        status, _, body = self.request("POST", path, fields)
        if status != 200:
            raise StudyError(f"{self._place}: {_refusal(body)}")
        return str(orjson.loads(body)["outcome"])

    def _once(self, method: str, path: str, fields: Mapping[str, str] | None) -> tuple[int, Mapping[str, str], bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._connection = kind(self._place, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": "application/json", "Cookie": self._cookie, **self._announced}
        body = None
        if fields is not None:
            body = urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def _refusal(body: bytes) -> str:
    """What a refusal says."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return html.unescape(re.sub(r"<[^>]+>", " ", body.decode(errors="replace"))).strip()[:300]
    return f"{said.get('problem', '')}. {said.get('text', '')}".strip()
