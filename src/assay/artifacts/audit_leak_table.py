"""What stands in audit.json of leakage: counts, and the first pairs whose prompts were trained on."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class LeakRow(TypedDict):
    """kind: the training had the same pair, the same pair labelled the other way, the same prompt, or one nearly so."""

    pair_id: str
    category: str | None
    kind: Literal["same pair", "turned pair", "same prompt", "near prompt"]
    prompt: str


@with_config(STRICT)
class LeakTable(TypedDict):
    """Pairs of the audit by what the training had of them; a pair counts under the closest kind.

    answers: pairs with an answer that stood under another prompt. rows: the first of the pairs counted, in order.
    """

    training_pairs: int
    same_pair: int
    turned_pair: int
    same_prompt: int
    near_prompt: int
    answers: int
    rows: list[LeakRow]
