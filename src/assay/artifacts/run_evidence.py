"""What a run folder proves: its JSON artifacts read once, each with its hash, refused where they do not fit together.

An artifact that is not there is None, and what that means is for the reader to say. One that is torn or of another
schema is an error, and so is a stale one: audit.json and gate.json name by hash the files they were made from, and
those must still be the files in the folder. Knows schemas and hashes; knows no finding, no criterion and no page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from assay.artifacts.files import read_json, sha256_file
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.run_json import AuditJson, GateJson, ModelJson, RunJson, TrainJson
from assay.errors import ArtifactError

RUN, AUDIT, GATE, CONTRACT, SPLIT = "run.json", "audit.json", "gate.json", "contract.json", "split.json"
TRAIN, MODEL = "train.json", "model/assay.json"
OF_THE_RUN = {RUN: "run/1", AUDIT: "audit/1", GATE: "gate/1", CONTRACT: "contract/1", SPLIT: "split/1"}
OF_A_SEED = {TRAIN: "train/1", MODEL: "model/1"}
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
    audit: AuditJson | None = None
    gate: GateJson | None = None
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

        def found(name: str, schema: str, *, where: str = "") -> Any:
            path = folder.path(where, name)
            if name not in names or (name not in needed and not path.exists()):
                return None
            value = read_json(path, schema)
            hashes[f"{where}/{name}" if where else name] = sha256_file(path)
            return value

        whole = {name: found(name, schema) for name, schema in OF_THE_RUN.items()}
        numbers = {int(seed) for name in (RUN, AUDIT) if whole[name] for seed in whole[name].get("seeds") or ()}
        seeds = {
            seed: SeedEvidence(
                train=found(TRAIN, OF_A_SEED[TRAIN], where=folder.seed(seed).name),
                model=found(MODEL, OF_A_SEED[MODEL], where=folder.seed(seed).name),
            )
            for seed in sorted(numbers)
        }
        for name, (how, remedy) in MADE_FROM.items():
            if whole[name] is not None:
                refuse_stale(folder, whole[name].get("inputs") or {}, how=how, remedy=remedy)
        return cls(
            run=whole[RUN],
            audit=whole[AUDIT],
            gate=whole[GATE],
            contract=whole[CONTRACT],
            split=whole[SPLIT],
            seeds=seeds,
            hashes=hashes,
        )


def refuse_stale(folder: RunFolder, inputs: Mapping[str, object], *, how: str, remedy: str) -> None:
    """The files of this folder that an artifact names by hash must still be those. Others are not ours to look at."""
    for name, digest in inputs.items():
        path: Path = folder.path(name)
        if path.is_file() and str(digest).startswith("sha256:") and sha256_file(path) != digest:
            raise ArtifactError(f"{path} is not the file that {how}. {remedy}")
