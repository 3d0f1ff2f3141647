"""What serving one remedy costs: one scorer as it would be served, and the wall clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from assay.flows.remedy_names import MADE, TRAINED, Seeds
from assay.flows.remedy_trial import Trial, with_second_base
from assay.records import Pair
from assay.scorers.corrected import corrected
from assay.scorers.open import open_scorer, open_scorers
from assay.scorers.protocol import Scorer, score_groups
from assay.scorers.scored_pairs import as_candidates

TIMED = 128  # answers scored for what serving costs
ROUNDS, LONG = 3, 1.0  # the quickest of so many rounds counts; after so many seconds one is enough


def serving_ms(scorer: Scorer, pairs: Sequence[Pair]) -> float:
    """Milliseconds for 1,000 rewards by the wall clock, on this machine as it is; loading is not counted."""
    groups = as_candidates(pairs)[: TIMED // 2]
    answers = sum(len(group.answers) for group in groups)
    list(score_groups(scorer, groups[:4]))  # loads the model
    rounds: list[float] = []
    while len(rounds) < ROUNDS and sum(rounds) < LONG:
        start = time.perf_counter()
        list(score_groups(scorer, groups))
        rounds.append(time.perf_counter() - start)
    return 1e6 * min(rounds) / answers


def scorer_to_serve(trial: Trial, name: str, seeds: Seeds) -> Scorer:
    """One scorer as it would be served: of several seeds the first, of an ensemble all of it."""
    if name in TRAINED:
        return next(iter(open_scorers(trial.out / name, passes=trial.passes).values()))
    files = sorted((trial.out / name).glob("seed-*.yaml"))
    if files:  # as it was fitted: fitting again would score the slice again
        return corrected(str(files[0]), partial(open_scorer, passes=trial.passes))
    seeds = with_second_base(trial, name, seeds)
    return next(iter(MADE[name](replace(seeds, out=trial.out / name, remembered=False)).values()))
