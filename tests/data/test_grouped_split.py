"""The split: exact, whole groups, in proportion, the same for any order; and honest where it cannot be done."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.artifacts.split_body import SplitCategory
from assay.data import prompt_groups, split
from assay.data.config import SplitConfig
from assay.data.subset import make, nearest, proportionate, reachable
from assay.errors import SplitError
from assay.records import Pair


def pair(number: int, group: int | str | None = None, category: str | None = None) -> Pair:
    return Pair(
        id=f"p{number}", prompt=f"prompt {number}", chosen=f"good {number}", rejected=f"bad {number}",
        category=category, group=None if group is None else str(group),
    )  # fmt: skip


def sized(*sizes: int) -> tuple[list[Pair], list[str]]:
    """Pairs in groups of these sizes."""
    groups = [f"g{place}" for place, size in enumerate(sizes) for _ in range(size)]
    return [pair(number, group) for number, group in enumerate(groups)], groups


# --- subset sums ------------------------------------------------------------------------------------------------------

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=9)


def sums(sizes: list[int]) -> set[int]:
    return {sum(part) for count in range(len(sizes) + 1) for part in combinations(sizes, count)}


@given(SIZES)
def test_reachable_totals_are_those_of_trying_everything(sizes: list[int]) -> None:
    bits = reachable(Counter(sizes), sum(sizes))
    assert {t for t in range(sum(sizes) + 1) if bits >> t & 1} == sums(sizes)


@settings(max_examples=200)
@given(SIZES, st.integers(0, 60))
def test_a_total_is_made_exactly_or_shown_to_be_impossible(sizes: list[int], total: int) -> None:
    available = Counter(sizes)
    for made in (make(available, total), proportionate(available, total)):
        assert (made is None) == (total not in sums(sizes))
        if made is not None:
            assert sum(size * count for size, count in made.items()) == total
            assert all(0 <= count <= available[size] for size, count in made.items())


@given(SIZES, st.integers(1, 60))
def test_the_nearest_totals_leave_something_on_both_sides(sizes: list[int], total: int) -> None:
    possible = sums(sizes) - {0, sum(sizes)}
    below = max((t for t in possible if t <= total), default=None)
    above = min((t for t in possible if t >= total), default=None)
    assert nearest(Counter(sizes), total) == (below, above)


def test_a_hand_made_case() -> None:
    # 5 + 5 + 4 = 14 needs both fives and the four; proportion alone (half of each) would give 5 + 3
    assert make({5: 2, 4: 1, 3: 1}, 14) == {5: 2, 4: 1}
    assert make({5: 2, 4: 1, 3: 1}, 6) is None


# --- the split --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12), holdout=st.integers(1, 40), seed=st.integers(0, 3))
def test_exact_size_and_whole_groups_or_an_error_that_names_the_nearest(
    sizes: list[int], holdout: int, seed: int
) -> None:
    pairs, groups = sized(*sizes)
    possible = sums(sizes) - {0, sum(sizes)}
    if holdout in possible:
        sides = split(pairs, config=SplitConfig(holdout=holdout, seed=seed), groups=groups)
        assert len(sides.held_out) == holdout
        assert not set(sides.train_groups) & set(sides.held_out_groups)
        assert sorted(p.id for p in sides.train + sides.held_out) == sorted(p.id for p in pairs)
        return
    near = [
        max((t for t in possible if t < holdout), default=None),
        min((t for t in possible if t > holdout), default=None),
    ]
    with pytest.raises(SplitError) as raised:
        split(pairs, config=SplitConfig(holdout=holdout, seed=seed), groups=groups)
    assert " and ".join(str(t) for t in near if t is not None) in str(raised.value)
    closest = min((t for t in near if t is not None), key=lambda t: (abs(t - holdout), t))
    sides = split(pairs, config=SplitConfig(holdout=holdout, seed=seed, rounding="nearest"), groups=groups)
    assert len(sides.held_out) == sides.proof.pairs_held_out == closest
    assert sides.proof.holdout_wanted == holdout


def test_sixteen_debates() -> None:
    sizes = [878, 861, 830, 800, 790, 770, 760, 750, 740, 720, 700, 690, 680, 640, 600, 568]
    pairs, groups = sized(*sizes)
    with pytest.raises(SplitError, match=r"nearest|Nearest possible: 878 and 1,168"):
        split(pairs, config=SplitConfig(holdout=1000), groups=groups)
    sides = split(pairs, config=SplitConfig(holdout=1000, rounding="nearest"), groups=groups)
    assert sides.proof.pairs_held_out == 878
    assert sides.proof.groups_held_out == 1


@pytest.mark.parametrize("holdout", [10, 11, 5000])
def test_more_than_there_is_says_what_is_possible(holdout: int) -> None:
    pairs, groups = sized(*[1] * 10)
    with pytest.raises(SplitError, match="Nearest possible: 9"):
        split(pairs, config=SplitConfig(holdout=holdout), groups=groups)


def test_one_group_cannot_be_split() -> None:
    pairs, groups = sized(7)
    with pytest.raises(SplitError, match="1 group cannot be split"):
        split(pairs, config=SplitConfig(holdout=3), groups=groups)
    with pytest.raises(SplitError):
        split([], config=SplitConfig(holdout=3))
    with pytest.raises(SplitError, match="one for each"):
        split(pairs, config=SplitConfig(holdout=3), groups=groups[:-1])


def desk(number: int, seed: int = 0) -> list[Pair]:
    """Groups of one to five pairs, mostly of one category, unequal categories."""
    rng = random.Random(seed)
    pairs: list[Pair] = []
    group = 0
    while len(pairs) < number:
        main = rng.choices(["help", "tone", "refusals", "rare"], [50, 30, 15, 5])[0]
        for _ in range(rng.randint(1, 5)):
            category = main if rng.random() < 0.9 else "tone"
            pairs.append(pair(len(pairs), f"g{group}", category))
        group += 1
    return pairs[:number]


@pytest.mark.parametrize("holdout", [100, 333, 1000])
def test_every_category_is_held_out_in_proportion(holdout: int) -> None:
    pairs = desk(4000)
    sides = split(pairs, config=SplitConfig(holdout=holdout), groups=[p.group or "" for p in pairs])
    assert sum(part.held_out for part in sides.proof.categories.values()) == holdout
    for part in sides.proof.categories.values():
        assert abs(part.held_out - part.wanted) < 1


def test_categories_by_hand() -> None:
    # 60 of a and 40 of b, all groups single: 10 held out are 6 and 4
    pairs = [pair(n, n, "a" if n < 60 else "b") for n in range(100)]
    proof = split(pairs, config=SplitConfig(holdout=10), groups=[p.id for p in pairs]).proof
    assert proof.categories == {
        "a": SplitCategory(pairs=60, wanted=6.0, held_out=6), "b": SplitCategory(pairs=40, wanted=4.0, held_out=4),
    }  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rng: random.Random) -> None:
    pairs = desk(400)
    expected = split(pairs, config=SplitConfig(holdout=100))
    rng.shuffle(pairs)
    again = split(pairs, config=SplitConfig(holdout=100))
    assert (again.train, again.held_out, again.proof) == (expected.train, expected.held_out, expected.proof)


def test_the_seed_changes_the_sides() -> None:
    pairs = desk(400)
    sides = [split(pairs, config=SplitConfig(holdout=100, seed=seed)) for seed in (0, 0, 1)]
    assert sides[0].proof == sides[1].proof
    assert sides[0].proof.held_out_sha256 != sides[2].proof.held_out_sha256
    assert len({p.id for p in sides[0].held_out} & {p.id for p in sides[2].held_out}) < 60


def test_the_proof_counts_from_the_sides_and_can_show_a_leak() -> None:
    pairs = [pair(n, n) for n in range(10)]
    honest = split(pairs, config=SplitConfig(holdout=3)).proof
    assert (honest.shared_groups, honest.shared_prompts) == (0, 0)
    same = [Pair(id=f"{n}", prompt="The  Same", chosen=f"c{n}", rejected=f"r{n}") for n in range(10)]
    leaky = split(same, config=SplitConfig(holdout=3), groups=[p.id for p in same]).proof
    assert leaky.shared_prompts == 1  # groups that ignore the prompts are found out
    assert prompt_groups(same) == [prompt_groups(same)[0]] * 10


def test_one_prompt_never_stands_on_both_sides() -> None:
    rows = [Pair(id=f"{n}", prompt=f"prompt {n // 3}", chosen=f"c{n}", rejected=f"r{n}") for n in range(90)]
    sides = split(rows, config=SplitConfig(holdout=30))
    assert not {p.prompt for p in sides.train} & {p.prompt for p in sides.held_out}
    assert sides.proof.shared_prompts == 0


def test_a_hundred_thousand_groups_take_seconds() -> None:
    rng = random.Random(1)
    sizes = [min(int(rng.paretovariate(1.5)), 200) for _ in range(100_000)]
    available = Counter(sizes)
    clock = time.process_time()
    made = proportionate(available, sum(sizes) // 8 + 1)
    assert made is not None
    assert nearest(available, sum(sizes) // 8)[0] == sum(sizes) // 8
    assert time.process_time() - clock < 10
