"""Which examples an optimiser step sees, what each counts, and how they are cut into forward passes.

The experiment is the drawing: a permutation of all examples an epoch, cut every so many. Cutting is only arithmetic: a
batch is sorted by length and cut into micro-batches within a token budget, and every example keeps its share of the
whole batch's loss, so the gradient is that of the whole batch. Knows rows of tokens; knows no model and no loss.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from torch.utils.data import Sampler

from assay.engine.micro_batches import Layout, micro_batches
from assay.engine.trie import plan
from assay.render.encoder import Encoded
from assay.stats.draws import stream
from assay.train.config import TrainConfig
from assay.train.objective import Example


@dataclass(frozen=True, slots=True)
class Drawn:
    """The place of an example among those trained on, and its share of the loss of its batch."""

    index: int
    share: float


class Batches(Sampler[list[Drawn]]):
    """The optimiser's batches of one epoch: a permutation drawn from (seed, epoch), cut every `size`.

    weights: of all examples, > 0. An example's share of its batch's loss is its weight by the sum of the batch's, so
    that shares add up to 1 in the last batch of an epoch too, which may be smaller.
    Of several processes each gets every `world`-th example of a batch; a process left without gets one of share 0,
    since all have to take part in the exchange of gradients. prompts: the prompt of each example; given, prompts are
    permuted, each with all its examples, which then come one after the other.
    """

    def __init__(
        self,
        weights: Sequence[float],
        *,
        size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        prompts: Sequence[Hashable] | None = None,
    ) -> None:
        self.weights, self.size, self.seed = weights, size, seed
        self.rank, self.world = rank, world
        self.epoch = 0
        self._drawn: tuple[int, list[int]] | None = None
        self._families: dict[Hashable, list[int]] = {}
        for index, prompt in enumerate(prompts or ()):
            self._families.setdefault(prompt, []).append(index)

    def __len__(self) -> int:
        return math.ceil(len(self.weights) / self.size)

    def whole(self, number: int) -> list[int]:
        """The examples of batch `number` of this epoch, those of all processes."""
        if self._drawn is None or self._drawn[0] != self.epoch:
            self._drawn = self.epoch, self._order()
        return self._drawn[1][number * self.size : (number + 1) * self.size]

    def __iter__(self) -> Iterator[list[Drawn]]:
        for number in range(len(self)):
            batch = self.whole(number)
            # Over the whole batch, not over this process's part: it is the batch whose loss is a mean. Weights that are
            # all 1 add up exactly, and 1 / sum is then 1 / len to the last bit.
            total = sum(self.weights[index] for index in batch)
            part = [Drawn(index, self.weights[index] / total) for index in batch[self.rank :: self.world]]
            yield part or [Drawn(batch[0], 0.0)]

    def _order(self) -> list[int]:
        # A stream an epoch, not one for all: a run that goes on in the third epoch need not draw the first two again.
        if not self._families:
            return [int(n) for n in stream(self.seed, f"epoch-{self.epoch}").permutation(len(self.weights))]
        families = list(self._families.values())
        order = stream(self.seed, f"prompts of epoch-{self.epoch}").permutation(len(families))
        return [index for family in order for index in families[family]]


def batches_of(examples: Sequence[Example], config: TrainConfig, *, seed: int, rank: int, world: int) -> Batches:
    """The batches of a training on these examples, in the process `rank` of `world`."""
    prompts = [_prompt(one) for one in examples] if config.draw == "prompts" else None
    weights = [one.weight for one in examples]
    return Batches(weights, size=config.batch_pairs, seed=seed, rank=rank, world=world, prompts=prompts)


def _prompt(example: Example) -> tuple[int, ...]:
    """The tokens of an example's prompt."""
    row = example.rows[0]
    return row.ids[: row.prompt_tokens]


def tokens_of(example: Example) -> int:
    """Tokens of all rows of an example, padding not counted."""
    return sum(len(row.ids) for row in example.rows)


def cut(examples: Sequence[Example], *, micro_tokens: int, layout: Layout = "padded") -> list[list[int]]:
    """Places in `examples`, cut so that the tokens a forward pass runs stay within `micro_tokens`.

    All rows of an example stay in one forward pass, since its loss needs them together. Examples are sorted by length.
    What counts is what the layout runs: distinct tokens, the rows' own, or with padding.
    """
    if layout == "shared":
        return plan([[row.ids for row in one.rows] for one in examples], token_budget=micro_tokens)
    if layout == "side by side":
        return micro_batches([tokens_of(one) for one in examples], micro_tokens, padding=False)
    lengths = [len(one.rows) * max(len(row.ids) for row in one.rows) for one in examples]
    return micro_batches(lengths, micro_tokens)


def distinct_rows(rows: Sequence[Encoded]) -> tuple[list[Encoded], list[int]]:
    """The distinct rows in the order of their first coming; and for each of `rows` its place among them."""
    places: dict[Encoded, int] = {}
    order = [places.setdefault(row, len(places)) for row in rows]
    return list(places), order
