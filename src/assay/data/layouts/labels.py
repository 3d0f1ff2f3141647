"""What people write for "the first one is better" -> a word. Knows spellings; never guesses what a number means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from assay.data.layouts.texts import UnfitError, literal, missing, told
from assay.errors import ConfigError, InputError

Outcome = Literal["left", "right", "tie", "abstain"]
OUTCOMES: tuple[Outcome, ...] = ("left", "right", "tie", "abstain")
STEMS = ("model", "response", "answer", "option", "candidate", "assistant", "completion", "output", "summary", "text")
WORDS: dict[str, Outcome] = {
    **dict.fromkeys(("left", "a", "first", "x", "a>b", "a>>b", "b<a", "b<<a", "[[a]]", "[[a>b]]", "[[a>>b]]"), "left"),
    **dict.fromkeys(
        ("right", "b", "second", "y", "b>a", "b>>a", "a<b", "a<<b", "[[b]]", "[[b>a]]", "[[b>>a]]"), "right"
    ),
    **dict.fromkeys((f"{stem}_{side}" for stem in STEMS for side in ("a", "x", "left")), "left"),
    **dict.fromkeys((f"{stem}_{side}" for stem in STEMS for side in ("b", "y", "right")), "right"),
    **dict.fromkeys(
        ("tie", "tied", "draw", "equal", "same", "both_bad", "bothbad", "tie_(bothbad)", "both_good"), "tie"
    ),
    **dict.fromkeys(("a=b", "b=a", "a~b", "[[a=b]]", "[[c]]", "no_preference", "tie_(both_bad)"), "tie"),
    **dict.fromkeys(("abstain", "abstention", "skip", "skipped", "unsure", "don't_know", "cannot_tell"), "abstain"),
}
NUMBER = re.compile(r"[-+]?[\d.]+|true|false|yes|no")
ORDER_WORDS: dict[str, Outcome] = {"chosen": "left", "rejected": "right", "tie": "tie", "abstain": "abstain"}


class UnknownLabelError(UnfitError):
    """A label that is no known word; counted, so that all of them can be told at once."""

    def __init__(self, label: object) -> None:
        self.label = str(label)[:60]
        super().__init__("missing_field", f"the label {self.label!r} is no known spelling; see data.labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One vote, in terms of the row's left and right answer."""

    outcome: Outcome
    annotator: str | None = None
    shown_left: Literal["left", "right"] | None = None


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """Which written labels mean which side, for one pair of answer columns."""

    words: Mapping[str, Outcome]
    columns: tuple[str, str]

    @cached_property
    def ballots(self) -> Mapping[str, Ballot]:
        """The vote of nobody in particular for each word: made once, for a million votes."""
        return {word: BALLOTS[outcome] for word, outcome in self.words.items()}

    def read(self, value: object) -> Outcome:
        """The outcome a label stands for.

        Raises InputError for a number or truth value whose meaning nobody stated, UnfitError for an unknown word.
        """
        if type(value) is str and (known := self.words.get(value)) is not None:
            return known
        if missing(value) or (isinstance(value, str) and not value.strip()):
            raise UnfitError("missing_field", "the label is empty")
        key = spelled(value)
        found = self.words.get(key) or self.words.get(key.replace("_", ""))
        if found is not None:
            return found
        if isinstance(value, bool) or NUMBER.fullmatch(key):
            left, right = self.columns
            raise InputError(
                f"the label {value!r} could mean {left!r} or {right!r}, and assay does not guess. "
                f"Say what labels mean, for instance: --labels {key}=left, in a configuration data.labels "
                f"(left is {left!r}, right is {right!r}; also tie, abstain)."
            )
        raise UnknownLabelError(value)

    def knows(self, key: str) -> bool:
        """Whether a label, as it is looked up, has a meaning."""
        return key in self.words or key.replace("_", "") in self.words


def spelled(value: object) -> str:
    """A label as it is looked up: lower case, spaces and inner dashes as underscores, 1.0 as 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return re.sub(r"\s+|(?<=.)-", "_", str(value).strip().casefold())


def spelling(left: str, right: str, labels: Mapping[str, str], numbers: Mapping[str, Outcome]) -> Spelling:
    """The labels that name two columns: the usual words, the columns' names, `numbers`, and the user's over all."""
    words: dict[str, Outcome] = WORDS | dict(numbers)
    words |= {spelled(left).replace("_", ""): "left", spelled(right).replace("_", ""): "right"}
    return Spelling(words=words | stated(labels), columns=(left, right))


def stated(labels: Mapping[str, str]) -> dict[str, Outcome]:
    """The user's own labels. Raises ConfigError if one stands for something else than an outcome."""
    found: dict[str, Outcome] = {}
    for label, meaning in labels.items():
        if meaning not in OUTCOMES:
            raise ConfigError(f"data.labels: {label!r} means {meaning!r}; it must be one of {', '.join(OUTCOMES)}.")
        found[spelled(label)] = next(outcome for outcome in OUTCOMES if outcome == meaning)
    return found


BALLOTS: dict[Outcome, Ballot] = {outcome: Ballot(outcome=outcome) for outcome in OUTCOMES}
CHOICE_KEYS = ("choice", "selected", "vote", "label", "preference", "winner", "value")
ANNOTATOR_KEYS = ("annotator", "annotator_id", "user_id", "user", "worker", "worker_id", "rater")
SHOWN_KEYS = ("shown_left", "left_shown")
MOST_VOTES = 10_000  # on one pair, stated as a count


def ballots(value: object, spelling: Spelling) -> tuple[Ballot, ...]:
    """Several people's votes: a list of labels, of (annotator, label), of objects, or annotator -> label.

    Raises UnfitError if it is none of these.
    """
    if type(value) is list:
        known = spelling.ballots
        try:
            return tuple([known[vote] for vote in value])  # plain words, as in most files
        except (KeyError, TypeError):
            return tuple([ballot(vote, spelling) for vote in value if type(vote) is str or submitted(vote)])
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        if (counts := counted_votes(value, spelling)) is not None:
            return counts
        # a table fills in the annotators who did not vote on this pair with nothing
        return tuple(ballot(vote, spelling, str(name)) for name, vote in value.items() if vote is not None)
    if isinstance(value, str):
        if value.lstrip()[:1] in ("[", "{") and (written := literal(value)) is not None:
            return ballots(written, spelling)  # a table had to write the list as text
        return tuple(ballot(part, spelling) for part in re.split(r"[,;|]", value))
    if not isinstance(value, Sequence):
        raise UnfitError("not_text", f"the votes are {told(value)}, not a list")
    return tuple(ballot(vote, spelling) for vote in value if submitted(vote))


def submitted(vote: object) -> bool:
    """Whether a vote counts: drafts and discarded ones, where an export says so, do not."""
    return not isinstance(vote, Mapping) or vote.get("status") in (None, "submitted", "completed")


def counted_votes(value: Mapping[object, object], spelling: Spelling) -> tuple[Ballot, ...] | None:
    """Votes stated as counts, {"response_1": 1, "response_2": 2}; None where the keys are people.

    Raises UnfitError for counts that are none.
    """
    if len(value) < 2 or not all(isinstance(name, str) and spelling.knows(spelled(name)) for name in value):
        return None
    if any(isinstance(count, str) for count in value.values()):
        return None  # people called a and b
    found: list[Ballot] = []
    for name, count in value.items():
        if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count <= MOST_VOTES or count % 1:
            raise UnfitError("not_text", f"the votes count {str(count)[:40]!r} for {name!r}")
        found += [BALLOTS[spelling.read(name)]] * int(count)
    return tuple(found)


def ballot(value: object, spelling: Spelling, annotator: str | None = None) -> Ballot:
    if type(value) is str and annotator is None:
        return BALLOTS[read_choice(value, spelling)]
    if isinstance(value, Mapping):
        name = annotator if annotator is not None else first(value, ANNOTATOR_KEYS)
        shown = first(value, SHOWN_KEYS)
        side = None if shown is None else spelling.read(shown)
        if side == "tie" or side == "abstain":  # noqa: PLR1714 (mypy narrows on this form)
            raise UnfitError("not_text", f"a vote was shown {side!r} on the left")
        choice = read_choice(first(value, CHOICE_KEYS), spelling)
        return Ballot(outcome=choice, annotator=None if name is None else str(name), shown_left=side)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) >= 2:
        return Ballot(outcome=read_choice(value[1], spelling), annotator=str(value[0]))
    return Ballot(outcome=read_choice(value, spelling), annotator=annotator)


def read_choice(value: object, spelling: Spelling) -> Outcome:
    """A vote that says nothing is an abstention; a label that says nothing is a missing label."""
    if type(value) is not str and missing(value):
        return "abstain"
    if isinstance(value, str) and not value.strip():
        return "abstain"
    return spelling.read(value)


def first(value: Mapping[str, object], keys: Iterable[str]) -> object:
    return next((value[key] for key in keys if value.get(key) is not None), None)
