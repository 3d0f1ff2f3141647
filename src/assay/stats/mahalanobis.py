"""How far a point lies from a cloud of points: Mahalanobis distance, with a covariance that is shrunk until it can be
inverted, in a form small enough to be kept beside a model.

1) each coordinate is divided by its spread, or the few huge ones of a language model would be all that counts; 2) the
covariance about the nearest centre is shrunk towards the identity by Ledoit and Wolf's rule, so that fewer points than
coordinates are enough; 3) only the widest directions are kept, and what is beyond them has one variance for all.
Knows points; knows no model. Letters: N points, H coordinates, C centres, R directions kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from assay.stats.intervals import Array
from assay.stats.unknown import Unknown

DIRECTIONS = 256
ROWS = 4096  # points measured at once: 4,096 of 4,096 coordinates are 134 MB


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """Centres (C, H) and scale (H,), in the units of the points; directions (R, H), orthonormal, and the variance along
    each, (R,), in units of scale. rest: the variance in every direction beyond them.

    shrunk: towards the identity, from 0 (the sample's own covariance) to 1; points: that it was fitted to.
    """

    centres: Array
    scale: Array
    directions: Array
    variances: Array
    rest: float
    shrunk: float
    points: int

    def distances(self, points_NH: npt.ArrayLike) -> Array:
        """Mahalanobis distance of each point to the nearest centre, per coordinate (about 1 for a point of the cloud),
        shape (N,)."""
        points = np.asarray(points_NH, dtype=np.float64)
        found = [self._squares(points[start : start + ROWS]) for start in range(0, len(points), ROWS)]
        return np.sqrt(np.concatenate([*found, np.empty(0)]) / len(self.scale))

    def _squares(self, points_NH: Array) -> Array:
        found = np.full(len(points_NH), np.inf)
        for centre in self.centres:
            apart = (points_NH - centre) / self.scale
            along = apart @ self.directions.T
            # What the kept directions do not explain; rounding may leave a little below 0.
            beyond = np.maximum(np.square(apart).sum(axis=1) - np.square(along).sum(axis=1), 0.0)
            left = beyond / self.rest if self.rest > 0 else 0.0
            found = np.minimum(found, (np.square(along) / self.variances).sum(axis=1) + left)
        return found


def fit_cloud(
    points_NH: npt.ArrayLike, groups: Sequence[int] | None = None, *, directions: int = DIRECTIONS
) -> Cloud | Unknown:
    """The cloud of points; groups: the centre that each belongs to, numbered from 0 (None: one centre for all).

    The covariance is one for all centres, of what the points are away from their own. Source of the shrinkage: Ledoit
    & Wolf 2004; of one covariance about several centres: Lee et al. 2018 (1807.03888).

    >>> cloud = fit_cloud(np.random.default_rng(0).normal(size=(500, 4)) * [1, 1, 1, 100])
    >>> cloud.distances([[0, 0, 0, 200], [0, 0, 0, 1000]]).round().tolist()  # over 2: the root of four coordinates
    [1.0, 5.0]
    """
    points = np.asarray(points_NH, dtype=np.float64)
    if len(points) < 2:
        return Unknown(f"{len(points)} points make no cloud")
    if not np.isfinite(points).all():
        return Unknown("points that are not finite")
    codes = np.zeros(len(points), dtype=np.intp) if groups is None else np.asarray(groups, dtype=np.intp)
    centres = np.array([points[codes == code].mean(axis=0) for code in range(int(codes.max()) + 1)])
    apart = points - centres[codes]
    spread = np.sqrt(np.square(apart).mean(axis=0))
    # Rounding alone lets equal points differ in their last digits.
    seen = spread > 1e-7 * (np.abs(points).max(axis=0) + 1e-30)
    if not seen.any():
        return Unknown("all points are the same")
    # A coordinate that never moved has no spread of its own; that of the others is the best guess at what is usual.
    scale = np.where(seen, spread, np.median(spread[seen]))
    apart = np.where(seen, apart / scale, 0.0)
    return shrunk_cloud(apart, centres, scale, directions)


def shrunk_cloud(apart: Array, centres: Array, scale: Array, most: int) -> Cloud:
    """The cloud of scaled differences to the centres, (N, H)."""
    count, width = apart.shape
    # Of few points in many coordinates the products of the points hold all that the covariance knows, and are smaller.
    small = count < width
    product = (apart @ apart.T if small else apart.T @ apart) / count
    mean = float(np.trace(product)) / width
    square = float(np.square(product).sum())
    away = square / width - mean**2
    noise = (float(np.square(np.square(apart).sum(axis=1)).mean()) - square) / (count * width)
    shrunk = 1.0 if away <= 0 else min(max(noise / away, 0.0), 1.0)
    size = len(product)
    kept = min(most, size)
    values, vectors = linalg.eigh(product, subset_by_index=(size - kept, size - 1))
    # Directions in which nothing moved are no directions: of few points their vectors could not be told.
    real = values > 1e-10 * values[-1]
    values, vectors = values[real][::-1], vectors[:, real][:, ::-1]
    rows = (apart.T @ vectors / np.sqrt(count * values)).T if small else vectors.T
    variances = (1 - shrunk) * values + shrunk * mean
    beyond = width - len(values)
    rest = 0.0 if beyond == 0 else (mean * width - float(variances.sum())) / beyond
    return Cloud(
        centres=centres, scale=scale, directions=np.ascontiguousarray(rows), variances=variances,
        # Shrinking leaves the trace as it is, so what is not along the kept directions is spread over all others.
        rest=max(rest, 1e-6 * mean) if beyond else 0.0, shrunk=shrunk, points=count,
    )  # fmt: skip
