"""What several judges say of two answers -> one margin, and who was of another mind. Knows verdicts; knows no judge.

Rules: majority of all read votes; mean of the judges' own shares; or the log-odds of Dawid and Skene's model, in which
each judge is right, wrong or without opinion at rates of its own, and errs by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assay.scorers.judge.both_orders import Compared

Rule = Literal["majority", "mean", "reliability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """One answer against another, by several judges.

    by_judge: what each says of this answer. margin: above 0 for this answer; None where too few gave a verdict, and
    why. Majority: -1, 0 or 1; mean: from -1 to 1; reliability: log-odds in nats.
    """

    by_judge: Mapping[str, Compared]
    rule: Rule
    margin: float | None
    why: str | None = None

    @property
    def swapped(self) -> Pooled:
        """The same seen from the other answer."""
        return Pooled(
            by_judge={name: one.swapped for name, one in self.by_judge.items()},
            rule=self.rule,
            margin=None if self.margin is None else -self.margin,
            why=self.why,
        )

    @property
    def worth(self) -> float:
        """What this answer gets: half of the margin; for shares with a half added, so that 1 is won and 0 lost."""
        assert self.margin is not None
        return self.margin / 2 + (0.0 if self.rule == "reliability" else 0.5)

    @property
    def dissent(self) -> float:
        """Share of the judges with an opinion who are of the smaller side: 0 where all agree, at most a half."""
        strengths = [one.strength for one in self.by_judge.values()]
        with_it = sum(1 for one in strengths if one is not None and one > 0)
        against = sum(1 for one in strengths if one is not None and one < 0)
        return min(with_it, against) / (with_it + against) if with_it + against else 0.0

    @property
    def dissenting(self) -> list[str]:
        """Judges of another opinion than all together; none where the jury is split."""
        margin = self.margin or 0.0
        return [name for name, one in self.by_judge.items() if (one.strength or 0.0) * margin < 0]


def pooled(by_judge: Mapping[str, Compared], *, rule: Rule, quorum: int, weights: Mapping[str, float]) -> Pooled:
    """quorum: judges that must have given a verdict. weights: log-odds that a judge's verdict is right, by name.

    >>> says = {"a": Compared(votes=("won",)), "b": Compared(votes=("lost",)), "c": Compared(votes=("won",))}
    >>> found = pooled(says, rule="majority", quorum=2, weights={})
    >>> found.margin, found.dissenting
    (1.0, ['b'])
    """
    read = {name: one for name, one in by_judge.items() if one.read}
    if len(read) < quorum:
        silent = next((f"{name}: {one.why}" for name, one in by_judge.items() if not one.read), "")
        why = f"{len(read)} of {len(by_judge)} judges gave a verdict, and {quorum} are needed; {silent}"
        return Pooled(by_judge=by_judge, rule=rule, margin=None, why=why)
    strengths = {name: one.strength or 0.0 for name, one in read.items()}
    match rule:
        case "majority":
            # Votes, not judges: a debate's judges have as many here as they have calls there.
            lead = sum(one.votes.count("won") - one.votes.count("lost") for one in read.values())
            margin = float((lead > 0) - (lead < 0))
        case "mean":
            margin = math.fsum(strengths.values()) / len(strengths)
        case "reliability":
            # Only which way a judge leans: rates were counted of verdicts, whatever their strength.
            margin = math.fsum(weights[name] * ((one > 0) - (one < 0)) for name, one in strengths.items())
    return Pooled(by_judge=by_judge, rule=rule, margin=margin)
