"""How far the votes of a pair agree with its label. Knows pairs; knows no layout and no rule of the contract."""

from __future__ import annotations

from collections import Counter

from assay.records import Pair


def agreement(pair: Pair) -> float | None:
    """Share of a pair's votes that agree with its label, abstentions left out; None where nobody voted.

    >>> from assay.records import Vote
    >>> votes = tuple(Vote(choice=one) for one in ("chosen", "chosen", "tie", "abstain"))
    >>> agreement(Pair(id="a", prompt="Hi", chosen="Hello.", rejected="No.", votes=votes))
    0.6666666666666666
    """
    counts = Counter(vote.choice for vote in pair.votes)
    said = len(pair.votes) - counts["abstain"]
    return counts[pair.label] / said if said else None
