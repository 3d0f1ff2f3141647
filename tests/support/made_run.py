"""A run folder with every artifact, its figures computed from a seeded simulation of rewards; nothing trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifacts.files import write_jsonl
from assay.artifacts.run_body import LengthGateBody, MachineBody, OracleBody, RunBase, RunBody, RunData, StageBody
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.train_body import SelfCheckBody, TrainBody, TrainedBase
from assay.audits import audit
from assay.audits.config import AuditConfig
from assay.data import PairSet, read_pairs, split
from assay.data.config import DataConfig, SplitConfig
from assay.gate import decide_run
from assay.models.config import ModelConfig
from assay.records import Pair, PairScore, Vote, Where
from assay.train.config import TrainConfig
from assay.train.reward_config import RewardConfig

Scoring = Callable[[Sequence[Pair], np.random.Generator], list[PairScore]]
SKILL = {"brevity": 2.6, "hallucination": 0.75, "helpfulness": 1.4, "refusals": 1.0, "tone": 1.9}
SENTENCES = (
    "I can refund the second charge today.",
    "Your plan renews on the 14th, so cancelling before then costs nothing.",
    "Please send the order number and I will look at the parcel.",
    "Our policy allows one exchange within thirty days.",
    "I am sorry this took so long.",
    "I cannot share another customer's address.",
)


def words_of(rng: np.random.Generator, count: int) -> str:
    return " ".join(SENTENCES[int(i)] for i in rng.integers(0, len(SENTENCES), count))


def make_pairs(count: int, rng: np.random.Generator, *, categories: bool = True) -> list[Pair]:
    pairs = []
    for index in range(count):
        category = sorted(SKILL)[index % len(SKILL)]
        chosen, rejected = (words_of(rng, int(n)) for n in rng.integers(1, 9, 2))
        pairs.append(
            Pair(
                id=f"p-{index}",
                prompt=f"Policy: refunds within 30 days. Customer {index // 3}: {words_of(rng, 3)}",
                chosen=chosen,
                rejected=rejected + " Anything else?",
                category=category if categories else None,
                group=f"g-{index // 3}",
                votes=tuple(Vote(choice=choice) for choice in ("chosen", "chosen", "rejected")),
                where=Where("pairs.jsonl", index + 1),
            )
        )
    return pairs


def make_scores(pairs: Sequence[Pair], rng: np.random.Generator, *, length_weight: float) -> list[PairScore]:
    scores = []
    for pair in pairs:
        ability = SKILL.get(pair.category or "tone", 1.0)
        length = (len(str(pair.chosen)) - len(str(pair.rejected))) / 100
        margin = rng.normal(ability, 1.8) + length_weight * length
        middle = rng.normal(0, 1.1)
        scores.append(PairScore(pair_id=pair.id, chosen=middle + margin / 2, rejected=middle - margin / 2))
    return scores


def metrics_of(steps: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        loss = 0.42 + 0.27 * float(np.exp(-step / 70)) + float(rng.normal(0, 0.03))
        norm = 1.5 + 2 * float(np.exp(-step / 30)) + float(rng.gamma(2, 0.3))
        rows.append({"step": step, "loss": loss, "grad_norm": norm, "accuracy": 1 - loss / 2})
        if step % (steps // 8) == 0:
            rows.append({"step": step, "eval_accuracy": 0.78 - 0.2 * float(np.exp(-step / 80))})
    return rows


def plausible(pairs: Sequence[Pair], rng: np.random.Generator) -> list[PairScore]:
    return make_scores(pairs, rng, length_weight=0.4)


def make_run(
    root: Path, *, pairs: int | Sequence[Pair] = 300, seeds: int = 3, simulated: bool = True, score: Scoring = plausible
) -> RunFolder:
    """Write all artifacts of a plausible run; the same every time.

    pairs: how many are held out of three times as many, or pairs of which half are held out.
    """
    rng = np.random.default_rng(0)
    run = RunFolder(root)
    made = make_pairs(3 * pairs, rng) if isinstance(pairs, int) else list(pairs)
    holdout = pairs if isinstance(pairs, int) else len(made) // 2
    rows = [*made, *made[:2], replace(made[3], rejected=" "), {"prompt": 7}]  # two duplicates, one empty, one broken
    write_jsonl(run.path("pairs.jsonl"), map(as_row, rows))
    found = read_pairs(run.path("pairs.jsonl"), config=DataConfig(near_duplicates=None))
    found.report.write(run.path("contract.json"))
    config = RewardConfig(
        split=SplitConfig(holdout=holdout, rounding="nearest"),
        model=ModelConfig(base="minilm", max_tokens=256),
        train=TrainConfig(seeds=tuple(range(seeds)), precision="float32"),
        audit=AuditConfig(resamples=200, mistakes=6),
    )
    parts = split(found.pairs, config=config.split, groups=[pair.group or pair.id for pair in found.pairs])
    parts.proof.write(run.path("split.json"))
    scores = {number: score(parts.held_out, rng) for number in range(seeds)}
    audit(scores, parts.held_out, groups=parts.held_out_groups, config=config.audit).write(run)
    for number, pair_scores in scores.items():
        folder = run.seed(number)
        write_jsonl(folder / "scores.jsonl", map(asdict, pair_scores))
        write_jsonl(folder / "metrics.jsonl", metrics_of(240, rng))
        train_body(number).write(folder / "train.json")
    run_body(root.name, config, found, simulated=simulated).write(run.path("run.json"))
    decide_run(run)
    return run


def as_row(row: Pair | dict[str, Any]) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    said = {name: getattr(row, name) for name in ("id", "prompt", "chosen", "rejected", "category", "group")}
    return {**said, "votes": [vote.choice for vote in row.votes]}


def train_body(number: int) -> TrainBody:
    checks = {
        "reload_equal": check("reload_equal", 0.0),
        "batch_invariance": check("batch_invariance", 2.4e-7),
        "padding_side": check("padding_side", 1.2e-7),
        "swap_mirrors": check("swap_mirrors", None, passed=number != 1),
    }
    return TrainBody(
        seed=number,
        identity={"seed": number},
        inputs={"train": "sha256:" + "1a" * 32, "held_out": "sha256:" + "2b" * 32},
        base=TrainedBase(name="minilm", fingerprint="sha256:" + "b9" * 32),
        config={},
        report_to=(),
        pairs=600,
        steps=240,
        tokens=1_904_220,
        seconds=291.4 + 3 * number,
        stages={"train": 280.0},
        pairs_per_second=2.1,
        tokens_per_second=6534.7,
        held_out={"accuracy": 0.78, "n": 300},
        self_checks=checks,
        files={},
        threads=1,
        processes=1,
        versions={"torch": "2.13.0"},
    )


def check(name: str, worst: float | None, *, passed: bool = True) -> SelfCheckBody:
    meaning = "Something looks at which side a text is on."
    return SelfCheckBody(
        name=name, passed=passed, worst=worst, tolerance=1e-5, meaning=meaning, informative=False, rows=64
    )


def run_body(name: str, config: RewardConfig, found: PairSet, *, simulated: bool) -> RunBody:
    stages = (("contract", 1.2, None), ("length gate", 3.9, None), ("split", 0.4, None), ("train", 893.2, 5_712_660))
    oracle = OracleBody(overall=0.93, n=300, by_category=dict.fromkeys(SKILL, 0.93)) if simulated else None
    data = RunData(
        path="data/pairs.jsonl", sha256="sha256:" + "4f" * 32, rows=found.rows, simulated=simulated, oracle=oracle
    )
    gate = LengthGateBody(
        kept=len(found.pairs),
        dropped=4,
        max_tokens=256,
        by_side={"chosen": 3, "both": 1},
        by_category={"tone": 4},
        by_reason={"too_long": 4},
    )
    return begun_body(name, config).with_more(
        status="done",
        base=RunBase(name="minilm", fingerprint="sha256:" + "b9" * 32, kind="decoder"),
        seeds=config.train.seeds,
        data=data,
        length_gate=gate,
        stages=tuple(StageBody(name=name, seconds=seconds, tokens=tokens) for name, seconds, tokens in stages),
    )


def begun_body(name: str, config: RewardConfig) -> RunBody:
    """run.json as it stands in the first minute of a run."""
    return RunBody(
        name=name,
        status="running",
        key="sha256:" + "5c" * 32,
        command="assay reward pairs.jsonl --base minilm --seeds 3 --out runs/support",
        created="2026-03-02T09:30:00+00:00",
        assay_version="0.1.0",
        config=config.model_dump(mode="json"),
        inputs={},
        machine=MachineBody(cpus=2, memory_gib=16.0, python="3.12.3", platform="Linux"),
        versions={"torch": "2.13.0", "transformers": "5.20.1"},
    )
