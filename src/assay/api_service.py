"""The functions of `assay.__all__` that put a reward to use, as a notebook or a trainer calls them; see api.py.

Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.records import Candidates

if TYPE_CHECKING:
    from assay.flows.push import PushPlan
    from assay.flows.rerank import Reranked
    from assay.flows.reward_function import RunReward
    from assay.scorers.open import AnyScorer


def reward_function(
    run: Path | str,
    *,
    seed: int | None = None,
    ungated: bool = False,
    calls: Literal["plain", "async"] = "plain",
    device: str = "auto",
    micro_tokens: int | None = None,
) -> RunReward:
    """The reward of a run as TRL's GRPOTrainer takes one: `reward_funcs=assay.reward_function("runs/support")`.

    run: a run folder, a seed's model in one, or what open_scorer takes. seed: of a run with several. ungated: also a
    reward that no gate passed, which its name and the log then say. calls: "async" for a coroutine. device,
    micro_tokens: as of `assay score`. Called with prompts and completions (texts or messages), it gives each its raw
    reward, that of `assay score`, or None where there is none: TRL leaves those out of the update. Completions of one
    prompt are run together, the prompt once.
    Raises InputError where the gate did not pass, and what opening a scorer raises.
    """
    from assay.flows.reward_function import reward_function as run_it
    from assay.scorers.local import Passes

    passes = Passes(device=device, micro_tokens=micro_tokens)
    return run_it(run, seed=seed, ungated=ungated, calls=calls, passes=passes)


def rerank(
    scorer: AnyScorer, candidates: Path | str | Sequence[Candidates], out: Path | str, *, top: int | None = None
) -> Reranked:
    """Order the answers to each prompt by a reward, best first, into the JSON lines `out`: best of n.

    scorer: as `score` takes it. candidates: a file, or `Candidates`. top: how many of each; None: all. Killed anywhere,
    the same call goes on. Gives counts: `.prompts`, `.answers`, `.tied`, `.unscored`, `.missing`.
    Raises InputError where no prompt has two answers.
    """
    from assay.flows.rerank import rerank as run
    from assay.scorers import as_scorer

    return run(as_scorer(scorer), candidates, Path(out), top=top)


def push(
    run: Path | str,
    repo: str,
    *,
    seed: int | None = None,
    dry_run: bool = False,
    whatever_the_verdict: bool = False,
    with_texts: bool = False,
    public: bool = False,
) -> PushPlan:
    """Share a run on the Hugging Face hub: model, card, report and evidence as one commit; gives `.files` and `.gate`.

    repo: "org/name", made private where there is none. dry_run: send nothing. whatever_the_verdict: also what did not
    pass, which the card's first line then says. with_texts: also what quotes rows of the data.
    Raises InputError for what did not pass, and where the hub does not take it.
    """
    from assay.flows.push import push as send
    from assay.flows.push import push_plan

    plan = push_plan(Path(run), repo, seed=seed, whatever=whatever_the_verdict, with_texts=with_texts)
    if not dry_run:
        send(plan, private=not public)
    return plan
