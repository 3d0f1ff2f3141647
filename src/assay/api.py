"""The functions of `assay.__all__` that are no other module's own: the stages and flows, as a notebook calls them.

Each is one call of a room below, with defaults; every function here is `assay.<name>`, and nothing else stands here
(simulated worlds: api_worlds.py; what a policy makes of a reward: api_pressure.py; rewards in use: api_service.py).
Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from assay.advice.reward_or_dpo import Needs
from assay.audits.config import AuditConfig
from assay.capability.config import CapabilityConfig
from assay.data.config import DataConfig, SplitConfig
from assay.policies.protocol import Prompt, Sampling
from assay.records import Candidates, Pair, Text
from assay.train.dpo.config import DpoRunConfig
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.advice.reward_or_dpo import Advice
    from assay.artifacts.bench_body import BenchBody
    from assay.artifacts.capability_body import CapabilityBody
    from assay.audits import Audit
    from assay.data import PairSet
    from assay.data.grouped_split import Split
    from assay.data.intake import CheckReport
    from assay.flows.bench import BenchOptions
    from assay.flows.compare import ScorerComparison
    from assay.flows.dpo import PolicyRun
    from assay.flows.dpo_conclusion import ConcludeConfig, Conclusion
    from assay.flows.generate import AnswersFile
    from assay.flows.reward import RewardRun
    from assay.flows.study import Analysed
    from assay.gate import Verdict
    from assay.policies.protocol import Generations, Policy
    from assay.scorers.combined.combination_file import Combination
    from assay.scorers.combined.combine import CombinePlan
    from assay.scorers.open import AnyScorer
    from assay.scorers.protocol import Scored, Scorer
    from assay.scorers.scored_pairs import PairScores, ScoredPair
    from assay.study.config import AnalysisConfig


def read_pairs(source: object, *, config: DataConfig | None = None) -> PairSet:
    """Read preference pairs into memory: `.pairs`, `.rejects` and `.rows`, with len(pairs) + len(rejects) == rows.

    source: a file, a folder, a Hugging Face dataset id, a list of dicts or Pairs, or a table.
    Raises InputError where the source as a whole cannot be read, or its layout is not clear.
    """
    from assay.data import read_pairs as read

    return read(source, config=config or DataConfig())


def check(source: object, out: Path | str | None = None, *, config: DataConfig | None = None) -> CheckReport:
    """Check pairs in bounded memory; with `out`, write contract.json, rejects.jsonl and review.jsonl there."""
    from assay.data import check as run

    return run(source, None if out is None else Path(out), config=config or DataConfig())


def split(pairs: Sequence[Pair], *, config: SplitConfig | None = None) -> Split:
    """Grouped, stratified, exact-size split: `.train`, `.held_out` and `.proof`. Raises SplitError if impossible."""
    from assay.data import split as run

    return run(pairs, config=config or SplitConfig())


def open_policy(text: Path | str, *, template: str | None = None) -> Policy:
    """The policy that `text` names: a language model by folder, catalogue name or hub id, a file of recorded answers,
    or kind:argument.

    Kinds: adapter:FOLDER@BASE, endpoint:MODEL@http://host:8000/v1, local:FOLDER, recorded:FILE. template: for a model
    without one: a file of jinja, or `plain`.
    """
    from assay.policies.open import open_policy as run

    return run(text, template=template)


def generate(
    policy: Policy | Path | str, prompts: Sequence[Prompt | Text], n: int = 1, *, sampling: Sampling | None = None
) -> list[Generations]:
    """n answers to each prompt, in order, with how they were made; each a text, or unknown with its reason.

    policy: a Policy, or what open_policy takes. prompts: texts, messages, or Prompts with ids of their own. sampling:
    None: temperature 1, at most 256 tokens, seed 0. An answer does not depend on what else is asked.
    """
    from assay.policies.prompt_files import prompts_of
    from assay.policies.protocol import generate as run

    opened = open_policy(policy) if isinstance(policy, (str, Path)) else policy
    return run(opened, prompts_of(prompts), n, sampling or Sampling())


def generate_file(
    policy: Policy | Path | str,
    prompts: str | Sequence[Prompt | Text],
    out: Path | str,
    *,
    n: int = 1,
    sampling: Sampling | None = None,
) -> AnswersFile:
    """`generate` into the JSON lines `out`, one a finished answer; killed anywhere, the same call goes on.

    prompts: also a file, of prompts or of pairs in any layout. Raises ArtifactError where `out` holds answers that were
    made otherwise.
    """
    from assay.flows.generate import generate_file as run
    from assay.flows.generate import prompts_in
    from assay.policies.prompt_files import prompts_of

    opened = open_policy(policy) if isinstance(policy, (str, Path)) else policy
    asked = prompts_in(prompts) if isinstance(prompts, str) else prompts_of(prompts)
    return run(opened, asked, Path(out), n=n, sampling=sampling or Sampling())


def open_scorer(text: Path | str) -> Scorer:
    """The scorer that `text` names: a reward model by folder or hub id, a file of recorded scores, or kind:argument.

    Kinds: averaged, baseline, combined, corrected, debate, ensemble, factual, implicit, judge, jury, local, published,
    recorded, truth, verifier and servers; docs/scorers.md tells what stands behind each colon.
    """
    from assay.scorers import open_scorer as run

    return run(text)


def combine(plan: CombinePlan) -> Combination:
    """Several objectives' scorers as one reward: `.outcome`, `.measured`, `.trade_offs`, `.write(path)`.

    What is written opens as `combined:FILE.yaml`. Raises ConfigError for a plan that is none, InputError for an
    objective with too few pairs; constraints that nothing satisfies make it `undecided`, with reasons.
    """
    from assay.scorers.combined.combine import combine as run
    from assay.scorers.open import open_scorer as opened

    plan.check()
    return run(plan, {name: opened(text) for name, text in plan.scorers.items()})


@overload
def score(scorer: AnyScorer, items: Sequence[Pair]) -> list[ScoredPair]: ...
@overload
def score(scorer: AnyScorer, items: Sequence[Candidates]) -> list[tuple[Scored, ...]]: ...
@overload
def score(scorer: AnyScorer, items: Sequence[Pair | Candidates]) -> list[ScoredPair | tuple[Scored, ...]]: ...
def score(scorer: AnyScorer, items: Sequence[Pair | Candidates]) -> object:
    """Score pairs (a ScoredPair each) and candidates (a tuple each) in the order given: Reward, or Unscored and why.

    scorer: a Scorer, a function of (prompt, answers) that gives numbers, or what open_scorer takes.
    Raises InputError for what is neither a Pair nor Candidates.
    """
    from assay.scorers import as_scorer
    from assay.scorers.scored_pairs import score_items

    return score_items(as_scorer(scorer), items)


def audit(
    scores: AnyScorer | PairScores | Mapping[int, AnyScorer | PairScores],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
    probes: str = "none",
    trained_on: Sequence[Pair] | None = None,
) -> Audit:
    """Audit a scorer on labelled pairs it was not trained on.

    scores: a scorer as `score` takes it (of a run folder, every seed), or what `score` gave for the pairs; several
    seeds' as a mapping by seed. Pairs of which an answer could not be taken are left out, with a UserWarning.
    probes: "all", or names with commas between: changed answers and other prompts that are scored beside the pairs.
    trained_on: pairs the scorer was trained on, to find leaks.
    """
    from assay.flows.audit import audit_scores

    return audit_scores(scores, pairs, groups=groups, config=config, probes=probes, trained_on=trained_on)


def bench(
    scorer: AnyScorer,
    suite: str,
    data: str | Path | Sequence[str | Path],
    out: Path | str,
    *,
    options: BenchOptions | None = None,
) -> BenchBody:
    """Score a published suite as its authors do: `.standings` (figures with intervals beside longest, shortest and
    chance), `.unscored`; bench.json, scores.jsonl and bench.html go to the folder `out`.

    scorer: as `score` takes it. suite: rewardbench, rewardbench2, rm-bench, judgebench, rmb, ppe-human, ppe-correctness
    or processbench. data: files, folders or hub ids. Killed anywhere, the same call goes on.
    Raises InputError for data of another suite, ConfigError for an unknown one.
    """
    from assay.flows.bench import bench as run

    sources = [str(data)] if isinstance(data, str | Path) else [str(one) for one in data]
    return run(scorer, suite, sources, Path(out), options=options)


def decide(evidence: Audit | Path | str, criteria: Path | str | None = None, *, split: Split | None = None) -> Verdict:
    """Decide an audit, a run folder or one of `optimise`, by criteria in YAML (None: the built-in ones).

    split: where an audit's pairs were held out. Without its proof the built-in criteria fail: a leak was not ruled out.
    Raises ConfigError for criteria that cannot be read, ArtifactError for a run folder without an audit.
    """
    from assay.gate import Evidence, decide_run, load_criteria
    from assay.gate import decide as run

    if isinstance(evidence, (str, Path)):
        return decide_run(evidence, criteria)
    return run(Evidence(figures=evidence, split=None if split is None else split.proof), load_criteria(criteria))


def run_reward(
    source: object,
    out: Path | str,
    *,
    config: RewardConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> RewardRun:
    """The whole flow into the folder `out`: pairs -> reward model per seed -> audit -> verdict -> report.

    source: what read_pairs takes. notify: gets a line a stage, `print` for one. Killed anywhere, the same call goes on.
    Raises AssayError where data, base, split or folder do not allow it.
    """
    from assay.flows.reward import run_reward as run

    return run(source, out, config=config or RewardConfig(), notify=notify)


def run_dpo(
    source: object,
    out: Path | str,
    *,
    config: DpoRunConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> PolicyRun:
    """The DPO flow into the folder `out`: pairs -> tuned policy per seed -> audit of its implied reward -> report.

    source: what read_pairs takes. notify: gets a line a stage, `print` for one. Killed anywhere, the same call goes on.
    Raises AssayError where data, base, split or folder do not allow it.
    """
    from assay.flows.dpo import run_dpo as run

    return run(source, out, config=config or DpoRunConfig(), notify=notify)


def conclude(
    run: Path | str,
    study: Path | str,
    *,
    questions: Path | str | None = None,
    capability: Path | str | None = None,
    config: ConcludeConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> Conclusion:
    """Join a tuned policy's run, its closed study and a capability test to one verdict: `assay dpo RUN --conclude`.

    study: SQLite file or postgresql:// URL. questions: asked of both models here (`--mmlu`). capability: a test that
    was made, as capability.json or its folder. Without either that criterion fails: what was not tested is no pass.
    Raises StudyError for an open study or one of other answers, ConfigError for both tests, InputError for a test of
    other models, ArtifactError where the run is not what was judged.
    """
    from assay.flows.dpo_conclusion import conclude as run_conclusion
    from assay.flows.dpo_conclusion import one_test

    test = one_test(made=capability, questions=questions)
    return run_conclusion(Path(run), str(study), test=test, config=config, notify=notify)


def advise(needs: Needs | None = None) -> Advice:
    """An explicit reward or DPO first, from what is needed: `.first`, `.sentence`, `.reasons`, `.turns`, `.commands`.

    needs: what is not said is asked for by no rule. Pure; opens no run and no model.
    """
    from assay.advice.reward_or_dpo import advise as run

    return run(needs or Needs())


def compare_runs(
    reward: Path | str, dpo: Path | str, out: Path | str, *, source: Path | str | None = None
) -> ScorerComparison:
    """Hold a reward run (A) against a DPO run (B) on the pairs that both held out: `.body.verdict`, and its page.

    Writes what `assay advise --reward --dpo` writes to the folder `out`. source: the data of
    both, where they were moved. Raises InputError for runs of other data or kinds or without a shared pair,
    ArtifactError for an unfinished one.
    """
    from assay.flows.advise import compare_runs as run

    return run(Path(reward), Path(dpo), Path(out), source=None if source is None else str(source))


def measure_capability(
    model: str,
    data: Path | str,
    out: Path | str,
    *,
    against: str | None = None,
    config: CapabilityConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> CapabilityBody:
    """Ask a language model multiple-choice questions, and hold it against another: `.outcome`, `.findings`.

    model, against: a folder, catalogue name, hub id, or LoRA adapters. data: a folder such as MMLU's, or a file. The
    folder `out` gets capability.json, its page and all answers; killed anywhere, the same call goes on.
    Raises AssayError where questions, models or their templates do not allow it.
    """
    from assay.flows.capability import capability as run

    return run(model, Path(data), Path(out), against=against, config=config, notify=notify)


def write_report(run: Path | str) -> Path:
    """Write report.html of a run folder from its artifacts, or pressure.html of `optimise`'s; returns its path.

    Beside it MODEL_CARD.md, and of a tuned policy founder.html. Raises ArtifactError where run.json,
    audit.json or gate.json is missing.
    """
    from assay.artifacts.pressure_body import holds_pressure
    from assay.artifacts.run_folder import RunFolder
    from assay.report import model_card, policy_card, pressure_page, render
    from assay.report.founder import founder_page, tuned_a_policy

    if holds_pressure(Path(run)):
        return pressure_page(Path(run))
    folder = RunFolder(run)
    if tuned_a_policy(folder):
        founder_page(folder)
        policy_card(folder)
    else:
        model_card(folder)
    return render(folder)


def analyse_study(
    source: Path | str, out: Path | str, *, config: AnalysisConfig | None = None, criteria: Path | str | None = None
) -> Analysed:
    """Analyse a closed blind study and decide; writes analysis.json, gate.json and result.html to the folder `out`.

    source: the study's SQLite file or postgresql:// URL, or an export. criteria: YAML; None: win rate above one half.
    Raises StudyError while the study is open or where it cannot be vouched for.
    """
    from assay.flows.study import read_and_analyse as run

    return run(str(source), Path(out), config=config, criteria=criteria)
