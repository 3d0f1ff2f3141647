"""The rule over all probes: they are there, and none was judged a problem. Pure: knows no file."""

from __future__ import annotations

from assay.audits.probes.probe_meanings import PROBE_FIGURES
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.gate.criteria import Criterion
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence
from assay.gate.verdict import Result

PROBES = frozenset(one.name for one in PROBE_FIGURES)
NO_PROBES = "no probe was asked; `assay audit` and `assay reward` take --probes all"


def decide_probes(evidence: Evidence, criterion: Criterion) -> Result:
    found = [
        one for one in evidence.figures.findings if one.name in PROBES and one.slice == OVERALL and one.seed is None
    ]
    known = [one for one in found if one.known is not None]
    if not known:
        return Result(criterion=criterion, verdict="fail", reasons=(NO_PROBES,), value_noun="problem")
    problems = [one for one in known if one.verdict == "problem"]
    if problems:
        said = tuple(f"{EVERY_FIGURE[one.name].label} is a problem" for one in problems)
        return Result(
            criterion=criterion, verdict="fail", reasons=said, value=float(len(problems)), value_noun="problem"
        )
    warned = [one for one in known if one.verdict == "warning"]
    beside = f", {_listed(warned)} with a warning" if warned else ""
    unasked = len(found) - len(known)
    beside += f"; {unasked} unknown" if unasked else ""
    return Result(
        criterion=criterion,
        verdict="pass",
        reasons=(f"none of {len(known)} probes is a problem{beside}",),
        value=0.0,
        value_noun="problem",
    )


def _listed(found: list[Finding]) -> str:
    return ", ".join(EVERY_FIGURE[one.name].label for one in found)
