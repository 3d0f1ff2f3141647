"""What a layout's verdict says of a row -> who won, how clearly, and the votes. Compiled once, called for every row.

Knows the words of an outcome (mapping_language.py); knows neither prompts nor answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from assay.data.layouts.labels import WORDS, Ballot, Outcome, Spelling, ballots, first, read_choice, spelled, stated
from assay.data.layouts.mapping_language import Answers, Flags, Verdict, Votes
from assay.data.layouts.paths import Look, path
from assay.data.layouts.stated_fields import number
from assay.data.layouts.texts import UnfitError, as_list, missing
from assay.errors import InputError

Data = Mapping[str, object]
TRUE, FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})


class Said(NamedTuple):
    """What one verdict says. unfit: why the row is no pair although its texts are fine."""

    label: Outcome | None = None
    margin: float | None = None
    votes: tuple[Ballot, ...] = ()
    unfit: UnfitError | None = None


Reading = Callable[[Data], Said]


def verdict_reading(verdict: Verdict, answers: Answers, labels: Mapping[str, str]) -> Reading:
    """The reading of everything a verdict states; the parts must agree."""
    parts = [part(verdict, answers, labels) for part in (labelled, by_strength, flagged, scored, voted)]
    readings = [reading for reading in parts if reading is not None]
    if len(readings) == 1:
        return readings[0]

    def together(data: Data) -> Said:
        said = [reading(data) for reading in readings]
        stated_labels = {one.label for one in said if one.label is not None}
        unfit = next((one.unfit for one in said if one.unfit is not None), None)
        if len(stated_labels) > 1 and unfit is None:
            unfit = UnfitError("conflicting_labels", f"the row says {' and '.join(sorted(stated_labels))}")
        return Said(
            label=next((one.label for one in said if one.label is not None), None),
            margin=next((one.margin for one in said if one.margin is not None), None),
            votes=tuple(vote for one in said for vote in one.votes),
            unfit=unfit,
        )

    return together


def words_of(words: Mapping[str, Outcome], labels: Mapping[str, str], answers: Answers) -> Spelling:
    """What labels mean: the layout's own words over the usual ones, and the user's in place of the layout's."""
    left, right = answers.couple
    named: dict[str, Outcome] = {}
    if left:
        named = {spelled(left).replace("_", ""): "left", spelled(right).replace("_", ""): "right"}
    return Spelling(words=WORDS | named | (stated(labels) if labels else dict(words)), columns=(left, right))


def labelled(verdict: Verdict, answers: Answers, labels: Mapping[str, str]) -> Reading | None:
    if verdict.label is None:
        return None
    look, spelling = path(verdict.label), words_of(verdict.words, labels, answers)
    if verdict.names is None:
        return lambda data: Said(label=spelling.read(look(data)))
    left, right = map(path, verdict.names)

    def by_name(data: Data) -> Said:
        value, names = look(data), (left(data), right(data))
        if names[0] == names[1]:
            raise UnfitError("missing_field", f"both sides are called {str(names[0])[:60]!r}")
        return Said(label="left" if value == names[0] else "right" if value == names[1] else spelling.read(value))

    return by_name


def by_strength(verdict: Verdict, _: Answers, __: Mapping[str, str]) -> Reading | None:
    if verdict.strength is None:
        return None
    look, name, turned = path(verdict.strength), verdict.strength, verdict.negative == "right"

    def reading(data: Data) -> Said:
        strength = stated_number(look(data), name)
        return Said(label=signed(strength, turned), margin=abs(strength) or None)

    return reading


def signed(strength: float, turned: bool) -> Outcome:
    """Who won by a signed strength; turned: a negative one is for the right answer."""
    if strength == 0:
        return "tie"
    return "left" if (strength < 0) != turned else "right"


def stated_number(value: object, name: str) -> float:
    """A number of the row. Raises UnfitError where there is none."""
    found = number(value)
    if found is None:
        told = "is missing" if missing(value) else f"holds {str(value)[:40]!r}; it must be a number"
        raise UnfitError("missing_field", f'"{name}" {told}')
    return found


def flagged(verdict: Verdict, _: Answers, __: Mapping[str, str]) -> Reading | None:
    flags = verdict.flags
    if flags is None:
        return None
    sides: list[tuple[Outcome, str]] = [("left", flags.left), ("right", flags.right)]
    sides += [("tie", name) for name in flags.tie]
    looks = [(outcome, name, path(name)) for outcome, name in sides]

    def reading(data: Data) -> Said:
        found = {outcome for outcome, name, look in looks if truth(look(data), name)}
        if len(found) != 1:
            told = " and ".join(sorted(found)) or "nobody"
            raise UnfitError("missing_field", f"{told} won by {listed_flags(flags)}; one of them has to be true")
        return Said(label=next(iter(found)))

    return reading


def listed_flags(flags: Flags) -> str:
    return ", ".join((flags.left, flags.right, *flags.tie))


def truth(value: object, name: str) -> bool:
    """Whether a flag is set. Raises UnfitError for anything but true, false, 1, 0 and their words."""
    word = spelled(value)
    if word not in TRUE | FALSE:
        raise UnfitError("missing_field", f'"{name}" holds {str(value)[:40]!r}; it must be true or false')
    return word in TRUE


def scored(verdict: Verdict, answers: Answers, __: Mapping[str, str]) -> Reading | None:
    """The higher score wins. Beside chosen and rejected, scores must not say the opposite."""
    if verdict.scores is None:
        return None
    names = verdict.scores
    left, right = map(path, names)
    ordered, least = answers.chosen is not None, verdict.least_difference

    def reading(data: Data) -> Said:
        found = left(data), right(data)
        if ordered and missing(found[0]) and missing(found[1]):
            return Said(label="left")
        high, low = stated_number(found[0], names[0]), stated_number(found[1], names[1])
        margin = abs(high - low)
        if margin <= least:
            return Said(label="tie", margin=None)
        if ordered and high < low:
            detail = f"chosen has the score {high:g}, rejected {low:g}: the scores say the opposite of the order"
            return Said(label="left", unfit=UnfitError("conflicting_labels", detail))
        return Said(label="left" if high > low else "right", margin=margin)

    return reading


def voted(verdict: Verdict, answers: Answers, labels: Mapping[str, str]) -> Reading | None:
    if verdict.votes is None:
        return None
    spelling = words_of(verdict.votes.words, labels, answers)
    votes = verdict.votes
    return by_columns(votes, spelling) if votes.columns is not None else by_list(votes, spelling)


def by_columns(votes: Votes, spelling: Spelling) -> Reading:
    """One person a column, called as the column."""
    looks = [(name, path(name)) for name in votes.columns or ()]

    def reading(data: Data) -> Said:
        found = [(name, look(data)) for name, look in looks]
        return Said(
            votes=tuple(
                Ballot(outcome=read_choice(value, spelling), annotator=name)
                for name, value in found
                if not missing(value)
            )
        )

    return reading


def by_list(votes: Votes, spelling: Spelling) -> Reading:
    look, turned = path(votes.list or ""), votes.negative == "right"

    def reading(data: Data) -> Said:
        value = look(data)
        if missing(value):
            return Said()
        if votes.choice is None and votes.strength is None:
            return Said(votes=ballots(value, spelling))
        return Said(votes=tuple(graded(vote) for vote in as_list(value)))

    def graded(vote: object) -> Ballot:
        if not isinstance(vote, Mapping):
            raise UnfitError("not_text", f"a vote in {votes.list} is no object")
        who = first(vote, (votes.annotator,)) if votes.annotator else None
        name = None if who is None else str(who)
        if votes.strength is None:
            return Ballot(outcome=read_choice(vote.get(votes.choice or ""), spelling), annotator=name)
        strength = vote.get(votes.strength)
        if missing(strength):
            return Ballot(outcome="abstain", annotator=name)
        return Ballot(outcome=signed(stated_number(strength, votes.strength), turned), annotator=name)

    return reading


def row_vote(
    reading: Reading,
    annotator: Look | None,
    shown: Look | None,
    spelling: Spelling,
    *,
    as_read: Literal["as_read"] | None,
) -> Callable[[Data], Ballot]:
    """The one vote of a row in long form; a row without a choice is an abstention."""

    def read(data: Data) -> Ballot:
        said = reading(data)
        who = None if annotator is None else annotator(data)
        side: Outcome | None = "left" if as_read is not None else None
        if shown is not None and not missing(stood := shown(data)):
            side = spelling.read(stood)
        if side == "tie" or side == "abstain":  # noqa: PLR1714 (mypy narrows on this form)
            raise UnfitError("not_text", f"a vote was shown {side!r} on the left")
        if said.label is None:
            raise InputError("a row that is a vote needs an outcome by label, strength, flags or scores")
        return Ballot(outcome=said.label, annotator=None if missing(who) else str(who), shown_left=side)

    return read
