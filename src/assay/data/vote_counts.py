"""Votes on one comparison -> who won; votes on all of them -> agreement. Knows outcomes; knows no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.artifacts.contract_body import AgreementReport
from assay.data.config import DataConfig
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import OUTCOMES, Ballot, Outcome
from assay.data.layouts.texts import UnfitError
from assay.records import Choice, PairSide, Vote


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
        # One vote agrees with itself: it would raise the shares and say nothing.
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

    def report(self) -> AgreementReport | None:
        """Counts and shares; None where no row has votes."""
        if not self.rows:
            return None
        return AgreementReport(
            rows_with_votes=self.rows,
            votes=self.votes,
            annotators=len(self.annotators) or None,
            rows_with_several_votes=self.several,
            mean_majority_share=self.share_sum / self.several if self.several else None,
            unanimous_share=self.unanimous / self.several if self.several else None,
            tie_votes=self.ties,
            abstentions=self.abstentions,
            votes_with_position=self.shown,
            picked_left_share=self.picked_left / self.shown if self.shown else None,
        )


def outcome_counts(votes: tuple[Ballot, ...]) -> dict[Outcome, int]:
    """How many voted for each outcome."""
    found: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
    for vote in votes:
        found[vote.outcome] += 1
    return found


def winner(draft: Draft, counts: Mapping[Outcome, int], config: DataConfig) -> Outcome:
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


# What a vote for an outcome means once the pair has a chosen answer: as read if the left one won, else turned.
AS_READ: Mapping[Outcome, Choice] = {"left": "chosen", "right": "rejected", "tie": "tie", "abstain": "abstain"}
TURNED: Mapping[Outcome, Choice] = {**AS_READ, "left": "rejected", "right": "chosen"}
SHOWN_AS_READ: Mapping[str, PairSide] = {"left": "chosen", "right": "rejected"}
SHOWN_TURNED: Mapping[str, PairSide] = {"left": "rejected", "right": "chosen"}
# One value for all votes that name nobody: most are such, and a million of them need not be made.
ANONYMOUS: Mapping[Choice, Vote] = {choice: Vote(choice=choice) for choice in AS_READ.values()}


def as_vote(vote: Ballot, *, turned: bool) -> Vote:
    """A vote in terms of chosen and rejected; turned: the right answer won."""
    choice = (TURNED if turned else AS_READ)[vote.outcome]
    if vote.annotator is None and vote.shown_left is None:
        return ANONYMOUS[choice]
    shown = None if vote.shown_left is None else (SHOWN_TURNED if turned else SHOWN_AS_READ)[vote.shown_left]
    return Vote(choice=choice, annotator=vote.annotator, shown_left=shown)
