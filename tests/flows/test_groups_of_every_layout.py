"""Group figures for every layout that holds many answers to a prompt, each held against a count made here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.data import read_pairs
from assay.flows.audit import ScorerAudit, ScorerAuditConfig, audit_scorer
from assay.records import Candidates
from tests.support.real_data import real

ANSWERS = ("a good long answer of many words", "middling words", "bad")  # the best first, the longest first


def texts(number: int) -> tuple[str, ...]:
    return tuple(f"{text} {number}" for text in ANSWERS)


def nectar(n: int) -> Mapping[str, object]:
    answers = [{"answer": text, "rank": rank} for rank, text in enumerate(texts(n), 1)]
    return {"prompt": f"\n\nHuman: question {n}\n\nAssistant: ", "answers": answers, "num_responses": 3}


def ultrafeedback(n: int) -> Mapping[str, object]:
    scores = (4.5, 3.0, 1.25)
    completions = [
        {"response": text, "fine-grained_score": score, "overall_score": 10 if score == 1.25 else score}
        for text, score in zip(texts(n), scores, strict=True)
    ]
    return {"instruction": f"question {n}", "completions": completions, "models": ["x", "y", "z"]}


def stack_exchange(n: int) -> Mapping[str, object]:
    answers = [{"text": text, "pm_score": score} for text, score in zip(texts(n), (9, 4, 0), strict=True)]
    return {"qid": n, "question": f"question {n}", "answers": answers}


def llama_factory(n: int) -> Mapping[str, object]:
    return {"instruction": f"question {n}", "input": "", "output": list(texts(n))}


def rewardbench2(n: int) -> Mapping[str, object]:
    good, *bad = texts(n)
    return {
        "id": str(n), "prompt": f"question {n}", "chosen": [good], "rejected": bad, "num_correct": 1,
        "num_incorrect": 2, "total_completions": 3, "subset": "Math",
    }  # fmt: skip


def candidates(n: int) -> Mapping[str, object]:
    return {"prompt": f"question {n}", "answers": list(texts(n)), "scores": [3, 2, 1]}


def helpsteer2(n: int) -> Sequence[Mapping[str, object]]:
    """One row an answer; those of a prompt need not stand together."""
    return [
        {"prompt": f"question {n}", "response": text, "helpfulness": helpfulness, "correctness": 2, "coherence": 4}
        for text, helpfulness in zip(texts(n), (4, 2, 0), strict=True)
    ]


def kto(n: int) -> Sequence[Mapping[str, object]]:
    return [{"prompt": f"question {n}", "completion": text, "label": text == texts(n)[0]} for text in texts(n)]


LAYOUTS = {
    make.__name__: make
    for make in (nectar, ultrafeedback, stack_exchange, llama_factory, rewardbench2, candidates, helpsteer2, kto)
}


def audited(rows: Sequence[Mapping[str, object]] | Path, scorer: str, out: Path) -> ScorerAudit:
    file = rows
    if not isinstance(rows, Path):
        file = out.with_suffix(".jsonl")
        write_jsonl(file, rows)
    return audit_scorer(scorer, str(file), out, config=ScorerAuditConfig())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_longest_picks_the_best_and_shortest_the_worst(layout: str, tmp_path: Path) -> None:
    rows = [LAYOUTS[layout](n) for n in range(12)]
    if isinstance(rows[0], list):
        rows = [row for several in zip(*rows, strict=True) for row in several]
    long, short = (audited(rows, f"baseline:{rule}", tmp_path / rule) for rule in ("longest", "shortest"))
    assert read_pairs(tmp_path / "longest.jsonl").report.layout.name == layout.replace(
        "llama_factory", "llama_factory_ranking"
    ).replace("stack_exchange", "stack_exchange_preferences")
    assert long.audit.find("top1").known == 1.0
    assert long.audit.find("top1").n == 12
    assert long.audit.find("top1").detail["chance"] == pytest.approx(1 / 3)
    assert (short.audit.find("top1").known, long.audit.find("recovery").known) == (0.0, pytest.approx(1.0))
    assert long.audit.find("rank_correlation").known > 0.7
    (row,) = long.audit.tables["groups"]["sizes"]
    assert (row["size"], row["groups"], row["longest"], row["shortest"]) == (3, 12, 1.0, 0.0)
    assert long.audit.find("accuracy").known == 1.0  # and the pairs as ever


def test_a_layout_of_one_s_own_and_candidates_in_memory(tmp_path: Path) -> None:
    mine = tmp_path / "layout.yaml"
    mine.write_text("row: candidates\nprompt: ask\nanswers: {list: replies, text: body}\noutcome: {score: stars}\n")
    rows = [
        {"ask": f"question {n}", "replies": [{"body": t, "stars": s} for t, s in zip(texts(n), (5, 3, 1), strict=True)]}
        for n in range(6)
    ]
    write_jsonl(tmp_path / "mine.jsonl", rows)
    config = ScorerAuditConfig.build({"data": {"layout": str(mine)}})
    found = audit_scorer("baseline:longest", str(tmp_path / "mine.jsonl"), tmp_path / "a", config=config).audit
    held = [Candidates(id=f"g{n}", prompt=f"question {n}", answers=texts(n), ranks=(1, 2, 3)) for n in range(6)]
    again = audit_scorer("baseline:longest", held, tmp_path / "b", config=ScorerAuditConfig()).audit
    for one in (found, again):
        assert (one.find("top1").known, one.find("top1").n) == (1.0, 6)


def test_pairs_are_no_groups(tmp_path: Path) -> None:
    """A row that holds one right and one wrong answer, and a pair: what is to be said of them, accuracy says."""
    pairs = [{"prompt": f"q {n}", "chosen": "a longer answer", "rejected": f"b {n}"} for n in range(5)]
    one = [{**rewardbench2(n), "rejected": [texts(n)[1]]} for n in range(5)]
    for name, rows in (("pairs", pairs), ("one", one)):
        assert audited(rows, "baseline:longest", tmp_path / name).audit.find("top1") is None


def test_finegrained_feedback_as_published(tmp_path: Path) -> None:
    """The same 488 groups, and the same picks, as of the file of candidates made by hand (test_groups_on_real_data)."""
    file = Path(real("finegrained_rlhf/dev_feedback.json"))
    rows = json.loads(file.read_text(encoding="utf-8"))
    told = audited(file, "baseline:longest", tmp_path / "out")
    best = told.audit.find("top1")
    assert (best.n, told.audit.tables["groups"]["known_by"]) == (488, {"votes": 488})
    (row,) = told.audit.tables["groups"]["sizes"]
    assert (row["chance"], row["longest"], row["shortest"]) == pytest.approx((0.304, 0.280, 0.267), abs=0.001)
    pairs = read_pairs(file)
    assert pairs.rows == 3000
    first = next(pair for pair in pairs.pairs if pair.where.line == pairs.pairs[0].where.line)
    assert str(first.prompt).startswith(rows[0]["passages"][0][0])
    assert str(first.prompt).endswith(rows[0]["question"])


def test_three_writers_rankings_as_published(tmp_path: Path) -> None:
    """201 trios; counted here: the share of trios in which the longest text won most comparisons."""
    file = Path(real("creativity_eval_writing/DERIVED_preference_rankings.jsonl"))
    hits = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        names = list(row["texts"])
        won = {one: sum(2 - order.index(one) for order in row["rankings_best_first"].values()) for one in names}
        longest = max(len(text) for text in row["texts"].values())
        picked = [one for one in names if len(row["texts"][one]) == longest]
        if len(set(won.values())) > 1:
            hits.append(sum(won[one] == max(won.values()) for one in picked) / len(picked))
    found = audited(file, "baseline:longest", tmp_path / "out").audit
    assert found.find("top1").n == len(hits)
    assert found.find("top1").known == pytest.approx(sum(hits) / len(hits))
    assert found.tables["groups"]["sizes"][0]["size"] == 3
    who = {vote.annotator for pair in read_pairs(file).pairs for vote in pair.votes}
    assert len(who) > 3
    assert all(len(pair.votes) == 3 for pair in read_pairs(file).pairs)
