"""What a run folder proves: its JSON artifacts read once, each with its hash, refused where they do not fit together.

An artifact that is not there is None, and what that means is for the reader to say. One that is torn or of another
schema is an error, and so is a stale one: audit.json and gate.json name by hash the files they were made from, and
those must still be the files in the folder. Knows schemas and hashes; knows no finding, no criterion and no page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.body import Body
from assay.artifacts.files import read_json, sha256_file
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.run_json import ModelJson, RunJson, TrainJson

RUN, AUDIT, GATE, CONTRACT, SPLIT = "run.json", "audit.json", "gate.json", "contract.json", "split.json"
TRAIN, MODEL = "train.json", "model/assay.json"
# How each is read: through its typed body, or, where none is written yet, as JSON of this schema.
OF_THE_RUN: Mapping[str, type[Body] | str] = {
    RUN: "run/1",
    AUDIT: AuditBody,
    GATE: GateBody,
    CONTRACT: "contract/1",
    SPLIT: "split/1",
}
OF_A_SEED: Mapping[str, str] = {TRAIN: "train/1", MODEL: "model/1"}
# Artifacts that name the files they were made from: how, and what makes them anew.
MADE_FROM = {
    AUDIT: ("audit.json was made from", "Run the audit again."),
    GATE: ("gate.json was decided on", "Run the gate again."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedEvidence:
    """What one seed's folder says; None where the file is missing or was not asked for."""

    train: TrainJson | None = None
    model: ModelJson | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """The artifacts of one run as they stand. seeds: those that run.json or audit.json name. hashes: by path inside."""

    run: RunJson | None = None
    audit: AuditBody | None = None
    gate: GateBody | None = None
    contract: Mapping[str, object] | None = None
    split: Mapping[str, object] | None = None
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

        def found(name: str, form: type[Body] | str, *, where: str = "") -> Any:
            path = folder.path(where, name)
            if name not in names or (name not in needed and not path.exists()):
                return None
            value = read_json(path, form) if isinstance(form, str) else form.read(path)
            hashes[f"{where}/{name}" if where else name] = sha256_file(path)
            return value

        whole = {name: found(name, form) for name, form in OF_THE_RUN.items()}
        run, audit = whole[RUN] or {}, whole[AUDIT]
        numbers = {int(seed) for seed in (*(run.get("seeds") or ()), *(audit.seeds if audit is not None else ()))}
        seeds = {
            seed: SeedEvidence(
                train=found(TRAIN, OF_A_SEED[TRAIN], where=folder.seed(seed).name),
                model=found(MODEL, OF_A_SEED[MODEL], where=folder.seed(seed).name),
            )
            for seed in sorted(numbers)
        }
        for name, (made, again) in MADE_FROM.items():
            if whole[name] is not None:
                folder.refuse_stale(whole[name].inputs, made=made, again=again)
        return cls(
            run=whole[RUN],
            audit=whole[AUDIT],
            gate=whole[GATE],
            contract=whole[CONTRACT],
            split=whole[SPLIT],
            seeds=seeds,
            hashes=hashes,
        )
