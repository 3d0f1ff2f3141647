"""One row in the words of the contract, before it is judged. Knows no layout and no rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from assay.data.layouts.labels import Ballot, Outcome
from assay.records import Text


@dataclass(slots=True, kw_only=True)
class Draft:
    """Two answers in the order read, and what was said of them.

    other_prompt: the prompt the right answer was given to; the same as `prompt` unless the data keep two.
    label: the outcome as the data state it, None where only votes are given.
    """

    prompt: Text
    other_prompt: Text
    left: Text
    right: Text
    label: Outcome | None = None
    votes: tuple[Ballot, ...] = ()
    id: Any = None
    category: Any = None
    group: Any = None
    margin: Any = None
    source: Any = field(default=None)
