"""The reward flow, top to bottom: pairs -> contract -> length gate -> split -> train -> audit -> gate -> report.

Stages meet through the run folder: each writes its artifact before the next starts, so a killed run goes on where it
stopped, and each figure in the report can be traced to a file. What was computed once is handed on: criteria as they
were read first, prompt groups, rows as they were rendered.

What can be refused without a model (options, criteria, where the data are) is refused first, before torch is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

# Rooms by their doors, whose names are imported when the flow comes to them: half of them bring torch or scipy.
from assay import audits, data, gate, report, train
from assay.artifacts.files import read_jsonl
from assay.audits.probes.all_probes import probe_names
from assay.data.sources.any_source import locate
from assay.data.training_selection import suspected_ids
from assay.flows.processes import FollowersFolder, follows, run_folder
from assay.flows.reward_stages import (
    audit_seeds,
    base_stage,
    contract_stage,
    gate_stage,
    known_truth,
    probed,
    whole_groups,
)
from assay.flows.run_record import RunRecord, begun_with, layers_begun_with
from assay.flows.tracked_verdict import tracked_verdict
from assay.flows.training_pairs import TrainingPairs, files_read, training_pairs
from assay.gate.criteria import for_several_seeds
from assay.train import compile_choice
from assay.train.compile_choice import CompileChoice, Compiling
from assay.train.dpo.config import DpoRunConfig
from assay.train.launched import held
from assay.train.precision_choice import PrecisionChoice, choose, weighed, why
from assay.train.process_group import of_the_first, wait_for_all
from assay.train.regularise_checks import check_regularise
from assay.train.reward_config import RewardConfig
from assay.train.untrained import untrained

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.gate import Criterion, Verdict
    from assay.train import TrainResult

Notify = Callable[[str], None]
C = TypeVar("C", RewardConfig, DpoRunConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRun:
    """What the flow made: the folder, the verdict with its reasons, the audit, one training result per seed."""

    folder: Path
    verdict: Verdict
    audit: Audit
    seeds: tuple[TrainResult, ...]
    report: Path
    untrained: tuple[str, ...] = ()  # a sentence for each seed that learned nothing

    @property
    def outcome(self) -> Literal["pass", "fail", "undecided"]:
        return self.verdict.verdict


def run_reward(
    source: object, out: Path | str, *, config: RewardConfig, command: str = "", notify: Notify = lambda _line: None
) -> RewardRun:
    """Turn preference pairs into a reward model per seed, an audit, a verdict and a report in the folder `out`.

    source: what assay.read_pairs takes. command: how this run was started, for the report. notify: gets a line a stage.
    Killed anywhere, the same call goes on. Raises AssayError where data, base, split or folder do not allow it.
    """
    in_parts, criteria = held().in_parts, refused_early(source, config)
    if follows():
        notify = silent
    with run_folder(out) as run:
        base, most = base_stage(config.model)  # what is wrong with it costs no reading of data
        check_regularise(config.regularise, config.model, kind=base.kind, in_parts=in_parts)
        contract = contract_stage(source, run, config=config.data)
        precision = choose(config.train.precision, stored=begun_with(run))
        layers = of_the_first(compile_choice.choose(config.train.compile, stored=layers_begun_with(run)))
        config = settled(config, precision, layers)
        inputs = {**contract.inputs, "base": base.fingerprint, **files_read(config)}
        record = RunRecord(run, command=command, config=config, precision=precision, layers=layers, inputs=inputs)
        record.add(base={"name": base.name, "fingerprint": base.fingerprint, "kind": base.kind})
        with record.stage("contract") as stage:
            stage.seconds = contract.seconds
        notify(f"contract   {len(contract.pairs):,} pairs of {contract.rows:,} rows ({contract.seconds:.0f} s)")
        say_what_auto_chose(precision, layers, notify)
        with record.stage("length gate"):
            gated = gate_stage(contract, run, base=base, config=config.model, most=most, notify=notify)
        record.add(seeds=config.train.seeds, length_gate=gated.summary)
        notify(f"render     {len(gated.pairs):,} pairs within {config.model.max_tokens} tokens")
        with record.stage("split"):
            parts = data.split(gated.pairs, config=config.split, groups=gated.groups)
            parts.proof.write(run.path("split.json"))
        record.add(data=known_truth(source, contract, parts.held_out))
        notify(f"split      {len(parts.train):,} to train on, {len(parts.held_out):,} held out")
        record.add(precision=(precision := weighed(precision, notify)).body)
        training = training_pairs(run, parts, gated, base=base, config=config, notify=notify)
        record.add(**({} if training.counts is None else {"training_pairs": training.counts}))
        results = train_seeds(training, config=config, precision=precision, record=record, notify=notify)
        if isinstance(run, FollowersFolder):
            return followed(run, results, criteria)
        with record.stage("audit"):
            whole = whole_groups(source, contract, parts, results, config=config, notify=notify)
            evidence = replace(probed(run, parts, results, config=config, notify=notify), candidates=whole)
            audit = audit_seeds(run, parts, gated, results, config=config.audit, evidence=evidence)
        with record.stage("gate"):
            verdict = gate.decide_run(run, criteria)
        record.add(status="done")
        notify(f"gate       {verdict.verdict}")
        with tracked_verdict(record, verdict, config.train.report_to, say=notify):
            page = report.render(run)
            report.model_card(run)
        wait_for_all()
        return RewardRun(
            folder=run.root,
            verdict=verdict,
            audit=audit,
            seeds=results,
            report=page,
            untrained=learned_nothing(results, config),
        )


def refused_early(source: object, config: RewardConfig) -> tuple[Criterion, ...] | None:
    """The criteria to decide by: read before anything else, as all that a typing error can spoil, so that none costs a
    training, waits for a base or leaves a folder.
    """
    criteria = None if config.criteria is None else gate.load_criteria(config.criteria)
    for_several_seeds(criteria or (), config.train.seeds)
    probe_names(config.probes.names)
    if config.select.without is not None:
        suspected_ids(Path(config.select.without))
    if isinstance(source, str | Path):
        locate(source, config=config.data)
    return criteria


def say_what_auto_chose(precision: PrecisionChoice, layers: CompileChoice | None, notify: Notify) -> None:
    if precision.asked == "auto":
        notify(f"precision  {precision.used}: {why(precision)}")
    if layers is not None and layers.asked == "auto":
        notify(compile_choice.line(layers))


def silent(_line: str) -> None:
    """Say nothing."""


def followed(run: FollowersFolder, results: tuple[TrainResult, ...], criteria: Sequence[Criterion] | None) -> RewardRun:
    """What the first process made of the seeds that all have trained."""
    wait_for_all()
    run.take_over()
    verdict = gate.decide_run(run, criteria)
    shared = run.shared
    return RewardRun(
        folder=shared.root,
        verdict=verdict,
        audit=audits.Audit.read(run),
        seeds=results,
        report=shared.path("report.html"),
    )


def settled(config: C, precision: PrecisionChoice, layers: CompileChoice | None) -> C:
    """The configuration with what is used in place of `auto`: what the experiment is, on any machine.

    layers: None leaves train.compile at `auto`, until the first seed has measured it on its rows.
    """
    used = {"precision": precision.used, "compile": config.train.compile if layers is None else layers.used}
    return config.model_copy(update={"train": config.train.model_copy(update=used)})


def train_seeds(
    pairs: TrainingPairs, *, config: RewardConfig, precision: PrecisionChoice, record: RunRecord, notify: Notify
) -> tuple[TrainResult, ...]:
    """One reward model per seed, each in its folder; none renders again what the length gate rendered.

    The first that has to try whether compiling pays says so, and the others do as it does.
    """

    def tell(choice: CompileChoice) -> None:
        record.settle_layers(choice)
        notify(compile_choice.line(choice))

    results = []
    for seed in config.train.seeds:
        with record.stage(f"train seed {seed}") as stage:
            result = train.train_reward(
                pairs.parts.train,
                pairs.parts.held_out,
                seed=seed,
                out=record.run.seed(seed),
                rendered=pairs.gated.rendered,
                model=config.model,
                loss=config.loss,
                config=config.train,
                regularise=config.regularise,
                stopping=config.stopping,
                validation=pairs.validation,
                precision=precision,
                compiling=Compiling(choice=record.layers, tell=tell),
            )
            stage.seconds, stage.tokens = round(result.seconds, 1), result.tokens
        accuracy = "unknown" if result.held_out_accuracy is None else f"{result.held_out_accuracy:.1%}"
        notify(f"seed {seed}     held-out accuracy {accuracy} on {result.held_out:,} pairs ({result.seconds:.0f} s)")
        results.append(result)
        for line in learned_nothing([result], config):
            notify(f"untrained  {line}")
    return tuple(results)


def learned_nothing(results: Sequence[TrainResult], config: RewardConfig) -> tuple[str, ...]:
    """A sentence for each seed whose training loss stayed at guessing."""
    found = {one.seed: untrained(list(read_jsonl(one.metrics_path)), config.loss) for one in results}
    return tuple(f"seed {seed}: {why}." for seed, why in found.items() if why)
