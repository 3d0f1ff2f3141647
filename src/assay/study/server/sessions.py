"""Sessions as a browser carries them: cookies, form tokens, limits. Knows HTTP and hashes; knows no vote."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from assay.study.server.web import Limiter, PageError, client_address
from assay.study.store.links import DAY, Role, csrf_token, hash_token

FAILURES_BURST, FAILURES_RATE = 20, 0.5  # unknown links and cookies, per address
REQUESTS_BURST, REQUESTS_RATE = 120, 40.0  # per session; a person needs two a judgement
SLOW_DOWN = PageError(429, "Too fast", "Too many requests. Wait a few seconds, then reload; nothing is lost.")


class Visits:
    """Who is there, as far as cookies tell, and whether they come too often."""

    def __init__(self, *, study_id: str, secure: bool, days: float) -> None:
        self.secure = secure
        self.days = days
        prefix = "__Host-" if secure else ""
        # The study's id keeps two studies on one machine apart: cookies do not know ports.
        self.names: Mapping[Role, str] = {
            "editor": f"{prefix}assay_judge_{study_id}",
            "owner": f"{prefix}assay_owner_{study_id}",
        }
        self._failures = Limiter(rate=FAILURES_RATE, burst=FAILURES_BURST)
        self._requests = Limiter(rate=REQUESTS_RATE, burst=REQUESTS_BURST)

    def token(self, request: Request, role: Role) -> str:
        """The session token of the cookie. Raises PageError where there is none, or it comes too often."""
        token = request.cookies.get(self.names[role], "")
        if not token:
            raise self.stranger(request)
        if not self._requests.allows(hash_token(token)):
            raise SLOW_DOWN
        return token

    def stranger(self, request: Request) -> PageError:
        """What someone without a session gets."""
        self.count_failure(request)
        return PageError(
            401,
            "Please open your personal link",
            "This browser has no open session here, or the link it came from has ended. All judgements confirmed so "
            "far are kept: open your link again and go on where you stopped.",
        )

    def count_failure(self, request: Request) -> None:
        if not self._failures.allows(client_address(request)):
            raise SLOW_DOWN

    def check_csrf(self, token: str, form: Mapping[str, str]) -> None:
        if not hmac.compare_digest(csrf_token(token).encode(), form.get("csrf", "").encode()):
            raise PageError(
                403, "This form is out of date", "Open the page again and press once more; nothing was saved."
            )

    def set_cookie(self, response: Response, role: Role, token: str) -> None:
        response.set_cookie(
            self.names[role],
            token,
            max_age=int(self.days * DAY),
            httponly=True,
            samesite="strict",
            secure=self.secure,
            path="/",
        )
