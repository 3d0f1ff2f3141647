"""Which share of what is served lies outside the answers a reward knows: the check of `assay optimise`, as rows come.

What the head read comes out of the very passes that gave the rewards; no second one is made. Of each batch some rows
are measured, drawn at random, so that it costs little however many are served. A prompt counts once, by the share of
its measured answers that are outside, since that is what the threshold's rate of false alarms is stated of. Knows
states and clouds; knows no model. Letters: N rows, H inputs of the head's last layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from assay.audits.fit.fit_cloud import FILE, CloudFacts, FitCloud
from assay.errors import ArtifactError
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scorer
from assay.serve.watch.seen_prompts import SeenPrompts
from assay.stats.draws import stream
from assay.stats.running_values import RunningValues
from assay.stats.unknown import Unknown

DISTANCES = 4096  # kept at random, for their median
BATCHES = 32  # that may wait to be measured; of more, nothing is kept


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchStates:
    """What the head read of some rows of one batch, and a number for the prompt of each."""

    cloud: FitCloud
    share: KnownShare
    prompts: tuple[int, ...]
    states_NH: NDArray[np.float32]


class KnownShare:
    """How many of the measured answers were outside. facts: of the cloud.

    run, dropped: rows, counted by who runs them; measured and the rest by who measures.
    """

    def __init__(self, facts: CloudFacts) -> None:
        self.facts = facts
        self.run = self.dropped = 0
        self.measured = self.outside = 0
        self.prompts, self.shares = SeenPrompts(), 0.0
        self.distances = RunningValues(stream(0, "watch: distances"), sample=DISTANCES, recent=1)
        self.stopped: str | None = None

    @property
    def outside_share(self) -> float | None:
        """Mean over prompts; None before the first."""
        return self.shares / self.prompts.fresh if self.prompts.fresh else None

    def measure(self, batch: BatchStates) -> list[float]:
        """Take a batch; the share outside of each prompt that came for the first time."""
        distances = batch.cloud.distances(batch.states_NH)
        outside = distances > self.facts.threshold
        self.measured += len(distances)
        self.outside += int(outside.sum())
        self.distances.add(distances)
        by_prompt: dict[int, list[bool]] = {}
        for prompt, one in zip(batch.prompts, outside.tolist(), strict=True):
            by_prompt.setdefault(prompt, []).append(one)
        found = [sum(several) / len(several) for prompt, several in by_prompt.items() if self.prompts.first(prompt)]
        self.shares += sum(found)
        return found

    def allowed(self, chance: float) -> float:
        """The largest share that the calibration leaves possible, but with this chance: the threshold was found on
        some held-out prompt groups, and others would have put it elsewhere."""
        facts = self.facts
        variance = facts.alarm_variance or facts.rate * (1 - facts.rate) / facts.groups
        error = float(special.stdtrit(max(facts.groups - 1, 1), 1 - chance)) * math.sqrt(variance)
        return min(max(facts.alarms, facts.rate) + error, 0.999)

    def figures(self) -> dict[str, object]:
        facts = self.facts
        return {
            "outside": self.outside_share,
            "prompts": self.prompts.fresh,
            "outside_answers": self.outside,
            "measured": self.measured,
            "rows_run": self.run,
            "dropped": self.dropped,
            "how": "a random sample of each batch's rows, out of the passes that gave the rewards",
            "false_alarm_rate": facts.rate,
            "held_out": {"outside": facts.alarms, "groups": facts.groups, "median_distance": facts.median},
            "threshold": facts.threshold,
            "median_distance": next(iter(self.distances.quantiles([0.5])), None),
            "stopped": self.stopped,
        }


class StatesSample:
    """Takes what the head read of a batch, on the thread of the model, and hands some rows on. Never raises.

    send: takes a batch, or says that it has no room for it. stopped: is told when there will be no more.
    """

    def __init__(
        self, cloud: FitCloud, share: KnownShare, *, rows: int, send: Callable[[BatchStates], bool],
        stopped: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.cloud, self.share, self.rows, self.send, self.stopped = cloud, share, rows, send, stopped
        self._rng = stream(0, "watch: rows measured")

    def take(self, families: Sequence[Hashable], states_NH: NDArray[np.float32]) -> None:
        share, count = self.share, len(families)
        if share.stopped is not None:
            return
        share.run += count
        try:
            places = range(count) if count <= self.rows else sorted(self._rng.permutation(count)[: self.rows].tolist())
            # A copy: a view would hold on to the whole batch.
            kept = states_NH[list(places)].copy()
            batch = BatchStates(
                cloud=self.cloud, share=share, states_NH=kept, prompts=tuple(hash(families[one]) for one in places)
            )
            if not self.send(batch):
                share.dropped += len(places)
        except Exception as error:  # a reward is given whether or not it is watched
            self.cannot(error)

    def cannot(self, error: Exception) -> None:
        self.share.stopped = f"what the head reads is not to be had any more ({type(error).__name__})"
        self.stopped(self.share.stopped)


def known_cloud_of(scorer: Scorer) -> FitCloud | Unknown:
    """The cloud beside the model of a run, of these very weights; or why there is none."""
    if not isinstance(scorer, LocalScorer):
        return Unknown(f"{scorer.name} is no single model on this machine, so what its head reads is not to be had")
    folder = Path(scorer.model).expanduser()
    if not folder.is_dir():
        return Unknown(f"{scorer.name} is no run's: nothing beside it says what its reward knows")
    try:
        cloud = FitCloud.read(folder.parent / FILE)
    except ArtifactError as error:
        return Unknown(str(error).rstrip("."))
    if cloud.facts.model != scorer.fingerprint:
        return Unknown(f"{folder.parent / FILE} is of other weights: `assay optimise` makes it anew")
    return cloud
