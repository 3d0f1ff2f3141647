"""What the study must still show, and how likely this design is to show it, by what is true. Said before the votes.

The chances are those of `assay plan` for the criterion on the win rate: they rest on how alike votes on one task and
how frequent ties are, which nobody knows before. Knows the plan's arithmetic and plain words; knows no vote.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.findings.slice import OVERALL
from assay.gate.criteria import Criterion
from assay.gate.criteria_needs import Hope, plan
from assay.report import words
from assay.report.founder.founder_answer import of_hundred, of_ten
from assay.report.founder.told_run import PlannedStudy, ToldRun
from assay.stats.power import LIKELY

STEPS = (0.05, 0.10, 0.15)  # true win rates above the wanted one whose chances are told
USUAL = PlannedStudy(
    prompts=50, votes=3, editors=3, simulated=False, icc=0.3, ties=0.2, done=0, planned=0, closed=False
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """If editors truly prefer the new model at `rate`: how often this design shows it, and what shows it in 8 of 10.

    prompts: None where no number would.
    """

    rate: float
    chance: float
    prompts: int | None
    votes: int | None


def chances(design: PlannedStudy, wanted: float) -> list[Chance]:
    """One row for each true win rate that could be there."""
    rates = [round(wanted + step, 4) for step in STEPS if wanted + step < 1 - design.ties / 2]
    return [chance_at(rate, design, wanted) for rate in rates]


def chance_at(rate: float, design: PlannedStudy, wanted: float) -> Chance:
    """The chance of a win rate by bound above `wanted` where the truth is `rate`."""
    criterion = Criterion(
        text=f"win rate > {wanted:g}",
        kind="overall",
        by="bound",
        finding="win_rate",
        slice=OVERALL,
        operator=">",
        threshold=wanted,
    )
    each = max(round(design.votes), 1)
    hope = Hope(win_rate=rate, editors=each, ties=design.ties, vote_icc=design.icc)
    need = plan([criterion], hope, prompts=max(design.prompts, 2)).needs[0]
    return Chance(
        rate=rate,
        chance=need.chance or 0.0,
        prompts=need.needed,
        votes=None if need.needed is None else need.needed * each,
    )


def still_to_show(told: ToldRun) -> dict[str, object] | None:
    """The section before the votes are analysed; None after."""
    if told.analysis is not None:
        return None
    design, wanted = told.planned or USUAL, told.wanted_win_rate()
    rows = chances(design, wanted)
    each = max(round(design.votes), 1)
    asked = f"{words.plural(each, 'editor')} each compare both texts on {words.plural(design.prompts, 'new task')}"
    lines = [
        f"{'In the study that lies ready' if told.planned else 'No study is made yet. In a usual one'}, {asked}. "
        "They do not know which text is from which model.",
        f"It must show that they prefer the new model in more than {of_ten(wanted)} of 10 comparisons, by more than "
        "luck explains.",
    ]
    if rows:
        lines.append(likely(rows[0]))
    return {
        "lines": lines + progress(design),
        "rows": [
            {
                "truth": f"{of_ten(row.rate)} of 10",
                "chance": f"{of_hundred(row.chance)} of 100",
                "needed": "no number"
                if row.prompts is None
                else f"{words.rounded(row.prompts)} tasks ({words.rounded(row.votes)} comparisons)",
            }
            for row in rows
        ],
        "assumes": f"We assume that editors find no difference in {of_hundred(design.ties)} of 100 comparisons, and "
        "that they often agree on one task. If not, these numbers change.",
    }


def likely(row: Chance) -> str:
    """What to expect where the truth is a little above what is wanted."""
    enough = row.chance >= LIKELY
    told = f"If the truth is {of_ten(row.rate)} of 10, this study shows it in {'' if enough else 'only '}"
    told += f"{of_hundred(row.chance)} of 100 cases."
    if enough or row.prompts is None:
        return told
    return f"{told} About {words.rounded(row.prompts)} tasks would show it in 80 of 100 cases."


def progress(design: PlannedStudy) -> list[str]:
    """How far the votes are; nobody has looked at them."""
    if design.closed:
        return ["The votes are in, and nobody has counted them yet."]
    if not design.done:
        return []
    return [f"So far {words.count(design.done)} of {words.count(design.planned)} comparisons are made."]
