"""How long to wait before a request is tried again: as the server asks, and by back-off where it asks for nothing."""

from __future__ import annotations

import email.utils
import math
import random
import re
import time
from collections.abc import Callable
from datetime import UTC

LONGEST_BACKOFF = 30.0  # seconds: doubling ends here; only a server's own wish is longer
SECONDS = re.compile(r"\d+(\.\d*)?|\.\d+", re.ASCII)


def retry_after(text: str | None, now: Callable[[], float] = time.time) -> float | None:
    """Seconds, at least 0, that a Retry-After header asks for; None if it says nothing that can be read.

    RFC 9110 (10.2.3) knows whole seconds and dates, these in three spellings, all in GMT (5.6.7). Fractions such as
    `0.3` are taken too: gateways in front of models send them, and who reads them as nothing comes back too early or
    waits longer than anyone asked. A negative number, `inf` or `nan` is no wish. How much of a wish is granted is the
    caller's: see Limits.longest_wait.
    """
    said = (text or "").strip()
    if SECONDS.fullmatch(said):
        found = float(said)
        return found if math.isfinite(found) else None
    try:
        date = email.utils.parsedate_to_datetime(said)
    except (TypeError, ValueError, OverflowError):
        return None
    # asctime's spelling names no zone; without one Python would take it for this machine's own.
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now())


def backoff(first: float, attempt: int, spread: random.Random) -> float:
    """Seconds before try `attempt` + 2: `first`, doubled each time; spread, so that tries do not meet."""
    # Not 2**attempt alone: a hundred retries are allowed, and a float ends before their power does.
    return min(first * 2.0 ** min(attempt, 60), LONGEST_BACKOFF) * spread.uniform(0.5, 1.0)
