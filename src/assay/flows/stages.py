"""Stages of the reward flow that gather evidence: the contract, the length gate, known truth, the audit over seeds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_json, read_jsonl, sha256_file, sha256_json
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit, audit
from assay.audits.config import AuditConfig
from assay.data import PairSet, Split, read_pairs
from assay.data.config import DataConfig
from assay.data.rejects import write_rejects
from assay.errors import InputError
from assay.models.config import ModelConfig
from assay.models.resolve import BaseModel
from assay.records import NO_CATEGORY, REVIEW_REASONS, Pair, PairScore, Reject
from assay.render.encoder import Renderer
from assay.render.length_gate import length_gate
from assay.train import TrainResult

SIMULATOR = "assay simulate"  # how simulated pairs name their generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Pairs that keep the contract, what did not become one, and what was read."""

    pairs: Sequence[Pair]
    rejects: Sequence[Reject]
    rows: int
    report: Mapping[str, Any]
    inputs: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Pairs whose rendered rows fit, and the rendered tokens of their answers by pair id."""

    pairs: Sequence[Pair]
    summary: Mapping[str, Any]
    tokens: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def contract_stage(source: Any, run: RunFolder, *, config: DataConfig) -> Contract:
    """Read the data by the contract. Raises InputError if no pair is left."""
    start = time.monotonic()
    found: PairSet = read_pairs(source, config=config)
    contract = Contract(
        pairs=found.pairs,
        rejects=found.rejects,
        rows=found.rows,
        report=found.report,
        inputs=content_hashes(found),
        seconds=round(time.monotonic() - start, 2),
    )
    if not found.pairs:
        place = ""
        if not run.path("run.json").exists():  # the folder of another run keeps what is its own
            write_contract(contract, run, rejects=contract.rejects)
            place = f" See {run.path('rejects.jsonl')}."
        reasons = Counter(reject.reason for reject in found.rejects).most_common(3)
        told = ", ".join(f"{count} {reason}" for reason, count in reasons) or "there are no rows"
        raise InputError(f"{source}: no usable pair in {found.rows} rows ({told}).{place}")
    return contract


def content_hashes(found: PairSet) -> dict[str, str]:
    """Hashes of the files read; data in memory is named by the hash of its pairs."""
    inputs = dict(found.report["inputs"])
    return inputs or {"pairs": sha256_json([asdict(pair) for pair in found.pairs])}


def write_contract(contract: Contract, run: RunFolder, *, rejects: Sequence[Reject]) -> None:
    """contract.json, rejects.jsonl and review.jsonl of this run, with every row accounted for."""
    counts: Counter[str] = Counter(reject.reason for reject in rejects)
    body = {
        **contract.report,
        "kept": contract.rows - len(rejects),
        "rejected": len(rejects),
        "rejects": {reason: counts.get(reason, 0) for reason in contract.report["rejects"]},
        "for_review": sum(counts.get(reason, 0) for reason in REVIEW_REASONS),
        **by_category(contract, rejects[len(contract.rejects) :]),
    }
    run.write("contract.json", "contract/1", body)
    write_rejects(run.root, rejects)


def by_category(contract: Contract, gated: Sequence[Reject]) -> dict[str, Any]:
    """Kept and rejected rows of each category, once the length gate's rejects are moved from one to the other."""
    counts = {name: dict(count) for name, count in contract.report["by_category"].items()}
    for reject in gated:
        count = counts[reject.category or NO_CATEGORY]
        count["kept"] -= 1
        count["rejected"] += 1
    return {"by_category": counts, "categories": {name: count["kept"] for name, count in counts.items()}}


def gate_stage(contract: Contract, run: RunFolder, *, base: BaseModel, config: ModelConfig) -> Gated:
    """Drop pairs whose rendered rows are too long or cannot be rendered; all counts go to contract.json."""
    renderer = Renderer.from_pretrained(base.path)
    gate = length_gate(contract.pairs, renderer, config.max_tokens)
    write_contract(contract, run, rejects=[*contract.rejects, *gate.rejects])
    if not gate.pairs:
        raise InputError(
            f"No pair fits into {config.max_tokens} tokens as {base.name} renders it. Raise --max-tokens, "
            f"or look into {run.path('rejects.jsonl')}."
        )
    summary = {"kept": len(gate.pairs), "dropped": len(gate.rejects), "max_tokens": config.max_tokens, **gate.counts}
    return Gated(pairs=gate.pairs, summary=summary, tokens=gate.tokens)


def known_truth(source: Any, contract: Contract, held_out: Sequence[Pair]) -> dict[str, Any]:
    """What run.json says of the data; for simulated data also what the oracle reaches on the held-out pairs."""
    simulated = any(str(pair.source.get("generator", "")).startswith(SIMULATOR) for pair in held_out)
    body: dict[str, Any] = {
        "path": str(source) if isinstance(source, (str, Path)) else "in memory",
        "sha256": next(iter(contract.inputs.values())) if len(contract.inputs) == 1 else sha256_json(contract.inputs),
        "rows": contract.rows,
        "simulated": simulated,
        "oracle": None,
    }
    beside = Path(f"{source}.truth.json") if isinstance(source, (str, Path)) else None
    if simulated and beside is not None and beside.exists():
        body["oracle"] = oracle(read_json(beside, "simulation/1")["rows"], held_out)
    return body


def oracle(truth: Mapping[str, Any], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Accuracy of the sign of the true utility difference against the labels: the best any model can be right."""
    right: dict[str, list[bool]] = {}
    for pair in pairs:
        if pair.id in truth and pair.label == "chosen":
            chosen, rejected = truth[pair.id]["utility"]
            right.setdefault(pair.category or NO_CATEGORY, []).append(chosen > rejected)
    flat = [hit for hits in right.values() for hit in hits]
    return {
        "overall": sum(flat) / len(flat) if flat else None,
        "n": len(flat),
        "by_category": {name: sum(hits) / len(hits) for name, hits in sorted(right.items())},
    }


def audit_seeds(
    run: RunFolder, parts: Split, gated: Gated, results: Sequence[TrainResult], *, config: AuditConfig
) -> Audit:
    """Audit all seeds' held-out scores together and write audit.json."""
    pairs = [pair for pair in parts.held_out if pair.label == "chosen"]
    definite = {pair.id for pair in pairs}
    scores = {result.seed: [s for s in read_scores(result.scores_path) if s.pair_id in definite] for result in results}
    inputs = {str(r.scores_path.relative_to(run.root)): sha256_file(r.scores_path) for r in results}
    inputs["split.json"] = sha256_file(run.path("split.json"))
    groups = dict(zip((pair.id for pair in parts.held_out), parts.held_out_groups, strict=True))
    found = audit(
        scores,
        pairs,
        groups=[groups[pair.id] for pair in pairs],
        config=config,
        tokens=gated.tokens,
        inputs=inputs,
    )
    found.write(run)
    return found


def read_scores(path: Path) -> list[PairScore]:
    return [
        PairScore(pair_id=row["pair_id"], chosen=row["chosen"], rejected=row["rejected"]) for row in read_jsonl(path)
    ]
