"""The verdict and its criteria as the page shows them. Knows gate.json and the words of criteria; decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assay.errors import GateError
from assay.findings.vocabulary import ALL_MEANINGS
from assay.gate.criteria import parse
from assay.report import words
from assay.report.finding_text import KINDS, Cell
from assay.report.run.reported_run import ReportedRun
from assay.stats.intervals import Interval

DECISION = {
    "pass": "Every criterion is met. A policy may be optimised against this reward, within the limits below.",
    "fail": "Do not optimise a policy against this reward yet: at least one criterion is not met.",
    "undecided": "Do not optimise a policy against this reward yet: the evidence does not decide.",
}
# Kinds of criteria whose text names no finding: how their value is read, and the noun it counts.
PHRASES: Mapping[str, tuple[words.Kind, str]] = {
    "beats_length": ("points", ""),
    "not_degenerate": ("count", "problem"),
    "no_overlap": ("count", "shared group"),
    "self_checks": ("count", "check"),
}


def verdict(evidence: ReportedRun) -> dict[str, Any]:
    word = evidence.gate.get("verdict")
    word = word if word in DECISION else "undecided"
    criteria = [criterion(row) for row in evidence.gate.get("criteria") or []]
    return {
        "word": word,
        "decision": DECISION[word],
        "criteria": criteria,
        "thresholds": any(row["threshold"] for row in criteria),
    }


def criterion(row: Mapping[str, Any]) -> dict[str, Any]:
    """One criterion as the table shows it."""
    word = row.get("verdict") if row.get("verdict") in DECISION else "undecided"
    as_kind, noun = kind_of_criterion(row)
    interval = Interval(**row["interval"]) if row.get("interval") else None
    reason, more = row.get("reason") or "the gate gives no reason", row.get("more_pairs")
    there = words.known(row.get("value"))
    said = f"About {words.rounded(more)} more held-out pairs would decide." if words.known(more) else ""
    return {
        "text": row.get("text") or words.spaced(str(row.get("kind", "criterion"))),
        "word": word,
        "value": Cell(
            text=words.plural(row["value"], noun) if noun and there else words.figure(row.get("value"), as_kind),
            sub=words.span(interval, as_kind),
            why="" if there else "see the reason",
        ),
        "threshold": words.figure(row.get("threshold"), as_kind) if words.known(row.get("threshold")) else "",
        "reasons": [words.sentence(true_minus(part)) for part in reason.split("; ")],
        "more": "" if words.known(more) and f"{words.count(more)} more" in reason else said,
    }


def true_minus(text: str) -> str:
    """-4.5 points -> −4.5 points."""
    return re.sub(r"(?<![\w-])-(?=\d)", words.MINUS, text)


def kind_of_criterion(row: Mapping[str, Any]) -> tuple[words.Kind, str]:
    """How a criterion's figures are read, by the unit of the finding its text names; and the noun they count."""
    finding = named_finding(row)
    if finding is not None:
        return KINDS.get(ALL_MEANINGS[finding].unit, "plain"), ""
    return PHRASES.get(str(row.get("kind")), ("plain", ""))


def named_finding(row: Mapping[str, Any]) -> str | None:
    """The finding a criterion's text names; None for phrases and for text of another gate."""
    try:
        return parse(str(row.get("text", ""))).finding
    except GateError:
        return None


def threshold(evidence: ReportedRun, category: str | None) -> float | None:
    """The accuracy the gate asks for, overall or of a category; None where no criterion states one."""
    bars = []
    for row in evidence.gate.get("criteria") or []:
        asked = row.get("threshold")
        if named_finding(row) != "accuracy" or not words.known(asked):
            continue
        stated = parse(str(row["text"]))
        if (stated.kind == "overall") == (category is None) and stated.category in (None, category):
            bars.append(float(asked))
    return max(bars, default=None)
