"""Rules over all figures of one kind: no probe found a problem, the reward fits the policy. Pure: knows no file.

Each passes where the figures are there and none of them was judged a problem, and fails where there are none.
"""

from __future__ import annotations

from collections.abc import Collection

from assay.audits.probes.probe_meanings import PROBE_FIGURES
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.gate.criteria import Criterion
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence
from assay.gate.verdict import Result

PROBES = frozenset(one.name for one in PROBE_FIGURES)
# Figures of `audits/fit`, when it measures any: then its rows are named here.
FIT: frozenset[str] = frozenset()
NO_PROBES = "no probe was asked; `assay audit` and `assay reward` take --probes all"
NO_FIT = (
    "fit to the policy was not measured; `assay optimise RUN CANDIDATES --out DIR` measures it on samples of the policy"
)


def decide_probes(evidence: Evidence, criterion: Criterion) -> Result:
    return _without_problems(evidence, criterion, PROBES, none=NO_PROBES, what="probe")


def decide_fits_policy(evidence: Evidence, criterion: Criterion) -> Result:
    return _without_problems(evidence, criterion, FIT, none=NO_FIT, what="figure of fit")


def _without_problems(
    evidence: Evidence, criterion: Criterion, names: Collection[str], *, none: str, what: str
) -> Result:
    found = [
        one for one in evidence.figures.findings if one.name in names and one.slice == OVERALL and one.seed is None
    ]
    known = [one for one in found if one.known is not None]
    if not known:
        return Result(criterion=criterion, verdict="fail", reasons=(none,), value_noun="problem")
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
        reasons=(f"none of {len(known)} {what}s is a problem{beside}",),
        value=0.0,
        value_noun="problem",
    )


def _listed(found: list[Finding]) -> str:
    return ", ".join(EVERY_FIGURE[one.name].label for one in found)
