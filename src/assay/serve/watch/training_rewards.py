"""What a run's own files say of its rewards: those of its held-out answers, which served ones are held against.

The file has to be the one that the seed's train.json names, or it is of other weights. Held-out answers and not those
trained on, whose rewards are further apart than any new ones. Knows a run's files; loads no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from assay.artifacts.files import sha256_file
from assay.artifacts.train_body import TrainBody
from assay.errors import AssayError, first_line
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward, Scored, Scorer
from assay.scorers.recorded import read_scored_pairs
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown

SCORES, TRAIN = "scores.jsonl", "train.json"
LOW, HIGH = 0.05, 0.95  # quantiles beyond which a served reward counts as below or above


@dataclass(frozen=True, kw_only=True, eq=False)  # without slots: what is found once needs a place
class TrainingRewards:
    """Rewards of held-out answers, in order of size, as often as pairs hold the answer. source: the file."""

    source: str
    values: Array

    @cached_property
    def low(self) -> float:
        return float(np.quantile(self.values, LOW))

    @cached_property
    def high(self) -> float:
        return float(np.quantile(self.values, HIGH))

    def distance(self, served: Array) -> float:
        """Kolmogorov's: the largest difference of the two shares below any value, 0 to 1.

        >>> TrainingRewards(source="", values=np.array([1.0, 2.0])).distance(np.array([2.0, 3.0]))
        0.5
        """
        ordered, every = np.sort(served), np.concatenate([self.values, served])
        mine, theirs = (np.searchsorted(one, every, side="right") / len(one) for one in (self.values, ordered))
        return float(np.abs(mine - theirs).max())


def training_rewards(scorer: Scorer) -> TrainingRewards | Unknown:
    """Those of the seed that the scorer is the model of, or why there are none."""
    if not isinstance(scorer, LocalScorer):
        return Unknown(f"{scorer.name} is no single model of a run, so no training's rewards are known")
    folder = Path(scorer.model).expanduser()
    path = folder.parent / SCORES
    if not (folder.is_dir() and path.is_file() and (folder.parent / TRAIN).is_file()):
        return Unknown(f"no run stands around {scorer.name}: there is no {SCORES} of held-out pairs beside it")
    try:
        if TrainBody.read(folder.parent / TRAIN).files.get(SCORES) != sha256_file(path):
            return Unknown(f"{path} is not the file that {TRAIN} names")
        pairs = read_scored_pairs(path)
    except (AssayError, OSError) as error:
        return Unknown(first_line(error) if isinstance(error, AssayError) else type(error).__name__)
    found = [value for one in pairs for side in (one.chosen, one.rejected) for value in _value(side, scorer.head)]
    if len(found) < 2:
        return Unknown(f"{path} holds no rewards of {scorer.name}")
    return TrainingRewards(source=str(path), values=np.sort(np.array(found)))


def _value(side: Scored, head: str | None) -> list[float]:
    if not isinstance(side, Reward):
        return []
    if head is None:
        return [side.value]
    return [side.heads[head]] if head in side.heads else []
