"""What a number of votes buys: how far the intervals of fresh accuracy and of the drop would reach. Knows no pair."""

from __future__ import annotations

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.fresh_body import WidthRow
from assay.stats.independent_difference import independent_difference
from assay.stats.intervals import Interval, wilson

STEPS = (25, 50, 100, 200, 400, 800)
ASSUMED = 0.8  # accuracy taken where none is known


def vote_widths(
    static: float | None, interval: IntervalBody | None, *, asked: int, level: float
) -> tuple[list[WidthRow], float]:
    """A row for each of the usual sizes and for the one asked for, and the accuracy they take for granted.

    static, interval: held-out accuracy, from which no drop is supposed. One pair a prompt on which people decide; those
    on which they do not are no votes here, and a judge who helps makes the intervals narrower than these.
    """
    assumed = ASSUMED if static is None else static
    rows = []
    for votes in sorted({*STEPS, asked} - {0}):
        found = wilson(assumed * votes, votes, level=level)
        assert isinstance(found, Interval)
        drop = None
        if static is not None and interval is not None:
            held_out = Interval(**interval.model_dump())
            both = independent_difference(static, held_out, assumed, found)
            drop = (both.high - both.low) / 2
        rows.append(WidthRow(votes=votes, accuracy=(found.high - found.low) / 2, drop=drop))
    return rows, assumed
