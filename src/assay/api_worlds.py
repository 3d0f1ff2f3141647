"""The functions of `assay.__all__` that make data whose truth is known, as a notebook calls them; see api.py.

Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.flows.pressed_candidates import Pressed
    from assay.flows.simulated_candidates import CandidatesWritten
    from assay.scorers.open import AnyScorer
    from assay.simulate.grants import GrantOffice
    from assay.simulate.support import Simulation
    from assay.simulate.support.pressing import PressPlan


def simulate_support(
    pairs: int,
    *,
    seed: int = 0,
    defects: Mapping[str, float] | None = None,
    shortcuts: Mapping[str, float] | None = None,
) -> Simulation:
    """Preference pairs of a support desk whose truth is known: `.rows` for read_pairs, `.truth`, `.write(path)`.

    defects: share of rows by name, such as {"flipped_labels": 0.1}. shortcuts: strength by name, such as
    {"length": 0.9}. docs/simulator.md names them. Raises ConfigError for an unknown name or an impossible share.
    """
    from assay.simulate.support import support as run

    return run(pairs, seed=seed, defects=defects, shortcuts=shortcuts)


def simulate_candidates(
    policy: str,
    out: Path | str,
    *,
    n: int = 64,
    prompts: Path | str | None = None,
    fresh: int | None = None,
    seed: int = 0,
) -> CandidatesWritten:
    """n answers of the simulated support desk's agents to each prompt, with their true utilities beside.

    policy: agents and habits, such as "wordy" or "wordy=2,plain=1" (docs/simulator.md). prompts: a file of this
    world's; None: `fresh` prompts that no pair has (100). Raises ConfigError for a policy or number that cannot be.
    """
    from assay.flows.simulated_candidates import simulate_candidates as run
    from assay.simulate.support.answer_policy import agent_mix

    given = None if prompts is None else Path(prompts)
    return run(Path(out), mix=agent_mix(policy), n=n, prompts=given, count=fresh, seed=seed)


def simulate_press(
    scorer: AnyScorer,
    out: Path | str,
    *,
    plan: PressPlan | None = None,
    gold: AnyScorer = "truth:support",
    prompts: Path | str | None = None,
    fresh: int | None = None,
) -> Pressed:
    """Search for the highest reward of `scorer` on the simulated desk; every answer tried is kept with its gold.

    plan: population, rounds, budget and seed. Interrupted, the same call goes on and ends with the same files.
    Raises ConfigError for a scorer that compares within pairs only, and what scoring raises.
    """
    from assay.flows.pressed_candidates import press_on
    from assay.flows.simulated_candidates import desk_prompts
    from assay.scorers.open import as_scorer
    from assay.simulate.support.pressing import PressPlan

    plan = plan or PressPlan()
    desk = desk_prompts(None if prompts is None else Path(prompts), count=fresh, seed=plan.seed)
    return press_on(as_scorer(scorer), Path(out), plan=plan, gold=as_scorer(gold), desk=desk)


def simulate_grants(pairs: int, *, seed: int = 0, fresh: int = 50) -> GrantOffice:
    """Grant paragraphs whose truth is known: `.rows` for read_pairs, `.fresh` prompts, `.truth`, `.write(path)`.

    fresh: prompts apart that no pair has. Raises ConfigError for impossible numbers; docs/simulator.md tells the world.
    """
    from assay.simulate.grants import grants as run

    return run(pairs, seed=seed, fresh=fresh)
