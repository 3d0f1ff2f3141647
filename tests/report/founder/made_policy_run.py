"""Runs that tuned a policy, made without tuning one: every state in which the founder's page can find a folder."""

from __future__ import annotations

from dataclasses import replace

from assay.artifacts.analysis_body import ANALYSIS, AnalysisBody
from assay.artifacts.capability_body import AskedModelBody, CapabilityBody
from assay.artifacts.files import sha256_file, write_jsonl
from assay.artifacts.fresh_study_body import AnsweringBody, FreshStudyBody
from assay.artifacts.policy_run_files import CAPABILITY_RESULT, CONCLUSION, STUDY, STUDY_RESULT
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_folder import RunFolder
from assay.capability.capability_findings import capability_findings
from assay.capability.config import CapabilityConfig
from assay.capability.lost_ability import way_outcome
from assay.flows.capability import way_body
from assay.flows.study import analyse_study
from assay.gate import Evidence, decide_run, load_criteria
from assay.gate.capability_evidence import capability_evidence
from assay.gate.evidence import read_evidence
from assay.gate.joined_evidence import JoinedEvidence, decide_joined, untested
from assay.report import render
from assay.study.analysis.study_result import Analysis
from assay.study.config import StudyConfig
from assay.study.plan.create import Sources, create_study
from assay.study.study_records import Editor, EditorKind
from assay.train.dpo.config import DpoRunConfig
from tests.capability.test_lost_ability import table
from tests.study.simulated import PEOPLE, Truth, closed_study

BEFORE, AFTER = "answers/base.jsonl", "answers/tuned.jsonl"
NEEDS = (
    "a warm meal each school day",
    "a safe way home after practice",
    "someone to fix the boiler",
    "books in Braille",
)
PLACES = ("Harrow Lane", "the river estate", "three village schools", "the old tannery")


def as_policy_run(run: RunFolder) -> RunFolder:
    """A made run turned into one that tuned a policy."""
    path = run.path("run.json")
    config = DpoRunConfig().model_dump(mode="json")
    body = RunBody.read(path)
    assert body.data is not None
    body.with_more(config=config, data=body.data.model_copy(update={"simulated": False})).write(path)
    decide_run(run, "dpo-held-out")
    render(run)
    return run


def with_answers(run: RunFolder, prompts: int = 50, *, longer: bool = False) -> RunFolder:
    """Paragraphs of both models to the prompts of `closed_study`."""
    for path, system in ((BEFORE, "base"), (AFTER, "tuned")):
        rows = []
        for n in range(prompts):
            need, place = NEEDS[n % 4], PLACES[(n // 4) % 4]
            children, pounds = 40 + n, 1000 * (4 + 7 * n % 26)
            task = (
                f"Write the paragraph on need for a grant application. Facts: {children} children in {place}; they "
                f"need {need}; we ask for £{pounds:,} for one year."
            )
            vague = f"Our charity does vital work in {place}. Many there face hardship, and you can help."
            exact = f"In {place}, {children} children lack {need}. We ask for £{pounds:,} to provide it for one year."
            text = vague if system == "base" else exact + (" Each family was asked first." * 2 if longer else "")
            rows.append({"id": f"p{n}", "prompt": task, "answer": text, "system": system})
        write_jsonl(run.path(path), rows)
    return run


def with_study(run: RunFolder, editors: int = 3, *, judge: EditorKind = "human", prompts: int = 50) -> RunFolder:
    """These answers, and a study of them ready to serve."""
    with_answers(run, prompts)
    names = [Editor(name=f"Editor {n}", judge=judge) for n in range(editors)]
    sources = Sources(generations=(run.path(BEFORE), run.path(AFTER)), names=("base", "tuned"))
    run.path(STUDY).parent.mkdir(exist_ok=True)
    made = create_study(run.path(STUDY), sources, names, config=StudyConfig(seed=1))
    sides = [
        AnsweringBody(policy=name, fingerprint=f"sha256:{name}", template="none", answers=path, sha256="sha256:0")
        for name, path in (("base", BEFORE), ("tuned", AFTER))
    ]
    FreshStudyBody(
        id=made.id, study=STUDY, links="study/links.csv", seed=0, base=sides[0], tuned=sides[1], prompts=prompts,
        shown=made.prompts, showings=made.showings, editors={one.name: one.judge for one in names}, aside={},
        power=made.power.as_dict(), sentence=made.power.sentence(), notes=(), config={}, inputs={},
    ).write(run.path("fresh_study.json"))  # fmt: skip
    return run


def with_votes(run: RunFolder, rate: float, *, prompts: int = 50, editors: tuple[Editor, ...] = PEOPLE) -> RunFolder:
    """The analysis of a closed study in which the new model's true win rate is `rate`."""
    closed = closed_study(Truth(rate=rate), prompts=prompts, editors=editors)
    analyse_study(closed, run.path(STUDY_RESULT))
    return run


def with_bad_texts(run: RunFolder, *, editors: tuple[Editor, ...] = PEOPLE) -> RunFolder:
    """The analysis of a study in which nine of ten judgements say that both texts are bad."""
    closed = closed_study(Truth(rate=0.5), prompts=50, editors=editors)
    votes = [vote if n % 10 == 0 else replace(vote, choice="both_bad") for n, vote in enumerate(closed.votes)]
    analyse_study(replace(closed, votes=tuple(votes)), run.path(STUDY_RESULT))
    return run


def decided_on(run: RunFolder) -> RunFolder:
    """The verdict on all that is there, as concluding decides it."""
    criteria, out = load_criteria("dpo-policy"), run.path(CONCLUSION)
    analysis = Analysis.from_body(AnalysisBody.read(run.path(STUDY_RESULT, ANALYSIS)))
    tested = run.path(CAPABILITY_RESULT).exists()
    name = f"study/{ANALYSIS}"
    joined = JoinedEvidence(
        run=read_evidence(run),
        study=Evidence(figures=analysis, inputs={name: sha256_file(out / name)}, source="study", counted="vote"),
        capability=capability_evidence(out) if tested else untested("test it"),
    )
    decide_joined(joined, criteria).to_body().write(out / "gate.json")
    return run


def with_capability(run: RunFolder, *, right: float = 0.6, drop: float = 0.0, each: int = 100) -> RunFolder:
    """A capability test: of the old model's share of right answers, `drop` is gone."""
    config = CapabilityConfig()
    graded = table(right=right, drop=drop, each=each)
    way = way_outcome(graded, config)
    body = CapabilityBody(
        outcome=way.outcome,
        sentence="Made for a test.",
        model=AskedModelBody(name="tuned", fingerprint="sha256:1", answers="answers-1.jsonl"),
        against=AskedModelBody(name="base", fingerprint="sha256:2", answers="answers-2.jsonl"),
        questions=way.n,
        shots=5,
        ways=[way_body(way, rests=True)],
        left_out=[],
        notes=[],
        config=config.model_dump(mode="json"),
        inputs={},
        findings=[one.to_body() for one in capability_findings([way], way, graded, config)],
        assay_version="0",
        versions={},
        command="",
    )
    body.write(run.path(CAPABILITY_RESULT))
    return run
