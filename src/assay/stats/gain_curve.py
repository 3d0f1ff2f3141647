"""A curve of gains over KL divergence: fitted as d (alpha - beta d), and the area between two such curves as a number.

d is the root of the KL divergence. Source of the form: Gao et al. 2022 (2210.10760), best of n; of the area: Kim et
al. 2025 (2505.12763). Knows gains and KL; knows no reward. Shapes: R resamples, M points.
"""

from __future__ import annotations

import numpy as np

from assay.stats.intervals import Array

FEWEST = 3  # points beside n = 1, which gains nothing by itself: two numbers through two points fit anything


def fit_gains(gain_RM: Array, kl_M: Array) -> Array:
    """Least squares of gains on d and -d^2, (alpha, beta); shape (R, 2).

    Powers of two in n lie nearly evenly in d, so no point is weighed. Raises ValueError for fewer than two points with
    a KL divergence above 0.

    >>> kl = np.array([0.0, 0.25, 1.0, 4.0])
    >>> fit_gains(np.array([[0.0, 0.9, 1.6, 2.4]]), kl).round(6).tolist()  # d (2 - 0.4 d)
    [[2.0, 0.4]]
    """
    d = np.sqrt(kl_M)
    if (d > 0).sum() < 2:
        raise ValueError("a curve needs two points beyond n = 1")
    return np.asarray(gain_RM @ np.linalg.pinv(np.column_stack([d, -np.square(d)])).T)


def curve_at(fit_R2: Array, kl: float) -> Array:
    """The fitted gain at a KL divergence, (R,)."""
    return np.asarray(fit_R2[..., 0] * kl**0.5 - fit_R2[..., 1] * kl)


def area_under(fit_R2: Array, kl: float | Array) -> Array:
    """Integral of the fitted gain over the KL divergence from 0 to `kl`, (R,)."""
    kl_R = np.asarray(kl, dtype=np.float64)
    return np.asarray(fit_R2[..., 0] * (2 / 3) * kl_R**1.5 - fit_R2[..., 1] * kl_R**2 / 2)


def area_between(one_R2: Array, other_R2: Array, kl: float) -> Array:
    """Integral of the absolute difference of two fitted curves over the KL divergence from 0 to `kl`, (R,).

    The difference is of the same form and changes its sign once at most, at d = alpha / beta.
    """
    apart = one_R2 - other_R2
    with np.errstate(divide="ignore", invalid="ignore"):
        root = apart[..., 0] / apart[..., 1]
    crossing = np.where(np.isfinite(root) & (root > 0), np.minimum(np.square(np.nan_to_num(root)), kl), kl)
    before, whole = area_under(apart, crossing), area_under(apart, kl)
    return np.asarray(np.abs(before) + np.abs(whole - before))


def area_ratio(gold_RM: Array, proxy_RM: Array, kl_M: Array) -> Array:
    """Area between gold's and the proxy's fitted curve over the area under gold's, (R,); not a number where the latter
    is not above 0.

    Both in one unit. 0: the proxy promises what gold gets; 1: as much again as gold gets lies between them.
    """
    gold, proxy = fit_gains(gold_RM, kl_M), fit_gains(proxy_RM, kl_M)
    most = float(kl_M.max())
    under = area_under(gold, most)
    between = area_between(gold, proxy, most)
    return np.asarray(np.divide(between, under, out=np.full_like(under, np.nan), where=under > 0))


def explained(gain_M: Array, fit_2: Array, kl_M: Array) -> float | None:
    """Share of the gains' spread over points that the fit explains; None where they do not vary."""
    left = gain_M - np.array([float(curve_at(fit_2, kl)) for kl in kl_M])
    spread = float(np.square(gain_M - gain_M.mean()).sum())
    return 1 - float(np.square(left).sum()) / spread if spread > 0 else None
