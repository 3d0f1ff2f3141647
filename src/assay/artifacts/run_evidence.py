"""What a run folder proves: its JSON artifacts read once, typed, each with its hash, refused where they do not fit.

An artifact that is not there is None, and what that means is for the reader to say. One that is torn or of another
schema is an error, and so is a stale one: audit.json and gate.json name by hash the files they were made from, and
those must still be the files in the folder. Knows schemas and hashes; knows no finding, no criterion and no page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.body import Body
from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import sha256_file
from assay.artifacts.gate_body import GateBody
from assay.artifacts.model_body import ModelBody
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.split_body import SplitBody
from assay.artifacts.train_body import TrainBody

RUN, AUDIT, GATE, CONTRACT, SPLIT = "run.json", "audit.json", "gate.json", "contract.json", "split.json"
TRAIN, MODEL = "train.json", "model/assay.json"
OF_THE_RUN = (RUN, AUDIT, GATE, CONTRACT, SPLIT)
OF_A_SEED = (TRAIN, MODEL)
_REWARD = "Run the same `assay reward` or `assay dpo` command again"
# How an artifact that another version wrote is made anew.
AGAIN: Mapping[str, str] = {
    RUN: f"{_REWARD}, with another --out.",
    GATE: "Decide again with `assay gate {folder}`.",
    **dict.fromkeys((AUDIT, CONTRACT, SPLIT), f"{_REWARD}: finished seeds are not trained anew."),
    **dict.fromkeys(OF_A_SEED, "Delete {seed}, then run the same `assay reward` or `assay dpo` command again."),
}
_Some = TypeVar("_Some", bound=Body)
# Artifacts that name the files they were made from: how, and what makes them anew.
MADE_FROM = {
    AUDIT: ("audit.json was made from", "Run the audit again."),
    GATE: ("gate.json was decided on", "Run the gate again."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedEvidence:
    """What one seed's folder says; None where the file is missing or was not asked for."""

    train: TrainBody | None = None
    model: ModelBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """The artifacts of one run as they stand. seeds: those that run.json or audit.json name. hashes: by path inside."""

    run: RunBody | None = None
    audit: AuditBody | None = None
    gate: GateBody | None = None
    contract: ContractBody | None = None
    split: SplitBody | None = None
    seeds: Mapping[int, SeedEvidence]
    hashes: Mapping[str, str]

    @classmethod
    def read(
        cls, folder: RunFolder, *, names: Collection[str] = (*OF_THE_RUN, *OF_A_SEED), needed: Collection[str] = ()
    ) -> Self:
        """Read the artifacts called `names`, those of a seed for every seed.

        Raises ArtifactError if one of `needed` is missing, or any is torn, stale or of another version.
        """
        hashes: dict[str, str] = {}

        def found(name: str, form: type[_Some], *, where: str = "") -> _Some | None:
            path = folder.path(where, name)
            if name not in names or (name not in needed and not path.exists()):
                return None
            value = form.read(path, again=AGAIN[name].format(folder=folder.root, seed=folder.path(where)))
            hashes[f"{where}/{name}" if where else name] = sha256_file(path)
            return value

        run, audit, gate = found(RUN, RunBody), found(AUDIT, AuditBody), found(GATE, GateBody)
        contract, split = found(CONTRACT, ContractBody), found(SPLIT, SplitBody)
        # The gate reads no run.json: then the audit says which seeds there are.
        numbers = {*(run.seeds if run is not None else ()), *(audit.seeds if audit is not None else ())}
        seeds = {
            seed: SeedEvidence(
                train=found(TRAIN, TrainBody, where=folder.seed(seed).name),
                model=found(MODEL, ModelBody, where=folder.seed(seed).name),
            )
            for seed in sorted(numbers)
        }
        for name, made in ((AUDIT, audit), (GATE, gate)):
            if made is not None:
                how, again = MADE_FROM[name]
                folder.refuse_stale(made.inputs, made=how, again=again)
        return cls(run=run, audit=audit, gate=gate, contract=contract, split=split, seeds=seeds, hashes=hashes)
