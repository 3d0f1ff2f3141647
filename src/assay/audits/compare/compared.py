"""One comparison of two scorers: scores and pairs in, verdict and findings out. Knows its parts; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.audits.compare.accuracy_difference import difference_findings
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.decision import Decision, decide
from assay.audits.compare.parting import DifferenceRow, agreement_findings, differences
from assay.audits.compare.two_sides import TwoSides
from assay.audits.scores_table import align
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.records import Pair, PairScore

Scores = Mapping[int, Sequence[PairScore]]  # one side's, by seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found. pairs: with a definite label; ties: without; differences: on which pairs the two part most."""

    decision: Decision
    findings: tuple[Finding, ...]
    differences: tuple[DifferenceRow, ...]
    pairs: int
    ties: int
    level: float

    def find(self, name: str, where: Slice | str = OVERALL) -> Finding | None:
        """The finding of that name and slice."""
        place = Slice.read(where)
        return next((f for f in self.findings if (f.name, f.slice) == (name, place)), None)

    @property
    def standing_out(self) -> tuple[Finding, ...]:
        """Differences of slices that stay below 1 - level with all slices looked at, the clearest first."""
        parts = [f for f in self.findings if f.name == "accuracy_difference" and f.slice != OVERALL]
        clear = [f for f in parts if f.detail["p_of_slices"] <= 1 - self.level]
        return tuple(sorted(clear, key=lambda f: float(f.detail["p_of_slices"])))


def compared(
    a: Scores,
    b: Scores,
    pairs: Sequence[Pair],
    groups: Sequence[str],
    *,
    config: CompareConfig,
    same: bool = False,
) -> Comparison:
    """Two scorers on the same pairs.

    groups: prompt group of each pair, the unit that varies. same: whether both are one scorer by their fingerprints.
    Raises InputError where scores and pairs do not match, EmptyBatchError without a pair of definite label.
    """
    sides = TwoSides(a=align(a, pairs, groups), b=align(b, pairs, groups))
    overall, findings = difference_findings(sides, config)
    return Comparison(
        decision=decide(overall, level=config.level, same=same),
        findings=(*findings, *agreement_findings(sides, config)),
        differences=tuple(differences(pairs, list(a.values()), list(b.values()), limit=config.differences)),
        pairs=sides.n,
        ties=sides.a.set_aside,
        level=config.level,
    )
