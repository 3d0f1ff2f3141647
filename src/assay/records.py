"""The frozen values every stage speaks in: candidates, pairs, votes, rejects, scores.

Candidates under one prompt, with what is known of them, are the unit; a pair is two of them and which one people
preferred. Knows no file format, no model and no statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

NO_CATEGORY = "(none)"  # what rows that state no category are counted under, everywhere

RejectReason = Literal[
    "tie",
    "abstention",
    "low_agreement",
    "context_mismatch",
    "identical_candidates",
    "empty_candidate",
    "missing_field",
    "not_text",
    "bad_json",
    "bad_encoding",
    "duplicate",
    "conflicting_labels",
    "too_long",
    "template_not_prefix",
]
REJECT_REASONS: tuple[str, ...] = get_args(RejectReason)
# Rows that carry information although they are not definite pairs: they go to review.jsonl, not only to rejects.jsonl.
REVIEW_REASONS: frozenset[str] = frozenset({"tie", "abstention", "low_agreement", "conflicting_labels"})

Choice = Literal["chosen", "rejected", "tie", "abstain"]
PairSide = Literal["chosen", "rejected"]
Part = Literal["prompt", "chosen", "rejected", "both"]  # of a pair: what a reject is about
Label = Literal["chosen", "tie"]
OTHER_SIDE: Mapping[PairSide, PairSide] = {"chosen": "rejected", "rejected": "chosen"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


Text = str | tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One annotator's judgement of one pair, told in terms of the pair's own chosen and rejected."""

    choice: Choice
    annotator: str | None = None
    shown_left: PairSide | None = None  # which answer stood on the left, where known


@dataclass(frozen=True, slots=True)
class Where:
    """Where a row came from: a file (or a name for data in memory) and a line, counted from 1."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One annotator's judgement between two answers of a group of candidates, named by their places from 0."""

    first: int
    second: int
    choice: Literal["first", "second", "tie", "abstain"]
    annotator: str | None = None
    shown_left: Literal["first", "second"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """All answers to one prompt, and what is known of them; the unit a Scorer takes and pairs are derived from.

    ranks: one an answer, 1 the best, equal ranks a tie. scores: one an answer, higher is better. Either is None where
    the data state none, and holds None for an answer of which it is unknown. votes: judgements between two answers.
    """

    id: str
    prompt: Text
    answers: tuple[Text, ...]
    ranks: tuple[float | None, ...] | None = None
    scores: tuple[float | None, ...] | None = None
    votes: tuple[Comparison, ...] = ()
    category: str | None = None
    group: str | None = None
    source: Mapping[str, object] = field(default_factory=dict, hash=False)
    where: Where = Where("memory", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two different answers to the same prompt, and which one people preferred.

    label "tie" occurs only where ties are kept on purpose (a tie-aware loss); the order is then as read.
    margin: strength of the preference as the data states it, >= 0, or None.
    group: name of the candidate group as the data states it; the split adds near-duplicates to it.
    weight: what the pair counts in the loss beside others, > 0; pairs derived from one group share one.
    """

    id: str
    prompt: Text
    chosen: Text
    rejected: Text
    label: Label = "chosen"
    category: str | None = None
    group: str | None = None
    votes: tuple[Vote, ...] = ()
    margin: float | None = None
    weight: float = 1.0
    source: Mapping[str, object] = field(default_factory=dict, hash=False)
    where: Where = Where("memory", 0)

    def swapped(self) -> Pair:
        """The pair with its answers exchanged and its votes turned with them, to ask a judge in the other order.

        The label stays, so the names chosen and rejected no longer say who won: twice swapped is the pair itself.
        """
        votes = tuple(
            replace(
                vote,
                choice=OTHER_SIDE[vote.choice] if vote.choice in ("chosen", "rejected") else vote.choice,
                shown_left=None if vote.shown_left is None else OTHER_SIDE[vote.shown_left],
            )
            for vote in self.votes
        )
        return replace(self, chosen=self.rejected, rejected=self.chosen, votes=votes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that did not become a pair, and why. `row` is what could be read of it, for the review file."""

    where: Where
    reason: RejectReason
    detail: str
    side: Part | None = None
    category: str | None = None
    row: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """The rewards one scorer gave to the two answers of one pair."""

    pair_id: str
    chosen: float
    rejected: float

    @property
    def margin(self) -> float:
        return self.chosen - self.rejected


def plain_text(text: Text) -> str:
    """The words of a text or conversation without any template: contents joined by a blank line."""
    return text if isinstance(text, str) else "\n\n".join(message.content for message in text)


def as_messages(text: Text, *, role: str) -> tuple[Message, ...]:
    """A text as messages: plain text becomes one message of `role`."""
    return (Message(role=role, content=text),) if isinstance(text, str) else text


def to_json(text: Text) -> str | list[dict[str, str]]:
    """A text as it stands in JSON."""
    return text if isinstance(text, str) else [{"role": m.role, "content": m.content} for m in text]
