"""The first lines of a report, and a headline that rests on enough."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.contract_body import ContractBody, TokenLimit
from assay.artifacts.files import write_jsonl
from assay.artifacts.run_folder import RunFolder
from assay.data.contract_report import with_rejects
from assay.gate import decide_run
from assay.records import Pair, PairScore, Reject, Where
from assay.report.run.card import card
from assay.report.run.first_lines import first_lines
from assay.report.run.page import keys, page
from assay.report.run.reported_run import read_reported_run
from assay.report.run.summary import three_sentences
from tests.support.made_run import make_pairs, make_run


def shown(run: RunFolder) -> str:
    """The page as text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(read_reported_run(run)).split("</style>")[1]))


@pytest.fixture
def short(tmp_path: Path) -> RunFolder:
    """A run of 904 rows whose length gate has dropped 400 of the 900 pairs, every one on tone among them."""
    run = make_run(tmp_path / "short", pairs=300, seeds=1, simulated=False)
    path = run.path("contract.json")
    names = ["tone"] * 180 + ["refusals"] * 170 + ["brevity"] * 50
    gone = [Reject(where=Where("p", 1), reason="too_long", detail="long", category=name) for name in names]
    limit = TokenLimit(asked=256, keeps_95_percent=700, most=4096)
    with_rejects(ContractBody.read(path), gone, limit=limit).write(path)
    decide_run(run)
    return run


def test_a_report_on_part_of_the_rows_says_so_before_its_verdict(short: RunFolder) -> None:
    said = shown(short)
    told = (
        "Not all of the data. Rests on 55.3% of the rows: 500 of 904 became pairs that could be used, 404 did not (400 "
        "too long, 2 duplicate, 1 empty candidate, 1 for other reasons)."
    )
    assert told in said
    assert said.index(told) < said.index("Do not optimise a policy")
    assert "lost most: tone 100.0% of 180" in said
    assert "--max-tokens 700 would keep 95% of the pairs (now 256)." in said
    assert "> **Not all of the data.** Rests on 55.3%" in card(read_reported_run(short))


def test_all_but_a_few_rows_is_one_plain_line_and_an_unknown_share_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "whole", pairs=300, seeds=1)
    (line,) = first_lines(read_reported_run(run))
    assert (line.grave, line.text.startswith("Rests on 99.6% of the rows: 900 of 904")) == (False, True)
    run.path("contract.json").unlink()
    decide_run(run)
    (line,) = first_lines(read_reported_run(run))
    assert line.grave
    assert "unknown: contract.json is missing" in line.text


def test_a_seed_that_learned_nothing_is_called_untrained(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", pairs=60, seeds=2)
    assert "Untrained." not in shown(run)
    write_jsonl(run.seed(1) / "metrics.jsonl", [{"step": n, "loss": 0.693} for n in range(1, 41)])
    said = shown(run)
    assert said.count("Seed 1: the training loss of the last quarter of the steps is 0.693, and guessing loses") == 2
    assert said.index("Untrained.") < said.index("Criteria Criterion")


def prefers_brevity(count: int) -> list[Pair]:
    """Pairs of which people preferred the shorter answer on 3 of 4."""
    made = make_pairs(count, np.random.default_rng(2))
    sides = [sorted((p.chosen, p.rejected), key=lambda text: len(str(text))) for p in made]
    turned = [(short, long) if n % 4 else (long, short) for n, (short, long) in enumerate(sides)]
    return [replace(p, chosen=a, rejected=b) for p, (a, b) in zip(made, turned, strict=True)]


def test_where_people_prefer_the_shorter_that_rule_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "brief", pairs=prefers_brevity(600), seeds=1)
    evidence = read_reported_run(run)
    share = 1 - evidence.head("length_baseline").known
    assert share == pytest.approx(0.75, abs=0.03)
    line = three_sentences(evidence)[1]
    assert f"always taking the shorter answer (people preferred it on {share:.1%} of these pairs)" in line
    assert [key["name"] for key in keys(evidence)][1] == "Beyond “shortest wins”"
    said = shown(run)
    assert f"People preferred the shorter answer on {share:.1%} of the pairs, so “shortest wins” is the rule" in said
    beats = next(row for row in evidence.gate.criteria if row.text == "beats the length baseline")
    assert "“shortest wins”" in beats.reason
    turned = [replace(pair, chosen=pair.rejected, rejected=pair.chosen) for pair in prefers_brevity(600)]
    longer = three_sentences(read_reported_run(make_run(tmp_path / "long", pairs=turned, seeds=1)))[1]
    assert "always taking the longer answer" in longer
    assert "people preferred it" not in longer


def all_wrong_on(name: str):
    def score(pairs, rng):
        return [PairScore(pair_id=p.id, chosen=float(rng.random() > (p.category == name)), rejected=0.5) for p in pairs]

    return score


def test_the_headline_never_rests_on_a_category_of_two_pairs(tmp_path: Path) -> None:
    """Right on half of the pairs everywhere, and on none of the few of `rare`."""
    made = make_pairs(400, np.random.default_rng(3))
    rare = [
        replace(p, id=f"rare-{n}", prompt=f"rare {n}", group=f"rare-{n}", category="rare")
        for n, p in enumerate(made[:4])
    ]
    run = make_run(tmp_path / "run", pairs=[*made, *rare], seeds=1, score=all_wrong_on("rare"))
    evidence = read_reported_run(run)
    line = three_sentences(evidence)[1]
    held = evidence.split.categories["rare"].held_out
    assert held < 5
    assert "weakest on rare" not in line
    assert f"too few to say on rare ({held} pairs)" in line


def test_an_open_criterion_says_which_way_more_pairs_would_decide(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", pairs=60, seeds=1)
    accuracy = read_reported_run(run).head("accuracy")
    for bar, way in ((accuracy.known - 0.01, "pass"), (accuracy.known + 0.01, "fail")):
        run.path("criteria.yaml").write_text(f"- overall accuracy > {bar:.4f}\n")
        decide_run(run, run.path("criteria.yaml"))
        assert three_sentences(read_reported_run(run))[2].endswith(
            f"would decide, for a {way} if the figure stays (80% chance)."
        )
        assert f"more held-out pairs would decide, for a {way} if the figure stays (80% chance)." in shown(run)
