"""Several systems on one scale, from comparisons of two at a time. Knows wins; knows no study.

Bradley-Terry: the chance that i beats j is strength_i / (strength_i + strength_j). Fitted by evalica (Newman 2023).
Shapes: S systems, N comparisons.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, special
from scipy import stats as scipy_stats

from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes, Interval, Names, cluster_codes
from assay.stats.unknown import Unknown

Indices = npt.NDArray[np.int64]  # of systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One system: score is its chance to beat the average system (log strengths centred on 0, through the sigmoid)."""

    system: str
    score: float
    log_strength: float
    interval: Interval | Unknown
    n: int


def bradley_terry(
    first: Sequence[str],
    second: Sequence[str],
    score_N: npt.ArrayLike,
    prompts: Names,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Place, ...] | Unknown:
    """Systems from strongest to weakest, with percentile intervals that draw whole prompts.

    score_N: 1 where `first` won, 0 where `second` did, 1/2 for a tie, which is half a win for both.
    No ranking where the comparisons do not connect all systems both ways (Ford 1957): then strengths are infinite.
    Raises ModuleNotFoundError without evalica (the extra "study").

    >>> bradley_terry(["a", "a"], ["b", "b"], [1, 1], ["p", "q"]).reason
    'b never won and a never lost, so the distance to the others has no bound'
    """
    score = np.asarray(score_N, dtype=np.float64)
    if score.size == 0:
        return Unknown("no votes")
    systems = tuple(sorted({*first, *second}))
    number = {name: index for index, name in enumerate(systems)}
    pair_N2 = np.array([(number[a], number[b]) for a, b in zip(first, second, strict=True)])
    problem = disconnected(win_matrix(pair_N2, score, np.ones_like(score), len(systems)), systems)
    if problem:
        return Unknown(problem)
    outcomes = _Outcomes.of(pair_N2, score)
    strength = _strengths(outcomes, outcomes.summed(np.ones_like(score)), len(systems))
    codes = cluster_codes(prompts)
    drawn = _bootstrap(pair_N2, score, codes, len(systems), resamples=resamples, seed=seed)
    draws = drawn if isinstance(drawn, Unknown) else _widened(drawn, int(codes.max()) + 1, level)
    places = [
        Place(
            system=name,
            score=float(special.expit(strength[index])),
            log_strength=float(strength[index]),
            interval=draws if isinstance(draws, Unknown) else _percentiles(draws[:, index], level),
            n=int((pair_N2 == index).any(axis=1).sum()),
        )
        for name, index in number.items()
    ]
    return tuple(sorted(places, key=lambda place: (-place.log_strength, place.system)))


def win_matrix(pair_N2: Indices, score: Array, weight: Array, systems: int) -> Array:
    """wins[i, j]: how often i beat j, a tie half for both; shape (S, S)."""
    wins = np.zeros((systems, systems))
    np.add.at(wins, (pair_N2[:, 0], pair_N2[:, 1]), weight * score)
    np.add.at(wins, (pair_N2[:, 1], pair_N2[:, 0]), weight * (1 - score))
    return wins


def disconnected(wins_SS: Array, systems: Sequence[str]) -> str:
    """Why the strengths would not be finite; empty where they are: every system reaches every other through wins."""
    # From the plainest reason to the least plain: who never won also leaves the graph not strongly connected, but then
    # saying so names whom to compare more.
    apart, island = sparse.csgraph.connected_components(wins_SS, directed=True, connection="weak")
    if apart > 1:
        lone = [name for name, where in zip(systems, island, strict=True) if where != island[0]]
        return f"{_few(lone)} and {systems[0]} are never compared, not even through others"
    never_won = [name for name, won in zip(systems, wins_SS.sum(axis=1), strict=True) if won == 0]
    never_lost = [name for name, lost in zip(systems, wins_SS.sum(axis=0), strict=True) if lost == 0]
    if never_won or never_lost:
        said = [f"{_few(never_won)} never won"] * bool(never_won) + [f"{_few(never_lost)} never lost"] * bool(
            never_lost
        )
        return " and ".join(said) + ", so the distance to the others has no bound"
    strong, _ = sparse.csgraph.connected_components(wins_SS, directed=True, connection="strong")
    return "one group of systems won every comparison with another, so their distance has no bound" * (strong > 1)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """The comparisons that are alike, once each: X of (first, second, twice the score), and which of them each vote is.

    Sorted once: every resample weighs the same ones anew, and sorting the votes was nine tenths of its time.
    """

    row_X3: Indices
    where_N: Indices

    @classmethod
    def of(cls, pair_N2: Indices, score: Array) -> _Outcomes:
        both = np.column_stack([pair_N2, np.round(2 * score).astype(int)])
        rows, where = np.unique(both, axis=0, return_inverse=True)
        return cls(rows, where.ravel())

    def summed(self, weight_N: Array) -> Array:
        """How much each of them weighs together, (X,)."""
        return np.asarray(np.bincount(self.where_N, weights=weight_N, minlength=len(self.row_X3)), dtype=np.float64)


def _strengths(outcomes: _Outcomes, summed_X: Array, systems: int) -> Array:
    """Log strengths with mean 0; shape (S,)."""
    import evalica

    # evalica knows three outcomes; scores 1, 1/2 and 0 are those. Every distinct comparison goes in once, weighted.
    rows, kept = outcomes.row_X3, summed_X > 0
    winners = {2: evalica.Winner.X, 1: evalica.Winner.Draw, 0: evalica.Winner.Y}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = evalica.bradley_terry(
            rows[kept, 0].tolist(),
            rows[kept, 1].tolist(),
            [winners[outcome] for outcome in rows[kept, 2].tolist()],
            weights=summed_X[kept].tolist(),
            tolerance=1e-8,
            limit=10_000,
        )
    scores = result.scores.reindex(range(systems)).to_numpy(dtype=np.float64)
    logs = np.log(scores)
    return np.asarray(logs - logs.mean())


def _bootstrap(
    pair_N2: Indices, score: Array, codes: Codes, systems: int, *, resamples: int, seed: int
) -> Array | Unknown:
    """Log strengths of studies whose prompts are drawn again, shape (resamples kept, S); each is a whole fit."""
    groups = int(codes.max()) + 1
    if groups < 2:
        return Unknown("one prompt says nothing about others")
    generator = stream(seed, "bootstrap: bradley-terry")
    outcomes, draws = _Outcomes.of(pair_N2, score), []
    own = outcomes.row_X3[:, :2], outcomes.row_X3[:, 2] / 2
    for _ in range(resamples):
        weight = np.bincount(generator.integers(0, groups, size=groups), minlength=groups)[codes].astype(np.float64)
        summed = outcomes.summed(weight)
        wins = win_matrix(*own, summed, systems)
        # A resample may lose a system's only win or loss. Its strength is then infinite and no number, so it is left
        # out, and that many are left out is said.
        if sparse.csgraph.connected_components(wins, directed=True, connection="strong")[0] == 1:
            draws.append(_strengths(outcomes, summed, systems))
    if len(draws) < 0.9 * resamples:
        return Unknown("in more than one resample in ten the prompts drawn do not connect the systems")
    return np.asarray(draws)


def _widened(draw_RS: Array, groups: int, level: float) -> Array:
    """Draws pulled apart around their median, so that few prompts do not look like many (as in cluster_bootstrap).

    The percentiles of `level` then lie as far out as Student's t asks for with this many prompts (Hesterberg 2015).
    """
    tail = 0.5 + level / 2
    factor = math.sqrt(groups / (groups - 1)) * scipy_stats.t.ppf(tail, groups - 1) / scipy_stats.norm.ppf(tail)
    middle = np.median(draw_RS, axis=0)
    return np.asarray(middle + (draw_RS - middle) * factor)


def _percentiles(draw_R: Array, level: float) -> Interval:
    # The sigmoid keeps order, so the quantiles of scores are the scores of quantiles.
    low, high = (float(special.expit(value)) for value in np.quantile(draw_R, [0.5 - level / 2, 0.5 + level / 2]))
    return Interval(low=low, high=high, level=level, method="bootstrap, clustered by prompt")
