"""How often the gate is wrong, and what its "N more pairs would decide" is worth, in simulated audits.

    python benchmarks/gate_study.py [--audits 10000] [--pairs 1000] [--looks 5 [--spending late]]

Simulated: right or wrong drawn for each pair at a true accuracy, no two pairs under one prompt, one criterion by bound.
What one look says is summed over all outcomes, exactly; the rest is drawn.
An audit that leaves it open is followed by N more pairs, N as the gate says; how many were open stands beside the share
that is then decided. The last columns go on following it, up to eight times: nobody should collect until it passes, and
this is what that does to the 2.5%. With --looks so many looks are planned and taken, by the gate's own shares of the
error rate.
"""

from __future__ import annotations

import argparse
from functools import lru_cache

import numpy as np
from scipy import stats

from assay.findings.finding import measured
from assay.gate.criteria import parse
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence
from assay.gate.looks import Look, LookPlan, take
from assay.gate.rules import decide
from assay.gate.verdict import Result
from assay.stats.intervals import ClusterMean, wilson_of


class Figures:
    """One accuracy, as an audit would find it."""

    seeds = (0,)

    def __init__(self, right: int, pairs: int) -> None:
        share = right / pairs
        # What cluster_mean finds where every pair is a prompt of its own, without an array of a million pairs.
        variance = share * (1 - share) / (pairs - 1)
        effect = pairs / (pairs - 1) if 0 < share < 1 else None
        mean = ClusterMean(
            mean=share, n=pairs, clusters=pairs, variance=variance, design_effect=effect, freedom=pairs - 1
        )
        detail = {"design_effect": 1.0, "clusters": pairs, "freedom": pairs - 1.0}
        self.findings = (measured(EVERY_FIGURE["accuracy"], share, n=pairs, interval=wilson_of(mean), detail=detail),)

    def find(self, name: str, where: object = None) -> object:
        return next((finding for finding in self.findings if finding.name == name), None)


@lru_cache(maxsize=200_000)  # a first look at 1,000 pairs has few outcomes
def judged(right: int, pairs: int, criterion: str, look: Look | None) -> Result:
    evidence = Evidence(figures=Figures(right, pairs), look=look)  # type: ignore[arg-type]
    return decide(evidence, [parse(criterion)]).criteria[0]


def first_look(truth: float, pairs: int, criterion: str, look: Look | None) -> dict[str, float]:
    """The chance of each verdict after one look, exactly: a sum over all numbers of right pairs."""
    chances = stats.binom.pmf(np.arange(pairs + 1), pairs, truth)
    found = {"pass": 0.0, "fail": 0.0, "undecided": 0.0}
    for right in np.flatnonzero(chances > 1e-9).tolist():
        found[judged(right, pairs, criterion, look).verdict] += float(chances[right])
    return found


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
    parser.add_argument("--audits", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--threshold", type=float, default=0.72)
    parser.add_argument("--looks", type=int, default=0, help="planned, and so the most that follow each other")
    parser.add_argument("--spending", choices=["equal", "late"], default="equal")
    options = parser.parse_args()
    plan = LookPlan(planned=options.looks, spending=options.spending) if options.looks else None
    rounds = options.looks - 1 if options.looks else 8
    print(f"{options.audits:,} audits a row, {options.pairs:,} pairs each, accuracy > {options.threshold}")
    print("| true accuracy | pass | fail | undecided | decided after N more, of | pass in the end | fail in the end |")
    print("|---|---|---|---|---|---|---|")
    random, criterion = np.random.default_rng(0), f"accuracy > {options.threshold}"
    for truth in (0.70, 0.72, 0.73, 0.74, 0.75, 0.76, 0.78):
        runs = [
            followed(random, truth, options.pairs, criterion, rounds=rounds, plan=plan) for _ in range(options.audits)
        ]
        once = [run[1].verdict != "undecided" for run in runs if len(run) > 1]
        last = [run[-1].verdict for run in runs]
        shown = [
            f"{share:.1%}" for share in first_look(truth, options.pairs, criterion, take(1, plan, spent=0.0)).values()
        ]
        shown += [f"{np.mean(once):.1%} of {len(once):,}" if once else "none was open"]
        shown += [f"{last.count(word) / len(runs):.1%}" for word in ("pass", "fail")]
        print(f"| {truth:.2f} | " + " | ".join(shown) + " |", flush=True)


if __name__ == "__main__":
    main()
