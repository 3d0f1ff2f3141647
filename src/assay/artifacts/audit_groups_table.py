"""What audit.json says of groups of candidates: one row a group size, each with its chance level and length rules."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(extra="forbid"))
class GroupSizeRow(TypedDict):
    """Groups of one size. chance: of a blind pick to be a best answer; recovery null where no answer is better."""

    size: int
    groups: int
    top1: float
    chance: float
    longest: float
    shortest: float
    recovery: float | None


@with_config(ConfigDict(extra="forbid"))
class GroupTable(TypedDict):
    """known_by: how many groups' order is of scores, ranks or votes. set_aside: groups by why they are not in it."""

    groups: int
    known_by: dict[str, int]
    set_aside: dict[str, int]
    sizes: list[GroupSizeRow]
