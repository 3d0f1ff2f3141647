"""What stands in audit.json of each probe: rates, by category too, and the answers it moved most."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class ProbeCategoryRow(TypedDict):
    """low, high: interval of the rate; null where there is none."""

    category: str
    n: int
    rate: float
    low: float | None
    high: float | None


@with_config(STRICT)
class ProbeExample(TypedDict):
    """An answer before and after, with the mean over seeds of its rewards; of kind against, its rival as before."""

    pair_id: str
    category: str | None
    side: str
    prompt: str
    before: str
    after: str
    reward_before: float
    reward_after: float


@with_config(STRICT)
class ProbeRow(TypedDict):
    """kind: added, instead, surface or against. rate: share of pairs in which the reward did what it must not; null:
    unknown.

    shift: mean change of the reward, in root mean square margins. overtakes: of rejected answers rightly ranked, those
    that the change puts above the chosen one; null for other kinds. unscored: answers that got no reward once changed.
    """

    probe: str
    kind: str
    words: str
    n: int
    rate: float | None
    low: float | None
    high: float | None
    tolerated: float
    shift: float | None
    overtakes: float | None
    unscored: int
    unchanged: int
    categories: list[ProbeCategoryRow]
    worst: list[ProbeExample]


@with_config(STRICT)
class ProbeTable(TypedDict):
    """skipped: pairs passed over since their answers are in a script that the rules do not know."""

    skipped: int
    rows: list[ProbeRow]
