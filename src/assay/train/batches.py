"""Which pairs an optimiser step sees, and how they are cut into forward passes. Knows token rows; knows no model.

The experiment is the drawing: `batch_pairs` pairs at random, each pair once an epoch. Cutting is only arithmetic: a
batch is sorted by length and cut into micro-batches within a token budget, and every pair keeps its weight 1/batch, so
the gradient is that of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch.utils.data import Sampler

from assay.engine.micro_batches import micro_batches
from assay.engine.trie import plan
from assay.errors import InputError
from assay.models.config import ModelConfig
from assay.records import Pair
from assay.render.encoder import Encoded, Renderer
from assay.stats.draws import stream
from assay.train.config import LossConfig
from assay.train.losses.targets import Target, target_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One pair as the trainer needs it: two token rows and what their margin should be."""

    pair_id: str
    chosen: Encoded
    rejected: Encoded
    target: Target

    @property
    def tokens(self) -> int:
        return len(self.chosen.ids) + len(self.rejected.ids)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The place of an example in the training data, and its weight in the loss of its batch."""

    index: int
    weight: float


def encode_pairs(pairs: Sequence[Pair], renderer: Renderer, *, model: ModelConfig, loss: LossConfig) -> list[Example]:
    """Pairs as examples, in order. Raises InputError for a row over max_tokens: training never cuts a text."""
    examples = []
    rows = renderer.encode_many([(pair.prompt, answer) for pair in pairs for answer in (pair.chosen, pair.rejected)])
    for pair, chosen, rejected in zip(pairs, rows[::2], rows[1::2], strict=True):
        longest = max(len(chosen.ids), len(rejected.ids))
        if longest > model.max_tokens:
            raise InputError(
                f"{pair.where}: pair {pair.id} has {longest} tokens as rendered, over "
                f"model.max_tokens={model.max_tokens}. Drop such pairs with assay.render.length_gate, "
                "or raise model.max_tokens."
            )
        examples.append(Example(pair_id=pair.id, chosen=chosen, rejected=rejected, target=target_of(pair, loss)))
    return examples


class PairBatches(Sampler[list[Drawn]]):
    """The optimiser's batches of one epoch: a permutation drawn from (seed, epoch), cut every `batch_pairs`.

    The last batch of an epoch may be smaller; its weights are larger, so its loss is a mean over it all the same.
    Of several processes each gets every `world`-th pair of a batch; a process left without gets one of weight 0, since
    all have to take part in the exchange of gradients.
    """

    def __init__(self, pairs: int, *, batch_pairs: int, seed: int, rank: int = 0, world: int = 1) -> None:
        self.pairs, self.batch_pairs, self.seed = pairs, batch_pairs, seed
        self.rank, self.world = rank, world
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(self.pairs / self.batch_pairs)

    def __iter__(self) -> Iterator[list[Drawn]]:
        order = stream(self.seed, f"epoch-{self.epoch}").permutation(self.pairs).tolist()
        for start in range(0, self.pairs, self.batch_pairs):
            batch = order[start : start + self.batch_pairs]
            share = [Drawn(index, 1 / len(batch)) for index in batch[self.rank :: self.world]]
            yield share or [Drawn(batch[0], 0.0)]


def cut(examples: Sequence[Example], *, micro_tokens: int, shared: bool = False) -> list[list[int]]:
    """Places in `examples`, cut so that the tokens a forward pass runs stay within `micro_tokens`.

    Both sides of a pair stay in one forward pass, since its loss needs both. shared: distinct tokens count, padding
    there is none; else rows are sorted by length and count as padded.
    """
    if shared:
        return plan([[one.chosen.ids, one.rejected.ids] for one in examples], token_budget=micro_tokens)
    lengths = [2 * max(len(one.chosen.ids), len(one.rejected.ids)) for one in examples]
    return micro_batches(lengths, micro_tokens)


def distinct_rows(examples: Sequence[Example]) -> tuple[list[Encoded], list[int]]:
    """The distinct rows of all chosen, then all rejected sides; and for each of the 2 B sides its place among them."""
    places: dict[Encoded, int] = {}
    sides = [one.chosen for one in examples] + [one.rejected for one in examples]
    order = [places.setdefault(side, len(places)) for side in sides]
    return list(places), order
