"""The owner's page: how far the editors are, links, closing. Shows no side, no choice and no system."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from assay.study.server.commit_queue import Desk
from assay.study.server.served_study import Book
from assay.study.server.sessions import Visits
from assay.study.server.web import PageError, Pages, read_form
from assay.study.store import links
from assay.study.store.study_store import close_now, progress_of, renew, study_of
from assay.study.study_records import EditorProgress, Study


class Owning:
    """Handlers of the owner's pages."""

    def __init__(self, *, desk: Desk, book: Book, pages: Pages, visits: Visits, url: str) -> None:
        self.desk, self.book, self.pages, self.visits, self.url = desk, book, pages, visits, url

    async def overview(self, request: Request) -> Response:
        return await self._show(request, self.visits.token(request, "owner"), new_link=None)

    async def link(self, request: Request) -> Response:
        """Renew or end one editor's link; a new one is shown once."""
        token, form = await self._form(request)
        name, act = form.get("editor", ""), form.get("act", "")
        if name not in {editor.name for editor in self.book.study.editors} or act not in ("renew", "revoke"):
            raise PageError(
                422, "Nothing done", "The form names no editor of this study, or nothing to do with a link."
            )

        def job(connection: Connection) -> str:
            self._insist(connection, request, token)
            if act == "renew":
                return renew(connection, name, days=self.book.config.link_days, at=time.time())
            number = links.find_editor(connection, name)
            links.revoke(connection, role="editor", editor_id=number, at=time.time())
            return ""

        made = await self.desk.do(job)
        if not made:
            return RedirectResponse("/owner", status_code=303)
        return await self._show(request, token, new_link=(name, f"{self.url}/s/{made}"))

    async def close(self, request: Request) -> Response:
        """End the voting for good, after the word was typed."""
        token, form = await self._form(request)
        if form.get("word", "").strip().lower() != "close":
            raise PageError(422, "Not closed", 'Type the word "close" to end the voting. Nothing was changed.')

        def job(connection: Connection) -> None:
            self._insist(connection, request, token)
            close_now(connection, reason=form.get("reason", "")[:500], at=time.time())

        await self.desk.do(job)
        return RedirectResponse("/owner", status_code=303)

    async def _show(self, request: Request, token: str, *, new_link: tuple[str, str] | None) -> Response:
        def job(connection: Connection) -> tuple[Study, list[EditorProgress]]:
            self._insist(connection, request, token)
            return study_of(connection), progress_of(connection, at=time.time())

        study, progress = await self.desk.do(job)
        return self.pages.page(
            "owner.html",
            {
                "title": study.title,
                "study": study,
                "prompts": len({item.prompt_id for item in self.book.items.values() if item.kind == "real"}),
                "progress": progress,
                "done": sum(entry.done for entry in progress),
                "total": sum(entry.total for entry in progress),
                "csrf": links.csrf_token(token),
                "new_link": new_link,
            },
        )

    async def _form(self, request: Request) -> tuple[str, dict[str, str]]:
        token = self.visits.token(request, "owner")
        form = await read_form(request)
        self.visits.check_csrf(token, form)
        return token, form

    def _insist(self, connection: Connection, request: Request, token: str) -> None:
        if links.who(connection, token, role="owner", at=time.time()) is None:
            raise self.visits.stranger(request)
