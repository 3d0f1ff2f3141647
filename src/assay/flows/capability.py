"""From one or two language models and questions to what was lost: `assay capability`. Knows the order of the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import filelock

from assay.artifacts.capability_body import CAPABILITY, AskedModelBody, CapabilityBody, LeftOutBody, WayBody
from assay.artifacts.finding_body import IntervalBody
from assay.capability.answer_file import AnswerFile
from assay.capability.capability_findings import capability_findings
from assay.capability.config import CapabilityConfig
from assay.capability.graded_table import GradedTable, graded_table
from assay.capability.lost_ability import WayOutcome, deciding, way_outcome
from assay.capability.outcome_words import outcome_sentence
from assay.capability.questioning import HowAsked, ask
from assay.errors import InputError, TemplateError
from assay.gate import Criterion, Verdict, decide, load_criteria
from assay.gate.capability_evidence import capability_evidence
from assay.gate.criteria import criteria_hash
from assay.gate.verdict import ARTIFACT as GATE
from assay.questions.multiple_choice import Asked
from assay.questions.question_sets import QuestionSet, question_set
from assay.questions.task import Answered
from assay.report.capability.capability_page import render_capability
from assay.stats.intervals import Interval
from assay.version import __version__, versions

PAGE = "capability.html"
PACKAGES = ("numpy", "scipy", "torch", "transformers", "peft", "tokenizers")
# What is asked, and the ways of grading what was answered.
GRADED: Mapping[str, tuple[Asked, ...]] = {"letter": ("letter",), "text": ("text", "text by length")}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A model that was asked: its answers by what was asked, and what its questions were made with."""

    body: AskedModelBody
    answers: Mapping[str, Mapping[str, Answered]]
    vocabulary: str
    template: str


def capability(
    model: str,
    data: Path,
    out: Path,
    *,
    against: str | None = None,
    config: CapabilityConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
    command: str = "",
) -> CapabilityBody:
    """Ask `model`, and the one it is held `against`, the questions at `data`; `out` gets capability.json and its page.

    model, against: a folder, a catalogue name, a hub id, or adapters on a base. Answers are kept in `out` one by one,
    so the same call goes on after a kill. Raises InputError for questions that are none, TemplateError where a chat is
    asked for and the templates do not allow it or differ, and what opening models raises.
    """
    told = config or CapabilityConfig()
    if (out / "run.json").exists():
        raise InputError(f"{out} is the folder of a run. Give another --out.")
    questions = question_set(
        data, shots=told.shots, shots_from=told.shots_from, subjects=told.subjects, limit=told.limit
    )  # fmt: skip
    for by in told.by:  # a subject without solved rows is said before a model is opened
        questions.task(GRADED[by][0])
    out.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(out / ".capability.lock", timeout=0):
            after = _asked(model, questions, out, told, notify)
            before = None if against is None else _asked(against, questions, out, told, notify)
    except filelock.Timeout:
        raise InputError(f"{out}: another assay writes answers here. Wait for it, or give another --out.") from None
    notes = _notes(after, before, told)
    body = _body(questions, after, before, told, notes=notes, command=command)
    body.write(out / CAPABILITY)
    render_capability(body, out / PAGE)
    return body


def decide_capability(out: Path, criteria: Path | str | Sequence[Criterion]) -> Verdict:
    """Decide a capability test by criteria and write gate.json beside it. Raises GateError, ArtifactError."""
    asked = load_criteria(criteria) if isinstance(criteria, str | Path) else criteria
    evidence = capability_evidence(out)
    inputs = {**evidence.inputs, "criteria": criteria_hash(asked)}
    verdict = decide(replace(evidence, inputs=inputs), asked)
    verdict.to_body().write(out / GATE)
    return verdict


def _asked(
    name: str, questions: QuestionSet, out: Path, config: CapabilityConfig, notify: Callable[[str], None]
) -> _Side:
    from assay.artifacts.files import sha256_json
    from assay.engine.named_language_model import language_model_fingerprint, named_language_model

    fingerprint = language_model_fingerprint(name)
    kept = AnswerFile(out, fingerprint)
    model = named_language_model(name)
    how = HowAsked(chat=config.chat, micro_tokens=config.micro_tokens, notify=notify)
    answers: dict[str, Mapping[str, Answered]] = {
        by: ask(model, questions.task(GRADED[by][0]), kept, how) for by in config.by
    }
    return _Side(
        body=AskedModelBody(name=name, fingerprint=fingerprint, answers=kept.path.name),
        answers=answers,
        vocabulary=sha256_json(sorted(model.tokenizer.get_vocab().items())),
        template=model.rules.template,
    )


def _notes(after: _Side, before: _Side | None, config: CapabilityConfig) -> list[str]:
    """Raises TemplateError where the two were not asked the same: templates that differ in a chat."""
    if before is None:
        return []
    if config.chat and after.template != before.template:
        raise TemplateError(
            f"{after.body.name} and {before.body.name} have different chat templates, so a difference could be the "
            "template's. Ask both without --chat, or give both the same chat_template."
        )
    if after.vocabulary != before.vocabulary:
        return [
            "The two cut text into other tokens: which choice each picks can be compared, their log-probabilities "
            "cannot."
        ]
    return []


def _body(
    questions: QuestionSet,
    after: _Side,
    before: _Side | None,
    config: CapabilityConfig,
    *,
    notes: list[str],
    command: str,
) -> CapabilityBody:
    tables: dict[str, GradedTable] = {}
    for by in config.by:
        for way in GRADED[by]:
            other = before.answers[by] if before is not None else None
            tables[way] = graded_table(questions.task(way), after.answers[by], other)
    ways = [way_outcome(table, config) for table in tables.values()]
    chosen = deciding(ways)
    same = before is not None and before.body.fingerprint == after.body.fingerprint
    left_out = [
        LeftOutBody(id=name, asked=by, why=why)
        for by in config.by
        for name, why in tables[GRADED[by][0]].left_out.items()
    ]
    if left_out:
        named = "1 question" if len(left_out) == 1 else f"{len(left_out):,} questions"
        notes = [*notes, f"{named} could not be read whole, in no figure and not cut."]
    return CapabilityBody(
        outcome=chosen.outcome,
        sentence=outcome_sentence(chosen, config, same=same and chosen.outcome != "at_chance"),
        model=after.body,
        against=before.body if before is not None else None,
        questions=len(questions.rows),
        shots=questions.shots,
        ways=[way_body(way, rests=way is chosen) for way in ways],
        left_out=left_out,
        notes=notes,
        config=config.model_dump(mode="json"),
        inputs=questions.inputs,
        findings=[one.to_body() for one in capability_findings(ways, chosen, tables[chosen.asked], config)],
        assay_version=__version__,
        versions=versions(PACKAGES),
        command=command,
    )


def way_body(way: WayOutcome, *, rests: bool) -> WayBody:
    """One way of asking as it stands in capability.json."""
    ability = way.ability
    return WayBody(
        asked=way.asked, outcome=way.outcome, reason=way.reason, rests=rests, n=way.n, subjects=way.subjects,
        before=way.before, before_interval=interval_body(way.before_interval), after=way.after,
        after_interval=interval_body(way.after_interval), drop=way.drop, bounds=interval_body(way.bounds),
        guess=ability.guess if ability else None, guess_rule=ability.rule if ability else None,
        beyond=interval_body(ability.beyond) if ability else None, lost=way.lost, gained=way.gained,
        mcnemar_p=way.mcnemar_p, questions_needed=way.questions_needed, if_nothing_lost=way.if_nothing_lost,
    )  # fmt: skip


def interval_body(found: object) -> IntervalBody | None:
    return IntervalBody.model_validate(found.to_dict()) if isinstance(found, Interval) else None
