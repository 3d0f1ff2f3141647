"""Serves the owner's page: how far the editors are, links, closing. Shows no side, no choice and no system."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from assay.study.server.served_study import ServedStudy
from assay.study.server.sessions import Sessions
from assay.study.server.web import PageError, Pages
from assay.study.store import links
from assay.study.store.closing import close_now
from assay.study.store.links import Guest
from assay.study.store.open_study import progress_of, study_of
from assay.study.study_records import EditorProgress, Study


class OwnerPages:
    """Handlers of the owner's pages."""

    def __init__(self, *, served: ServedStudy, pages: Pages, sessions: Sessions, url: str) -> None:
        self.served, self.pages, self.sessions, self.url = served, pages, sessions, url

    async def overview(self, request: Request) -> Response:
        return await self._show(request, self.sessions.token(request, "owner"), new_link=None)

    async def link(self, request: Request) -> Response:
        """Renew or end one editor's link; a new one is shown once."""
        token, form = await self.sessions.form(request, "owner")
        name, act = form.get("editor", ""), form.get("act", "")
        if name not in {editor.name for editor in self.served.study.editors} or act not in ("renew", "revoke"):
            raise PageError(
                422, "Nothing done", "The form names no editor of this study, or nothing to do with a link."
            )

        def job(connection: Connection, _: Guest) -> str:
            if act == "renew":
                return links.renew(connection, name, days=self.served.config.link_days, at=time.time())
            number = links.find_editor(connection, name)
            links.revoke(connection, role="editor", editor_id=number, at=time.time())
            return ""

        made = await self.sessions.do(request, token, "owner", job)
        if not made:
            return RedirectResponse("/owner", status_code=303)
        return await self._show(request, token, new_link=(name, f"{self.url}/s/{made}"))

    async def close(self, request: Request) -> Response:
        """End the voting for good, after the word was typed."""
        token, form = await self.sessions.form(request, "owner")
        if form.get("word", "").strip().lower() != "close":
            raise PageError(422, "Not closed", 'Type the word "close" to end the voting. Nothing was changed.')

        def job(connection: Connection, _: Guest) -> None:
            close_now(connection, reason=form.get("reason", "")[:500], at=time.time())

        await self.sessions.do(request, token, "owner", job)
        return RedirectResponse("/owner", status_code=303)

    async def _show(self, request: Request, token: str, *, new_link: tuple[str, str] | None) -> Response:
        def job(connection: Connection, _: Guest) -> tuple[Study, list[EditorProgress]]:
            return study_of(connection), progress_of(connection, at=time.time())

        study, progress = await self.sessions.do(request, token, "owner", job)
        return self.pages.page(
            "owner.html",
            {
                "title": study.title,
                "study": study,
                "prompts": len({item.prompt_id for item in self.served.items.values() if item.kind == "real"}),
                "progress": progress,
                "done": sum(entry.done for entry in progress),
                "total": sum(entry.total for entry in progress),
                "csrf": links.csrf_token(token),
                "new_link": new_link,
            },
        )
