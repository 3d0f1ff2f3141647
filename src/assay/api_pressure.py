"""The functions of `assay.__all__` that ask what a policy makes of a reward, as a notebook calls them; see api.py.

Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.artifacts.fresh_body import FreshBody, FreshPairsBody
    from assay.artifacts.pressure_body import PressureBody
    from assay.audits.pressure.config import PressureConfig
    from assay.flows.fresh import FreshAsking, FreshRunConfig
    from assay.flows.fresh_conclusion import FreshConclusion
    from assay.policies.protocol import Policy, Prompt
    from assay.records import Candidates, Text
    from assay.scorers.open import AnyScorer


def optimise(
    scorer: AnyScorer,
    candidates: Path | str | Sequence[Candidates],
    out: Path | str,
    *,
    gold: AnyScorer,
    config: PressureConfig | None = None,
    beside: Sequence[Path | str] = (),
) -> PressureBody:
    """Press a reward by best of n over candidates, judged by gold: `.verdict`, `.curve`, `.findings`.

    scorer: as `score` takes it; of a run folder every seed. candidates: a file, or `Candidates` in memory. gold: a
    scorer, "labels" (ranks, scores or votes of the candidates), or "truth" (of a simulated world). beside: folders of
    earlier runs. `out` gets pressure.json, its page and every reward; killed anywhere, the same call goes on.
    Raises InputError where nothing can be picked, or gold says nothing of these candidates.
    """
    from assay.flows.optimise import OptimiseConfig, OptimiseOptions
    from assay.flows.optimise import optimise as run

    settings = OptimiseConfig() if config is None else OptimiseConfig(pressure=config)
    options = OptimiseOptions(beside=tuple(map(Path, beside)))
    return run(scorer, candidates, Path(out), gold=gold, config=settings, options=options).body


def fresh_pairs(
    reward: str,
    policy: Policy | Path | str,
    prompts: str | Sequence[Prompt | Text],
    out: Path | str,
    *,
    asking: FreshAsking | None = None,
    config: FreshRunConfig | None = None,
) -> FreshPairsBody:
    """Pairs of a policy's fresh answers that the reward scored, some chosen for people, in the folder `out`.

    reward: a run folder, or what open_scorer takes. policy, prompts: what generate_file takes. What is asked of people
    is a blind study and a file; killed anywhere, the same call goes on.
    Raises AssayError where no pair is left, all prompts stood in the reward's data, or `out` holds other pairs.
    """
    from assay.flows.fresh import fresh_pairs as run
    from assay.flows.generate import prompts_in
    from assay.policies.open import open_policy
    from assay.policies.prompt_files import prompts_of

    opened = open_policy(policy) if isinstance(policy, (str, Path)) else policy
    asked = prompts_in(prompts) if isinstance(prompts, str) else prompts_of(prompts)
    return run(reward, opened, asked, Path(out), asking=asking, config=config)


def conclude_fresh(out: Path | str, told: FreshConclusion, *, config: FreshRunConfig | None = None) -> FreshBody:
    """Join what people said, and a judge, to the fresh pairs in `out`: `.outcome`, `.sentence`, `.findings`.

    Writes fresh.json and its page there. Raises AssayError for an open study, or one or labels of other pairs.
    """
    from assay.flows.fresh_conclusion import conclude_fresh as run

    return run(Path(out), told, config=config)
