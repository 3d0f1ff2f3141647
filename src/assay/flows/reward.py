"""The reward flow, top to bottom: pairs -> contract -> length gate -> split -> train -> audit -> gate -> report.

Stages meet through the run folder: each writes its artifact before the next starts, so a killed run goes on where it
stopped, and each figure in the report can be traced to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.data import Split, prompt_groups, split
from assay.flows.run_record import Ledger, only_writer
from assay.flows.stages import audit_seeds, contract_stage, gate_stage, known_truth
from assay.gate import Criterion, Verdict, decide_run, load_criteria
from assay.models.resolve import BaseModel, resolve
from assay.report import model_card, render
from assay.train import TrainResult, train_reward
from assay.train.reward_config import RewardConfig

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRun:
    """What the flow made: the folder, the verdict with its reasons, the audit, one training result per seed."""

    folder: Path
    verdict: Verdict
    audit: Audit
    seeds: tuple[TrainResult, ...]
    report: Path

    @property
    def outcome(self) -> Literal["pass", "fail", "undecided"]:
        return self.verdict.verdict


def run_reward(
    source: Any, out: Path | str, *, config: RewardConfig, command: str = "", notify: Notify = lambda _line: None
) -> RewardRun:
    """Turn preference pairs into a reward model per seed, an audit, a verdict and a report in the folder `out`.

    source: what assay.read_pairs takes. command: how this run was started, for the report. notify: gets a line a stage.
    Killed anywhere, the same call goes on. Raises AssayError where data, base, split or folder do not allow it.
    """
    # Read before anything else, since a typing error there should cost no training; what was read then is decided by.
    criteria = None if config.criteria is None else load_criteria(config.criteria)
    run = RunFolder(out)
    with only_writer(run):
        base = resolve(config.model.base, config.model.revision)
        contract = contract_stage(source, run, config=config.data)
        ledger = Ledger(run, command=command, config=config, inputs={**contract.inputs, "base": base.fingerprint})
        describe(ledger, base, seeds=config.train.seeds)
        notify(f"contract   {len(contract.pairs):,} pairs of {contract.rows:,} rows ({contract.seconds:.0f} s)")
        ledger.stages.append({"name": "contract", "seconds": contract.seconds, "tokens": None})
        with ledger.stage("length gate"):
            gated = gate_stage(contract, run, base=base, config=config.model)
        notify(f"render     {len(gated.pairs):,} pairs within {config.model.max_tokens} tokens")
        ledger.write(length_gate=gated.summary)
        with ledger.stage("split"):
            groups = prompt_groups(gated.pairs, threshold=config.data.near_duplicates, seed=config.data.seed)
            parts = split(gated.pairs, config=config.split, groups=groups)
            run.write("split.json", "split/1", parts.proof)
        notify(f"split      {len(parts.train):,} to train on, {len(parts.held_out):,} held out")
        ledger.write(data=known_truth(source, contract, parts.held_out))
        results = train_stage(parts, run, config=config, ledger=ledger, notify=notify)
        with ledger.stage("audit"):
            found = audit_seeds(run, parts, gated, results, config=config.audit)
        verdict, page = conclude(run, criteria, ledger=ledger, notify=notify)
        return RewardRun(folder=run.root, verdict=verdict, audit=found, seeds=results, report=page)


def describe(ledger: Ledger, base: BaseModel, *, seeds: Sequence[int]) -> None:
    ledger.write(base={"name": base.name, "fingerprint": base.fingerprint, "kind": base.kind}, seeds=list(seeds))


def train_stage(
    parts: Split, run: RunFolder, *, config: RewardConfig, ledger: Ledger, notify: Notify
) -> tuple[TrainResult, ...]:
    """One reward model per seed, each in its folder."""
    results = []
    for seed in config.train.seeds:
        with ledger.stage(f"train seed {seed}") as entry:
            result = train_reward(
                parts.train,
                parts.held_out,
                model=config.model,
                loss=config.loss,
                config=config.train,
                seed=seed,
                out=run.seed(seed),
            )
            entry.update(seconds=round(result.seconds, 1), tokens=result.tokens)
        accuracy = "unknown" if result.held_out_accuracy is None else f"{result.held_out_accuracy:.1%}"
        notify(f"seed {seed}     held-out accuracy {accuracy} on {result.held_out:,} pairs ({result.seconds:.0f} s)")
        results.append(result)
    return tuple(results)


def conclude(
    run: RunFolder, criteria: Sequence[Criterion] | None, *, ledger: Ledger, notify: Notify
) -> tuple[Verdict, Path]:
    """Gate and report: from the audit to the verdict and the page."""
    with ledger.stage("gate"):
        verdict = decide_run(run, criteria)
    notify(f"gate       {verdict.verdict}")
    ledger.write(status="done")
    page = render(run)
    model_card(run)
    return verdict, page
