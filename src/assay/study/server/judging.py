"""The editor's pages: enter by link, judge, vote, undo. Knows what an editor may know; it is handed nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from assay.study.safe_html import safe_html
from assay.study.server.commit_queue import Desk
from assay.study.server.served_study import Book
from assay.study.server.sessions import Visits
from assay.study.server.web import PageError, Pages, read_form, wants_json
from assay.study.store import links, votes
from assay.study.store.links import Guest
from assay.study.study_records import CHOICES, LABELS, RATINGS, Choice, Rating, Slot

LONGEST_COMMENT = 5_000
SLACK_MS = 2_000
NOTES = {
    "kept": "That item was judged already, perhaps in another window. The first judgement stands; undo to change it.",
    "moved": "That item is no longer the one to judge. This is where you are.",
    "undone": "Your last judgement is taken back. Judge this item again.",
}
CLOSED = PageError(409, "The study is closed", "Thank you. Judgements sent before it closed are all kept.")
KEYS = {"left": "1", "right": "2", "tie": "0", "both_bad": "9", "abstain": "8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where an editor stands, as one transaction found it."""

    guest: Guest
    done: int
    undo: dict[str, Any] | None
    slot: Slot | None
    round: int = 0
    comment: str = ""
    ratings: dict[str, str] = field(default_factory=dict)


class Judging:
    """Handlers of the editor's pages."""

    def __init__(self, *, desk: Desk, book: Book, pages: Pages, visits: Visits) -> None:
        self.desk, self.book, self.pages, self.visits = desk, book, pages, visits
        self._in_view: dict[int, tuple[str, int, float]] = {}  # editor -> showing, round, since when (monotonic)
        self.frame = {"title": book.config.title, "keys": KEYS, "labels": LABELS}

    async def judge(self, request: Request) -> Response:
        """The next item, or the end."""
        token = self.visits.token(request, "editor")
        look = await self.desk.do(lambda connection: self._look(connection, token))
        if look is None:
            raise self.visits.stranger(request)
        total = len(self.book.slots[look.guest.editor_id])
        shared = {
            "csrf": links.csrf_token(token),
            "done": look.done,
            "total": total,
            "undo": look.undo,
        }
        if look.slot is None:
            if wants_json(request):
                return JSONResponse({"finished": True, "done": total, "total": total})
            return self.pages.page("done.html", {**self.frame, **shared, "editor": look.guest.editor})
        self._in_view[look.guest.editor_id] = (look.slot.showing, look.round, time.monotonic())
        form = {"showing": look.slot.showing, "round": look.round, **shared}
        if wants_json(request):
            if look.guest.judge == "human":
                raise PageError(406, "A page, please", "Only judges announced as programs may read items as JSON.")
            config = self.book.config
            asked = {"question": config.question, "instructions": config.instructions, "aspects": config.aspects}
            return JSONResponse({**form, **asked, "finished": False, **self.book.texts(look.slot)})
        return self.pages.page(
            "judge.html",
            {
                **self.frame,
                **form,
                "view": self.book.view(look.slot),
                "config": self.book.config,
                "comment": look.comment,
                "ratings": look.ratings,
                "note": NOTES.get(request.query_params.get("note", ""), ""),
            },
        )

    async def vote(self, request: Request) -> Response:
        """Keep a judgement: answered only after the write is durable; sent twice it is one."""
        token, form = await self._form(request)
        ballot = self._ballot(form)

        def job(connection: Connection) -> tuple[votes.Outcome, int] | None:
            guest = links.who(connection, token, role="editor", at=time.time())
            if guest is None:
                return None
            timed = self._timed(guest.editor_id, ballot, form.get("ms", ""))
            outcome = votes.record_vote(
                connection, editor_id=guest.editor_id, ballot=timed, at=time.time(), memo=self.desk.memo
            )
            return outcome, guest.editor_id

        return self._answer(request, await self.desk.do(job), note="")

    async def undo(self, request: Request) -> Response:
        """Take the last judgement back, as an act of its own."""
        token, form = await self._form(request)
        showing, round_ = form.get("showing", ""), _whole(form.get("round", ""))

        def job(connection: Connection) -> tuple[votes.Outcome, int] | None:
            guest = links.who(connection, token, role="editor", at=time.time())
            if guest is None:
                return None
            outcome = votes.record_undo(
                connection,
                editor_id=guest.editor_id,
                showing=showing,
                round_=round_,
                at=time.time(),
                memo=self.desk.memo,
            )
            return outcome, guest.editor_id

        return self._answer(request, await self.desk.do(job), note="undone")

    def _look(self, connection: Connection, token: str) -> Look | None:
        guest = links.who(connection, token, role="editor", at=time.time())
        if guest is None:
            return None
        if not votes.is_open(connection):
            raise CLOSED
        state = votes.standing(connection, guest.editor_id, self.desk.memo)
        last = state.last()
        undo = None if last is None else {"showing": last, "round": state.live[last]}
        slot = self.book.next_slot(guest.editor_id, state.live)
        look = Look(guest=guest, done=len(state.live), undo=undo, slot=slot)
        if slot is None or not state.rounds.get(slot.showing):
            return look
        round_ = state.rounds[slot.showing]
        earlier = votes.undone_ballot(connection, slot.showing, round_)
        if earlier is None:
            return replace(look, round=round_)
        return replace(look, round=round_, comment=earlier.comment, ratings=orjson.loads(earlier.ratings))

    def _answer(self, request: Request, found: tuple[votes.Outcome, int] | None, *, note: str) -> Response:
        if found is None:
            raise self.visits.stranger(request)
        outcome = found[0]
        if outcome == "closed":
            raise CLOSED
        told = {"recorded": note, "repeated": "", "differs": "kept", "unknown": "moved"}[outcome]
        place = f"/judge?note={told}" if told else "/judge"
        if wants_json(request):
            return JSONResponse({"outcome": outcome, "next": place})
        return RedirectResponse(place, status_code=303)

    async def _form(self, request: Request) -> tuple[str, dict[str, str]]:
        token = self.visits.token(request, "editor")
        form = await read_form(request)
        self.visits.check_csrf(token, form)
        return token, form

    def _ballot(self, form: dict[str, str]) -> votes.Ballot:
        choice, comment = form.get("choice", ""), form.get("comment", "").strip()
        if choice not in CHOICES:
            raise PageError(422, "No choice", f"Choose one of {', '.join(LABELS.values())}. Nothing was saved.")
        if len(comment) > LONGEST_COMMENT:
            raise PageError(
                422,
                "The comment is too long",
                f"It has {len(comment):,} characters, {LONGEST_COMMENT:,} fit. Go back and shorten it; "
                "nothing was saved.",
            )
        ratings: dict[str, Rating] = {}
        for number, aspect in enumerate(self.book.config.aspects):
            given = form.get(f"aspect-{number}", "")
            if given and given not in RATINGS:
                raise PageError(422, "Unknown rating", f"{aspect}: left, tie or right. Nothing was saved.")
            if given:
                ratings[aspect] = cast(Rating, given)
        return votes.Ballot(
            showing=form.get("showing", ""),
            round=_whole(form.get("round", "")),
            choice=cast(Choice, choice),
            ratings=ratings,
            comment=comment if self.book.config.comments == "on" else "",
        )

    def _timed(self, editor_id: int, ballot: votes.Ballot, told: str) -> votes.Ballot:
        """The time in view: what the page measured where the server's own clock allows it, else the server's."""
        showing, round_, since = self._in_view.get(editor_id, ("", 0, 0.0))
        page = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else None
        known = (showing, round_) == (ballot.showing, ballot.round)
        elapsed = int((time.monotonic() - since) * 1000) if known else None
        ms, source = elapsed, None if elapsed is None else "server"
        if page is not None and (elapsed is None or page <= elapsed + SLACK_MS):
            ms, source = page, "page"
        values: dict[str, Any] = {"ms": ms, "ms_source": source}
        return votes.Ballot(
            showing=ballot.showing,
            round=ballot.round,
            choice=ballot.choice,
            ratings=ballot.ratings,
            comment=ballot.comment,
            **values,
        )


class Entering:
    """From the link to the cookie.

    The link's page has a button that posts the token: cookies are SameSite=Strict, and a browser that comes from a mail
    program would not send one along a redirect from there; mail scanners that follow links open no session either.
    """

    def __init__(self, *, desk: Desk, book: Book, pages: Pages, visits: Visits) -> None:
        self.desk, self.book, self.pages, self.visits = desk, book, pages, visits

    async def welcome(self, request: Request) -> Response:
        token = request.path_params["token"]
        guest = await self._guest(request, token)
        state = await self.desk.do(lambda connection: votes.standing(connection, guest.editor_id))
        slots = self.book.slots.get(guest.editor_id, ())
        return self.pages.page(
            "welcome.html",
            {
                "title": self.book.config.title,
                "token": token,
                "guest": guest,
                "total": len(slots),
                "done": len(state.live),
                "question": self.book.config.question,
                "instructions": safe_html(self.book.config.instructions),
                "labels": LABELS,
                "keys": KEYS,
            },
        )

    async def enter(self, request: Request) -> Response:
        token = (await read_form(request)).get("token", "")
        guest = await self._guest(request, token)
        session = await self.desk.do(lambda connection: links.begin_session(connection, guest, at=time.time()))
        place = "/owner" if guest.role == "owner" else "/judge"
        response = RedirectResponse(place, status_code=303)
        self.visits.set_cookie(response, guest.role, session)
        return response

    async def _guest(self, request: Request, token: str) -> Guest:
        state, guest = await self.desk.do(lambda connection: links.open_link(connection, token, at=time.time()))
        if state == "active" and guest is not None:
            return guest
        self.visits.count_failure(request)
        if state == "none":
            raise PageError(404, "This link opens nothing", "Check that it was copied whole, or ask for a new one.")
        raise PageError(410, f"This link is {state}", "Ask the study's owner for a new one. Judgements are all kept.")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
