"""The forward passes of one optimiser step: how its examples stand in them, and which prompts are kept between them.

Cutting is arithmetic (train/batches.py): the passes' gradients add up to the batch's, whichever way is taken. Knows
examples as rows; knows no loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import nn

from assay.engine.kept_plan import SHORTEST, Family, kept_families
from assay.engine.kept_prompt import KeptPrompt, keeps_prompts
from assay.engine.micro_batches import Layout
from assay.engine.rows_apart import RowsApart, drops_out
from assay.train.batches import cut
from assay.train.objective import Example

# Prompts are kept and losses made of rows that run apart; prompts are kept and examples stay whole; nothing is kept.
Keeping = Literal["rows apart", "examples whole", "no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Examples, by their places in the batch, whose losses are made at once.

    kept: the prompt that they attend to; closing: no later pass does. apart: their rows run in passes of their own.
    counts: False for one that is run because other processes run as many, of examples that another pass has counted.
    """

    places: Sequence[int]
    kept: KeptPrompt | None = None
    closing: bool = False
    apart: RowsApart | None = None
    counts: bool = True

    @contextmanager
    def attending(self) -> Iterator[None]:
        """Around the forward pass, and whatever makes the losses."""
        if self.apart is not None:
            with self.apart.running():
                yield
        elif self.kept is not None:
            with self.kept.attended(closing=self.closing):
                yield
        else:
            yield

    def after_backward(self) -> None:
        """What is left to be gone back through when the losses have been."""
        if self.apart is not None:
            self.apart.backward()


def keeping(model: nn.Module, *, processes: int, asked: bool) -> Keeping:
    """What this model allows: rows apart run twice, which dropout would tell, and several processes count passes."""
    if not asked or not keeps_prompts(model):
        return "no"
    # Processes exchange gradients in the backward pass of the module's last call; rows apart have more behind it.
    return "examples whole" if processes > 1 or drops_out(model) else "rows apart"


def passes(
    examples: Sequence[Example], *, micro_tokens: int, layout: Layout, keep: Keeping = "no", shortest: int = SHORTEST
) -> list[Pass]:
    """Every example in exactly one pass. Families that keep a prompt come first, the others are cut as `cut` does."""
    families: list[Family] = []
    if layout == "shared" and keep != "no":
        families = kept_families(
            [[row.ids for row in one.rows] for one in examples],
            # The prompt's last token runs with the answers: what is read there is found there.
            [max(0, min(row.prompt_tokens for row in one.rows) - 1) for one in examples],
            token_budget=micro_tokens,
            may_cut=keep == "rows apart",
            shortest=shortest,
        )
    found = [one for family in families for one in _of(family)]
    others = sorted(set(range(len(examples))).difference(place for one in found for place in one.places))
    parts = cut([examples[place] for place in others], micro_tokens=micro_tokens, layout=layout) if others else []
    return found + [Pass(places=[others[place] for place in part]) for part in parts]


def in_as_many(parts: Sequence[Pass], count: int) -> list[Pass]:
    """The same examples in `count` passes, at least as many as there are: the largest halved, until all have one.

    What is still missing then runs an example once more and counts nothing.
    """
    found = list(parts)
    while len(found) < count:
        largest = max(range(len(found)), key=lambda number: len(found[number].places))
        places = found[largest].places
        if len(places) < 2:
            return found + [Pass(places=places, counts=False)] * (count - len(found))
        middle = (len(places) + 1) // 2
        found[largest : largest + 1] = [Pass(places=places[:middle]), Pass(places=places[middle:])]
    return found


def _of(family: Family) -> list[Pass]:
    if not len(family.beginning):
        return [Pass(places=family.members)]
    kept = KeptPrompt(family.beginning, recomputed=family.recomputed)
    if family.apart:
        return [Pass(places=family.members, kept=kept, apart=RowsApart(kept, token_budget=family.room))]
    last = len(family.passes) - 1
    return [Pass(places=places, kept=kept, closing=n == last) for n, places in enumerate(family.passes)]
