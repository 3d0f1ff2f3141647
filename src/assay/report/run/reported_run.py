"""What a report says of a run: its evidence, its findings by name and slice, rewards and training curves of each seed.

run.json, audit.json and gate.json must be there: a report without a verdict is no report. Everything else is optional,
and what is missing is kept in `missing`, so that the page can say so. Knows the artifacts; knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.artifacts.audit_body import AuditTables
from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import read_jsonl
from assay.artifacts.gate_body import GateBody
from assay.artifacts.model_body import ModelBody
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import AUDIT, CONTRACT, GATE, RUN, SPLIT, RunEvidence, SeedEvidence
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.split_body import SplitBody
from assay.artifacts.train_body import TrainBody
from assay.artifacts.trials_body import TrialsBody
from assay.audits import Audit
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.stats.unknown import Unknown
from assay.train.dpo.config import DpoRunConfig
from assay.train.recorded_config import recorded_config

TRIALS = "trials.json"
SAYS = {
    CONTRACT: "what was read, kept and rejected",
    SPLIT: "how the pairs were split, and the proof that no prompt is on both sides",
}
SEED_SAYS = {
    "train.json": "how this seed was trained and its self-checks",
    "metrics.jsonl": "this seed's training curves",
    "scores.jsonl": "this seed's rewards, pair by pair",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An artifact that is not in the run folder, and what the page cannot say without it."""

    artifact: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedFiles:
    """What one seed's folder holds; None where the file is missing."""

    seed: int
    train: TrainBody | None
    metrics: Sequence[Mapping[str, object]]
    scores: Sequence[tuple[float, float]]  # rewards of (chosen, rejected), one per held-out pair


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRun:
    """All that stands in one run's folder, as its pages read it."""

    run: RunBody
    tables: AuditTables
    gate: GateBody
    contract: ContractBody | None
    split: SplitBody | None
    seeds: tuple[SeedFiles, ...]
    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    hashes: Mapping[str, str]
    model: ModelBody | None  # of the first seed that holds a model
    trials: TrialsBody | None = None

    def find(self, name: str, where: Slice = OVERALL, seed: int | None = None) -> Finding | None:
        return next((f for f in self.findings if (f.name, f.slice, f.seed) == (name, where, seed)), None)

    def head(self, name: str, where: Slice = OVERALL) -> Finding:
        """The finding over seeds, or of the first seed; one that says it was not measured if there is none."""
        for found in self.findings:
            if (found.name, found.slice, found.seed) == (name, where, None):
                return found
        for found in self.findings:
            if (found.name, found.slice) == (name, where):
                return found
        return absent(name, where, f"this audit did not measure {words.spaced(name)}")

    def per_seed(self, name: str, where: Slice = OVERALL) -> list[Finding]:
        return sorted(
            (f for f in self.findings if (f.name, f.slice) == (name, where) and f.seed is not None),
            key=lambda f: f.seed or 0,
        )

    def categories(self) -> list[str]:
        """Categories with an accuracy finding, in the order of the audit."""
        slices = [f.slice for f in self.findings if f.name == "accuracy" and f.slice.part == "category"]
        return list(dict.fromkeys(where.label for where in slices))

    @property
    def base(self) -> str | None:
        """The base model as its user named it; None in a run that stopped before it was opened."""
        return self.run.base.name if self.run.base else None

    @property
    def source(self) -> str | None:
        """Where the pairs came from; None in a run that stopped before they were counted."""
        return self.run.data.path if self.run.data else None

    @property
    def policy(self) -> DpoRunConfig | None:
        """The options of a run that tuned a policy; None of one that trained a reward model."""
        config = recorded_config(self.run.config)
        return config if isinstance(config, DpoRunConfig) else None

    @property
    def judged(self) -> str:
        """What the figures are of."""
        return "The reward model" if self.policy is None else "The reward that the policy implies"

    @property
    def simulated(self) -> bool:
        return self.run.data is not None and self.run.data.simulated

    def oracle(self, name: str | None = None) -> float | None:
        """Best reachable accuracy of simulated data, of a category by name; None where it is not known."""
        truth = self.run.data.oracle if self.run.data else None
        if truth is None:
            return None
        return truth.overall if name is None else truth.by_category.get(name)


def absent(name: str, where: Slice, reason: str) -> Finding:
    """A finding nobody made: unknown, for this reason."""
    return Finding(name=name, slice=where, value=Unknown(reason), unit="", n=0, why="")


def read_reported_run(folder: RunFolder) -> ReportedRun:
    """Read a run folder.

    Raises ArtifactError if a required artifact is missing, or any is torn, stale or of another version.
    """
    there = RunEvidence.read(folder, needed=(RUN, AUDIT, GATE))
    assert there.run is not None
    assert there.audit is not None
    assert there.gate is not None
    run, audit = there.run, Audit.from_body(there.audit)
    stated = {CONTRACT: there.contract, SPLIT: there.split}
    missing = [Missing(artifact=name, what=what) for name, what in SAYS.items() if stated[name] is None]
    seeds = tuple(read_seed(folder, seed, there.seeds[seed], missing) for seed in run.seeds)
    models = (there.seeds[one.seed].model for one in seeds)
    return ReportedRun(
        run=run,
        tables=audit.tables,
        gate=there.gate,
        contract=there.contract,
        split=there.split,
        seeds=seeds,
        findings=audit.findings,
        missing=tuple(missing),
        hashes={name: digest for name, digest in there.hashes.items() if "/" not in name},
        model=next((model for model in models if model is not None), None),
        trials=TrialsBody.read(folder.path(TRIALS)) if folder.path(TRIALS).exists() else None,
    )


def read_seed(folder: RunFolder, seed: int, there: SeedEvidence, missing: list[Missing]) -> SeedFiles:
    """What is in a seed's folder; what is not is put into `missing`."""
    paths = {name: folder.seed(seed) / name for name in SEED_SAYS}
    gone = [name for name, path in paths.items() if not path.exists()]
    missing += [Missing(artifact=f"seed-{seed}/{name}", what=SEED_SAYS[name]) for name in gone]
    rows = read_jsonl(paths["scores.jsonl"]) if "scores.jsonl" not in gone else ()
    pairs = ((row.get("chosen"), row.get("rejected")) for row in rows)
    return SeedFiles(
        seed=seed,
        train=there.train,
        metrics=list(read_jsonl(paths["metrics.jsonl"])) if "metrics.jsonl" not in gone else [],
        scores=[(good, bad) for good, bad in pairs if words.known(good) and words.known(bad)],
    )
