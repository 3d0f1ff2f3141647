"""`every seed`: each seed's own figure must hold; one seed is an error and no verdict."""

from __future__ import annotations

import pytest

from assay.errors import GateError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.flows.reward import run_reward
from assay.gate import Evidence, decide
from assay.gate.criteria import parse
from assay.train.reward_config import RewardConfig
from tests.audits.planted import audited, healthy, make_pairs
from tests.gate.test_rules import evidence, finding, only


def of_seed(seed: int, low: float, high: float, where: Slice = OVERALL) -> Finding:
    return finding("accuracy", (low + high) / 2, low, high, slice=where, seed=seed)


def three(*more: Finding) -> Evidence:
    """Over seeds all is well; seed 1 is open, and seed 2 too where `more` does not say otherwise."""
    over = finding("accuracy", 0.8, 0.77, 0.83)
    return evidence(over, of_seed(0, 0.78, 0.84), of_seed(1, 0.71, 0.77), *more, seeds=(0, 1, 2))


def test_words():
    for text in ("accuracy > 0.72 every seed", "every seed accuracy > 0.72", "every seed > 72%"):
        found = parse(text)
        assert (found.kind, found.finding, found.slice, found.part, found.by) == (
            "every_seed", "accuracy", OVERALL, None, "bound",
        )  # fmt: skip
    assert parse("accuracy > 0.72 every seed by point").by == parse("accuracy > 0.72 by point every seed").by == "point"
    one = parse('category "billing questions" > 0.7 every seed')
    assert (one.kind, one.slice) == ("every_seed", Slice("category", "billing questions"))
    assert parse("every category > 0.7 every seed").part == "category"
    with pytest.raises(GateError, match="length_matched_accuracy is not measured of each seed by itself"):
        parse("length matched accuracy > 0.6 every seed")
    with pytest.raises(GateError, match="only a comparison holds for every seed"):
        parse("not degenerate every seed")


def test_it_is_as_good_as_the_worst_seed():
    good = three(of_seed(2, 0.73, 0.79))
    assert only(good, "accuracy > 0.72").verdict == "pass"
    assert only(good, "accuracy > 0.70 every seed").verdict == "pass"
    found = only(good, "accuracy > 0.72 every seed")
    assert found.verdict == "undecided"
    assert found.reasons[0].startswith("seed 1: 74.0% (95% interval 71.0% to 77.0%")
    assert len(found.reasons) == 1  # seeds that hold are no reason
    assert [(part.seed, part.verdict) for part in found.parts] == [(0, "pass"), (1, "undecided"), (2, "pass")]
    bad = only(three(of_seed(2, 0.60, 0.66)), "accuracy > 0.72 every seed")
    assert (bad.verdict, bad.value) == ("fail", pytest.approx(0.63))
    assert "seed 2" in bad.reason


def test_pairs_that_decide_one_seed_decide_all():
    """(0.74 - 0.71)^2 / 0.02^2 * 1,000 = 2,250 pairs, 2.0432 times as many for 80%; seeds share their pairs."""
    both = evidence(of_seed(0, 0.71, 0.77), of_seed(1, 0.71, 0.77), seeds=(0, 1))
    found = only(both, "accuracy > 0.72 every seed")
    assert found.more_pairs == pytest.approx(2250 * 2.0432 - 1000, abs=2)
    assert found.toward == "pass"


def test_a_seed_without_its_figure_fails():
    found = only(three(), "accuracy > 0.6 every seed")
    assert found.verdict == "fail"
    assert "seed 2: the audit has no accuracy" in found.reason


def test_of_a_real_audit_with_categories():
    pairs = make_pairs(900)
    audit = audited({0: healthy(pairs, signal=1.6), 1: healthy(pairs, signal=1.6, seed=1)}, pairs)
    given = Evidence(figures=audit)
    found = only(given, "every category > 0.6 every seed")
    assert found.verdict == "pass"
    assert [(part.seed, str(part.slice)) for part in found.parts] == [
        (seed, f"category={name}") for seed in (0, 1) for name in ("brevity", "refusals", "tone")
    ]
    for part in found.parts:
        own = next(f for f in audit.findings if (f.name, f.slice, f.seed) == ("accuracy", part.slice, part.seed))
        assert part.interval == own.interval
    body = decide(given, [parse("category tone > 0.99 every seed")]).to_body().criteria[0]
    assert (body.verdict, body.slice, [part.seed for part in body.parts]) == ("fail", "category=tone", [0, 1])


def test_one_seed_is_an_error_before_anything_is_trained(tmp_path):
    with pytest.raises(GateError, match="needs several seeds, and there is one, seed 0"):
        only(evidence(finding("accuracy", 0.9, 0.85, 0.95)), "accuracy > 0.72 every seed")
    path = tmp_path / "criteria.yaml"
    path.write_text("- accuracy > 0.72 every seed\n")
    config = RewardConfig.build({"criteria": str(path), "train": {"seeds": [4]}, "model": {"base": "no such base"}})
    with pytest.raises(GateError, match="there is one, seed 4"):
        run_reward([], tmp_path / "run", config=config)
    assert not (tmp_path / "run").exists()
