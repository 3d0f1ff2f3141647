"""Objectives put together: weights found again, curves counted by hand, files that hold all of it, and clear errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.files import sha256_file, write_jsonl
from assay.cli.audit import objective_lines
from assay.data.native_rows import as_native
from assay.errors import ConfigError, InputError
from assay.flows.audit import audit_scores
from assay.records import Candidates, Pair, Text
from assay.scorers.combined.combination_file import Combination
from assay.scorers.combined.combine import CombinePlan, combine, fitted_weights
from assay.scorers.combined.combined_scorer import CombinedScorer, combined
from assay.scorers.function import FunctionScorer
from assay.scorers.protocol import Reward, Unscored
from assay.scorers.scored_pairs import score_pairs

NAMES = ("helpful", "harmless")
SCORERS = {"helpful": "baseline:longest", "harmless": "baseline:shortest"}  # only their names are read here


def reading(place: int, *, times: float = 1.0, plus: float = 0.0) -> FunctionScorer:
    """A scorer that reads its objective's value out of the answer, `h=1.25 s=-0.5`."""

    def of(_: Text, answers: Sequence[Text]) -> list[float]:
        return [times * float(str(answer).split()[place].partition("=")[2]) + plus for answer in answers]

    return FunctionScorer(of, name=f"reads {place}", fingerprint=f"reads {place} {times} {plus}")


OPENED = {"helpful": reading(0, times=3.0, plus=7.0), "harmless": reading(1, times=0.1)}


def made(count: int, seed: int, *, weights: tuple[float, float], objective: str | None) -> list[Pair]:
    """Pairs whose winner follows sigmoid(weights x difference of the two values)."""
    draws = np.random.default_rng(seed)
    pairs = []
    for n in range(count):
        one, two = draws.normal(size=(2, 2)).round(4)
        first = draws.random() < 1 / (1 + np.exp(-(np.array(weights) @ (one - two))))
        chosen, rejected = (one, two) if first else (two, one)
        pairs.append(
            Pair(
                id=f"{objective}-{seed}-{n}",
                prompt=f"question {objective} {seed} {n}",
                chosen=f"h={chosen[0]} s={chosen[1]}",
                rejected=f"h={rejected[0]} s={rejected[1]}",
                source={} if objective is None else {"objective": objective},
            )
        )
    return pairs


def file_of(path: Path, pairs: Sequence[Pair]) -> str:
    write_jsonl(path, map(as_native, pairs))
    return str(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    both = made(400, 1, weights=(3, 0), objective="helpful") + made(300, 2, weights=(0, 2), objective="harmless")
    return file_of(tmp_path_factory.mktemp("objectives") / "pairs.jsonl", both)


def plan(data: str, **more: object) -> CombinePlan:
    return CombinePlan(**{"rule": "weights", "scorers": SCORERS, "data": [("", data)], **more})  # type: ignore[arg-type]


def test_a_file_holds_all_that_a_reward_needs(data: str, tmp_path: Path) -> None:
    found = combine(plan(data, weights={"helpful": 1.0, "harmless": 2.0}), OPENED)
    found.write(tmp_path / "both.yaml")
    one = combined(str(tmp_path / "both.yaml"), lambda text: OPENED["helpful" if "longest" in text else "harmless"])
    helpful, harmless = found.objectives
    # 3 h + 7 has a mean near 7 and a spread within prompts near 3, since h is standard normal.
    assert helpful.mean == pytest.approx(7, abs=0.3)
    assert helpful.sd == pytest.approx(3, abs=0.2)
    assert (helpful.pairs, harmless.pairs) == (400, 300)
    ((reward,),) = one.score([Candidates(id="a", prompt="?", answers=("h=1 s=2",))])
    assert isinstance(reward, Reward)
    expected = (10 - helpful.mean) / helpful.sd + 2 * (0.2 - harmless.mean) / harmless.sd
    assert reward.value == pytest.approx(expected)
    assert reward.heads["harmless"] == pytest.approx((0.2 - harmless.mean) / harmless.sd)
    assert [(file.path, file.sha256, file.pairs) for file in found.files] == [(data, sha256_file(Path(data)), 700)]


def test_a_reward_does_not_depend_on_what_is_scored_beside_it(data: str) -> None:
    one = CombinedScorer(OPENED, combine(plan(data, weights={"helpful": 1.0, "harmless": 1.0}), OPENED))
    alone = one.score([Candidates(id="a", prompt="?", answers=("h=1 s=2",))])[0][0]
    beside = one.score([Candidates(id="a", prompt="?", answers=("h=99 s=-99", "h=1 s=2"))])[0][1]
    assert alone == beside


def test_weights_are_found_again_from_overall_preferences(data: str, tmp_path: Path) -> None:
    overall = file_of(tmp_path / "overall.jsonl", made(3000, 3, weights=(1.5, 0.5), objective=None))
    found = combine(plan(data, overall=overall), OPENED)
    for one, true in zip(found.objectives, (1.5, 0.5), strict=True):
        assert one.weight is not None
        assert one.weight_error is not None
        assert abs(one.weight - true) < 4 * one.weight_error < 0.4
    assert found.files[1].use == "weights"


def test_errors_of_fitted_weights_hold_prompts_together() -> None:
    """Each pair ten times under its prompt is no more than once: the errors stay, instead of shrinking by root ten."""
    draws = np.random.default_rng(0)
    margins = draws.normal(size=(400, 2))
    margins[draws.random(400) > 1 / (1 + np.exp(-margins @ [1.0, 0.5]))] *= -1
    once = fitted_weights(margins, np.ones(400), np.arange(400))
    often = fitted_weights(np.repeat(margins, 10, axis=0), np.ones(4000), np.repeat(np.arange(400), 10))
    assert often[0] == pytest.approx(once[0], rel=1e-6)
    assert often[1] == pytest.approx(once[1], rel=0.02)


def test_the_curve_of_a_weight_against_counting(data: str) -> None:
    found = combine(plan(data, weights={"helpful": 1.0, "harmless": 1.0}), OPENED)
    (curve,) = found.trade_offs
    assert (curve.objective, curve.stands_at, len(curve.points)) == ("harmless", 0.5, 21)
    helpful, harmless = found.objectives
    pairs = made(400, 1, weights=(3, 0), objective="helpful")

    def reward(answer: Text, share: float) -> float:
        h, s = (float(part.partition("=")[2]) for part in str(answer).split())
        own = ((3 * h + 7 - helpful.mean) / helpful.sd, (0.1 * s - harmless.mean) / harmless.sd)
        return (1 - share) * own[0] + share * own[1]

    for point in curve.points[::4]:
        right = sum(reward(one.chosen, point.at) > reward(one.rejected, point.at) for one in pairs)
        assert point.accuracy["helpful"] == pytest.approx(right / 400)
    # At its ends the curve is each scorer by itself, so each objective is best at its own end.
    assert curve.points[0].accuracy["helpful"] == found.measured[0].alone
    assert curve.points[-1].accuracy["harmless"] == found.measured[1].alone


def test_under_constraints_breakers_stand_below_and_bounds_follow_the_confidence(data: str) -> None:
    asked = plan(data, rule="constrained", maximise="helpful", thresholds={"harmless": 0.0}, confidence=0.7)
    found = combine(asked, OPENED)
    assert found.outcome == "decided"
    part = found.objectives[1]
    assert part.bound is not None
    assert part.slope is not None
    # A spread of 1 in s, and log odds of 2 a unit of it: the lower bound of the slope is somewhat less.
    assert 1.2 < part.slope < 2.0
    assert 1 / (1 + np.exp(-part.slope * part.bound)) == pytest.approx(0.7)
    rewards = CombinedScorer(OPENED, found).score(
        [Candidates(id="a", prompt="?", answers=("h=-5 s=3", "h=5 s=-3", "h=5 s=-2"))]
    )[0]
    kept, worst, broken = (one.value for one in rewards if isinstance(one, Reward))
    assert kept > broken > worst
    met = [point.met for point in found.trade_offs[0].points]
    assert met == sorted(met, reverse=True)  # a higher threshold is met by fewer


def test_what_nothing_satisfies_is_undecided_and_opens_nowhere(data: str, tmp_path: Path) -> None:
    asked = plan(data, rule="constrained", maximise="helpful", thresholds={"harmless": 9.0}, confidence=0.7)
    found = combine(asked, OPENED)
    assert found.outcome == "undecided"
    assert "reaches the bound on harmless" in found.reasons[0]
    found.write(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="reaches the bound on harmless"):
        combined(str(tmp_path / "none.yaml"), lambda _: OPENED["helpful"])


def test_a_constraint_whose_reward_is_blind_is_undecided(data: str) -> None:
    blind = {**OPENED, "harmless": reading(0, times=-1.0)}
    asked = plan(data, rule="constrained", maximise="helpful", thresholds={"harmless": 0.0}, confidence=0.7)
    found = combine(asked, blind)
    assert found.outcome == "undecided"
    assert "does not follow its own pairs" in found.reasons[0]


def test_one_after_another(data: str) -> None:
    found = combine(plan(data, rule="lexicographic", tolerances={"helpful": 0.5}), OPENED)
    (curve,) = found.trade_offs
    assert (curve.moved, curve.stands_at) == ("tolerance", 0.5)
    # The wider the step, the more the second objective decides.
    assert curve.points[-1].accuracy["harmless"] > curve.points[0].accuracy["harmless"]
    assert curve.points[-1].accuracy["helpful"] < curve.points[0].accuracy["helpful"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"weights": {"helpful": 0.0, "harmless": 0.0}}, "sum to nothing"),
        ({"weights": {"helpful": 1.0}}, "no weight of harmless"),
        ({"weights": {"helpful": -1.0, "harmless": 3.0}}, "0 or more"),
        ({"weights": {"helpful": 1.0, "honest": 1.0}}, "'honest'"),
        ({}, "--overall"),
        ({"rule": "lexicographic"}, "no tolerance of helpful"),
        ({"rule": "constrained", "maximise": "helpful", "confidence": 0.8}, "threshold"),
        ({"rule": "lexicographic", "weights": {"helpful": 1.0}}, "reads no options of the rule weights"),
    ],
)
def test_a_plan_that_is_none_is_refused_by_name(data: str, more: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        plan(data, **more).check()


def test_an_objective_with_ten_pairs_is_refused_by_name(tmp_path: Path) -> None:
    few = made(100, 1, weights=(3, 0), objective="helpful") + made(10, 2, weights=(0, 2), objective="harmless")
    data = file_of(tmp_path / "few.jsonl", few)
    with pytest.raises(InputError, match="harmless has 10 pairs"):
        combine(plan(data, weights={"helpful": 1.0, "harmless": 1.0}), OPENED)


def test_overall_preferences_that_go_against_everything_sum_to_nothing(data: str, tmp_path: Path) -> None:
    turned = [
        replace(one, chosen=one.rejected, rejected=one.chosen) for one in made(300, 3, weights=(2, 2), objective=None)
    ]
    with pytest.raises(InputError, match="sum to nothing"):
        combine(plan(data, overall=file_of(tmp_path / "turned.jsonl", turned)), OPENED)


def test_an_answer_that_one_objective_cannot_score_has_no_reward(data: str) -> None:
    refuses = FunctionScorer(lambda _, answers: [Unscored("too long") for _ in answers], name="b", fingerprint="b")
    found = combine(plan(data, weights={"helpful": 1.0, "harmless": 1.0}), OPENED)
    one = CombinedScorer({**OPENED, "harmless": refuses}, found)
    assert one.score([Candidates(id="a", prompt="?", answers=("h=1 s=2",))])[0][0] == Unscored("harmless: too long")


def test_what_decides_a_reward_changes_the_fingerprint(data: str) -> None:
    found = combine(plan(data, weights={"helpful": 1.0, "harmless": 1.0}), OPENED)
    other = found.model_copy(
        update={"objectives": [found.objectives[0], found.objectives[1].model_copy(update={"weight": 2.0})]}
    )
    noted = found.model_copy(update={"notes": ["read me"]})
    prints = [CombinedScorer(OPENED, one).fingerprint for one in (found, other, noted)]
    assert prints[0] != prints[1]
    assert prints[0] == prints[2]


def test_a_file_by_hand_needs_no_scales() -> None:
    found = Combination.build(
        {"rule": "weights", "objectives": [{"name": name, "scorer": "x", "weight": 1} for name in NAMES]}
    )
    ((reward,),) = CombinedScorer(OPENED, found).score([Candidates(id="a", prompt="?", answers=("h=1 s=2",))])
    assert isinstance(reward, Reward)
    assert reward.value == pytest.approx(10 + 0.2)


def test_an_audit_says_what_is_left_of_each_objective() -> None:
    """The combination counts a and b alike, so that a pair on which they part goes to the larger margin."""
    parts = [{"name": name, "scorer": "x", "weight": 1.0} for name in ("a", "b")]
    scorers = {"a": reading(0), "b": reading(1)}
    one = CombinedScorer(scorers, Combination.build({"rule": "weights", "objectives": parts}))
    pairs = [*made(40, 7, weights=(9.0, 0.0), objective="a"), *made(40, 8, weights=(0.0, 9.0), objective="b")]
    found = audit_scores(one, pairs)
    scored = score_pairs(one, pairs)
    for name, part in (("a", slice(0, 40)), ("b", slice(40, 80))):
        figures = ("objective_accuracy", "objective_alone")
        together, alone = (found.find(figure, f"objective={name}") for figure in figures)
        assert together is not None
        assert alone is not None
        assert together.n == alone.n == 40
        assert together.value == np.mean([(row.margin or 0) > 0 for row in scored[part]])
        heads = [row.chosen.heads[name] - row.rejected.heads[name] for row in scored[part]]  # type: ignore[union-attr]
        assert alone.value == np.mean([head > 0 for head in heads])
        assert 0.5 < together.value < alone.value  # type: ignore[operator]
    assert audit_scores(scorers["a"], pairs).find("objective_alone", "objective=a") is None
    _, last = objective_lines(found)
    assert last.startswith("  objective b")
    whole = audit_scores(one, [replace(pair, source={}) for pair in pairs]).find("objective_alone", "objective=a")
    assert whole is not None
    assert (whole.n, whole.detail["pairs_of"]) == (80, "all, since none states it")
