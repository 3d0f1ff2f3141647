"""Votes become training rows, each vote listed, none trained on that should not be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data import read_pairs
from assay.records import Message
from assay.study import read_closed, read_export, write_export
from assay.study.analysis.training_rows import training_rows
from assay.study.exchange.anonymous_folder import anonymised
from assay.study.study_records import Choice, Editor, Item, StudyVote
from tests.study.harness import make_study
from tests.study.judged import closed_after, made_closed, prefers, run_assay

LOG2 = math.log(2)


def item(number: int, **more: Any) -> Item:
    values = {
        "id": f"item-{number}", "prompt_id": f"p{number}", "prompt": f"Question {number}?", "answer_a": f"yes {number}",
        "answer_b": f"no {number}", "system_a": "base", "system_b": "tuned", "category": "even",
    }  # fmt: skip
    return Item(**{**values, **more})


def vote(number: int, choice: Choice, *, left: str = "a", **more: Any) -> StudyVote:
    systems = ("base", "tuned") if left == "a" else ("tuned", "base")
    values = {
        "item": f"item-{number}", "prompt_id": f"p{number}", "editor": "Anna", "kind": "real", "judge": "human",
        "position": 1, "left": left, "left_system": systems[0], "right_system": systems[1],
    }  # fmt: skip
    return StudyVote(choice=choice, **{**values, **more})


def test_a_row_by_hand() -> None:
    """Three for b (one seen on the right), one for a, one tie, one abstention: 3 of 5 agree, margin (3 - 1) / 5."""
    votes = [
        vote(1, "right"),
        vote(1, "left", left="b", editor="B"),
        vote(1, "right", editor="C"),
        vote(1, "left", editor="D"),
        vote(1, "both_bad", editor="E"),
        vote(1, "abstain", editor="F", left="b"),
    ]
    found = training_rows(made_closed([item(1)], votes))
    assert found.rows == (
        {
            "id": "feed/item-1",
            "prompt": "Question 1?",
            "chosen": "no 1",
            "rejected": "yes 1",
            "label": "chosen",
            "votes": [
                {"annotator": "Anna", "choice": "chosen", "shown_left": "rejected"},
                {"annotator": "B", "choice": "chosen", "shown_left": "chosen"},
                {"annotator": "C", "choice": "chosen", "shown_left": "rejected"},
                {"annotator": "D", "choice": "rejected", "shown_left": "rejected"},
                {"annotator": "E", "choice": "tie", "shown_left": "rejected", "said": "both_bad"},
                {"annotator": "F", "choice": "abstain", "shown_left": "chosen"},
            ],
            "agreement": 3 / 5,
            "margin": 2 / 5,
            "category": "even",
            "group": "feed/p1",
            "source": {
                "study": "feed",
                "seal": "sha256:0",
                "item": "item-1",
                "prompt_id": "p1",
                "systems": {"chosen": "tuned", "rejected": "base"},
                "judges": {"human": 6},
            },
        },
    )


def test_repeats_attention_items_and_programs_do_not_train() -> None:
    items = [item(1), item(2), item(3, kind="attention", known="a", system_a="good", system_b="bad"), item(4)]
    votes = [
        vote(1, "left"),
        vote(1, "right", kind="repeat", position=2),
        vote(1, "right", judge="llm", editor="m"),
        vote(2, "right", judge="simulated", editor="s"),
        vote(3, "left", kind="attention", expected="left"),
    ]
    closed = made_closed(items, votes)
    found = training_rows(closed)
    assert [(row["chosen"], row["source"]["judges"]) for row in found.rows] == [("yes 1", {"human": 1})]
    assert (found.votes, dict(found.left_out)) == (5, {"attention": 1, "llm": 1, "repeat": 1, "simulated": 1})
    assert found.items_without_votes == 2
    programs = training_rows(closed, judges=("llm", "simulated"))
    assert [row["chosen"] for row in programs.rows] == ["no 1", "no 2"]
    both = training_rows(closed, judges=("human", "llm"))
    assert (both.rows[0]["label"], both.rows[0]["source"]["judges"]) == ("tie", {"human": 1, "llm": 1})


def test_one_system_gave_both_answers() -> None:
    """Pairs of one policy: the side tells what the system cannot."""
    same = item(1, system_b="base")
    both = {"left_system": "base", "right_system": "base"}
    votes = [vote(1, "left", left="b", **both), vote(1, "left", left="b", editor="B", **both)]
    (row,) = training_rows(made_closed([same], votes)).rows
    assert (row["chosen"], row["votes"][0]["shown_left"]) == ("no 1", "chosen")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["left", "right", "tie", "both_bad", "abstain"]), st.sampled_from("ab"))))
def test_the_sides_shown_do_not_matter(said: list[tuple[Choice, str]]) -> None:
    turn: dict[Choice, Choice] = {"left": "right", "right": "left"}
    votes = [vote(1, choice, left=left, editor=f"e{n}") for n, (choice, left) in enumerate(said)]
    other = [
        vote(1, turn.get(choice, choice), left="b" if left == "a" else "a", editor=f"e{n}")
        for n, (choice, left) in enumerate(said)
    ]
    one, two = (training_rows(made_closed([item(1)], rows)).rows for rows in (votes, other))
    strip = [[{**row, "votes": [v["choice"] for v in row["votes"]]} for row in rows] for rows in (one, two)]
    assert strip[0] == strip[1]


def check(folder: Path, rows: Any, *words: str, code: int = 0) -> dict[str, Any]:
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_assay("check", "pairs.jsonl", "--out", "checked", *words, cwd=folder, code=code)
    return dict(json.loads((folder / "checked" / "contract.json").read_bytes()))


def reasons(report: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in report["rejects"].items() if count}


def test_the_contract_counts_them_all(tmp_path: Path) -> None:
    """By the installed command: what has no majority, no vote or little agreement is rejected, and goes to review."""
    items = [item(n) for n in range(1, 7)]
    items.append(item(7, prompt=(Message(role="user", content="a"), Message(role="assistant", content="b"))))
    items.append(item(8, prompt="=1\r\n\u202e'", answer_a="<script>" * 4000, answer_b='"\n,'))
    said: dict[int, list[Choice]] = {
        1: ["left", "left", "right"], 2: ["left", "right"], 3: ["tie", "both_bad"], 4: ["abstain"], 5: ["left", "tie"],
        6: ["left", "abstain"], 7: ["right"], 8: ["left"],
    }  # fmt: skip
    votes = [vote(n, choice, editor=f"e{k}") for n, words in said.items() for k, choice in enumerate(words)]
    rows = training_rows(made_closed(items, votes)).rows
    report = check(tmp_path, rows)
    assert (report["rows"], report["kept"], report["layout"]["name"]) == (8, 4, "native")
    assert reasons(report) == {"tie": 2, "abstention": 1, "low_agreement": 1}
    assert report["agreement"]["votes"] == len(votes)
    review = [json.loads(line) for line in (tmp_path / "checked" / "review.jsonl").read_bytes().splitlines()]
    assert len(review) == 4
    kept = {pair.id: pair for pair in read_pairs(tmp_path / "pairs.jsonl").pairs}
    assert kept["feed/item-1"].margin == 1 / 3
    assert dict(kept["feed/item-1"].source)["systems"] == {"chosen": "base", "rejected": "tuned"}
    assert kept["feed/item-7"].chosen != kept["feed/item-7"].rejected
    assert kept["feed/item-1"].votes[2].choice == "rejected"


def test_from_the_study_and_from_its_export_the_same(tmp_path: Path) -> None:
    make_study(tmp_path, str(tmp_path / "s.db"), prompts=8, editors=[Editor(name="Anna"), Editor(name="Ben")])
    assert "the study is open" in run_assay("study", "pairs", "s.db", "--out", "p", cwd=tmp_path, code=2)
    closed = closed_after(str(tmp_path / "s.db"), prefers("b"))
    write_export(closed, tmp_path / "e")
    told = json.loads(run_assay("study", "pairs", "s.db", "--out", "one.jsonl", "--json", cwd=tmp_path))
    run_assay("study", "pairs", "e", "--out", "two.jsonl", cwd=tmp_path)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    assert b"Anna" not in (tmp_path / "one.jsonl").read_bytes()
    assert (told["rows"], told["votes"], told["votes_left_out"]) == (8, 22, {"attention": 2, "repeat": 4})
    rows = [json.loads(line) for line in (tmp_path / "one.jsonl").read_bytes().splitlines()]
    assert {row["source"]["systems"]["chosen"] for row in rows} == {"loud-owl-7b"}
    assert {row["agreement"] for row in rows} == {1.0}
    assert training_rows(anonymised(read_closed(str(tmp_path / "s.db")))) == training_rows(read_export(tmp_path / "e"))
    report = check(tmp_path, rows)
    assert (report["rows"], report["kept"]) == (8, 8)
    assert "no such judges" in run_assay("study", "pairs", "e", "--judges", "me", "--out", "p", cwd=tmp_path, code=2)


@pytest.mark.parametrize("choice", [None, "abstain"])
def test_a_study_without_preferences(tmp_path: Path, choice: Choice | None) -> None:
    make_study(tmp_path, str(tmp_path / "s.db"), editors=1)
    found = training_rows(closed_after(str(tmp_path / "s.db"), lambda *_: choice))
    assert (len(found.rows), found.items_without_votes) == ((0, 8) if choice is None else (8, 0))
    if choice:
        report = check(tmp_path, found.rows, code=2)  # no pair at all, and the files say why
        assert (report["kept"], reasons(report)) == (0, {"abstention": 8})
