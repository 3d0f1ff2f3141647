"""The language of layouts: what a YAML file may say of how rows hold pairs. Validates words; reads no row.

Known layouts are files in it (known_files/), a user's own are named by `--layout FILE.yaml`. Nothing in it is executed.
docs/data.md teaches it by examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assay.config import read_yaml
from assay.data.layouts.labels import Outcome, spelled
from assay.data.layouts.paths import path
from assay.errors import ConfigError

Side = Literal["left", "right"]
SIDE_WORDS: Mapping[str, str] = {"chosen": "left", "rejected": "right"}


def checked(text: str) -> str:
    path(text)  # raises ValueError
    return text


def as_side(word: object) -> object:
    """chosen and rejected are the left and the right answer, where a layout calls its answers so."""
    return SIDE_WORDS.get(word, word) if isinstance(word, str) else word


def as_spelled(words: object) -> object:
    """Labels as they are looked up; YAML may have read 1 or true as such."""
    return {spelled(word): as_side(side) for word, side in words.items()} if isinstance(words, Mapping) else words


Place = Annotated[str, AfterValidator(checked)]
Paths = tuple[Place, ...]
Two = tuple[Place, Place]
Words = Annotated[dict[str, Outcome], BeforeValidator(as_spelled)]
Sided = Annotated[Side, BeforeValidator(as_side)]


class Part(BaseModel):
    """A part of a layout; an unknown word in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Distance(Part):
    """A margin that is how far two numbers lie apart, whichever is the higher."""

    between: Two


class Recognise(Part):
    """By what a file is known: columns that are there, columns that are not, keys of the objects in a list."""

    columns: tuple[str, ...] = Field(min_length=1)
    without: tuple[str, ...] = ()
    inside: dict[str, tuple[str, ...]] = {}


class Prompt(Part):
    """A prompt that is more than its text: a list of the user's turns, or a Human:/Assistant: transcript."""

    turns: Place | None = None
    transcript: Place | None = None

    @model_validator(mode="after")
    def one(self) -> Self:
        return stated_once(self, ("turns",), ("transcript",))


class Answers(Part):
    """Where the answers stand: two in columns, several in columns or a list, right and wrong ones, or one a row."""

    left: Place | None = None
    right: Place | None = None
    chosen: Place | None = None
    rejected: Place | None = None
    all_chosen: Place | None = None
    all_rejected: Place | None = None
    list: Place | None = None
    text: str | None = Field(None, description="key of the text in the objects of `list`")
    columns: Paths | None = Field(None, min_length=2)
    one: Place | None = None

    @model_validator(mode="after")
    def which(self) -> Self:
        if self.text is not None and self.list is None:
            raise ValueError("text goes with list")
        pairs = (("left", "right"), ("chosen", "rejected"), ("all_chosen", "all_rejected"))
        return stated_once(self, *pairs, ("list",), ("columns",), ("one",))

    @property
    def kind(self) -> Literal["pair", "right_and_wrong", "list", "columns", "one"]:
        if self.columns is not None:
            return "columns"
        if self.list is not None:
            return "list"
        return "one" if self.one is not None else "pair" if self.all_chosen is None else "right_and_wrong"

    @property
    def couple(self) -> Two:
        """The two columns of a pair, the left or chosen one first."""
        return self.left or self.chosen or "", self.right or self.rejected or ""


class Flags(Part):
    """Columns of which the one that is true says who won."""

    left: Place
    right: Place
    tie: Paths = ()


class Votes(Part):
    """Several people's judgements of one pair: one a column, or a list of labels or objects."""

    columns: Paths | None = None
    list: Place | None = None
    choice: str | None = Field(None, description="key of the choice in the objects of `list`")
    strength: str | None = Field(None, description="key of a signed strength in the objects of `list`")
    negative: Sided | None = None
    annotator: str | None = None
    words: Words = {}

    @model_validator(mode="after")
    def which(self) -> Self:
        stated_together(self, "strength", "negative")
        if self.columns is not None and (self.choice or self.strength or self.annotator):
            raise ValueError("choice, strength and annotator go with list")
        return stated_once(self, ("columns",), ("list",))


class Verdict(Part):
    """Who won, by one objective."""

    objective: str | None = None
    label: Place | None = None
    words: Words = {}
    names: Two | None = Field(None, description="columns that name the two sides; the label is one of the names")
    strength: Place | None = None
    negative: Sided | None = None
    flags: Flags | None = None
    scores: Two | None = None
    votes: Votes | None = None
    rank: str | None = None
    ranks: Paths | None = Field(None, description="columns, one for each of the answers' columns")
    best: Literal["lowest", "highest"] | None = None
    score: str | None = None
    order: Literal["best_first", "best_last"] | None = None
    good: Place | None = None
    least_difference: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def which(self) -> Self:
        stated_together(self, "strength", "negative")
        if (self.words or self.names) and self.label is None:
            raise ValueError("words and names go with label")
        if self.best is not None and self.rank is None and self.ranks is None:
            raise ValueError("best goes with rank or ranks; a score is better the higher it is")
        if self.least_difference and self.scores is None and self.score is None:
            raise ValueError("least_difference goes with score or scores")
        return self

    def said(self) -> list[str]:
        """The words by which this verdict says who won."""
        words = ("label", "strength", "flags", "scores", "votes", "rank", "ranks", "score", "order", "good")
        return [word for word in words if getattr(self, word) is not None]


FITS: Mapping[str, frozenset[str]] = {
    "pair": frozenset({"label", "strength", "flags", "scores", "votes"}),
    "right_and_wrong": frozenset(),
    "list": frozenset({"rank", "score", "order"}),
    "columns": frozenset({"ranks"}),
    "one": frozenset({"rank", "score", "good"}),
}


class MappedLayout(Part):
    """One layout: what a row means, in words of the language."""

    name: str = "own"
    about: str = ""
    recognise: Recognise | None = None
    row: Literal["pair", "candidates", "vote", "answer"] = "pair"
    prompt: Place | Paths | Prompt | None = None
    system: Place | None = None
    systems: Two | None = Field(None, description="columns that name the systems of the left and the right answer")
    answers: Answers
    outcome: Verdict | None = None
    outcomes: tuple[Verdict, ...] = ()
    annotator: Place | None = None
    shown_left: Place | None = None
    shown: Literal["as_read"] | None = Field(None, description="as_read: the left answer stood on the left")
    margin: Place | Distance | None = None
    weight: Place | None = None
    category: Place | None = None
    objective: Place | None = None
    group: Place | None = None
    id: Place | None = None
    source: Place | None = None

    @model_validator(mode="after")
    def makes_sense(self) -> Self:
        kind, verdicts = self.answers.kind, self.verdicts
        if self.outcome is not None and self.outcomes:
            raise ValueError("outcome or outcomes, not both")
        if len(verdicts) > 1 and (kind != "pair" or any(verdict.objective is None for verdict in verdicts)):
            raise ValueError("several outcomes are of one pair, and each names its objective")
        if not verdicts and kind in ("list", "one"):
            raise ValueError("outcome is missing: rank, score" + (", order" if kind == "list" else ", good"))
        if not verdicts and self.answers.left is not None:
            raise ValueError("outcome is missing: label, strength, flags, scores or votes")
        for verdict in verdicts:
            other = [word for word in verdict.said() if word not in FITS[kind]]
            if other or not verdict.said() or (len(verdict.said()) > 1 and kind != "pair"):
                known = ", ".join(sorted(FITS[kind])) or "nothing: the answers say it themselves"
                raise ValueError(f"an outcome of these answers is by {known}; this one says {verdict.said()}")
        if kind == "columns" and (not verdicts or len(verdicts[0].ranks or ()) != len(self.answers.columns or ())):
            raise ValueError("outcome: answers in columns have ranks, a column for each of them")
        expected = {"pair": ("pair", "vote"), "one": ("answer",)}.get(kind, ("candidates",))
        if self.row not in expected:
            raise ValueError(f"row: with these answers a row is a {' or a '.join(expected)}, not a {self.row}")
        if self.prompt is None and kind != "pair":
            raise ValueError("prompt is missing; only two conversations may begin with it")
        if self.systems is not None and kind != "pair":
            raise ValueError("systems goes with two answers: left and right, or chosen and rejected")
        if (self.annotator or self.shown_left or self.shown) and self.row != "vote":
            raise ValueError("annotator, shown_left and shown go with row: vote")
        return self

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return self.outcomes or (() if self.outcome is None else (self.outcome,))

    def columns(self) -> dict[str, str]:
        """Role -> path, of everything this layout reads; further paths of a role are numbered."""
        found: dict[str, str] = {}
        for role, used in self.paths():
            again = sum(known.split(" ")[0] == role for known in found)
            found[f"{role} ({again + 1})" if again else role] = used
        return found

    def paths(self) -> Iterator[tuple[str, str]]:
        prompt = self.prompt
        asked = (prompt.turns or prompt.transcript) if isinstance(prompt, Prompt) else prompt
        yield from (("prompt", one) for one in ((asked,) if isinstance(asked, str) else asked or ()))
        for role in ("left", "right", "chosen", "rejected", "all_chosen", "all_rejected", "list", "one"):
            if (used := getattr(self.answers, role)) is not None:
                yield {"list": "answers", "one": "answers"}.get(role, role), used
        yield from (("answers", used) for used in self.answers.columns or ())
        for verdict in self.verdicts:
            yield from verdict_paths(verdict)
        yield from (("systems", used) for used in self.systems or ())
        if isinstance(self.margin, Distance):
            yield from (("margin", used) for used in self.margin.between)
        elif self.margin is not None:
            yield "margin", self.margin
        about = ("system", "annotator", "shown_left", "weight", "category", "objective", "group", "id", "source")
        yield from ((role, used) for role in about if (used := getattr(self, role)) is not None)


def verdict_paths(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """What a verdict reads."""
    for used in (verdict.label, verdict.strength, verdict.good):
        if used is not None:
            yield "label", used
    yield from (("label", used) for used in verdict.names or ())
    if verdict.flags is not None:
        yield from (("label", used) for used in (verdict.flags.left, verdict.flags.right, *verdict.flags.tie))
    yield from (("scores", used) for used in verdict.scores or ())
    yield from (("ranks", used) for used in verdict.ranks or ())
    if verdict.votes is not None:
        listed = (verdict.votes.list,) if verdict.votes.list is not None else verdict.votes.columns or ()
        yield from (("votes", used) for used in listed)


P = TypeVar("P", bound=Part)


def stated_once(part: P, *ways: tuple[str, ...]) -> P:
    """The part, where exactly one of the ways is stated whole. Raises ValueError that lists them."""
    stated = {word for way in ways for word in way if getattr(part, word) is not None}
    if not any(stated == set(way) for way in ways):
        raise ValueError(f"expected one of: {'; '.join(' and '.join(way) for way in ways)}")
    return part


def stated_together(part: Part, one: str, other: str) -> None:
    if (getattr(part, one) is None) != (getattr(part, other) is None):
        raise ValueError(f"{one} and {other} go together")


def read_layout(text: str, where: str) -> MappedLayout:
    """A layout from YAML. Raises ConfigError that names the field."""
    try:
        loaded = read_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: cannot be read as YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{where}: a layout is keys and values, such as prompt, answers and outcome.")
    try:
        return MappedLayout.model_validate({"name": Path(where).stem} | loaded)
    except ValidationError as error:
        raise ConfigError(f"{where}: not usable as a layout: {explained(error)}.") from None


def explained(error: ValidationError) -> str:
    """pydantic's complaints by field; of the ways a field may be written, the one that came nearest is told."""
    told: dict[str, str] = {}
    for issue in error.errors():
        place: Sequence[str | int] = [part for part in issue["loc"] if not str(part).startswith(("function-", "tuple"))]
        name = ".".join(map(str, place)).replace(".Prompt", "").replace(".Distance", "")
        known = "" if issue["type"] != "extra_forbidden" else " (no word of the language here)"
        told.setdefault(name or "layout", issue["msg"].removeprefix("Value error, ") + known)
    return "; ".join(f"{name}: {message}" for name, message in told.items())
