"""Drawing is the experiment, cutting is arithmetic."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.models.config import ModelConfig
from assay.render.encoder import Encoded, Renderer
from assay.train.batches import Example, PairBatches, cut, distinct_rows, encode_pairs
from assay.train.config import LossConfig
from assay.train.losses.targets import Target
from tests.support import tiny_bases as tiny

WIN = Target(win=1, tie=0, loss=0)


def example(chosen: int, rejected: int) -> Example:
    def row(length: int) -> Encoded:
        return Encoded(ids=tuple(range(length)), prompt_tokens=1, type_ids=None)

    return Example(pair_id=f"{chosen}-{rejected}", chosen=row(chosen), rejected=row(rejected), target=WIN)


@given(st.integers(1, 70), st.integers(1, 20), st.integers(0, 3), st.integers(1, 3))
def test_every_epoch_sees_each_pair_once_with_weights_that_sum_to_1(n: int, size: int, epoch: int, world: int) -> None:
    ranks = [PairBatches(n, batch_pairs=size, seed=5, rank=rank, world=world) for rank in range(world)]
    for batches in ranks:
        batches.epoch = epoch
    seen: Counter[int] = Counter()
    for shares in zip(*ranks, strict=True):
        drawn = [one for share in shares for one in share]
        assert all(shares), "every process takes part"
        assert sum(one.weight for one in drawn) == pytest.approx(1)
        counted = [one.index for one in drawn if one.weight]
        assert len(counted) <= size
        seen.update(counted)
    assert seen == Counter(range(n))


def test_epochs_and_seeds_draw_differently_and_the_same_again() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = PairBatches(50, batch_pairs=7, seed=seed)
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


def test_equal_rows_run_once() -> None:
    rows, places = distinct_rows([example(3, 5), example(3, 4), example(5, 3)])
    assert [len(row.ids) for row in rows] == [3, 5, 4]
    assert places == [0, 0, 1, 1, 2, 0]  # chosen 3, 3, 5, then rejected 5, 4, 3


def test_a_row_over_max_tokens_is_refused(tmp_path: object) -> None:
    renderer = Renderer.from_pretrained(str(tiny.base(tmp_path / "base")))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"p0-0 has \d+ tokens"):
        encode_pairs(tiny.pairs(1), renderer, model=ModelConfig(max_tokens=4), loss=LossConfig())
