"""Whether a run's gate passed the very model at hand: the chain from gate.json to the model's bytes, followed once.

gate.json names the audit it decided on, the audit the scores it is of, and the seed's train.json those scores beside
the model's files. Each must still be what it was, so that a model changed after its verdict has none. Knows hashes;
loads no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_file, sha256_json
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_evidence import AUDIT, GATE, RUN, TRAIN, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError, AssayError

# What a model card's reader may add to a model's folder without changing a reward.
WORDS_ONLY = frozenset({"README.md", "LICENSE", "LICENSE.txt", "NOTICE", ".gitattributes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStanding:
    """What is known of a model's gate. word: "unknown" where none decided on this model; sentence: why, for people.

    weights: hash of the files that were decided on, by which whoever loaded them knows them again; None of an unknown.
    """

    word: Literal["pass", "fail", "undecided", "unknown"]
    sentence: str
    weights: str | None = None

    @property
    def passed(self) -> bool:
        return self.word == "pass"


def gate_standing(run: Path, seed: int) -> GateStanding:
    """What the gate of the run folder `run` says of the model of `seed`, as its files stand now."""
    if not (run / GATE).is_file():
        return GateStanding(
            word="unknown",
            sentence=f"no gate has decided on it: {run / GATE} is missing. Decide with `assay gate {run}`.",
        )
    try:
        gate, weights = _held(run, seed)
    except AssayError as error:
        return GateStanding(word="unknown", sentence=f"its gate does not hold any more: {error}")
    said = {
        "pass": f"the gate of {run} passed it",
        "fail": f"the gate of {run} failed it",
        "undecided": f"the gate of {run} left it undecided",
    }[gate.verdict]
    open_ones = [one for one in gate.criteria if one.verdict != "pass"]
    first = next((one for one in open_ones if one.verdict == "fail"), open_ones[0] if open_ones else None)
    why = "." if first is None else f": {first.text}: {first.reason.rstrip('.')}."
    return GateStanding(word=gate.verdict, sentence=said + why, weights=weights)


def _held(run: Path, seed: int) -> tuple[GateBody, str]:
    """gate.json and the hash of the model's files, once all between them fits. Raises ArtifactError that names what
    does not."""
    found = RunEvidence.read(RunFolder(run), names=(RUN, AUDIT, GATE, TRAIN), needed=(AUDIT, GATE))
    assert found.gate is not None
    assert found.audit is not None
    if AUDIT not in found.gate.inputs:
        raise ArtifactError(f"{run / GATE} was decided on another thing than an audit. Decide with `assay gate {run}`.")
    place = run / f"seed-{seed}"
    body = found.seeds[seed].train if seed in found.seeds else None
    scores = found.audit.inputs.get(f"seed-{seed}/scores.jsonl")
    if body is None or scores is None:
        raise ArtifactError(f"{run / AUDIT} is not of seed {seed}. Run the audit again.")
    if body.files.get("scores.jsonl") != scores:
        raise ArtifactError(f"{run / AUDIT} is of other scores than those {place} was trained to. Run the audit again.")
    files = {name: digest for name, digest in body.files.items() if name.startswith("model/")}
    _same_model(place, files)
    return found.gate, sha256_json(files)


def _same_model(place: Path, files: dict[str, str]) -> None:
    """Raises ArtifactError where a file of the model differs, is missing, or was put beside them since."""
    if not files:
        raise ArtifactError(f"{place / TRAIN} names no file of its model.")
    for name, digest in files.items():
        path = place / name
        if not path.is_file() or sha256_file(path) != digest:
            raise ArtifactError(f"{path} is not the file that was audited. Train the seed again, or put it back.")
    there = {
        path.relative_to(place).as_posix()
        for path in (place / "model").rglob("*")
        if path.is_file() and path.name not in WORDS_ONLY
    }
    # An adapter or a template put beside a model is read with it, and gives other rewards than those that were audited.
    if added := sorted(there - files.keys()):
        raise ArtifactError(f"{place / added[0]} was put beside the model after it was audited. Take it away.")
