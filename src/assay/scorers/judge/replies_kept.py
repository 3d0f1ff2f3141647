"""Where replies of judges are kept by content, whoever gave them, and the tokens that servers said they took."""

from __future__ import annotations

from assay.endpoints.kept_answers import Keeping

WAY_OUT = "name another folder as cache in the judge's file"
REPLIES: Keeping[str] = Keeping(file="replies-1.sqlite", table="replies", column="reply", kind=str, way_out=WAY_OUT)
# Beside the replies and not in their table, which earlier versions wrote and other processes may hold open.
TOKENS: Keeping[str] = Keeping(file="tokens-1.sqlite", table="tokens", column="tokens", kind=str, way_out=WAY_OUT)


def tokens_text(told: tuple[int, int]) -> str:
    """As they are kept.

    >>> told_tokens(tokens_text((120, 8)))
    (120, 8)
    """
    return f"{told[0]} {told[1]}"


def told_tokens(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    read, _, written = text.partition(" ")
    return int(read), int(written)
