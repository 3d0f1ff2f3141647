"""Findings of one group of judges: rates, length, majorities, sides, consistency, attention, time, agreement.

Knows ballots and the names of figures; knows not who the judges are. `where` is the slice a finding carries:
everything, or a category, an editor, the judges of one kind and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as scipy_stats

from assay.artifacts.analysis_body import (
    AgreementDetail,
    AttentionDetail,
    CoverageDetail,
    LengthDetail,
    MajorityDetail,
    SidesDetail,
    TimeDetail,
)
from assay.findings.finding import Finding, More, measured, unknown
from assay.findings.slice import Slice
from assay.stats import winrate
from assay.stats.agreement import alpha, observed_agreement
from assay.stats.intervals import Array, Interval
from assay.stats.unknown import Unknown
from assay.study.analysis.ballots import Ballots, label, length_differences, reading_seconds, seconds
from assay.study.analysis.vote_meanings import MEANINGS
from assay.study.config import AnalysisConfig
from assay.study.study_records import Item, OutsideVotes, StudyVote


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every figure of one analysis shares.

    order: the place of each system in the study's list. words: of prompt and both answers, by item; counted once, since
    the figures of every editor ask for them.
    """

    ours: str
    order: Mapping[str, int]
    items: Mapping[str, Item]
    words: Mapping[str, int]
    config: AnalysisConfig
    outside: OutsideVotes | None = None

    @property
    def nameless(self) -> bool:
        """Whether nobody knows whose each vote is."""
        return self.outside is not None and not self.outside.named

    @property
    def two_systems(self) -> bool:
        return len(self.order) <= 2


def rate_finding(name: str, found: winrate.Rate | Unknown, where: Slice, **detail: object) -> Finding:
    """A share over votes as a finding; its detail carries what the gate needs to say how many more would decide."""
    if isinstance(found, Unknown):
        return unknown(MEANINGS[name], found.reason, slice=where, detail=detail)
    told = {"clusters": found.prompts, "design_effect": found.design_effect, **detail}
    return measured(MEANINGS[name], found.value, n=found.n, interval=found.interval, slice=where, detail=told)


def win_rates(found: Ballots, where: Slice, *, level: float, nobody: str = "no votes") -> list[Finding]:
    """Win rate with ties counted half, and among votes that chose."""
    if not len(found):
        return [unknown(MEANINGS[name], nobody, slice=where) for name in ("win_rate", "win_rate_without_ties")]
    decided = found.decided()
    without = winrate.win_rate(decided.score_N, decided.prompts, level=level)
    if isinstance(without, Unknown):
        without = Unknown("no vote chose a side")
    rate = winrate.win_rate(found.score_N, found.prompts, level=level)
    return [
        rate_finding("win_rate", rate, where, **found.counts()),
        rate_finding("win_rate_without_ties", without, where),
    ]


def length_finding(found: Ballots, where: Slice, frame: Frame) -> Finding:
    name = "length_controlled_win_rate"
    gaps = length_differences(found, frame.items, frame.ours, frame.config.length_unit)
    if gaps is None:
        return unknown(MEANINGS[name], "the texts of the answers are not at hand", slice=where)
    fitted = winrate.length_controlled(found.score_N, gaps, found.prompts, level=frame.config.level)
    if isinstance(fitted, Unknown):
        return unknown(MEANINGS[name], fitted.reason, n=len(found), slice=where)
    detail = LengthDetail(
        slope=fitted.slope,
        slope_error=fitted.slope_error,
        sd=fitted.sd,
        unit=frame.config.length_unit,
        mean_difference=float(gaps.mean()),
        ours_longer=float((gaps > 0).mean()),
    )
    return rate_finding(name, fitted.rate, where, **detail.model_dump())


def majority_findings(found: Ballots, where: Slice, *, level: float) -> list[Finding]:
    """Share of prompts won by majority with the exact interval, and the exact test."""
    result = winrate.majorities(found.score_N, found.prompts)
    if isinstance(result, Unknown):
        return [unknown(MEANINGS[name], result.reason, slice=where) for name in ("majority_share", "majority_p_value")]
    exact = scipy_stats.binomtest(result.won, result.decided).proportion_ci(level, method="exact")
    interval = Interval(low=float(exact.low), high=float(exact.high), level=level, method="exact binomial, per prompt")
    detail = MajorityDetail(
        won=result.won, lost=result.lost, tied=result.tied, needed=result.needed, p_value=result.p_value
    ).model_dump()
    shared: More = {"slice": where, "detail": detail}
    return [
        measured(
            MEANINGS["majority_share"], result.won / result.decided, n=result.decided, interval=interval, **shared
        ),
        measured(MEANINGS["majority_p_value"], result.p_value, n=result.decided, **shared),
    ]


def choice_findings(votes: Sequence[StudyVote], where: Slice, *, level: float) -> list[Finding]:
    """Ties and both bad among opinions, abstentions among all judgements of real showings."""
    real = [vote for vote in votes if vote.kind == "real"]
    opinions = [vote for vote in real if vote.choice != "abstain"]
    out = []
    for name, choice, among in (
        ("ties", "tie", opinions),
        ("both_bad", "both_bad", opinions),
        ("abstentions", "abstain", real),
    ):
        hits = [vote.choice == choice for vote in among]
        out.append(rate_finding(name, winrate.share(hits, _prompts(among), level=level), where, count=sum(hits)))
    return out


def side_findings(found: Ballots, where: Slice, *, level: float) -> list[Finding]:
    """Share of left among decided votes, and our win rate on the left less that on the right."""
    whole, found = found, found.where(lambda vote: vote.source != "file_without_sides")
    if len(whole) and not len(found):
        why = "which answer stood on the left is not in the file"
        return [unknown(MEANINGS[name], why, slice=where) for name in ("left_share", "side_difference")]
    decided = found.decided()
    left = [vote.choice == "left" for vote in decided.votes]
    share = winrate.share(left, decided.prompts, level=level)
    if isinstance(share, Unknown):
        share = Unknown("no vote chose a side")
    by_side = winrate.win_rate_by_side(found.score_N, found.ours_left_N, found.prompts, level=level)
    if isinstance(by_side, Unknown):
        gap = unknown(MEANINGS["side_difference"], by_side.reason, slice=where)
    else:
        detail = SidesDetail(
            left=by_side.left.value, left_n=by_side.left.n, right=by_side.right.value, right_n=by_side.right.n
        ).model_dump()
        gap = measured(
            MEANINGS["side_difference"],
            by_side.difference,
            n=len(found),
            interval=by_side.interval,
            slice=where,
            detail=detail,
        )
    return [rate_finding("left_share", share, where), gap]


def consistency_finding(votes: Sequence[StudyVote], where: Slice, frame: Frame) -> Finding:
    """Share of repeat showings judged as the first time, in terms of systems."""
    first = {(vote.editor, vote.item): vote for vote in votes if vote.kind == "real"}
    pairs = [(first[vote.editor, vote.item], vote) for vote in votes if vote.kind == "repeat" and _key(vote) in first]
    told = [pair for pair in pairs if "abstain" not in (pair[0].choice, pair[1].choice)]
    if not told:
        why = "no item was shown again" if not pairs else "every repeat or its first showing was an abstention"
        return unknown(MEANINGS["self_consistency"], why, slice=where)
    # In terms of systems, since a repeat is shown with its sides swapped: the same button twice is a change of mind, or
    # a habit of sides, which `side_kept` counts.
    same = [label(once, frame.order) == label(again, frame.order) for once, again in told]
    side_kept = sum(
        once.choice == again.choice and again.source != "file_without_sides" and once.choice in ("left", "right")
        for (once, again), kept in zip(told, same, strict=True)
        if not kept
    )
    share = winrate.share(same, _prompts([again for _, again in told]), level=frame.config.level)
    detail = {"changed": len(told) - sum(same), "side_kept": side_kept, "abstained": len(pairs) - len(told)}
    return rate_finding("self_consistency", share, where, **detail)


def attention_finding(votes: Sequence[StudyVote], where: Slice, *, level: float) -> Finding:
    """Share of attention items judged right; anything but the known answer is wrong."""
    checks = [vote for vote in votes if vote.kind == "attention"]
    if not checks:
        return unknown(MEANINGS["attention_passed"], "no attention item was judged", slice=where)
    right = [vote.choice == vote.expected for vote in checks]
    share = winrate.share(right, [vote.item for vote in checks], level=level)
    return rate_finding("attention_passed", share, where, **AttentionDetail(passed=sum(right)).model_dump())


def time_findings(votes: Sequence[StudyVote], where: Slice, frame: Frame) -> list[Finding]:
    """Median seconds per item and the share of votes too quick to have read the answers."""
    # Attention items are made to be seen through at once: they would make honest judges look quick.
    real = [vote for vote in votes if vote.kind != "attention"]
    fastest = reading_seconds(real, frame.words, frame.config.quick_words_per_minute)
    found = winrate.times(seconds(real), fastest)
    if isinstance(found, Unknown):
        return [unknown(MEANINGS[name], found.reason, slice=where) for name in ("seconds_per_item", "quick_votes")]
    detail = TimeDetail(lower_quartile=found.low, upper_quartile=found.high, unmeasured=found.unmeasured).model_dump()
    median = measured(MEANINGS["seconds_per_item"], found.median, n=found.n, slice=where, detail=detail)
    if not (fastest > 0).any():
        return [median, unknown(MEANINGS["quick_votes"], "the texts of the answers are not at hand", slice=where)]
    timed = [(vote, limit) for vote, limit in zip(real, fastest, strict=True) if vote.ms is not None]
    quick = [bool((vote.ms or 0) / 1000 < limit) for vote, limit in timed]
    share = winrate.share(quick, _prompts([vote for vote, _ in timed]), level=frame.config.level)
    return [median, rate_finding("quick_votes", share, where, count=sum(quick))]


def agreement_findings(votes: Sequence[StudyVote], where: Slice, frame: Frame) -> list[Finding]:
    """Krippendorff's alpha over items (nominal; ordinal beside it), and plain agreement of two judges."""
    label_UR = label_table(votes, frame)
    prompt_of = {vote.item: vote.prompt_id for vote in votes if vote.kind == "real"}
    prompts = [prompt_of[item] for item in sorted(prompt_of)]  # in the order of the table's rows
    # With two systems a label is a system. With more, which of an item's two is called the first is the order in which
    # systems were named, and no figure may hang on that.
    either = None if frame.two_systems else (0.0, 1.0)
    config = frame.config
    level, resamples, seed = config.level, config.resamples, config.seed
    found = alpha(label_UR, clusters=prompts, exchangeable=either, level=level, resamples=resamples, seed=seed)
    plain = observed_agreement(label_UR, clusters=prompts, level=level, resamples=resamples, seed=seed)
    judges = None if frame.nameless else len({vote.editor for vote in votes if vote.kind == "real"})
    if isinstance(found, Unknown):
        why = "one judge has nobody to agree with" if judges == 1 else found.reason
        first = unknown(MEANINGS["alpha"], why, slice=where)
    else:
        # Only its value is shown, so its interval is not paid for.
        ends = None if either is None else (0.0, 2.0)
        ordinal = alpha(_ordered(label_UR), metric="ordinal", exchangeable=ends, resamples=2)
        detail = AgreementDetail(
            labels=found.labels,
            judges=judges,
            ordinal=None if isinstance(ordinal, Unknown) else ordinal.value,
        ).model_dump()
        first = measured(
            MEANINGS["alpha"], found.value, n=found.units, interval=found.interval, slice=where, detail=detail
        )
    if isinstance(plain, Unknown):
        why = "one judge has nobody to agree with" if judges == 1 else plain.reason
        return [first, unknown(MEANINGS["agreement"], why, slice=where)]
    value, units, interval = plain
    return [first, measured(MEANINGS["agreement"], value, n=units, interval=interval, slice=where)]


def label_table(votes: Sequence[StudyVote], frame: Frame) -> Array:
    """Labels of real showings by item and judge, NaN where there is none; shape (U, R)."""
    real = [vote for vote in votes if vote.kind == "real"]
    rows = {item: index for index, item in enumerate(sorted({vote.item for vote in real}))}
    columns = {name: index for index, name in enumerate(sorted({vote.editor for vote in real}))}
    table = np.full((len(rows), len(columns)), np.nan)
    for vote in real:
        table[rows[vote.item], columns[vote.editor]] = label(vote, frame.order)
    return table


def _ordered(label_UR: Array) -> Array:
    """Labels on the scale from one system to the other: first 0, tie and both bad 1, second 2."""
    return np.choose(np.nan_to_num(label_UR, nan=0).astype(int), [0.0, 2.0, 1.0, 1.0]) + np.where(
        np.isfinite(label_UR), 0.0, np.nan
    )


def icc_finding(found: Ballots, where: Slice) -> Finding:
    value = winrate.intraclass_correlation(found.score_N, found.prompts) if len(found) else Unknown("no votes")
    if isinstance(value, Unknown):
        return unknown(MEANINGS["icc"], value.reason, n=len(found), slice=where)
    return measured(MEANINGS["icc"], value, n=len(found), slice=where)


def coverage_finding(done: int, planned: int | None) -> Finding:
    if planned is None:
        return unknown(MEANINGS["coverage"], "votes of a file have no plan")
    if not planned:
        return unknown(MEANINGS["coverage"], "the plan holds no showing for a person")
    detail = CoverageDetail(done=done, planned=planned).model_dump()
    return measured(MEANINGS["coverage"], done / planned, n=planned, detail=detail)


def _prompts(votes: Sequence[StudyVote]) -> list[str]:
    return [vote.prompt_id for vote in votes]


def _key(vote: StudyVote) -> tuple[str, str]:
    return vote.editor, vote.item
