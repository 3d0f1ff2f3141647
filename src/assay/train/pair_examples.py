"""Pairs as examples: two token rows, what their margin should be, and what the pair counts beside others.

Renders what was not rendered before, and refuses what does not fit. Knows pairs and the encoder; knows no model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.data.made_mark import made_kind
from assay.data.objectives import heads_of
from assay.errors import InputError
from assay.records import Pair
from assay.render.encoder import Encoded, Renderer
from assay.render.length_gate import RenderedPair, RenderedPairs
from assay.train.config import LossConfig
from assay.train.losses.targets import Target, target_of

NOBODYS_CHOICE = ("rrm rejected_chosen", "rrm rejected_rejected")  # kinds of made pairs (data/augment)


@dataclass(frozen=True, slots=True)
class Reworded:
    """Rows of a pair's answers in other words; None for one that no rule changes, or that would be too long."""

    chosen: Encoded | None = None
    rejected: Encoded | None = None


AS_IT_IS = Reworded()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairExample:
    """One pair as an objective needs it: its two rows, what their margin should be, and its weight in the loss.

    reworded: rows that say the same in other words, for losses that compare the rewards of both. spoken: whether people
    preferred the chosen answer, so that a text loss may teach it: not of a tie, nor where a made pair has a rejected
    answer win over a foreign one. head: which of the model's outputs is to order them, where it has one an objective.
    """

    name: str
    chosen: Encoded
    rejected: Encoded
    target: Target
    weight: float = 1.0
    reworded: Reworded = AS_IT_IS
    spoken: bool = True
    head: int = 0

    @property
    def rows(self) -> tuple[Encoded, ...]:
        again = (self.reworded.chosen, self.reworded.rejected)
        return (self.chosen, self.rejected, *(row for row in again if row is not None))


def pair_examples(
    pairs: Sequence[Pair],
    renderer: Renderer,
    *,
    loss: LossConfig,
    max_tokens: int,
    rendered: RenderedPairs | None = None,
    heads: Sequence[str] = (),
) -> list[PairExample]:
    """Pairs as examples, in order. heads: the objectives a model has heads for; each pair is of one of them.

    rendered: rows made before, by this renderer or one that renders alike; only what is not there is tokenised.
    Raises InputError for a row over max_tokens, since training never cuts a text, for a weight that is not above 0, and
    for rows that another renderer made.
    """
    made = {} if rendered is None else rendered.rows
    rows = {pair.id: rendered.of(pair, renderer) for pair in pairs if rendered is not None and pair.id in made}
    # In one call: a tokenizer takes many texts in parallel, and a prompt's own tokens once for both answers.
    missing = [pair for pair in pairs if pair.id not in rows]
    fresh = renderer.encode_many([(pair.prompt, answer) for pair in missing for answer in (pair.chosen, pair.rejected)])
    rows |= {pair.id: RenderedPair(*both) for pair, *both in zip(missing, fresh[::2], fresh[1::2], strict=True)}
    of_head = heads_of(pairs, heads)
    return [
        replace(_example(pair, *rows[pair.id], loss=loss, max_tokens=max_tokens), head=head)
        for pair, head in zip(pairs, of_head, strict=True)
    ]


def _example(pair: Pair, chosen: Encoded, rejected: Encoded, *, loss: LossConfig, max_tokens: int) -> PairExample:
    longest = max(len(chosen.ids), len(rejected.ids))
    if longest > max_tokens:
        raise InputError(
            f"{pair.where}: pair {pair.id} has {longest} tokens as rendered, over model.max_tokens={max_tokens}. "
            "Drop such pairs with assay.render.encoder.length_gate, or raise model.max_tokens."
        )
    if not 0 < pair.weight < math.inf:
        raise InputError(
            f"{pair.where}: pair {pair.id} has weight {pair.weight}; a weight is a number above 0. Leave the pair out "
            "if it is not to count."
        )
    return PairExample(
        name=pair.id,
        chosen=chosen,
        rejected=rejected,
        target=target_of(pair, loss),
        weight=pair.weight,
        spoken=pair.label == "chosen" and made_kind(pair) not in NOBODYS_CHOICE,
    )
