"""Drawing is the experiment, cutting is arithmetic."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.render.encoder import Encoded
from assay.train.batches import Batches, cut, distinct_rows, tokens_of
from assay.train.losses.targets import Target
from assay.train.pair_examples import PairExample

WIN = Target(win=1, tie=0, loss=0)


def example(chosen: int, rejected: int) -> PairExample:
    def row(length: int) -> Encoded:
        return Encoded(ids=tuple(range(length)), prompt_tokens=1, type_ids=None)

    return PairExample(name=f"{chosen}-{rejected}", chosen=row(chosen), rejected=row(rejected), target=WIN)


@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 3), st.integers(1, 3))
def test_every_epoch_sees_each_example_once_with_shares_that_add_up(n: int, size: int, epoch: int, world: int) -> None:
    ranks = [Batches([1.0] * n, size=size, seed=5, rank=rank, world=world) for rank in range(world)]
    for batches in ranks:
        batches.epoch = epoch
    seen: Counter[int] = Counter()
    for number, shares in enumerate(zip(*ranks, strict=True)):
        drawn = [one for share in shares for one in share]
        assert all(shares), "every process takes part"
        assert sum(one.share for one in drawn) == pytest.approx(1)
        counted = [one.index for one in drawn if one.share]
        assert len(counted) <= size
        assert all(sorted(batches.whole(number)) == sorted(counted) for batches in ranks)
        seen.update(counted)
    assert seen == Counter(range(n))


@given(st.integers(1, 400))
def test_weights_of_1_give_each_example_the_same_bits_as_a_mean(n: int) -> None:
    assert {one.share for batch in Batches([1.0] * n, size=32, seed=0) for one in batch} <= {
        1 / size for size in (min(n, 32), n % 32 or 32)
    }


def test_shares_by_hand() -> None:
    weights = [1.0, 0.25, 0.75, 2.0]
    (whole,) = Batches(weights, size=4, seed=0)
    assert {one.index: one.share for one in whole} == {0: 0.25, 1: 0.0625, 2: 0.1875, 3: 0.5}  # weight by 4
    halves = [next(iter(Batches(weights, size=4, seed=0, rank=rank, world=2))) for rank in (0, 1)]
    assert sorted((one.index, one.share) for half in halves for one in half) == sorted(
        (one.index, one.share)
        for one in whole  # of the batch of all processes, not of one's own part
    )
    assert [sum(one.share for one in batch) for batch in Batches(weights, size=3, seed=0)] == [1.0, 1.0]


def test_prompts_are_drawn_with_all_their_examples() -> None:
    prompts = ["a", "b", "a", "c", "b", "a", "d"]

    def order(epoch: int, seed: int = 0) -> list[int]:
        batches = Batches([1.0] * 7, size=3, seed=seed, prompts=prompts)
        batches.epoch = epoch
        drawn = list(batches)
        assert [len(batch) for batch in drawn] == [3, 3, 1]
        return [one.index for batch in drawn for one in batch]

    orders = [order(epoch) for epoch in range(8)]
    for one in orders:
        assert sorted(one) == list(range(7))
        met = [prompt for prompt, _ in itertools.groupby(prompts[index] for index in one)]
        assert sorted(met) == ["a", "b", "c", "d"], "nobody comes twice"
    assert len({tuple(one) for one in orders}) > 1
    assert order(3) == orders[3]


def test_epochs_and_seeds_draw_differently_and_the_same_again() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = Batches([1.0] * 50, size=7, seed=seed)
        batches.epoch = epoch
        return [one.index for batch in batches for one in batch]

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=20), st.integers(60, 400))
def test_a_cut_holds_each_pair_once_within_the_budget(lengths: list[tuple[int, int]], budget: int) -> None:
    examples = [example(a, b) for a, b in lengths]
    parts = cut(examples, micro_tokens=budget)
    assert sorted(i for part in parts for i in part) == list(range(len(examples)))
    for part in parts:
        assert 2 * len(part) * max(max(lengths[i]) for i in part) <= budget


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=20), st.integers(60, 400))
def test_without_padding_a_cut_counts_the_rows_own_tokens(lengths: list[tuple[int, int]], budget: int) -> None:
    parts = cut([example(a, b) for a, b in lengths], micro_tokens=budget, layout="side by side")
    assert sorted(i for part in parts for i in part) == list(range(len(lengths)))
    tokens = [[sum(lengths[i]) for i in part] for part in parts]
    assert all(sum(part) <= budget for part in tokens)
    assert all(sum(part) + after[0] > budget for part, after in itertools.pairwise(tokens))


def test_equal_rows_run_once() -> None:
    some = [example(3, 5), example(3, 4), example(5, 3)]
    rows, places = distinct_rows([one.chosen for one in some] + [one.rejected for one in some])
    assert [len(row.ids) for row in rows] == [3, 5, 4]
    assert places == [0, 0, 1, 1, 2, 0]  # chosen 3, 3, 5, then rejected 5, 4, 3


def test_tokens_are_of_all_rows() -> None:
    assert tokens_of(example(3, 5)) == 8
