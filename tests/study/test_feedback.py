"""Votes become training rows, and the next pairs are proposed where it was planted that models disagree."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from assay.data import read_pairs
from assay.data.config import DataConfig
from assay.errors import ArtifactError, InputError
from assay.records import Message
from assay.study import read_closed, read_export, write_export
from assay.study.analysis.feedback import Question, disagreement, entropy, propose, training_rows
from assay.study.analysis.unjudged import proposal_row, read_pool, undecided_categories
from assay.study.exchange.pseudonyms import anonymised
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


def check(folder: Path, rows: Any, *words: str) -> dict[str, Any]:
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_assay("check", "pairs.jsonl", "--out", "checked", *words, cwd=folder)
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
        report = check(tmp_path, found.rows)
        assert (report["kept"], reasons(report)) == (0, {"abstention": 8})


def test_disagreement_by_hand() -> None:
    """Two sure models of opposite mind: log 2. The same mind: 0. p = 0.8 and 0.2: log 2 - H(0.8)."""
    one = math.log(4)  # sigmoid 0.8
    h = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert disagreement(np.array([[one], [-one]])) == pytest.approx([LOG2 - h])
    assert disagreement(np.array([[one, 90.0], [one, -90.0]]))[0] == pytest.approx(0, abs=1e-12)
    assert disagreement(np.array([[50.0], [-50.0]])) == pytest.approx([LOG2])
    assert disagreement(np.zeros((3, 2))) == pytest.approx([0, 0])
    assert entropy(np.array([0.0, 0.5, 1.0])) == pytest.approx([0, LOG2, 0])
    assert entropy(np.array([0.1, 0.7])) == pytest.approx([scipy_entropy([p, 1 - p]) for p in (0.1, 0.7)])
    for bad in (np.zeros((0, 3)), np.zeros((2, 0)), np.zeros(4)):
        with pytest.raises(InputError, match="one row a model"):
            disagreement(bad)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 10_000), st.floats(0.01, 100))
def test_disagreement_is_bounded_and_knows_no_order_side_or_loudness(k: int, n: int, seed: int, loud: float) -> None:
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=(k, n))
    nats = disagreement(margins)
    assert (nats >= 0).all()
    assert (nats <= LOG2 + 1e-12).all()
    assert disagreement(margins[::-1]) == pytest.approx(nats)
    assert disagreement(-margins) == pytest.approx(nats)
    if k >= 3:  # one model of several that shouts counts as it did before
        louder = margins.copy()
        rms = np.sqrt((margins**2).mean(axis=1))
        top = int(rms.argmax())
        louder[top] *= max(loud, 1.0)
        assert disagreement(louder) == pytest.approx(nats)


def question(number: int, *margins: float, group: str | None = None, category: str | None = None) -> Question:
    return Question(
        id=f"q{number:03}", prompt=f"p{number}", answer_a="a", answer_b="b", group=group or f"g{number}",
        margins=margins, category=category,
    )  # fmt: skip


def test_planted_disagreement_is_found() -> None:
    """200 pairs of three models that agree but for noise; on 20 planted ones one model is of another mind."""
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 2, 200)
    planted = set(rng.choice(200, 20, replace=False).tolist())
    questions = []
    for n in range(200):
        margins = truth[n] + rng.normal(0, 0.2, 3)
        if n in planted:
            margins = np.array([3.0, 3.0, -3.0]) * rng.choice([-1, 1])
        questions.append(question(n, *margins))
    found = {int(one.question.id[1:]) for one in propose(questions, count=20, undecided={})}
    assert found == planted
    agreeing = [question(n, *(truth[n] + rng.normal(0, 0.01, 3))) for n in range(200)]
    assert max(one.disagreement for one in propose(agreeing, count=200, undecided={})) < 0.001  # no false alarm


def test_what_is_proposed_by_hand() -> None:
    questions = [
        question(1, 3.0, -3.0),
        question(2, 3.0, -3.0, group="g1"),  # the same prompt again
        question(3, 3.0, 3.0, category="refusals"),
        question(4, 2.0, 1.0, category="refusals"),
        question(5, 2.0, -2.0),
        question(6, 0.1, 0.1),
    ]
    found = propose(questions, count=4, undecided={"refusals": "0.6 to 0.7", "absent": "x"})
    assert [one.question.id for one in found] == ["q001", "q003", "q004", "q005"]
    assert found[1].reason.startswith("category refusals is undecided: 0.6 to 0.7; 2 of 2 models prefer answer a")
    assert found[0].reason == "1 of 2 models prefer answer a, margins -3.00 to +3.00 (disagreement 0.502 nats)"
    assert [one.question.id for one in propose(questions, count=2, undecided={})] == ["q001", "q005"]
    everything = propose(questions, count=99, undecided={"refusals": "x"})
    assert len(everything) == 5  # one a group, never more than there are
    assert propose([], count=3, undecided={}) == []
    single = propose([question(1, 2.0), question(2, 0.1), question(3, -3.0)], count=1, undecided={})
    assert [(one.question.id, one.reason) for one in single] == [("q002", "one model, margin +0.10")]
    for bad in ([question(1, math.nan)], [question(1, 1.0), question(2, 1.0, 2.0)]):
        with pytest.raises(InputError, match="one finite margin from each model"):
            propose(bad, count=1, undecided={})


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 20), st.integers(0, 10_000))
def test_proposals_know_no_order(n: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    questions = [
        question(k, *rng.normal(size=2), group=f"g{rng.integers(8)}", category="abc"[rng.integers(3)]) for k in range(n)
    ]
    found = propose(questions, count=count, undecided={"a": "x", "b": "y"})
    again = propose([questions[k] for k in rng.permutation(n)], count=count, undecided={"a": "x", "b": "y"})
    assert {one.question.id for one in found} == {one.question.id for one in again}
    groups = [one.question.group for one in found]
    assert len(set(groups)) == len(groups) == min(count, len({q.group for q in questions}))


def run_folder(folder: Path, *, verdict: str = "undecided", text: str = "every category > 0.65") -> Path:
    """A run as its artifacts tell it: three seeds' scores, an audit and a gate. Planted: pairs 3 and 7 are disputed."""
    run = folder / "run"
    run.mkdir(parents=True)
    rng = np.random.default_rng(1)
    rows = [
        {"id": f"h{n}", "prompt": f"{WORDS[n]} {WORDS[-n - 1]} question {n}?", "chosen": f"yes {n}",
         "rejected": f"no {n}", "category": "refusals" if n % 3 == 0 else "other"}
        for n in range(len(WORDS))
    ]  # fmt: skip
    rows.append({**rows[7], "id": "again", "chosen": "yes again", "rejected": "no again"})
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for seed in range(3):
        margins = {row["id"]: 2.0 + float(rng.normal(0, 0.1)) for row in rows}
        margins |= dict.fromkeys(("h7", "again", "h2"), -4.0 if seed == 2 else 4.0)
        found = [{"pair_id": name, "chosen": value, "rejected": 0.0} for name, value in margins.items()]
        found[5] |= {"chosen": None, "reason": "too long"}
        path = run / f"seed-{seed}" / "scores.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in found))

    def finding(where: str, low: float, high: float) -> dict[str, Any]:
        return {"name": "accuracy", "slice": where, "seed": None, "interval": {"low": low, "high": high}}

    findings = [finding("overall", 0.6, 0.7), finding("category=refusals", 0.6, 0.7), finding("category=other", 0.7, 1)]
    criterion = {"text": text, "verdict": verdict, "threshold": 0.65}
    (run / "audit.json").write_text(json.dumps({"schema": "audit/1", "findings": findings}))
    (run / "gate.json").write_text(json.dumps({"schema": "gate/1", "criteria": [criterion]}))
    return run


WORDS = ("roses", "beans", "tulips", "herbs", "apples", "leeks", "peas", "mint", "sage", "ferns", "moss", "pears")


def test_next_by_command_and_into_a_study(tmp_path: Path) -> None:
    run_folder(tmp_path)
    words = ("study", "next", "run", "--pairs", "pairs.jsonl", "--out", "next.jsonl", "--count", "4")
    told = json.loads(run_assay(*words, "--json", cwd=tmp_path))
    assert (told["proposed"], told["models"], told["unscored"], list(told["undecided"])) == (4, 3, 1, ["refusals"])
    rows = [json.loads(line) for line in (tmp_path / "next.jsonl").read_bytes().splitlines()]
    assert [row["category"] for row in rows].count("refusals") == 2
    disputed = {row["id"] for row in rows if row["category"] == "other"}
    assert disputed in ({"h7", "h2"}, {"again", "h2"})  # the same prompt is asked once
    assert all(row["reason"] for row in rows)
    assert "undecided: accuracy 0.600 to 0.700 leaves" in next(r for r in rows if r["category"] == "refusals")["reason"]
    made = json.loads(run_assay("study", "create", "--pairs", "next.jsonl", "--out", "n.db", "--editors", "2", "--json",
                                cwd=tmp_path))  # fmt: skip
    assert made["prompts"] == 4
    files = [f"run/seed-{seed}/scores.jsonl" for seed in range(3)]
    run_assay("study", "next", *files, "--pairs", "pairs.jsonl", "--out", "two.jsonl", "--count", "2", cwd=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "two.jsonl").read_bytes().splitlines()]
    assert {row["id"] for row in rows} == disputed
    assert "Example: assay study next" in run_assay("study", "next", "--help", cwd=tmp_path)


def test_candidates_without_labels(tmp_path: Path) -> None:
    """Prompts with several answers: the two that the models rank differently are asked about, once a prompt."""
    prompts = [{"id": str(n), "prompt": f"{WORDS[n]} {WORDS[-n - 1]}?", "answers": ["x", "y", "z"]} for n in range(4)]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in prompts))
    for k, last in enumerate((5.0, -5.0)):
        rows = [{"id": str(n), "scores": [0.0, 1.0, last if n == 2 else None]} for n in range(4)]
        (tmp_path / f"s{k}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pool = read_pool([tmp_path / "s0.jsonl", tmp_path / "s1.jsonl"], str(tmp_path / "c.jsonl"), config=DataConfig())
    assert (len(pool.questions), pool.unscored) == (6, 6)
    (found,) = propose(pool.questions, count=1, undecided={})
    row = proposal_row(found, chosen_first=pool.chosen_first)
    assert (row["id"].split("/")[0], {row["answer_a"], row["answer_b"]} > {"z"}) == ("2", True)
    assert (row["system_a"], row["system_b"]) == ("a", "b")


def test_fresh_answers_in_a_category_the_run_left_open(tmp_path: Path) -> None:
    """By command: score files of an unlabelled pool, and the categories of another folder's gate."""
    run_folder(tmp_path)
    rows = [
        {"id": n, "prompt": f"{WORDS[n]} {WORDS[-n - 1]} tell?", "answers": ["x", "y"],
         "category": "refusals" if n == 4 else "other"}
        for n in range(6)
    ]  # fmt: skip
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for k in range(2):
        scored = [{"id": str(n), "scores": [2.0 if k and n == 1 else 1.0, 1.5]} for n in range(6)]
        (tmp_path / f"s{k}.jsonl").write_text("\n".join(map(json.dumps, scored)))
    words = ("study", "next", "s0.jsonl", "s1.jsonl", "--pairs", "c.jsonl", "--count", "2", "--out", "n.jsonl")
    run_assay(*words, "--run", "run", cwd=tmp_path)
    found = [json.loads(line) for line in (tmp_path / "n.jsonl").read_bytes().splitlines()]
    assert [(row["id"], row["category"]) for row in found] == [("1/0-1", "other"), ("4/0-1", "refusals")]
    assert found[1]["reason"].startswith("category refusals is undecided")


def test_undecided_categories_by_hand(tmp_path: Path) -> None:
    expected = {"refusals": 'accuracy 0.600 to 0.700 leaves "every category > 0.65" open'}
    assert undecided_categories(run_folder(tmp_path / "a")) == expected
    assert undecided_categories(run_folder(tmp_path / "b", verdict="pass")) == {}
    for number, (text, names) in enumerate({
        'category "refusals" > 0.65': ["refusals"], "category other > 0.65": [], "overall accuracy > 0.65": [],
        "every category length matched accuracy > 0.65": [],
    }.items()):  # fmt: skip
        assert list(undecided_categories(run_folder(tmp_path / f"c{number}", text=text))) == names
    assert undecided_categories(tmp_path) == {}
    (tmp_path / "a" / "run" / "gate.json").write_text('{"schema": "gate/9"}')
    with pytest.raises(ArtifactError, match="gate/9"):
        undecided_categories(tmp_path / "a" / "run")


def test_scores_that_do_not_fit(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    pairs, config = str(tmp_path / "pairs.jsonl"), DataConfig()
    (tmp_path / "other.jsonl").write_text('{"pair_id": "elsewhere", "chosen": 1, "rejected": 0}\n')
    with pytest.raises(InputError, match="None of the 13 pairs"):
        read_pool([run, tmp_path / "other.jsonl"], pairs, config=config)
    (tmp_path / "bad.jsonl").write_text('{"pair_id": "h1"}\n')
    with pytest.raises(InputError, match=r"bad.jsonl:1: no row of scores; expected pair_id, chosen and rejected"):
        read_pool([tmp_path / "bad.jsonl"], pairs, config=config)
    (tmp_path / "torn.jsonl").write_text('{"pair_id": "h1", "cho')
    with pytest.raises(InputError, match="not JSON lines"):
        read_pool([tmp_path / "torn.jsonl"], pairs, config=config)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no seed-"):
        read_pool([tmp_path / "empty"], pairs, config=config)
    with pytest.raises(InputError, match="cannot be read"):
        read_pool([tmp_path / "none.jsonl"], pairs, config=config)
