"""The cloud as a file: the same alarms when it is read again, torn files named; the stated rate kept; foreign found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_cloud import FitCloud, KnownAnswers, centres_of, known_cloud
from assay.audits.fit.outside import MeasuredSamples, outside_findings
from assay.errors import ArtifactError
from assay.findings.finding import Finding
from assay.stats.unknown import Unknown

WIDTH, RATE = 24, 0.1
CONFIG = FitConfig(rate=RATE, per_category=30)


def answers(rng: np.random.Generator, groups: int, *, each: int = 4, category: str = "a", by: float = 0.0,
            name: str = "g") -> KnownAnswers:  # fmt: skip
    """States that the answers to one prompt share half of; `by` moves all of them in every coordinate."""
    shared = np.repeat(rng.normal(size=(groups, WIDTH)), each, axis=0)
    return KnownAnswers(
        places=range(groups * each),
        rewards=np.zeros(groups * each),
        states=shared + rng.normal(size=(groups * each, WIDTH)) + by,
        clusters=[f"{name}{place // each}" for place in range(groups * each)],
        categories=[category] * (groups * each),
    )


def measured(given: KnownAnswers, cloud: FitCloud) -> MeasuredSamples:
    return MeasuredSamples(
        prompts=given.clusters, clusters=given.clusters, categories=given.categories,
        distances={0: cloud.distances(given.states)}, unread={},
    )  # fmt: skip


def made(rng: np.random.Generator, *, training: int = 150, held_out: int = 60) -> FitCloud:
    cloud = known_cloud(answers(rng, training, name="t"), answers(rng, held_out, name="h"), CONFIG, model="m", key="k")
    assert isinstance(cloud, FitCloud)
    return cloud


def figures(given: KnownAnswers, cloud: FitCloud) -> dict[str, Finding]:
    return {f"{one.name} {one.slice}": one for one in outside_findings(measured(given, cloud), {0: cloud}, CONFIG)}


def test_a_cloud_read_again_raises_the_same_alarms(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cloud = made(rng)
    cloud.write(tmp_path / "fit.npz")
    again = FitCloud.read(tmp_path / "fit.npz")
    states = answers(rng, 50, by=0.4).states
    assert again.facts == cloud.facts
    assert (again.distances(states) == cloud.distances(states)).all()
    assert (again.outside(states) == cloud.outside(states)).all()
    assert (again.held_out.distances == cloud.held_out.distances).all()
    with pytest.raises(ArtifactError, match="of another model"):
        again.distances(states[:, :5])


def test_a_file_that_is_no_cloud_says_so(tmp_path: Path) -> None:
    path = tmp_path / "fit.npz"
    with pytest.raises(ArtifactError, match="is missing"):
        FitCloud.read(path)
    made(np.random.default_rng(0)).write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match="no fit cloud"):
        FitCloud.read(path)
    np.savez(path, facts=np.array([object()]))
    with pytest.raises(ArtifactError, match="no fit cloud"):  # a pickle is never opened
        FitCloud.read(path)


@pytest.mark.parametrize("training", [150, 5])  # 5 groups: 20 answers in 24 dimensions
def test_new_answers_lie_outside_at_the_stated_rate_and_shifted_ones_are_found(training: int) -> None:
    shares, shifted, covered = [], [], 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        cloud = made(rng, training=training)
        found = figures(answers(rng, 60), cloud)
        shares.append(found["outside_share overall"].known or 0.0)
        bounds = found["outside_excess overall"].bounds
        assert bounds is not None
        covered += bounds.low <= 0 <= bounds.high
        shifted.append(figures(answers(rng, 30, by=1.5), cloud)["outside_share overall"].known or 0.0)
    error = np.std(shares) / len(shares) ** 0.5
    assert RATE - 2 / 61 - 3 * error < np.mean(shares) < RATE + 3 * error
    assert 0.88 * 120 <= covered <= 0.99 * 120
    assert np.mean(shifted) > (0.9 if training > 5 else 0.5)


def test_a_shift_is_a_problem_and_a_category_stands_by_itself() -> None:
    rng = np.random.default_rng(3)
    cloud = made(rng)
    far, near = answers(rng, 20, by=2.0, category="new", name="f"), answers(rng, 60, name="n")
    both = KnownAnswers(
        places=[], rewards=np.empty(0), states=np.concatenate([far.states, near.states]),
        clusters=[*far.clusters, *near.clusters], categories=[*far.categories, *near.categories],
    )  # fmt: skip
    found = figures(both, cloud)
    assert found["outside_share category=new"].known == 1.0
    assert found["outside_share category=new"].detail["threshold"] == "of all categories"
    assert (found["outside_share category=a"].known or 0) < 0.3
    assert found["outside_share category=a"].detail["threshold"] == "of the category"
    assert found["outside_excess overall"].verdict == "problem"
    assert figures(near, cloud)["outside_excess overall"].verdict == "ok"


def test_what_cannot_be_calibrated_is_unknown() -> None:
    rng = np.random.default_rng(0)
    few = known_cloud(answers(rng, 40), answers(rng, 5), CONFIG, model="m", key="k")
    assert isinstance(few, Unknown)
    assert "5 prompt groups held out" in few.reason
    same = answers(rng, 40)
    flat = KnownAnswers(places=same.places, rewards=same.rewards, states=np.ones((160, WIDTH)),
                        clusters=same.clusters, categories=same.categories)  # fmt: skip
    assert isinstance(known_cloud(flat, same, CONFIG, model="m", key="k"), Unknown)


def test_categories_with_enough_answers_have_a_centre() -> None:
    assert centres_of(["a"] * 9 + ["b"] * 2 + [None], 5) == (["a"], [0] * 9 + [1] * 3)
    assert centres_of(["a"] * 9, 5) == ([], [0] * 9)
    assert centres_of([None] * 4, 1) == ([], [0] * 4)
