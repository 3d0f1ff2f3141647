"""Serves what a personal link opens: a page of welcome, and the button that begins a session. Knows no vote."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from assay.study.safe_html import safe_html
from assay.study.server.commit_queue import CommitQueue
from assay.study.server.editor_pages import KEYS
from assay.study.server.served_study import ServedStudy
from assay.study.server.sessions import Sessions
from assay.study.server.web import Pages, read_form
from assay.study.store import votes
from assay.study.study_records import LABELS


class EntryPages:
    """From the link to the cookie.

    The link's page has a button that posts the token: cookies are SameSite=Strict, and a browser that comes from a mail
    program would not send one along a redirect from there; mail scanners that follow links open no session either.
    """

    def __init__(self, *, queue: CommitQueue, served: ServedStudy, pages: Pages, sessions: Sessions) -> None:
        self.queue, self.served, self.pages, self.sessions = queue, served, pages, sessions

    async def welcome(self, request: Request) -> Response:
        token = request.path_params["token"]
        guest = await self.sessions.guest_of_link(request, token)
        state = await self.queue.do(lambda connection: votes.standing(connection, guest.editor_id))
        slots = self.served.slots.get(guest.editor_id, ())
        return self.pages.page(
            "welcome.html",
            {
                "title": self.served.config.title,
                "token": token,
                "guest": guest,
                "total": len(slots),
                "done": len(state.live),
                "question": self.served.config.question,
                "instructions": safe_html(self.served.config.instructions),
                "labels": LABELS,
                "keys": KEYS,
            },
        )

    async def enter(self, request: Request) -> Response:
        token = (await read_form(request)).get("token", "")
        guest = await self.sessions.guest_of_link(request, token)
        response = RedirectResponse("/owner" if guest.role == "owner" else "/judge", status_code=303)
        await self.sessions.begin(guest, response)
        return response
