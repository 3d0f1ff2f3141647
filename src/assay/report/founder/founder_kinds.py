"""Whether the new model is liked on every kind of task: the win rate by category, where there are enough tasks.

Kinds are the categories of the fresh prompts. Only people's votes are told by kind: there are none of programs. Knows
the analysis and plain words; computes no rate.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.findings.finding import Finding
from assay.records import NO_CATEGORY
from assay.report import words
from assay.report.founder.founder_answer import of_ten
from assay.report.founder.told_run import ToldRun

ENOUGH = 10  # tasks of a kind below which its rate is mostly luck, and no rate is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of task. expect: what other tasks of it would show, from and to."""

    name: str
    tasks: str
    rate: str
    expect: str


def kinds(told: ToldRun) -> tuple[list[Kind], str]:
    """Kinds with enough tasks, and a sentence on how to read them; nothing where the tasks are of no or one kind."""
    found = by_kind(told)
    rows = [
        Kind(
            name="no kind named" if one.slice.name == NO_CATEGORY else str(one.slice.name),
            tasks=words.count(tasks_of(one)),
            rate=f"{of_ten(one.known)} of 10",
            expect=f"{of_ten(max(one.bounds.low, 0))} to {of_ten(min(one.bounds.high, 1))} of 10",
        )
        for one in found
        if tasks_of(one) >= ENOUGH and one.known is not None and one.bounds is not None
    ]
    if not rows:
        return [], ""
    said = "Kinds with few tasks differ by luck alone: look at what to expect, not only at what was found."
    if left := len(found) - len(rows):
        said += f" {words.plural(left, 'other kind')} had under {ENOUGH} tasks, too few to say."
    return rows, said


def kinds_unknown(told: ToldRun) -> list[str]:
    """That no kind has enough tasks, where there are kinds."""
    found = by_kind(told)
    if not found or kinds(told)[0]:
        return []
    return [f"Whether it is better on each of the {len(found)} kinds of tasks. Each kind had too few tasks to say."]


def by_kind(told: ToldRun) -> list[Finding]:
    """The win rate of each kind, where there are at least two."""
    if told.analysis is None:
        return []
    found = [one for one in told.analysis.findings if one.name == "win_rate" and one.slice.part == "category"]
    return found if len(found) > 1 else []


def tasks_of(found: Finding) -> int:
    return int(found.detail.get("clusters", 0))
