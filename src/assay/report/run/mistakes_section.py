"""The worst mistakes: prompt and both answers with their rewards, and what is on record of each. Knows no HTML."""

from __future__ import annotations

from dataclasses import dataclass

from assay.artifacts.audit_body import MistakeRow
from assay.report import words
from assay.report.passages import Passage, passages
from assay.report.run.reported_run import ReportedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A pair the model ranks wrong, as the page shows it. good, bad: rewards of the chosen and the rejected answer."""

    id: str
    category: str
    notes: list[str]
    prompt: list[Passage]
    chosen: list[Passage]
    rejected: list[Passage]
    good: str
    bad: str


def mistakes(evidence: ReportedRun) -> list[Mistake]:
    """The worst mistakes, in the order of the audit."""
    return [
        Mistake(
            id=row["pair_id"],
            category=row["category"] or "",
            notes=mistake_notes(row),
            prompt=passages(row["prompt"]),
            chosen=passages(row["chosen"]),
            rejected=passages(row["rejected"]),
            good=words.reward(row["reward_chosen"]),
            bad=words.reward(row["reward_rejected"]),
        )
        for row in evidence.tables["mistakes"]
    ]


def mistake_notes(row: MistakeRow) -> list[str]:
    """Margin, how many seeds err, votes, lengths and place of one mistake, as far as recorded."""
    notes = [f"margin {words.reward(row['margin'])}"]
    if row["seeds"] > 1:
        notes.append(f"wrong with {row['seeds_wrong']} of {row['seeds']} seeds")
    if row["votes"]:
        notes.append("votes " + ", ".join(f"{choice} {n}" for choice, n in sorted(row["votes"].items())))
    notes.append(f"{words.count(row['length_chosen'])} against {words.count(row['length_rejected'])} characters")
    return notes + ([row["where"].replace("\\", "/").rpartition("/")[2]] if row["where"] else [])
