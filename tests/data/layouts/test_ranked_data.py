"""OpenAssistant's trees and messages, tables of ranks, and votes that hold only names: rows made by hand, no flag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.data import PairSet, check, read_pairs
from assay.data.config import DataConfig
from assay.errors import ConfigError, InputError
from assay.records import plain_text
from tests.support.ready_commands import ready_assay as run
from tests.support.real_data import real

NEAR = DataConfig(near_duplicates=None)


def message(name: str, text: str, *replies: dict[str, Any], rank: int | None = None, **more: Any) -> dict[str, Any]:
    """A message as the trees are published: prompters' names begin with p."""
    role = "prompter" if name.startswith("p") else "assistant"
    return {
        "message_id": name,
        "text": text,
        "role": role,
        "lang": "en",
        "rank": rank,
        "replies": list(replies),
        **more,
    }


def nested() -> dict[str, Any]:
    """Three ranked replies to the first question, two to the second, one to the third, which compares nothing."""
    second = message(
        "p2", "And red?", message("a4", "It is warm.", rank=1), message("a5", "Roses are.", rank=0), parent_id="a1"
    )
    third = message("p3", "Thanks.", message("a6", "Welcome.", rank=0), parent_id="a2")
    return message(
        "p1", "Why is the sky blue?",
        message("a1", "Rayleigh scattering.", second, rank=0), message("a2", "It is far.", third, rank=1),
        message("a3", "No idea.", rank=2),
    )  # fmt: skip


def tree(**more: Any) -> dict[str, Any]:
    return {"message_tree_id": "p1", "tree_state": "ready_for_export", "prompt": nested(), **more}


def flat(root: dict[str, Any], parent: str | None = None) -> list[dict[str, Any]]:
    own = {key: value for key, value in root.items() if key != "replies"}
    rows = [{**own, "parent_id": parent, "message_tree_id": "p1", "review_count": 3, "deleted": False}]
    return rows + [row for reply in root["replies"] for row in flat(reply, root["message_id"])]


def told(found: PairSet) -> set[tuple[str, str, str]]:
    return {(plain_text(p.prompt), plain_text(p.chosen), plain_text(p.rejected)) for p in found.pairs}


FIRST = "Why is the sky blue?"
WANTED = {
    (FIRST, "Rayleigh scattering.", "It is far."),
    (FIRST, "Rayleigh scattering.", "No idea."),
    (FIRST, "It is far.", "No idea."),
    (f"{FIRST}\n\nRayleigh scattering.\n\nAnd red?", "Roses are.", "It is warm."),
}


def as_read(rows: list[dict[str, Any]], **more: Any) -> PairSet:
    return read_pairs(rows, config=NEAR.model_copy(update=more))


@pytest.mark.parametrize(
    ("rows", "name"),
    [([tree()], "oasst_trees"), ([nested()], "oasst_trees"), (flat(nested()), "oasst_messages"),
     (flat(nested())[::-1], "oasst_messages")],
)  # fmt: skip
def test_trees_become_candidates_under_the_turns_before_them(rows: list[dict[str, Any]], name: str) -> None:
    found = as_read(rows)
    assert found.report.layout is not None
    assert found.report.layout.name == name
    assert told(found) == WANTED
    assert found.rejects == []
    assert {pair.category for pair in found.pairs} == {"en"}
    deep = next(pair for pair in found.pairs if plain_text(pair.chosen) == "Roses are.")
    assert [m.role for m in deep.prompt] == ["user", "assistant", "user"]  # type: ignore[union-attr]
    # Both conversations begin with the same turns: no split may part them.
    assert len(set(found.groups)) == 1
    sizes = {group.id: (len(group.answers), group.ranks) for group in found.candidates}
    assert sizes["p1"][0] == 3
    assert sorted(rank for rank in sizes["p1"][1] or () if rank is not None) == [0.0, 1.0, 2.0]
    assert sizes["p2"][0] == 2


def test_two_trees_of_messages_are_kept_apart_wherever_their_rows_stand(tmp_path: Path) -> None:
    other = [
        {**row, "message_tree_id": "q", "message_id": f"q{row['message_id']}", "text": f"{row['text']} (two)",
         "parent_id": row["parent_id"] and f"q{row['parent_id']}"}
        for row in flat(nested())
    ]  # fmt: skip
    mixed = [row for pair in zip(flat(nested()), other, strict=True) for row in pair]
    path = tmp_path / "messages.jsonl"
    path.write_text("\n".join(map(json.dumps, mixed)))
    found = read_pairs(path, config=NEAR)
    assert len(found.pairs) == 8
    assert len(set(found.groups)) == 2
    assert found.report.columns["text"].role == "answers"
    assert found.report.columns["parent_id"].role == "prompt"
    assert "gathered" not in found.report.columns
    report = check(path, tmp_path / "checked", config=NEAR)
    assert (report.rows, report.kept) == (8, 8)


def test_what_a_tree_cannot_say_is_a_reject() -> None:
    root = nested()
    del root["replies"][2]["rank"]
    root["replies"][0]["replies"][0]["replies"][1]["deleted"] = True
    found = as_read(
        [{"message_tree_id": "p1", "prompt": root}, {"message_tree_id": "x", "prompt": message("p9", "Hm?")}]
    )
    assert told(found) == {(FIRST, "Rayleigh scattering.", "It is far.")}
    assert [reject.reason for reject in found.rejects] == ["missing_field"] * 3
    assert "nothing says how good answer 2 is" in found.rejects[0].detail
    assert found.rejects[2].detail == "no message of tree x has two replies to compare"
    orphan = [row for row in flat(nested()) if row["message_id"] != "a1"]
    left = as_read(orphan)
    assert told(left) == {(FIRST, "It is far.", "No idea.")}
    assert [reject.detail for reject in left.rejects] == ["message p2 answers a1, which is not in the file"]


def test_ranks_in_columns(tmp_path: Path) -> None:
    path = tmp_path / "ranks.csv"
    path.write_text(
        "prompt,answer_1,answer_2,answer_3,rank_1,rank_2,rank_3,category\n"
        "Hue of grass?,Green.,Blue.,It is green mostly.,1,3,2,a\n"
        "Two and two?,Four.,Five.,,1,2,,b\n"
        "And three?,Six.,Nine.,Ten.,1,,2,b\n"
    )
    found = read_pairs(path, config=NEAR)
    assert found.report.layout is not None
    assert found.report.layout.name == "ranked_columns"
    assert [(p.chosen, p.rejected) for p in found.pairs] == [
        ("Green.", "Blue."), ("Green.", "It is green mostly."), ("It is green mostly.", "Blue."), ("Four.", "Five."),
        ("Six.", "Ten."),
    ]  # fmt: skip
    assert [(r.reason, r.where.line) for r in found.rejects] == [("missing_field", 4)] * 2
    assert [len(group.answers) for group in found.candidates] == [3, 2, 3]
    other = "Prompt,Response A,Response B,Response A rank,Response B rank\nQ?,yes it is,no it is not,2,1\n"
    path.write_text(other.replace("Prompt", "prompt"))
    assert [(p.chosen, p.rejected) for p in read_pairs(path).pairs] == [("no it is not", "yes it is")]


def test_a_row_an_answer_with_its_rank(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    rows = [("Q1", "good one", 1), ("Q2", "fair", 2), ("Q1", "poor one", 3), ("Q2", "best", 1), ("Q1", "mid", 2)]
    path.write_text("prompt,response,rank\n" + "".join(f"{q},{a},{r}\n" for q, a, r in rows))
    found = read_pairs(path, config=NEAR)
    assert found.report.layout is not None
    assert found.report.layout.name == "ranked_rows"
    assert {(p.prompt, p.chosen, p.rejected) for p in found.pairs} == {
        ("Q1", "good one", "mid"), ("Q1", "good one", "poor one"), ("Q1", "mid", "poor one"), ("Q2", "best", "fair"),
    }  # fmt: skip
    # Ranks of several people on the same answers are no single order: the draft is for the user to correct.
    path.write_text("prompt,response,rank,annotator\nQ,a,1,x\nQ,b,2,x\nQ,a,2,y\nQ,b,1,y\n")
    with pytest.raises(InputError, match="no known layout"):
        read_pairs(path)


def test_the_language_says_which_end_of_the_ranks_is_best(tmp_path: Path) -> None:
    layout = tmp_path / "layout.yaml"
    layout.write_text(
        "row: candidates\nprompt: ask\nanswers: {columns: [one, two, three]}\n"
        "outcome: {ranks: [points_1, points_2, points_3], best: highest}\n"
    )
    row = {"ask": "Q", "one": "x x", "two": "y y", "three": "z z", "points_1": 1, "points_2": 9, "points_3": 5}
    found = as_read([row], layout=str(layout))
    assert [(p.chosen, p.rejected) for p in found.pairs] == [("y y", "x x"), ("z z", "x x"), ("y y", "z z")]
    layout.write_text(layout.read_text().replace("points_2, ", ""))
    with pytest.raises(ConfigError, match="a column for each of them"):
        as_read([row], layout=str(layout))


NAMES = ("Airy 7B", "Brook-13B-chat", "cedar/4", "Dune XL")


def votes(count: int, *, names: tuple[str, ...] = NAMES) -> list[dict[str, Any]]:
    return [
        {"prompt": f"question {n % 9}", "left": names[n % len(names)], "right": names[(n // 3 + n + 1) % len(names)],
         "winner": "left"}
        for n in range(count)
        if names[n % len(names)] != names[(n // 3 + n + 1) % len(names)]
    ]  # fmt: skip


def test_names_are_not_taken_for_answers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="they name who answered and are no answers") as caught:
        as_read(votes(80))
    assert "'left' and 'right' hold 4 different short values" in str(caught.value)
    assert "--columns left=left,right=right" in str(caught.value)
    stated = as_read(votes(80), columns={"left": "left", "right": "right"})
    assert stated.pairs
    path = tmp_path / "votes.jsonl"
    path.write_text("\n".join(map(json.dumps, votes(80))))
    done = run("check", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "no answers" in done.stderr


@pytest.mark.parametrize(
    "answers", [("yes", "No."), ("A", "b"), ("12", "3.5", "-7"), tuple(f"own text {n}" for n in range(99))]
)
def test_short_answers_are_answers(answers: tuple[str, ...]) -> None:
    assert as_read(votes(80, names=answers)).pairs


def test_llmfao_s_votes_hold_names() -> None:
    with pytest.raises(InputError, match="they name who answered"):
        read_pairs(real("llmfao/crowd-comparisons.csv"))
