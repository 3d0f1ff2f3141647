"""What a criterion came to, in words: the figure, its interval and where the threshold lies. Decides nothing."""

from __future__ import annotations

from assay.artifacts.gate_body import Word
from assay.findings.finding import Finding
from assay.findings.number_text import number_text
from assay.findings.vocabulary import UNITS
from assay.gate.criteria import Criterion
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.intervals import Interval

MANY = {"category": "categories", "aspect": "aspects", "editor": "editors", "judges": "kinds of judges"}


def comparison_text(
    criterion: Criterion, found: Finding, word: Word, interval: Interval | None, *, counted: str = "pair"
) -> str:
    """75.4% (95% interval 72.6% to 78.0%, 1,000 pairs): all of it above 72.0%. interval: None by point."""
    name, bar = found.name, figure_text(criterion.threshold, found.name)
    said, pairs = figure_text(found.known, name), f"{found.n:,} {counted}{'' if found.n == 1 else 's'}"
    if interval is None:
        ending = "holds" if word == "pass" else "does not hold"
        return f"{said} ({pairs}, by point): {criterion.operator} {bar} {ending}"
    low, high = figure_text(interval.low, name), figure_text(interval.high, name)
    said += f" ({100 * interval.level:.4g}% interval {low} to {high}, {pairs})"
    if word == "undecided":
        return f"{said}: the interval holds {bar}"
    above = (word == "pass") == str(criterion.operator).startswith(">")
    return f"{said}: all of it {'above' if above else 'below'} {bar}"


def figure_text(value: float | None, name: str) -> str:
    """A figure in the words of its unit: shares in percent, differences of shares in points."""
    if value is None:
        return "unknown"
    reading = UNITS[EVERY_FIGURE[name].unit].reading
    if reading == "share":
        return f"{number_text(100 * value, '.1f')}%"
    if reading == "points":
        return f"{number_text(100 * value, '+.1f')} points"
    return number_text(value, ".4g")
