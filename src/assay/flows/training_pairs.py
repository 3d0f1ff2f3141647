"""From the training side of a split to what is trained on: some left out, a slice set apart, others made beside them.

1) leave out what votes or a file of suspected labels speak against; 2) set a validation slice apart, in whole groups,
for early stopping; 3) make pairs of those that are left, and pass them through the length gate. All of it comes after
the split, so that no held-out pair is moved by it, and none that was made is held out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay import data
from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import sha256_file
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.training_pairs_body import TrainingPairsBody
from assay.data.augment.made_pairs import made_pairs
from assay.data.config import SelectConfig, SplitConfig
from assay.data.contract_report import CONTRACT
from assay.data.grouped_split import Split
from assay.data.made_mark import made_kind
from assay.data.native_rows import write_pairs
from assay.data.objectives import heads_of
from assay.data.training_selection import selected
from assay.errors import SplitError
from assay.flows.reward_stages import Gated
from assay.models.local_model import LocalModel
from assay.records import Pair
from assay.render.encoder import Renderer
from assay.render.length_gate import RenderedPairs, length_gate
from assay.train.reward_config import RewardConfig

MADE = "made_pairs.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPairs:
    """The split with what is trained on as its training side, rows of all pairs, the validation slice, the counts.

    counts: None where nothing was asked for: then what is trained on is the training side of the split.
    """

    parts: Split
    gated: Gated
    validation: Sequence[Pair] = ()
    counts: TrainingPairsBody | None = None


def training_pairs(
    run: RunFolder,
    parts: Split,
    gated: Gated,
    *,
    base: LocalModel,
    config: RewardConfig,
    notify: Callable[[str], None] = lambda _line: None,
) -> TrainingPairs:
    """What is trained on. Raises as `selected`; SplitError where a validation slice leaves nothing; InputError where a
    pair, held out or not, has no head that is to order it."""
    heads_of([*parts.train, *parts.held_out], config.model.heads)
    given = sum(made_kind(pair) is not None for pair in parts.train)
    if not (config.select != SelectConfig() or config.augment.asked or config.stopping.patience is not None or given):
        return TrainingPairs(parts=parts, gated=gated)
    picked = selected(parts.train, parts.train_groups, config.select, held_out=parts.held_out)
    kept = replace(parts, train=picked.pairs, train_groups=picked.groups)
    inner, validation = validation_slice(kept, config)
    found = made_pairs(inner.train, inner.train_groups, config.augment, ties=takes_ties(config))
    gate = length_gate(found.pairs, Renderer.from_pretrained(base.folder), config.model.max_tokens)
    fits = {pair.id for pair in gate.pairs}
    made = [(pair, group) for pair, group in zip(found.pairs, found.groups, strict=True) if pair.id in fits]
    trained = replace(
        inner,
        train=[*inner.train, *(pair for pair, _ in made)],
        train_groups=[*inner.train_groups, *(group for _, group in made)],
    )
    counts = TrainingPairsBody(
        split=len(parts.train),
        left_out=dict(picked.left_out),
        suspected_held_out=picked.suspected_held_out,
        suspected_unknown=picked.suspected_unknown,
        validation=len(validation),
        made=dict(sorted(Counter(made_kind(pair) or "" for pair in trained.train if made_kind(pair)).items())),
        made_wanted=found.wanted,
        made_dropped=dict(gate.counts["by_reason"]),
        trained=len(trained.train),
    )
    if made:
        write_pairs(run.path(MADE), *zip(*made, strict=True))
    if counts.made:
        # The contract of what was read says too what stands beside it in training.
        path = run.path(CONTRACT)
        ContractBody.read(path).model_copy(update={"made": counts.made}).write(path)
    for line in told(counts):
        notify(line)
    rows = {**gated.rendered.rows, **gate.rendered.rows}
    rendered = RenderedPairs(renderer=gated.rendered.renderer, rows=rows)
    return TrainingPairs(parts=trained, gated=replace(gated, rendered=rendered), validation=validation, counts=counts)


def takes_ties(config: RewardConfig) -> bool:
    """Whether the loss learns from ties: Rao-Kupper's does, Bradley-Terry's where ties were kept to be half a win."""
    return config.loss.kind == "rao_kupper" or config.data.ties == "keep"


def validation_slice(parts: Split, config: RewardConfig) -> tuple[Split, list[Pair]]:
    """The training side without a slice of whole groups, and the slice; nothing is cut where nothing is stopped."""
    if config.stopping.patience is None:
        return parts, []
    size = max(1, round(config.stopping.validation * len(parts.train)))
    options = SplitConfig(holdout=size, rounding="nearest", seed=config.stopping.seed)
    inner = data.split(parts.train, config=options, groups=parts.train_groups)
    if not any(pair.label == "chosen" for pair in inner.held_out) or not inner.train:
        raise SplitError(
            f"A validation slice of about {size} of {len(parts.train)} training pairs leaves none to train on, or "
            "holds no pair with a winner. Change stopping.validation."
        )
    cut = replace(parts, train=inner.train, train_groups=inner.train_groups)
    return cut, inner.held_out


def files_read(config: RewardConfig) -> dict[str, str]:
    """Hashes of files that options name and the weights depend on."""
    without = config.select.without
    return {} if without is None else {"select.without": sha256_file(Path(without))}


def told(counts: TrainingPairsBody) -> list[str]:
    """What was done to the training side, in a line each."""
    lines: list[str] = []
    if counts.left_out:
        lines.append(f"left out   {listed(counts.left_out)} of {counts.split:,} training pairs; the held-out ones stay")
    if counts.suspected_held_out or counts.suspected_unknown:
        lines.append(
            f"suspected  {counts.suspected_held_out:,} are held out and stay, {counts.suspected_unknown:,} are no pair "
            "of these data"
        )
    if counts.validation:
        lines.append(f"validation {counts.validation:,} training pairs set apart for early stopping")
    if counts.made or counts.made_wanted:
        dropped = f"; dropped as rendered: {listed(counts.made_dropped)}" if counts.made_dropped else ""
        lines.append(f"made       {listed(counts.made) or 'none'}, of {counts.made_wanted:,} asked for{dropped}")
    return lines


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
