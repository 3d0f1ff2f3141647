"""What to ask next by axis: the random part hangs on the seed alone, the rest goes where an axis is planted as open."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats.unknown import Unknown
from assay.study.analysis.axis_proposals import AxisQuestion, propose_by_axis
from assay.study.analysis.axis_standing import AxisStanding, Outcome, Tally
from assay.study.analysis.proposals import Question
from tests.study.analysis.test_axis_standing import item


def asked(
    number: int, *, group: str | None = None, category: str = "tone", **margins: tuple[float, ...]
) -> AxisQuestion:
    question = Question(
        id=f"q{number:03}", prompt=f"p{number}", answer_a="a", answer_b="b", group=group or f"g{number}", margins=(),
        category=category,
    )  # fmt: skip
    return AxisQuestion(question=question, systems=("a", "b"), margins=margins)


def standing(axis: str, outcome: Outcome, *, category: str | None = None, decided: int = 0) -> AxisStanding:
    return AxisStanding(
        axis=axis, category=category, comparisons=50, decided=decided, agreement=Unknown("by hand"), outcome=outcome,
        reasons=(f"{outcome} by hand",),
    )  # fmt: skip


OPEN = {"helpful": [standing("helpful", "undecided")], "honest": [standing("honest", "undecided")]}


def test_the_rest_goes_to_open_axes_where_their_models_disagree() -> None:
    """Planted: helpful's two models part on 0 to 4, honest's on 5 to 9; of decided harmless none is asked."""
    pool = [
        asked(
            n,
            helpful=(3.0, -3.0) if n < 5 else (2.0, 2.0),
            honest=(3.0, -3.0) if 5 <= n < 10 else (2.0, 2.0),
            harmless=(3.0, -3.0) if n >= 95 else (2.0, 2.0),
        )
        for n in range(100)
    ]
    where = {**OPEN, "harmless": [standing("harmless", "decided", decided=60)]}
    found = propose_by_axis(pool, where, count=10, random=0, seed=0)
    by = {axis: {one.asked.question.id for one in found if one.axis == axis} for axis in where}
    assert by["helpful"] == {f"q{n:03}" for n in range(5)}
    assert by["honest"] == {f"q{n:03}" for n in range(5, 10)}
    assert by["harmless"] == set()
    assert {one.part for one in found} == {"chosen"}
    assert all(one.reason.startswith(f"for {one.axis}, undecided: undecided by hand; 1 of 2 models") for one in found)


def test_the_random_part_is_drawn_before_anything_is_looked_at() -> None:
    """Other margins, other standings, another order of the pool: the same random part. Another seed: another one."""
    rng = np.random.default_rng(0)

    def drawn(where: dict[str, list[AxisStanding]], seed: int, *, turned: bool = False) -> set[str]:
        pool = [asked(n, helpful=(float(rng.normal()),), honest=(float(rng.normal()),)) for n in range(60)]
        found = propose_by_axis(pool[::-1] if turned else pool, where, count=30, random=15, seed=seed)
        assert Counter(one.part for one in found) == {"random": 15, "chosen": 15}
        assert all(one.axis is None for one in found if one.part == "random")
        return {one.asked.question.id for one in found if one.part == "random"}

    first = drawn(OPEN, 1)
    assert drawn({"helpful": [standing("helpful", "decided")]}, 1, turned=True) == first
    assert drawn(OPEN, 2) != first


def test_the_random_part_is_a_fair_draw_of_prompts() -> None:
    """40 prompts, one with ten comparisons: over 2,000 seeds each is drawn a quarter of the time, the crowded one too.

    An estimate would else be one of the crowded prompts.
    """
    pool = [asked(n) for n in range(39)] + [asked(100 + k, group="crowd", category="tone") for k in range(10)]
    hits = Counter(
        one.asked.question.group
        for seed in range(2000)
        for one in propose_by_axis(pool, OPEN, count=20, random=10, seed=seed)
        if one.part == "random"
    )
    assert sum(hits.values()) == 20_000
    error = (0.25 * 0.75 * 2000) ** 0.5
    assert hits["crowd"] == pytest.approx(500, abs=4 * error)
    assert sum((hits[f"g{n}"] - 500) ** 2 for n in range(39)) / error**2 < 75  # chi squared, 39 degrees: 0.1% above 72


def test_a_category_that_is_open_comes_first_and_a_silent_one_last() -> None:
    found = [
        standing("harmless", "undecided"), standing("harmless", "undecided", category="refusals"),
        standing("harmless", "silent", category="brevity"),
    ]  # fmt: skip
    pool = [asked(n, category=("refusals", "brevity", "tone")[n % 3], harmless=(1.0,)) for n in range(60)]
    chosen = propose_by_axis(pool, {"harmless": found}, count=20, random=0, seed=0)
    counted = Counter(one.asked.question.category for one in chosen)
    assert counted["brevity"] == 0
    assert counted["refusals"] >= 10
    assert any("category refusals is undecided: undecided by hand" in one.reason for one in chosen)
    # Where nothing else is left it is asked all the same: the budget was asked for.
    every = propose_by_axis(pool, {"harmless": found}, count=60, random=0, seed=0)
    assert len(every) == 60


def test_a_study_asked_again_where_votes_are_few_or_split() -> None:
    said = {0: (3, 0), 1: (2, 1), 2: (1, 1), 3: (0, 0), 4: (5, 5)}
    pool = [
        AxisQuestion(
            question=asked(n).question, systems=("base", "tuned"),
            tallies={"honest": Tally(item=item(n), prompt=f"p{n}", for_a=a, for_b=b, ties=0)} if a + b else {},
        )
        for n, (a, b) in said.items()
    ]  # fmt: skip
    found = propose_by_axis(pool, {"honest": [standing("honest", "undecided")]}, count=3, random=0, seed=0)
    assert {one.asked.question.id for one in found} == {"q003", "q002", "q001"}
    assert found[0].reason.endswith("2 votes for answer a, 1 for answer b, 0 for neither")


def test_no_axis_open_and_all_silent() -> None:
    pool = [asked(n, helpful=(1.0,), honest=(1.0,)) for n in range(20)]
    where = {"helpful": [standing("helpful", "decided")], "honest": [standing("honest", "silent")]}
    found = propose_by_axis(pool, where, count=6, random=0, seed=0)
    assert {one.axis for one in found} == {"helpful"}
    where = {name: [standing(name, "silent")] for name in ("helpful", "honest")}
    assert Counter(one.axis for one in propose_by_axis(pool, where, count=6, random=0, seed=0)) == {
        "helpful": 3, "honest": 3,
    }  # fmt: skip
    assert propose_by_axis([], OPEN, count=6, random=3, seed=0) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 30), st.integers(0, 10_000))
def test_one_a_prompt_no_more_than_asked_and_no_order(n: int, count: int, random: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = [
        asked(k, group=f"g{rng.integers(12)}", category="xyz"[rng.integers(3)], helpful=(float(rng.normal()),))
        for k in range(n)
    ]
    random = min(random, count)
    found = propose_by_axis(pool, OPEN, count=count, random=random, seed=seed)
    groups = [one.asked.question.group for one in found]
    there = len({one.question.group for one in pool})
    assert len(set(groups)) == len(groups) == min(count, there)
    assert sum(one.part == "random" for one in found) == min(random, there)
    again = propose_by_axis([pool[k] for k in rng.permutation(n)], OPEN, count=count, random=random, seed=seed)
    assert {(one.asked.question.id, one.part, one.axis) for one in found} == {
        (one.asked.question.id, one.part, one.axis) for one in again
    }


def test_what_people_would_tie_on_is_hardly_asked() -> None:
    """Planted: a majority in 13 of 28 comparisons of tone, 7 of 28 of refusals, none of 33 of brevity: not yet silent.

    Their chances after a uniform prior: 14/30, 8/30, 1/35, so that of 60 some 37, 21 and 2 are asked. Evenly by
    category the axis would get no more majorities than by drawing at random.
    """

    def part(category: str, comparisons: int, decided: int) -> AxisStanding:
        return AxisStanding(
            axis="harmless", category=category, comparisons=comparisons, decided=decided, agreement=Unknown("by hand"),
            outcome="undecided", reasons=("by hand",),
        )  # fmt: skip

    found = [standing("harmless", "undecided", decided=20)]
    found += [part("tone", 28, 13), part("refusals", 28, 7), part("brevity", 33, 0)]
    names = ("tone", "refusals", "brevity")
    for margins in ({}, {"harmless": (0.1,)}):
        pool = [asked(n, category=names[n % 3], **margins) for n in range(300)]
        counted: Counter[str | None] = Counter()
        for seed in range(20):
            chosen = propose_by_axis(pool, {"harmless": found}, count=60, random=0, seed=seed)
            counted.update(one.asked.question.category for one in chosen)
        assert counted["tone"] / 20 >= 33
        assert 8 <= counted["refusals"] / 20 <= 26
        assert counted["brevity"] / 20 <= 4
