"""What is not known, in plain sentences: what nobody tested, and what weakens what was. Knows the evidence; no HTML."""

from __future__ import annotations

from statistics import mean

from assay.report import words
from assay.report.founder.founder_answer import Preference, ability, of_ten
from assay.report.founder.founder_kinds import kinds_unknown
from assay.report.founder.told_run import ToldRun

LONGER = 1.15  # how much longer texts have become before the page says so
LOW_AGREEMENT = 0.2  # Krippendorff's alpha below which editors hardly share a taste
SHIFT = 0.03  # how far the win rate at equal length must lie below the plain one to be told


def unknowns(told: ToldRun, liked: Preference) -> list[str]:
    """Sentences, the gravest first."""
    lines = []
    if liked.outcome == "not_judged":
        lines.append("Whether people prefer the new model. Only a blind comparison can tell.")
    elif liked.judges != "people":
        lines.append("Whether people prefer the new model. So far only programs judged.")
    elif liked.outcome in ("better", "undecided"):
        lines.append(open_rate(told, liked))
    if told.run.data is not None and told.run.data.simulated:
        lines.append("How it does on real work. The past choices it learned from were made up by a program.")
    lines += [*ability_lines(told), *kinds_unknown(told), *length_lines(told), *editor_lines(told)]
    lines.append("How it does on other kinds of work. Nothing here speaks for tasks unlike these.")
    lines.append("Whether what it writes is true. Editors say which text they prefer; nobody checks the facts.")
    return lines


def open_rate(told: ToldRun, liked: Preference) -> str:
    """What would settle a win rate that is open."""
    row = None
    if told.gate is not None:
        row = next((one for one in told.gate.criteria if one.finding == "win_rate"), None)
    asked = f"Whether editors prefer it in more than {of_ten(liked.wanted)} of 10 comparisons."
    if row is None or not row.more_prompts:
        return f"{asked} More votes on the same tasks help little; more tasks do."
    return f"{asked} About {words.rounded(row.more_prompts)} more tasks, judged the same way, would likely tell."


def ability_lines(told: ToldRun) -> list[str]:
    kept = ability(told)
    if kept == "untested":
        return ["Whether it can still do all it could before. We did not test it."]
    if kept == "at_chance":
        return ["Whether general ability was lost. The old model only guesses on this test, so it shows nothing."]
    if kept == "undecided":
        return ["Whether general ability was lost. The test had too few questions to say."]
    return ["What the test of ability did not ask. It has questions with given choices, and no long texts."]


def length_lines(told: ToldRun) -> list[str]:
    """Whether texts have become longer, and how much of the preference goes with it."""
    if not told.texts:
        return []
    before, after = (
        mean(len(text.split()) for text in side)
        for side in zip(*((one.before, one.after) for one in told.texts.values()), strict=True)
    )
    changed = max(after, before) / max(min(after, before), 1)
    way = "longer" if after > before else "shorter"
    lines = []
    if changed >= LONGER:
        lines.append(
            f"How much of this is length. The new texts are {way}: {words.number(after, 0)} words on average, "
            f"before {words.number(before, 0)}."
        )
    # Said only where texts differ in length: else the two rates part by noise alone.
    if told.analysis is not None and lines:
        plain, level = (told.analysis.find(name) for name in ("win_rate", "length_controlled_win_rate"))
        rates = [one.known for one in (plain, level) if one is not None and one.known is not None]
        if len(rates) == 2 and rates[0] - rates[1] >= SHIFT:
            lines[0] += f" At equal length we would expect {of_ten(rates[1])} of 10."
    return lines


def editor_lines(told: ToldRun) -> list[str]:
    """Whose taste this is, and whether they share one."""
    if told.analysis is None:
        return []
    people = told.analysis.tables.counts.people
    if not people:
        return []
    lines = [f"What other people would say. {words.plural(people, 'editor')} judged; more or others may differ."]
    agreement = told.analysis.find("alpha")
    if agreement is not None and agreement.known is not None and agreement.known < LOW_AGREEMENT and people > 1:
        lines[0] += " These often did not agree with each other."
    return lines
