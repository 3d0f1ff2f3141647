"""A study's result in sentences anyone can read. Knows the analysis; knows no page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from assay.artifacts.gate_body import GateBody
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.report import words
from assay.report.finding_text import inline
from assay.study.analysis.analyse import Analysis

DECISION = {
    "pass": "Every criterion is met, within the limits below.",
    "fail": "At least one criterion is not met.",
    "undecided": "The votes do not decide every criterion.",
}
KINDS = {"human": "people", "simulated": "simulated judge", "llm": "language model as judge"}
LOW_ALPHA = 0.2  # below this, most of what editors share is chance
MANY_BAD, MANY_QUICK, MANY_ABSTAIN = 0.2, 0.1, 0.2
LENGTH_GAP = 0.05  # win rate against win rate at equal length, in win-rate units


def other(analysis: Analysis) -> str:
    """The system ours is compared with, by name where there is one."""
    others = [name for name in analysis.study["systems"] if name != analysis.ours]
    return others[0] if len(others) == 1 else "the other systems"


def lede(analysis: Analysis, closed: str | None) -> str:
    counts = analysis.tables["counts"]
    people = words.plural(counts["people"], "person", "people")
    prompts = words.plural(counts["prompts"], "prompt")
    return f"{analysis.ours} against {other(analysis)} · {people} · {prompts}" + (
        f" · closed {closed}" if closed else ""
    )


def banner(analysis: Analysis) -> str:
    """What must be known before any figure; empty where nothing must."""
    judges = analysis.study["judges"]
    programs = sum(n for kind, n in judges.items() if kind != "human")
    if not analysis.tables["counts"]["people"] and programs:
        return (
            "No person's vote is in this result. Programs judged; their figures stand in their own section and say "
            "nothing about people."
        )
    if programs:
        told = words.plural(programs, "program")
        return f"{told} judged as well. No program's vote is in any figure of people; see Programs."
    return ""


def summary(analysis: Analysis) -> list[str]:
    """What was found, in three sentences."""
    found = analysis.find("win_rate")
    if found is None or found.known is None:
        return [f"There is no win rate of people: {found.reason if found else 'not measured'}."]
    counts = analysis.tables["counts"]
    people, prompts = words.plural(counts["people"], "person", "people"), words.plural(counts["prompts"], "prompt")
    drawn = counts["tied"] + counts["both_bad"]
    judged = (
        f"In {words.plural(counts['ballots'], 'judgement')} by {people} on {prompts}, {analysis.ours} was preferred "
        f"{words.count(counts['won'])} times, {other(analysis)} {words.count(counts['lost'])} times, and "
        f"{words.count(drawn)} chose neither. With a tie counted as half, that is {words.percent(found.known)}"
    )
    if found.bounds is None:
        return [f"{judged}.", f"How far chance may have moved it is unknown ({found.reason})."]
    span = words.span(found.bounds, "share")
    reach = (
        f"; on other prompts of this kind, these people would likely put it between {span.replace(' to ', ' and ')}."
    )
    return [headline(analysis, found), judged + reach]


def headline(analysis: Analysis, found: Finding) -> str:
    ours, them = analysis.ours, other(analysis)
    assert found.bounds is not None
    if found.bounds.low > 0.5:
        return f"People preferred {ours} to {them}, by more than chance explains."
    if found.bounds.high < 0.5:
        return f"People preferred {them} to {ours}, by more than chance explains."
    return f"These votes do not tell whether people prefer {ours} or {them}."


def cautions(analysis: Analysis) -> list[str]:
    """What a reader of the verdict should hold against it."""
    return [said for rule in CAUTIONS if (said := rule(analysis))]


def _incomplete(analysis: Analysis) -> str:
    found = analysis.find("coverage")
    if found is None or found.known is None or found.known >= 1:
        return ""
    done, planned = (words.count(found.detail.get(name)) for name in ("done", "planned"))
    return f"The study was closed before it was finished: {done} of {planned} planned judgements were made."


def _one_editor(analysis: Analysis) -> str:
    if analysis.tables["counts"]["people"] != 1:
        return ""
    return "One person judged. The result is that person's taste; agreement between people is unknown."


def _attention(analysis: Analysis) -> str:
    failed = [row["editor"] for row in analysis.tables["editors"] if row["failed_attention"]]
    if not failed:
        return ""
    kept = "left out" if analysis.config.get("failed_attention") == "exclude" else "counted"
    return f"{words.listing(failed)} failed attention items; their votes are {kept}. See Editors for both readings."


def _sides(analysis: Analysis) -> str:
    found = analysis.find("left_share")
    if found is None or found.known is None or found.bounds is None:
        return ""
    if found.bounds.low <= 0.5 <= found.bounds.high:
        return ""
    side = "left" if found.known > 0.5 else "right"
    return f"Editors leaned to the {side}: {inline(found)} of those who chose took the left answer."


def _length(analysis: Analysis) -> str:
    plain, even = analysis.find("win_rate"), analysis.find("length_controlled_win_rate")
    if plain is None or even is None or plain.known is None or even.known is None:
        return ""
    if abs(plain.known - even.known) < LENGTH_GAP:
        return ""
    return f"Length matters here: at equal length the win rate would be {inline(even)}."


def _agreement(analysis: Analysis) -> str:
    found = analysis.find("alpha")
    if found is None or found.known is None or found.known >= LOW_ALPHA or found.bounds is None:
        return ""  # without an interval, of a few items, it says nothing to keep in mind
    return f"Editors agreed little beyond chance (alpha {inline(found)})."


def _bad(analysis: Analysis) -> str:
    found = analysis.find("both_bad")
    if found is None or found.known is None or found.known < MANY_BAD:
        return ""
    return f"{words.percent(found.known)} of the judgements called both answers bad: winning is not being good."


def _quick(analysis: Analysis) -> str:
    found = analysis.find("quick_votes")
    if found is None or found.known is None or found.known < MANY_QUICK:
        return ""
    return f"{words.percent(found.known)} of the votes came faster than anyone can have read both answers."


def _abstained(analysis: Analysis) -> str:
    found = analysis.find("abstentions")
    if found is None or found.known is None or found.known < MANY_ABSTAIN:
        return ""
    return f"{words.percent(found.known)} of the judgements were abstentions; they are in no rate."


CAUTIONS: tuple[Callable[[Analysis], str], ...] = (
    _incomplete,
    _one_editor,
    _attention,
    _sides,
    _length,
    _agreement,
    _bad,
    _quick,
    _abstained,
)


def came_from(sources: Mapping[str, int]) -> str:
    """Where votes were given: the study's own pages, or a tool they were imported from."""
    names = {"page": "the study's own pages"}
    return ", ".join(f"{names.get(name, name)} ({words.count(n)})" for name, n in sources.items()) or "nobody voted"


def majority(analysis: Analysis) -> str:
    found = analysis.find("majority_share")
    if found is None or found.known is None:
        return f"Majorities per prompt: unknown ({found.reason if found else 'not measured'})."
    told = found.detail
    needed = told.get("needed")
    need = (
        f"It takes {words.count(needed)} of {words.count(found.n)} to tell them from a coin"
        if needed is not None
        else f"No split of {words.plural(found.n, 'prompt')} can be told from a coin"
    )
    return (
        f"Counted by prompt, {words.count(told['won'])} lean to {analysis.ours}, {words.count(told['lost'])} to "
        f"{other(analysis)}, and {words.count(told['tied'])} to neither. {need}; "
        f"p = {words.plain(told['p_value'])} (exact, two-sided)."
    )


def sides(analysis: Analysis) -> str:
    found = analysis.find("side_difference")
    said = (
        "Sides were drawn at random and balanced when the plan was made, so a habit of sides cancels in the win rate."
    )
    if found is None or found.known is None:
        return said
    left, right = words.percent(found.detail["left"]), words.percent(found.detail["right"])
    return f"{said} Standing on the left, {analysis.ours} won {left}; on the right, {right}."


def agreement(analysis: Analysis) -> str:
    found = analysis.find("alpha")
    if found is None or found.known is None:
        return f"Agreement between people: unknown ({found.reason if found else 'not measured'})."
    ordinal = found.detail.get("ordinal")
    scale = (
        f" Read as a scale from one system over a tie to the other, it is {words.figure(ordinal, 'plain')}."
        if words.known(ordinal)
        else ""
    )
    return (
        f"{words.plural(found.n, 'item')} judged by two or more people. An alpha of 1 is full agreement, 0 what chance "
        f"would give.{scale} Disagreement is not error: tastes differ, and answers may be alike."
    )


def length(analysis: Analysis) -> str:
    found = analysis.find("length_controlled_win_rate")
    if found is None or found.known is None:
        return f"Win rate at equal length: unknown ({found.reason if found else 'not measured'})."
    told = found.detail
    gap = words.signed(told["mean_difference"], 0)
    pull = "longer" if told["slope"] > 0 else "shorter"
    error = told["slope_error"]
    leaned = error is not None and abs(told["slope"]) > 2 * error
    said = (
        f"Votes leaned to the {pull} answer" if leaned else "No lean to longer or shorter answers is seen beyond chance"
    )
    return (
        f"Answers of {analysis.ours} were longer in {words.percent(told['ours_longer'])} of the judgements, on average "
        f"by {gap} {told['unit']}. {said}."
    )


def time(analysis: Analysis) -> str:
    found = analysis.find("seconds_per_item")
    if found is None or found.known is None:
        return "How long people took is unknown: no time is on record."
    low, high = (words.duration(found.detail[name]) for name in ("lower_quartile", "upper_quartile"))
    speed = words.count(analysis.config["quick_words_per_minute"])
    return (
        f"Half of the items took between {low} and {high}. A vote is quick where prompt and answers would have to be "
        f"read at more than {speed} words a minute."
    )


def power(analysis: Analysis, gate: GateBody) -> list[str]:
    """What a study like this one, as it turned out, can see, and what would decide what is open."""
    told = analysis.tables["power"]
    if not told:
        return ["Unknown: with fewer than two prompts judged by people nothing can be concluded beyond them."]
    icc = told["icc_measured"]
    alike = f"correlated {words.number(icc, 2)}" if icc is not None else "one a prompt, so their likeness is unknown"
    lines = [
        f"{words.plural(told['prompts'], 'prompt')}, {words.number(told['editors'], 1)} votes each, votes on a prompt "
        f"{alike}, {words.percent(told['ties'], 0)} ties: a study like this puts the win rate within about "
        f"±{words.number(100 * told['half_width'], 0)} points.",
        "No true win rate would be told from 50% with 80% probability."
        if told["detectable"] is None
        else f"It tells a true win rate of {words.percent(told['detectable'])} or more from 50% with 80% probability"
        f" ({', '.join(f'{rate} with {words.percent(p, 0)}' for rate, p in told['power_at'].items())}).",
    ]
    if told["prompts_for"]:
        needs = ", ".join(f"{rate}: {words.count(n)}" for rate, n in told["prompts_for"].items())
        lines.append(f"Prompts needed to see a true win rate with 80% probability, judged as these were: {needs}.")
    for row in gate.criteria:
        if row.more_prompts:
            lines.append(
                f"“{row.text}” is open; about {words.rounded(row.more_prompts)} more prompts would decide it if "
                "the rate stayed where it is."
            )
    return lines


def limits(analysis: Analysis) -> list[str]:
    """What this page does not show."""
    lines = [
        "Other people: the intervals speak of other prompts, judged by these people. More or other editors may differ.",
        "Other prompts than the kind asked here: nothing speaks for topics or languages that were not judged.",
        "Right and wrong: people's preference is measured, not truth, safety or use.",
        "Blinding beyond names: habits of style can tell systems apart although no name was shown.",
    ]
    reasons = [entry["reason"] for entry in analysis.study["set_aside"]]
    same = reasons.count("identical")
    if same:
        told = words.plural(same, "prompt")
        lines.append(f"{told} got the same answer from both and were not shown: every rate is of prompts that differ.")
    if len(reasons) > same:
        told = words.plural(len(reasons) - same, "prompt")
        lines.append(f"{told} set aside when the study was made: what people would have said.")
    giveaways = len(analysis.study["giveaways"])
    if giveaways:
        lines.append(
            f"{words.plural(giveaways, 'possible giveaway')} noted when the study was made: whether editors saw them."
        )
    missing = [f.name for f in analysis.findings if f.slice == OVERALL and f.known is None]
    if missing:
        names = words.listing([words.spaced(name) for name in missing])
        lines.append(f"Not measured on these votes: {names}. All findings says why.")
    return lines


def method(analysis: Analysis) -> list[tuple[str, str]]:
    """How each figure is made, in a sentence or two."""
    config = analysis.config
    unit = str(config["length_unit"])
    level = f"{100 * config['level']:g}%"
    share = words.percent(config["attention_pass"], 0)
    return [
        (
            "Votes",
            "Real showings of the closed, sealed study; repeats, attention items and abstentions are in no rate.",
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
            "items. Two editors: raw share, Cohen's kappa, Gwet's AC1.",
        ),
        ("Attention", f"An editor fails below {share} of the items with a known answer."),
        ("Several systems", "Bradley-Terry, a tie half a win for both; interval by bootstrap over prompts."),
    ]
