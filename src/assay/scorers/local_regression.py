"""A smooth curve through points by local regression, within groups whose levels differ. Knows numbers only.

Shapes: N points, K knots of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.stats.intervals import Array, Codes

KNOTS = 41
ROUNDS = 50
ENOUGH = 1e-6  # of the curve's spread: what a round may still move it by


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Straight lines between (at, value), (K,); level beyond both ends, where nothing was seen."""

    at: tuple[float, ...]
    value: tuple[float, ...]

    def of(self, x: float) -> float:
        return float(np.interp(x, self.at, self.value))


def local_regression(x_N: Array, y_N: Array, *, span: float) -> Curve:
    """LOWESS: at each knot a line through the nearest `span` of the points, weighted by distance (tricube).

    Knots are quantiles of x, so that they stand where the points are. Source: Cleveland 1979.
    """
    at_K = np.unique(np.quantile(x_N, np.linspace(0, 1, KNOTS)))
    near = min(len(x_N), max(3, int(np.ceil(span * len(x_N)))))
    return Curve(at=tuple(map(float, at_K)), value=tuple(_line_at(x_N, y_N, float(at), near) for at in at_K))


def within_groups(x_N: Array, y_N: Array, codes_N: Codes, *, span: float) -> Curve:
    """The curve f of y = level of the group + f(x), with mean 0 over the points.

    Levels and curve are fitted in turn until neither moves: a prompt that is rewarded high and happens to have long
    answers says nothing of what length does.
    """
    size_G = np.bincount(codes_N)
    fitted_N = np.zeros_like(y_N)
    curve = Curve(at=(0.0,), value=(0.0,))
    for _ in range(ROUNDS):
        level_G = np.bincount(codes_N, weights=y_N - fitted_N) / size_G
        found = local_regression(x_N, y_N - level_G[codes_N], span=span)
        now_N = np.interp(x_N, found.at, found.value)
        middle = float(now_N.mean())
        curve = Curve(at=found.at, value=tuple(value - middle for value in found.value))
        moved, fitted_N = float(np.abs(now_N - middle - fitted_N).max()), now_N - middle
        if moved <= ENOUGH * max(float(np.ptp(fitted_N)), 1e-12):
            break
    return curve


def _line_at(x_N: Array, y_N: Array, at: float, near: int) -> float:
    distance_N = np.abs(x_N - at)
    # A hair beyond the farthest of the nearest, so that it has some weight and equal ones have the same.
    reach = float(np.partition(distance_N, near - 1)[near - 1]) * (1 + 1e-9) + 1e-12
    inside = distance_N < reach
    weight = (1 - (distance_N[inside] / reach) ** 3) ** 3
    x, y = x_N[inside] - at, y_N[inside]
    total = weight.sum()
    mean_x, mean_y = (weight * x).sum() / total, (weight * y).sum() / total
    spread = (weight * (x - mean_x) ** 2).sum()
    slope = (weight * (x - mean_x) * (y - mean_y)).sum() / spread if spread > 0 else 0.0
    return float(mean_y - slope * mean_x)
