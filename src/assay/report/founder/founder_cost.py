"""What it cost: computer time from run.json, editors' time from the study, and what nobody wrote down. No HTML."""

from __future__ import annotations

from assay.report import words
from assay.report.founder.told_run import ToldRun


def costs(told: ToldRun) -> list[tuple[str, str]]:
    """Each kind of cost with what is known of it."""
    return [
        ("Computer", computer(told)),
        ("Editors' votes in this test", editors(told)),
        ("Past choices it learned from", learned_from(told)),
        ("Money", "Not recorded. The machine and the editors' hours above are what to price."),
    ]


def computer(told: ToldRun) -> str:
    """Time of all stages that are over, and on what."""
    seconds = sum(stage.seconds for stage in told.run.stages)
    machine = told.run.machine
    size = []
    if machine.cpus is not None:
        size.append(words.plural(machine.cpus, "processor core"))
    if machine.memory_gib is not None:
        size.append(f"{words.number(machine.memory_gib, 0)} GB of memory")
    where = f" on one machine with {words.listing(size)}" if size else " on a machine of unknown size"
    return f"{plain_time(seconds)}{where}."


def editors(told: ToldRun) -> str:
    """Votes of people, and about how long they took."""
    if told.analysis is None:
        return (
            "None so far."
            if told.planned is None or not told.planned.done
            else (f"{words.plural(told.planned.done, 'comparison')} so far, the known ones among them.")
        )
    counts, found = told.analysis.tables.counts, told.analysis.find("seconds_per_item")
    if not counts.real:
        return "No person voted."
    who = "an unknown number of editors" if counts.people is None else words.plural(counts.people, "editor")
    made = f"{words.plural(counts.real, 'comparison')} by {who}"
    if found is None or found.known is None:
        return f"{made}. How long they took is not recorded."
    return (
        f"{made}. Half of them took under {plain_time(found.known)}, so about {plain_time(found.known * counts.real)} "
        "of editors' time in all."
    )


def learned_from(told: ToldRun) -> str:
    """How many pairs there were, and how many of them were kept apart for the test."""
    if told.split is None:
        return "How many is not recorded."
    train, kept = told.split.pairs_train, told.split.pairs_held_out
    return f"{words.plural(train, 'choice')}, and {words.count(kept)} more kept aside to test it."


def plain_time(seconds: float) -> str:
    """Time as one says it: 40 seconds, 7 minutes, 2.5 hours.

    >>> plain_time(40), plain_time(60 * 7), plain_time(3600 * 2.46)
    ('40 seconds', '7 minutes', '2.5 hours')
    """
    if seconds < 90:
        return words.plural(max(round(seconds), 1), "second")
    if seconds < 90 * 60:
        return words.plural(round(seconds / 60), "minute")
    return f"{words.number(seconds / 3600, 1).removesuffix('.0')} hours"
