"""The end of a tuned policy: its closed study, its held-out figures and its capability, joined to one verdict.

1) is this a study of this run's answers, and closed? 2) what people say, into conclusion/study/; 3) what was lost,
from a capability test of these two models, made here or given; 4) the criteria of dpo-policy over all of it, into
conclusion/gate.json. What is missing is never a pass. Knows the order; computes no figure itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.capability_body import CAPABILITY, CapabilityBody
from assay.artifacts.files import sha256_file
from assay.artifacts.fresh_study_body import FRESH_STUDY, AnsweringBody, FreshStudyBody
from assay.artifacts.policy_run_files import CONCLUSION
from assay.artifacts.run_body import RunBase, RunBody
from assay.artifacts.run_folder import RunFolder
from assay.capability.config import CapabilityConfig
from assay.config import StageConfig
from assay.errors import ArtifactError, ConfigError, InputError, StudyError
from assay.flows.capability import capability
from assay.flows.fresh_study import written_study
from assay.flows.run_record import RUN, only_writer
from assay.flows.study import DEFAULT_CRITERIA, analyse_study, one_look
from assay.gate import Criterion, Evidence, Verdict, load_criteria
from assay.gate.capability_evidence import capability_evidence
from assay.gate.criteria import criteria_hash
from assay.gate.evidence import read_evidence
from assay.gate.joined_evidence import JoinedEvidence, about_votes, decide_joined, untested
from assay.gate.verdict import ARTIFACT as GATE
from assay.models.resolve import resolve
from assay.policies.answer_files import read_answers
from assay.records import plain_text
from assay.report import policy_card
from assay.report.founder import founder_page
from assay.study.analysis.study_result import Analysis
from assay.study.config import AnalysisConfig
from assay.study.read_study import read_study
from assay.study.study_records import ClosedStudy

CRITERIA = "dpo-policy"
WAY_OUT = "give --mmlu PATH, or --capability FILE of `assay capability POLICY --against BASE`"


class ConcludeConfig(StageConfig):
    """How a tuned policy is concluded upon: its study read, its capability tested, the criteria."""

    analysis: AnalysisConfig = AnalysisConfig()
    capability: CapabilityConfig = CapabilityConfig()
    criteria: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityTest:
    """Where it is: made, as capability.json or its folder; or the questions, to be asked here. One of the two."""

    made: Path | None = None
    questions: Path | None = None


def one_test(*, made: Path | str | None, questions: Path | str | None) -> CapabilityTest | None:
    """The capability test that was given; None where none was. Raises ConfigError for two."""
    if made is not None and questions is not None:
        raise ConfigError(
            "A capability test that was made (--capability) and the questions of one to make (--mmlu) were given. Give "
            "one of them."
        )
    if made is None and questions is None:
        return None
    return CapabilityTest(
        made=None if made is None else Path(made), questions=None if questions is None else Path(questions)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a policy came to: the verdict, what people said, and the pages. capability: None where none was tested."""

    folder: Path
    verdict: Verdict
    analysis: Analysis
    study_page: Path
    capability: CapabilityBody | None


def conclude(
    folder: Path,
    study: str,
    *,
    test: CapabilityTest | None = None,
    config: ConcludeConfig | None = None,
    command: str = "",
    notify: Callable[[str], None] = lambda _line: None,
) -> Conclusion:
    """Join the closed study to the run in `folder` and decide; writes conclusion/ in it.

    Raises StudyError for a study that is open or holds other answers, ArtifactError where run, answers or policy are
    not those that the study was made of, InputError for a capability test of other models.
    """
    settings = config or ConcludeConfig()
    criteria = load_criteria(settings.criteria or CRITERIA)
    one_look(criteria)
    if not folder.is_dir() or not (folder / RUN).exists():
        raise ArtifactError(f"{folder} is not the folder of a run. Give the --out of `assay dpo`.")
    run = RunFolder(folder)
    with only_writer(run):
        out = run.path(CONCLUSION)
        out.mkdir(exist_ok=True)
        (out / GATE).unlink(missing_ok=True)  # no old verdict outlives a failed attempt
        written = _untouched(run)
        closed = read_study(study)
        settled = settings.analysis.model_copy(update={"system": tuned_system(closed, run, written)})
        notify(f"study      {len(closed.votes):,} votes on {written.shown} fresh prompts")
        about = [criterion for criterion in criteria if about_votes(criterion)]
        found = analyse_study(
            closed, out / "study", config=settled, criteria=about or DEFAULT_CRITERIA, command=command
        )
        body = None
        if test is None:
            (out / CAPABILITY).unlink(missing_ok=True)
        else:
            source = test.made or _asked(run, written, test, config=settings.capability, command=command, notify=notify)
            body = _kept(source, out / CAPABILITY, written, run)
            notify(f"capability {body.outcome}")
        joined = JoinedEvidence(
            run=read_evidence(run),
            study=_study_evidence(found.analysis, out, criteria),
            capability=untested(WAY_OUT) if body is None else capability_evidence(out),
        )
        verdict = decide_joined(joined, criteria)
        verdict.to_body().write(out / GATE)
        notify(f"gate       {verdict.verdict}")
        notify(f"founder    {founder_page(run)}")
        policy_card(run)
    return Conclusion(folder=run.root, verdict=verdict, analysis=found.analysis, study_page=found.page, capability=body)


def tuned_system(closed: ClosedStudy, run: RunFolder, written: FreshStudyBody) -> str:
    """The tuned policy's name in a study, told by its answers. Raises StudyError where they are not this run's."""
    systems = closed.study.systems
    if closed.outside is not None or len(systems) != 2:
        raise StudyError(
            f"{closed.study.id} is no sealed study of two systems; a policy is concluded upon against its base, in the "
            f"study that its run wrote: {run.path(written.study)}."
        )
    given = {name: _texts(run, side) for name, side in (("base", written.base), ("tuned", written.tuned))}
    shown: dict[str, set[tuple[str, str]]] = {system: set() for system in systems}
    for item in closed.items.values():
        if item.kind == "real":
            prompt = plain_text(item.prompt).strip()
            shown[item.system_a].add((prompt, item.answer_a.strip()))
            shown[item.system_b].add((prompt, item.answer_b.strip()))
    for base, tuned in (systems, systems[::-1]):
        if shown[base] <= given["base"] and shown[tuned] <= given["tuned"]:
            return tuned
    raise StudyError(
        f"Study {closed.study.id} holds other answers than those of {run.root} ({written.base.sha256[:19]} and "
        f"{written.tuned.sha256[:19]}). Give the study in {run.path(written.study)}, or one made of the files in "
        f"{run.path('answers')}."
    )


def _texts(run: RunFolder, side: AnsweringBody) -> set[tuple[str, str]]:
    rows = read_answers(run.path(side.answers)).answers
    return {(plain_text(row.prompt).strip(), str(row.text).strip()) for row in rows}


def _untouched(run: RunFolder) -> FreshStudyBody:
    """The study that the run wrote, its answers and the policy that gave them as they were."""
    written = written_study(run)
    if written is None:
        raise ArtifactError(f"{run.root} has written no study. Run its `assay dpo` again with --fresh PROMPTS.jsonl.")
    for side in (written.base, written.tuned):
        path = run.path(side.answers)
        if not path.is_file() or sha256_file(path) != side.sha256:
            raise ArtifactError(f"{path} is not the file that {FRESH_STUDY} names, which was judged. Restore it.")
    policy = run.seed(written.seed) / "model"
    if resolve(str(policy)).fingerprint != written.tuned.fingerprint:
        raise ArtifactError(f"{policy} is not the policy whose answers were judged. Restore it.")
    return written


def _study_evidence(analysis: Analysis, out: Path, criteria: Sequence[Criterion]) -> Evidence:
    name = "study/analysis.json"
    inputs = {name: sha256_file(out / name), "criteria": criteria_hash(criteria)}
    return Evidence(figures=analysis, inputs=inputs, source="study", counted="vote")


def _asked(
    run: RunFolder,
    written: FreshStudyBody,
    test: CapabilityTest,
    *,
    config: CapabilityConfig,
    command: str,
    notify: Callable[[str], None],
) -> Path:
    """Ask both models the questions; the folder of the test."""
    assert test.questions is not None
    out, policy = run.path(CONCLUSION, "capability"), str(run.seed(written.seed) / "model")
    base = _base(run).name
    capability(policy, test.questions, out, against=base, config=config, notify=notify, command=command)
    return out


def _kept(source: Path, kept: Path, written: FreshStudyBody, run: RunFolder) -> CapabilityBody:
    """The capability test of these two models, and a copy of it in the conclusion."""
    path = source / CAPABILITY if source.is_dir() else source
    found = CapabilityBody.read(path, again="Run `assay capability` again.")
    _of_these(found, written, _base(run), path)
    if path.resolve() != kept.resolve():
        shutil.copyfile(path, kept)
    return found


def _base(run: RunFolder) -> RunBase:
    base = RunBody.read(run.path(RUN)).base
    assert base is not None  # it was named before anything was tuned
    return base


def _of_these(found: CapabilityBody, written: FreshStudyBody, base: RunBase, where: Path) -> None:
    """Raises InputError for a test of other models."""
    if found.against is None:
        raise InputError(f"{where} tests one model alone. Run `assay capability POLICY --against {base.name}`.")
    for what, asked, ours in (
        ("policy", found.model, written.tuned.fingerprint),
        ("base", found.against, base.fingerprint),
    ):
        if asked.fingerprint != ours:
            raise InputError(
                f"{where} tests {asked.name} ({asked.fingerprint[:19]}), which is not the {what} of this run "
                f"({ours[:19]}). Run `assay capability` on the policy in this run against its base."
            )
