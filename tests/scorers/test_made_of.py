"""What an ensemble, a combination and a correction hand on of the scorers they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.data.native_rows import write_pairs
from assay.findings.finding import Finding, measured
from assay.findings.vocabulary import Meaning
from assay.records import Candidates, Pair
from assay.scorers.combined.combination_file import Combination
from assay.scorers.combined.combined_scorer import CombinedScorer
from assay.scorers.corrected import CorrectedScorer, Correction
from assay.scorers.ensemble import EnsembleScorer
from assay.scorers.joint_correction import JointCorrection, JointlyCorrectedScorer, Term
from assay.scorers.judge.spent_calls import Spent, calls_finding
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, noticed
from assay.scorers.scored_pairs import score_pairs

SQUASHED = Meaning(name="squashed_rewards", unit="share", why="The server squashes.", title="Squashed")


class Asks:
    """A scorer that reads the reference answer, asks a judge once an answer, and keeps what it was told."""

    reads_source, keeps_replies = True, True

    def __init__(self, name: str, told: tuple[Finding, ...] = ()) -> None:
        self.name = self.fingerprint = name
        self.spent, self.told = Spent(), told

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        self.spent = self.spent + Spent(calls=sum(len(group.answers) for group in groups))
        return [tuple(self._one(group, str(answer)) for answer in group.answers) for group in groups]

    def _one(self, group: Candidates, answer: str) -> Scored:
        if "answer" not in group.source:
            return Unscored("no reference answer")
        return Reward(1.0 if answer == group.source["answer"] else 0.0)

    def noticed(self) -> list[Finding]:
        return [*calls_finding(self.spent, 0), *self.told]


def ensemble(one: Scorer, other: Scorer) -> Scorer:
    return EnsembleScorer({"one": one, "other": other})


def combination(one: Scorer, other: Scorer) -> Scorer:
    objectives: list[dict[str, Any]] = [
        {"name": name, "scorer": name, "mean": 0.0, "sd": 1.0, "weight": 0.5} for name in ("one", "other")
    ]
    told = {"rule": "weights", "objectives": objectives}
    return CombinedScorer({"one": one, "other": other}, Combination.build(told))


def correction(one: Scorer, _: Scorer) -> Scorer:
    return CorrectedScorer(one, Correction(scorer="one", attribute="characters", at=[0.0], value=[0.0]))


def joint_correction(one: Scorer, _: Scorer) -> Scorer:
    term = Term(term="headers", size=1.0, seen=(0.0, 1.0), reward=0.0, share=0.0, taken=[0.0])
    return JointlyCorrectedScorer(one, JointCorrection(scorer="one", attributes=["headers"], terms=[term]))


MADE = {one.__name__: one for one in (ensemble, combination, correction, joint_correction)}
TWO = ("ensemble", "combination")
Made = Callable[[Scorer, Scorer], Scorer]


@pytest.fixture(params=sorted(MADE))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_part_gets_the_reference_answer_that_it_reads(kind: str) -> None:
    """One prompt with two reference answers is two questions, whoever stands around the one that asks."""
    pairs = [
        Pair(id=n, prompt="2 + 2?", chosen=right, rejected=wrong, source={"answer": right})
        for n, right, wrong in (("a", "4", "5"), ("b", "5", "4"))
    ]
    made = MADE[kind](Asks("one"), Asks("other"))
    assert [one.margin for one in score_pairs(made, pairs)] == [1.0, 1.0]


def test_calls_of_all_judges_are_one_figure(kind: str) -> None:
    made = MADE[kind](Asks("one"), Asks("other"))
    assert noticed(made) == []
    made.score([Candidates(id="a", prompt="2 + 2?", answers=("4", "5", "6"), source={"answer": "4"})])
    (found,) = noticed(made)
    assert (found.name, found.value) == ("judge_calls", 6.0 if kind in TWO else 3.0)
    assert set(found.detail["by_part"].values()) == {"3 calls, 0 tokens read and 0 written"}
    assert made.keeps_replies  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", TWO)
def test_of_two_findings_alike_the_graver_is_told_and_whose_it_is(kind: str) -> None:
    calm, grave = (measured(SQUASHED, 0.5, n=4, verdict=verdict) for verdict in ("ok", "problem"))
    for parts in ((Asks("one", (calm,)), Asks("other", (grave,))), (Asks("one", (grave,)), Asks("other", (calm,)))):
        (found,) = noticed(MADE[kind](*parts))
        assert (found.verdict, found.detail["of"]) == ("problem", "one" if parts[0].told == (grave,) else "other")


def test_one_part_under_two_names_is_counted_once() -> None:
    both: Mapping[str, Scorer] = dict.fromkeys(("a", "b"), Asks("one"))
    made = EnsembleScorer(both)
    made.score([Candidates(id="a", prompt="2 + 2?", answers=("4", "5"), source={"answer": "4"})])
    assert made.spent.calls == 4  # two names, each of which asked for two answers; not eight


def test_a_scale_is_measured_with_the_reference_answers(tmp_path: Path) -> None:
    pairs = [
        Pair(id=n, prompt=f"{n}: 2 + 2?", chosen=right, rejected=wrong, source={"answer": right})
        for n, right, wrong in (("a", "4", "5"), ("b", "5", "4"))
    ]
    write_pairs(tmp_path / "pairs.jsonl", pairs, ["a", "b"])
    made = EnsembleScorer({"one": Asks("one"), "other": Asks("other")}, scale_on=tmp_path / "pairs.jsonl")
    assert made.scales["one"].mean == 0.5
    assert made.scales["one"].sd == pytest.approx(0.5**0.5)
