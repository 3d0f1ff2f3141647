"""What style explains, and what the reward goes by further than people do. Knows no HTML."""

from __future__ import annotations

from assay.artifacts.audit_style_table import OveruseRow, StyleEffect
from assay.findings.finding import Finding
from assay.gate.every_figure import EVERY_FIGURE
from assay.report import words
from assay.report.finding_text import cell, inline, label
from assay.report.run.reported_run import ReportedRun

ROWS = 12  # of each table: the rest stands in audit.json
OVERUSE = {"length_overuse": "length", "style_overuse": "style", "source_overuse": "the origin of an answer"}


def style(evidence: ReportedRun) -> dict[str, object] | None:
    """The figures on style, the effects of single features, and what is overdone; None where style was not measured."""
    table = evidence.tables.get("style")
    if table is None:
        return None
    shown = EVERY_FIGURE.shown_in("style section")
    found = [evidence.head(name) for name in shown if not EVERY_FIGURE[name].where_given or evidence.find(name)]
    overuse = sorted(table["overuse"], key=lambda row: (row["p"], -abs(row["beyond"]), row["attribute"]))
    return {
        "reading": style_reading(evidence),
        "findings": [(label(f.name), cell(f), f) for f in found],
        "effects": [effect_row(row) for row in table["effects"][:ROWS]],
        "overuse": [overuse_row(row) for row in overuse[:ROWS]],
        "level": words.percent(table["level"], 0),
        "left_out": max(len(table["effects"]) - ROWS, 0) + max(len(overuse) - ROWS, 0),
    }


def style_reading(evidence: ReportedRun) -> list[str]:
    """What the figures on style say, in sentences."""
    rule, beyond = evidence.head("style_baseline"), evidence.head("accuracy_beyond_style")
    lines = [
        f"The best rule on style and length alone, fitted on other prompts, is right on {inline(rule)}"
        f"{beside(rule)}. Accuracy beyond it: {inline(beyond)}.",
    ]
    equal = evidence.head("accuracy_equal_style")
    if equal.known is not None:
        part = words.percent(equal.detail.get("share_of_pairs"))
        lines.append(f"Where that rule gives neither answer more than 55% ({part} of the pairs): {inline(equal)}.")
    return [
        *lines,
        *(overuse_sentence(found, what) for name, what in OVERUSE.items() if (found := evidence.find(name))),
    ]


def beside(rule: Finding) -> str:
    longest, shortest = rule.detail.get("longest"), rule.detail.get("shortest")
    if longest is None or shortest is None:
        return ""
    return f"; “longest wins” on {words.percent(longest)}, “shortest wins” on {words.percent(shortest)}"


def overuse_sentence(found: Finding, what: str) -> str:
    """One sentence by what the audit judged."""
    if found.known is None:
        return words.sentence(f"whether the reward overdoes {what}: {inline(found)}")
    if found.verdict in ("warning", "problem"):
        side = "more of it" if found.detail.get("direction") == "more" else "less of it"
        return (
            f"The reward goes by {what} further than people do: {found.detail.get('named')}, where it takes the answer "
            f"with {side} oftener than people by {inline(found)}, weighted by how much more."
        )
    looked = words.plural(found.detail.get("attributes", 0), "attribute")
    if found.verdict == "too_few":
        return f"Too few pairs to tell whether the reward overdoes {what} ({looked} looked at)."
    return f"No sign that the reward goes by {what} further than people do ({looked} looked at)."


def effect_row(row: StyleEffect) -> dict[str, str]:
    return {
        "feature": row["feature"],
        "pairs": words.count(row["pairs"]),
        "margin": with_bounds(row["margin"], row["margin_low"], row["margin_high"]),
        "people": with_bounds(row["people"], row["people_low"], row["people_high"]),
        "p": p_words(row["p"]),
    }


def with_bounds(value: float | None, low: float | None, high: float | None) -> str:
    return words.UNKNOWN if value is None else f"{words.signed(value)} ({words.signed(low)} to {words.signed(high)})"


def overuse_row(row: OveruseRow) -> dict[str, str]:
    span = f"{words.points(row['beyond_low'])} to {words.points(row['beyond_high'])}"
    return {
        "attribute": row["attribute"],
        "pairs": words.count(row["pairs"]),
        "people": words.points(row["people"]),
        "reward": words.points(row["reward"]),
        "beyond": f"{words.points(row['beyond'])} ({span})",
        "p": p_words(row["p"]),
    }


def p_words(p: float | None) -> str:
    """A p value as a table writes it."""
    if p is None:
        return ""
    return "under 0.001" if p < 0.001 else f"{p:.3f}"
