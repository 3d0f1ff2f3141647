"""The distance from a cloud: by hand, beside scikit-learn's, of few points, of points that do not vary."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from assay.stats.mahalanobis import Cloud, fit_cloud
from assay.stats.unknown import Unknown


def test_distances_by_hand() -> None:
    cloud = Cloud(
        centres=np.array([[0.0, 0.0], [10.0, 0.0]]), scale=np.array([2.0, 1.0]), directions=np.array([[1.0, 0.0]]),
        variances=np.array([4.0]), rest=0.25, shrunk=0.0, points=9,
    )  # fmt: skip
    # (4/2)^2 / 4 = 1 along, 3^2 / 0.25 = 36 beyond; the second point is 1 from the second centre: (1/2)^2 / 4
    assert cloud.distances([[4.0, 3.0], [11.0, 0.0]]).tolist() == pytest.approx([(37 / 2) ** 0.5, (1 / 32) ** 0.5])
    assert cloud.distances(np.empty((0, 2))).size == 0


@pytest.mark.parametrize(("points", "width"), [(400, 12), (30, 50), (50, 50)])
def test_the_covariance_is_ledoit_and_wolfs(points: int, width: int) -> None:
    rng = np.random.default_rng(points)
    mixed = rng.normal(size=(width, width))
    known, new = rng.normal(size=(points, width)) @ mixed + 3, rng.normal(size=(9, width)) @ mixed
    cloud = fit_cloud(known)
    assert isinstance(cloud, Cloud)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    theirs = LedoitWolf(assume_centered=True).fit((known - mean) / spread)
    assert cloud.shrunk == pytest.approx(theirs.shrinkage_, rel=1e-9)
    expected = np.sqrt(theirs.mahalanobis((new - mean) / spread) / width)
    assert cloud.distances(new) == pytest.approx(expected, rel=1e-6)


def test_directions_left_out_keep_the_whole_variance() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 40)) * np.linspace(3, 0.1, 40)
    cloud = fit_cloud(points @ np.linalg.qr(rng.normal(size=(40, 40)))[0], directions=10)
    assert isinstance(cloud, Cloud)
    assert len(cloud.variances) == 10
    assert cloud.variances.sum() + 30 * cloud.rest == pytest.approx(40)
    assert cloud.distances(points[:0]).size == 0


def test_each_category_has_its_own_centre_and_the_nearest_counts() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1], 200)
    points = rng.normal(size=(400, 6)) + 20.0 * groups[:, None]
    one, two = fit_cloud(points), fit_cloud(points, groups.tolist())
    assert isinstance(one, Cloud)
    assert isinstance(two, Cloud)
    between = np.full((1, 6), 10.0)  # in the middle of nowhere, which one centre takes for the middle of everything
    assert one.distances(between)[0] < 0.2
    assert two.distances(between)[0] > 5
    assert two.distances(points).mean() == pytest.approx(1, abs=0.1)


def test_points_that_make_no_cloud() -> None:
    same = fit_cloud(np.ones((5, 3)) * 0.1)
    assert same == Unknown("all points are the same")
    assert isinstance(fit_cloud(np.ones((1, 3))), Unknown)
    assert isinstance(fit_cloud([[1.0, np.nan], [2.0, 3.0]]), Unknown)
    still = fit_cloud(np.column_stack([np.arange(50.0), np.full(50, 7.0)]))  # one coordinate never moves
    assert isinstance(still, Cloud)
    far = still.distances([[25.0, 7.0], [25.0, 7.0 + 100.0]])
    assert far[1] > far[0] + 1
