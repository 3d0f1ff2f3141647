"""The worst mistakes: prompt and both answers with their rewards, and what is on record of each. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.artifacts.run_json import MistakeJson, TurnJson
from assay.report import words
from assay.report.run.reported_run import ReportedRun

FOLD = 320  # characters shown of a long text before it is folded


@dataclass(frozen=True, slots=True)
class Passage:
    """One turn of a text: who speaks (empty for plain text), the words, and their start if they are long."""

    role: str
    words: str
    start: str

    @property
    def long(self) -> bool:
        return bool(self.start)


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


def passages(text: str | Sequence[TurnJson] | None) -> list[Passage]:
    """A text or a conversation as the page shows it."""
    turns = (
        [("", text)]
        if isinstance(text, str)
        else [(turn.get("role", ""), turn.get("content", "")) for turn in text or []]
    )
    out = []
    for role, said in turns:
        clean = words.visible(str(said))
        start = clean[:FOLD].rsplit(" ", 1)[0] + " …" if len(clean) > FOLD + 80 else ""
        out.append(Passage(str(role), clean, start))
    return out


def mistakes(evidence: ReportedRun) -> list[Mistake]:
    """The worst mistakes, in the order of the audit."""
    return [
        Mistake(
            id=row.get("pair_id") or "",
            category=row.get("category") or "",
            notes=mistake_notes(row),
            prompt=passages(row.get("prompt")),
            chosen=passages(row.get("chosen")),
            rejected=passages(row.get("rejected")),
            good=words.reward(row.get("reward_chosen")),
            bad=words.reward(row.get("reward_rejected")),
        )
        for row in evidence.tables.get("mistakes") or []
    ]


def mistake_notes(row: MistakeJson) -> list[str]:
    """Margin, how many seeds err, votes and place of one mistake, as far as recorded."""
    notes = [f"margin {words.reward(row.get('margin'))}"]
    seeds, votes, where = row.get("seeds"), row.get("votes"), row.get("where")
    if words.known(seeds) and seeds > 1:
        notes.append(f"wrong with {row.get('seeds_wrong')} of {seeds} seeds")
    if votes:
        notes.append("votes " + ", ".join(f"{choice} {n}" for choice, n in sorted(votes.items())))
    lengths = row.get("length_chosen"), row.get("length_rejected")
    if all(words.known(length) for length in lengths):
        notes.append(f"{words.count(lengths[0])} against {words.count(lengths[1])} characters")
    return notes + ([str(where).replace("\\", "/").rpartition("/")[2]] if where else [])
