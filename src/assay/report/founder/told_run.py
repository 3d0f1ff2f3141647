"""What the founder's page tells of a run: its artifacts, and where they are there its study, capability test, answers.

run.json and audit.json must be there; all else is optional, and None where it is missing. An open study is read for its
design and for how far it is, never for a vote. Knows artifacts; knows no sentence of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from assay.artifacts.analysis_body import ANALYSIS, AnalysisBody
from assay.artifacts.capability_body import CapabilityBody
from assay.artifacts.contract_body import ContractBody
from assay.artifacts.fresh_study_body import FRESH_STUDY, FreshStudyBody
from assay.artifacts.gate_body import GateBody
from assay.artifacts.policy_run_files import CAPABILITY_RESULT, CONCLUSION, STUDY, STUDY_RESULT
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import AUDIT, CONTRACT, GATE, RUN, SPLIT, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.split_body import SplitBody
from assay.audits import Audit
from assay.errors import ArtifactError, StudyError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.policies.answer_files import AnswerFile, read_answers
from assay.records import plain_text
from assay.report.criteria_table import asked_of
from assay.study.analysis.study_result import Analysis
from assay.train.dpo.config import DpoRunConfig
from assay.train.recorded_config import recorded_config

# What is asked for where no criteria in the folder say otherwise: the preset for tuned policies.
WIN_RATE, ACCURACY = 0.60, 0.68
PAGES = (  # file in the run folder, what it is called
    ("report.html", "Technical report of the training"),
    (f"{STUDY_RESULT}/result.html", "Result of the blind comparison"),
    (f"{CONCLUSION}/capability/capability.html", "Test of general ability"),
)
STALE = ("the verdict in conclusion/ rests on", "Conclude again: assay dpo {} --conclude STUDY.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTexts:
    """What both models wrote for one task. cut: whether the limit of length ended either."""

    task: str
    before: str
    after: str
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStudy:
    """A study as it was made, and how far it is. votes: judgements a prompt gets; simulated: no person among editors.

    done, planned: judgements, those shown twice and those with a known answer among them.
    """

    prompts: int
    votes: float
    editors: int
    simulated: bool
    icc: float
    ties: float
    done: int
    planned: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRun:
    """All that the page is made from.

    gate: the verdict on everything, None before the study is concluded. texts: by prompt id. pages: that stand beside
    it, by path, with their names.
    """

    run: RunBody
    audit: Audit
    held_out_gate: GateBody | None
    gate: GateBody | None
    contract: ContractBody | None
    split: SplitBody | None
    analysis: Analysis | None = None
    planned: PlannedStudy | None = None
    capability: CapabilityBody | None = None
    texts: Mapping[str, TwoTexts] = field(default_factory=dict)
    pages: tuple[tuple[str, str], ...] = ()

    @property
    def accuracy(self) -> Finding | None:
        """Held-out accuracy over seeds, or of the first one."""
        found = [one for one in self.audit.findings if (one.name, one.slice) == ("accuracy", OVERALL)]
        return next((one for one in found if one.seed is None), found[0] if found else None)

    def wanted_win_rate(self, of: Slice = OVERALL) -> float:
        return self._asked("win_rate", of, WIN_RATE)

    @property
    def wanted_accuracy(self) -> float:
        return self._asked("accuracy", OVERALL, ACCURACY)

    def _asked(self, name: str, where: Slice, otherwise: float) -> float:
        """What the last verdict asked of a figure, or the one before it."""
        bars = (asked_of(gate, name, where) for gate in (self.gate, self.held_out_gate) if gate is not None)
        return next((bar for bar in bars if bar is not None), otherwise)


def read_told_run(folder: RunFolder) -> ToldRun:
    """Read the folder of a run that tuned a policy.

    Raises ArtifactError for a run of another kind, and where an artifact is torn, stale or of another version.
    """
    there = RunEvidence.read(folder, names=(RUN, AUDIT, GATE, CONTRACT, SPLIT), needed=(RUN, AUDIT))
    assert there.run is not None
    assert there.audit is not None
    if not isinstance(recorded_config(there.run.config), DpoRunConfig):
        raise ArtifactError(
            f"{folder.root} trained a reward model. The founder's page is for runs that tuned a policy."
        )
    analysis, ability = folder.path(STUDY_RESULT, ANALYSIS), folder.path(CAPABILITY_RESULT)
    fresh_path = folder.path(FRESH_STUDY)
    fresh = FreshStudyBody.read(fresh_path) if fresh_path.exists() else None
    return ToldRun(
        run=there.run,
        audit=Audit.from_body(there.audit),
        held_out_gate=there.gate,
        gate=concluded(folder),
        contract=there.contract,
        split=there.split,
        analysis=Analysis.from_body(AnalysisBody.read(analysis)) if analysis.exists() else None,
        planned=None if fresh is None else planned_study(fresh, folder.path(STUDY)),
        capability=CapabilityBody.read(ability) if ability.exists() else None,
        texts={} if fresh is None else two_texts(folder.path(fresh.base.answers), folder.path(fresh.tuned.answers)),
        pages=tuple((path, name) for path, name in PAGES if folder.path(path).exists()),
    )


def tuned_a_policy(folder: RunFolder) -> bool:
    """Whether a run tuned a policy, by its options. Raises ArtifactError without run.json."""
    return isinstance(recorded_config(RunBody.read(folder.path(RUN)).config), DpoRunConfig)


def concluded(folder: RunFolder) -> GateBody | None:
    """The verdict on everything, or None. Raises ArtifactError where it rests on other files than those there."""
    path = folder.path(CONCLUSION, GATE)
    if not path.exists():
        return None
    gate = GateBody.read(path)
    made, again = STALE
    for there in (folder, RunFolder(path.parent)):  # it names files of both folders
        there.refuse_stale(gate.inputs, made=made, again=again.format(folder.root))
    return gate


def planned_study(fresh: FreshStudyBody, place: Path) -> PlannedStudy:
    """The study that lies ready. How far it is stays unknown where it is kept elsewhere or cannot be opened here."""
    done = planned = 0
    closed = False
    if place.exists():
        with suppress(ImportError, StudyError):  # without the extra `study` there is nothing to read it with
            from assay.study.store import read_facts, read_progress

            closed = read_facts(place).closed_at is not None
            progress = read_progress(place)
            done, planned = sum(one.done for one in progress), sum(one.total for one in progress)
    return PlannedStudy(
        prompts=fresh.shown,
        votes=float(str(fresh.power["editors"])),
        editors=len(fresh.editors),
        simulated=all(judge != "human" for judge in fresh.editors.values()),
        icc=float(str(fresh.power["icc"])),
        ties=float(str(fresh.power["ties"])),
        done=done,
        planned=planned,
        closed=closed,
    )


def two_texts(before: Path, after: Path) -> dict[str, TwoTexts]:
    """By the id that the study gives a prompt, in the order of the file: the first answer of each, where both gave one.

    Rows without ids are matched by their prompt and numbered, as a study made of the same files numbers them.
    """
    if not (before.exists() and after.exists()):
        return {}
    files = read_answers(before), read_answers(after)
    by_id = all(file.has_ids for file in files)
    old, new = (_first_texts(file, by_id=by_id) for file in files)
    return {
        key if by_id else f"prompt-{place}": TwoTexts(task=task, before=text, after=new[key][1], cut=cut or new[key][2])
        for place, (key, (task, text, cut)) in enumerate(old.items(), start=1)
        if key in new
    }


def _first_texts(file: AnswerFile, *, by_id: bool) -> dict[str, tuple[str, str, bool]]:
    """Task and first answer of each prompt that has one, and whether the limit cut it."""
    found: dict[str, tuple[str, str, bool]] = {}
    for row in file.answers:
        task = plain_text(row.prompt)
        if isinstance(row.text, str):
            found.setdefault(
                (row.prompt_id or "") if by_id else task, (task, row.text, row.generation.finish == "length")
            )
    return found
