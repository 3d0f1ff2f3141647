"""How often the win rate's 95% interval holds the truth, on simulated studies: `python benchmarks/coverage_study.py`.

50 prompts (`--prompts`) by 3 editors; a prompt's chances of win, tie and loss are a Dirichlet draw around the truth, so
that votes on one prompt correlate by ICC. Beside it, what pooling the votes as if independent (Wilson) would give.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

import numpy as np

from assay.artifacts.files import write_json
from assay.flows.study import PACKAGES
from assay.stats.intervals import Interval, cluster_score, wilson
from assay.version import versions

EDITORS = 3


def simulate(
    studies: int, prompts: int, *, rate: float, icc: float, ties: float, generator: np.random.Generator
) -> np.ndarray:
    """Scores 1, 1/2, 0; shape (studies, prompts, EDITORS)."""
    mean = np.array([rate - ties / 2, ties, 1 - rate - ties / 2])
    chance = np.broadcast_to(mean, (studies, prompts, 3))
    if icc:
        chance = generator.gamma(np.maximum(mean * (1 / icc - 1), 1e-9), size=(studies, prompts, 3))
        chance = chance / chance.sum(axis=-1, keepdims=True)
    draw, edge = generator.random((studies, prompts, EDITORS)), np.cumsum(chance, axis=-1)
    return np.where(draw < edge[..., :1], 1.0, np.where(draw < edge[..., 1:2], 0.5, 0.0))


def holds(interval: object, rate: float) -> bool:
    return isinstance(interval, Interval) and interval.low <= rate <= interval.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    names = np.repeat(np.arange(arguments.prompts), EDITORS)
    rows = []
    print("| true win rate | ties | ICC | covered | half-width | pooled votes |\n|---|---|---|---|---|---|")
    for rate in (0.5, 0.6, 0.7):
        for ties in (0.0, 0.2):
            for icc in (0.0, 0.2, 0.4):
                generator = np.random.default_rng([int(100 * rate), int(10 * ties), int(10 * icc)])
                found, pooled, widths = 0, 0, []
                made = simulate(
                    arguments.studies, arguments.prompts, rate=rate, icc=icc, ties=ties, generator=generator
                )
                for scores in made:
                    interval, _ = cluster_score(scores.ravel(), names)
                    found += holds(interval, rate)
                    pooled += holds(wilson(float(scores.sum()), scores.size), rate)
                    widths.append((interval.high - interval.low) / 2 if isinstance(interval, Interval) else np.nan)
                row = {
                    "rate": rate,
                    "ties": ties,
                    "icc": icc,
                    "covered": found / arguments.studies,
                    "half_width": float(np.mean(widths)),
                    "pooled": pooled / arguments.studies,
                }
                rows.append(row)
                shares = f"| {row['covered']:.1%} | {100 * row['half_width']:.1f} points | {row['pooled']:.1%} |"
                print(f"| {rate:.0%} | {ties:.0%} | {icc:g} {shares}")
    if arguments.out:
        about = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
        body = {
            "studies": arguments.studies,
            "prompts": arguments.prompts,
            "rows": rows,
            "versions": versions(PACKAGES),
            "machine": about,
        }
        write_json(arguments.out, "coverage_study/1", body)


if __name__ == "__main__":
    main()
