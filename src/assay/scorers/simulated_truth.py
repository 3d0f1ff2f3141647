"""The true utility of a simulated world as a scorer: `truth:support`, `truth:grants`. Any text of that world's prompts.

Of the desk also along one axis: `truth:support@honest`.

Not a reward to use: what a reward is held against, and what shows that a search for it does no harm. Knows worlds by
their reader of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from assay.artifacts.files import sha256_json
from assay.errors import InputError
from assay.records import Candidates, plain_text
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.simulate.grants.editorial_utility import WEIGHTS as GRANT_WEIGHTS
from assay.simulate.grants.editorial_utility import worth
from assay.simulate.support.axes import AXES, Axis, axis_worths
from assay.simulate.support.reading import gold_utility
from assay.simulate.support.truth import utility_tables
from assay.stats.unknown import Unknown

# (prompt, answer, category of the prompt where it is known) -> utility, or why there is none
Utility = Callable[[str, str, str | None], float | Unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """utility: of any text. tables: all that decides it."""

    utility: Utility
    tables: Mapping[str, object]


def _along(axis: Axis) -> World:
    """The desk's utility along one axis."""

    def utility(prompt: str, text: str, category: str | None) -> float | Unknown:
        found = axis_worths(prompt, text, category)
        return found if isinstance(found, Unknown) else found[axis]

    return World(utility=utility, tables={**utility_tables()})


WORLDS: Mapping[str, Callable[[], World]] = {
    "support": lambda: World(utility=gold_utility, tables={**utility_tables()}),
    **{f"support@{axis}": partial(_along, axis) for axis in AXES},
    "grants": lambda: World(utility=lambda prompt, text, _: worth(prompt, text).utility, tables=dict(GRANT_WEIGHTS)),
}


@dataclass(frozen=True, slots=True)
class TruthScorer:
    """The utility of each answer; unscored under prompts whose case cannot be read."""

    argument: str
    world: World

    @property
    def name(self) -> str:
        return f"truth:{self.argument}"

    @property
    def fingerprint(self) -> str:
        return f"{self.name}/{sha256_json(self.world.tables)}"

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [tuple(self._one(group, plain_text(answer)) for answer in group.answers) for group in groups]

    def _one(self, group: Candidates, answer: str) -> Scored:
        found = self.world.utility(plain_text(group.prompt), answer, group.category)
        return Unscored(f"the world does not know it: {found.reason}") if isinstance(found, Unknown) else Reward(found)


def simulated_truth(argument: str) -> TruthScorer:
    """The truth of the world called `argument`. Raises InputError for others."""
    if argument not in WORLDS:
        raise InputError(f"truth:{argument}: no such simulated world. There are {', '.join(WORLDS)}.")
    return TruthScorer(argument, WORLDS[argument]())
