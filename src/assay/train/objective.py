"""What a method of training is to the loop: examples in, a loss each, figures, scores, a saved model.

`Objective` is all that the loop, the callbacks and a seed's run know of what they train. A reward model is one
(train/reward.py); a policy trained by DPO is another (train/dpo/). Letters: B examples of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import JsonValue
from torch import Tensor, nn

from assay.artifacts.train_body import SelfCheckBody
from assay.engine.micro_batches import Layout
from assay.render.encoder import Encoded


class Example(Protocol):
    """One example: its name in messages, the token rows its loss needs together, and how much its loss counts, > 0."""

    @property
    def name(self) -> str: ...
    @property
    def rows(self) -> tuple[Encoded, ...]: ...
    @property
    def weight(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """loss_B: float32, shape (B,), differentiable. figures: what else is known of each example, (B,) by name."""

    loss_B: Tensor
    figures: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One example of one optimiser step, before the update: its loss, and its figures by name."""

    name: str
    loss: float
    figures: Mapping[str, float]
    tokens: int
    weight: float = 1.0


E = TypeVar("E", bound=Example)
S = TypeVar("S")


class Objective(Protocol[E, S]):
    """A model, what it is trained on, and by which loss. S: the score of one held-out example, a row of scores.jsonl.

    The loop draws batches of `examples`, cuts them into micro-batches, and adds up the gradients of `losses`, each
    example weighed; from time to time it asks for `scores` of `held_out`; at the end the model is saved and checked.
    """

    @property
    def model(self) -> nn.Module:
        """The transformers model that learns, with PEFT around it where adapters do; trained in place."""

    @property
    def examples(self) -> Sequence[E]:
        """What is trained on."""

    @property
    def held_out(self) -> Sequence[E]:
        """What is only ever scored."""

    def on(self, model: nn.Module) -> Objective[E, S]:
        """The same with another model of the same modules in place of its own: to score, to save and to check."""

    def head(self) -> Mapping[str, nn.Parameter]:
        """Parameters that begin at random and have a learning rate of their own; training must change them."""

    def layout(self, batch: Sequence[E]) -> Layout:
        """How rows of the batch stand in one pass, by which its cost is counted."""

    def forward(self, rows: Sequence[Encoded]) -> Tensor:
        """Any differentiable result of running rows as training does: what compiled code meets first."""

    def losses(self, batch: Sequence[E], among: Sequence[E], whole: Sequence[E]) -> Losses:
        """The loss of every example of a micro-batch, one forward pass.

        among: this process's part of the whole batch that the step is made on, `batch` among it: for losses that
        compare examples, or weigh them by what the batch holds. whole: the whole batch, of all processes: what can be
        known of it without a pass. Others look at neither.
        """

    def step_figures(self, seen: Sequence[Seen]) -> Mapping[str, float]:
        """What metrics.jsonl says of one step beside loss, counts and speed: exact over all its examples."""

    def scores(self, share: Sequence[E]) -> Sequence[S]:
        """One score for each of some held-out examples, in order. Called in evaluation mode, without gradients."""

    def evaluate(self, scores: Sequence[S]) -> Mapping[str, int | float | None]:
        """Figures of all held-out scores, in order; `n` says how many examples they are of, None what is unknown."""

    def save(self, folder: Path, *, provenance: Mapping[str, JsonValue]) -> None:
        """Write the model into `folder`, which is new and is renamed when all of it is there."""

    def self_check(self, folder: Path) -> Mapping[str, SelfCheckBody]:
        """Check the saved folder against the model in memory, by name. Raises TrainingError for what may not fail."""


AnyObjective = Objective[Any, Any]  # the loop takes every kind, and hands what it gets from one method to the next
