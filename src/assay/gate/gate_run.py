"""The gate over a run folder. Knows where evidence lies and where the verdict goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.artifacts.files import sha256_json
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.gate.criteria import load_criteria
from assay.gate.evidence import Evidence, read_evidence
from assay.gate.rules import Verdict, decide

SCHEMA = "gate/1"
ARTIFACT = "gate.json"


def decide_run(run: RunFolder | Path | str, criteria: Path | str | None = None) -> Verdict:
    """Decide a run's evidence by a criteria file (None: the built-in set that fits the data) and write gate.json.

    Raises GateError if the criteria cannot be read, ArtifactError if the evidence is missing, torn or stale; an earlier
    gate.json is taken away first, so that no old verdict outlives a failed attempt.
    """
    if not isinstance(run, RunFolder):
        if not Path(run).is_dir():
            raise ArtifactError(f"{run} is not a run folder. Give the folder that holds audit.json.")
        run = RunFolder(run)
    run.path(ARTIFACT).unlink(missing_ok=True)
    if criteria is not None:
        load_criteria(criteria)  # bad criteria are told before bad evidence
    evidence = read_evidence(run)
    conditions = load_criteria(criteria if criteria is not None else default_criteria(evidence))
    digest = sha256_json([[c.text, c.by] for c in conditions])
    verdict = decide(replace(evidence, inputs={**evidence.inputs, "criteria": digest}), conditions)
    run.write(ARTIFACT, SCHEMA, verdict.to_dict())
    return verdict


def default_criteria(evidence: Evidence) -> str:
    """The built-in set for pairs with categories, or the one for pairs without."""
    return "support" if any(finding.slice != "overall" for finding in evidence.figures.findings) else "overall"
