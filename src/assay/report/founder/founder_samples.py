"""Three tasks with both texts side by side, chosen by a stated rule and a fixed seed: never by hand.

Where people judged: one task on which all preferred the new text, one on which all preferred the old, one on which they
were split. Where nobody did, or no task of a kind is left: drawn at random. Knows texts and votes; knows no HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.artifacts.analysis_body import PromptRow
from assay.report import words
from assay.report.founder.told_run import ToldRun, TwoTexts
from assay.report.passages import Passage, passages
from assay.stats.draws import stream

SHOWN = 3
SEED = 0
KINDS: tuple[tuple[str, Callable[[PromptRow], bool]], ...] = (
    ("all editors preferred the new text", lambda row: row.won > 0 and not (row.lost or row.tied or row.abstained)),
    ("all editors preferred the old text", lambda row: row.lost > 0 and not (row.won or row.tied or row.abstained)),
    ("the editors were split", lambda row: row.won > 0 and row.lost > 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One task as the page shows it. votes: how editors judged it, empty where none did."""

    task: list[Passage]
    before: list[Passage]
    after: list[Passage]
    votes: str


def samples(told: ToldRun) -> tuple[str, list[Sample]]:
    """The rule by which they were chosen, in words, and up to three samples."""
    if not told.texts:
        return "No texts of both models lie in the run folder.", []
    rows = {} if told.analysis is None else {row.prompt_id: row for row in told.analysis.tables.prompts}
    rows = {key: row for key, row in rows.items() if key in told.texts}
    order = shuffled(list(told.texts))
    picked, missing = by_kind(rows, order) if rows else ([], [])
    rest = [key for key in order if key not in picked]
    keys = [*picked, *rest[: SHOWN - len(picked)]]
    said = rule(bool(rows), missing, len(told.texts))
    if any(told.texts[key].cut for key in keys):  # else a reader takes a broken end for the model's own
        said += " Where a text ends in the middle of a sentence, it was cut off at a set length."
    return said, [sample(told.texts[key], rows.get(key)) for key in keys]


def shuffled(keys: Sequence[str]) -> list[str]:
    """The same order each time for the same tasks, whatever the order of the file."""
    ordered = sorted(keys)
    return [ordered[place] for place in stream(SEED, "founder samples").permutation(len(ordered))]


def by_kind(rows: Mapping[str, PromptRow], order: Sequence[str]) -> tuple[list[str], list[str]]:
    """The first task of each kind in this order, and the kinds of which there is none."""
    picked, missing = [], []
    for said, fits in KINDS:
        found = next((key for key in order if key in rows and fits(rows[key])), None)
        if found is None:
            missing.append(said)
        else:
            picked.append(found)
    return picked, missing


def rule(by_votes: bool, missing: Sequence[str], tasks: int) -> str:
    """How these came to be shown."""
    if not by_votes:
        return f"A computer drew these by lot from {words.plural(tasks, 'task')}. Nobody picked them."
    kinds = words.listing([f"one where {said}" for said, _ in KINDS])
    told = f"We show {kinds}. Within each kind a computer drew by lot."
    if missing:
        told += f" There was no task where {words.listing(missing, 'or')}, so any other was drawn in its place."
    return told


def sample(texts: TwoTexts, row: PromptRow | None) -> Sample:
    return Sample(
        task=passages(texts.task),
        before=passages(texts.before),
        after=passages(texts.after),
        votes="" if row is None else how_judged(row),
    )


def how_judged(row: PromptRow) -> str:
    """The votes on one task, in words."""
    parts = [(row.won, "for the new text"), (row.lost, "for the old text"), (row.tied, "for neither")]
    parts.append((row.abstained, "without an opinion"))
    return f"Votes: {words.listing([f'{count} {said}' for count, said in parts if count])}."
