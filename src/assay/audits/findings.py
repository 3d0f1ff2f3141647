"""One figure of an audit and why it matters. Knows words and numbers; knows not how a figure was computed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, get_args

from assay.errors import ArtifactError
from assay.stats.intervals import Interval, NoInterval

Judgement = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """Unit of a finding, and why it matters in one or two sentences."""

    unit: str
    why: str


MEANINGS: Mapping[str, Meaning] = {
    "accuracy": Meaning(
        "share",
        "How often the reward puts the answer people preferred strictly above the other on prompts it never saw. "
        "A policy or reranker that follows this reward inherits the rest as wrong choices.",
    ),
    "length_baseline": Meaning(
        "share",
        "What the rule 'longest answer wins' reaches on the same pairs. "
        "Accuracy up to here can be had without reading a word.",
    ),
    "length_baseline_tokens": Meaning(
        "share",
        "'Longest answer wins' counted in rendered tokens, the length a policy under optimisation actually controls.",
    ),
    "accuracy_beyond_length": Meaning(
        "share difference",
        "Accuracy minus 'longest wins' on the same pairs. If this is not above zero, optimising against the reward "
        "will mostly buy longer answers.",
    ),
    "accuracy_beyond_shortest": Meaning(
        "share difference",
        "Accuracy minus 'shortest wins' on the same pairs. Where people preferred the shorter answer this is the "
        "length rule to beat.",
    ),
    "length_matched_accuracy": Meaning(
        "share",
        "Accuracy where both answers are about equally long, so length cannot help. "
        "This is what the reward knows about content.",
    ),
    "accuracy_shorter_preferred": Meaning(
        "share",
        "Accuracy where people preferred the shorter answer. A reward that has learnt length fails exactly here.",
    ),
    "accuracy_longer_preferred": Meaning(
        "share",
        "Accuracy where people preferred the longer answer. Set it beside the accuracy on shorter ones: "
        "a wide gap means length does part of the work.",
    ),
    "reward_length_correlation": Meaning(
        "Pearson r",
        "How far the reward difference between two answers to one prompt follows their length difference. "
        "A policy optimised against a reward tied to length drifts to length first.",
    ),
    "accuracy_without_length": Meaning(
        "share",
        "Accuracy of what is left of the reward difference when the part that length explains is taken out. "
        "One half means that nothing but length was there.",
    ),
    "gain_over_length": Meaning(
        "nats per pair",
        "How much better the preferences are predicted by length and reward together than by length alone. "
        "Zero means the reward adds nothing to a ruler.",
    ),
    "degenerate": Meaning(
        "named problems",
        "A constant, tied, broken or two-valued reward gives no gradient to a policy and no order to a reranker, "
        "whatever its accuracy says.",
    ),
    "reward_mean": Meaning(
        "reward",
        "Where the rewards lie. The zero of a Bradley-Terry reward is arbitrary, but a far-off or drifting mean "
        "interacts with KL penalties, clipping and thresholds downstream.",
    ),
    "reward_sd": Meaning(
        "reward",
        "The scale of the rewards, which sets how hard a fixed KL coefficient pulls against them.",
    ),
    "overlap": Meaning(
        "share",
        "How much the distributions of chosen and rejected rewards overlap across prompts. Wide overlap with good "
        "pairwise accuracy means scores compare answers to one prompt, and do not rank across prompts.",
    ),
    "separation": Meaning(
        "AUC",
        "Chance that a chosen answer of any prompt outscores a rejected one of any other. "
        "It matters when a fixed reward threshold filters data or answers.",
    ),
    "saturation": Meaning(
        "share",
        "Pairs whose margin is so wide that the sigmoid is flat (probability beyond 0.9999). "
        "Training no longer moves them, and mistakes among them are made with certainty.",
    ),
    "distinct_values": Meaning(
        "values",
        "How many different rewards occur. Few values mean many ties between answers a policy must tell apart.",
    ),
    "tied_pairs": Meaning(
        "share",
        "Pairs whose two answers got exactly the same reward; they count as wrong, because the reward gives no choice.",
    ),
    "seed_spread": Meaning(
        "share difference",
        "Highest minus lowest accuracy over training seeds. Differences between two recipes smaller than this are "
        "luck until shown otherwise.",
    ),
    "category_gap": Meaning(
        "share difference",
        "Accuracy of the best category minus that of the worst. An average hides the category a policy will exploit.",
    ),
    "calibration_error": Meaning(
        "probability",
        "Mean distance between sigmoid(margin), read as the chance that the preferred answer is preferred, and how "
        "often that holds. Off by much, margins cannot be used as confidences or mixed with other rewards as they are.",
    ),
}


# Figures that describe what is at hand; they never carry an interval.
DESCRIPTIONS: frozenset[str] = frozenset({"seed_spread", "degenerate", "reward_sd", "overlap", "distinct_values"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure: its value or the reason it is unknown, its n, its interval, and why it matters.

    slice: "overall" or "category=NAME". seed: the training seed, None over all seeds.
    verdict: "ok", "warning", "problem", or None where the figure is described and not judged.
    reason: why the value is unknown, or, beside a known value, why there is no interval.
    """

    name: str
    slice: str = "overall"
    value: float | None
    unit: str
    n: int
    interval: Interval | None = None
    why: str
    reason: str | None = None
    verdict: Judgement | None = None
    seed: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise ValueError(f"finding {self.name}: an unknown value needs a reason")
        if self.verdict not in (None, *get_args(Judgement)):
            raise ValueError(f"finding {self.name}: verdict {self.verdict!r}")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"finding {self.name}: {self.value} is not a figure; unknown is None with a reason")

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "interval": self.interval.to_dict() if self.interval else None}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Raises ArtifactError if `value` is not a finding."""
        try:
            interval = value["interval"]
            return cls(**{**value, "interval": Interval(**interval) if interval is not None else None})
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"not a finding of an audit ({error}). Run the audit again.") from None


def measured(name: str, value: float, *, n: int, interval: Interval | NoInterval | None = None, **more: Any) -> Finding:
    """A known figure. `more`: slice, verdict, seed, detail. Not finite becomes unknown, with the reason."""
    meaning = MEANINGS[name]
    if not math.isfinite(value):
        return unknown(name, "the computed value is not finite", n=n, **{**more, "verdict": None})
    return Finding(
        name=name,
        value=float(value),
        unit=meaning.unit,
        n=n,
        interval=interval if isinstance(interval, Interval) else None,
        reason=f"no interval: {interval.reason}" if isinstance(interval, NoInterval) else None,
        why=meaning.why,
        **more,
    )


def unknown(name: str, reason: str, *, n: int = 0, **more: Any) -> Finding:
    """A figure that could not be had, and why."""
    meaning = MEANINGS[name]
    return Finding(name=name, value=None, unit=meaning.unit, n=n, why=meaning.why, reason=reason, **more)
