"""How a verdict is printed and what exit code it has: alike for every command that decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.artifacts.rests_on_body import RestsOn
    from assay.findings.finding import Finding
    from assay.gate import Verdict

EXIT = {"pass": 0, "fail": 1, "undecided": 3}
COLOUR = {"pass": "green", "fail": "red", "undecided": "yellow"}


# What to collect more of, by what figures are counted in.
MORE: Mapping[str, str] = {
    "pair": "held-out pairs",
    "vote": "prompts",
    "question": "questions",
    "prompt": "prompts",
    "fresh pair": "fresh pairs",
}


def verdict_lines(verdict: Verdict, judged: str) -> list[str]:
    """The verdict on what was `judged` and one line a criterion, in rich markup; how many more would decide."""
    from rich.markup import escape

    from assay.report.look_text import look_sentence, repeated
    from assay.report.words import rounded

    lines = [f"[bold {COLOUR[verdict.verdict]}]{verdict.verdict}[/]  {escape(judged)}"]
    lines += rests_on_lines(verdict.rests_on)
    if said := look_sentence(verdict.looks):
        lines.append(f"  [{'yellow' if repeated(verdict.looks) else 'dim'}]{escape(said)}[/]")
    for result in verdict.criteria:
        counted = MORE[result.counted]
        needed = result.more_prompts if result.counted == "vote" else result.more_pairs
        way = f", for a {result.toward} if the figure stays (80% chance)" if result.toward else ""
        more = f"; about {rounded(needed)} more {counted} would decide{way}" if needed else ""
        said = f"{escape(result.text)}: {escape(result.reason)}{more}"
        lines.append(f"  [{COLOUR[result.verdict]}]{result.verdict:<9}[/] {said}")
    return lines


def ways_out(findings: Iterable[Finding]) -> list[str]:
    """What findings that say so would have you do, one sentence each."""
    return [str(found.detail["way_out"]) for found in findings if "way_out" in found.detail]


def rests_on_lines(found: RestsOn | None) -> list[str]:
    """What a verdict or an audit rests on, in rich markup; marked where much of the data is not in it."""
    from rich.markup import escape

    from assay.report.lost_sentences import lost_sentences, rests_on_most

    if found is None:
        return []
    colour = "dim" if rests_on_most(found) else "yellow"
    return [f"  [{colour}]{escape(text)}[/]" for text in lost_sentences(found)]
