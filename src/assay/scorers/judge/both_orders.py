"""Two answers compared in both orders, several votes: who won, what was tied, flipped or could not be read.

An answer wins a vote only if both orders say so. A judge that names the same place twice has judged the place: the
vote is flipped, and won by nobody. A vote of which an order cannot be read is unread, and no tie. Knows verdicts;
knows no text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["first", "second", "tie"]  # what a verdict names: the answer shown first, the other, neither
Vote = Literal["won", "lost", "tied", "flipped_first", "flipped_second", "unread"]
MIRROR: Mapping[Vote, Vote] = {"won": "lost", "lost": "won"}


def vote_of(straight: Place | None, swapped: Place | None) -> Vote:
    """One vote, of the answer that is shown first in the straight order; None: that order could not be read.

    >>> vote_of("first", "second"), vote_of("first", "first"), vote_of("first", None)
    ('won', 'flipped_first', 'unread')
    """
    if straight is None or swapped is None:
        return "unread"
    if "tie" in (straight, swapped):
        return "tied"
    if straight == swapped:
        return "flipped_first" if straight == "first" else "flipped_second"
    return "won" if straight == "first" else "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One answer against another. votes: of this answer. said: what the judge wrote, straight order first.

    why: of the first vote that could not be read. odds: by token, log-odds of this answer over the other in nats, mean
    of both orders; None by words. heard: transcripts that were judged, as they were shown, straight order first.
    """

    votes: tuple[Vote, ...]
    said: tuple[str, ...] = ()
    why: str | None = None
    odds: float | None = None
    heard: tuple[str, ...] = ()

    @property
    def read(self) -> int:
        return len(self.votes) - self.votes.count("unread")

    @property
    def swapped(self) -> Compared:
        """The same seen from the other answer."""
        return Compared(
            votes=tuple(MIRROR.get(vote, vote) for vote in self.votes),
            said=self.said,
            why=self.why,
            odds=None if self.odds is None else -self.odds,
            heard=self.heard,
        )

    @property
    def strength(self) -> float | None:
        """From -1 (surely the other) to 1 (surely this answer), 0 for no opinion; None where no vote was read.

        By words the share of read votes won less that lost; by token 2 P - 1 where both orders agree.
        """
        if not self.read:
            return None
        if self.odds is None:
            return (self.votes.count("won") - self.votes.count("lost")) / self.read
        return math.tanh(self.odds / 2) if self.votes[0] in ("won", "lost") else 0.0

    @property
    def worth(self) -> float:
        """By words the share of read votes won; by token half the log-odds where both orders agree, else 0.

        Halved, since the other answer has the other half: the margin is the log-odds.
        """
        if self.odds is None:
            return self.votes.count("won") / self.read
        return self.odds / 2 if self.votes[0] in ("won", "lost") else 0.0


@dataclass(slots=True)
class Tally:
    """What became of all votes of a judge so far, each pair of answers counted once."""

    counts: Counter[Vote] = field(default_factory=Counter)

    def add(self, compared: Compared) -> None:
        self.counts.update(compared.votes)

    @property
    def text(self) -> str:
        """In a sentence; empty before anything was judged."""
        total = self.counts.total()
        if not total:
            return ""
        flips = {name: self.counts[name] for name in ("flipped_first", "flipped_second")}
        decided = self.counts["won"] + self.counts["lost"]
        return (
            f"{total} comparisons in both orders: {decided} decided, {self.counts['tied']} tied, {sum(flips.values())} "
            f"flipped ({flips['flipped_first']} for the answer shown first, {flips['flipped_second']} for the second), "
            f"{self.counts['unread']} could not be read."
        )


def shares(compared: Sequence[Compared]) -> dict[str, float]:
    """Of an answer's read votes against all others: shares won, lost, tied and flipped, which make up 1."""
    counts: Counter[Vote] = Counter(vote for one in compared for vote in one.votes if vote != "unread")
    names: tuple[Vote, ...] = ("won", "lost", "tied", "flipped_first", "flipped_second")
    return {name: counts[name] / counts.total() for name in names}
