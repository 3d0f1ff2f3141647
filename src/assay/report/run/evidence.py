"""What a run folder proves, read once. Knows the artifacts and their schemas; knows no page.

run.json, audit.json and gate.json must be there: a report without a verdict is no report. Everything else is optional,
and what is missing is kept in `missing`, so that the page can say so. An artifact of another schema is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.artifacts.files import read_json, read_jsonl, sha256_file
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.findings.finding import Finding
from assay.report import words
from assay.scorers.recorded import read_scored_pairs

REQUIRED = {"run.json": "run/1", "audit.json": "audit/1", "gate.json": "gate/1"}
OPTIONAL = {
    "contract.json": ("contract/1", "what was read, kept and rejected"),
    "split.json": ("split/1", "how the pairs were split, and the proof that no prompt is on both sides"),
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
    train: Mapping[str, Any] | None
    metrics: Sequence[Mapping[str, Any]]
    scores: Sequence[tuple[float, float]]  # rewards of (chosen, rejected), one per held-out pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All artifacts of one run."""

    run: Mapping[str, Any]
    audit: Mapping[str, Any]
    gate: Mapping[str, Any]
    contract: Mapping[str, Any] | None
    split: Mapping[str, Any] | None
    seeds: tuple[SeedFiles, ...]
    findings: tuple[Finding, ...]
    missing: tuple[Missing, ...]
    hashes: Mapping[str, str]
    model: Mapping[str, Any] | None  # assay.json of the first seed that holds a model

    def find(self, name: str, where: str = "overall", seed: int | None = None) -> Finding | None:
        return next((f for f in self.findings if (f.name, f.slice, f.seed) == (name, where, seed)), None)

    def head(self, name: str, where: str = "overall") -> Finding:
        """The finding over seeds, or of the first seed; one that says it was not measured if there is none."""
        for found in self.findings:
            if (found.name, found.slice, found.seed) == (name, where, None):
                return found
        for found in self.findings:
            if (found.name, found.slice) == (name, where):
                return found
        return absent(name, where, f"this audit did not measure {words.spaced(name)}")

    def per_seed(self, name: str, where: str = "overall") -> list[Finding]:
        return sorted(
            (f for f in self.findings if (f.name, f.slice) == (name, where) and f.seed is not None),
            key=lambda f: f.seed or 0,
        )

    def categories(self) -> list[str]:
        """Categories with an accuracy finding, in the order of the audit."""
        names = [
            f.slice.removeprefix("category=")
            for f in self.findings
            if f.name == "accuracy" and f.slice.startswith("category=")
        ]
        return list(dict.fromkeys(names))

    def table(self, name: str) -> Any:
        return (self.audit.get("tables") or {}).get(name)

    @property
    def simulated(self) -> bool:
        return bool((self.run.get("data") or {}).get("simulated"))

    def oracle(self, category: str | None = None) -> float | None:
        """Best reachable accuracy of simulated data; None where it is not known."""
        truth = (self.run.get("data") or {}).get("oracle") or {}
        value = truth.get("overall") if category is None else (truth.get("by_category") or {}).get(category)
        return float(value) if value is not None and words.known(value) else None


def absent(name: str, where: str, reason: str) -> Finding:
    """A finding nobody made: unknown, for this reason."""
    return Finding(name=name, slice=where, value=None, unit="", n=0, why="", reason=reason)


def read_evidence(run: RunFolder) -> Evidence:
    """Read a run folder.

    Raises ArtifactError if a required artifact is missing, or any is torn, stale or of another version.
    """
    hashes: dict[str, str] = {}
    missing: list[Missing] = []
    required = {name: read_json(run.path(name), schema) for name, schema in REQUIRED.items()}
    optional: dict[str, Mapping[str, Any] | None] = {}
    for name, (schema, what) in OPTIONAL.items():
        optional[name] = read_json(run.path(name), schema) if run.path(name).exists() else None
        if optional[name] is None:
            missing.append(Missing(artifact=name, what=what))
    for name in (*REQUIRED, *OPTIONAL):
        if run.path(name).exists():
            hashes[name] = sha256_file(run.path(name))
    seeds = tuple(read_seed(run, int(seed), missing) for seed in required["run.json"].get("seeds") or [])
    refuse_stale(run, required["gate.json"])
    return Evidence(
        run=required["run.json"],
        audit=required["audit.json"],
        gate=required["gate.json"],
        contract=optional["contract.json"],
        split=optional["split.json"],
        seeds=seeds,
        findings=tuple(Finding.from_dict(row) for row in required["audit.json"].get("findings") or []),
        missing=tuple(missing),
        hashes=hashes,
        model=next((found for one in seeds if (found := read_model(run, one.seed))), None),
    )


def read_model(run: RunFolder, seed: int) -> dict[str, Any] | None:
    """What the saved model says of itself: its kind, and how its rows were rendered; None without a model."""
    path = run.seed(seed) / "model" / "assay.json"
    return read_json(path, "model/1") if path.exists() else None


def refuse_stale(run: RunFolder, gate: Mapping[str, Any]) -> None:
    """The files the gate decided on must still be those in the folder, or the verdict is of another run."""
    for name, digest in (gate.get("inputs") or {}).items():
        path = run.path(name)
        if path.is_file() and str(digest).startswith("sha256:") and sha256_file(path) != digest:
            raise ArtifactError(f"{path} is not the file that gate.json was decided on. Run the gate again.")


def read_seed(run: RunFolder, seed: int, missing: list[Missing]) -> SeedFiles:
    folder = run.seed(seed)
    files = {
        "train.json": "how this seed was trained and its self-checks",
        "metrics.jsonl": "this seed's training curves",
        "scores.jsonl": "this seed's rewards, pair by pair",
    }
    there = {name: (folder / name).exists() for name in files}
    missing += [Missing(artifact=f"seed-{seed}/{name}", what=files[name]) for name in files if not there[name]]
    scores = read_scored_pairs(folder / "scores.jsonl") if there["scores.jsonl"] else ()
    return SeedFiles(
        seed=seed,
        train=read_json(folder / "train.json", "train/1") if there["train.json"] else None,
        metrics=list(read_jsonl(folder / "metrics.jsonl")) if there["metrics.jsonl"] else [],
        scores=[(one.numbers.chosen, one.numbers.rejected) for one in scores if one.missing is None],
    )
