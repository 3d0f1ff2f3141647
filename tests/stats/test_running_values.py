"""The running distribution of a stream against numpy on the same values; the sample is uniform, memory bounded."""

from __future__ import annotations

import numpy as np
import pytest

from assay.stats.running_values import RunningValues


def fed(values: np.ndarray, sizes: list[int], *, sample: int = 500, recent: int = 64) -> RunningValues:
    stream = RunningValues(np.random.default_rng(1), sample=sample, recent=recent)
    start = 0
    while start < len(values):
        size = sizes[start % len(sizes)]
        stream.add(values[start : start + size])
        start += size
    return stream


@pytest.mark.parametrize("sizes", [[1], [7, 64, 65, 200], [5000]])
def test_figures_are_numpys_on_the_same_values(sizes: list[int]) -> None:
    values = np.random.default_rng(0).normal(1e6, 0.1, size=3001)  # a mean that costs naive sums all their digits
    stream = fed(values, sizes, sample=4000)
    assert stream.count == 3001
    assert stream.mean == pytest.approx(values.mean(), abs=1e-8)
    assert stream.sd == pytest.approx(values.std(ddof=1), rel=1e-6)
    assert (stream.low, stream.high) == (values.min(), values.max())
    assert stream.recent.tolist() == values[-64:].tolist()
    assert stream.quantiles([0.01, 0.5, 0.99]) == np.quantile(values, [0.01, 0.5, 0.99]).tolist()
    assert stream.rank_error == 0


def test_a_longer_stream_is_sampled_within_the_error_it_states() -> None:
    values = np.arange(20_000.0)
    stream = fed(values, [1, 300, 2500])
    assert len(stream.sample) == len(np.unique(stream.sample)) == 500
    assert 0 < stream.rank_error < 0.08
    shares = np.searchsorted(values, stream.quantiles([0.1, 0.5, 0.9])) / 20_000
    assert np.abs(shares - [0.1, 0.5, 0.9]).max() < stream.rank_error
    assert stream.recent.tolist() == values[-64:].tolist()


def test_every_value_has_the_same_chance_to_be_kept() -> None:
    kept = np.zeros(40)
    for seed in range(800):
        stream = RunningValues(np.random.default_rng(seed), sample=10, recent=1)
        for part in np.split(np.arange(40.0), [3, 12, 13, 30]):  # across the edge of what there is room for
            stream.add(part)
        kept[stream.sample.astype(int)] += 1
    # A quarter of 800, with a standard deviation of 12: five of them.
    assert np.abs(kept - 200).max() < 61
