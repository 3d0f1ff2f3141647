"""ProcessBench: the first wrong step of a solution, or that there is none; the score of a step is its prefix's reward.

Each solution is scored up to each of its steps. The first step below the threshold is the prediction; a part's score is
the F1 of two accuracies: on solutions with a wrong step (found exactly), and on right ones (nothing found).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from assay.errors import ConfigError
from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown
from assay.suites.suite import About, Described, Formula, Mark, Suite, without_value
from assay.suites.suite_rows import SuiteRow, named_apart, prompt_cluster, unlike_published

ABOUT = About(
    title="ProcessBench",
    source="Zheng et al. 2024, arXiv 2412.06559; the authors' code/run_eval_*.py",
    rule="Exact first wrong step; F1 of the accuracies on wrong and on right solutions; overall is the mean of four.",
    over_long="left to each model's own limit",
    baselines=(),  # a longer prefix is always longer: length says nothing about a step
)
PUBLISHED = {"gsm8k": 400, "math": 1000, "olympiadbench": 1000, "omnimath": 1000}
TUNED_ON = "gsm8k"
STEP_BREAK = "\n\n"


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is one of ProcessBench."""
    return {"problem", "steps", "label"} <= data.keys()


def processbench(rows: Sequence[SuiteRow], *, threshold: float | None = None) -> Suite:
    """The suite of rows {id, problem, steps, label}.

    threshold: a step below it is wrong; None: what is best on gsm8k, as the authors choose it for rewards without one.
    Raises InputError for rows that are not, ConfigError where there is no threshold and no gsm8k.
    """
    groups, labels = [], []
    for row in rows:
        steps, label = row.texts("steps"), row.whole("label")
        if not steps or not -1 <= label < len(steps):
            raise row.unfit(f"label {label} for {len(steps)} steps; expected -1 or a step from 0")
        prefixes = tuple(STEP_BREAK.join(steps[: place + 1]) for place in range(len(steps)))
        subset = row.name("id").rsplit("-", 1)[0]
        labels.append(label)
        groups.append(
            Candidates(
                id=row.name("id"), prompt=row.text("problem"), answers=prefixes, category=subset, where=row.where
            )
        )
    named = named_apart(groups)
    found = Counter(str(group.category) for group in named)
    if threshold is None and TUNED_ON not in found:
        raise ConfigError(
            "ProcessBench: where a step's reward is too low is chosen on gsm8k, as its authors do, and no item here is "
            "of gsm8k. Add that file, or say it: --threshold 0.5"
        )
    where = partial(chosen_threshold, named, labels, threshold=threshold)
    return Suite(
        name="processbench",
        about=ABOUT,
        groups=named,
        mark=lambda answered: marks(named, labels, answered, where(answered)),
        formulas=formulas(list(found)),
        describe=lambda answered: [
            Described(
                name="threshold",
                value=where(answered),
                n=len(named),
                why="as it was given"
                if threshold is not None
                else "the best on gsm8k, whose own score is flattered by it",
            )
        ],
        notes=unlike_published(found, {name: PUBLISHED[name] for name in found if name in PUBLISHED}),
        counts=dict(found),
    )


def formulas(found: Sequence[str]) -> tuple[Formula, ...]:
    """F1 of each part, and their mean."""
    parts = tuple(f"{name}: {kind}" for name in found for kind in ("wrong", "right"))

    def mean_f1(means_RP: Array) -> Array:
        return np.asarray(np.mean([f1(means_RP[:, at : at + 2]) for at in range(0, len(parts), 2)], axis=0))

    away = [name for name in PUBLISHED if name not in found]
    also = f"without {', '.join(away)}" if away else "mean of four"
    each = [Formula(name=f"{name}: F1", parts=(f"{name}: wrong", f"{name}: right"), of=f1) for name in found]
    return (Formula(name="mean F1" if away else "overall", parts=parts, of=mean_f1, also=also), *each)


def f1(means_R2: Array) -> Array:
    """2ab / (a + b), 0 where both are 0.

    >>> f1(np.array([[0.5, 1.0], [0.0, 0.0]])).round(3).tolist()
    [0.667, 0.0]
    """
    total = means_R2.sum(axis=1)
    return np.asarray(2 * means_R2.prod(axis=1) / np.where(total == 0, 1.0, total))


def first_below(given: Answered, threshold: float) -> int:
    """The first step whose reward is below the threshold, or is no number; -1 for none."""
    return next(
        (place for place, value in enumerate(given) if not isinstance(value, Unknown) and not value >= threshold), -1
    )


def marks(
    groups: Sequence[Candidates], labels: Sequence[int], answered: Sequence[Answered], threshold: float | Unknown
) -> list[Mark]:
    """A mark a solution, among those with a wrong step or those without."""
    found = []
    for group, label, given in zip(groups, labels, answered, strict=True):
        why = without_value(given) or (threshold if isinstance(threshold, Unknown) else None)
        value: float | Unknown
        value = why or float(not isinstance(threshold, Unknown) and first_below(given, threshold) == label)
        kind = "right" if label == -1 else "wrong"
        found.append(Mark(f"{group.category}: {kind}", group.id, prompt_cluster(group.prompt), value))
    return found


def chosen_threshold(
    groups: Sequence[Candidates], labels: Sequence[int], answered: Sequence[Answered], *, threshold: float | None
) -> float | Unknown:
    """The one given, or that with the highest F1 on gsm8k; of several the least. Unknown where nothing is scored there.

    A prediction depends on running least rewards only: step s is found where the threshold lies above the least up to s
    and not above the least before it, so each solution is right on one span of thresholds.
    """
    if threshold is not None:
        return threshold
    low, high, wrong = [], [], []
    for group, label, given in zip(groups, labels, answered, strict=True):
        if group.category == TUNED_ON and without_value(given) is None:
            values = np.array([float(value) for value in given if not isinstance(value, Unknown)])
            least = np.minimum.accumulate(np.where(np.isnan(values), -np.inf, values))
            low.append(-np.inf if label == -1 else least[label])
            high.append(least[-1] if label == -1 else least[label - 1] if label > 0 else np.inf)
            wrong.append(label != -1)
    if not low:
        return Unknown(f"no solution of {TUNED_ON} has rewards to choose a threshold on")
    return _best(np.array(low), np.array(high), np.array(wrong))


def _best(low_N: Array, high_N: Array, wrong_N: Array) -> float:
    """The threshold t of the highest F1, where a solution is right if low < t <= high."""
    ends = np.unique(np.concatenate([low_N, high_N]))
    ends = ends[np.isfinite(ends)]
    # Halfway between two rewards nothing changes, and a threshold there does not hang on rounding.
    tried = np.concatenate([[ends[0] - 1], (ends[1:] + ends[:-1]) / 2, [ends[-1] + 1]]) if ends.size else np.zeros(1)
    right_TN = (tried[:, None] > low_N) & (tried[:, None] <= high_N)
    of = [
        right_TN[:, kind].mean(axis=1) if kind.any() else np.zeros(tried.size) for kind in (wrong_N == 1, wrong_N == 0)
    ]
    return float(tried[int(np.argmax(f1(np.column_stack(of))))])
