"""The support desk keeps its promises: counts, balance, shape, bounds, and text fit to be read."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest

from assay.errors import ConfigError
from assay.simulate.support import CATEGORIES, Simulation, support
from assay.simulate.support.annotators import ANNOTATORS, Annotator, vote
from assay.simulate.support.utility import Answer, Quality, utility

Row = dict[str, Any]


@pytest.fixture(scope="module")
def desk() -> Simulation:
    return support(3000, seed=4)


def test_the_number_of_pairs_is_exact_and_categories_are_equal() -> None:
    for pairs in (1, 7, 103, 500):
        rows = support(pairs, seed=1).rows
        assert len(rows) == pairs
        counts = Counter(row["category"] for row in rows)
        assert max(counts.values()) - min(counts[name] for name in CATEGORIES) <= 1


def test_same_seed_same_rows_other_seed_other_rows() -> None:
    first, again, other = support(200, seed=5), support(200, seed=5), support(200, seed=6)
    assert first.rows == again.rows
    assert first.truth == again.truth
    assert not {row["prompt"] for row in first.rows} & {row["prompt"] for row in other.rows}


def test_rows_are_in_assays_own_layout(desk: Simulation) -> None:
    ids = [row["id"] for row in desk.rows]
    assert len(set(ids)) == len(ids)
    for row in desk.rows:
        assert set(row) == {"id", "prompt", "chosen", "rejected", "category", "group", "votes", "source"}
        assert row["chosen"] != row["rejected"]
        assert [v["annotator"] for v in row["votes"]] == [a.name for a in ANNOTATORS]
        assert sum(v["choice"] == "chosen" for v in row["votes"]) >= 2
        assert {v["shown_left"] for v in row["votes"]} <= {"chosen", "rejected"}


def test_no_pair_comes_twice(desk: Simulation) -> None:
    pairs = Counter((row["prompt"], frozenset((row["chosen"], row["rejected"]))) for row in desk.rows)
    assert max(pairs.values()) == 1


def test_several_pairs_a_group_several_candidates_a_prompt(desk: Simulation) -> None:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in desk.rows:
        groups[row["group"]].append(row)
    assert all(len({row["prompt"] for row in rows}) == 1 for rows in groups.values())
    assert len({row["prompt"] for row in desk.rows}) == len(groups)
    sizes = Counter(len(rows) for rows in groups.values())
    assert set(sizes) <= {1, 2, 3, 4}
    assert sizes[1] <= len(CATEGORIES)  # only the group at the end of a category is cut short
    candidates = [len({text for row in rows for text in (row["chosen"], row["rejected"])}) for rows in groups.values()]
    assert np.mean([count >= 3 for count in candidates]) > 0.6


def test_the_oracle_is_known_and_above_85_percent_everywhere(desk: Simulation) -> None:
    oracle = desk.truth["oracle"]
    assert oracle["n"] == len(desk.rows)
    assert all(part["accuracy"] > 0.85 for part in oracle["by_category"].values())
    assert oracle["accuracy"] < 0.995  # the annotators are people
    hits = [a > b for a, b in (truth["utility"] for truth in desk.truth["rows"].values())]
    assert oracle["accuracy"] == pytest.approx(np.mean(hits))


def test_utility_is_the_documented_sum() -> None:
    quality = Quality(
        decision="right", facts_right=1, facts_wrong=2, facts_missing=1, extras_right=1, extras_invented=1,
        steps_right=1, steps_wrong=1, manners=0.5, wish="short", words_over=10,
    )  # fmt: skip
    by_hand = 2.2 + 0.5 - 2 * 1.4 - 0.9 + 0.2 - 1.4 + 0.9 - 1.1 + 0.5 - 10 * 0.07
    assert utility(quality) == pytest.approx(by_hand)


def test_annotators_vote_as_documented() -> None:
    left = Answer(text="one two three", quality=Quality(facts_right=1))
    right = Answer(text="four five six", quality=Quality())
    annotator = Annotator(name="a", sharpness=2.0, length=0.0, courtesy=0.0, carelessness=0.1)
    rng = random.Random(0)
    share = np.mean([vote(rng, left, right, annotator=annotator)[0] == "left" for _ in range(20_000)])
    assert share == pytest.approx(0.1 / 2 + 0.9 / (1 + np.exp(-2.0 * 0.5)), abs=0.012)


def test_every_annotator_is_noisy_and_none_favours_a_side(desk: Simulation) -> None:
    for place in range(len(ANNOTATORS)):
        votes = [row["votes"][place] for row in desk.rows]
        left = np.mean([(v["choice"] == "chosen") == (v["shown_left"] == "chosen") for v in votes])
        assert left == pytest.approx(0.5, abs=0.03)
        right_votes = np.mean(
            [
                (vote["choice"] == "chosen") == (chosen > rejected)
                for vote, (chosen, rejected) in zip(
                    votes, (desk.truth["rows"][row["id"]]["utility"] for row in desk.rows), strict=True
                )
            ]
        )
        assert 0.8 < right_votes < 0.97


def test_the_longer_answer_is_not_the_better_one(desk: Simulation) -> None:
    longer = np.mean([len(row["chosen"]) > len(row["rejected"]) for row in desk.rows])
    assert 0.38 < longer < 0.55


def test_rows_stay_short(desk: Simulation) -> None:
    words = [
        len(re.findall(r"\w+|[^\w\s]", row["prompt"] + " " + row[side]))
        for row in desk.rows
        for side in ("chosen", "rejected")
    ]
    assert np.mean(words) < 105
    assert max(words) < 190


def test_text_is_clean(desk: Simulation) -> None:
    for row in desk.rows:
        for text in (row["prompt"], row["chosen"], row["rejected"]):
            assert not re.search(r"[{}|]|  |\.\.|,,| [.,;:!?]|[!?]\.|None|^\s|\s$", text), text
            assert text.isascii()
        for text in (row["chosen"], row["rejected"]):
            assert re.match(r"[A-Z0-9]", text)
            assert text[-1] in ".!?"
            assert not re.search(r"[.!?] [a-z]", text), text
        assert {line.split(":")[0] for line in row["prompt"].split("\n")} == {"Policy", "Account", "Customer"}


def _grouped(rows: list[Row], held_out: int) -> tuple[list[Row], list[Row]]:
    names = sorted({row["group"] for row in rows})
    random.Random(0).shuffle(names)
    sizes = Counter(row["group"] for row in rows)
    test: set[str] = set()
    while sum(sizes[name] for name in test) < held_out:
        test.add(names.pop())
    return [row for row in rows if row["group"] not in test], [row for row in rows if row["group"] in test]


def bag_of_words(rows: list[Row], *, held_out: int, ngrams: int) -> dict[str, float]:
    """Held-out accuracy by category of a linear model on the answers' words, prompt unseen."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train, test = _grouped(rows, held_out)
    words = TfidfVectorizer(ngram_range=(1, ngrams), min_df=2, sublinear_tf=True)
    words.fit([row[side] for row in train for side in ("chosen", "rejected")])
    apart = [words.transform([r["chosen"] for r in part]) - words.transform([r["rejected"] for r in part])
             for part in (train, test)]  # fmt: skip
    signs = np.where(np.random.default_rng(0).random(len(train)) < 0.5, 1, -1)
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000)
    model.fit(apart[0].multiply(signs[:, None]).tocsr(), signs)
    hits = apart[1] @ model.coef_[0] > 0
    return {name: float(np.mean([h for h, r in zip(hits, test, strict=True) if r["category"] == name]))
            for name in CATEGORIES}  # fmt: skip


def test_answers_alone_do_not_tell_a_right_refusal_or_fact(desk: Simulation) -> None:
    found = bag_of_words(desk.rows, held_out=1000, ngrams=1)
    assert found["refusals"] < 0.65
    assert found["hallucination"] < 0.65


@pytest.mark.slow
@pytest.mark.parametrize("ngrams", [1, 2])
def test_bag_of_words_bound_at_full_size(ngrams: int) -> None:
    found = bag_of_words(support(8000, seed=0).rows, held_out=1000, ngrams=ngrams)
    assert found["refusals"] < 0.65
    assert found["hallucination"] < 0.65


def test_the_same_decision_is_right_under_one_policy_and_wrong_under_another(desk: Simulation) -> None:
    refused = re.compile(
        r"can't|not possible|not free|has to stay|would have to pay|stays charged|don't supply|no loan"
    )
    better, worse = 0, 0
    for row in desk.rows:
        if row["category"] == "refusals":
            chosen, rejected = (bool(refused.search(row[side])) for side in ("chosen", "rejected"))
            better += chosen and not rejected
            worse += rejected and not chosen
    assert better + worse > 200
    assert 0.42 < better / (better + worse) < 0.58


def test_impossible_requests_are_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match=r"got 0"):
        support(0)
    with pytest.raises(ConfigError, match=r"position_bias"):
        support(10, defects={"flip": 0.1})
    with pytest.raises(ConfigError, match=r"between 0 and 1"):
        support(10, defects={"ties": 1.5})
    with pytest.raises(ConfigError, match=r"sum to 1\.2"):
        support(10, defects={"ties": 0.6, "duplicates": 0.6})
