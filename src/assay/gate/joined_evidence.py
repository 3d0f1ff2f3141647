"""What a tuned policy is decided on: its run, the blind study of its answers, and its capability test, together.

Each criterion is held against the evidence that measures its figure; what was not tested has no figure, and fails with
the way out. Knows criteria and evidence; knows no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.artifacts.gate_body import worst
from assay.capability.capability_meanings import MEANINGS as CAPABILITY_MEANINGS
from assay.findings.finding import unknown
from assay.gate.criteria import Criterion
from assay.gate.evidence import Evidence, ListedFigures
from assay.gate.rules import decide
from assay.gate.verdict import Verdict
from assay.study.analysis.vote_meanings import MEANINGS as VOTE_MEANINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedEvidence:
    """Three rooms' evidence of one policy. capability: `untested` where nobody tested it."""

    run: Evidence
    study: Evidence
    capability: Evidence

    def of(self, criterion: Criterion) -> Evidence:
        """The evidence that has the criterion's figure; what compares no figure is of the run."""
        if criterion.finding in CAPABILITY_MEANINGS:
            return self.capability
        return self.study if about_votes(criterion) else self.run


def about_votes(criterion: Criterion) -> bool:
    """Whether a criterion compares a figure of votes."""
    return criterion.finding in VOTE_MEANINGS


def untested(way_out: str) -> Evidence:
    """In place of a capability test that nobody made: its figures are unknown, and so pass nothing."""
    why = f"no capability test was given; {way_out}"
    figures = ListedFigures(tuple(unknown(meaning, why) for meaning in CAPABILITY_MEANINGS.values()))
    return Evidence(figures=figures, source="capability test", counted="question")


def decide_joined(joined: JoinedEvidence, criteria: Sequence[Criterion]) -> Verdict:
    """Each criterion on its own evidence, and one verdict of all. Raises GateError as `decide`."""
    if not criteria:
        return decide(joined.run, criteria)  # which refuses
    results = tuple(decide(joined.of(criterion), [criterion]).criteria[0] for criterion in criteria)
    return Verdict(
        verdict=worst([result.verdict for result in results]),
        criteria=results,
        inputs={**joined.capability.inputs, **joined.study.inputs, **joined.run.inputs},
        rests_on=joined.run.rests_on,
    )
