"""What a study like this one can see, and what its page does not show, in sentences. Knows analysis and gate."""

from __future__ import annotations

from assay.artifacts.gate_body import GateBody
from assay.findings.slice import OVERALL
from assay.report import words
from assay.study.analysis.study_result import Analysis


def power(analysis: Analysis, gate: GateBody) -> list[str]:
    """What a study like this one, as it turned out, can see, and what would decide what is open."""
    told = analysis.tables.power
    if not told:
        return ["Unknown: with fewer than two prompts judged by people nothing can be concluded beyond them."]
    icc = told.icc_measured
    alike = f"correlated {words.number(icc, 2)}" if icc is not None else "one a prompt, so their likeness is unknown"
    lines = [
        f"{words.plural(told.prompts, 'prompt')}, {words.number(told.editors, 1)} votes each, votes on a prompt "
        f"{alike}, {words.percent(told.ties, 0)} ties: a study like this puts the win rate within about "
        f"±{words.number(100 * told.half_width, 0)} points.",
        "No true win rate would be told from 50% with 80% probability."
        if told.detectable is None
        else f"It tells a true win rate of {words.percent(told.detectable)} or more from 50% with 80% probability"
        f" ({', '.join(f'{rate} with {words.percent(p, 0)}' for rate, p in told.power_at.items())}).",
    ]
    if told.prompts_for:
        needs = ", ".join(f"{rate}: {words.count(n)}" for rate, n in told.prompts_for.items())
        lines.append(f"Prompts needed to see a true win rate with 80% probability, judged as these were: {needs}.")
    for criterion in gate.criteria:
        if more := criterion.more_prompts:
            lines.append(
                f"“{criterion.text}” is open; about {words.rounded(more)} more prompts would decide it (80% chance)"
                f"{f', for a {criterion.toward},' if criterion.toward else ''} if the rate stayed where it is."
            )
    return lines


def limits(analysis: Analysis) -> list[str]:
    """What this page does not show."""
    lines = [
        "Other people: the intervals speak of other prompts, judged by these people. More or other editors may differ.",
        "Other prompts than the kind asked here: nothing speaks for topics or languages that were not judged.",
        "Right and wrong: people's preference is measured, not truth, safety or use.",
        *(analysis.study.outside or ()),
        "Blinding beyond names: habits of style can tell systems apart although no name was shown.",
    ]
    reasons = [entry.reason for entry in analysis.study.set_aside]
    same = reasons.count("identical")
    if same:
        told = words.plural(same, "prompt")
        lines.append(f"{told} got the same answer from both and were not shown: every rate is of prompts that differ.")
    if len(reasons) > same:
        told = words.plural(len(reasons) - same, "prompt")
        lines.append(f"{told} set aside when the study was made: what people would have said.")
    giveaways = len(analysis.study.giveaways)
    if giveaways:
        lines.append(
            f"{words.plural(giveaways, 'possible giveaway')} noted when the study was made: whether editors saw them."
        )
    missing = [f.name for f in analysis.findings if f.slice == OVERALL and f.known is None]
    if missing:
        names = words.listing([words.spaced(name) for name in missing])
        lines.append(f"Not measured on these votes: {names}. All findings says why.")
    return lines
