"""What stands beside every accuracy: how far the labels let any reader come. Knows findings; knows no page."""

from __future__ import annotations

from dataclasses import dataclass

from assay.findings.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingBounds:
    """low, high: what the votes leave possible for the best reader, as shares, sampling included."""

    low: float
    high: float

    def beside(self, accuracy: float) -> str:
        """A sentence's clause on an accuracy against these bounds."""
        span = f"{self.low:.1%} and {self.high:.1%}"
        if accuracy > self.high:
            return f"the best reader is at between {span} on such labels, so more was learnt than the votes hold"
        return f"against labels on which people disagree this much, the best reader reaches between {span}"


def ceiling_bounds(ceiling: Finding | None) -> CeilingBounds | None:
    """The bounds of a noise ceiling; None where it was not measured or is unknown."""
    if ceiling is None or ceiling.known is None or ceiling.bounds is None:
        return None
    return CeilingBounds(low=ceiling.bounds.low, high=ceiling.bounds.high)
