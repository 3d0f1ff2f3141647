"""The sentences above the tables of sides, agreement, length and time. Knows the analysis; knows no page."""

from __future__ import annotations

from assay.artifacts.analysis_body import AgreementDetail, LengthDetail, SidesDetail, TimeDetail
from assay.report import words
from assay.study.analysis.study_result import Analysis


def sides_sentences(analysis: Analysis) -> str:
    found = analysis.find("side_difference")
    said = (
        "Sides were drawn at random and balanced when the plan was made, so a habit of sides cancels in the win rate."
        if analysis.study.outside is None
        else "How sides were drawn is not in the file, so a habit of sides may stand in the win rate."
    )
    if found is None or found.known is None:
        return said
    told = SidesDetail.of(found.detail)
    left, right = words.percent(told.left), words.percent(told.right)
    return f"{said} Standing on the left, {analysis.ours} won {left}; on the right, {right}."


def agreement_sentences(analysis: Analysis) -> str:
    found = analysis.find("alpha")
    if found is None or found.known is None:
        return f"Agreement between people: unknown ({found.reason if found else 'not measured'})."
    ordinal = AgreementDetail.of(found.detail).ordinal
    scale = (
        f" Read as a scale from one system over a tie to the other, it is {words.figure(ordinal, 'plain')}."
        if words.known(ordinal)
        else ""
    )
    return (
        f"{words.plural(found.n, 'item')} judged by two or more people. An alpha of 1 is full agreement, 0 what chance "
        f"would give.{scale} Disagreement is not error: tastes differ, and answers may be alike."
    )


def length_sentences(analysis: Analysis) -> str:
    found = analysis.find("length_controlled_win_rate")
    if found is None or found.known is None:
        return f"Win rate at equal length: unknown ({found.reason if found else 'not measured'})."
    told = LengthDetail.of(found.detail)
    gap = words.signed(told.mean_difference, 0)
    pull = "longer" if told.slope > 0 else "shorter"
    error = told.slope_error
    leaned = error is not None and abs(told.slope) > 2 * error
    said = (
        f"Votes leaned to the {pull} answer" if leaned else "No lean to longer or shorter answers is seen beyond chance"
    )
    return (
        f"Answers of {analysis.ours} were longer in {words.percent(told.ours_longer)} of the judgements, on average "
        f"by {gap} {told.unit}. {said}."
    )


def time_sentences(analysis: Analysis) -> str:
    found = analysis.find("seconds_per_item")
    if found is None or found.known is None:
        return "How long people took is unknown: no time is on record."
    told = TimeDetail.of(found.detail)
    low, high = words.duration(told.lower_quartile), words.duration(told.upper_quartile)
    speed = words.count(analysis.config.quick_words_per_minute)
    return (
        f"Half of the items took between {low} and {high}. A vote is quick where prompt and answers would have to be "
        f"read at more than {speed} words a minute."
    )
