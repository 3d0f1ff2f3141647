"""PPE, correctness side: 32 answers a prompt, each right or wrong; pairs, ROC-AUC, and the best-of-k curve.

The curve is exact, with no draws: the chance that the highest reward of k answers drawn without replacement is right.
Its highest point, its end (all answers) and its loss against an oracle that always takes a right one if there is one.
Shapes: P prompts, N answers a prompt, K sizes of draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy import stats as scipy_stats

from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown
from assay.suites.suite import About, Formula, Mark, Suite, finite, strictly, weighted, without_value
from assay.suites.suite_rows import SuiteRow, named_apart, prompt_cluster

ABOUT = About(
    title="PPE, correctness",
    source="Frick et al. 2024, arXiv 2410.14872; the hub cards of the PPE-*-Best-of-K sets",
    rule="Pairs of a right and a wrong answer; AUC within prompts; best of k, exact, against an oracle.",
    over_long="left to each reward model's own limit",
)
BENCHMARKS = ("mmlu-pro", "math", "gpqa", "ifeval", "mbpp-plus")


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is a prompt of PPE with its sampled answers."""
    return "response_1" in data and isinstance(data.get("scores"), list)


def ppe_correctness(rows: Sequence[SuiteRow]) -> Suite:
    """The suite of rows {question_id, prompt, response_1 ..., scores, sampled_conflict_pairs}.

    What benchmark a file is of stands in its name. Raises InputError for rows that are not.
    """
    groups, right, pairs = [], [], []
    for row in rows:
        scores = row.data.get("scores")
        if not isinstance(scores, list) or not all(one in (0, 1) for one in scores):
            raise row.unfit("no list of true and false under 'scores'")
        answers = tuple(row.text(f"response_{place}") for place in range(1, len(scores) + 1))
        right.append(np.array(scores, dtype=np.float64))
        pairs.append(_pairs(row, right[-1]))
        name = row.name("question_id") + (f":{row.data['model_name']}" if "model_name" in row.data else "")
        groups.append(
            Candidates(id=name, prompt=row.text("prompt"), answers=answers, category=benchmark_of(row), where=row.where)
        )
    named = named_apart(groups)
    found = dict(Counter(str(group.category) for group in named))
    most = {one: max(len(group.answers) for group in named if group.category == one) for one in found}
    curves = {one: [f"{one}: best of {k}" for k in range(1, most[one] + 1)] for one in found}
    formulas = [weighted("accuracy", {f"{one}: pairs": 1.0 for one in found}, also=f"mean of {len(found)} benchmarks")]
    for one, curve in curves.items():
        formulas.append(Formula(name=f"{one}: highest", parts=tuple(curve), of=lambda means_RK: means_RK.max(axis=1)))
    return Suite(
        name="ppe-correctness",
        about=ABOUT,
        groups=named,
        mark=partial(marks, named, right, pairs),
        formulas=tuple(formulas),
        hidden=frozenset(part for curve in curves.values() for part in curve),
        notes=tuple(f"{one}: not there" for one in BENCHMARKS if one not in found),
        counts=found,
    )


def benchmark_of(row: SuiteRow) -> str:
    """Which benchmark a row is of, by the name of its file or data set; a name of none stands for itself."""
    name = Path(row.where.source).name.lower().replace("_", "-")
    return next((one for one in BENCHMARKS if one in name), Path(row.where.source).name)


def marks(
    groups: Sequence[Candidates],
    right: Sequence[Array],
    pairs: Sequence[Sequence[tuple[int, int]]],
    answered: Sequence[Answered],
) -> list[Mark]:
    """Of each prompt: its pairs, its AUC, every point of its curve, the end of it, and its loss."""
    found = []
    for group, right_N, conflicts, given in zip(groups, right, pairs, answered, strict=True):
        one, cluster = str(group.category), prompt_cluster(group.prompt)
        for good, bad in conflicts:
            found.append(Mark(f"{one}: pairs", group.id, cluster, strictly(given, good, bad), 0.5))
        found += [Mark(f"{one}: {name}", group.id, cluster, *rest) for name, rest in _of_prompt(right_N, given)]
    return found


def _of_prompt(right_N: Array, given: Answered) -> list[tuple[str, tuple[float | Unknown, float]]]:
    """(name, (value, chance)) of what one prompt says."""
    number, share = right_N.size, float(right_N.mean())
    oracle_K = best_of_k(right_N, right_N)
    chance_loss = float(np.mean(oracle_K - share))
    why = without_value(given)
    values = finite(given) if why is None else None
    # Rewards that are not finite: the order is unknown to the authors' code too, so the prompt counts as random would
    # not: as lost.
    rewards_N = np.array(values) if values is not None else None
    curve_K = best_of_k(rewards_N, right_N) if rewards_N is not None else np.zeros(number)
    told: list[tuple[str, tuple[float | Unknown, float]]] = [
        (f"best of {k}", (why or float(curve_K[k - 1]), share)) for k in range(1, number + 1)
    ]
    told.append(("end", (why or float(curve_K[-1]), share)))
    told.append(("loss", (why or float(np.mean(oracle_K - curve_K)), chance_loss)))
    if 0 < share < 1:
        area = why or (0.0 if rewards_N is None else auc(rewards_N, right_N))
        told.append(("AUC", (area, 0.5)))
    return told


def best_of_k(rewards_N: Array, right_N: Array) -> Array:
    """Chance that the highest reward among k drawn is right, k = 1..N; equal rewards are drawn from. Shape (N,).

    Sorted upwards, the i-th is the highest of k with chance C(i-1, k-1) / C(N, k).

    >>> best_of_k(np.array([0.1, 0.9, 0.5]), np.array([0.0, 1.0, 0.0])).round(3).tolist()  # right one on top
    [0.333, 0.667, 1.0]
    """
    order = np.argsort(rewards_N, kind="stable")
    sorted_rewards, sorted_right = rewards_N[order], right_N[order]
    _values, place, count = np.unique(sorted_rewards, return_inverse=True, return_counts=True)
    # Within equal rewards any may be taken, so each is worth what they are worth on average.
    shared = np.bincount(place, weights=sorted_right)[place] / count[place]
    return np.asarray(shared @ _chances(rewards_N.size))


@lru_cache(maxsize=8)
def _chances(number: int) -> Array:
    """Chance that the i-th of N is the highest of k, shape (N, K)."""
    i, k = np.arange(number)[:, None], np.arange(number)[None, :]
    log = special.gammaln(i + 1) - special.gammaln(k + 1) - special.gammaln(np.maximum(i - k, 0) + 1)
    whole = special.gammaln(number + 1) - special.gammaln(k + 2) - special.gammaln(number - k)
    return np.where(i >= k, np.exp(log - whole), 0.0)


def auc(rewards_N: Array, right_N: Array) -> float:
    """Chance that a right answer's reward is above a wrong one's, equal ones counted half."""
    ranks = scipy_stats.rankdata(rewards_N)
    good = right_N.sum()
    return float((ranks[right_N == 1].sum() - good * (good + 1) / 2) / (good * (right_N.size - good)))


def _pairs(row: SuiteRow, right_N: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (right, wrong) that accuracy is of: those sampled by the authors, or all where the row has none."""
    sampled = row.data.get("sampled_conflict_pairs")
    if sampled is None:
        return [(int(i), int(j)) for i in np.flatnonzero(right_N == 1) for j in np.flatnonzero(right_N == 0)]
    found = []
    for pair in sampled if isinstance(sampled, list) else [None]:
        places = pair if isinstance(pair, list) else []
        if len(places) != 2 or not all(isinstance(i, int) and 0 <= i < right_N.size for i in places):
            raise row.unfit(f"a pair of sampled_conflict_pairs is {pair!r}; expected two places of answers")
        first, second = places
        if right_N[first] == right_N[second]:
            raise row.unfit(f"sampled_conflict_pairs has {pair!r}, two answers that are right or wrong alike")
        found.append((first, second) if right_N[first] else (second, first))
    return found
