"""The sealed plan: every prompt once, sides balanced, repeats swapped, attention spread, overlap exact."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import ConfigError, StudyError
from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.plan import Sources
from assay.study.plan.sealed_plan import balance_sides, make_plan
from assay.study.store.verification import seal
from assay.study.study_records import Editor, Item, Slot


def items(prompts: int, *, pairs: int = 1) -> list[Item]:
    return [
        Item(
            id=f"i{p}-{k}", prompt_id=f"p{p}", prompt=f"prompt {p}", answer_a="a", answer_b="b",
            system_a=f"s{k}", system_b=f"t{k}",
        )
        for p in range(prompts) for k in range(pairs)
    ]  # fmt: skip


ATTENTION = [
    Item(id=f"att{n}", prompt_id=f"att{n}", prompt="?", answer_a="good", answer_b="bad", system_a="good",
         system_b="bad", kind="attention", known="a")
    for n in range(10)
]  # fmt: skip


def people(count: int) -> list[Editor]:
    return [Editor(name=f"e{n}") for n in range(count)]


def plan(prompts: int, editors: int, *, seed: int = 0, pairs: int = 1, **options: object) -> list[Slot]:
    config = StudyConfig.build({"repeats": 0, "attention": 0, **options})
    return make_plan(items(prompts, pairs=pairs), ATTENTION, people(editors), config=config, seed=seed)


def by_editor(slots: list[Slot]) -> dict[str, list[Slot]]:
    found: dict[str, list[Slot]] = defaultdict(list)
    for slot in slots:
        found[slot.editor].append(slot)
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 10**9))
def test_every_editor_judges_every_prompt_once_with_balanced_sides(prompts: int, editors: int, seed: int) -> None:
    slots = plan(prompts, editors, seed=seed)
    assert len(slots) == prompts * editors
    for own in by_editor(slots).values():
        assert sorted(slot.item for slot in own) == sorted(item.id for item in items(prompts))
        assert [slot.position for slot in own] == list(range(1, prompts + 1))
        left = sum(slot.left == "a" for slot in own)
        assert abs(2 * left - prompts) <= 1
    per_item = Counter((slot.item, slot.left) for slot in slots)
    for item in items(prompts):
        assert abs(per_item[item.id, "a"] - per_item[item.id, "b"]) <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8).map(str)), min_size=1, unique=True), st.integers())
def test_sides_balance_at_every_node_of_any_graph(edges: list[tuple[int, str]], seed: int) -> None:
    sides = balance_sides(edges, random.Random(seed))
    assert len(sides) == len(edges)
    for end in (0, 1):
        difference: Counter[object] = Counter()
        for edge, side in zip(edges, sides, strict=True):
            difference[edge[end]] += 1 if side == "a" else -1
        assert all(abs(value) <= 1 for value in difference.values())


@pytest.mark.parametrize(("prompts", "editors"), [(1, 1), (3, 1), (3, 3)])
def test_each_side_is_a_coin_over_seeds(prompts: int, editors: int) -> None:
    # 400 plans: each (editor, prompt) has a on the left about half the time. sd of a share is 0.025; 5 sd is 0.125.
    shares: Counter[tuple[str, str]] = Counter()
    for seed in range(400):
        shares.update((slot.editor, slot.item) for slot in plan(prompts, editors, seed=seed) if slot.left == "a")
    assert len(shares) == prompts * editors
    assert all(abs(count / 400 - 0.5) < 0.125 for count in shares.values())


def test_repeats_come_in_the_second_half_with_sides_swapped() -> None:
    slots = plan(20, 3, repeats=6, seed=3)
    for own in by_editor(slots).values():
        first = {slot.item: slot for slot in own if slot.kind == "real"}
        again = [slot for slot in own if slot.kind == "repeat"]
        assert len(again) == 6
        assert len({slot.item for slot in again}) == 6
        for slot in again:
            assert slot.left != first[slot.item].left
            assert first[slot.item].position <= 10 < slot.position


def test_attention_items_are_spread_and_their_sides_balanced() -> None:
    slots = plan(30, 4, attention=4, seed=5)
    for own in by_editor(slots).values():
        places = [slot for slot in own if slot.kind == "attention"]
        assert Counter(slot.left for slot in places) == {"a": 2, "b": 2}
        gaps = [b.position - a.position for a, b in pairwise(places)]
        assert all(1 <= gap <= 17 for gap in gaps)


def test_repeats_are_five_unless_the_study_is_too_small() -> None:
    assert sum(slot.kind == "repeat" for slot in plan(40, 1, repeats=None)) == 5
    assert sum(slot.kind == "repeat" for slot in plan(7, 1, repeats=None)) == 3
    assert sum(slot.kind == "repeat" for slot in plan(1, 1, repeats=None)) == 0


def test_overlap_is_exact_and_the_load_even() -> None:
    slots = plan(31, 5, overlap=3, seed=1)
    assert set(Counter(slot.item for slot in slots).values()) == {3}
    load = Counter(slot.editor for slot in slots)
    assert max(load.values()) - min(load.values()) <= 1
    met = Counter(
        (one.editor, other.editor)
        for one in slots for other in slots
        if one.item == other.item and one.editor < other.editor
    )  # fmt: skip
    assert len(met) == 10  # every two editors share prompts, so agreement is not between neighbours only
    assert min(met.values()) >= 6


def test_with_three_systems_each_editor_gets_one_pair_a_prompt_and_all_pairs_are_covered_evenly() -> None:
    slots = plan(12, 3, pairs=3, seed=2)
    for own in by_editor(slots).values():
        assert len({slot.item.split("-")[0] for slot in own}) == len(own) == 12
    assert Counter(slot.item for slot in slots) == {item.id: 1 for item in items(12, pairs=3)}
    assert len(plan(12, 3, pairs=3, pairs_per_prompt="all")) == 12 * 3 * 3


def test_the_seed_says_everything_and_different_seeds_differ() -> None:
    def told(seed: int) -> list[tuple[object, ...]]:
        return [(s.editor, s.position, s.item, s.left, s.kind) for s in plan(10, 3, seed=seed, repeats=2, attention=2)]

    assert told(4) == told(4)
    assert told(4) != told(5)
    orders = {tuple(slot.item for slot in own) for own in by_editor(plan(10, 3, seed=4)).values()}
    assert len(orders) == 3  # each editor has an order of their own


def test_showings_are_random_names_that_do_not_come_from_the_seed() -> None:
    slots = plan(50, 4, repeats=5, attention=3)
    assert len({slot.showing for slot in slots}) == len(slots)
    assert all(len(slot.showing) == 24 for slot in slots)
    assert not {s.showing for s in slots} & {s.showing for s in plan(50, 4, repeats=5, attention=3)}


def test_the_seal_covers_sides_order_texts_and_systems() -> None:
    slots = plan(4, 2)
    whole = seal(items(4), slots)
    assert whole == seal(list(reversed(items(4))), list(reversed(slots)))
    import dataclasses

    assert whole != seal(
        items(4), [dataclasses.replace(slots[0], left="a" if slots[0].left == "b" else "b"), *slots[1:]]
    )
    changed = dataclasses.replace(items(4)[0], answer_a="other")
    assert whole != seal([changed, *items(4)[1:]], slots)


@pytest.mark.parametrize(
    ("options", "editors", "message"),
    [
        ({}, 0, "at least one editor"),
        ({"overlap": 4}, 3, "overlap=4 editors per prompt, but there are 3"),
        ({"repeats": 6}, 2, "at most half"),
        ({"attention": 11}, 2, "there are 10 attention items"),
    ],
)
def test_designs_that_do_not_exist_are_refused(options: dict[str, object], editors: int, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        plan(10, editors, **options)


def test_two_editors_of_one_name_are_refused() -> None:
    with pytest.raises(StudyError, match="same name"):
        make_plan(items(4), ATTENTION, [Editor(name="x"), Editor(name="x")], config=StudyConfig(repeats=0), seed=0)


def test_aspects_must_be_distinct_words() -> None:
    with pytest.raises(ConfigError, match="distinct words"):
        StudyConfig.build({"aspects": ["helpful", "helpful"]})


def pair_file(folder: Path, prompts: int, each: int) -> Path:
    path = folder / "pairs.jsonl"
    rows = [
        {"prompt": f"Question {p}?", "chosen": f"yes {p} {k}", "rejected": f"no {p} {k}"}
        for p in range(prompts)
        for k in range(each)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_pairs_that_share_a_prompt_are_all_judged_and_counted_as_one_prompt(tmp_path) -> None:
    sources, people = Sources(pairs=pair_file(tmp_path, 6, 3)), [Editor(name="a"), Editor(name="b")]
    made = create_study(tmp_path / "all.db", sources, people, config=StudyConfig.build({"attention": 0, "repeats": 0}))
    assert (made.prompts, made.showings) == (6, 2 * 18)
    assert made.power.editors == 6  # votes a prompt gets
    assert made.notes == ("6 prompts have several pairs of answers; votes on one prompt count as alike.",)
    one = StudyConfig.build({"attention": 0, "repeats": 0, "pairs_per_prompt": "one"})
    few = create_study(tmp_path / "one.db", sources, people, config=one)
    assert (few.prompts, few.showings, few.power.editors) == (6, 2 * 6, 2)
    assert any(note.startswith("6 of 18 pairs are shown to nobody") for note in few.notes)


def test_a_plan_without_overlap_says_that_agreement_cannot_be_had(tmp_path) -> None:
    sources, people = Sources(pairs=pair_file(tmp_path, 6, 1)), [Editor(name="a"), Editor(name="b")]
    for overlap, told in ((1, True), (2, False)):
        config = StudyConfig.build({"attention": 0, "repeats": 0, "overlap": overlap})
        made = create_study(tmp_path / f"{overlap}.db", sources, people, config=config)
        assert any("judged by two editors" in note for note in made.notes) == told
