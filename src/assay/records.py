"""The frozen values every stage speaks in. Knows no file format, no model and no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

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
Label = Literal["chosen", "tie"]
NO_CATEGORY = "(none)"  # rows without a category, wherever categories are counted; data may use the name themselves


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
    shown_left: Literal["chosen", "rejected"] | None = None  # which answer stood on the left, where known


@dataclass(frozen=True, slots=True)
class Where:
    """Where a row came from: a file (or a name for data in memory) and a line, counted from 1."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two different answers to the same prompt, and which one people preferred.

    label "tie" occurs only where ties are kept on purpose (a tie-aware loss); the order is then as read.
    margin: strength of the preference as the data states it, >= 0, or None.
    group: name of the candidate group as the data states it; the split adds near-duplicates to it.
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
    source: Mapping[str, Any] = field(default_factory=dict)
    where: Where = Where("memory", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that did not become a pair, and why. `row` is what could be read of it, for the review file."""

    where: Where
    reason: RejectReason
    detail: str
    side: Literal["prompt", "chosen", "rejected", "both"] | None = None
    category: str | None = None
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """All answers to one prompt that are to be scored together; the unit a Scorer takes."""

    id: str
    prompt: Text
    answers: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """The rewards one scorer gave to the two answers of one pair."""

    pair_id: str
    chosen: float
    rejected: float

    @property
    def margin(self) -> float:
        return self.chosen - self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One answer a policy gave to a prompt."""

    prompt_id: str
    prompt: Text
    answer: Text
    system: str
    sampling: Mapping[str, Any] = field(default_factory=dict)


def plain_text(text: Text) -> str:
    """The words of a text or conversation without any template: contents joined by a blank line."""
    return text if isinstance(text, str) else "\n\n".join(message.content for message in text)


def as_messages(text: Text, *, role: str) -> tuple[Message, ...]:
    """A text as messages: plain text becomes one message of `role`."""
    return (Message(role=role, content=text),) if isinstance(text, str) else text


def to_json(text: Text) -> str | list[dict[str, str]]:
    """A text as it stands in JSON."""
    return text if isinstance(text, str) else [{"role": m.role, "content": m.content} for m in text]
