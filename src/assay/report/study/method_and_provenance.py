"""How each figure of the page is made, and where the study and its votes came from. Knows the analysis."""

from __future__ import annotations

from collections.abc import Mapping

from assay.report import words
from assay.report.study.programs_section import KINDS
from assay.study.analysis.study_result import Analysis


def method(analysis: Analysis) -> list[tuple[str, str]]:
    """How each figure is made, in a sentence or two."""
    config = analysis.config
    unit = str(config.length_unit)
    level = f"{100 * config.level:g}%"
    share = words.percent(config.attention_pass, 0)
    return [
        (
            "Votes",
            "Real showings of the closed, sealed study; repeats, attention items and abstentions are in no rate."
            if analysis.study.outside is None
            else "Votes as their file holds them; a person's repeats and abstentions are in no rate.",
        ),
        ("Win rate", "Mean of 1 for ours, 0 for the other, one half for a tie or both bad."),
        (
            "Intervals",
            f"{level}, clustered by prompt, because votes on one prompt are alike: Wilson's interval at the effective "
            "number of votes, Student's t by the number of prompts.",
        ),
        ("Majorities", "Exact two-sided binomial test of prompts that lean to one side; balanced prompts left out."),
        (
            "Equal length",
            f"Logistic model in tanh(length difference / its standard deviation), in {unit}, read at 0; interval by "
            "the cluster sandwich. After length-controlled AlpacaEval, without its per-prompt difficulty.",
        ),
        (
            "Agreement",
            "Krippendorff's alpha, nominal, over the four things a vote can say of an item; interval by bootstrap over "
            "prompts. With three or more systems, no answer of an item is the first by name, and chance is that of "
            "either naming. Two editors: raw share, Cohen's kappa, Gwet's AC1.",
        ),
        ("Attention", f"An editor fails below {share} of the items with a known answer."),
        ("Several systems", "Bradley-Terry, a tie half a win for both; interval by bootstrap over prompts."),
    ]


def study_facts(analysis: Analysis) -> list[tuple[str, str]]:
    study = analysis.study
    aside = study.set_aside
    return [
        ("Study", str(study.id)),
        ("Systems", words.listing(study.systems)),
        ("Made", words.moment(study.created_at) or words.UNKNOWN),
        ("Closed", words.moment(study.closed_at) or words.UNKNOWN),
        ("Judges", ", ".join(f"{n} {KINDS.get(kind, kind)}" for kind, n in study.judges.items())),
        ("Votes given through", came_from(study.votes_from)),
        ("Prompts set aside", words.count(len(aside))),
        ("Giveaways noted", words.count(len(study.giveaways))),
        ("Question asked", str(study.question or words.UNKNOWN)),
    ]


def came_from(sources: Mapping[str, int]) -> str:
    """Where votes were given: the study's own pages, or a tool they were imported from."""
    names = {
        "page": "the study's own pages",
        "file": "a file that says the sides",
        "file_without_sides": "a file that does not say the sides",
    }
    return ", ".join(f"{names.get(name, name)} ({words.count(n)})" for name, n in sources.items()) or "nobody voted"
