"""What a side's judges took, beside what they were right on: calls, tokens, flips, ties. Knows results; asks nobody."""

from __future__ import annotations

from collections.abc import Sequence

from assay.artifacts.compare_body import JudgeCostBody
from assay.audits.position_flips import HEADS
from assay.records import Pair
from assay.scorers.judge.spent_calls import Spent
from assay.scorers.protocol import Reward, Scorer
from assay.scorers.scored_pairs import ScoredPair

SAME = 0.01  # of the calls: retries and equal answers make no other budget


def judge_cost(scorer: Scorer, scored: Sequence[ScoredPair], pairs: Sequence[Pair]) -> JudgeCostBody | None:
    """Of a scorer that counts its calls; None for others. scored: its results; pairs: those with a label count.

    A pair on which both answers got the same (a tie, a flip, a split jury) is undecided here, and wrong for accuracy.
    """
    spent = getattr(scorer, "spent", None)
    if not isinstance(spent, Spent) or not spent.calls:
        return None
    by_id = {one.pair_id: one for one in scored}
    definite = [by_id[pair.id] for pair in pairs if pair.label != "tie"]
    margins = [one.margin for one in definite if one.margin is not None]
    flips = [
        sum(one.chosen.heads[head] for head in HEADS)
        for one in definite
        if isinstance(one.chosen, Reward) and set(HEADS) <= set(one.chosen.heads)
    ]
    right = sum(margin > 0 for margin in margins)
    return JudgeCostBody(
        calls=spent.calls,
        sent=spent.sent,
        read=spent.read,
        written=spent.written,
        untold=spent.untold,
        right=right,
        wrong=sum(margin < 0 for margin in margins),
        undecided=sum(margin == 0 for margin in margins),
        flips=sum(flips) / len(flips) if flips else None,
        right_a_thousand_calls=1000 * right / spent.calls,
    )


def unequal_calls(a: JudgeCostBody | None, b: JudgeCostBody | None) -> str:
    """A sentence where two sides of judges took other numbers of calls; empty where they took the same."""
    if a is None or b is None or abs(a.calls - b.calls) <= SAME * max(a.calls, b.calls):
        return ""
    return (
        f"Not at equal calls: A took {a.calls:,}, B {b.calls:,}. More calls may be all that the difference is; "
        "give the cheaper side more votes, or hold a debate against jury: of the same file"
    )
