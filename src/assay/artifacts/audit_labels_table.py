"""The table of labels in audit.json: who voted, and which labels look wrong. Primitive fields only."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

STRICT = ConfigDict(extra="forbid")


@with_config(STRICT)
class AnnotatorRow(TypedDict):
    """One annotator. reliability: chance that he picks the right one of two answers, as the votes of all tell it.

    agreement, left, longer: shares of his votes; each beside what others did on the same pairs. Null where unknown.
    named: the findings that name him.
    """

    annotator: str
    votes: int
    reliability: float
    agreement: float | None
    agreement_of_others: float | None
    left: float | None
    left_of_others: float | None
    longer: float | None
    longer_of_others: float | None
    named: list[str]


@with_config(STRICT)
class SuspectRow(TypedDict):
    """A label that looks wrong. wrong: the chance that it is. margin: of the reward, mean over seeds; null if none."""

    pair_id: str
    category: str | None
    wrong: float
    margin: float | None
    votes_for: int
    votes_against: int
    where: str


@with_config(STRICT)
class LabelsTable(TypedDict):
    """annotators: those with most votes first; annotator_count: all. suspects: the first of suspected_labels.jsonl.

    suspected: rows of that file. expected_wrong: labels expected to be wrong among all, or null.
    """

    annotators: list[AnnotatorRow]
    annotator_count: int
    suspects: list[SuspectRow]
    suspected: int
    expected_wrong: float | None
