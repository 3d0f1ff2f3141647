"""The analysis of a closed study: figures by hand, people apart from programs, bad input, published data."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from benchmarks.published_studies import creative_writing, llmfao
from scipy import stats as scipy_stats

from assay.artifacts.analysis_body import AnalysisBody
from assay.artifacts.files import dumps
from assay.errors import StudyError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.stats.intervals import Interval
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.config import AnalysisConfig
from assay.study.study_records import ClosedStudy, Editor, StudyVote
from tests.study.simulated import PEOPLE, Truth, closed_study, machine, with_votes
from tests.support.real_data import real


def figure(analysis: Analysis, name: str, where: str = "overall") -> Finding:
    found = analysis.find(name, where)
    assert found is not None, (name, where)
    return found


def value(analysis: Analysis, name: str, where: str = "overall") -> float:
    found = figure(analysis, name, where)
    assert found.known is not None, found.reason
    return found.known


def vote(
    editor: str, item: str, choice: str, *, left: str = "base", kind: str = "real", position: int = 0
) -> StudyVote:
    right = "tuned" if left == "base" else "base"
    return StudyVote(
        item=item,
        prompt_id=item.replace("i", "p"),
        editor=editor,
        choice=choice,  # type: ignore[arg-type]
        left_system=left,
        right_system=right,
        kind=kind,  # type: ignore[arg-type]
        judge="human",
        position=position,
    )


def hand_made() -> ClosedStudy:
    """Two editors, four prompts: tuned wins 3, loses 2, ties 1, one both bad, one abstention; and one repeat."""
    votes = [
        vote("Anna", "i0", "right"),
        vote("Anna", "i1", "left", left="tuned"),
        vote("Anna", "i2", "tie"),
        vote("Anna", "i3", "left"),
        vote("Bilal", "i0", "right"),
        vote("Bilal", "i1", "right", left="tuned"),
        vote("Bilal", "i2", "both_bad"),
        vote("Bilal", "i3", "abstain"),
        vote("Anna", "i0", "right", left="tuned", kind="repeat"),
    ]
    return with_votes(closed_study(prompts=4, editors=PEOPLE[:2]), votes)


def test_figures_by_hand() -> None:
    found = analyse(hand_made())
    assert value(found, "win_rate") == pytest.approx((3 + 0.5 * 2) / 7)
    assert value(found, "win_rate_without_ties") == pytest.approx(3 / 5)
    assert figure(found, "win_rate").detail["both_bad"] == 1
    assert value(found, "ties") == pytest.approx(1 / 7)
    assert value(found, "both_bad") == pytest.approx(1 / 7)
    assert value(found, "abstentions") == pytest.approx(1 / 8)
    # Decided: right, left, left, right, right. On the left tuned wins 1 of 2; on the right 2 of 3 decided, 2 ties.
    assert value(found, "left_share") == pytest.approx(2 / 5)
    assert value(found, "side_difference") == pytest.approx(1 / 2 - 3 / 5)
    # The repeat with sides swapped: right was tuned, then right is base. Changed, and the side was kept.
    repeat = figure(found, "self_consistency")
    assert (repeat.value, repeat.detail["changed"], repeat.detail["side_kept"]) == (0.0, 1, 1)
    # By prompt: i0 won, i1 balanced, i2 balanced, i3 lost.
    majority = figure(found, "majority_share")
    assert (majority.value, majority.detail["tied"]) == (0.5, 2)
    # Both judged i0 alike, i1 and i2 not: agreement 1/3.
    assert value(found, "agreement") == pytest.approx(1 / 3)
    assert value(found, "coverage") == pytest.approx(9 / 22)
    assert value(found, "win_rate", "editor=Anna") == pytest.approx(2.5 / 4)


def test_a_person_against_the_others_by_hand() -> None:
    # i0: three alike, each agrees with the other two. i1: two against one; the one disagrees, the two face a tie.
    votes = [vote(name, "i0", "left") for name in ("Anna", "Bilal", "Carmen")]
    votes += [vote("Anna", "i1", "left"), vote("Bilal", "i1", "left"), vote("Carmen", "i1", "right")]
    found = figure(
        analyse(with_votes(closed_study(prompts=2), votes)), "judge_agreement", "one person against the others"
    )
    assert (found.n, found.value) == (4, pytest.approx(3 / 4))


def test_our_system_is_the_last_unless_named() -> None:
    closed = closed_study()
    assert analyse(closed).ours == "tuned"
    base = analyse(closed, config=AnalysisConfig(system="base"))
    assert value(base, "win_rate") == pytest.approx(1 - value(analyse(closed), "win_rate"))
    with pytest.raises(StudyError, match="It has: base, tuned"):
        analyse(closed, config=AnalysisConfig(system="other"))


def test_every_figure_says_what_it_is_and_round_trips() -> None:
    found = analyse(closed_study(editors=(*PEOPLE, machine("gpt"))))
    told = {finding.name for finding in found.findings}
    assert told == set(MEANINGS) - {"strength"}
    body = AnalysisBody.model_validate(json.loads(dumps(found.to_body().model_dump(mode="json"))))
    assert Analysis.from_body(body) == replace(found, inputs=body.inputs)


def test_programs_change_no_figure_of_people() -> None:
    alone = closed_study(editors=PEOPLE)
    programs = [replace(v, editor="gpt", judge="llm") for v in alone.votes if v.editor == "Anna"]
    programs += [replace(v, editor="rule", judge="simulated", choice="left") for v in alone.votes if v.editor == "Anna"]
    editors = (*PEOPLE, machine("gpt"), machine("rule", "simulated"))
    both = replace(alone, study=replace(alone.study, editors=editors), votes=(*alone.votes, *programs))
    before, after = analyse(alone), analyse(both)
    human = [f for f in after.findings if f.slice.part not in ("judge", "judges")]
    assert human == list(before.findings)
    assert value(after, "win_rate", "judge=gpt") == value(before, "win_rate", "editor=Anna")
    assert value(after, "left_share", "judge=rule") == 1.0
    assert after.tables.counts.people == 3


def test_only_programs_leave_the_figures_of_people_unknown() -> None:
    found = analyse(closed_study(editors=(machine("gpt"), machine("rule", "simulated"))))
    for finding in found.findings:
        if finding.slice == OVERALL:
            assert finding.known is None
            assert finding.reason
    assert "only programs judged (llm, simulated)" in str(figure(found, "win_rate").reason)
    assert figure(found, "win_rate", "judges=llm").known is not None


def test_nobody_voted() -> None:
    found = analyse(with_votes(closed_study(), ()))
    assert figure(found, "win_rate").reason == "nobody voted"
    assert value(found, "coverage") == 0.0
    assert found.tables.power is None


def test_an_editor_who_abstains_from_everything() -> None:
    closed = closed_study()
    votes = [replace(v, choice="abstain") if v.editor == "Bilal" else v for v in closed.votes]
    found = analyse(with_votes(closed, votes))
    assert figure(found, "win_rate", "editor=Bilal").reason == "every judgement was an abstention"
    assert value(found, "abstentions", "editor=Bilal") == 1.0
    rest = analyse(with_votes(closed, [v for v in closed.votes if v.editor != "Bilal"]))
    assert value(found, "win_rate") == value(rest, "win_rate")
    silent = analyse(with_votes(closed, [replace(v, choice="abstain") for v in closed.votes]))
    assert "abstention" in str(figure(silent, "win_rate").reason)


def test_one_editor_has_nobody_to_agree_with() -> None:
    found = analyse(closed_study(editors=PEOPLE[:1]))
    assert figure(found, "alpha").reason == "one judge has nobody to agree with"
    assert figure(found, "win_rate").known is not None


def test_unanimous_votes_leave_alpha_undefined() -> None:
    closed = closed_study(repeats=0, attention=0)
    votes = [replace(v, choice="left" if v.left_system == "tuned" else "right") for v in closed.votes]
    found = analyse(with_votes(closed, votes))
    assert "same about every item" in str(figure(found, "alpha").reason)
    assert value(found, "win_rate") == 1.0
    interval = figure(found, "win_rate").bounds
    assert interval is not None
    assert interval.low < 0.95


def test_one_prompt_has_a_rate_and_no_interval() -> None:
    found = figure(analyse(closed_study(prompts=1, attention=0)), "win_rate")
    assert found.known is not None
    assert found.bounds is None
    assert "one prompt" in str(found.reason)


def test_careless_editors_are_told_and_left_out_only_on_request() -> None:
    closed = closed_study(Truth(careless=("Carmen",)))
    kept, left = analyse(closed), analyse(closed, config=AnalysisConfig(failed_attention="exclude"))
    assert [row.editor for row in kept.tables.editors if row.failed_attention] == ["Carmen"]
    both = (value(kept, "win_rate", "editors=all"), value(kept, "win_rate", "editors=attention passed"))
    assert value(kept, "win_rate") == both[0]
    assert value(left, "win_rate") == both[1]
    assert figure(left, "win_rate").n == 100
    everyone = analyse(
        closed_study(Truth(careless=[e.name for e in PEOPLE])), config=AnalysisConfig(failed_attention="exclude")
    )
    assert figure(everyone, "win_rate").reason == "every editor failed the attention items"


def test_a_planted_side_habit_is_found_and_a_fair_study_has_none() -> None:
    fair, tilted = (analyse(closed_study(Truth(left=left), prompts=200, seed=3)) for left in (0.0, 0.4))
    for found, biased in ((fair, False), (tilted, True)):
        interval = figure(found, "left_share").bounds
        assert interval is not None
        assert (interval.low > 0.5) is biased


@pytest.mark.parametrize("rate", [0.5, 0.6, 0.7])
def test_whole_studies_cover_the_truth(rate: float) -> None:
    held = 0
    for seed in range(40):
        closed = closed_study(Truth(rate=rate, icc=0.2), repeats=0, attention=0, seed=seed)
        interval = figure(analyse(closed, config=AnalysisConfig(resamples=10)), "win_rate").bounds
        assert interval is not None
        held += interval.low <= rate <= interval.high
    assert held >= 35  # of 40 at 95%: fewer than 35 once in 100 tries


def test_numbered_editors_leave_no_name() -> None:
    closed = closed_study()
    text = analyse(closed, config=AnalysisConfig(editors="numbered")).to_body().model_dump_json()
    assert "editor-1" in text
    assert not any(editor.name in text for editor in PEOPLE)


def test_three_systems_are_put_on_one_scale() -> None:
    closed = closed_study(repeats=0, attention=0, prompts=60)
    votes = []
    for number, one in enumerate(closed.votes):
        other = ("base", "tuned", "old")[number % 3]
        swap = {"base": other if other != "tuned" else "base"}
        names = [swap.get(name, name) for name in (one.left_system, one.right_system)]
        votes.append(replace(one, left_system=names[0], right_system=names[1], item=f"{one.item}-{names[0]}"))
    systems = ("old", "base", "tuned")
    found = analyse(replace(closed, study=replace(closed.study, systems=systems), votes=tuple(votes)))
    unranked = {str(f.slice): f for f in found.findings if f.name == "strength"}
    assert set(unranked) == {"system=old", "system=base", "system=tuned"}
    assert value(found, "strength", "system=tuned") > value(found, "strength", "system=old")
    assert figure(found, "win_rate", "against=old").n + figure(found, "win_rate", "against=base").n == len(votes)
    assert "texts" in str(figure(found, "length_controlled_win_rate").reason)


def three_systems() -> ClosedStudy:
    """Three systems, each compared with both others."""
    closed = closed_study(repeats=0, attention=0, prompts=60)
    votes = []
    for number, one in enumerate(closed.votes):
        first, second = (("base", "tuned"), ("old", "tuned"), ("old", "base"))[number % 3]
        votes.append(replace(one, left_system=first, right_system=second, item=f"{one.item}-{first}-{second}"))
    return replace(closed, study=replace(closed.study, systems=("old", "base", "tuned")), votes=tuple(votes))


def test_the_interval_of_a_strength_hears_level_and_resamples() -> None:
    closed = three_systems()
    usual = figure(analyse(closed, config=AnalysisConfig(resamples=200)), "strength", "system=tuned").bounds
    narrow = figure(analyse(closed, config=AnalysisConfig(resamples=200, level=0.8)), "strength", "system=tuned").bounds
    more = figure(analyse(closed, config=AnalysisConfig(resamples=900)), "strength", "system=tuned").bounds
    most = figure(analyse(closed, config=AnalysisConfig(resamples=901)), "strength", "system=tuned").bounds
    assert usual is not None
    assert narrow is not None
    assert (usual.level, narrow.level) == (0.95, 0.8)
    assert usual.low < narrow.low < narrow.high < usual.high
    assert more not in (usual, most)  # no cap: each further draw counts


CHANGES = {
    "system": "base",
    "level": 0.8,
    "attention_pass": 1.0,
    "failed_attention": "exclude",
    "quick_words_per_minute": 100.0,
    "length_unit": "words",
    "editors": "numbered",
    "resamples": 50,
    "seed": 5,
}


# `data` is read before there is an analysis: tests/study/exchange/test_outside_votes.py.
@pytest.mark.parametrize("field", [name for name in AnalysisConfig.model_fields if name != "data"])
def test_every_option_is_read(field: str) -> None:
    closed = closed_study(Truth(careless=("Carmen",)))
    votes = [
        replace(v, choice="left", expected="right") if v.editor == "Anna" and v.item == "x0" else v
        for v in closed.votes
    ]
    closed = with_votes(closed, votes)
    before, after = (analyse(closed, config=AnalysisConfig(**options)) for options in ({}, {field: CHANGES[field]}))
    assert (before.findings, before.tables, before.ours) != (after.findings, after.tables, after.ours)


# --- Published data, computed a second way ---


@cache
def crowd(folder: Path) -> tuple[ClosedStudy, Analysis]:
    closed = llmfao(folder)
    return closed, analyse(closed, config=AnalysisConfig(system="Weaver 12k", resamples=20))


def test_llmfao_win_rates_and_majorities_by_hand() -> None:
    folder = real("llmfao")
    _, found = crowd(folder)
    with (folder / "crowd-comparisons.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    ours = [row for row in rows if "Weaver 12k" in (row["left"], row["right"])]
    won = sum(row["winner"] != "tie" and row[row["winner"]] == "Weaver 12k" for row in ours)
    tied = sum(row["winner"] == "tie" for row in ours)
    assert len(rows) == 8931
    assert figure(found, "win_rate").n == len(ours)
    assert value(found, "win_rate") == pytest.approx((won + tied / 2) / len(ours))
    assert value(found, "win_rate_without_ties") == pytest.approx(won / (len(ours) - tied))
    lean: Counter[str] = Counter()
    for row in ours:
        if row["winner"] != "tie":
            lean[row["prompt"]] += 1 if row[row["winner"]] == "Weaver 12k" else -1
    up, down = sum(n > 0 for n in lean.values()), sum(n < 0 for n in lean.values())
    assert value(found, "majority_p_value") == pytest.approx(scipy_stats.binomtest(up, up + down).pvalue)
    left = [row["winner"] == "left" for row in ours if row["winner"] != "tie"]
    assert value(found, "left_share") == pytest.approx(np.mean(left))


def test_llmfao_agreement_is_evalicas() -> None:
    import evalica
    import pandas as pd

    folder = real("llmfao")
    closed, found = crowd(folder)
    frame = pd.read_csv(folder / "crowd-comparisons.csv")
    place = {name: index for index, name in enumerate(closed.study.systems)}
    swapped = frame["left"].map(place) > frame["right"].map(place)
    code = frame["winner"].map({"left": 0.0, "right": 1.0, "tie": 2.0})
    frame["code"] = code.where(~swapped | (code == 2), 1 - code)
    wide = frame.pivot_table(index="worker", columns="id", values="code", aggfunc="first")
    # Of 59 systems none is the first one everywhere, so every item stands twice, once under either naming. That doubles
    # the n labels, and Krippendorff's n - 1 with them: 2n - 1 for 2 (n - 1).
    twice = pd.concat([wide, wide.replace({0.0: 1.0, 1.0: 0.0}).add_suffix(" turned")], axis=1)
    theirs = evalica.alpha(twice, distance="nominal").alpha
    counts = wide.count()
    n = counts[counts > 1].sum()
    assert value(found, "alpha") == pytest.approx(1 - (1 - theirs) * (n - 1) / (n - 0.5), abs=1e-9)


def test_agreement_on_three_systems_does_not_hang_on_the_order_in_which_they_are_named() -> None:
    """Three systems, each pair on one prompt. By hand: 2, 2 and 3 labels; the third item's split 2 to 1."""
    systems = ("base", "tuned", "third")
    said = {"i1": ("base", "tuned", "ll"), "i2": ("tuned", "third", "rr"), "i3": ("third", "base", "llr")}
    votes = [
        replace(vote(f"e{n}", item, "left" if word == "l" else "right"), left_system=left, right_system=right)
        for item, (left, right, choices) in said.items()
        for n, word in enumerate(choices)
    ]
    closed = closed_study(editors=[Editor(name=f"e{n}") for n in range(3)])
    found = []
    for order in permutations(systems):
        study = replace(closed.study, systems=order)
        analysis = analyse(replace(closed, study=study, votes=tuple(votes)), config=AnalysisConfig(system="base"))
        found.append(figure(analysis, "alpha").to_dict() | {"detail": figure(analysis, "alpha").detail["ordinal"]})
    assert all(one == found[0] for one in found)
    # Coincidences off the diagonal: i3 gives 2 x 2 / 2 = 2 of 7. Under both namings there are 3.5 labels of each side,
    # so chance gives 2 x 3.5 x 3.5 = 24.5; alpha = 1 - 6 x 2 / 24.5.
    assert found[0]["value"] == pytest.approx(1 - 12 / 24.5)


def test_agreement_on_items_that_share_a_prompt_draws_prompts() -> None:
    """Ten prompts with the same item four times say no more than ten prompts: the interval must not narrow."""
    editors = [Editor(name="Anna"), Editor(name="Bilal")]
    closed = closed_study(editors=editors)

    def judged(copies: int) -> Finding:
        votes = [
            replace(vote(editor.name, f"i{prompt}-{copy}", choice), prompt_id=f"p{prompt}")
            for prompt in range(10)
            for copy in range(copies)
            for editor, choice in zip(editors, ("left", "left" if prompt % 3 else "right"), strict=True)
        ]
        return figure(analyse(with_votes(closed, votes)), "alpha")

    once, four_times = judged(1), judged(4)
    assert once.bounds is not None
    assert four_times.bounds is not None
    assert four_times.bounds.high - four_times.bounds.low == pytest.approx(once.bounds.high - once.bounds.low, rel=0.1)
    assert "prompts drawn whole" in four_times.bounds.method
    assert "items drawn whole" in once.bounds.method


def test_llmfao_programs_against_people_a_second_way() -> None:
    from sklearn.metrics import accuracy_score

    folder = real("llmfao")
    _, found = crowd(folder)
    lean: Counter[str] = Counter()
    with (folder / "crowd-comparisons.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            lean[row["id"]] += {"left": 1, "right": -1, "tie": 0}[row["winner"]]
    for name in ("gpt3", "gpt4"):
        people, program = [], []
        with (folder / f"{name}-crowd-comparisons.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if row["winner"] != "tie" and lean[row["id"]]:
                    people.append("left" if lean[row["id"]] > 0 else "right")
                    program.append(row["winner"])
        assert value(found, "judge_agreement", f"judge={name}") == pytest.approx(accuracy_score(people, program))
        assert figure(found, "judge_agreement", f"judge={name}").n == len(people)
    kinds = {row.judge for row in found.tables.editors if row.editor in ("gpt3", "gpt4")}
    assert kinds == {"llm"}


def test_creative_writing_a_second_way() -> None:
    from sklearn.metrics import cohen_kappa_score

    folder = real("creativity_eval_writing")
    closed = creative_writing(folder)
    found = analyse(closed, config=AnalysisConfig(resamples=20))
    with (folder / "DERIVED_preference_rankings.jsonl").open(encoding="utf-8") as stream:
        rows = [json.loads(line)["rankings_best_first"] for line in stream]
    better = [ranks.index("human_edited") < ranks.index("ai_edited") for row in rows for ranks in row.values()]
    assert len(better) == 603
    assert value(found, "win_rate", "against=ai_edited") == pytest.approx(np.mean(better))
    # With one vote's mean per paragraph, the interval is close to the t interval of 201 paragraph means.
    means = [np.mean([r.index("human_edited") < r.index("ai_edited") for r in row.values()]) for row in rows]
    low, high = scipy_stats.t.interval(0.95, 200, loc=np.mean(means), scale=scipy_stats.sem(means))
    interval = figure(found, "win_rate", "against=ai_edited").bounds
    assert isinstance(interval, Interval)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=0.005), pytest.approx(high, abs=0.005))
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for one in closed.votes:
        labels[one.editor][one.item] = one.choice
    assert found.tables.editor_pairs
    for row in found.tables.editor_pairs:
        common = sorted(labels[row.editors[0]].keys() & labels[row.editors[1]].keys())
        first, second = ([labels[name][item] for item in common] for name in row.editors)
        assert row.n == len(common)
        assert row.kappa == pytest.approx(cohen_kappa_score(first, second))


def test_editors_without_a_vote_are_listed() -> None:
    closed = closed_study()
    study = replace(closed.study, editors=(*closed.study.editors, Editor(name="Dora")))
    found = analyse(replace(closed, study=study, planned={**closed.planned, "Dora": 58}))
    assert figure(found, "win_rate", "editor=Dora").reason == "judged nothing"
    assert value(found, "coverage") == pytest.approx(174 / 232)


def test_one_system_that_gave_both_answers_has_agreement_and_no_win_rate() -> None:
    closed = closed_study(repeats=0)
    votes = [
        replace(v, left_system="tuned", right_system="tuned", left="a" if v.left_system == "base" else "b")
        for v in closed.votes
    ]
    same = replace(closed, study=replace(closed.study, systems=("tuned",)), votes=tuple(votes))
    found, whole = analyse(same), analyse(closed)
    assert figure(found, "win_rate").reason == "no judgement compares tuned with another system"
    assert value(found, "alpha") == pytest.approx(value(whole, "alpha"))
