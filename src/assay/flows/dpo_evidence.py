"""What the audit of a tuned policy is given beside scores: where log-probabilities went, and the pairs behind it.

Knows the files of seeds and the training pairs; computes no figure itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from assay.artifacts.audit_policy_table import ChesRow
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.run_folder import RunFolder
from assay.audits.part import Evidence
from assay.audits.policy.displacement import Changes, Written, displaced, policy_part
from assay.records import Pair, plain_text
from assay.render.length_gate import RenderedPairs
from assay.train import TrainResult
from assay.train.dpo.ches import Ches, without_highest
from assay.train.dpo.config import DpoRunConfig, PolicyModelConfig
from assay.train.dpo.train_dpo import ches_of_pairs

SHOWN = 10  # pairs behind a displacement that are named
LONGEST = 300  # characters of a text that are shown
CHES = "ches.jsonl"

Notify = Callable[[str], None]


def policy_evidence(
    run: RunFolder,
    results: Sequence[TrainResult],
    trained: Sequence[Pair],
    *,
    rendered: RenderedPairs,
    config: DpoRunConfig,
    notify: Notify,
) -> Evidence:
    """Changes of log-probabilities by seed, what was written, and the pairs behind where both sides fell."""
    changes = {one.seed: changes_of(one) for one in results}
    mean_2 = np.mean([change for of_seed in changes.values() for change in of_seed.values()], axis=0)
    behind: list[ChesRow] = []
    if displaced(mean_2):
        scores = scored_by_ches(run, trained, rendered=rendered, model=config.model, notify=notify)
        by_id = {pair.id: pair for pair in trained}
        highest = sorted(scores, key=lambda one: (-one.normalised, one.pair_id))[:SHOWN]
        behind = [_row(one, by_id[one.pair_id]) for one in highest]
    written = {one.seed: written_by(one, asked=config.watch.fresh * config.watch.answers) for one in results}
    return Evidence(parts=[policy_part(changes, written, behind)])


def changes_of(result: TrainResult) -> Changes:
    """By held-out pair, how much likelier each side is than under the reference, in nats."""
    return {
        str(row["pair_id"]): (
            float(row["chosen_logprob"]) - float(row["chosen_reference"]),
            float(row["rejected_logprob"]) - float(row["rejected_reference"]),
        )
        for row in read_jsonl(result.scores_path)
    }


def written_by(result: TrainResult, *, asked: int) -> Written:
    figures = result.figures
    return Written(
        kl=figures.get("kl"),
        kl_error=figures.get("kl_error"),
        answer_tokens=figures.get("answer_tokens"),
        answers=asked,
    )


def scored_by_ches(
    run: RunFolder, pairs: Sequence[Pair], *, rendered: RenderedPairs | None, model: PolicyModelConfig, notify: Notify
) -> list[Ches]:
    """The score of each pair, in order; kept in ches.jsonl, so that no pair is run twice."""
    path = run.path(CHES)
    known: dict[str, Ches] = {}
    if path.exists():
        known = {str(row["pair_id"]): Ches(**row) for row in read_jsonl(path)}
    missing = [pair for pair in pairs if pair.id not in known]
    if missing:
        start = time.monotonic()
        for some in ches_of_pairs(missing, rendered=rendered, model=model):
            known |= {one.pair_id: one for one in some}
            # As it goes: a pass over thousands of pairs takes as long as the reference's, and may be killed as well.
            write_jsonl(path, [known[pair.id] for pair in pairs if pair.id in known])
            done = sum(pair.id in known for pair in missing)
            left = (time.monotonic() - start) / done * (len(missing) - done)
            notify(f"ches       {done:,} of {len(missing):,} pairs, some {left / 60:.0f} min left")
    return [known[pair.id] for pair in pairs]


def without_highest_ches(
    run: RunFolder,
    pairs: Sequence[Pair],
    share: float,
    *,
    rendered: RenderedPairs,
    model: PolicyModelConfig,
    notify: Notify,
) -> list[Pair]:
    """The training pairs less the `share` with the highest scores; all of their scores stand in ches.jsonl."""
    if not share:
        return list(pairs)
    kept = without_highest(scored_by_ches(run, pairs, rendered=rendered, model=model, notify=notify), share)
    return [pair for pair in pairs if pair.id in kept]


def _row(score: Ches, pair: Pair) -> ChesRow:
    prompt, chosen, rejected = (plain_text(text)[:LONGEST] for text in (pair.prompt, pair.chosen, pair.rejected))
    return ChesRow(
        pair_id=score.pair_id,
        ches=score.ches,
        normalised=score.normalised,
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
    )
