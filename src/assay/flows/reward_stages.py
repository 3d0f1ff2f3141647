"""Stages of the reward flow that gather evidence: base, contract, length gate, known truth, the audit over seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay import audits
from assay.artifacts.contract_body import ContractBody, TokenLimit
from assay.artifacts.files import read_json, sha256_file, sha256_json
from assay.artifacts.run_body import LengthGateBody, OracleBody, RunData
from assay.artifacts.run_folder import RunFolder
from assay.audits.config import AuditConfig
from assay.audits.part import Evidence
from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.data.contract_report import with_rejects, write_contract
from assay.data.intake import groups_of, no_pair
from assay.errors import InputError
from assay.flows.audit_candidates import candidates_of
from assay.flows.held_out_groups import held_out_groups
from assay.flows.rescoring import rescored
from assay.models.config import ModelConfig
from assay.models.local_model import LocalModel
from assay.models.resolve import resolve
from assay.records import NO_CATEGORY, Pair, Reject
from assay.render.encoder import Renderer
from assay.render.length_gate import LengthGate, RenderedPairs, length_gate
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.recorded import read_scored_pairs

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.audits.scored_group import ScoredGroup
    from assay.data.grouped_split import Split
    from assay.train import TrainResult
    from assay.train.reward_config import RewardConfig

SIMULATOR = "assay simulate"  # how simulated pairs name their generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Pairs that keep the contract and the prompt group of each, what did not become one, and what was read.

    found: all of it as it was read, whole groups of candidates among them.
    """

    found: PairSet
    pairs: Sequence[Pair]
    groups: Sequence[str]
    rejects: Sequence[Reject]
    rows: int
    report: ContractBody
    inputs: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """Pairs whose rendered rows fit, the prompt group of each, these rows, and the rendered tokens of their answers."""

    pairs: Sequence[Pair]
    groups: Sequence[str]
    rendered: RenderedPairs
    summary: LengthGateBody
    tokens: Mapping[str, tuple[int, int]]


def base_stage(config: ModelConfig) -> tuple[LocalModel, int | None]:
    """The base, and the longest row it has positions for. Raises ModelError or ConfigError if it cannot be trained."""
    base = resolve(config.base, config.revision)
    from assay.rewards.new_model import check_base  # not above: a base that is not there is refused without torch

    return base, check_base(base, config)


def contract_stage(source: object, run: RunFolder, *, config: DataConfig) -> Contract:
    """Read the data by the contract. Raises InputError if no pair is left."""
    start = time.monotonic()
    found: PairSet = read_pairs(source, config=config)
    contract = Contract(
        found=found,
        pairs=found.pairs,
        groups=found.groups,
        rejects=found.rejects,
        rows=found.rows,
        report=found.report,
        inputs=content_hashes(found),
        seconds=round(time.monotonic() - start, 2),
    )
    if not found.pairs:
        place = ""
        if not run.path("run.json").exists():  # the folder of another run keeps what is its own
            write_contract(run.root, contract.report, contract.rejects)
            place = f" See {run.path('rejects.jsonl')}."
        raise InputError(no_pair(source, found.rows, found.report.rejects) + place)
    return contract


def content_hashes(found: PairSet) -> dict[str, str]:
    """Hashes of the files read; data in memory is named by the hash of its pairs."""
    return dict(found.report.inputs) or {"pairs": sha256_json([hashed(pair) for pair in found.pairs])}


def hashed(pair: Pair) -> dict[str, Any]:
    """A pair as it is hashed; a weight that says nothing is left out, as when pairs had none."""
    fields = asdict(pair)
    # So that the hash of data in memory, and with it what a run depends on, stays what it was before pairs had weights.
    if pair.weight == 1.0:
        del fields["weight"]
    return fields


def gate_stage(
    contract: Contract,
    run: RunFolder,
    *,
    base: LocalModel,
    config: ModelConfig,
    most: int | None = None,
    renderer: Renderer | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> Gated:
    """Drop pairs whose rendered rows are too long or cannot be rendered; all counts go to contract.json.

    most: the longest row the base has positions for. renderer: the base's own where None. notify: gets a line for each
    reason that cost pairs, with what would keep them.
    """
    renderer = renderer or Renderer.from_pretrained(base.folder)
    gate = length_gate(contract.pairs, renderer, config.max_tokens)
    limit = None
    if gate.rejects and gate.longest:
        limit = TokenLimit(asked=config.max_tokens, keeps_95_percent=keeping(gate, 0.95), most=most)
    report = with_rejects(contract.report, gate.rejects, limit=limit)
    write_contract(run.root, report, [*contract.rejects, *gate.rejects])
    for line in dropped(gate, config.max_tokens):
        notify(line)
    if not gate.pairs:
        raise InputError(
            f"No pair fits into {config.max_tokens} tokens as {base.name} renders it. Raise model.max_tokens, "
            f"or look into {run.path('rejects.jsonl')}."
        )
    summary = LengthGateBody(
        kept=len(gate.pairs),
        dropped=len(gate.rejects),
        max_tokens=config.max_tokens,
        **{name: dict(count) for name, count in gate.counts.items()},
    )
    groups = groups_of(gate.pairs, contract.pairs, contract.groups)
    return Gated(pairs=gate.pairs, groups=groups, rendered=gate.rendered, summary=summary, tokens=gate.tokens)


def dropped(gate: LengthGate, max_tokens: int) -> list[str]:
    """What the gate dropped, in a line a reason: how many, the limit that would keep 95%, or the first that failed."""
    reasons = gate.counts["by_reason"]
    read = len(gate.pairs) + len(gate.rejects)
    lines: list[str] = []
    if long := reasons.get("too_long", 0):
        enough = keeping(gate, 0.95)
        way = f"; model.max_tokens={enough} would keep 95%" if enough > max_tokens else ""
        lines.append(f"too long   {long:,} pairs ({long / read:.1%}) are over {max_tokens} tokens{way}")
    if lost := reasons.get("template_not_prefix", 0):
        first = next(reject for reject in gate.rejects if reject.reason == "template_not_prefix")
        lines.append(f"template   {lost:,} pairs ({lost / read:.1%}) cannot be rendered; {first.where}: {first.detail}")
    return lines


def keeping(gate: LengthGate, share: float) -> int:
    """The least limit, in tokens, at which that share of the pairs that can be rendered would fit."""
    lengths = sorted(gate.longest)
    return lengths[math.ceil(share * len(lengths)) - 1]


def known_truth(source: object, contract: Contract, held_out: Sequence[Pair]) -> RunData:
    """What run.json says of the data; for simulated data also what the oracle reaches on the held-out pairs."""
    simulated = any(str(pair.source.get("generator", "")).startswith(SIMULATOR) for pair in held_out)
    beside = Path(f"{source}.truth.json") if isinstance(source, str | Path) else None
    known = simulated and beside is not None and beside.exists()
    return RunData(
        path=str(source) if isinstance(source, str | Path) else "in memory",
        sha256=next(iter(contract.inputs.values())) if len(contract.inputs) == 1 else sha256_json(contract.inputs),
        rows=contract.rows,
        simulated=simulated,
        oracle=oracle(read_json(beside, "simulation/1")["rows"], held_out) if known and beside else None,
    )


def oracle(truth: Mapping[str, Any], pairs: Sequence[Pair]) -> OracleBody:
    """Accuracy of the sign of the true utility difference against the labels: the best any model can be right."""
    right: dict[str, list[bool]] = {}
    for pair in pairs:
        if pair.id in truth and pair.label == "chosen":
            chosen, rejected = truth[pair.id]["utility"]
            right.setdefault(pair.category or NO_CATEGORY, []).append(chosen > rejected)
    flat = [hit for hits in right.values() for hit in hits]
    return OracleBody(
        overall=sum(flat) / len(flat) if flat else None,
        n=len(flat),
        by_category={name: sum(hits) / len(hits) for name, hits in sorted(right.items())},
    )


def probed(
    run: RunFolder,
    parts: Split,
    results: Sequence[TrainResult],
    *,
    config: RewardConfig,
    notify: Callable[[str], None] = lambda _line: None,
) -> Evidence:
    """What the options ask of probes, scored by each seed's saved model, whose scores are audited.

    Kept in rescored.jsonl: an audit that was interrupted there goes on. notify: gets lines on what that costs.
    """
    if config.model.heads:
        named = config.model.heads[0]
        notify(f"probes     of one head at a time: assay audit {run.root}@{named} DATA --objective {named}")
        return Evidence()
    pairs, groups = measured(parts)
    passes = Passes(sharing=config.train.sharing)
    scorers = {result.seed: LocalScorer(result.model_folder, passes=passes) for result in results}
    return Evidence(rescored=rescored(scorers, pairs, groups, config=config.probes, folder=run.root, notify=notify))


def whole_groups(
    source: object,
    contract: Contract,
    parts: Split,
    results: Sequence[TrainResult],
    *,
    config: RewardConfig,
    notify: Callable[[str], None] = lambda _line: None,
) -> list[ScoredGroup]:
    """The held-out groups of candidates with each seed's rewards. notify: told why groups cannot be read."""
    if config.model.heads:
        return []  # which head orders a whole group is not said by its pairs
    candidates, no_groups = candidates_of(source, contract.found, config.data)
    if no_groups is not None:
        notify(f"groups     candidates are audited as pairs only, not as groups: {no_groups}")
    return held_out_groups(candidates, parts, results, passes=Passes(sharing=config.train.sharing))


def measured(parts: Split) -> tuple[list[Pair], list[str]]:
    """The held-out pairs that have a winner, and the prompt group of each."""
    of_pair = dict(zip((pair.id for pair in parts.held_out), parts.held_out_groups, strict=True))
    pairs = [pair for pair in parts.held_out if pair.label == "chosen"]
    return pairs, [of_pair[pair.id] for pair in pairs]


def audit_seeds(
    run: RunFolder,
    parts: Split,
    gated: Gated,
    results: Sequence[TrainResult],
    *,
    config: AuditConfig,
    evidence: Evidence | None = None,
) -> Audit:
    """Audit all seeds' held-out scores together and write audit.json. evidence: what is known beside scores."""
    pairs, groups = measured(parts)
    definite = {pair.id for pair in pairs}
    scores = {
        result.seed: [one.numbers for one in read_scored_pairs(result.scores_path) if one.pair_id in definite]
        for result in results
    }
    inputs = {str(r.scores_path.relative_to(run.root)): sha256_file(r.scores_path) for r in results}
    inputs["split.json"] = sha256_file(run.path("split.json"))
    found = audits.audit(
        scores,
        pairs,
        groups=groups,
        config=config,
        tokens=gated.tokens,
        inputs=inputs,
        evidence=evidence or Evidence(),
    )
    found.write(run)
    return found
