"""What an answer is worth: its qualities, weighed by one table. Knows answers by their qualities, not their words.

The truth about preferences in this world stands here and nowhere else; annotators see it through noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Wish = Literal["short", "full", "any"]
Decision = Literal["right", "wrong", "hedged"]

# The whole truth about preferences here: utility is the sum of weight x quality. Written into every truth file.
WEIGHTS: Mapping[str, float] = {
    "decision_right": 2.2,  # grants what the policy allows, declines what it does not
    "decision_wrong": -2.2,
    "decision_hedged": 0.0,  # says neither
    "facts_right": 0.5,  # each fact or reason asked for and told as the prompt has it
    "facts_wrong": -1.4,  # each one told otherwise than the prompt has it
    "facts_missing": -0.9,  # each one asked for and not told
    "extras_right": 0.2,  # each true fact nobody asked for
    "extras_invented": -1.4,  # each fact nobody asked for that the prompt does not hold
    "steps_right": 0.9,  # each step of the procedure for this problem
    "steps_wrong": -1.1,  # each step of another problem's, or with a number changed
    "manners": 1.0,  # how well the tone fits the customer's mood, from the table MANNERS
    "words_over_short": -0.07,  # each word beyond the need, customer asks to be brief
    "words_over_any": -0.03,
    "words_over_full": -0.005,
    "details_full": 0.45,  # each true detail beyond the need, customer asks for everything
    # What the desk's own answers never have, and texts from elsewhere may:
    "words_idle": -0.03,  # each word that tells this customer nothing: filler, praise, repetition, other cases' lines
    "empty": -2.0,  # no word at all
}

Style = Literal["warm", "misplaced", "plain", "cold", "blaming", "breezy"]
# How each style is taken in each mood. "misplaced" is warm about something that did not happen.
MANNERS: Mapping[str, Mapping[Style, float]] = {
    "upset": {"warm": 1.3, "misplaced": -0.6, "plain": 0.0, "cold": -0.9, "blaming": -1.9, "breezy": -1.2},
    "grieving": {"warm": 1.5, "misplaced": -1.2, "plain": -0.1, "cold": -1.1, "blaming": -2.2, "breezy": -2.0},
    "cheerful": {"warm": -0.8, "misplaced": -1.0, "plain": 0.0, "cold": -0.9, "blaming": -1.5, "breezy": 0.9},
    "formal": {"warm": -0.3, "misplaced": -0.8, "plain": 0.9, "cold": -0.2, "blaming": -1.5, "breezy": -1.1},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What is true of one answer: counts as in WEIGHTS, manners from MANNERS, words beyond what was needed.

    words_idle, empty: of texts that the desk did not write; its own have none.
    """

    decision: Decision | None = None
    facts_right: int = 0
    facts_wrong: int = 0
    facts_missing: int = 0
    extras_right: int = 0
    extras_invented: int = 0
    steps_right: int = 0
    steps_wrong: int = 0
    manners: float = 0.0
    wish: Wish = "any"
    words_over: int = 0
    words_idle: int = 0
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One candidate: its text and what is true of it. courtesies: polite phrases in it, which sway one annotator."""

    text: str
    quality: Quality
    courtesies: int = 0

    @property
    def words(self) -> int:
        return len(self.text.split())

    @property
    def utility(self) -> float:
        return utility(self.quality)


def utility(quality: Quality) -> float:
    """The documented worth of an answer, about -6 to 5 for the desk's own; the annotators vote on differences."""
    total = WEIGHTS[f"decision_{quality.decision}"] if quality.decision else 0.0
    for name in ("facts_right", "facts_wrong", "facts_missing", "extras_invented", "steps_right", "steps_wrong",
                 "words_idle", "empty"):  # fmt: skip
        total += WEIGHTS[name] * getattr(quality, name)
    total += WEIGHTS["details_full" if quality.wish == "full" else "extras_right"] * quality.extras_right
    total += WEIGHTS["manners"] * quality.manners
    return round(total + WEIGHTS[f"words_over_{quality.wish}"] * quality.words_over, 4)
