"""One comparison, or several of one row, in the words of the contract, before it is judged.

Knows no layout and no rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.data.layouts.labels import Ballot, Outcome
from assay.data.layouts.texts import UnfitError
from assay.records import Text


@dataclass(slots=True, kw_only=True)
class Draft:
    """Two answers in the order read, and what was said of them.

    other_prompt: the prompt the right answer was given to; the same as `prompt` unless the data keep two.
    label: the outcome as the data state it, None where only votes are given.
    id to source: as they stand in the row, whatever they are. unfit: why it is no pair, where its maker saw it.
    objective: what the label is about, where the row says so. several: whether it states others of this pair as well.
    """

    prompt: Text
    other_prompt: Text
    left: Text
    right: Text
    label: Outcome | None = None
    votes: tuple[Ballot, ...] = ()
    id: object = None
    category: object = None
    group: object = None
    margin: object = None
    weight: object = None
    source: object = None
    unfit: UnfitError | None = None
    objective: object = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class Drafts:
    """Several comparisons of one row. answers: of how many candidates; None where they are objectives of one pair."""

    drafts: tuple[Draft, ...]
    answers: int | None = None
