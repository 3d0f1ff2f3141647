"""What stands in audit.json on slices: one row for each part of the pairs that was looked at. Primitive fields only."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12


@with_config(ConfigDict(extra="forbid"))
class SliceRow(TypedDict):
    """One slice against all other pairs.

    kind, name: what it is a slice by, and which. groups: prompt groups in it. rest: accuracy of the other pairs.
    p: that luck would put it so far below, corrected by Holm over all slices scanned; null where it was not scanned.
    power: chance that a slice 20 points below the rest would have been found.
    judged: "below" where it is truly below the rest, "too_few" where it could not have been told, "shown" where being
    below is in its nature, else "ok".
    """

    kind: str
    name: str
    n: int
    groups: int
    accuracy: float
    low: float | None
    high: float | None
    rest: float
    p: float | None
    power: float | None
    judged: Literal["ok", "below", "too_few", "shown"]
