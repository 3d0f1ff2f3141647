"""What labels mean: never the wrong way round in silence, and what is not understood is told with its way out."""

from __future__ import annotations

from typing import Any

import pytest

from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.errors import InputError

Rows = dict[str, Any]


def read(*rows: Rows, **config: Any) -> PairSet:
    return read_pairs(list(rows), config=DataConfig(near_duplicates=None, **config))


def numbered(*labels: object, name: str = "label") -> list[Rows]:
    return [{"prompt": f"q{n}", "response_1": "x", "response_2": "y", name: label} for n, label in enumerate(labels)]


def chosen(found: PairSet) -> list[object]:
    return [pair.chosen for pair in found.pairs]


def test_numbers_name_columns_only_where_there_are_no_others() -> None:
    assert chosen(read(*numbered(1, 2))) == ["x", "y"]
    with pytest.raises(InputError, match=r"does not guess: '1' \(2\), '0' \(1\)\. Say .*--labels 0=left,1=right"):
        read(*numbered(0, 1, 1))
    with pytest.raises(InputError, match="does not guess"):
        read(*numbered(1, 2, 3))
    late = [*numbered(*[1, 2] * 100), {"prompt": "late", "response_1": "x", "response_2": "y", "label": 3}]
    with pytest.raises(InputError, match="does not guess"):
        read(*late)


def test_a_zero_beside_both_numbers_is_a_tie_and_that_is_said() -> None:
    found = read(*numbered(0, 1, 2))
    assert [reject.reason for reject in found.rejects] == ["tie"]
    assert found.report.layout is not None
    assert "the label 0 is a tie" in found.report.layout.about


def test_a_grade_is_no_number_of_a_column() -> None:
    with pytest.raises(InputError, match="does not guess"):
        read(*numbered(1, 2, name="overall_preference"))


def test_stated_numbers_replace_the_guess() -> None:
    rows = numbered(0, 1)
    with pytest.raises(InputError, match="does not guess"):
        read(*rows, labels={"0": "left"})
    assert chosen(read(*rows, labels={"0": "left", "1": "right"})) == ["x", "y"]
    assert chosen(read(*numbered(0, 1, 2), labels={"0": "tie"})) == ["x", "y"]


def test_unknown_words_are_listed_with_counts_and_the_line_that_settles_them() -> None:
    rows = [{"prompt": f"q{n}", "response_a": "x", "response_b": "y", "winner": w} for n, w in enumerate("ggh")]
    with pytest.raises(InputError, match=r"'g' \(2\), 'h' \(1\).*--labels g=left,h=right"):
        read(*rows)
    found = read(*rows, {**rows[0], "winner": "a", "prompt": "known"})
    assert [reject.reason for reject in found.rejects] == ["missing_field"] * 3
    assert any("'g' (2), 'h' (1)" in warning and "--labels g=left" in warning for warning in found.report.warnings)


@pytest.mark.parametrize(("counts", "winner"), [({"a": 1, "b": 2}, "y"), ({"response_a": 3, "response_b": 1}, "x")])
def test_votes_as_counts_are_counts(counts: dict[str, int], winner: str) -> None:
    found = read({"prompt": "q", "response_a": "x", "response_b": "y", "votes": counts}, min_agreement=0.5)
    assert (chosen(found), len(found.pairs[0].votes)) == ([winner], sum(counts.values()))


def test_votes_as_counts_under_numbered_columns() -> None:
    row = {"prompt": "q", "response_1": "x", "response_2": "y"}
    assert chosen(read({**row, "votes": {"response_1": 1, "response_2": 2}})) == ["y"]
    assert read({**row, "votes": {"response_1": -1, "response_2": 2}}).rejects[0].reason == "not_text"


def test_drafts_and_discarded_votes_never_count() -> None:
    votes = [
        {"user_id": "u1", "value": "response_a", "status": "submitted"},
        {"user_id": "u2", "value": "response_b", "status": "discarded"},
        {"user_id": "u3", "value": "response_b", "status": "draft"},
    ]
    row = {"prompt": "q", "response_a": "x", "response_b": "y"}
    assert chosen(read({**row, "votes": votes})) == ["x"]
    hub = {"prompt": "q", "response_a": "x", "response_b": "y", "preference": votes}
    found = read(hub, columns={"votes": "preference", "left": "response_a", "right": "response_b", "prompt": "prompt"})
    assert (chosen(found), [vote.annotator for vote in found.pairs[0].votes]) == (["x"], ["u1"])
    nested = {"fields": row, "responses": {"preference": votes, "style": []}, "id": "1"}
    assert chosen(read(nested, columns={"votes": "preference"})) == ["x"]


def test_a_short_list_of_states_says_nothing_of_the_rest() -> None:
    row = {
        "prompt": "q", "response_a": "x", "response_b": "y", "preference.responses": ["response_a", "response_b"],
        "preference.responses.users": ["u1", "u2"], "preference.responses.status": ["submitted"],
    }  # fmt: skip
    found = read(row)
    assert (chosen(found), len(found.pairs[0].votes)) == (["x"], 1)
    assert chosen(read(row, columns={"votes": "preference.responses"})) == ["x"]


def task(*regions: tuple[str, dict[str, object]]) -> Rows:
    result = [{"from_name": tag, "to_name": "x", "type": "pairwise", "value": value} for tag, value in regions]
    return {"id": 1, "data": {"prompt": "q", "answer1": "x", "answer2": "y"},
            "annotations": [{"completed_by": 1, "result": result}]}  # fmt: skip


def test_two_tags_of_one_annotation_are_named_not_taken_in_turn() -> None:
    row = task(("helpful", {"selected": "right"}), ("honest", {"selected": "left"}))
    with pytest.raises(InputError, match=r"helpful, honest.*--columns votes=helpful"):
        read(row)
    assert chosen(read(row, columns={"votes": "helpful"})) == ["y"]
    assert chosen(read(row, columns={"votes": "honest"})) == ["x"]
    twice = read(task(("same", {"selected": "right"}), ("same", {"selected": "left"})))
    assert [reject.reason for reject in twice.rejects] == ["conflicting_labels"]


def test_a_ranker_is_understood() -> None:
    assert chosen(read(task(("rank", {"ranker": {"best": ["answer2", "answer1"], "_": []}})))) == ["y"]
    assert chosen(read(task(("rank", {"ranker": {"best": ["answer1"], "worst": ["answer2"]}})))) == ["x"]
    one = read(task(("rank", {"ranker": {"best": ["answer1"]}})))
    assert [reject.reason for reject in one.rejects] == ["missing_field"]


def ranked(who: int, *ids: str, left_over: tuple[str, ...] = ()) -> dict[str, object]:
    value = {"ranker": {"rank": list(ids), "_": list(left_over)}}
    return {"completed_by": who, "result": [{"from_name": "rank", "to_name": "list", "type": "ranker", "value": value}]}


def listed_task(*annotations: dict[str, object]) -> dict[str, object]:
    items = [{"id": "p", "body": "best"}, {"id": "q", "body": "middle"}, {"id": "r", "body": "worst"}]
    return {"id": 7, "data": {"prompt": "Q", "items": items}, "annotations": list(annotations)}


def test_a_ranker_over_a_list_is_a_vote_on_every_two_that_were_ranked() -> None:
    found = read(listed_task(ranked(1, "p", "q", "r"), ranked(2, "q", "p", left_over=("r",)), ranked(3, "p", "q")))
    pairs = {pair.id: pair for pair in found.pairs}
    assert {name: (pair.chosen, pair.rejected) for name, pair in pairs.items()} == {
        "7/0-1": ("best", "middle"), "7/0-2": ("best", "worst"), "7/1-2": ("middle", "worst"),
    }  # fmt: skip
    assert [(vote.annotator, vote.choice) for vote in pairs["7/0-1"].votes] == [
        ("1", "chosen"), ("2", "rejected"), ("3", "chosen"),
    ]  # fmt: skip
    assert [(vote.annotator, vote.choice) for vote in pairs["7/0-2"].votes] == [("1", "chosen")]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (ranked(1, "p", "nobody"), "missing_field"),
        (ranked(1, "p", "q", "p"), "conflicting_labels"),
        (ranked(1, "p", left_over=("q", "r")), "abstention"),
        (ranked(1, "p", "q") | {"was_cancelled": True}, "abstention"),
    ],
)
def test_a_ranking_that_says_nothing_or_two_things_is_a_reject(annotation: dict[str, object], reason: str) -> None:
    found = read(listed_task(annotation))
    assert ([reject.reason for reject in found.rejects], found.pairs) == ([reason], [])


def test_a_vote_on_the_screen_names_the_answer_not_its_place() -> None:
    votes = [
        {"annotator": "ann", "choice": "a", "shown_left": "a"},
        {"annotator": "ann", "choice": "a", "shown_left": "b"},
    ]
    found = read({"prompt": "q", "response_a": "x", "response_b": "y", "votes": votes})
    assert [(vote.choice, vote.shown_left) for vote in found.pairs[0].votes] == [
        ("chosen", "chosen"), ("chosen", "rejected"),
    ]  # fmt: skip
