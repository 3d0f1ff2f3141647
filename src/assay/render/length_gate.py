"""The length gate: render every pair once, keep those that fit with their rows, drop and count the others; never cut.

Whoever trains or scores on the pairs afterwards takes the rows from here, so that a pair is tokenised once a base.
Knows rows and their lengths; knows no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from assay.errors import InputError, TemplateError
from assay.records import NO_CATEGORY, Pair, Reject
from assay.render.encoder import Encoded, Renderer

CHUNK = 1024  # pairs rendered at a time
Culprit = Literal["prompt", "chosen", "rejected", "both"]  # which text of a pair is at fault


class RenderedPair(NamedTuple):
    """The rows of one pair."""

    chosen: Encoded
    rejected: Encoded

    @property
    def answer_tokens(self) -> tuple[int, int]:
        """Tokens of the chosen and of the rejected answer as rendered, end marker included."""
        chosen, rejected = (len(row.ids) - row.prompt_tokens for row in self)
        return chosen, rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPairs:
    """Pairs as one renderer renders them, by pair id; to be handed on, so that nobody renders them again.

    renderer: its hash; rows of another one would be other rows. Two answers of 200 tokens take 3.7 kB (ids point to
    numbers that all rows share): 30 MB for 8,000 pairs, 370 MB for 100,000. Trainers hold the very same rows.
    """

    renderer: str
    rows: Mapping[str, RenderedPair]

    def of(self, pair: Pair, renderer: Renderer) -> RenderedPair:
        """The rows of one pair. Raises InputError if it was not rendered, or not as `renderer` renders it."""
        if renderer.hash != self.renderer:
            raise InputError(
                f"The pairs were rendered for another base ({self.renderer}, here {renderer.hash}). Render them with "
                "this base's renderer, or leave `rendered` out."
            )
        if pair.id not in self.rows:
            raise InputError(f"{pair.where}: pair {pair.id} has no rendered rows. Pass it through the length gate.")
        return self.rows[pair.id]


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthGate:
    """What the gate kept and dropped: len(pairs) + len(rejects) is what came in.

    rendered: the rows of the kept. counts: {"by_side": ..., "by_category": ..., "by_reason": ...} of the dropped.
    """

    pairs: list[Pair]
    rejects: list[Reject]
    rendered: RenderedPairs
    counts: Mapping[str, Mapping[str, int]]

    @property
    def tokens(self) -> dict[str, tuple[int, int]]:
        """Of the kept, by pair id: tokens of the chosen and of the rejected answer, end marker included."""
        return {name: rows.answer_tokens for name, rows in self.rendered.rows.items()}


def length_gate(pairs: Sequence[Pair], renderer: Renderer, max_tokens: int) -> LengthGate:
    """Drop pairs of which a rendered row is over `max_tokens`, cannot be rendered, or equals the other row.

    Reasons: too_long, template_not_prefix, identical_candidates; token counts stand in each reject's detail.
    """
    kept: list[Pair] = []
    rejects: list[Reject] = []
    rows: dict[str, RenderedPair] = {}
    for pair, chosen, rejected in _rendered(pairs, renderer):
        reject = _reason(pair, chosen, rejected, max_tokens)
        if reject is not None:
            rejects.append(reject)
            continue
        assert not isinstance(chosen, TemplateError)
        assert not isinstance(rejected, TemplateError)
        kept.append(pair)
        rows[pair.id] = RenderedPair(chosen, rejected)
    counts: dict[str, dict[str, int]] = {
        "by_side": dict(Counter(str(reject.side) for reject in rejects)),
        "by_category": dict(Counter(reject.category or NO_CATEGORY for reject in rejects)),
        "by_reason": dict(Counter(str(reject.reason) for reject in rejects)),
    }
    return LengthGate(
        pairs=kept, rejects=rejects, rendered=RenderedPairs(renderer=renderer.hash, rows=rows), counts=counts
    )


def _rendered(
    pairs: Sequence[Pair], renderer: Renderer
) -> Iterator[tuple[Pair, Encoded | TemplateError, Encoded | TemplateError]]:
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        rows = list(renderer.encode_rows([(p.prompt, side) for p in chunk for side in (p.chosen, p.rejected)]))
        yield from zip(chunk, rows[::2], rows[1::2], strict=True)


def _reason(
    pair: Pair, chosen: Encoded | TemplateError, rejected: Encoded | TemplateError, max_tokens: int
) -> Reject | None:
    """Why this pair goes, or None."""
    if isinstance(chosen, TemplateError) or isinstance(rejected, TemplateError):
        bad = [isinstance(row, TemplateError) for row in (chosen, rejected)]
        error = chosen if isinstance(chosen, TemplateError) else rejected
        return _reject(pair, "template_not_prefix", f"{error}.", _culprit(*bad))
    lengths = len(chosen.ids), len(rejected.ids)
    if max(lengths) > max_tokens:
        over = [n > max_tokens for n in lengths]
        # A prompt that fills the limit leaves no answer room, however short: then the answers are not to blame.
        culprit: Culprit = "prompt" if chosen.prompt_tokens >= max_tokens else _culprit(*over)
        detail = (
            f"chosen has {lengths[0]} tokens and rejected {lengths[1]} as rendered, {chosen.prompt_tokens} of them the "
            f"prompt's; the limit is {max_tokens}."
        )
        return _reject(pair, "too_long", detail, culprit)
    if chosen.ids == rejected.ids and chosen.type_ids == rejected.type_ids:
        detail = f"both answers are rendered to the same {lengths[0]} tokens, so no model can tell them apart."
        return _reject(pair, "identical_candidates", detail, "both")
    return None


def _culprit(chosen: bool, rejected: bool) -> Culprit:
    return "both" if chosen and rejected else "chosen" if chosen else "rejected"


def _reject(
    pair: Pair,
    reason: Literal["too_long", "template_not_prefix", "identical_candidates"],
    detail: str,
    culprit: Culprit,
) -> Reject:
    return Reject(
        where=pair.where,
        reason=reason,
        detail=f"pair {pair.id}: {detail}",
        side=culprit,
        category=pair.category,
        row={"id": pair.id},
    )
