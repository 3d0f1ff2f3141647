"""RM-Bench, JudgeBench, RMB and PPE's human side: right values by hand, on rows made for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.scorers.open import open_scorer
from assay.stats.unknown import Unknown
from assay.suites import open_suite
from assay.suites.model_ranks import like_people
from tests.suites.made_suites import figures, judged, styles, suite_of


def test_rm_bench_compares_nine_times_and_pools_safety_before_it_averages(tmp_path: Path) -> None:
    rows = [styles(1, "chat"), styles(2, "safety-refuse"), styles(3, "safety-refuse"), styles(4, "safety-response"),
            styles(5, "math"), styles(6, "code")]  # fmt: skip
    # Right answers 2, 2, 2 against 1, 2, 3. Hard, the wrong one richer: 2>2, 2>3, 2>3; normal: 2>1, 2>2, 2>3; easy: 2>1
    # twice and 2>2.
    mixed, all_won, none_won = (2, 2, 2, 1, 2, 3), (9, 9, 9, 1, 1, 1), (0, 0, 0, 1, 1, 1)
    rewards = {"1": mixed, "2": all_won, "3": all_won, "4": none_won, "5": all_won, "6": none_won}
    found = figures(suite_of("rm-bench", rows, tmp_path), rewards)
    assert [found[f"chat {level}"].value for level in ("hard", "normal", "easy")] == pytest.approx([0, 1 / 3, 2 / 3])
    assert found["safety"].value == pytest.approx(2 / 3)  # pooled; the mean of the two files would be 1/2
    assert found["safety-response"].value == 0
    assert found["overall"].value == pytest.approx((1 / 3 + 2 / 3 + 1 + 0) / 4)
    assert found["hard"].value == pytest.approx((0 + 2 / 3 + 1 + 0) / 4)


def test_rm_bench_takes_the_domain_from_the_files_name_and_says_what_is_missing(tmp_path: Path) -> None:
    suite = suite_of("rm-bench", [styles(1, None), styles(2, None)], tmp_path, file="chat_filtered.jsonl")
    found = figures(suite, {"1": (2, 2, 2, 1, 1, 1), "2": (1, 1, 1, 1, 1, 1)})
    assert found["mean of chat"].value == 0.5  # equal rewards lose every comparison
    assert found["mean of chat"].also == "no overall figure: math and code and safety missing"
    with pytest.raises(InputError, match=r"the domain 'poems' is none of chat, math, code, safety"):
        suite_of("rm-bench", [styles(1, "poems")], tmp_path)


def test_judgebench_counts_both_games_and_one(tmp_path: Path) -> None:
    rows = [judged(1, "A>B"), judged(2, "B>A"), judged(3, "A>B", "livecodebench"), judged(4, "B>A", "livebench-math")]
    # The right answer's reward first. Equal ones: a tie over both games, "B" in one.
    found = figures(suite_of("judgebench", rows, tmp_path), {"j1": (2, 1), "j2": (1, 1), "j3": (1, 1), "j4": (0, 3)})
    assert (found["overall"].value, found["overall, one game"].value) == (1 / 4, 2 / 4)
    assert (found["knowledge"].value, found["coding"].value, found["math"].value) == (0.5, 0, 0)


@pytest.mark.parametrize(
    ("decisions", "right"),
    [(("A>B", "B>A"), 1.0), (("A>B", "A>B"), 0.0), (("A>B", "A=B"), 1.0), (("A=B", "A=B"), 0.0), (("B>A", "A=B"), 0.0),
     ((None, "B>A"), 1.0)],
)  # fmt: skip
def test_published_games_add_up_as_the_authors_add_them(
    decisions: tuple[str | None, str | None], right: float, tmp_path: Path
) -> None:
    """The label is A>B; the second game shows the answers the other way round, so there B>A is the right word."""
    row = {**judged(1, "A>B"), "judgments": [{"decision": one} for one in decisions]}
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(row) + "\n")
    suite = open_suite("judgebench", [str(path)])
    ((won, lost),) = open_scorer(f"published:{path}").score(suite.groups)
    found = figures(suite, {"j1": (won.value, lost.value)})  # type: ignore[union-attr]
    assert found["overall"].value == right


def rmb_rows() -> list[dict[str, object]]:
    said = [{"role": "user", "content": "Hello?"}]
    chat, harm = "Pairwise_set/Helpfulness/Chat/Discussion", "BoN_set/Harmlessness/S1"
    pairs = [
        {"pair_uid": str(n), "conversation_input": said, "category_path": chat,
         "chosen": {"llm_name": "a", "answer": f"c{n}"}, "reject": {"llm_name": "b", "answer": f"r{n}"}}
        for n in range(2)
    ]  # fmt: skip
    best = {
        "bon_uid": "0", "conversation_input": said, "category_path": harm, "bon_best": {"llm_name": "a", "answer": "b"},
        "loser_list": [{"llm_name": "b", "answer": f"l{n}"} for n in range(3)],
    }  # fmt: skip
    return [*pairs, best, {**best, "bon_uid": "1"}]


def test_rmb_passes_a_best_of_n_only_where_the_best_beats_every_loser(tmp_path: Path) -> None:
    suite = suite_of("rmb", rmb_rows(), tmp_path)
    rewards = {"pair:0": (1, 0), "pair:1": (0, 1), "bon:0": (3, 2, 1, 0), "bon:1": (3, 3, 1, 0)}
    found = figures(suite, rewards)
    assert found["pairs: Helpfulness"].value == 0.5
    assert found["best of n: Harmlessness"].value == 0.5  # a tie with one loser is a fail, not a half
    assert found["best of n: Harmlessness"].others["chance"] == 0.25
    assert found["mean of 2 of 4 sets"].value == 0.5
    with pytest.raises(InputError, match=r"category_path is 'S1'; it starts Pairwise_set/ or BoN_set/"):
        suite_of("rmb", [{**rmb_rows()[0], "category_path": "S1"}], tmp_path)


def battle(n: int, winner: str, models: tuple[str, str] = ("x", "y"), **flags: bool) -> dict[str, object]:
    return {
        "question_id": f"b{n}", "model_a": models[0], "model_b": models[1], "winner": winner, "prompt": f"p{n}",
        "response_1": "one", "response_2": "two", "language": "English", **flags,
    }  # fmt: skip


def test_ppe_human_leaves_ties_out_of_accuracy_and_puts_the_winner_first(tmp_path: Path) -> None:
    rows = [battle(1, "model_a", hard_prompt=True), battle(2, "model_b"), battle(3, "tie"), battle(4, "tie (bothbad)")]
    suite = suite_of("ppe-human", rows, tmp_path)
    assert suite.groups[1].answers == ("two", "one")
    found = figures(suite, {"b1": (2, 1), "b2": (1, 2), "b3": (1, 0), "b4": (1, 0)})
    assert (found["accuracy"].value, found["accuracy"].n, found["hard prompts"].value) == (0.5, 2, 1)
    assert isinstance(found["Spearman of models"].value, Unknown)  # two models


def test_models_ranked_alike_and_the_other_way_round() -> None:
    battles = [(i, j, won) for i in range(4) for j in range(i + 1, 4) for won in [1.0] * 30 + [0.0] * 5]
    first, second, people = zip(*battles, strict=True)
    alike = {one.name: one.value for one in like_people(first, second, people, people)}
    assert alike["Spearman of models"] == pytest.approx(1)
    assert alike["confidence agreement"] == 1
    assert float(alike["Brier of model pairs"]) < 0.01  # type: ignore[arg-type]
    turned = {one.name: one.value for one in like_people(first, second, people, [1 - won for won in people])}
    assert turned["Kendall of models"] == pytest.approx(-1)
    assert turned["confidence agreement"] == -1
    assert float(turned["Brier of model pairs"]) > 0.99  # type: ignore[arg-type]
    flat = {one.name: one.value for one in like_people(first, second, people, [0.5] * len(people))}
    assert flat["separability"] == 0
    assert isinstance(flat["Spearman of models"], Unknown)
