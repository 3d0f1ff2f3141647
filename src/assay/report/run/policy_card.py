"""MODEL_CARD.md of a run that tuned a policy: what it is, of what, how it was tuned, what was measured, what was not.

Three sources are kept apart: the reward that it implies on held-out pairs, people's votes on what it writes, a test of
what it could do before. What was not done is said as such, and no verdict stands before it is reached. Knows artifacts
and the card's format; computes no figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from markupsafe import Markup

from assay.artifacts.files import atomic_write
from assay.artifacts.fresh_study_body import FRESH_STUDY, FreshStudyBody
from assay.artifacts.gate_body import CriterionBody, GateBody
from assay.artifacts.run_folder import RunFolder
from assay.audits.policy.policy_meanings import POLICY_FIGURES
from assay.capability.outcome_words import WAYS
from assay.findings.finding import Finding
from assay.report import words
from assay.report.criteria_table import criterion
from assay.report.finding_text import inline, label
from assay.report.founder.founder_answer import Preference, ability, answer, preference
from assay.report.founder.told_run import ToldRun, read_told_run
from assay.report.run.accuracy_section import accuracy_table
from assay.report.run.card import HUB_ID, dataset, markdown_environment, metric, metrics
from assay.report.run.data_section import data_facts
from assay.report.run.first_lines import first_lines
from assay.report.run.limits_section import limits
from assay.report.run.method_section import method
from assay.report.run.reported_run import ReportedRun, read_reported_run
from assay.report.run.verdict import POLICY_DECISION, way
from assay.stats.intervals import Interval

NOT_CONCLUDED = "not concluded yet"
CODE = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "seed-{seed}/model"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder).eval()

turns = [{{"role": "user", "content": prompt}}]
inputs = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True, return_tensors="pt")
made = model.generate(**inputs, max_new_tokens=256, do_sample=True, temperature=1.0, top_k=0, top_p=1.0)
answer = tokenizer.decode(made[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the run came to so far. title: of the table of criteria. more: what is missing, or empty."""

    word: str
    title: str
    more: str


def policy_card(run: RunFolder) -> Path:
    """Write MODEL_CARD.md of a run that tuned a policy; its path. Raises ArtifactError as `founder_page` does."""
    path = run.path("MODEL_CARD.md")
    path.unlink(missing_ok=True)  # no old verdict outlives a failed attempt
    fresh = run.path(FRESH_STUDY)
    text = card(read_reported_run(run), read_told_run(run), FreshStudyBody.read(fresh) if fresh.exists() else None)
    with atomic_write(path) as stream:
        stream.write(text.encode())
    return path


def card(evidence: ReportedRun, told: ToldRun, fresh: FreshStudyBody | None) -> str:
    decided = told.gate or evidence.gate
    liked = preference(told)
    first = evidence.seeds[0].seed if evidence.seeds else 0
    return (
        markdown_environment()
        .get_template("policy_card.md.j2")
        .render(
            front=Markup(front_matter(evidence, told)),
            name=evidence.run.name or "tuned policy",
            answer=answer(liked, ability(told)),
            first_lines=first_lines(evidence),
            simulated=simulated(evidence, liked),
            standing=standing(told, liked),
            decision=decision(decided, told),
            criteria=[criterion(row, more=more_needed(row)) for row in decided.criteria],
            code=Markup(CODE.format(seed=first)),
            adapters=evidence.policy is not None and evidence.policy.model.tuning != "full",
            base=base_facts(evidence, told),
            data=data_facts(evidence),
            fresh=fresh_facts(fresh),
            method=[line for lines in method(evidence).values() for line in lines],
            level=words.level(evidence.head("accuracy").bounds),
            accuracy=accuracy_table(evidence),
            policy=[(label(one.name), with_unit(evidence.head(one.name))) for one in POLICY_FIGURES],
            votes=vote_lines(told, liked),
            ability=ability_lines(told),
            limits=[*open_questions(told, liked), *limits(evidence)],
            command=evidence.run.command,
            version=evidence.run.assay_version,
        )
    )


def standing(told: ToldRun, liked: Preference) -> Standing:
    """The verdict on everything, or that there is none yet and on what the one there is rests."""
    if told.gate is None:
        missing = "no blind study of what it writes is closed and joined to this run"
        if told.planned is not None and told.planned.closed:
            missing = "its blind study is closed and not joined to this run"
        return Standing(
            word=NOT_CONCLUDED,
            title="On held-out pairs alone",
            more=f"{words.sentence(missing)} The criteria below are on held-out pairs alone.",
        )
    more = "" if liked.judges == "people" else "No person's vote is in it: programs judged."
    return Standing(word=told.gate.verdict, title="On held-out pairs, votes and the test of ability", more=more)


def decision(gate: GateBody, told: ToldRun) -> str:
    """What follows from the criteria."""
    if told.gate is not None and gate.verdict == "pass":
        return "Every criterion is met, within the limits below."
    return POLICY_DECISION[gate.verdict]


def more_needed(row: CriterionBody) -> str:
    """How much more would decide an open criterion, in what it is counted in."""
    said = {"pair": "held-out pairs", "vote": "prompts", "question": "questions"}[row.counted]
    needed = row.more_prompts if row.counted == "vote" else row.more_pairs
    return "" if needed is None else f"About {words.rounded(needed)} more {said} would decide{way(row.toward)}."


def simulated(evidence: ReportedRun, liked: Preference) -> list[str]:
    """What is not real, in sentences."""
    lines = []
    if evidence.simulated:
        lines.append("This policy was tuned on simulated preferences. It shows the pipeline, not human judgement.")
    if liked.judges != "people":
        lines.append("Programs judged in its study; what they prefer says nothing about people.")
    return lines


def base_facts(evidence: ReportedRun, told: ToldRun) -> list[tuple[str, str]]:
    """What was tuned, and the policy that was tested."""
    base = evidence.run.base
    return [
        ("Base", evidence.base or words.UNKNOWN),
        ("Fingerprint of the base", base.fingerprint if base else words.UNKNOWN),
        ("Seeds", ", ".join(str(one.seed) for one in evidence.seeds) or "none"),
        ("Hash of the rendering", evidence.model.render.hash if evidence.model else words.UNKNOWN),
        *([("Policy whose ability was tested", told.capability.model.fingerprint)] if told.capability else []),
    ]


def fresh_facts(fresh: FreshStudyBody | None) -> list[tuple[str, str]]:
    """What was judged, by hashes; nothing where no study was written."""
    if fresh is None:
        return []
    return [
        ("Fresh prompts", f"{words.count(fresh.prompts)} asked, {words.count(fresh.shown)} judged"),
        *((f"Hash of {name}", digest) for name, digest in fresh.inputs.items()),
        ("Policy whose answers are judged", f"seed {fresh.seed}, {fresh.tuned.fingerprint}"),
        (f"Hash of {fresh.base.answers}", fresh.base.sha256),
        (f"Hash of {fresh.tuned.answers}", fresh.tuned.sha256),
    ]


def with_unit(found: Finding) -> str:
    """A figure of the policy as it stands in a list, where no column says what it is counted in."""
    unit = {"nats per pair": " nats an answer", "values": " tokens"}.get(found.unit, "")
    return inline(found) + ("" if found.known is None else unit)


def vote_lines(told: ToldRun, liked: Preference) -> list[str]:
    """The win rate with its interval, whose votes it is of, and each category's."""
    if told.analysis is None:
        return [f"Unknown: nobody's votes have been analysed. The verdict on this policy is {NOT_CONCLUDED}."]
    counts = told.analysis.tables.counts
    found = vote_figures(told)
    if liked.judges == "people":
        lines = [
            f"{words.plural(counts.ballots, 'comparison')} on {words.plural(counts.prompts, 'prompt')}, blind; a tie "
            "counts half."
        ]
    else:
        lines = ["No person voted. Of programs, labelled as such:"]
    lines += [f"{label(one.name)}, {one.slice.label}: {inline(one)}, {words.plural(one.n, 'vote')}." for one in found]
    return lines


def vote_figures(told: ToldRun) -> list[Finding]:
    """Win rates that are known: over all, by category, and of programs apart."""
    if told.analysis is None:
        return []
    wanted = ("overall", "category", "judges")
    rates = (one for one in told.analysis.findings if one.name == "win_rate" and one.slice.part in wanted)
    return [one for one in rates if one.known is not None]


def ability_lines(told: ToldRun) -> list[str]:
    """What the capability test came to, each way of asking."""
    body = told.capability
    if body is None:
        return ["Unknown: it was not tested whether tuning cost anything."]
    lines = [body.sentence]
    for one in body.ways:
        if one.before is None or one.after is None:
            continue
        ends = None if one.bounds is None else Interval(**one.bounds.model_dump())
        bound = "" if ends is None else f" ({words.level(ends)} interval {words.span(ends, 'points')})"
        drop = "" if one.drop is None else f"; drop {words.figure(one.drop, 'points')}{bound}"
        lines.append(
            f"{way_name(one.asked)}: right before {words.percent(one.before)}, after {words.percent(one.after)}{drop}, "
            f"{words.plural(one.n, 'question')}."
        )
    return lines


def way_name(asked: str) -> str:
    """A way of asking, as the page of the test calls it."""
    return words.sentence(WAYS.get(asked, asked)).removesuffix(".")


def open_questions(told: ToldRun, liked: Preference) -> list[str]:
    """What nobody has looked at."""
    lines = []
    if liked.outcome == "not_judged":
        lines.append("Whether people prefer what it writes is not known: no study of it is concluded.")
    if told.capability is None:
        lines.append("Whether it lost ability is not known: it was not tested.")
    lines.append("Nobody checked whether what it writes is true, or safe to show.")
    return lines


def result(data: dict[str, str], figures: list[dict[str, object]]) -> dict[str, object]:
    """One entry of the card's index."""
    return {
        "task": {"type": "text-generation", "name": "Text generation"}, "dataset": data, "metrics": figures,
    }  # fmt: skip


def front_matter(evidence: ReportedRun, told: ToldRun) -> str:
    """The YAML block of a Hugging Face card: figures of held-out pairs, then people's votes, then what was lost."""
    base, name = evidence.base, evidence.run.name or "tuned policy"
    body: dict[str, object] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "license": "unknown",
        "tags": ["dpo", "preference-learning", "assay"],
    }
    if base and HUB_ID.match(base):
        body |= {"base_model": base, "base_model_relation": "finetune"}
    results = [result(dataset(evidence), list(metrics(evidence)))]
    if rates := vote_figures(told):
        fresh = {"type": "blind-study", "name": "Fresh prompts, judged blind", "split": "fresh"}
        results.append(result(fresh, [metric(one, label(one.name)) for one in rates]))
    body["model-index"] = [{"name": name, "results": results}]
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)
