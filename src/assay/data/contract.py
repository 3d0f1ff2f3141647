"""The pair contract: a row becomes a Pair, or a Reject with one of the reasons of records.py.

Knows what a usable pair is; knows no file format, and nothing of other rows (that is overlap.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, NoReturn

import orjson

from assay.data.config import DataConfig
from assay.data.layouts.draft import Draft
from assay.data.layouts.known import Plan
from assay.data.layouts.labels import OUTCOMES, Ballot, Outcome
from assay.data.layouts.texts import Side, UnfitError, blank, missing, told
from assay.data.sources.row import Row
from assay.records import Label, Message, Pair, Reject, RejectReason, Text, Vote, as_messages, to_json

SHAPE_ERRORS = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


@dataclass(slots=True)
class Agreement:
    """What the votes say, over every row that has some, kept or not."""

    rows: int = 0
    votes: int = 0
    several: int = 0
    share_sum: float = 0.0
    unanimous: int = 0
    ties: int = 0
    abstentions: int = 0
    shown: int = 0
    picked_left: int = 0
    annotators: Counter[str] = field(default_factory=Counter)

    def count(self, votes: tuple[Ballot, ...], counts: Mapping[Outcome, int]) -> None:
        said = len(votes) - counts["abstain"]
        self.rows += 1
        self.votes += len(votes)
        self.ties += counts["tie"]
        self.abstentions += counts["abstain"]
        if said > 1:
            top = max(counts["left"], counts["right"], counts["tie"])
            self.several += 1
            self.share_sum += top / said
            self.unanimous += top == said
        for vote in votes:
            if vote.annotator is not None:
                self.annotators[vote.annotator] += 1
            if vote.shown_left is not None and vote.outcome in ("left", "right"):
                self.shown += 1
                self.picked_left += vote.outcome == vote.shown_left

    def report(self) -> dict[str, Any] | None:
        """Counts and shares; None where no row has votes, None inside where a share has nothing to be of."""
        if not self.rows:
            return None
        return {
            "rows_with_votes": self.rows,
            "votes": self.votes,
            "annotators": len(self.annotators) or None,
            "rows_with_several_votes": self.several,
            "mean_majority_share": self.share_sum / self.several if self.several else None,
            "unanimous_share": self.unanimous / self.several if self.several else None,
            "tie_votes": self.ties,
            "abstentions": self.abstentions,
            "votes_with_position": self.shown,
            "picked_left_share": self.picked_left / self.shown if self.shown else None,
        }


@dataclass(slots=True)
class Judge:
    """Applies one plan and one configuration to rows; keeps count of the votes it saw."""

    plan: Plan
    config: DataConfig
    agreement: Agreement = field(default_factory=Agreement)

    def judge(self, row: Row) -> Pair | Reject:
        """The pair a row holds, or why it holds none."""
        draft: Draft | None = None
        try:
            draft = self.plan.build(row)
            return self.accept(draft, row)
        except UnfitError as unfit:
            reason, detail, side = unfit.reason, unfit.detail, unfit.side
        except UnicodeEncodeError as error:
            reason, detail, side = "bad_encoding", f"half of a surrogate pair at character {error.start + 1}", None
        except SHAPE_ERRORS as error:
            reason, side = "not_text", None
            detail = f"the values do not have the shape of layout {self.plan.name} ({type(error).__name__}: {error})"
        category = printable(self.plan.columns.pick(row.data, "category"))
        kept = as_read(draft, row) if draft is not None else row.data
        return Reject(where=row.where, reason=reason, detail=detail, side=side, category=category, row=kept)

    def accept(self, draft: Draft, row: Row) -> Pair:
        """Raises UnfitError with the first reason that applies."""
        counts = counted(draft.votes)
        if draft.votes:
            self.agreement.count(draft.votes, counts)
        check_texts(draft)
        outcome = decide(draft, counts, self.config)
        turned = outcome == "right"
        chosen, rejected = (draft.right, draft.left) if turned else (draft.left, draft.right)
        prompt, chosen, rejected = alike(draft.prompt, chosen, rejected)
        for text in (prompt, chosen, rejected):
            if type(text) is not str or not text.isascii():
                encoded(text)  # raises UnicodeEncodeError
        label: Label = "tie" if outcome == "tie" else "chosen"
        return Pair(
            id=name(draft.id, "id") or pair_id(prompt, chosen, rejected),
            prompt=prompt,
            chosen=chosen,
            rejected=rejected,
            label=label,
            category=name(draft.category, "category"),
            group=name(draft.group, "group"),
            votes=tuple([as_vote(vote, turned=turned) for vote in draft.votes]),
            margin=margin(draft.margin),
            source=source(draft.source),
            where=row.where,
        )


def check_texts(draft: Draft) -> None:
    if blank(draft.prompt) or blank(draft.other_prompt):
        raise UnfitError("missing_field", "the prompt is empty", "prompt")
    if blank(draft.left) or blank(draft.right):
        refuse_empty(draft)
    if asks(draft.left) or asks(draft.right):
        raise UnfitError(
            "missing_field", "the answer ends with a turn of the user: there is no answer", side_of(draft, asks)
        )
    if draft.prompt is not draft.other_prompt and trimmed(draft.prompt) != trimmed(draft.other_prompt):
        raise UnfitError("context_mismatch", "the two answers were given to different prompts", "prompt")
    if trimmed(draft.left) == trimmed(draft.right):
        raise UnfitError("identical_candidates", "both answers are the same", "both")


def refuse_empty(draft: Draft) -> NoReturn:
    """Raises UnfitError with the side that is empty."""
    side = side_of(draft, blank)
    raise UnfitError("empty_candidate", f"{'chosen and rejected' if side == 'both' else side} empty", side)


def asks(text: Text) -> bool:
    """Whether a conversation ends with the user's turn."""
    return not isinstance(text, str) and text[-1].role == "user"


def side_of(draft: Draft, concerned: Callable[[Text], bool]) -> Side:
    """The side concerned; which one that is depends on who won, where that is known."""
    sides: tuple[Side, Side] = ("rejected", "chosen") if draft.label == "right" else ("chosen", "rejected")
    left, right = concerned(draft.left), concerned(draft.right)
    return "both" if left and right else sides[0] if left else sides[1]


def trimmed(text: Text) -> Any:
    if isinstance(text, str):
        return text.strip()
    if len(text) == 1:  # one assistant message and the same words as plain text are one answer
        return text[0].content.strip()
    return [(message.role, message.content.strip()) for message in text]


def counted(votes: tuple[Ballot, ...]) -> dict[Outcome, int]:
    """How many voted for each outcome."""
    found: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
    for vote in votes:
        found[vote.outcome] += 1
    return found


def decide(draft: Draft, counts: Mapping[Outcome, int], config: DataConfig) -> Outcome:
    """Who won, by the stated label, else by the majority. Raises UnfitError: abstention, tie, low_agreement."""
    said = len(draft.votes) - counts["abstain"]
    outcome = draft.label
    if outcome is None:
        if not draft.votes:
            raise UnfitError("missing_field", "neither a label nor votes")
        if not said:
            raise UnfitError("abstention", f"all {len(draft.votes)} votes are abstentions")
        outcome = majority(counts)
    if outcome == "abstain":
        raise UnfitError("abstention", "the label is an abstention")
    if 2 * counts["tie"] > said:  # most annotators saw no difference, whatever the columns are called
        outcome = "tie"
    if outcome == "tie":
        if config.ties == "keep":
            return outcome
        raise UnfitError("tie", "the answers are tied" if not said else f"the votes are tied: {dict(counts)}")
    if said and counts[outcome] < config.min_agreement * said:
        raise UnfitError(
            "low_agreement", f"{counts[outcome]} of {said} votes agree; at least {config.min_agreement:.0%} have to"
        )
    return outcome


def majority(counts: Mapping[Outcome, int]) -> Outcome:
    """The side with more votes than the other; a tie if they have the same, or ties alone have most."""
    left, right = counts["left"], counts["right"]
    if left == right or counts["tie"] > max(left, right):
        return "tie"
    return "left" if left > right else "right"


AS_READ: dict[str, Any] = {"left": "chosen", "right": "rejected", "tie": "tie", "abstain": "abstain"}
TURNED: dict[str, Any] = AS_READ | {"left": "rejected", "right": "chosen"}


ANONYMOUS: dict[str, Vote] = {choice: Vote(choice=choice) for choice in AS_READ.values()}


def as_vote(vote: Ballot, *, turned: bool) -> Vote:
    names = TURNED if turned else AS_READ
    if vote.annotator is None and vote.shown_left is None:
        return ANONYMOUS[names[vote.outcome]]
    if vote.annotator is not None and not vote.annotator.isascii():
        vote.annotator.encode()  # raises UnicodeEncodeError
    shown = None if vote.shown_left is None else names[vote.shown_left]
    return Vote(choice=names[vote.outcome], annotator=vote.annotator, shown_left=shown)


def alike(prompt: Text, chosen: Text, rejected: Text) -> tuple[Text, Text, Text]:
    """All as texts or, where one is messages, all as messages."""
    if type(prompt) is str and type(chosen) is str and type(rejected) is str:
        return prompt, chosen, rejected
    asked = as_messages(prompt, role="user")
    return asked, as_messages(chosen, role="assistant"), as_messages(rejected, role="assistant")


def name(value: Any, what: Literal["id", "category", "group"]) -> str | None:
    """A name as text. Raises UnfitError for lists and objects."""
    if missing(value):
        return None
    if not isinstance(value, str):
        if not isinstance(value, bool | int | float):
            raise UnfitError("not_text", f"the {what} is {told(value)}, not a name")
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if not value.isascii():
        value.encode()  # raises UnicodeEncodeError
    return value


def printable(value: Any) -> str | None:
    """A category for counting, even of a row that is rejected for it."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) and value else None


def margin(value: Any) -> float | None:
    """A stated strength of preference. Raises UnfitError unless it is a finite number >= 0 or nothing."""
    if missing(value):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise UnfitError("missing_field", f"the margin is {str(value)[:40]!r}; it must be a number >= 0")
    return number


def source(value: Any) -> Mapping[str, Any]:
    """Where a pair came from, as the data say it. Raises UnfitError if it cannot be written as JSON again."""
    if missing(value):
        return {}
    found = value if isinstance(value, Mapping) else {"name": value}
    try:
        orjson.dumps(found)
    except TypeError as error:  # orjson's encoding errors are TypeErrors
        raise UnfitError("not_text", f"the source cannot be written as JSON ({error})") from None
    return found


def encoded(text: Text) -> bytes:
    """A text's bytes for hashing. Raises UnicodeEncodeError for half a surrogate pair."""
    if type(text) is str:
        return text.encode()
    return "\x1e".join(f"{m.role}\x1f{m.content}" for m in text if isinstance(m, Message)).encode()


def pair_id(prompt: Text, chosen: Text, rejected: Text) -> str:
    """A name made from the texts, whichever answer won."""
    low, high = sorted((encoded(chosen), encoded(rejected)))
    return "p-" + blake2b(b"\0".join((encoded(prompt), low, high)), digest_size=8).hexdigest()


def as_read(draft: Draft, row: Row) -> Mapping[str, Any]:
    """A draft in the native layout, answers in the order read, for a person to adjudicate."""
    votes = [
        {"choice": vote.choice, "annotator": vote.annotator, "shown_left": vote.shown_left}
        for vote in (as_vote(ballot, turned=False) for ballot in draft.votes)
    ]
    told_of: dict[str, Any] = {
        "id": draft.id,
        "prompt": to_json(draft.prompt),
        "chosen": to_json(draft.left),
        "rejected": to_json(draft.right),
        "category": draft.category,
        "group": draft.group,
        "votes": votes or None,
        "margin": draft.margin,
        "source": draft.source,
    }
    return {key: value for key, value in told_of.items() if value is not None}


REASON_NOTES: dict[RejectReason, str] = {
    "tie": "nobody won",
    "abstention": "nobody judged",
    "low_agreement": "the votes disagree",
    "context_mismatch": "the answers belong to different prompts",
    "identical_candidates": "both answers are the same",
    "empty_candidate": "an answer is empty",
    "missing_field": "prompt, answer or label is missing or not understood",
    "not_text": "a value is no text",
    "bad_json": "the row cannot be read as JSON or as a row of its table",
    "bad_encoding": "the row is not UTF-8",
    "duplicate": "the same pair occurs earlier",
    "conflicting_labels": "the same pair is labelled both ways",
    "too_long": "longer than the limit",
    "template_not_prefix": "the chat template changes the prompt when an answer follows",
}
