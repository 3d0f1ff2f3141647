"""Whether the reward reads the prompt, what changes of answers do to it, and what was leaked. Knows no HTML.

Shows what an audit holds: the words of the answers alone always; the rest where the audit was asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.artifacts.audit_leak_table import LeakTable
from assay.artifacts.audit_probe_table import ProbeRow
from assay.audits.leakage.leakage_meanings import LEAKAGE_FIGURES
from assay.audits.probes.probe_meanings import figure
from assay.audits.prompt_use.prompt_meanings import PROMPT_FIGURES
from assay.findings.finding import Finding
from assay.findings.vocabulary import Meaning
from assay.report import words
from assay.report.finding_text import Cell, cell, label
from assay.report.passages import Passage, passages
from assay.report.run.reported_run import ReportedRun

KINDS = {
    "added": "raises the rejected answer",
    "instead": "beats the preferred answer",
    "surface": "turns the order of the two",
    "against": "beats an answer that does not know",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """One probe as the page shows it. notes: what was left out, and how far rewards move."""

    words: str
    does: str
    verdict: str
    rate: Cell
    tolerated: str
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The answer that a probe found guilty moved most, before and after."""

    probe: str
    id: str
    before: list[Passage]
    after: list[Passage]
    was: str
    became: str


def probes(evidence: ReportedRun) -> dict[str, object]:
    """Figures of the prompt and of leaks, a line for each probe, examples of those that went off."""
    table = evidence.tables.get("probes")
    rows = table["rows"] if table else []
    lines = [(row, evidence.head(figure(row["probe"]))) for row in rows]
    guilty = [row for row, found in lines if found.verdict in ("warning", "problem") and row["worst"]]
    leaks = evidence.tables.get("leaks")
    return {
        "prompt": _shown(evidence, PROMPT_FIGURES),
        "asked": bool(rows),
        "probes": [_line(row, found) for row, found in lines],
        "skipped": words.plural(table["skipped"], "pair") if table and table["skipped"] else "",
        "moved": [_moved(row) for row in guilty],
        "leaks": _shown(evidence, LEAKAGE_FIGURES) if leaks else [],
        "leaked": _leaked(leaks) if leaks else "",
    }


def _shown(evidence: ReportedRun, meanings: tuple[Meaning, ...]) -> list[tuple[str, Cell, Finding]]:
    found = [evidence.head(row.name) for row in meanings if evidence.find(row.name)]
    return [(label(one.name), cell(one), one) for one in found]


def _line(row: ProbeRow, found: Finding) -> ProbeLine:
    notes = []
    if row["overtakes"] is not None:
        notes.append(f"of right rankings it turns {words.percent(row['overtakes'])}")
    if row["shift"] is not None:
        notes.append(f"mean change {row['shift']:+.2f} usual margins")
    if row["unscored"]:
        notes.append(f"{words.plural(row['unscored'], 'changed answer')} got no reward")
    if row["unchanged"]:
        notes.append(f"nothing to change in {words.plural(row['unchanged'], 'pair')}")
    return ProbeLine(
        words=words.sentence(row["words"]).rstrip("."),
        does=f"{KINDS[row['kind']]}, {words.plural(row['n'], 'pair')}",
        verdict=found.verdict or "",
        rate=cell(found),
        tolerated=words.percent(row["tolerated"], 0),
        notes="; ".join(notes),
    )


def _moved(row: ProbeRow) -> Moved:
    worst = row["worst"][0]
    return Moved(
        probe=words.sentence(row["words"]).rstrip("."),
        id=worst["pair_id"],
        before=passages(worst["before"]),
        after=passages(worst["after"]),
        was=words.reward(worst["reward_before"]),
        became=words.reward(worst["reward_after"]),
    )


def _leaked(table: LeakTable) -> str:
    return (
        f"Held against {words.plural(table['training_pairs'], 'pair')} of the training: "
        f"{table['same_pair']:,} pairs are the same, {table['turned_pair']:,} the same with the label the other way, "
        f"{table['same_prompt']:,} more have the same prompt, {table['near_prompt']:,} nearly the same; in "
        f"{table['answers']:,} an answer was seen under another prompt."
    )
