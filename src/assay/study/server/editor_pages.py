"""Serves the editor's pages: judge, vote, undo. Knows what an editor may know; it is handed nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict, cast

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from assay.study.server.commit_queue import CommitQueue
from assay.study.server.served_study import ServedStudy
from assay.study.server.sessions import Sessions
from assay.study.server.web import PageError, Pages, wants_json
from assay.study.store import links, votes
from assay.study.store.links import Guest
from assay.study.study_records import (
    ANNOUNCED,
    CHOICES,
    LABELS,
    LONGEST_COMMENT,
    RATINGS,
    Choice,
    MsSource,
    Rating,
    Slot,
)

SLACK_MS = 2_000
NOTES = {
    "kept": "That item was judged already, perhaps in another window. The first judgement stands; undo to change it.",
    "moved": "That item is no longer the one to judge. This is where you are.",
    "undone": "Your last judgement is taken back. Judge this item again.",
}
CLOSED = PageError(409, "The study is closed", "Thank you. Judgements sent before it closed are all kept.")
KEYS = {"left": "1", "right": "2", "tie": "0", "both_bad": "9", "abstain": "8"}


class UndoForm(TypedDict):
    """What the undo button sends: the act it takes back."""

    showing: str
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where an editor stands, as one transaction found it."""

    guest: Guest
    done: int
    undo: UndoForm | None
    slot: Slot | None
    round: int = 0
    comment: str = ""
    ratings: Mapping[str, Rating] = field(default_factory=dict)


class EditorPages:
    """Handlers of the editor's pages."""

    def __init__(self, *, queue: CommitQueue, served: ServedStudy, pages: Pages, sessions: Sessions) -> None:
        self.queue, self.served, self.pages, self.sessions = queue, served, pages, sessions
        self._in_view: dict[int, tuple[str, int, float]] = {}  # editor -> showing, round, since when (monotonic)
        self.frame = {"title": served.config.title, "keys": KEYS, "labels": LABELS}

    async def judge(self, request: Request) -> Response:
        """The next item, or the end."""
        token = self.sessions.token(request, "editor")
        look = await self.sessions.do(request, token, "editor", self._look)
        total = len(self.served.slots[look.guest.editor_id])
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
            if request.headers.get(ANNOUNCED, look.guest.judge) != look.guest.judge:
                # Votes bear the kind of their link: a simulated editor on a language model's would be taken for one.
                raise PageError(403, "Another judge's link", f"It was made for a judge of kind {look.guest.judge}.")
            config = self.served.config
            asked = {"question": config.question, "instructions": config.instructions, "aspects": config.aspects}
            return JSONResponse({**form, **asked, "finished": False, **self.served.texts(look.slot)})
        return self.pages.page(
            "judge.html",
            {
                **self.frame,
                **form,
                "view": self.served.view(look.slot),
                "config": self.served.config,
                "comment": look.comment,
                "ratings": look.ratings,
                "note": NOTES.get(request.query_params.get("note", ""), ""),
            },
        )

    async def vote(self, request: Request) -> Response:
        """Keep a judgement: answered only after the write is durable; sent twice it is one."""
        token, form = await self.sessions.form(request, "editor")
        ballot = self._ballot(form)

        def job(connection: Connection, guest: Guest) -> votes.Recorded:
            timed = self._timed(guest.editor_id, ballot, form.get("ms", ""))
            return votes.record_vote(
                connection, editor_id=guest.editor_id, ballot=timed, at=time.time(), memo=self.queue.memo
            )

        return self._answer(request, await self.sessions.do(request, token, "editor", job), note="")

    async def undo(self, request: Request) -> Response:
        """Take the last judgement back, as an act of its own."""
        token, form = await self.sessions.form(request, "editor")
        showing, round_ = form.get("showing", ""), _whole(form.get("round", ""))

        def job(connection: Connection, guest: Guest) -> votes.Recorded:
            return votes.record_undo(
                connection,
                editor_id=guest.editor_id,
                showing=showing,
                round_=round_,
                at=time.time(),
                memo=self.queue.memo,
            )

        return self._answer(request, await self.sessions.do(request, token, "editor", job), note="undone")

    def _look(self, connection: Connection, guest: Guest) -> Look:
        if not votes.is_open(connection):
            raise CLOSED
        state = votes.standing(connection, guest.editor_id, self.queue.memo)
        last = state.last()
        undo = None if last is None else UndoForm(showing=last, round=state.live[last])
        slot = self.served.next_slot(guest.editor_id, state.live)
        look = Look(guest=guest, done=len(state.live), undo=undo, slot=slot)
        if slot is None or not state.rounds.get(slot.showing):
            return look
        round_ = state.rounds[slot.showing]
        earlier = votes.undone_vote(connection, guest.editor_id, slot.showing, round_)
        if earlier is None:
            return replace(look, round=round_)
        return replace(look, round=round_, comment=earlier.comment, ratings=earlier.ratings)

    def _answer(self, request: Request, outcome: votes.Recorded, *, note: str) -> Response:
        """Where to go after an act, with a word on what became of it."""
        if outcome == "closed":
            raise CLOSED
        told = {"recorded": note, "repeated": "", "differs": "kept", "unknown": "moved"}[outcome]
        place = f"/judge?note={told}" if told else "/judge"
        if wants_json(request):
            return JSONResponse({"outcome": outcome, "next": place})
        return RedirectResponse(place, status_code=303)

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
        for number, aspect in enumerate(self.served.config.aspects):
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
            comment=comment if self.served.config.comments == "on" else "",
        )

    def _timed(self, editor_id: int, ballot: votes.Ballot, stated: str) -> votes.Ballot:
        """The time in view: what the page measured where the server's own clock allows it, else the server's."""
        showing, round_, since = self._in_view.get(editor_id, ("", 0, 0.0))
        page = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else None
        known = (showing, round_) == (ballot.showing, ballot.round)
        elapsed = int((time.monotonic() - since) * 1000) if known else None
        ms = elapsed
        source: MsSource | None = None if elapsed is None else "server"
        # The page knows when the tab was hidden, the server does not; but a page cannot have been looked at for longer
        # than it has been out.
        if page is not None and (elapsed is None or page <= elapsed + SLACK_MS):
            ms, source = page, "page"
        return replace(ballot, ms=ms, ms_source=source)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
