"""What a program says of an answer, in one JSON line.

{"reward": number, true or false}, with "reason" and "detail" if it likes; {"reward": null, "reason": why}; or a number
alone. Knows lines; knows no program.
"""

from __future__ import annotations

import orjson

from assay.scorers.protocol import NO_DETAIL, Scored, Unscored, scored

NOT_NUMBERS = ("nan", "inf", "-inf")  # as `host` writes them, for which JSON has no word


class GarbageError(Exception):
    """A line is no verdict, so that nobody knows what the next will answer."""


class OtherAnswerError(GarbageError):
    """A line is the verdict on another answer, perhaps a second one on the answer before."""


def verdict(line: bytes, number: int) -> Scored:
    """The verdict of a line on answer `number`. Raises GarbageError for a line that is none, or is another answer's."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        # NaN and Infinity are no JSON, and yet what a program in Python prints for them.
        raise GarbageError(f"wrote what is no JSON: {line[:80].decode('utf-8', 'replace')!r}") from None
    if not isinstance(found, dict):
        found = {"reward": found}
    if found.get("id", number) != number:
        raise OtherAnswerError(f"answered id {found['id']!r} when asked about {number}")
    reward, reason, detail = found.get("reward"), found.get("reason"), found.get("detail")
    if reward is None:
        told = reason if isinstance(reason, str) and reason.strip() else "it gave no reward and no reason"
        return Unscored(f"the verifier cannot tell: {told}")
    if not isinstance(reward, bool | int | float) and reward not in NOT_NUMBERS:
        raise GarbageError(f"gave the reward {str(reward)[:60]!r}, which is no number")
    kept = dict(detail) if isinstance(detail, dict) else {}
    if isinstance(reason, str) and reason:
        kept["why"] = reason
    return scored(float(reward), detail=kept or NO_DETAIL)
