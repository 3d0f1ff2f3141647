"""What taking length and style out of a reward does to its accuracy, in worlds where it is known what people like.

One row a world: accuracy of the reward as it is; with the over-use of length and style taken out together; with all of
both; with curves of length, then of markdown, one at a time. Every correction is fitted on the pairs it is judged on.

    python benchmarks/joint_correction.py --draws 20 --pairs 1000
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np

from assay.records import Pair, plain_text
from assay.scorers.corrected import CorrectedScorer, fit_correction
from assay.scorers.function import FunctionScorer
from assay.scorers.joint_correction import JointlyCorrectedScorer, Take, fit_joint_correction
from assay.scorers.protocol import Scorer
from assay.scorers.scored_pairs import as_candidates, score_pairs
from assay.simulate.style_worlds import style_world

WORLDS: dict[str, dict[str, Any]] = {
    "right reward": {},
    "pays for length, markdown, exclamation": {"reward": {"length": 0.7, "markdown": 0.7, "exclamation": 0.5}},
    "people like length and markdown, so does it": {"people": {"length": 0.7, "markdown": 0.5}},
    "people like both, it overdoes both": {
        "people": {"length": 0.5, "markdown": 0.3},
        "reward": {"length": 0.7, "markdown": 0.7},
    },
    "people like both, it is blurred": {"people": {"length": 0.7, "markdown": 0.5}, "noise": 1.0},
}
TAKES: tuple[Take, ...] = ("overuse", "all")


def world(count: int, seed: int, planted: dict[str, Any]) -> tuple[list[Pair], FunctionScorer]:
    """Pairs of a world, each answer made one of its own, and the world's reward as a scorer."""
    made = style_world(count, seed=seed, **planted)
    rewards: dict[str, float] = {}
    pairs = []
    for pair, score in zip(made.pairs, made.scores, strict=True):
        up, down = f"{pair.chosen} {pair.id} a", f"{pair.rejected} {pair.id} b"
        rewards |= {up: score.chosen, down: score.rejected}
        pairs.append(replace(pair, chosen=up, rejected=down))
    return pairs, FunctionScorer(lambda _, answers: [rewards[plain_text(one)] for one in answers], fingerprint="world")


def accuracy(scorer: Scorer, pairs: list[Pair]) -> float:
    return float(np.mean([one.margin is not None and one.margin > 0 for one in score_pairs(scorer, pairs)]))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--draws", type=int, default=20)
    ask.add_argument("--pairs", type=int, default=1000)
    asked = ask.parse_args()
    print(f"{asked.draws} draws of {asked.pairs} pairs; accuracy as it is | less over-use | less all | one at a time")
    for name, planted in WORLDS.items():
        rows = []
        for seed in range(asked.draws):
            pairs, scorer = world(asked.pairs, seed, planted)
            row = [accuracy(scorer, pairs)]
            for take in TAKES:
                found = fit_joint_correction(scorer, pairs, named="w", attributes=["length", "style"], take=take)
                row.append(accuracy(JointlyCorrectedScorer(scorer, found), pairs))
            groups = as_candidates(pairs)
            one = CorrectedScorer(scorer, fit_correction(scorer, groups, named="w"))
            two = CorrectedScorer(one, fit_correction(one, groups, named="w", attribute="markdown"))
            rows.append([*row, accuracy(two, pairs)])
        print(f"{name:<48}" + " | ".join(f"{mean:.1%}" for mean in np.mean(rows, axis=0)), flush=True)


if __name__ == "__main__":
    main()
