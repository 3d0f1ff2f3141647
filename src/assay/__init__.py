"""assay: preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended.

What is in `__all__` is what assay offers to programs; docs/api.md describes it. Names are imported when they are first
asked for, so `import assay` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.lazy_names import door
from assay.version import __version__

if TYPE_CHECKING:
    from assay.advice.reward_or_dpo import Advice, Needs
    from assay.api import (
        advise,
        analyse_study,
        audit,
        bench,
        check,
        combine,
        compare_runs,
        conclude,
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
        split,
        write_report,
    )
    from assay.api_pressure import conclude_fresh, fresh_pairs, optimise
    from assay.api_service import push, rerank, reward_function
    from assay.api_worlds import simulate_candidates, simulate_grants, simulate_press, simulate_support
    from assay.audits import Audit
    from assay.audits.config import AuditConfig
    from assay.audits.pressure.config import PressureConfig
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
    from assay.flows.dpo_conclusion import ConcludeConfig, Conclusion
    from assay.flows.fresh import FreshAsking, FreshRunConfig
    from assay.flows.fresh_conclusion import FreshConclusion
    from assay.flows.fresh_tables import KpiSource
    from assay.flows.generate import AnswersFile
    from assay.flows.reward import RewardRun
    from assay.gate import Verdict
    from assay.models.config import ModelConfig
    from assay.policies.protocol import Generation, Generations, Policy, Prompt, Sampling
    from assay.records import Candidates, Message, Pair, PairScore, Reject, Vote
    from assay.scorers import Reward, Scorer, Unscored
    from assay.scorers.combined.combination_file import Combination
    from assay.scorers.combined.combine import CombinePlan
    from assay.simulate.support.pressing import PressPlan
    from assay.study.config import AnalysisConfig
    from assay.train import TrainResult, train_reward
    from assay.train.config import LossConfig, RegulariseConfig, StoppingConfig, TrainConfig
    from assay.train.dpo.config import DpoConfig, DpoRunConfig, PolicyModelConfig, PolicyTrainConfig, WatchConfig
    from assay.train.dpo.train_dpo import train_dpo
    from assay.train.reward_config import RewardConfig

HOMES = {
    "assay.advice.reward_or_dpo": ("Advice", "Needs"),
    "assay.api": (
        "advise", "analyse_study", "audit", "bench", "check", "combine", "compare_runs", "conclude", "decide",
        "generate", "generate_file", "measure_capability", "open_policy", "open_scorer", "read_pairs", "run_dpo",
        "run_reward", "score", "split", "write_report",
    ),
    "assay.api_pressure": ("conclude_fresh", "fresh_pairs", "optimise"),
    "assay.api_service": ("push", "rerank", "reward_function"),
    "assay.api_worlds": ("simulate_candidates", "simulate_grants", "simulate_press", "simulate_support"),
    "assay.audits": ("Audit",),
    "assay.audits.config": ("AuditConfig",),
    "assay.audits.pressure.config": ("PressureConfig",),
    "assay.capability.config": ("CapabilityConfig",),
    "assay.data": ("PairSet",),
    "assay.data.config": ("AugmentConfig", "DataConfig", "SelectConfig", "SplitConfig"),
    "assay.data.grouped_split": ("Split",),
    "assay.data.intake": ("CheckReport",),
    "assay.engine.drop_in": ("shared_prefixes",),
    "assay.errors": ("AssayError",),
    "assay.findings.finding": ("Finding",),
    "assay.flows.bench": ("BenchOptions",),
    "assay.flows.fresh": ("FreshAsking", "FreshRunConfig"),
    "assay.flows.fresh_conclusion": ("FreshConclusion",),
    "assay.flows.fresh_tables": ("KpiSource",),
    "assay.flows.generate": ("AnswersFile",),
    "assay.flows.dpo": ("PolicyRun",),
    "assay.flows.dpo_conclusion": ("ConcludeConfig", "Conclusion"),
    "assay.flows.reward": ("RewardRun",),
    "assay.gate": ("Verdict",),
    "assay.models.config": ("ModelConfig",),
    "assay.policies.protocol": ("Generation", "Generations", "Policy", "Prompt", "Sampling"),
    "assay.records": ("Candidates", "Message", "Pair", "PairScore", "Reject", "Vote"),
    "assay.scorers": ("Reward", "Scorer", "Unscored"),
    "assay.scorers.combined.combination_file": ("Combination",),
    "assay.scorers.combined.combine": ("CombinePlan",),
    "assay.simulate.support.pressing": ("PressPlan",),
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
    "Advice",
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
    "Combination",
    "CombinePlan",
    "ConcludeConfig",
    "Conclusion",
    "DataConfig",
    "DpoConfig",
    "DpoRunConfig",
    "Finding",
    "FreshAsking",
    "FreshConclusion",
    "FreshRunConfig",
    "Generation",
    "Generations",
    "KpiSource",
    "LossConfig",
    "Message",
    "ModelConfig",
    "Needs",
    "Pair",
    "PairScore",
    "PairSet",
    "Policy",
    "PolicyModelConfig",
    "PolicyRun",
    "PolicyTrainConfig",
    "PressPlan",
    "PressureConfig",
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
    "advise",
    "analyse_study",
    "audit",
    "bench",
    "check",
    "combine",
    "compare_runs",
    "conclude",
    "conclude_fresh",
    "decide",
    "fresh_pairs",
    "generate",
    "generate_file",
    "measure_capability",
    "open_policy",
    "open_scorer",
    "optimise",
    "push",
    "read_pairs",
    "rerank",
    "reward_function",
    "run_dpo",
    "run_reward",
    "score",
    "shared_prefixes",
    "simulate_candidates",
    "simulate_grants",
    "simulate_press",
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
