"""A run folder with a real tiny reward model under a gate that passed, failed, or was left undecided; nothing trained.

The evidence is made_run's; the model is one of random weights, named by hash in train.json as a finished seed names it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.files import sha256_file
from assay.gate import decide_run
from assay.train.result import hashes
from tests.support import saved_models
from tests.support.made_run import make_run, train_body

PASSES, FAILS = "overall accuracy > 0.2", "overall accuracy > 0.99"


def gated_run(root: Path, *, criterion: str = PASSES, seeds: int = 1) -> Path:
    """The folder of the run, under `root`."""
    run = make_run(root / "run", pairs=40, seeds=seeds).root
    model = saved_models.reward_model(root)
    for seed in range(seeds):
        place = run / f"seed-{seed}"
        shutil.copytree(model, place / "model")
        body = train_body(seed).model_copy(update={"files": hashes(place, "model", "scores.jsonl")})
        body.write(place / "train.json")
    inputs = {f"seed-{seed}/scores.jsonl": sha256_file(run / f"seed-{seed}" / "scores.jsonl") for seed in range(seeds)}
    inputs["split.json"] = sha256_file(run / "split.json")
    AuditBody.read(run / "audit.json").model_copy(update={"inputs": inputs}).write(run / "audit.json")
    decide(run, criterion)
    return run


def decide(run: Path, criterion: str) -> None:
    criteria = run.parent / "criteria.yaml"
    criteria.write_text(f"by: point\ncriteria:\n  - {criterion}\n")
    decide_run(run, criteria)
