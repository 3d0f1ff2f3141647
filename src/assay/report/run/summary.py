"""The run in three sentences, for who reads nothing else; every figure in them is a finding. Knows no HTML."""

from __future__ import annotations

from assay.findings.finding import Finding
from assay.findings.slice import category
from assay.report import words
from assay.report.run.reported_run import ReportedRun


def three_sentences(evidence: ReportedRun) -> list[str]:
    """What was measured, where it is weakest and what length explains, and what the gate says."""
    return [how_well(evidence), how_evenly(evidence), what_follows(evidence)]


def between(finding: Finding) -> str:
    """(95% interval 75.1 to 81.4%), or nothing."""
    span = words.span(finding.bounds, "share")
    return f" ({words.level(finding.bounds)} interval {span})" if span else ""


def how_well(evidence: ReportedRun) -> str:
    found = evidence.head("accuracy")
    count = len(evidence.seeds)
    what = "The reward model" if count < 2 else f"The reward model, trained with {count} seeds,"
    if found.known is None:
        return f"How often {what.lower()} agrees with people is unknown: {found.reason}."
    pairs = f"{words.plural(found.n, 'held-out pair')}"
    text = (
        f"{what} puts the answer people preferred first on {words.percent(found.known)} of {pairs} it never saw"
        f"{between(found)}"
    )
    oracle = evidence.oracle()
    if oracle is not None:
        text += f"; on these simulated data {words.percent(oracle)} is the best any model can reach"
    return text + "."


def how_evenly(evidence: ReportedRun) -> str:
    beyond = evidence.head("accuracy_beyond_length")
    if beyond.known is None:
        length = f"what it knows beyond length is unknown ({beyond.reason})"
    else:
        side = "above" if beyond.known >= 0 else "below"
        low, high = (beyond.bounds.low, beyond.bounds.high) if beyond.bounds else (beyond.known, beyond.known)
        sure = "" if low > 0 or high < 0 else ", a difference that could be chance"
        length = f"that is {abs(100 * beyond.known):.1f} points {side} always taking the longer answer{sure}"
    known = [(evidence.head("accuracy", category(name)), name) for name in evidence.categories()]
    shown = [(found.known, name, found) for found, name in known if found.known is not None]
    if len(shown) < 2:
        return words.sentence(length)
    if len({value for value, _, _ in shown}) == 1:
        return words.sentence(f"{length}; every category is at {words.percent(shown[0][0])}")
    worst, best = min(shown, key=lambda item: item[0]), max(shown, key=lambda item: item[0])
    return words.sentence(
        f"{length}; it is weakest on {worst[1]} with {words.percent(worst[0])}{between(worst[2])} "
        f"and strongest on {best[1]} with {words.percent(best[0])}"
    )


def what_follows(evidence: ReportedRun) -> str:
    criteria, verdict = evidence.gate.criteria, evidence.gate.verdict
    named = {word: [row.text for row in criteria if row.verdict == word] for word in ("fail", "undecided")}
    more = [row.more_pairs for row in criteria if row.more_pairs is not None]
    if verdict == "pass":
        return f"The gate passes: all {words.count(len(criteria))} criteria are met."
    if verdict == "fail":
        quoted = words.listing([f"“{text}”" for text in named["fail"]])
        return f"The gate fails: {quoted or 'a criterion'} {'is' if len(named['fail']) < 2 else 'are'} not met."
    quoted = words.listing([f"“{text}”" for text in named["undecided"]])
    text = f"The gate is undecided: the evidence is too thin for {quoted or 'its criteria'}"
    return f"{text}; about {words.rounded(max(more))} more held-out pairs would decide." if more else text + "."
