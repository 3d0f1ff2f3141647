"""Which beginnings are kept, counted by hand, and that nothing is lost in the counting."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.engine.kept_plan import kept_families
from assay.engine.trie import distinct_tokens

RANDOM = np.random.default_rng(0)


def answers(count: int, tokens: int = 10) -> list[list[int]]:
    """Answers that differ in their first token, so that nothing of them is shared."""
    return [[1000 + n, *RANDOM.integers(3, 96, tokens - 1).tolist()] for n in range(count)]


PROMPT = list(range(100, 141))  # 41 tokens, of which 40 may be kept
ROWS = [PROMPT + answer for answer in answers(8)]


def test_pairs_that_share_no_answer_stay_whole() -> None:
    groups = [ROWS[n : n + 2] for n in range(0, 8, 2)]
    (family,) = kept_families(groups, [40] * 4, token_budget=70, shortest=8)
    assert family.beginning.tolist() == PROMPT[:40]
    # 70 tokens hold the last prompt token and three pairs of 20; evenly that is two and two.
    assert [len(passes) for passes in family.passes] == [2, 2]
    assert sorted(family.members) == [0, 1, 2, 3]
    assert (family.apart, family.recomputed, family.room) == (False, True, 70)
    # the prompt forward, again, and back: 40 x 4; two passes of 1 + 40 tokens, forward and back
    assert family.cost == 40 * 4 + 2 * 41 * 3
    # against four packs of 41 + 20 tokens, forward and back: 732


def test_a_prompt_of_at_most_half_a_pass_is_held() -> None:
    groups = [ROWS[n : n + 2] for n in range(0, 8, 2)]
    (family,) = kept_families(groups, [40] * 4, token_budget=90, shortest=8)
    assert (family.recomputed, family.room) == (False, 50)
    assert family.cost == 40 * 3 + 2 * 41 * 3


def test_the_best_answer_against_each_other_stands_once_a_pass() -> None:
    for best in (0, 4, 7):  # wherever its ids sort it
        groups = [[ROWS[best], other] for n, other in enumerate(ROWS) if n != best]
        (family,) = kept_families(groups, [40] * 7, token_budget=60, shortest=8)
        assert not family.apart
        assert sorted(map(len, family.passes)) == [3, 4]  # the last prompt token, the best, and four of ten tokens
        assert family.cost == 40 * 4 + (2 * 11 + 7 * 10) * 3


def test_all_pairs_of_some_answers_run_apart() -> None:
    groups = [list(pair) for pair in itertools.combinations(ROWS, 2)]
    (family,) = kept_families(groups, [40] * 28, token_budget=60, shortest=8)
    assert family.apart
    assert family.passes == (tuple(range(28)),)
    # eight answers of 10 in two passes with the last prompt token in each, two forward and one back
    assert family.cost == 40 * 4 + 2 * 41 * 4
    (whole,) = kept_families(groups, [40] * 28, token_budget=60, shortest=8, may_cut=False)
    assert not whole.apart
    assert sorted(whole.members) == list(range(28))
    assert whole.cost > family.cost


def test_what_one_pass_holds_is_one_pass_and_keeps_nothing() -> None:
    groups = [list(pair) for pair in itertools.combinations(ROWS, 2)]  # 41 + 80 tokens, though each pair has 61
    (family,) = kept_families(groups, [40] * 28, token_budget=121, shortest=8)
    assert not len(family.beginning)
    assert family.passes == (tuple(range(28)),)
    assert family.cost == 121 * 3


def test_a_header_of_many_prompts_is_kept_as_one() -> None:
    groups = [[[*range(100, 150), prompt, *answer] for answer in answers(2, 5)] for prompt in range(200, 210)]
    (family,) = kept_families(groups, [50] * 10, token_budget=80, shortest=8)
    assert len(family.beginning) == 50
    assert sorted(family.members) == list(range(10))


def test_two_long_prompts_behind_a_short_header_are_two_families() -> None:
    header = list(range(100, 110))
    groups = [
        [[*header, *range(prompt, prompt + 50), *answer] for answer in answers(2)]
        for prompt in (200, 300)
        for _ in range(4)
    ]
    found = kept_families(groups, [59] * 8, token_budget=90, shortest=8)
    assert [len(family.beginning) for family in found] == [59, 59]
    assert [sorted(family.members) for family in found] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_conversation_with_a_group_at_each_of_a_thousand_turns_is_planned() -> None:
    """Each turn begins with all before it, so that every group but the last is parted from the ones after it."""
    talk = [100 + n % 7 for n in range(1_100)]
    groups = [[[*talk[:length], 900 + length, 1], [*talk[:length], 2_100 + length, 1]] for length in range(50, 1_100)]
    (family,) = kept_families(groups, [len(rows[0]) - 2 for rows in groups], token_budget=1_200, shortest=8)
    assert len(family.beginning) >= 50
    assert len(set(family.members)) == len(family.members)


def test_nothing_is_kept_where_nothing_is_gained() -> None:
    short = [[[1, 2, 3, *answer] for answer in answers(2)] for _ in range(8)]
    assert not kept_families(short, [2] * 8, token_budget=50)  # too short to be worth a pass
    apart = [[[n] * 70 + answer for answer in answers(2)] for n in range(200, 208)]
    assert not kept_families(apart, [69] * 8, token_budget=100)  # prompts with one pair each
    assert not kept_families([ROWS], [40], token_budget=60)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),  # which prompt
            st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=8), min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(20, 60),
    st.booleans(),
)
def test_every_group_is_in_one_pass_and_no_pass_is_over_its_room(
    asked: list[tuple[int, list[list[int]]]], budget: int, may_cut: bool
) -> None:
    groups = [[[9] * 6 + [prompt] * 12 + answer for answer in rows] for prompt, rows in asked]
    families = kept_families(groups, [17] * len(groups), token_budget=budget, may_cut=may_cut, shortest=2)
    members = [group for family in families for group in family.members]
    assert len(members) == len(set(members))
    for family in families:
        start = len(family.beginning)
        assert all(row[:start] == family.beginning.tolist() for group in family.members for row in groups[group])
        assert may_cut or not family.apart
        for passes in family.passes if not family.apart else ():
            own = [row[start:] for group in passes for row in groups[group]]
            assert len(passes) == 1 or distinct_tokens(own) <= family.room
        assert family.room + start * (not family.recomputed) <= budget
