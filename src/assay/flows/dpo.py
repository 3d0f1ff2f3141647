"""The DPO flow, top to bottom: pairs -> contract -> length gate -> split -> trials -> tune -> audit -> gate -> study.

Stages and files are those of the reward flow, and so is what happens after a kill. What is tuned is a policy; what is
audited is the reward that it implies. Trials, where asked for, see the training groups alone. The study is written, not
judged: what people say of it is joined to the rest by `dpo_conclusion.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_file
from assay.artifacts.fresh_study_body import FreshStudyBody
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.data import split
from assay.data.grouped_split import Split
from assay.errors import ArtifactError
from assay.flows.dpo_evidence import policy_evidence, without_highest_ches
from assay.flows.dpo_trials import tried
from assay.flows.fresh_prompts_file import read_prompts
from assay.flows.fresh_study import Asking, write_study, written_study
from assay.flows.processes import FollowersFolder, follows, run_folder
from assay.flows.reward import say_what_auto_chose, settled, silent
from assay.flows.reward_stages import Contract, Gated, audit_seeds, contract_stage, gate_stage, known_truth
from assay.flows.run_record import RunRecord, begun_with, layers_begun_with
from assay.flows.tracked_verdict import tracked_verdict
from assay.gate import Criterion, Verdict, decide_run, load_criteria
from assay.models.local_model import LocalModel
from assay.models.resolve import resolve
from assay.records import Pair, Text
from assay.report import policy_card, render
from assay.report.founder import founder_page
from assay.train import TrainResult, compile_choice
from assay.train.compile_choice import CompileChoice, Compiling
from assay.train.dpo.config import DpoRunConfig
from assay.train.dpo.new_policy import check_policy_base, policy_renderer
from assay.train.dpo.train_dpo import train_dpo
from assay.train.launched import held
from assay.train.precision_choice import PrecisionChoice, choose, weighed
from assay.train.process_group import of_the_first, wait_for_all

Notify = Callable[[str], None]
CRITERIA = "dpo-held-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun:
    """What the flow made: the folder, the verdict on held-out pairs, the audit, one tuned policy per seed.

    study: that was written for the first of them; None where no fresh prompts were given.
    """

    folder: Path
    verdict: Verdict
    audit: Audit
    seeds: tuple[TrainResult, ...]
    report: Path
    study: FreshStudyBody | None = None

    @property
    def outcome(self) -> Literal["pass", "fail", "undecided"]:
        return self.verdict.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What stands before the first step: the pairs of both sides with their rows, prompts to watch, the options."""

    parts: Split
    gated: Gated
    fresh: Sequence[Text]
    asking: Asking | None
    config: DpoRunConfig
    precision: PrecisionChoice
    record: RunRecord
    notify: Notify


def run_dpo(
    source: object, out: Path | str, *, config: DpoRunConfig, command: str = "", notify: Notify = lambda _line: None
) -> PolicyRun:
    """Tune a policy per seed on preference pairs, audit the rewards they imply, decide and report, in the folder `out`.

    source: what assay.read_pairs takes. command: how this run was started, for the report. notify: gets a line a stage.
    Killed anywhere, the same call goes on. Raises AssayError where data, base, split or folder do not allow it.
    """
    held()  # how the launcher would have weights held is refused first, where it cannot be had
    criteria = load_criteria(config.criteria or CRITERIA)
    fresh = [] if config.watch.prompts is None else read_prompts(Path(config.watch.prompts))
    asking = Asking.of(config.study)
    if follows():
        notify = silent
    with run_folder(out) as run:
        base = resolve(config.model.base, config.model.revision)
        most = check_policy_base(base, config.model)  # what is wrong with it costs no reading of data
        contract = contract_stage(source, run, config=config.data)
        precision = choose(config.train.precision, stored=begun_with(run))
        layers = of_the_first(compile_choice.choose(config.train.compile, stored=layers_begun_with(run)))
        config = settled(config, precision, layers)
        record = RunRecord(
            run,
            command=command,
            config=config,
            precision=precision,
            layers=layers,
            inputs=inputs_of(contract, base, config),
        )
        record.add(base={"name": base.name, "fingerprint": base.fingerprint, "kind": base.kind})
        record.add(seeds=config.train.seeds)
        with record.stage("contract") as stage:
            stage.seconds = contract.seconds
        notify(f"contract   {len(contract.pairs):,} pairs of {contract.rows:,} rows ({contract.seconds:.0f} s)")
        say_what_auto_chose(precision, layers, notify)
        with record.stage("length gate"):
            renderer = policy_renderer(base, template=config.model.template)
            gated = gate_stage(
                contract, run, base=base, config=config.model, most=most, renderer=renderer, notify=notify
            )
        record.add(length_gate=gated.summary)
        notify(f"render     {len(gated.pairs):,} pairs within {config.model.max_tokens} tokens")
        with record.stage("split"):
            parts = split(gated.pairs, config=config.split, groups=gated.groups)
            parts.proof.write(run.path("split.json"))
        record.add(data=known_truth(source, contract, parts.held_out))
        notify(f"split      {len(parts.train):,} to train on, {len(parts.held_out):,} held out")
        precision = weighed(precision, notify)
        record.add(precision=precision.body)
        if asking is not None:
            asking.refuse_trained_on(parts.train)
        ready = Ready(
            parts=parts, gated=gated, fresh=fresh, asking=asking, config=config, precision=precision, record=record,
            notify=notify,
        )  # fmt: skip
        return tuned(ready, criteria)


def inputs_of(contract: Contract, base: LocalModel, config: DpoRunConfig) -> dict[str, str]:
    """Hashes of everything read, by name."""
    found = {**contract.inputs, "base": base.fingerprint}
    return found if config.watch.prompts is None else {**found, "prompts": sha256_file(Path(config.watch.prompts))}


def tuned(ready: Ready, criteria: Sequence[Criterion]) -> PolicyRun:
    """Trials, seeds, audit, gate and report."""
    run, record, notify = ready.record.run, ready.record, ready.notify
    config = ready.config
    if config.trials.sweep or config.trials.remedy:
        with record.stage("trials"):
            config, chosen = tried(
                run, ready.parts, ready.gated, config=config, precision=ready.precision, notify=notify
            )
        record.add(chosen=chosen)
    with record.stage("pairs behind"):
        pairs = without_highest_ches(
            run, ready.parts.train, config.dpo.drop_ches, rendered=ready.gated.rendered, model=config.model,
            notify=notify,
        )  # fmt: skip
    if len(pairs) < len(ready.parts.train):
        notify(f"ches       {len(ready.parts.train) - len(pairs):,} pairs with the highest CHES scores left out")
    results = tune_seeds(ready, pairs, config)
    if isinstance(run, FollowersFolder):
        return followed_policy(run, results, criteria)
    with record.stage("audit"):
        evidence = policy_evidence(run, results, pairs, rendered=ready.gated.rendered, config=config, notify=notify)
        audit = audit_seeds(run, ready.parts, ready.gated, results, config=config.audit, evidence=evidence)
    with record.stage("gate"):
        verdict = decide_run(run, criteria)
    notify(f"gate       {verdict.verdict}")
    study = written_study(run)
    if ready.asking is not None:
        with record.stage("study"):
            # Of the first seed and not of the best, which nobody could tell from luck.
            study = write_study(run, ready.asking, results[0], config=config, notify=notify)
    record.add(status="done")
    with tracked_verdict(record, verdict, config.train.report_to, say=notify):
        page = render(run)
        tell_founder(run, notify)
    wait_for_all()
    return PolicyRun(folder=run.root, verdict=verdict, audit=audit, seeds=results, report=page, study=study)


def tell_founder(run: RunFolder, notify: Notify) -> None:
    """The page without jargon, and the card. A verdict of before that is stale by now ends no run: it is said."""
    try:
        notify(f"founder    {founder_page(run)}")
        policy_card(run)
    except ArtifactError as error:
        notify(f"founder    not written: {error}")


def followed_policy(run: FollowersFolder, results: tuple[TrainResult, ...], criteria: Sequence[Criterion]) -> PolicyRun:
    """What the first process made of the seeds that all have tuned."""
    wait_for_all()
    run.take_over()
    verdict, shared = decide_run(run, criteria), run.shared
    return PolicyRun(
        folder=shared.root, verdict=verdict, audit=Audit.read(run), seeds=results, report=shared.path("report.html")
    )


def tune_seeds(ready: Ready, pairs: Sequence[Pair], config: DpoRunConfig) -> tuple[TrainResult, ...]:
    """One policy per seed, each in its folder, all beside one store of reference log-probabilities."""
    record, notify = ready.record, ready.notify

    def tell(choice: CompileChoice) -> None:
        record.settle_layers(choice)
        notify(compile_choice.line(choice))

    results = []
    for seed in config.train.seeds:
        with record.stage(f"train seed {seed}") as stage:
            result = train_dpo(
                pairs,
                ready.parts.held_out,
                seed=seed,
                out=record.run.seed(seed),
                rendered=ready.gated.rendered,
                model=config.model,
                dpo=config.dpo,
                watch=config.watch,
                config=config.train,
                fresh=ready.fresh,
                precision=ready.precision,
                compiling=Compiling(choice=record.layers, tell=tell),
            )
            stage.seconds, stage.tokens = round(result.seconds, 1), result.tokens
        accuracy = "unknown" if result.held_out_accuracy is None else f"{result.held_out_accuracy:.1%}"
        notify(f"seed {seed}     held-out accuracy {accuracy} on {result.held_out:,} pairs ({result.seconds:.0f} s)")
        notify(f"           {changes_line(result)}")
        results.append(result)
    return tuple(results)


def changes_line(result: TrainResult) -> str:
    """Where log-probabilities went, in a line."""
    chosen, rejected = (result.figures.get(f"{side}_change") for side in ("chosen", "rejected"))
    if chosen is None or rejected is None:
        return "log-probabilities of held-out pairs unknown"
    kl = result.figures.get("kl")
    far = "" if kl is None else f"; KL from the base {kl:.2f} nats"
    return f"log-probability of chosen {chosen:+.2f}, of rejected {rejected:+.2f} nats an answer{far}"
