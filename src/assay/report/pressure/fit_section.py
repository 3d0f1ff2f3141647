"""The section on how a reward fits a policy: figures without labels, categories, what shifted. Knows fit.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.artifacts.fit_body import CloudBody, FitBody, ShiftRow
from assay.audits.fit.fit_meanings import MEANINGS
from assay.findings.finding import Finding
from assay.report import words
from assay.report.finding_text import cell

MOST_SHIFTS = 12


def fit_section(body: FitBody | None) -> dict[str, object] | None:
    """What the template shows; None where there is no fit."""
    if body is None:
        return None
    findings = [Finding.from_body(one) for one in body.findings]
    overall = {one.name: one for one in findings if one.slice.name is None}
    parts = [one for one in findings if one.slice.part == "category"]
    parts.sort(key=lambda one: (-(one.known or 0.0), one.slice))
    rate = overall["outside_share"].detail.get("rate") if "outside_share" in overall else None
    return {
        "figures": [figure(overall[name]) for name in MEANINGS if name in overall],
        "rate": None if rate is None else words.percent(float(rate)),
        "categories": [category(one) for one in parts],
        "shifts": [shift(row) for row in body.shifts[:MOST_SHIFTS]],
        "shifts_cut": max(0, len(body.shifts) - MOST_SHIFTS),
        "clouds": [cloud(one) for one in body.clouds],
        "notes": [words.sentence(note) for note in body.notes],
        "against": ", ".join(f"{name} {value}" for name, value in body.against.items() if name != "sha256"),
    }


def figure(one: Finding) -> dict[str, str]:
    found = cell(one)
    return {
        "title": MEANINGS[one.name].label,
        "value": found.text,
        "span": found.sub,
        "n": words.count(one.n),
        "why": one.why,
        "extra": words.sentence(found.why or said(one)).removesuffix("."),
        "judged": one.verdict or "",
    }


def said(one: Finding) -> str:
    """What stands in the detail of a figure, in words; empty where there is nothing to add."""
    told: Mapping[str, object] = one.detail
    if "direction" in told:
        named = "" if one.name in ("reward_shift", "length_shift") else f"{told['attribute']}: "
        return f"{named}{told['direction']}"
    if one.name == "cannot_tell_apart" and told.get("below_noise") is not None:
        return (
            f"all equal {words.percent(told['all_equal'])}, below the noise of {told['raters']} seeds or members "
            f"{words.percent(told['below_noise'])}"
        )
    if one.name == "outside_share" and "rate" in told:
        alarms, groups = words.percent(told["held_out"]), told["held_out_groups"]
        return f"false alarms on held-out answers {alarms}, {groups} prompt groups"
    return ""


def category(one: Finding) -> dict[str, str]:
    found = cell(one)
    return {
        "name": one.slice.label, "n": words.count(one.n), "share": found.text, "span": found.sub or found.why,
        "threshold": str(one.detail.get("threshold", "")),
    }  # fmt: skip


def shift(row: ShiftRow) -> dict[str, str]:
    interval = row.interval
    return {
        "name": row.attribute,
        "samples": words.plain_number(row.samples),
        "pairs": words.plain_number(row.pairs),
        "shift": words.signed(row.shift, 2),
        "span": f"{words.signed(interval.low, 2)} to {words.signed(interval.high, 2)}" if interval else "",
        "direction": row.direction,
        "p": "p < 0.001" if row.p_holm < 0.001 else f"p {words.number(row.p_holm, 3)}",
    }


def cloud(one: CloudBody) -> str:
    centres = f", {words.plural(len(one.centres), 'category', 'categories')} with a centre of their own"
    return (
        f"Seed {one.seed}: {words.count(one.answers)} training answers in {words.count(one.dimensions)} dimensions"
        f"{centres if one.centres else ''}, covariance shrunk by {words.percent(one.shrunk, 0)}; threshold "
        f"{words.number(one.threshold, 2)} from {words.count(one.held_out)} held-out answers to "
        f"{words.plural(one.groups, 'prompt group')}; median distance of samples {words.number(one.distance, 2)}, of "
        f"held-out answers {words.number(one.distance_held_out, 2)}. It stands in {one.path}."
    )


def terminal_lines(findings: Sequence[Finding]) -> list[str]:
    """One line a figure for the terminal, plain text."""
    lines = []
    for name, label in MEANINGS.shown_in("terminal").items():
        one = next((one for one in findings if one.name == name and one.slice.name is None), None)
        if one is None:
            continue
        found = cell(one)
        text = f"unknown: {one.reason}" if one.known is None else found.text
        span = f"  ({found.sub})" if found.sub and one.known is not None else ""
        extra = f"  {said(one)}" if one.known is not None and "direction" in one.detail else ""
        lines.append(f"{label:<46} {text}{span}{extra}")
    return lines
