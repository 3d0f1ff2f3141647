"""The next pairs are proposed where it was planted that models disagree, and where a gate left a category undecided."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from assay.data.config import DataConfig
from assay.errors import ArtifactError, InputError
from assay.findings.finding import Finding, measured
from assay.findings.slice import OVERALL, Slice
from assay.gate import Evidence, decide
from assay.gate.criteria import parse
from assay.gate.every_figure import EVERY_FIGURE
from assay.stats.intervals import Interval
from assay.study.analysis.proposals import Question, disagreement, entropy, propose
from assay.study.analysis.unjudged import proposal_row, read_pool, undecided_categories
from tests.study.judged import run_assay

LOG2 = math.log(2)


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


@dataclass(frozen=True)
class Figures:
    """The least a gate asks of an audit."""

    findings: tuple[Finding, ...]
    seeds: tuple[int, ...] = (0, 1, 2)

    def find(self, name: str, where: Slice = OVERALL) -> Finding | None:
        return next((f for f in self.findings if (f.name, f.slice) == (name, where)), None)


def run_folder(folder: Path, *, text: str = "every category > 0.65") -> Path:
    """A run as its artifacts tell it: three seeds' scores and what a gate decided. Planted: 3 and 7 are disputed."""
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

    def finding(where: Slice, low: float, high: float) -> Finding:
        interval = Interval(low=low, high=high, level=0.95, method="by hand")
        return measured(EVERY_FIGURE["accuracy"], (low + high) / 2, n=100, interval=interval, slice=where)

    findings = (
        finding(OVERALL, 0.6, 0.7),
        finding(Slice("category", "refusals"), 0.6, 0.7),
        finding(Slice("category", "other"), 0.7, 1.0),
    )
    decide(Evidence(figures=Figures(findings)), [parse(text)]).to_body().write(run / "gate.json")
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


def test_next_takes_reading_options_under_data_as_every_command_does(tmp_path: Path) -> None:
    """Prompts in a column of another name: found where it is stated, and a key without `data.` is no option."""
    run_folder(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    rows = [{"asked": row.pop("prompt"), **row} for row in rows]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("study", "next", "run", "--pairs", "mine.jsonl", "--out", "next.jsonl")
    assert "None of the 0 pairs" in run_assay(*words, cwd=tmp_path, code=2)
    told = json.loads(run_assay(*words, "--set", "data.columns={prompt: asked}", "--json", cwd=tmp_path))
    assert (told["pool"], told["unscored"]) == (len(WORDS), 1)
    assert "near_duplicates is no option" in run_assay(*words, "--set", "near_duplicates=null", cwd=tmp_path, code=2)
    (tmp_path / "data.yaml").write_text("data: {columns: {prompt: asked}}\n")
    again = json.loads(run_assay(*words, "--config", "data.yaml", "--json", cwd=tmp_path))
    assert again == told


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
    assert undecided_categories(run_folder(tmp_path / "b", text="every category > 0.55")) == {}
    for number, (text, names) in enumerate({
        'category "refusals" > 0.65': ["refusals"], "category other > 0.65": [], "overall accuracy > 0.65": [],
        "every category length matched accuracy > 0.65": [],
    }.items()):  # fmt: skip
        assert list(undecided_categories(run_folder(tmp_path / f"c{number}", text=text))) == names
    assert undecided_categories(tmp_path) == {}
    for old in ("gate/1", "gate/9"):
        (tmp_path / "a" / "run" / "gate.json").write_text(f'{{"schema": "{old}", "criteria": []}}')
        with pytest.raises(ArtifactError, match=f'{old}\'; this assay reads "gate/2". Run the stage again'):
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
    with pytest.raises(InputError, match="not a JSON object"):
        read_pool([tmp_path / "torn.jsonl"], pairs, config=config)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no seed-"):
        read_pool([tmp_path / "empty"], pairs, config=config)
    with pytest.raises(InputError, match="cannot be read"):
        read_pool([tmp_path / "none.jsonl"], pairs, config=config)
