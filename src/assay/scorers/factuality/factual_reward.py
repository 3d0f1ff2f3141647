"""Verdicts on an answer's statements -> its reward, in [-1, 1], and what the statements came to, by word.

reward = sum of weight x worth over claims / sum of weight. Worth: supported 1, contradicted -1, not found NOT_FOUND;
halved where the claim is hedged. Weight: of a claim that is not supported WRONG, else 1. An answer without claims, and
so one that abstains, has 0. So confidently wrong -1 < hedged and wrong -1/2 < "I don't know" 0 < hedged and right 1/2
< right 1. Knows verdicts; knows no text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from assay.scorers.factuality.looked_up import Looked, Verdict

WRONG = 3.0  # right claims that make up for a contradicted one: with fewer, an answer is below saying nothing
NOT_FOUND = -0.5
HEDGED = 0.5
WORTH: Mapping[Verdict, float] = {"supported": 1.0, "contradicted": -1.0, "not_found": NOT_FOUND}


def reward_of(looked: Sequence[Looked], *, wrong: float = WRONG, not_found: float = NOT_FOUND) -> float:
    """The reward of an answer with these statements; in [-1, 1].

    A claim said twice counts once, and so do claims that one fact bears out: saying one true thing again and again, or
    the prompt's own words, makes up for nothing.
    """
    worths, weights = [], []
    for one in _distinct(looked):
        worth = {**WORTH, "not_found": not_found}[one.verdict]
        weights.append(1.0 if one.verdict == "supported" else wrong)
        worths.append(worth * (HEDGED if one.statement.hedged else 1.0) * weights[-1])
    return math.fsum(worths) / math.fsum(weights) if weights else 0.0


def counts(looked: Sequence[Looked]) -> dict[Verdict, int]:
    """How many statements got each verdict."""
    found = Counter(one.verdict for one in looked)
    names: tuple[Verdict, ...] = ("supported", "contradicted", "not_found", "abstains", "no_claim")
    return {name: found[name] for name in names}


def _distinct(looked: Sequence[Looked]) -> list[Looked]:
    """Claims, each once."""
    kept: dict[tuple[str, str], Looked] = {}
    for one in looked:
        if one.verdict not in WORTH:
            continue
        said = " ".join(one.statement.text.casefold().split())
        key = one.fact if one.verdict == "supported" and one.fact is not None else said
        # Of two that one fact bears out, the one without a reserve says more.
        held = kept.get((one.verdict, key))
        if held is None or (held.statement.hedged and not one.statement.hedged):
            kept[one.verdict, key] = one
    return list(kept.values())
