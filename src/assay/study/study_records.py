"""The frozen values of a blind study: items, editors, slots of the plan, votes. Knows no file, database or page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from assay.records import Text

Choice = Literal["left", "right", "tie", "both_bad", "abstain"]
CHOICES: tuple[str, ...] = get_args(Choice)
LABELS: Mapping[Choice, str] = {
    "left": "Answer 1",
    "right": "Answer 2",
    "tie": "About the same",
    "both_bad": "Both bad",
    "abstain": "Cannot say",
}
Side = Literal["a", "b"]
OTHER: Mapping[Side, Side] = {"a": "b", "b": "a"}
SlotKind = Literal["real", "repeat", "attention"]
EditorKind = Literal["human", "simulated", "llm"]
EDITOR_KINDS: tuple[str, ...] = get_args(EditorKind)
ANNOUNCED = "X-Assay-Judge"  # the header in which a program says what kind of judge it is
Rating = Literal["left", "tie", "right"]
RATINGS: tuple[str, ...] = get_args(Rating)
MsSource = Literal["page", "server", "tool"]
VoteSource = Literal["page", "labelstudio", "argilla", "csv", "jsonl", "file", "file_without_sides"]
Tool = Literal["labelstudio", "argilla", "csv", "jsonl"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
LONGEST_COMMENT = 5_000  # characters of a vote's comment, wherever it was written
AsideReason = Literal["identical", "empty", "unmatched", "giveaway", "too_long"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One prompt with two answers, told as a and b; which one stands on the left is the plan's business.

    known: the better answer of an attention item; None on a real one.
    """

    id: str
    prompt_id: str
    prompt: Text
    answer_a: str
    answer_b: str
    system_a: str
    system_b: str
    kind: Literal["real", "attention"] = "real"
    known: Side | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """One who judges, a person or a program. `judge` is fixed when the study is made: no client calls itself human."""

    name: str
    judge: EditorKind = "human"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One place in one editor's sealed plan. `showing` is random: it is all a page ever tells about the item."""

    showing: str
    editor: str
    position: int
    item: str
    left: Side
    kind: SlotKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A prompt of the input that is not shown to anyone, and why."""

    prompt_id: str
    reason: AsideReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyVote:
    """One judgement that stands (not undone), of a closed study, in terms of what the editor saw and what it was.

    item: the same name for a real showing and its repeat. expected: the known answer of an attention showing.
    ms: time the item was in view, None where neither page, server nor tool could tell (see ms_source).
    left: which of the item's answers stood on the left; systems alone do not tell where one system gave both.
    source: "page" where it was given on the study's own pages, the tool it was imported from, or "file" where it was
    never one of a study of ours; "file_without_sides" where the file does not say which answer stood on the left.
    """

    item: str
    prompt_id: str
    editor: str
    choice: Choice
    left_system: str
    right_system: str
    kind: SlotKind
    judge: EditorKind
    position: int
    ms: int | None = None
    ms_source: MsSource | None = None
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    comment: str = ""
    expected: Literal["left", "right"] | None = None
    undone: int = 0
    at: str = ""
    category: str | None = None
    left: Side | None = None
    source: VoteSource = "page"

    def preferred(self, item: Item) -> Side | None:
        """The answer of its item that this vote prefers; None for a tie, both bad or an abstention."""
        left = self.left or ("a" if self.left_system == item.system_a else "b")
        right: Side = "b" if left == "a" else "a"
        return left if self.choice == "left" else right if self.choice == "right" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What a study is, without its votes. `seal` is the hash of items and plans as they were made.

    config: the options it was made with, as stored; a study made by an earlier assay may lack later ones.

    seed: of sides and order; None in a study read from an export, which does not tell it.
    """

    id: str
    title: str
    created_at: str
    closed_at: str | None
    seed: int | None
    seal: str
    systems: tuple[str, ...]
    editors: tuple[Editor, ...]
    config: Mapping[str, object]
    inputs: Mapping[str, str]
    power: Mapping[str, object]
    giveaways: tuple[Mapping[str, object], ...]
    set_aside: tuple[SetAside, ...]

    @property
    def question(self) -> str:
        return str(self.config["question"])

    @property
    def aspects(self) -> tuple[str, ...]:
        """What editors rate beside the whole; empty where nothing."""
        named = self.config.get("aspects")
        return tuple(map(str, named)) if isinstance(named, list | tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideVotes:
    """What is known of votes that were cast elsewhere: there was no plan, no attention item and no seal.

    named: whether every vote says whose it is; if not, editors are only places, and no figure speaks of persons.
    rejected: rows that gave no vote, by reason. notes: how the file was read and what it does not say, in sentences.
    """

    named: bool
    rows: int
    rejected: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedStudy:
    """A study after its end, whole: what analysis and export read, wherever it came from.

    items: real and attention items with their texts, by id. votes: those that stand, by editor and position.
    planned: showings of the sealed plan by editor, so that what was never judged is known too.
    outside: of votes that were cast elsewhere; None for a study of ours.
    """

    study: Study
    items: Mapping[str, Item]
    votes: tuple[StudyVote, ...]
    planned: Mapping[str, int]
    outside: OutsideVotes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorProgress:
    """How far one editor is. Counts only: no side, no choice, no system."""

    editor: Editor
    done: int
    total: int
    last_at: str | None
    link: Literal["active", "expired", "revoked", "none"]

    @property
    def finished(self) -> bool:
        return self.done >= self.total
