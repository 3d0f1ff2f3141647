"""The founder's page as one HTML file: the answer, what was asked, what is unknown, samples, cost, the way to the rest.

Knows the sections and their order; computes no figure of its own.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.policy_run_files import FOUNDER
from assay.artifacts.run_folder import RunFolder
from assay.report import words
from assay.report.founder.founder_answer import ability, answer, preference
from assay.report.founder.founder_conditions import TONE, conditions, decided
from assay.report.founder.founder_cost import costs
from assay.report.founder.founder_kinds import kinds
from assay.report.founder.founder_samples import samples
from assay.report.founder.founder_study import still_to_show
from assay.report.founder.founder_unknowns import unknowns
from assay.report.founder.told_run import ToldRun, read_told_run
from assay.report.html import html_environment, inlined_styles


def founder_page(run: RunFolder) -> Path:
    """Write founder.html from what stands in the folder of a run that tuned a policy; the same files, the same bytes.

    Raises ArtifactError if run.json or audit.json is missing, the run trained a reward model, or an artifact is stale.
    """
    path = run.path(FOUNDER)
    path.unlink(missing_ok=True)  # no old answer outlives a failed attempt
    with atomic_write(path) as stream:
        stream.write(page_of(read_told_run(run)).encode())
    return path


def page_of(told: ToldRun) -> str:
    """The whole page as text."""
    template = html_environment().get_template("founder.html.j2")
    return template.render(css=inlined_styles("report.css", "founder.css"), **context(told))


def context(told: ToldRun) -> dict[str, object]:
    liked = preference(told)
    rows = conditions(told, liked)
    word, sentence = decided(told, rows, liked)
    rule, shown = samples(told)
    by_kind, reading = kinds(told)
    return {
        "version": told.run.assay_version,
        "name": told.run.name,
        "created": (words.moment(told.run.created) or "")[:10],
        "answer": answer(liked, ability(told)),
        "tone": "none" if liked.judges != "people" else TONE[word],
        "decision": sentence,
        "simulated": simulated(told, liked.judges != "people"),
        "conditions": rows,
        "study": still_to_show(told),
        "kinds": by_kind,
        "reading": reading,
        "unknowns": unknowns(told, liked),
        "rule": rule,
        "samples": shown,
        "costs": costs(told),
        "pages": told.pages,
    }


def simulated(told: ToldRun, programs: bool) -> str:
    """What must be known first where something is not real; empty where all is."""
    if programs:
        return "No person judged. Simulated editors are programs, and what they prefer says nothing about people."
    if told.planned is not None and told.planned.simulated and told.analysis is None:
        return "The editors of this study are simulated: programs will judge, not people."
    return ""
