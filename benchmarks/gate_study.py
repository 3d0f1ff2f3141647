"""How often the gate is wrong, and what its "N more pairs would decide" is worth, in simulated audits.

    python benchmarks/gate_study.py [--audits 2000] [--pairs 1000] [--looks 5 [--spending late]]

Simulated: right or wrong drawn for each pair at a true accuracy, no two pairs under one prompt, one criterion by bound.
An audit that leaves it open is followed by N more pairs, N as the gate says. The last columns go on following it, up to
eight times: nobody should collect until it passes, and this is what that does to the 2.5%. With --looks so many looks
are planned and taken, by the gate's own shares of the error rate.
"""

from __future__ import annotations

import argparse
from functools import cache

import numpy as np

from assay.findings.finding import measured
from assay.gate.criteria import parse
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence
from assay.gate.looks import Look, LookPlan, take
from assay.gate.rules import decide
from assay.gate.verdict import Result
from assay.stats.intervals import cluster_wilson


class Figures:
    """One accuracy, as an audit would find it."""

    seeds = (0,)

    def __init__(self, right: int, pairs: int) -> None:
        values = np.zeros(pairs)
        values[:right] = 1.0
        interval = cluster_wilson(values, np.arange(pairs))
        detail = {"design_effect": 1.0, "clusters": pairs, "freedom": pairs - 1.0}
        self.findings = (measured(EVERY_FIGURE["accuracy"], right / pairs, n=pairs, interval=interval, detail=detail),)

    def find(self, name: str, where: object = None) -> object:
        return next((finding for finding in self.findings if finding.name == name), None)


@cache
def judged(right: int, pairs: int, criterion: str, look: Look | None) -> Result:
    evidence = Evidence(figures=Figures(right, pairs), look=look)  # type: ignore[arg-type]
    return decide(evidence, [parse(criterion)]).criteria[0]


def followed(
    random: np.random.Generator, truth: float, pairs: int, criterion: str, *, rounds: int, plan: LookPlan | None
) -> list[Result]:
    """The verdicts of one audit and of those that follow it while it is open."""
    right, found, spent = int(random.binomial(pairs, truth)), [], 0.0
    for number in range(1, rounds + 2):
        look = take(number, plan, spent=spent)
        spent += look.share
        found.append(judged(right, pairs, criterion, look))
        more = found[-1].more_pairs
        if found[-1].verdict != "undecided" or more is None or pairs + more > 10**6:
            break
        right, pairs = right + int(random.binomial(more, truth)), pairs + more
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audits", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--threshold", type=float, default=0.72)
    parser.add_argument("--looks", type=int, default=0, help="planned, and so the most that follow each other")
    parser.add_argument("--spending", choices=["equal", "late"], default="equal")
    options = parser.parse_args()
    plan = LookPlan(planned=options.looks, spending=options.spending) if options.looks else None
    rounds = options.looks - 1 if options.looks else 8
    print(f"{options.audits:,} audits a row, {options.pairs:,} pairs each, accuracy > {options.threshold}")
    print("| true accuracy | pass | fail | undecided | decided after N more | pass in the end | fail in the end |")
    print("|---|---|---|---|---|---|---|")
    random = np.random.default_rng(0)
    for truth in (0.70, 0.72, 0.73, 0.74, 0.75, 0.76, 0.78):
        runs = [
            followed(random, truth, options.pairs, f"accuracy > {options.threshold}", rounds=rounds, plan=plan)
            for _ in range(options.audits)
        ]
        first = [run[0].verdict for run in runs]
        once = [run[1].verdict != "undecided" for run in runs if len(run) > 1]
        last = [run[-1].verdict for run in runs]
        shares = [first.count(word) / len(runs) for word in ("pass", "fail", "undecided")]
        shares += [float(np.mean(once)) if once else float("nan")]
        shares += [last.count(word) / len(runs) for word in ("pass", "fail")]
        print(f"| {truth} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
