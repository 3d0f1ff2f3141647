"""Packing by hand, by property, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.engine.trie import common_beginning, common_prefix, distinct_tokens, pack, plan
from assay.errors import ConfigError, EmptyBatchError, InputError
from tests.support.unshared import last_places, side_by_side

# Few different ids and short rows, so that shared prefixes, equal rows and rows that begin others are common.
ROWS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=7), min_size=1, max_size=9)


def test_two_answers_share_their_prompt_by_hand() -> None:
    trie = pack([[7, 8, 1, 2], [7, 8, 3]])
    # 7 8 stand once, then each answer: 5 tokens for 7.
    assert trie.ids_L.tolist() == [7, 8, 1, 2, 3]
    assert trie.positions_L.tolist() == [0, 1, 2, 3, 2]
    assert trie.exits_L.tolist() == [5, 5, 4, 4, 5]
    assert last_places(trie).tolist() == [3, 4]
    assert trie.row(1).tolist() == [0, 1, 4]
    assert trie.segments() == ((0, 2, 5, 0), (2, 4, 4, 2), (4, 5, 5, 2))
    assert trie.mask_LL().astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_common_beginning_by_hand() -> None:
    assert common_beginning([[1, 2, 3], [1, 2, 4]]).tolist() == [1, 2]
    assert common_beginning([[1, 2], [1, 2]]).tolist() == [1]
    assert common_beginning([[1], [2]]).tolist() == []


def test_identical_rows_and_prefixes_cost_nothing() -> None:
    trie = pack([[4, 5, 6], [4, 5], [4, 5, 6], [4]])
    assert trie.tokens == 3
    assert last_places(trie).tolist() == [2, 1, 2, 0]
    assert len(trie.segments()) == 1


def test_rows_with_nothing_in_common_see_nothing_of_each_other() -> None:
    trie = pack([[1, 2], [3]])
    assert not trie.mask_LL()[trie.row(1)[0], trie.row(0)].any()


@given(ROWS)
@settings(max_examples=200, deadline=None)
def test_every_row_reads_back_with_its_own_positions(rows: list[list[int]]) -> None:
    trie = pack(rows)
    for n, row in enumerate(rows):
        assert trie.ids_L[trie.row(n)].tolist() == row
        assert trie.positions_L[trie.row(n)].tolist() == list(range(len(row)))


@given(ROWS)
@settings(max_examples=200, deadline=None)
def test_each_distinct_prefix_stands_exactly_once(rows: list[list[int]]) -> None:
    prefixes = {tuple(row[:end]) for row in rows for end in range(1, len(row) + 1)}
    assert pack(rows).tokens == len(prefixes) == distinct_tokens(rows)


@given(ROWS)
@settings(max_examples=200, deadline=None)
def test_a_token_sees_itself_and_its_ancestors_only(rows: list[list[int]]) -> None:
    trie = pack(rows)
    expected = np.zeros((trie.tokens, trie.tokens), dtype=bool)
    for n in range(len(rows)):
        path = trie.row(n)
        for place, token in enumerate(path):
            expected[token, path[: place + 1]] = True
    assert (trie.mask_LL() == expected).all()


@given(ROWS)
@settings(max_examples=200, deadline=None)
def test_segments_rebuild_the_mask(rows: list[list[int]]) -> None:
    trie = pack(rows)
    seen = np.zeros((trie.tokens, trie.tokens), dtype=int)
    for start, end, exit_, depth in trie.segments():
        assert trie.positions_L[start] == depth
        seen[start:end, start:end] += np.tri(end - start, dtype=int)
        seen[end:exit_, start:end] += 1
    assert (seen == trie.mask_LL()).all()  # every pair of tokens computed, and none twice


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_of_rows_does_not_change_the_pack(rows: list[list[int]], random: object) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = pack(rows), pack([rows[n] for n in order])
    assert one.ids_L.tolist() == other.ids_L.tolist()
    assert [one.row(n).tolist() for n in order] == [other.row(n).tolist() for n in range(len(rows))]


def test_gather_fills_after_each_row() -> None:
    trie = pack([[1, 2], [1, 3, 4]])
    assert trie.gather_NT(filler=-1).tolist() == [[0, 1, -1], [0, 2, 3]]


@given(st.lists(ROWS, min_size=1, max_size=6), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_plans_hold_every_group_once_within_budget(groups: list[list[list[int]]], budget: int) -> None:
    packs = plan(groups, token_budget=budget)
    assert sorted(group for members in packs for group in members) == list(range(len(groups)))
    for members in packs:
        tokens = pack([row for group in members for row in groups[group]]).tokens
        assert tokens <= budget or len(members) == 1


def test_plan_fills_packs_evenly() -> None:
    random = np.random.default_rng(0)
    groups = [[random.integers(0, 9999, 100).tolist()] for _ in range(10)]
    sizes = [100 * len(members) for members in plan(groups, token_budget=400)]
    assert sorted(sizes) == [300, 300, 400]  # not 400, 400, 200


def test_common_prefix_by_hand() -> None:
    assert common_prefix(np.array([1, 2, 3]), np.array([1, 2, 4])) == 2
    assert common_prefix(np.array([1, 2]), np.array([1, 2, 4])) == 2
    assert common_prefix(np.array([5]), np.array([6])) == 0


def test_nothing_to_pack_is_an_error_of_its_own() -> None:
    with pytest.raises(EmptyBatchError, match="no rows"):
        pack([])
    with pytest.raises(EmptyBatchError, match="no rows"):
        plan([], token_budget=8)
    with pytest.raises(InputError, match="row 1 has shape"):
        pack([[1], []])
    with pytest.raises(ConfigError, match="token_budget is 0"):
        plan([[[1]]], token_budget=0)


@given(ROWS)
@settings(max_examples=50, deadline=None)
def test_side_by_side_shares_nothing(rows: list[list[int]]) -> None:
    trie = side_by_side(rows)
    assert trie.tokens == sum(map(len, rows))
    assert [trie.ids_L[trie.row(n)].tolist() for n in range(len(rows))] == rows
    for n in range(len(rows)):
        assert trie.mask_LL()[trie.row(n)].sum() == len(rows[n]) * (len(rows[n]) + 1) // 2
