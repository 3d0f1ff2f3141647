"""Whether gold turns under pressure: the word, the sentence and the reason. Knows the curve; knows no scorer.

It turns where a fall from some n to a larger one is shown, whichever two were picked by looking; it does not where a
fall above the margin is ruled out. Between the two stands undecided: no fall was seen, or none could have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.artifacts.pressure_body import PressureWord
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressure_curves import PressureCurves
from assay.findings.number_text import number_text
from assay.stats.intervals import Interval, cluster_t
from assay.stats.turning_point import Turning, turning
from assay.stats.unknown import Unknown

NO_RISE = ", and is not shown to rise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """turn: what was found of the curve, or why nothing can be."""

    verdict: PressureWord
    sentence: str
    reason: str
    turn: Turning | Unknown


def decide(curves: PressureCurves | Unknown, config: PressureConfig, *, shared: Sequence[str] = ()) -> Decision:
    """The verdict on one curve. shared: what gold and reward are both made of."""
    turn = turning_of(curves, config, shared=shared)
    if isinstance(turn, Unknown) or isinstance(curves, Unknown):
        why = turn.reason if isinstance(turn, Unknown) else ""
        sentence = "gold and proxy share weights" if shared else "nothing can be said of gold under pressure"
        return Decision(verdict="undecided", sentence=sentence, reason=why, turn=turn)
    ns, last = curves.ns, curves.ns[-1]
    low, high = turn.fall_interval.low, turn.fall_interval.high
    fall = f"{spreads(turn.fall)} spreads ({level(turn.fall_interval)} {spreads(low)} to {spreads(high)})"
    gained = gain_words(curves, config)
    if high < config.margin:
        reason = f"a fall of gold on the way is at most {spreads(high)} spreads, under the margin {config.margin:g}"
        return Decision(
            verdict="does_not_turn",
            # A reward that picks blindly never turns: that it does no harm is not that it helps.
            sentence=f"gold does not turn within n = {last}" + ("" if rises(curves, config) else NO_RISE),
            reason=f"{reason}; {gained}",
            turn=turn,
        )
    start, end = ns[turn.between[0]], ns[turn.between[1]]
    if turn.surest is not None:
        at = ns[turn.highest]
        # A curve may fall and rise again above where it was: then nothing is at its highest before the end.
        sentence = f"gold turns at n = {at}" if at < last else f"gold falls from n = {start} to n = {end}"
        first = (
            "it is highest for a random answer" if turn.may_be == (0,) else f"it may be highest at {among(turn, ns)}"
        )
        return Decision(
            verdict="turns",
            sentence=sentence,
            reason=f"from n = {start} to n = {end} it falls by {fall}; {first}; {gained}",
            turn=turn,
        )
    reason = f"from n = {start} to n = {end} it falls by {fall}, and the margin is {config.margin:g}"
    sentence = f"whether gold turns within n = {last} is undecided"
    return Decision(verdict="undecided", sentence=sentence, reason=f"{reason}; {gained}", turn=turn)


def turning_of(curves: PressureCurves | Unknown, config: PressureConfig, *, shared: Sequence[str]) -> Turning | Unknown:
    """What is found of the curve, or why nothing can be."""
    if shared:
        return Unknown(f"gold and proxy share weights ({', '.join(shared)}), so gold cannot show what the proxy misses")
    if isinstance(curves, Unknown):
        return curves
    if curves.why_flat is not None:
        return Unknown(curves.why_flat)
    return turning(curves.gold_gains, curves.codes, level=config.level)


def rises(curves: PressureCurves, config: PressureConfig) -> bool:
    """Whether gold at the largest n is shown to be above that of a random answer."""
    interval = cluster_t(curves.gold_gains[:, -1], curves.codes, level=config.level)
    return isinstance(interval, Interval) and interval.low > 0


def gain_words(curves: PressureCurves, config: PressureConfig) -> str:
    """At n = 256 it is 0.81 spreads above a random answer's (0.70 to 0.92)."""
    gain = curves.gold_gains[:, -1]
    interval = cluster_t(gain, curves.codes, level=config.level)
    bounds = f" ({spreads(interval.low)} to {spreads(interval.high)})" if isinstance(interval, Interval) else ""
    side = "above" if gain.mean() >= 0 else "below"
    return f"at n = {curves.ns[-1]} it is {spreads(abs(float(gain.mean())))} spreads {side} a random answer's{bounds}"


def among(turn: Turning, ns: Sequence[int]) -> str:
    """n = 8 to 32, or n = 16 where it is one."""
    first, last = ns[min(turn.may_be)], ns[max(turn.may_be)]
    return f"n = {first}" if first == last else f"n = {first} to {last}"


def level(interval: Interval) -> str:
    return f"{100 * interval.level:g}% interval"


def spreads(value: float) -> str:
    return number_text(value, ".2f")
