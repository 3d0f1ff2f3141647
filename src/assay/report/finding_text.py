"""Findings in words: values, intervals, and reasons where there are none. Knows findings; knows no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.findings.finding import Finding
from assay.report import words

KINDS: Mapping[str, words.Kind] = {
    "share": "share",
    "share difference": "points",
    "values": "count",
    "named problems": "count",
}
LABELS = {
    "length_baseline": "Longest wins",
    "length_baseline_tokens": "Longest wins, in tokens",
    "length_matched_accuracy": "Accuracy at equal length",
    "accuracy_shorter_preferred": "Accuracy, shorter preferred",
    "accuracy_longer_preferred": "Accuracy, longer preferred",
    "reward_length_correlation": "Correlation with length",
    "reward_sd": "Reward standard deviation",
    "length_controlled_win_rate": "Win rate at equal length",
    "majority_share": "Prompts won by majority",
    "majority_p_value": "Exact test on majorities, p",
    "left_share": "Left chosen",
    "side_difference": "Win rate left minus right",
    "alpha": "Krippendorff's alpha",
    "agreement": "Two editors say the same",
    "attention_passed": "Attention items right",
    "seconds_per_item": "Seconds per item",
    "icc": "Likeness of votes on one prompt (ICC)",
    "judge_agreement": "Agreement with people's majority",
}


def label(name: str) -> str:
    """A finding's name as the page writes it."""
    return LABELS.get(name) or words.spaced(name).capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure in words, or `unknown` with why; `sub` stands smaller beneath it."""

    text: str
    sub: str = ""
    why: str = ""


def kind(finding: Finding) -> words.Kind:
    """How the finding's figures are read."""
    return KINDS.get(finding.unit, "plain")


def inline(finding: Finding) -> str:
    """A finding inside a sentence: +26.0 points (95% interval +19.6 to +32.4); unknown (why)."""
    if finding.value is None:
        return f"{words.UNKNOWN} ({finding.reason})"
    span = words.span(finding.interval, kind(finding))
    said = words.figure(finding.value, kind(finding))
    return f"{said} ({words.level(finding.interval)} interval {span})" if span else said


def cell(finding: Finding) -> Cell:
    """A finding as a cell: value, interval beneath (or why there is none); or unknown and the reason."""
    if finding.value is None:
        return Cell(text=words.UNKNOWN, why=finding.reason or "the audit gives no reason")
    as_kind = kind(finding)
    return Cell(
        text=words.figure(finding.value, as_kind),
        sub=words.span(finding.interval, as_kind),
        why=(finding.reason or "") if finding.interval is None else "",
    )
