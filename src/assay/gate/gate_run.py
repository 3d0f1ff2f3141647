"""The gate over a folder: reads the evidence, decides by criteria, counts the look, writes gate.json.

The folder is a run's, or one of `assay optimise`, whose evidence is pressure.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay.artifacts.files import sha256_json
from assay.artifacts.pressure_body import PRESSURE, holds_pressure
from assay.artifacts.run_evidence import AUDIT
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.findings.slice import OVERALL
from assay.gate.criteria import Criteria, Criterion, criteria_hash, load_criteria
from assay.gate.evidence import Evidence, read_evidence
from assay.gate.evidence_beside import decide_beside, read_beside
from assay.gate.look_ledger import LEDGER, held
from assay.gate.looks import LookPlan
from assay.gate.pressure_gate import default_pressure_criteria, read_with_pressure, refuse_other_criteria
from assay.gate.verdict import ARTIFACT, Verdict


def decide_run(
    run: RunFolder | Path | str,
    criteria: Path | str | Sequence[Criterion] | None = None,
    *,
    looks: LookPlan | None = None,
    beside: Sequence[Path] = (),
) -> Verdict:
    """Decide the evidence of a run, or of a folder of `assay optimise`, and write gate.json.

    criteria: a YAML file, a built-in set's name, or criteria already read; None: the built-in set that fits the data.
    looks: how many looks at such evidence are planned, over what the criteria say. Every look is counted in the plan's
    ledger, without one in looks.jsonl of the run; the same evidence under the same criteria is the same look.
    beside: folders of other commands whose figures criteria ask for (`assay fresh`, `assay optimise`).
    Raises GateError if the criteria or a folder beside cannot be read, or criteria ask a reward under pressure for what
    only a run has; ArtifactError if the evidence is missing, torn or stale. An earlier gate.json is taken away first,
    so that no old verdict outlives a failed attempt.
    """
    if not isinstance(run, RunFolder):
        if not Path(run).is_dir():
            raise ArtifactError(
                f"{run} is not a run folder. Give the folder that holds audit.json, or pressure.json of "
                "`assay optimise`."
            )
        run = RunFolder(run)
    run.path(ARTIFACT).unlink(missing_ok=True)
    # Criteria are read before the evidence, so that a typing error is told first.
    asked = load_criteria(criteria) if isinstance(criteria, str | Path) else criteria
    if holds_pressure(run.root):
        asked = asked if asked is not None else default_pressure_criteria()
        refuse_other_criteria(asked, run.root)
        evidence, others = read_with_pressure(run.root, beside)
        subject = evidence.inputs[PRESSURE]
    else:
        others = read_beside(beside)
        evidence = read_evidence(run)
        subject = evidence.inputs[AUDIT]
        if asked is None:
            # Only now, since which set fits is read off the evidence.
            asked = load_criteria(default_criteria(evidence))
    evidence = replace(evidence, inputs={**evidence.inputs, "criteria": criteria_hash(asked)})
    verdict = looked(run, evidence, others, asked, looks=looks, subject=subject)
    verdict.to_body().write(run.path(ARTIFACT))
    return verdict


def looked(
    run: RunFolder,
    evidence: Evidence,
    others: Mapping[str, Evidence],
    asked: Sequence[Criterion],
    *,
    looks: LookPlan | None,
    subject: str,
) -> Verdict:
    """The verdict, put down as a look. subject: hash of the artifact that is looked at, which its criteria and what
    stands beside it make one look."""
    plan = looks or (asked.looks if isinstance(asked, Criteria) else None)
    ledger = plan.ledger if plan is not None and plan.ledger is not None else run.path(LEDGER)
    hashes = [value for name in sorted(others) for value in others[name].inputs.values()]
    key = sha256_json([subject, evidence.inputs["criteria"], *hashes])
    with held(ledger) as counted:
        look = counted.next(key, plan)
        verdict = decide_beside(replace(evidence, look=look), others, asked)
        # Before gate.json: a verdict that can be read is a look that was counted.
        counted.record(key, look, verdict.verdict, run=str(run.root))
    return verdict


def default_criteria(evidence: Evidence) -> str:
    """The built-in set for a tuned policy, for data with categories, or for data without.

    Asked of the data as well: figures have no category either where every one of them was lost on the way.
    """
    if evidence.figures.find("chosen_change") is not None:  # only a policy has changed from a reference
        return "dpo-held-out"
    measured = any(finding.slice != OVERALL for finding in evidence.figures.findings)
    stated = evidence.rests_on is not None and bool(evidence.rests_on.categories)
    return "support" if measured or stated else "overall"
