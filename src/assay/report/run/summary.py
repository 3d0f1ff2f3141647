"""The run in three sentences, for who reads nothing else; every figure in them is a finding. Knows no HTML."""

from __future__ import annotations

from assay.audits.label_quality.ceiling_words import ceiling_bounds
from assay.audits.pairs.length_rule import rule_to_beat
from assay.findings.finding import Finding
from assay.findings.slice import category
from assay.report import words
from assay.report.run.reported_run import ReportedRun
from assay.report.run.verdict import way
from assay.stats.intervals import FEW_CLUSTERS

ENOUGH_PAIRS = 30  # a category of fewer is not called the weakest: one pair moves it by 3 points or more


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
    what = evidence.judged if count < 2 else f"{evidence.judged}, trained with {count} seeds,"
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
    bounds = ceiling_bounds(evidence.find("noise_ceiling"))
    if bounds is not None:
        text += f"; {bounds.beside(found.known)}"
    return text + "."


def how_evenly(evidence: ReportedRun) -> str:
    rule = rule_to_beat(evidence.head("length_baseline"))
    beyond = evidence.head(rule.beyond if rule is not None else "accuracy_beyond_length")
    if beyond.known is None:
        length = f"what it knows beyond length is unknown ({beyond.reason})"
    else:
        side = "above" if beyond.known >= 0 else "below"
        low, high = (beyond.bounds.low, beyond.bounds.high) if beyond.bounds else (beyond.known, beyond.known)
        sure = "" if low > 0 or high < 0 else ", a difference that could be chance"
        taken = "the longer answer" if rule is None else rule.answer
        brief = ""
        if rule is not None and rule.name == "shortest":
            brief = f" (people preferred it on {words.percent(rule.share)} of these pairs)"
        length = f"that is {abs(100 * beyond.known):.1f} points {side} always taking {taken}{brief}{sure}"
    known = [(evidence.head("accuracy", category(name)), name) for name in evidence.categories()]
    shown = [(found.known, name, found) for found, name in known if found.known is not None and says_enough(found)]
    few = [f"{name} ({words.plural(found.n, 'pair')})" for found, name in known if not says_enough(found)]
    unsaid = f"; too few to say on {words.listing(few)}" if few else ""
    if len(shown) < 2:
        return words.sentence(f"{length}{unsaid if len(known) > 1 else ''}")
    if len({value for value, _, _ in shown}) == 1:
        return words.sentence(f"{length}; every category is at {words.percent(shown[0][0])}{unsaid}")
    worst, best = min(shown, key=lambda item: item[0]), max(shown, key=lambda item: item[0])
    return words.sentence(
        f"{length}; it is weakest on {worst[1]} with {words.percent(worst[0])}{between(worst[2])} "
        f"and strongest on {best[1]} with {words.percent(best[0])}{unsaid}"
    )


def says_enough(found: Finding) -> bool:
    """Whether a category has pairs and prompts enough to be called the weakest or the strongest."""
    prompts = found.detail.get("clusters")
    return found.n >= ENOUGH_PAIRS and (not words.known(prompts) or prompts >= FEW_CLUSTERS)


def what_follows(evidence: ReportedRun) -> str:
    criteria, verdict = evidence.gate.criteria, evidence.gate.verdict
    named = {word: [row.text for row in criteria if row.verdict == word] for word in ("fail", "undecided")}
    more = [row.more_pairs for row in criteria if row.more_pairs is not None]
    toward = {row.toward for row in criteria if row.verdict == "undecided"}
    if verdict == "pass":
        return f"The gate passes: all {words.count(len(criteria))} criteria are met."
    if verdict == "fail":
        quoted = words.listing([f"“{text}”" for text in named["fail"]])
        return f"The gate fails: {quoted or 'a criterion'} {'is' if len(named['fail']) < 2 else 'are'} not met."
    quoted = words.listing([f"“{text}”" for text in named["undecided"]])
    text = f"The gate is undecided: the evidence is too thin for {quoted or 'its criteria'}"
    said = way("fail" if "fail" in toward else "pass") if None not in toward else ""
    return f"{text}; about {words.rounded(max(more))} more held-out pairs would decide{said}." if more else text + "."
