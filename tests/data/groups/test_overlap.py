"""Duplicates, conflicts, near-duplicate prompts, groups: found where planted, silent where not, whatever the order."""

from __future__ import annotations

import random
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data import contamination, prompt_groups, read_pairs
from assay.data.config import DataConfig
from assay.data.groups.near import PromptIndex
from assay.data.groups.overlap import OverlapIndex
from assay.data.groups.shingles import normalised, shingle
from assay.records import Message, Pair

WORDS = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nrstv"]


def pair(prompt: Any, chosen: str = "x", rejected: str = "y", **more: Any) -> Pair:
    return Pair(
        id=more.pop("id", f"{prompt}{chosen}{rejected}"[:40]), prompt=prompt, chosen=chosen, rejected=rejected, **more
    )


def sentence(rng: random.Random, words: int = 60) -> list[str]:
    return [rng.choice(WORDS) for _ in range(words)]


def changed(rng: random.Random, words: list[str], times: int) -> list[str]:
    out = [*words]
    for place in rng.sample(range(len(words)), times):
        out[place] = "changed" + rng.choice(WORDS)
    return out


# --- exact repeats ----------------------------------------------------------------------------------------------------


def test_the_first_of_duplicates_stays_and_the_rest_say_where_it_is() -> None:
    found = read_pairs([pair("Q"), pair("R"), pair("Q"), pair("Q", id="other")])
    assert [p.prompt for p in found.pairs] == ["Q", "R"]
    assert [(r.where.line, r.reason, r.detail) for r in found.rejects] == [
        (3, "duplicate", "the same pair as memory:1"), (4, "duplicate", "the same pair as memory:1"),
    ]  # fmt: skip


def test_a_pair_labelled_both_ways_goes_to_review_with_all_its_rows() -> None:
    found = read_pairs([pair("Q", "x", "y"), pair("Q", "y", "x"), pair("Q", "x", "y"), pair("R")])
    assert [r.reason for r in found.rejects] == ["conflicting_labels"] * 3
    assert [p.prompt for p in found.pairs] == ["R"]
    assert found.report.overlap.conflicting == 3


def test_the_same_answers_to_another_prompt_or_another_answer_are_no_repeat() -> None:
    assert len(read_pairs([pair("Q"), pair("R"), pair("Q", "z"), pair("Q", "x", "z")]).pairs) == 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from("pq"), st.sampled_from("xyz"), st.sampled_from("xyz")]), max_size=14))
def test_repeats_are_what_a_plain_loop_finds(rows: list[tuple[str, str, str]]) -> None:
    rows = [row for row in rows if row[1] != row[2]]
    found = read_pairs([pair(*row) for row in rows] or [pair("only")])
    keys = [(p, frozenset((c, r))) for p, c, r in rows]
    ways = {key: {row[1] for row, k in zip(rows, keys, strict=True) if k == key} for key in keys}
    conflicting = sum(len(ways[key]) > 1 for key in keys)
    duplicates = len(keys) - conflicting - len({key for key in keys if len(ways[key]) == 1})
    assert (found.report.rejects["conflicting_labels"], found.report.rejects["duplicate"]) == (
        conflicting,
        duplicates,
    )


# --- word pairs -------------------------------------------------------------------------------------------------------


def sets(*texts: str) -> list[set[int]]:
    tokens, starts = shingle([normalised(text) for text in texts])
    return [set(tokens[a:b].tolist()) for a, b in pairwise(starts)]


def test_word_pairs_by_hand() -> None:
    a, b, c = sets("The cat sat.", "the CAT  sat", "cat sat down")
    assert a == b  # the-cat, cat-sat: case, points and spaces do not count
    assert (len(a), len(c), len(a & c)) == (2, 2, 1)  # cat-sat is shared


def test_one_word_no_words_and_scripts_without_spaces() -> None:
    one, none, chinese, other, thai = sets("gold", "?!", "今天天气很好", "今天天气不好", "สวัสดีครับ")
    assert (len(one), len(none)) == (1, 0)
    assert len(chinese) == 5  # six characters, each a word
    assert 0 < len(chinese & other) < 5
    assert len(thai) > 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=6))
def test_each_text_has_the_same_word_pairs_alone_and_in_company(texts: list[str]) -> None:
    assert sets(*texts) == [sets(text)[0] for text in texts]


@given(st.lists(st.sampled_from(["ab", "ba", "a", "b", "abc"]), max_size=8))
def test_words_are_told_apart_and_counted_as_a_plain_loop_does(words: list[str]) -> None:
    expected = len(set(pairwise(words))) if len(words) != 1 else 1
    assert len(sets(" ".join(words))[0]) == expected


# --- near-duplicates --------------------------------------------------------------------------------------------------


def exact_links(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    parts = sets(*texts)
    return {
        (i, j) for i, j in combinations(range(len(parts)), 2)
        if len(parts[i] & parts[j]) >= threshold * len(parts[i] | parts[j]) > 0
    }  # fmt: skip


def found_links(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    index = PromptIndex()
    for text in texts:
        index.add(normalised(text))
    near = index.near(threshold=threshold, seed=0, order=np.arange(len(texts), dtype=np.uint64))
    return {(int(i), int(j)) for i, j in near.links}


def islands(links: set[tuple[int, int]], count: int) -> set[frozenset[int]]:
    """What hangs together, by a plain loop."""
    found = [{n} for n in range(count)]
    for i, j in links:
        if found[i] is not found[j]:
            found[i] |= found[j]
            for k in found[j]:
                found[k] = found[i]
    return {frozenset(island) for island in found}


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9])
def test_links_are_those_of_comparing_everything_with_everything(threshold: float) -> None:
    rng = random.Random(3)
    texts = []
    for _ in range(60):
        base = sentence(rng)
        texts += [" ".join(changed(rng, base, times)) for times in (0, 1, 2, 5)]
    expected, found = exact_links(texts, threshold), found_links(texts, threshold)
    assert found <= expected  # no false merges, ever
    assert islands(found, len(texts)) == islands(expected, len(texts))
    assert len(expected) > 50


def test_a_weaker_check_would_be_seen() -> None:
    """Without the exact comparison MinHash alone does merge what it should not."""
    rng = random.Random(4)
    base = sentence(rng)
    texts = [" ".join(changed(rng, base, times)) for times in range(0, 24, 2)]
    index = PromptIndex()
    index.verify = lambda left_P, *_, **__: np.ones(len(left_P), dtype=bool)  # type: ignore[method-assign]
    for text in texts:
        index.add(text)
    loose = index.near(threshold=0.8, seed=0, order=np.arange(len(texts), dtype=np.uint64)).links
    assert {tuple(link) for link in loose.tolist()} - exact_links(texts, 0.8)


def desk(rng: random.Random, tickets: int) -> list[str]:
    """Prompts under one long header, as a support desk has them."""
    header = " ".join(sentence(rng, 400))
    return [f"{header} Customer: {' '.join(sentence(rng, 30))}" for _ in range(tickets)]


@pytest.mark.parametrize("tickets", [12, 40, 300])
def test_a_shared_header_does_not_make_near_duplicates(tickets: int) -> None:
    prompts = desk(random.Random(5), tickets)
    assert len(exact_links(prompts[:5], 0.8)) == 10  # over all words they are alike
    assert len(set(prompt_groups([pair(prompt) for prompt in prompts]))) == tickets


def test_a_shared_header_and_a_third_of_the_message_is_not_enough() -> None:
    rng = random.Random(16)
    prompts = desk(rng, 100)
    siblings = [" ".join([*prompt.split()[:-13], *sentence(rng, 13)]) for prompt in prompts]  # 17 of 30 words stay
    assert len(exact_links([prompts[0], siblings[0]], 0.8)) == 1  # over all words they are alike
    groups = prompt_groups([pair(prompt) for prompt in [*prompts, *siblings]])
    assert len(set(groups)) == 200


def test_a_leaked_prompt_under_a_shared_header_is_found() -> None:
    rng = random.Random(6)
    prompts = desk(rng, 200)
    leaked = " ".join(changed(rng, prompts[17].split(), 0)[:-1]) + " please"
    groups = prompt_groups([pair(prompt) for prompt in [*prompts, leaked]])
    assert groups[17] == groups[200]
    assert len(set(groups)) == 200


def test_one_large_group_is_named_in_a_warning() -> None:
    rng = random.Random(7)
    rows = [pair(" ".join(sentence(rng)), group="the big one" if n < 80 else None) for n in range(200)]
    (warning,) = read_pairs(rows).report.warnings
    assert "the big one" in warning
    assert "80 pairs, 40%" in warning
    assert read_pairs(rows[75:]).report.warnings == []


def test_unrelated_prompts_raise_no_alarm() -> None:
    rng = random.Random(8)
    report = read_pairs([pair(" ".join(sentence(rng, 25))) for _ in range(2000)]).report
    assert report.overlap.near_duplicate_prompts == 0
    assert report.overlap.groups == 2000


# --- groups -----------------------------------------------------------------------------------------------------------


def test_groups_join_through_names_same_prompts_and_near_duplicates() -> None:
    rng = random.Random(9)
    base = sentence(rng)
    near = changed(rng, base, 1)
    chain = [
        pair(" ".join(base), id="1"),
        pair(" ".join(near), id="2", group="g"),  # near 1
        pair("Something else entirely", id="3", group="g"),  # the group of 2
        pair("something  ELSE entirely", id="4"),  # the prompt of 3, up to case and spaces
        pair((Message(role="user", content="Something else entirely"),), id="5"),  # and as a message
        pair("Alone", id="6"),
    ]
    groups = prompt_groups(chain)
    assert groups[:5] == ["g"] * 5
    assert groups[5] not in ("g", "")
    assert len(set(prompt_groups(chain, threshold=None))) == 3  # without near-duplicates 1 stands alone


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order(rng: random.Random) -> None:
    source = random.Random(10)
    pairs = []
    for number in range(30):
        base = sentence(source, 40)
        group = f"s{number % 25}" if number % 4 == 0 else None
        pairs += [pair(" ".join(changed(source, base, n)), id=f"{number}-{n}", group=group) for n in range(3)]
    expected = dict(zip((p.id for p in pairs), prompt_groups(pairs), strict=True))
    rng.shuffle(pairs)
    assert dict(zip((p.id for p in pairs), prompt_groups(pairs), strict=True)) == expected


def test_many_prompts_use_other_bands_and_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)
    prompts = [" ".join(sentence(rng)) for _ in range(300)]
    near = [" ".join(changed(rng, prompts[n].split(), 1)) for n in range(50)]
    pairs = [pair(prompt) for prompt in prompts + near]
    few = prompt_groups(pairs)
    monkeypatch.setattr("assay.data.groups.near.FEW_PROMPTS", 10)
    assert prompt_groups(pairs) == few
    assert len(set(few)) == 300


def test_a_crowd_in_one_bucket_is_handled_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.data.groups.candidate_pairs.CROWD", 4)
    base = sentence(random.Random(12), 200)
    copies = [" ".join(base) + "!" * n for n in range(9)]  # one normalised prompt each, the same word pairs
    index = PromptIndex()
    for copy in copies:
        index.add(copy)
    near = index.near(threshold=0.8, seed=0, order=np.arange(9, dtype=np.uint64))
    assert near.crowded_buckets > 0
    assert {int(i) for link in near.links for i in link} == set(range(9))


def test_word_pairs_survive_being_put_away_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(13)
    prompts = [" ".join(sentence(rng)) for _ in range(50)]
    pairs = [pair(prompt) for prompt in [*prompts, " ".join(changed(rng, prompts[0].split(), 1))]]
    expected = prompt_groups(pairs)
    monkeypatch.setattr("assay.data.groups.near.FLUSH_CHARACTERS", 100)
    assert prompt_groups(pairs) == expected
    assert expected[0] == expected[50]


def test_the_threshold_is_read() -> None:
    rng = random.Random(14)
    base = sentence(rng, 40)
    rows = [pair(" ".join(base)), pair(" ".join(changed(rng, base, 3)))]  # 33 of 45 word pairs: 0.73
    near = {t: read_pairs(rows, config=DataConfig(near_duplicates=t)).report.overlap for t in (0.7, 0.8, None)}
    assert [near[t].groups for t in (0.7, 0.8, None)] == [1, 2, 2]
    assert near[None].near_duplicate_prompts is None


def test_the_index_keeps_no_texts() -> None:
    ledger = OverlapIndex(near_duplicates=None, seed=0)
    for number in range(100):
        ledger.add(pair(f"prompt {number} " + "x" * 1000))
    assert ledger.index.texts == []
    assert len(ledger) == len(ledger.prompts) == 100


# --- contamination ----------------------------------------------------------------------------------------------------


def test_prompts_of_a_benchmark_are_found_exactly_and_nearly() -> None:
    rng = random.Random(15)
    own = [sentence(rng) for _ in range(20)]
    pairs = [pair(" ".join(words)) for words in own]
    benchmark = [" ".join(own[3]).upper(), " ".join(changed(rng, own[5], 1)), " ".join(sentence(rng))]
    found = contamination(pairs, benchmark)
    assert (found.pairs, found.same, found.near) == ((3, 5), 1, 1)
    assert contamination(pairs, benchmark, threshold=None).pairs == (3,)
    assert contamination(pairs, [pair(" ".join(own[0]))]).report()["pairs_with_the_same_prompt"] == 1
