"""assay: preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended.

What is in `__all__` is what assay offers to programs; docs/api.md describes it. Names are imported when they are first
asked for, so `import assay` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.lazy_names import door
from assay.version import __version__

if TYPE_CHECKING:
    from assay.api import (
        analyse_study,
        audit,
        bench,
        check,
        decide,
        generate,
        generate_file,
        measure_capability,
        open_policy,
        open_scorer,
        read_pairs,
        run_dpo,
        run_reward,
        score,
        simulate_grants,
        simulate_support,
        split,
        write_report,
    )
    from assay.audits import Audit
    from assay.audits.config import AuditConfig
    from assay.capability.config import CapabilityConfig
    from assay.data import PairSet
    from assay.data.config import AugmentConfig, DataConfig, SelectConfig, SplitConfig
    from assay.data.grouped_split import Split
    from assay.data.intake import CheckReport
    from assay.engine.drop_in import shared_prefixes
    from assay.errors import AssayError
    from assay.findings.finding import Finding
    from assay.flows.bench import BenchOptions
    from assay.flows.dpo import PolicyRun
    from assay.flows.generate import AnswersFile
    from assay.flows.reward import RewardRun
    from assay.gate import Verdict
    from assay.models.config import ModelConfig
    from assay.policies.protocol import Generation, Generations, Policy, Prompt, Sampling
    from assay.records import Candidates, Message, Pair, PairScore, Reject, Vote
    from assay.scorers import Reward, Scorer, Unscored
    from assay.study.config import AnalysisConfig
    from assay.train import TrainResult, train_reward
    from assay.train.config import LossConfig, RegulariseConfig, StoppingConfig, TrainConfig
    from assay.train.dpo.config import DpoConfig, DpoRunConfig, PolicyModelConfig, PolicyTrainConfig, WatchConfig
    from assay.train.dpo.train_dpo import train_dpo
    from assay.train.reward_config import RewardConfig

HOMES = {
    "assay.api": (
        "analyse_study", "audit", "bench", "check", "decide", "generate", "generate_file", "measure_capability",
        "open_policy", "open_scorer", "read_pairs", "run_dpo", "run_reward", "score", "simulate_grants",
        "simulate_support", "split", "write_report",
    ),
    "assay.audits": ("Audit",),
    "assay.audits.config": ("AuditConfig",),
    "assay.capability.config": ("CapabilityConfig",),
    "assay.data": ("PairSet",),
    "assay.data.config": ("AugmentConfig", "DataConfig", "SelectConfig", "SplitConfig"),
    "assay.data.grouped_split": ("Split",),
    "assay.data.intake": ("CheckReport",),
    "assay.engine.drop_in": ("shared_prefixes",),
    "assay.errors": ("AssayError",),
    "assay.findings.finding": ("Finding",),
    "assay.flows.bench": ("BenchOptions",),
    "assay.flows.generate": ("AnswersFile",),
    "assay.flows.dpo": ("PolicyRun",),
    "assay.flows.reward": ("RewardRun",),
    "assay.gate": ("Verdict",),
    "assay.models.config": ("ModelConfig",),
    "assay.policies.protocol": ("Generation", "Generations", "Policy", "Prompt", "Sampling"),
    "assay.records": ("Candidates", "Message", "Pair", "PairScore", "Reject", "Vote"),
    "assay.scorers": ("Reward", "Scorer", "Unscored"),
    "assay.study.config": ("AnalysisConfig",),
    "assay.train": ("TrainResult", "train_reward"),
    "assay.train.config": ("LossConfig", "RegulariseConfig", "StoppingConfig", "TrainConfig"),
    "assay.train.dpo.config": (
        "DpoConfig", "DpoRunConfig", "PolicyModelConfig", "PolicyTrainConfig", "WatchConfig",
    ),
    "assay.train.dpo.train_dpo": ("train_dpo",),
    "assay.train.reward_config": ("RewardConfig",),
}  # fmt: skip
__all__ = [
    "AnalysisConfig",
    "AnswersFile",
    "AssayError",
    "Audit",
    "AuditConfig",
    "AugmentConfig",
    "BenchOptions",
    "Candidates",
    "CapabilityConfig",
    "CheckReport",
    "DataConfig",
    "DpoConfig",
    "DpoRunConfig",
    "Finding",
    "Generation",
    "Generations",
    "LossConfig",
    "Message",
    "ModelConfig",
    "Pair",
    "PairScore",
    "PairSet",
    "Policy",
    "PolicyModelConfig",
    "PolicyRun",
    "PolicyTrainConfig",
    "Prompt",
    "RegulariseConfig",
    "Reject",
    "Reward",
    "RewardConfig",
    "RewardRun",
    "Sampling",
    "Scorer",
    "SelectConfig",
    "Split",
    "SplitConfig",
    "StoppingConfig",
    "TrainConfig",
    "TrainResult",
    "Unscored",
    "Verdict",
    "Vote",
    "WatchConfig",
    "__version__",
    "analyse_study",
    "audit",
    "bench",
    "check",
    "decide",
    "generate",
    "generate_file",
    "measure_capability",
    "open_policy",
    "open_scorer",
    "read_pairs",
    "run_dpo",
    "run_reward",
    "score",
    "shared_prefixes",
    "simulate_grants",
    "simulate_support",
    "split",
    "train_dpo",
    "train_reward",
    "write_report",
]
__getattr__ = door(__name__, {name: home for home, names in HOMES.items() for name in names})


def __dir__() -> list[str]:
    """For completion in a notebook: what is offered, also where it was not asked for yet."""
    return __all__
