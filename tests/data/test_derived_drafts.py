"""Rows of many answers become pairs by what is known of them: by hand, through the same contract as any other row."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data import PairSet, check, prompt_groups, read_pairs, split
from assay.data.config import DataConfig, SplitConfig
from assay.data.contract import derive_pairs
from assay.errors import InputError
from assay.records import Candidates, Comparison, Pair

ANSWERS = ["w", "x", "y", "z"]


def read(*rows: dict[str, Any], **config: Any) -> PairSet:
    found = read_pairs(list(rows), config=DataConfig(**config))
    assert len(found.pairs) + len(found.rejects) == found.rows == found.report.rows
    return found


def row(**more: Any) -> dict[str, Any]:
    return {"id": "g", "prompt": "Q", "answers": ANSWERS, **more}


def said(found: PairSet) -> set[tuple[object, object]]:
    return {(pair.chosen, pair.rejected) for pair in found.pairs}


def test_ranks_say_every_comparison() -> None:
    found = read(row(ranks=[2, 1, 4, 3], category="tone", group="thread", source={"batch": 1}))
    assert said(found) == {("x", "w"), ("x", "z"), ("x", "y"), ("w", "z"), ("w", "y"), ("z", "y")}
    assert [pair.id for pair in found.pairs] == ["g/0-1", "g/0-2", "g/0-3", "g/1-2", "g/1-3", "g/2-3"]
    assert {(p.category, p.group, p.source["batch"], p.margin, p.label) for p in found.pairs} == {
        ("tone", "thread", 1, None, "chosen")
    }
    assert found.report.layout is not None
    assert found.report.layout.name == "candidates"
    counts = found.report.candidates
    assert counts is not None
    assert (counts.rows, counts.answers, counts.comparisons) == (1, 4, 6)


def test_the_best_against_the_rest() -> None:
    assert said(read(row(ranks=[2, 1, 4, 3]), derive="best")) == {("x", "w"), ("x", "y"), ("x", "z")}
    shared = read(row(ranks=[1, 1, 2, 2]), derive="best")  # two best: each against the rest, and a tie between them
    assert said(shared) == {("w", "y"), ("w", "z"), ("x", "y"), ("x", "z")}
    assert [reject.reason for reject in shared.rejects] == ["tie"]
    assert said(read(row(scores=[0.1, 0.4, 0.2, 0.3]), derive="best")) == {("x", "w"), ("x", "y"), ("x", "z")}


def test_scores_say_who_won_and_by_how_much() -> None:
    found = read(row(scores=[0.5, 2.0, 0.5, None]))
    assert {(p.chosen, p.rejected, p.margin) for p in found.pairs} == {("x", "w", 1.5), ("x", "y", 1.5)}
    reasons = sorted(reject.reason for reject in found.rejects)
    assert reasons == ["missing_field", "missing_field", "missing_field", "tie"]
    assert all("answer 3" in reject.detail for reject in found.rejects if reject.reason == "missing_field")


def test_ranks_and_scores_together_and_against_each_other() -> None:
    agreeing = read(row(ranks=[1, 2, 3, 4], scores=[4, 3, 2, 2]))
    assert {p.margin for p in agreeing.pairs} == {0.0, 1.0, 2.0}
    assert len(agreeing.pairs) == 6  # the ranks decide where scores are even
    turned = read(row(ranks=[1, 2, 3, 4], scores=[1, 2, 0, 0]))
    assert [reject.reason for reject in turned.rejects] == ["conflicting_labels"]
    assert "ranks say left, scores right" in turned.rejects[0].detail


def test_ties_are_kept_where_ties_are_kept() -> None:
    found = read(row(ranks=[1, 1, 2, 2]), ties="keep")
    assert sum(pair.label == "tie" for pair in found.pairs) == found.report.ties_kept == 2


def votes(*said: tuple[int, int, str]) -> list[dict[str, object]]:
    return [{"first": i, "second": j, "choice": choice, "annotator": "ann"} for i, j, choice in said]


def test_votes_are_counted_two_answers_at_a_time() -> None:
    given = votes((0, 1, "first"), (1, 0, "second"), (1, 0, "first"), (2, 1, "first"), (3, 2, "tie"), (0, 3, "abstain"))
    found = read(row(votes=given))
    assert said(found) == {("w", "x"), ("y", "x")}  # two of three for w; the one vote for y
    assert [vote.choice for vote in found.pairs[0].votes] == ["chosen", "chosen", "rejected"]
    assert {reject.reason for reject in found.rejects} == {"tie", "abstention"}
    assert found.report.agreement is not None
    assert (found.report.agreement.votes, found.report.agreement.abstentions) == (6, 1)
    assert len(read(row(votes=given), min_agreement=0.7).pairs) == 1
    best = read(row(votes=votes((0, 1, "first"), (2, 1, "first"), (2, 0, "first"))), derive="best")
    assert said(best) == {("y", "x"), ("y", "w")}  # y won both its votes


def test_the_side_shown_follows_the_places() -> None:
    turned = [{"first": 1, "second": 0, "choice": "first", "shown_left": "second"}]
    (pair,) = read(row(votes=turned)).pairs
    assert (pair.chosen, pair.votes[0].choice, pair.votes[0].shown_left) == ("x", "chosen", "rejected")


def test_a_stated_rank_is_held_against_votes() -> None:
    given = votes((0, 1, "second"), (0, 1, "second"))
    found = read({"prompt": "Q", "answers": ["a", "b"], "ranks": [1, 2], "votes": given})
    assert [reject.reason for reject in found.rejects] == ["low_agreement"]


def test_the_pairs_of_one_row_weigh_one_together() -> None:
    rows = [row(ranks=[1, 2, 3, 4]), {"id": "h", "prompt": "R", "answers": ["a", "b"], "ranks": [1, 2]}]
    found = read(*rows)
    assert [pair.weight for pair in found.pairs] == [1 / 6] * 6 + [1.0]
    assert {pair.weight for pair in read(*rows, weight="pair").pairs} == {1.0}
    # what the contract does not keep has no weight: one tie, one empty answer (three comparisons), two pairs left
    lame = read({"prompt": "Q", "answers": ["a", "b", "c", " "], "ranks": [1, 2, 2, 3]})
    assert [pair.weight for pair in lame.pairs] == [0.5, 0.5]
    assert sorted(r.reason for r in lame.rejects) == ["empty_candidate"] * 3 + ["tie"]


@given(st.lists(st.one_of(st.none(), st.integers(1, 4)), min_size=2, max_size=6), st.sampled_from(["all", "best"]))
def test_whatever_the_ranks_all_adds_up(ranks: list[int | None], how: str) -> None:
    answers = [f"answer {place}" for place in range(len(ranks))]
    found = read({"prompt": "Q", "answers": answers, "ranks": ranks}, derive=how)
    known = [rank for rank in ranks if rank is not None]
    if not known:
        assert [reject.reason for reject in found.rejects] == ["missing_field"]
        return
    if how == "all":
        assert found.rows == len(ranks) * (len(ranks) - 1) // 2
    ranked = dict(zip(answers, ranks, strict=True))
    for pair in found.pairs:
        assert ranked[str(pair.chosen)] < ranked[str(pair.rejected)]  # type: ignore[operator]
        assert how == "all" or ranked[str(pair.chosen)] == min(known)
    expected = {(a, b) for a, b in itertools.permutations(answers, 2) if (ranked[a] or 9) < (ranked[b] or 0)}
    assert how == "best" or said(found) == expected
    assert not found.pairs or sum(pair.weight for pair in found.pairs) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changed", "reason", "detail"),
    [
        ({"ranks": [1, 2]}, "missing_field", "2 ranks for 4 answers"),
        ({"ranks": [1, 2, 3, "best"]}, "missing_field", "ranks[3] is 'best'"),
        ({"ranks": [1, 2, 3, True]}, "missing_field", "ranks[3] is 'True'"),
        ({"ranks": [1, 2, 3, float("inf")]}, "missing_field", "ranks[3] is 'inf'"),
        ({"ranks": 7}, "missing_field", "the ranks are a number"),
        ({"ranks": None}, "missing_field", "neither ranks nor scores nor votes"),
        ({"ranks": [1], "answers": ["a"]}, "missing_field", "one answer alone"),
        ({"ranks": [1, 2], "answers": ["a", 3]}, "not_text", "answers[1]"),
        ({"prompt": " "}, "missing_field", "the prompt is empty"),
        ({"ranks": None, "votes": [3]}, "not_text", "a vote is a number"),
        ({"ranks": None, "votes": [{"first": 0, "second": 4, "choice": "tie"}]}, "missing_field", "places are 0 to 3"),
        ({"ranks": None, "votes": [{"first": 0, "second": 0, "choice": "tie"}]}, "missing_field", "a vote on 0 and 0"),
        ({"ranks": None, "votes": [{"first": 0, "second": 1, "choice": 1}]}, "missing_field", "says 1"),
        ({"ranks": None, "votes": {"a": 1}}, "not_text", "shape of layout candidates"),
    ],
)
def test_a_row_that_cannot_be_read_is_one_reject(changed: dict[str, Any], reason: str, detail: str) -> None:
    good = {"prompt": "R", "answers": ["a", "b"], "ranks": [1, 2], "votes": None}
    found = read(good, row(ranks=[1, 2, 3, 4]) | changed)
    assert [(reject.reason, reject.where.line) for reject in found.rejects] == [(reason, 2)]
    assert detail in found.rejects[0].detail
    assert len(found.pairs) == 1


def test_answers_that_carry_their_own_rank_or_score() -> None:
    ranked = [{"answer": "a", "rank": 2}, {"answer": "b", "rank": 1, "model": "m"}]
    assert said(read({"prompt": "Q", "answers": ranked})) == {("b", "a")}
    scored = [{"response": "a", "score": 2.5}, {"response": [{"role": "assistant", "content": "b"}], "score": 1}]
    (pair,) = read({"prompt": "Q", "candidates": scored}).pairs
    assert (pair.margin, pair.rejected[0].content) == (1.5, "b")  # type: ignore[union-attr]


def test_columns_of_any_name_and_a_table_that_had_to_write_lists_as_text(tmp_path: Path) -> None:
    path = tmp_path / "ranked.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["ask", "outs", "order"], ["Q", "['a', 'b', 'c']", "[3, 1, 2]"]])
    found = read_pairs(path, config=DataConfig(columns={"prompt": "ask", "answers": "outs", "ranks": "order"}))
    assert said(found) == {("b", "a"), ("b", "c"), ("c", "a")}


def test_answers_without_anything_known_are_no_pairs() -> None:
    with pytest.raises(InputError, match="no known layout"):
        read({"prompt": "Q", "answers": ["a", "b"]})


def test_a_row_of_a_pair_is_read_as_the_pair_it_names() -> None:
    pair = {"prompt": "Q", "chosen": "a", "rejected": "b", "answers": ["a", "b", "c"], "scores": [1, 2, 3]}
    assert said(read(pair)) == {("a", "b")}
    two = {"prompt": "Q", "response_a": "a", "response_b": "b", "label": "a", "candidates": ["a", "b"], "ranks": [2, 1]}
    assert said(read(two)) == {("a", "b")}


# --- the same contract, streamed, split and in memory -----------------------------------------------------------------


def many() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"prompt": f"question {n // 2}", "answers": [f"{n} one", f"{n} two", f"{n} three"], "ranks": [1, 2, 2 + n % 2]}
        for n in range(40)
    ]
    again = {"prompt": "question 0", "answers": ["0 two", "0 one", "new"], "ranks": [2, 1, 3]}  # 0 one > 0 two, again
    turned = {"prompt": "question 1", "answers": ["2 two", "2 one"], "ranks": [1, 2]}  # and 2 one > 2 two, turned
    return [*rows, again, {"prompt": "broken"}, turned]


def test_repeats_among_derived_pairs_are_found_streamed_and_in_memory_alike(tmp_path: Path) -> None:
    path = tmp_path / "ranked.jsonl"
    path.write_bytes(b"\n".join([*map(orjson.dumps, many()), b"{"]))
    kept, streamed = read_pairs(path), check(path, tmp_path / "out")
    assert kept.report.model_copy(update={"seconds": {}}) == streamed.report.model_copy(update={"seconds": {}})
    written = [orjson.loads(line) for line in (tmp_path / "out" / "rejects.jsonl").read_bytes().splitlines()]
    assert [(w["where"]["line"], w["reason"]) for w in written] == [(r.where.line, r.reason) for r in kept.rejects]
    assert (kept.report.overlap.duplicates, kept.report.overlap.conflicting) == (1, 2)
    assert [w["where"]["line"] for w in written if w["reason"] == "duplicate"] == [41]
    assert sorted(w["where"]["line"] for w in written if w["reason"] == "conflicting_labels") == [3, 43]


def test_derived_pairs_of_one_prompt_stay_on_one_side() -> None:
    found = read(*many())
    assert found.groups == prompt_groups(found.pairs)
    sides = split(found.pairs, config=SplitConfig(holdout=20, rounding="nearest"), groups=found.groups)
    assert not {pair.prompt for pair in sides.train} & {pair.prompt for pair in sides.held_out}
    assert {pair.weight for pair in sides.train} < {1.0, 1 / 2, 1 / 3}


def test_candidates_in_memory_become_the_same_pairs() -> None:
    group = Candidates(
        id="g", prompt="Q", answers=("a", "b", "c"), scores=(1.0, 3.0, 2.0), category="tone",
        votes=(Comparison(first=0, second=1, choice="second", annotator="n"),),
    )  # fmt: skip
    pairs, rejects = derive_pairs([group])
    assert rejects == []
    assert [(p.id, p.chosen, p.rejected, p.margin) for p in pairs] == [
        ("g/0-1", "b", "a", 2.0), ("g/0-2", "c", "a", 1.0), ("g/1-2", "b", "c", 1.0),
    ]  # fmt: skip
    assert isinstance(pairs[0], Pair)
    read_back = read_pairs([group])
    assert [(p.id, p.weight, p.votes) for p in read_back.pairs] == [(p.id, p.weight, p.votes) for p in pairs]
    assert len(derive_pairs([group], config=DataConfig(derive="best"))[0]) == 2
