"""Votes that people already have: rows made for it, in long form and in columns, and what the file does not say."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from assay.data.config import DataConfig
from assay.errors import InputError, StudyError
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from assay.study.config import AnalysisConfig
from assay.study.exchange.outside_votes import read_outside_votes
from assay.study.read_study import read_judged, read_study

LONG = ("prompt", "response_a", "response_b", "model_a", "model_b", "annotator", "winner")
TEXTS = {"old": "The old answer to {}.", "new": "The new answer to {}, which is longer."}


def table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return str(path)


def long_row(prompt: str, first: str, second: str, who: str, winner: str) -> tuple[str, ...]:
    return (prompt, TEXTS[first].format(prompt), TEXTS[second].format(prompt), first, second, who, winner)


ROWS = [
    long_row("q1", "old", "new", "Anna", "b"),
    long_row("q1", "new", "old", "Bilal", "a"),  # the same two answers, the other way round: new wins again
    long_row("q2", "old", "new", "Anna", "a"),
    long_row("q2", "old", "new", "Bilal", "tie"),
    long_row("q3", "new", "old", "Anna", "a"),
    long_row("q3", "new", "old", "Anna", "b"),  # Anna once more: no second vote in any rate
]


def value(analysis: Analysis, name: str) -> float:
    found = analysis.find(name)
    assert found is not None
    assert found.known is not None, found.reason
    return found.known


def reason(analysis: Analysis, name: str) -> str:
    found = analysis.find(name)
    assert found is not None
    assert found.known is None
    return str(found.reason)


def analysed(source: str, system: str | None = None, **data: object) -> Analysis:
    config = AnalysisConfig(system=system, data=DataConfig.model_validate(data))
    return analyse(read_judged(source, config=config.data), config=config)


def test_one_row_a_vote_gives_rates_of_systems_and_agreement_of_people(tmp_path: Path) -> None:
    found = analysed(table(tmp_path / "votes.csv", LONG, ROWS), "new")
    # new: won, won, lost, tied, won of five; Anna's repeat is in none.
    assert value(found, "win_rate") == pytest.approx(3.5 / 5)
    counts = found.tables.counts
    assert (counts.real, counts.prompts, counts.people, counts.won, counts.lost, counts.tied) == (5, 3, 2, 3, 1, 1)
    # Items with two votes: q1 agrees, q2 does not. Labels: new new, old tie; n = 4, off the diagonal 2; by chance
    # 16 - (4 + 1 + 1) = 10: alpha = 1 - 3 x 2 / 10.
    assert value(found, "alpha") == pytest.approx(1 - 3 * 2 / 10)
    assert value(found, "self_consistency") == 0.0
    assert "not in the file" in reason(found, "left_share")
    assert "one word" in reason(found, "both_bad")
    assert found.tables.counts.both_bad is None
    notes = " ".join(found.study.outside or ())
    assert "model_a and model_b" in notes
    assert "1 votes are a person's second" in notes


def test_votes_in_columns_are_people_by_column(tmp_path: Path) -> None:
    layout = tmp_path / "layout.yaml"
    layout.write_text(
        "prompt: prompt\nanswers: {left: one, right: two}\nsystems: [first, second]\n"
        "outcome: {votes: {columns: [r1, r2, r3], words: {1: left, 2: right, 0: tie}}}\n",
        encoding="utf-8",
    )
    rows = [("q1", "yes", "no", "old", "new", "2", "2", "1"), ("q2", "maybe", "so", "new", "old", "1", "0", "")]
    header = ("prompt", "one", "two", "first", "second", "r1", "r2", "r3")
    found = analysed(table(tmp_path / "wide.csv", header, rows), "new", layout=str(layout))
    # q1: new, new, old; q2: new, tie, and nothing in the third column, which is no vote.
    assert value(found, "win_rate") == pytest.approx(3.5 / 5)
    assert [row.editor for row in found.tables.editors] == ["r1", "r2", "r3"]
    assert [row.judged for row in found.tables.editors] == [2, 2, 1]


def test_sides_are_those_of_the_screen_where_the_file_says_them(tmp_path: Path) -> None:
    header = (*LONG, "shown_left")
    rows = [
        (*long_row("q1", "old", "new", "Anna", "b"), "b"),  # new stood on the left, and won
        (*long_row("q2", "old", "new", "Anna", "a"), "a"),  # old on the left, and won
        (*long_row("q3", "old", "new", "Anna", "b"), "a"),  # old on the left, new won
    ]
    found = analysed(table(tmp_path / "votes.csv", header, rows), "new")
    assert value(found, "left_share") == pytest.approx(2 / 3)
    assert value(found, "side_difference") == pytest.approx(1.0 - 0.5)
    assert found.study.votes_from == {"file": 3}


def test_names_in_place_of_answers_are_no_texts(tmp_path: Path) -> None:
    header = ("id", "prompt", "worker", "winner", "left", "right")
    rows = [("0", "8", "w1", "left", "old", "new"), ("1", "9", "w1", "right", "new", "old")]
    source = table(tmp_path / "crowd.csv", header, rows)
    found = analysed(source, "old", columns={"system_left": "left", "system_right": "right"})
    assert value(found, "win_rate") == 1.0
    assert reason(found, "length_controlled_win_rate") == "the texts of the answers are not at hand"


def test_without_names_of_systems_and_people_it_says_so(tmp_path: Path) -> None:
    rows = [("q1", "yes", "no", "a"), ("q1", "yes", "no", "b"), ("q2", "yes!", "no!", "b")]
    found = analysed(table(tmp_path / "plain.csv", ("prompt", "response_a", "response_b", "winner"), rows))
    assert found.ours == "response_b"
    assert value(found, "win_rate") == pytest.approx(2 / 3)
    assert found.tables.counts.people is None
    assert found.tables.editors == ()
    notes = " ".join(found.study.outside or ())
    assert "Which system gave which answer is not known" in notes
    assert "Who voted is not known" in notes


def test_every_row_is_a_vote_or_counted_with_its_reason(tmp_path: Path) -> None:
    rows = [*ROWS, long_row("q4", "old", "new", "Anna", "perhaps"), ("", "x", "y", "old", "new", "Anna", "a")]
    closed = read_outside_votes(table(tmp_path / "votes.csv", LONG, rows), config=DataConfig())
    assert closed.outside is not None
    assert len(closed.votes) + sum(closed.outside.rejected.values()) == closed.outside.rows == 8
    with pytest.raises(InputError, match="no vote in 1 rows"):
        read_outside_votes(table(tmp_path / "none.csv", LONG, rows[-1:]), config=DataConfig())


def test_order_of_rows_and_of_sides_changes_nothing(tmp_path: Path) -> None:
    swapped = [(r[0], r[2], r[1], r[4], r[3], r[5], {"a": "b", "b": "a"}.get(r[6], r[6])) for r in reversed(ROWS[:-1])]
    one = analysed(table(tmp_path / "one.csv", LONG, ROWS[:-1]), "new")
    two = analysed(table(tmp_path / "two.csv", LONG, swapped), "new")
    for name in ("win_rate", "alpha", "agreement", "majority_share"):
        assert one.find(name).to_dict() == two.find(name).to_dict()  # type: ignore[union-attr]


def test_a_file_of_rows_is_no_study_and_a_study_needs_no_layout(tmp_path: Path) -> None:
    source = table(tmp_path / "votes.csv", LONG, ROWS)
    with pytest.raises(StudyError, match="assay study analyse"):
        read_study(source)
    (tmp_path / "study.db").write_bytes(b"")
    with pytest.raises(StudyError, match="leave --layout"):
        read_judged(str(tmp_path), config=DataConfig(layout="native"))


def test_lists_of_answers_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text(json.dumps({"prompt": "q", "answers": ["a", "b"], "ranks": [1, 2]}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="several comparisons a row"):
        read_outside_votes(str(path), config=DataConfig())


def test_votes_on_an_empty_answer_count_where_its_system_is_named(tmp_path: Path) -> None:
    """A system that said nothing lost both votes; left out, they would have made it look better than it is."""
    rows = [long_row("q1", "old", "new", "Anna", "b")]
    rows += [("q2", TEXTS["old"], "", "old", "new", who, "a") for who in ("Anna", "Bilal")]
    found = analysed(table(tmp_path / "votes.csv", LONG, rows), system="new")
    assert value(found, "win_rate") == pytest.approx(1 / 3)
    assert "In 1 of 2 items one answer is empty; their votes count as any others." in (found.study.outside or ())
    unnamed = table(tmp_path / "unnamed.csv", LONG[:3] + LONG[5:], [row[:3] + row[5:] for row in rows])
    left = analysed(unnamed)
    assert any("2 of 3 rows gave no vote: 2 empty_candidate" in note for note in left.study.outside or ())
