"""A reward under pressure, whole: prompts with reward and gold in, verdict, curve, findings and worst picks out.

Knows its parts; computes nothing itself and knows no scorer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.pressure_body import DriftRow, FitBody, PointBody
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.picked_phrases import Phrases, phrases
from assay.audits.pressure.picked_style import NAMES, attribute_drifts, chances, drift_findings, drift_rows
from assay.audits.pressure.pressed_prompts import GoldGroup, Pressed, pressed_prompts
from assay.audits.pressure.pressure_curves import PressureCurves, pressure_curves
from assay.audits.pressure.pressure_findings import fits, pressure_findings
from assay.audits.pressure.pressure_meanings import MEANINGS
from assay.audits.pressure.pressure_verdict import Decision, decide
from assay.audits.pressure.worst_picks import PickRow, worst_picks
from assay.findings.finding import Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.stats.intervals import Array, Codes, Interval, cluster_t
from assay.stats.turning_point import Turning
from assay.stats.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderPressure:
    """What was found. curves: prompt by prompt, or why there is none."""

    pressed: Pressed
    curves: PressureCurves | Unknown
    decision: Decision
    findings: tuple[Finding, ...]
    curve: tuple[PointBody, ...]
    fits: dict[str, FitBody]
    drifts: tuple[DriftRow, ...]
    phrases: Phrases
    worst: tuple[PickRow, ...]

    def find(self, name: str, where: Slice | str = OVERALL) -> Finding | None:
        """The finding of that name and slice."""
        place = Slice.read(where)
        return next((one for one in self.findings if (one.name, one.slice) == (name, place)), None)


def under_pressure(groups: Sequence[GoldGroup], config: PressureConfig, *, shared: Sequence[str] = ()) -> UnderPressure:
    """Everything about one reward on candidates. shared: what gold and reward are both made of, named."""
    pressed = pressed_prompts(groups, config)
    curves = curves_of(pressed)
    decision = decide(curves, config, shared=shared)
    findings = list(pressure_findings(pressed, curves, decision, config))
    nothing = Phrases(rows=[], tested=0, prompts=0)
    if isinstance(curves, Unknown):
        findings += [unknown(MEANINGS[name], curves.reason) for name in (*NAMES, "phrases_standing_out")]
        return UnderPressure(
            pressed=pressed, curves=curves, decision=decision, findings=tuple(findings), curve=(), fits={}, drifts=(),
            phrases=nothing, worst=(),
        )  # fmt: skip
    picked = chances(pressed.prompts, curves.ns[-1])
    drifts = attribute_drifts(pressed.prompts, picked)
    rows = drift_rows(drifts, curves.codes, config)
    findings += drift_findings(drifts, rows, curves.codes, config)
    said = phrases(pressed.prompts, picked, curves.codes, config)
    findings.append(phrases_finding(said, config))
    spread = float(curves.gold_variance.mean()) ** 0.5
    return UnderPressure(
        pressed=pressed,
        curves=curves,
        decision=decision,
        findings=tuple(findings),
        curve=tuple(points(curves, decision.turn, config)),
        fits={} if curves.why_flat is not None else fits(curves),
        drifts=tuple(rows),
        phrases=said,
        worst=tuple(worst_picks(pressed.prompts, picked, spread=spread, most=config.examples)),
    )


def curves_of(pressed: Pressed) -> PressureCurves | Unknown:
    """The curves, or why there is no curve to look at."""
    if not pressed.prompts:
        return Unknown("no prompt has two answers with reward and gold")
    if len(pressed.ns) < 2:
        return Unknown("fewer than two answers a prompt in most prompts, so nothing is picked")
    return pressure_curves(pressed.prompts, pressed.ns)


def phrases_finding(said: Phrases, config: PressureConfig) -> Finding:
    meaning = MEANINGS["phrases_standing_out"]
    if not said.tested:
        return unknown(meaning, "no phrase stands in some answers and not in others of enough prompts", n=said.prompts)
    detail = {
        "tested": said.tested,
        "beyond_length": sum(row.p_beyond_length <= 1 - config.level for row in said.rows),
        "first": [row.phrase for row in said.rows[:5]],
    }
    return measured(meaning, float(len(said.rows)), n=said.prompts, detail=detail)


def points(curves: PressureCurves, turn: Turning | Unknown, config: PressureConfig) -> list[PointBody]:
    """The curve, n by n, in the units of reward and gold."""
    return [
        PointBody(
            n=n,
            kl=float(curves.kl[place]),
            proxy=float(curves.proxy[:, place].mean()),
            proxy_interval=interval_of(curves.proxy[:, place], curves.codes, config),
            gold=float(curves.gold[:, place].mean()),
            gold_interval=interval_of(curves.gold[:, place], curves.codes, config),
            best=float(curves.best[:, place].mean()),
            gain=float(curves.gold_gains[:, place].mean()),
            gain_interval=interval_of(curves.gold_gains[:, place], curves.codes, config),
            proxy_gain=float(curves.proxy_gains[:, place].mean()),
            p=turn.p[place] if isinstance(turn, Turning) else None,
            may_be=place in turn.may_be if isinstance(turn, Turning) else None,
        )
        for place, n in enumerate(curves.ns)
    ]


def interval_of(values: Array, codes: Codes, config: PressureConfig) -> IntervalBody | None:
    found = cluster_t(values, codes, level=config.level)
    return IntervalBody(**found.to_dict()) if isinstance(found, Interval) else None
