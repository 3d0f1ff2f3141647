"""Pairs as a policy sees them: two rows of one prompt, and from which token on each is counted.

Knows pairs and rows; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.errors import InputError
from assay.records import Pair
from assay.render.encoder import Renderer
from assay.render.length_gate import RenderedPairs
from assay.train.config import LossConfig
from assay.train.pair_examples import PairExample, pair_examples


def policy_examples(
    pairs: Sequence[Pair], renderer: Renderer, *, max_tokens: int, rendered: RenderedPairs | None
) -> list[PairExample]:
    """Pairs as examples, in order; raises as `pair_examples`, and InputError for what no policy can learn from.

    Both answers are counted from the same token on: where one merges with the end of its prompt, the other begins
    there as well, as TRL has it.
    """
    found = pair_examples(pairs, renderer, loss=LossConfig(), max_tokens=max_tokens, rendered=rendered)
    return [_counted(one, pair) for one, pair in zip(found, pairs, strict=True)]


def _counted(example: PairExample, pair: Pair) -> PairExample:
    chosen, rejected = example.rows
    if pair.label == "tie":
        raise InputError(
            f"{pair.where}: pair {pair.id} is a tie, and DPO's losses know none. Leave data.ties at review."
        )
    if chosen.ids == rejected.ids:
        raise InputError(
            f"{pair.where}: both answers of pair {pair.id} are the same {len(chosen.ids)} tokens, so no policy can "
            "prefer one. Drop such pairs with assay.render.encoder.length_gate."
        )
    first = min(chosen.prompt_tokens, rejected.prompt_tokens)
    if not first:
        raise InputError(
            f"{pair.where}: the rows of pair {pair.id} begin with the answer, whose first token then has no "
            "probability. Give it a prompt."
        )
    return replace(
        example, chosen=replace(chosen, prompt_tokens=first), rejected=replace(rejected, prompt_tokens=first)
    )
