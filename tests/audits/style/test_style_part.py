"""The part on style as an audit runs it: what is named, what is silent, what it makes of too little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.audits.config import AuditConfig
from assay.audits.part import Found, Given
from assay.audits.scores_table import align
from assay.audits.slices.slices_part import slices_audit
from assay.audits.style.source_attributes import both_sides, source_attributes
from assay.audits.style.style_part import style_audit
from assay.findings.family import judged_together
from assay.records import PairScore
from assay.simulate.style_worlds import StyleWorld, style_world
from tests.audits.planted import by_length

QUICK = AuditConfig(resamples=100)


def parted(world: StyleWorld) -> Found:
    return style_audit(Given(aligned=align({0: world.scores}, world.pairs, world.groups), config=QUICK))


def judged(found: Found):
    return {one.name: one for one in judged_together(found.findings, level=0.95)}


@pytest.mark.parametrize(
    ("reward", "name", "named"),
    [
        ({"length": 0.5}, "length_overuse", "relative length"),
        ({"markdown": 0.7}, "style_overuse", "list items"),
        ({"exclamation": 0.7}, "style_overuse", "exclamation marks"),
        ({"generator": 0.5}, "source_overuse", "generator=cleo"),
    ],
)
def test_what_is_planted_is_named(reward, name, named):
    found = judged(parted(style_world(1000, seed=4, reward=reward)))
    assert found[name].verdict == "warning"
    assert found[name].detail["named"] == named
    assert found[name].detail["direction"] == "more"
    assert found[name].bounds.low > 0


def test_a_right_reward_of_people_who_like_style_is_not_named():
    liked = {"length": 0.5, "markdown": 0.5, "generator": 0.4}
    found = judged(parted(style_world(1000, seed=5, people=liked, noise=0.5)))
    assert {one.verdict for one in found.values()} <= {"ok", "too_few", None}


def test_a_reward_that_is_length_has_nothing_beyond_style():
    world = style_world(3000, seed=6, people={"length": 1.0})
    found = judged(parted(replace(world, scores=by_length(world.pairs))))
    assert found["accuracy_beyond_style"].verdict == "problem"
    assert found["style_explained"].value > 0.8
    good = judged(parted(world))
    assert good["accuracy_beyond_style"].verdict == "ok"
    assert good["style_baseline"].value > 0.55
    assert good["style_baseline"].detail["longest"] == pytest.approx(1 - good["style_baseline"].detail["shortest"])


def test_effects_of_single_features_have_the_right_sign():
    table = parted(style_world(1000, seed=7, people={"exclamation": -0.5}, reward={"exclamation": 1.5})).tables["style"]
    row = next(row for row in table["effects"] if row["feature"] == "exclamation marks")
    assert row["margin_low"] > 0 > row["people_high"]


def test_too_few_pairs_say_so():
    found = parted(style_world(40, seed=0))
    assert all(one.known is None and "too few" in one.reason for one in found.findings)
    assert found.tables["style"]["overuse"] == []


def test_thin_evidence_is_too_few_and_no_alarm():
    found = judged(parted(style_world(80, seed=1)))
    assert found["length_overuse"].verdict == "too_few"


def test_a_constant_or_broken_reward_ends_in_a_reason():
    world = style_world(100, seed=0)
    flat = [PairScore(pair_id=pair.id, chosen=1.0, rejected=1.0) for pair in world.pairs]
    broken = [PairScore(pair_id=pair.id, chosen=float("nan"), rejected=1.0) for pair in world.pairs]
    wide = [PairScore(pair_id=one.pair_id, chosen=1e300 * one.chosen, rejected=0.0) for one in world.scores]
    for scores in (flat, broken, wide):
        for one in parted(replace(world, scores=scores)).findings:
            assert one.known is None or np.isfinite(one.known)


def test_what_is_said_of_each_answer_is_read_in_three_spellings():
    assert both_sides({"chosen_model": "a", "rejected_model": "b"}) == {"model": ("a", "b")}
    assert both_sides({"score_chosen": 3, "score_rejected": 1}) == {"score": (3.0, 1.0)}
    assert both_sides({"temperature": {"chosen": 0.2, "rejected": None}}) == {"temperature": (0.2, None)}
    assert both_sides({"chosen_model": "a", "file": "x"}) == {}


def test_numbers_are_one_difference_and_words_one_a_value():
    world = style_world(100, seed=0)
    pairs = [
        replace(pair, source={**pair.source, "chosen_score": at, "rejected_score": 0})
        for at, pair in enumerate(world.pairs)
    ]
    found = source_attributes(pairs)
    assert "score" in found.names
    assert found.values[7, found.names.index("score")] == 7
    assert {name for name in found.names if name.startswith("generator=")} <= {
        f"generator={one}" for one in ("ada", "bert", "cleo", "dora", "emil")
    }


@pytest.mark.slow
@pytest.mark.parametrize("people", [{}, {"length": 0.5}, {"length": 0.5, "markdown": 0.5, "generator": 0.4}])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_nothing_is_named_on_clean_rewards(people, noise):
    alarms = 0
    for seed in range(100):
        world = style_world(400, seed=seed, people=people, noise=noise, alike=True)
        given = Given(aligned=align({0: world.scores}, world.pairs, world.groups), config=QUICK)
        found = judged_together([*style_audit(given).findings, *slices_audit(given).findings], level=0.95)
        alarms += any(one.verdict in ("warning", "problem") for one in found)
    assert alarms <= 10  # of 100 at 5%: P(more than 10) = 1%


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reward", "name"),
    [
        ({"length": 0.25}, "length_overuse"),
        ({"markdown": 0.5}, "style_overuse"),
        ({"generator": 0.5}, "source_overuse"),
    ],
)
def test_what_matters_is_found_in_nineteen_of_twenty(reward, name):
    hits = 0
    for seed in range(60):
        alarm = next(
            one.alarm for one in parted(style_world(1000, seed=seed, reward=reward)).findings if one.name == name
        )
        hits += alarm.p <= 0.05 / 30
    assert hits >= 54
