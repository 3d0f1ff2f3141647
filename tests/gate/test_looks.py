"""Looks: each is counted once, spends its share and no more, and together they are wrong no oftener than one."""

from __future__ import annotations

import math
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.cli.verdicts import verdict_lines
from assay.errors import ArtifactError, GateError
from assay.findings.finding import Finding, measured
from assay.gate import Evidence, LookPlan, decide, decide_run, load_criteria
from assay.gate.criteria import parse, read_criteria
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.look_ledger import LookLedger, held
from assay.gate.looks import take
from assay.stats.intervals import Interval, cluster_wilson
from tests.audits.planted import audited, healthy, make_pairs

BAR = 0.72
PAIRS = make_pairs(120)


def accuracy(right: int, n: int) -> Finding:
    """Of n pairs, each under a prompt of its own."""
    interval = cluster_wilson(np.arange(n) < right, np.arange(n))
    detail = {"design_effect": 1.0, "clusters": n, "freedom": n - 1.0}
    return measured(EVERY_FIGURE["accuracy"], right / n, n=n, interval=interval, detail=detail)


def at_look(found: Finding, plan: LookPlan | None, number: int, spent: float) -> Evidence:
    figures = Audit(findings=(found,), tables={}, seeds=(0,), pairs=found.n)
    return Evidence(figures=figures, look=take(number, plan, spent=spent))


@cache
def passes(right: int, n: int, plan: LookPlan | None, number: int) -> bool:
    """Whether the gate passes at this look, after looks that spent what they could."""
    spent = 0.0
    for earlier in range(1, number):
        spent += take(earlier, plan, spent=spent).share
    return decide(at_look(accuracy(right, n), plan, number, spent), [parse(f"accuracy > {BAR}")]).verdict == "pass"


def wrong_passes(random: np.random.Generator, plan: LookPlan | None, *, looks: int, audits: int, grows: bool) -> float:
    """Share of teams that pass at some look, where the truth is the threshold itself.

    grows: each look is at 250 more pairs; otherwise at the same 1,000 with a changed model, which is right on a half of
    them where the last one was, and on the others anew.
    """
    passed = 0
    for _ in range(audits):
        right = random.random(1000) < BAR
        count, total = 0, 0
        for number in range(1, looks + 1):
            if grows:
                count, total = count + int(random.binomial(250, BAR)), total + 250
            else:
                right = np.where(random.random(1000) < 0.5, right, random.random(1000) < BAR)
                count, total = int(right.sum()), 1000
            if passes(count, total, plan, number):
                passed += 1
                break
    return passed / audits


def most(audits: int) -> float:
    """2.5%, and what luck adds to it in so many audits (three standard errors)."""
    return 0.025 + 3 * math.sqrt(0.025 * 0.975 / audits)


@pytest.mark.parametrize("grows", [True, False])
def test_planned_looks_pass_wrongly_no_oftener_than_one(grows: bool) -> None:
    """Five looks, and five that nobody planned: those are wrong far oftener."""
    random = np.random.default_rng(5)
    planned = wrong_passes(random, LookPlan(planned=5), looks=5, audits=300, grows=grows)
    unplanned = wrong_passes(random, None, looks=5, audits=300, grows=grows)
    assert planned <= most(300)
    assert unplanned > 0.04
    assert unplanned > planned


@pytest.mark.slow
@pytest.mark.parametrize("spending", ["equal", "late"])
@pytest.mark.parametrize("looks", [2, 3, 5, 8])
@pytest.mark.parametrize("grows", [True, False])
def test_the_same_in_many_audits(spending, looks: int, grows: bool) -> None:
    random = np.random.default_rng([looks, grows])
    share = wrong_passes(random, LookPlan(planned=looks, spending=spending), looks=looks, audits=4000, grows=grows)
    assert share <= most(4000)


def test_a_look_has_the_interval_of_its_share() -> None:
    """Of three looks each may spend a third of 5%: Wilson's interval at 98.33%."""
    found = accuracy(780, 1000)
    result = decide(at_look(found, LookPlan(planned=3), 2, 1 / 3), [parse(f"accuracy > {BAR}")]).criteria[0]
    exact = cluster_wilson(np.arange(1000) < 780, np.arange(1000), level=1 - 0.05 / 3)
    assert (result.interval.low, result.interval.high) == pytest.approx((exact.low, exact.high))
    assert "(98.33% interval" in result.reason
    alone = decide(at_look(found, None, 7, 6.0), [parse(f"accuracy > {BAR}")]).criteria[0]
    assert alone.interval == found.interval


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        ("group_ties", 0.02, 0.0, 0.06),
        ("group_ties", 0.985, 0.95, 1.0),
        ("rank_correlation", -0.9, -0.99, -0.8),
        ("accuracy_beyond_length", 0.97, 0.9, 1.0),
    ],
)
def test_a_look_stretches_no_bound_beyond_what_the_figure_can_be(
    name: str, value: float, low: float, high: float
) -> None:
    meaning = EVERY_FIGURE[name]
    interval = Interval(low=low, high=high, level=0.95, method="t")
    found = measured(meaning, value, n=50, interval=interval, detail={"clusters": 50})
    seen = take(1, LookPlan(planned=20), spent=0.0).seen(found).interval
    assert isinstance(seen, Interval)
    least, most = meaning.range
    assert least <= seen.low <= low
    assert high <= seen.high <= most
    assert least in (seen.low, seen.high) or most in (seen.low, seen.high)
    assert seen.high - seen.low > high - low


def test_more_pairs_are_those_the_next_look_needs() -> None:
    found = accuracy(740, 1000)
    first, last = (
        decide(at_look(found, LookPlan(planned=2), number, spent), [parse(f"accuracy > {BAR}")]).criteria[0]
        for number, spent in ((1, 0.0), (2, 0.5))
    )
    alone = decide(at_look(found, None, 1, 0.0), [parse(f"accuracy > {BAR}")]).criteria[0]
    assert (first.verdict, last.verdict) == ("undecided", "undecided")
    # n = (q sqrt(t(1-t)) + 0.8416 sqrt(p(1-p)))^2 / 0.02^2, q = 2.2414 at 97.5% and 1.96 at 95%
    needed = (2.2414 * math.sqrt(0.72 * 0.28) + 0.8416 * math.sqrt(0.74 * 0.26)) ** 2 / 0.02**2 - 1000
    assert first.more_pairs == pytest.approx(needed, rel=0.01)
    assert alone.more_pairs < first.more_pairs
    assert last.more_pairs is None
    assert "this was the last look planned" in last.reason


def test_a_look_beyond_the_plan_decides_nothing_by_bound() -> None:
    found = accuracy(990, 1000)
    criteria = [parse(f"accuracy > {BAR}"), parse(f"accuracy > {BAR} by point")]
    verdict = decide(at_look(found, LookPlan(planned=2), 3, 1.0), criteria)
    assert [result.verdict for result in verdict.criteria] == ["undecided", "pass"]
    assert "no look is left" in verdict.criteria[0].reason


def test_a_plan_that_is_changed_gets_what_is_left() -> None:
    assert take(1, LookPlan(planned=4), spent=0.0).share == 0.25
    assert take(3, LookPlan(planned=3), spent=0.5).share == pytest.approx(1 / 3)
    assert take(3, LookPlan(planned=3), spent=0.9).share == pytest.approx(0.1)
    assert take(2, LookPlan(planned=2), spent=1.0).spent  # a first look nobody planned has spent all of it
    assert take(3, LookPlan(planned=3), spent=2 / 3).next_share is None


@pytest.fixture(scope="module")
def audits() -> list[Audit]:
    """Of a model that a team changes, on the same pairs each time."""
    return [audited(healthy(PAIRS, signal=1.6, seed=number), PAIRS) for number in range(3)]


@pytest.fixture
def runs(audits: list[Audit], tmp_path: Path) -> list[RunFolder]:
    folders = [RunFolder(tmp_path / f"run{number}") for number in range(3)]
    for folder, audit in zip(folders, audits, strict=True):
        audit.write(folder)
    return folders


def planned(tmp_path: Path, looks: str = "looks: 2\n") -> Path:
    path = tmp_path / "criteria.yaml"
    path.write_text(f"{looks}criteria:\n  - overall accuracy > 0.72\n")
    return path


def test_looks_are_counted_over_runs_and_the_same_look_once(runs: list[RunFolder], tmp_path: Path) -> None:
    criteria = planned(tmp_path)
    verdicts = [decide_run(run, criteria) for run in runs[:2]]
    again = decide_run(runs[0], criteria)
    assert again == verdicts[0]
    assert [GateBody.read(run.path("gate.json")).looks.number for run in runs[:2]] == [1, 2]
    body = GateBody.read(runs[1].path("gate.json")).looks
    assert (body.planned, body.spending, body.share) == (2, "equal", 0.5)
    assert body.ledger == str(tmp_path / "criteria.looks.jsonl")
    assert len((tmp_path / "criteria.looks.jsonl").read_text().splitlines()) == 2
    beyond = decide_run(runs[2], criteria)
    assert (beyond.looks.number, beyond.looks.share, beyond.verdict) == (3, 0.0, "undecided")
    told = "\n".join(verdict_lines(beyond, "run2"))
    assert "look 3 of 2 planned: no error rate is left" in told


def test_looks_that_nobody_planned_are_counted_and_named(runs: list[RunFolder], audits: list[Audit]) -> None:
    run = runs[0]
    assert decide_run(run).looks.number == 1
    assert "look " not in "\n".join(verdict_lines(decide_run(run), "run"))
    audits[1].write(run)  # a changed model, the same folder
    second = decide_run(run)
    assert (second.looks.number, second.looks.planned) == (2, None)
    told = "\n".join(verdict_lines(second, "run"))
    assert "2 looks, each decided as the only one, are wrong up to 2 times as often as one" in told
    # what was spent unplanned is not there for a plan that is made afterwards
    assert decide_run(run, looks=LookPlan(planned=5)).looks.share == 0.0


def test_other_criteria_on_the_same_figures_are_another_look(runs: list[RunFolder], tmp_path: Path) -> None:
    ledger = tmp_path / "looks.jsonl"
    plan = LookPlan(planned=3, ledger=ledger)
    for number, threshold in enumerate((0.80, 0.78, 0.76), 1):
        verdict = decide_run(runs[0], [parse(f"overall accuracy > {threshold}")], looks=plan)
        assert verdict.looks.number == number


def test_a_torn_line_is_dropped_and_a_changed_one_stops(runs: list[RunFolder], tmp_path: Path) -> None:
    criteria, ledger = planned(tmp_path), tmp_path / "criteria.looks.jsonl"
    decide_run(runs[0], criteria)
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"look": 2, "key": "sha')
    assert decide_run(runs[1], criteria).looks.number == 2
    assert ledger.read_bytes().startswith(whole)
    ledger.write_bytes(whole.replace(b'"look"', b'"book"'))
    with pytest.raises(ArtifactError, match=r"criteria\.looks\.jsonl:1 is no look"):
        decide_run(runs[2], criteria)


def test_looks_at_the_same_time_get_numbers_of_their_own(tmp_path: Path) -> None:
    path, seen = tmp_path / "looks.jsonl", []

    def look(name: str) -> None:
        with held(path) as ledger:
            taken = ledger.next(name, LookPlan(planned=20))
            ledger.record(name, taken, "undecided", run=name)
            seen.append(taken.number)

    threads = [threading.Thread(target=look, args=(f"k{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 13))
    assert len(LookLedger(path).lines) == 12


def test_plans_in_words(tmp_path: Path) -> None:
    assert load_criteria(planned(tmp_path)).looks == LookPlan(planned=2, ledger=tmp_path / "criteria.looks.jsonl")
    found = read_criteria(
        {"looks": {"planned": 4, "spending": "late", "ledger": "team/looks.jsonl"}, "criteria": ["accuracy > 0.7"]},
        folder=tmp_path,
    )
    assert found.looks == LookPlan(planned=4, spending="late", ledger=tmp_path / "team" / "looks.jsonl")
    assert load_criteria("support").looks is None
    for looks in (0, True, "three", {"planned": 2, "spending": "early"}, {"planed": 2}, {"planned": 2, "ledger": 3}):
        with pytest.raises(GateError, match="looks: "):
            read_criteria({"looks": looks, "criteria": ["accuracy > 0.7"]})


def test_perfect_figures_are_bounded_too() -> None:
    """All of 40 right: the interval of a look among ten ends lower, so it may be open where one look passes."""
    found = accuracy(40, 40)
    bar = round(found.interval.low - 0.01, 3)
    assert decide(at_look(found, None, 1, 0.0), [parse(f"accuracy > {bar}")]).verdict == "pass"
    assert decide(at_look(found, LookPlan(planned=10), 1, 0.0), [parse(f"accuracy > {bar}")]).verdict == "undecided"
