"""The length gate: pairs that fit as they are rendered. Drops and counts; never cuts. Knows token counts only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assay.errors import TemplateError
from assay.records import NO_CATEGORY, Pair, Reject

if TYPE_CHECKING:
    from assay.render.encoder import Encoded, Renderer

CHUNK = 1024
Side = Literal["prompt", "chosen", "rejected", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthGate:
    """What the gate kept and dropped: len(pairs) + len(rejects) is what came in.

    counts: {"by_side": ..., "by_category": ..., "by_reason": ...} of the dropped.
    tokens: of the kept, by pair id: tokens of the chosen and of the rejected answer as rendered, end marker included.
    """

    pairs: list[Pair]
    rejects: list[Reject]
    counts: Mapping[str, Mapping[str, int]]
    tokens: Mapping[str, tuple[int, int]]


def length_gate(pairs: Sequence[Pair], renderer: Renderer, max_tokens: int) -> LengthGate:
    """Drop pairs of which a rendered row is over `max_tokens`, cannot be rendered, or equals the other row.

    Reasons: too_long, template_not_prefix, identical_candidates; token counts stand in each reject's detail.
    """
    kept: list[Pair] = []
    rejects: list[Reject] = []
    tokens: dict[str, tuple[int, int]] = {}
    for pair, chosen, rejected in _rendered(pairs, renderer):
        reject = _judge(pair, chosen, rejected, max_tokens)
        if reject is not None:
            rejects.append(reject)
            continue
        assert not isinstance(chosen, TemplateError)
        assert not isinstance(rejected, TemplateError)
        kept.append(pair)
        tokens[pair.id] = (len(chosen.ids) - chosen.prompt_tokens, len(rejected.ids) - rejected.prompt_tokens)
    counts: dict[str, dict[str, int]] = {
        "by_side": dict(Counter(str(reject.side) for reject in rejects)),
        "by_category": dict(Counter(reject.category or NO_CATEGORY for reject in rejects)),
        "by_reason": dict(Counter(str(reject.reason) for reject in rejects)),
    }
    return LengthGate(pairs=kept, rejects=rejects, counts=counts, tokens=tokens)


def _rendered(
    pairs: Sequence[Pair], renderer: Renderer
) -> Iterator[tuple[Pair, Encoded | TemplateError, Encoded | TemplateError]]:
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        rows = list(renderer.encode_rows([(p.prompt, side) for p in chunk for side in (p.chosen, p.rejected)]))
        yield from zip(chunk, rows[::2], rows[1::2], strict=True)


def _judge(
    pair: Pair, chosen: Encoded | TemplateError, rejected: Encoded | TemplateError, max_tokens: int
) -> Reject | None:
    """Why this pair goes, or None."""
    if isinstance(chosen, TemplateError) or isinstance(rejected, TemplateError):
        bad = [isinstance(row, TemplateError) for row in (chosen, rejected)]
        error = chosen if isinstance(chosen, TemplateError) else rejected
        return _reject(pair, "template_not_prefix", f"{error}.", _side(*bad))
    lengths = len(chosen.ids), len(rejected.ids)
    if max(lengths) > max_tokens:
        side = "prompt" if chosen.prompt_tokens >= max_tokens else _side(*(n > max_tokens for n in lengths))
        detail = (
            f"chosen has {lengths[0]} tokens and rejected {lengths[1]} as rendered, {chosen.prompt_tokens} of them the "
            f"prompt's; the limit is {max_tokens}."
        )
        return _reject(pair, "too_long", detail, side)
    if chosen.ids == rejected.ids and chosen.type_ids == rejected.type_ids:
        detail = f"both answers are rendered to the same {lengths[0]} tokens, so no model can tell them apart."
        return _reject(pair, "identical_candidates", detail, "both")
    return None


def _side(chosen: bool, rejected: bool) -> Side:
    return "both" if chosen and rejected else "chosen" if chosen else "rejected"


def _reject(
    pair: Pair, reason: Literal["too_long", "template_not_prefix", "identical_candidates"], detail: str, side: Side
) -> Reject:
    return Reject(
        where=pair.where,
        reason=reason,
        detail=f"pair {pair.id}: {detail}",
        side=side,
        category=pair.category,
        row={"id": pair.id},
    )
