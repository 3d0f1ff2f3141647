"""What becomes of every source column, and which may not be dropped unsaid because they change what an answer means.

1. After recognition, each row's columns are counted by role: read as something, unused, or ignored on purpose.
2. A column that carries meaning and is not read stops the reading, named with its place and the ways out: a system
   text, a second half of the prompt, tools, images, reasoning. What the prompt holds anyway is not lost.
3. A system text that never differs, scores beside chosen and rejected that disagree, and ties by status are told at
   the end; scores that mostly say the opposite stop there.
Knows names and whether something stands under them; judges no pair.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan

from assay.artifacts.contract_body import ColumnCounts
from assay.data.answer_names import AnswerNames
from assay.data.layouts.columns import LABEL_NAMES, Columns
from assay.data.layouts.gathered_rows import GATHERED
from assay.data.layouts.stated_fields import number
from assay.data.layouts.texts import CHAT, filled, literal, plain_list
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Pair, Text, Where, plain_text

SYSTEM = "a system text beside the prompt"
WATCHED: Mapping[str, str] = {
    **dict.fromkeys(("system", "system_prompt", "system_message", "system_text", "sys_prompt"), SYSTEM),
    **dict.fromkeys(
        ("input", "context", "history", "instruction", "passage", "document"), "a second half of the prompt"
    ),
    **dict.fromkeys(("initial_reason_steps", "previous_steps", "prefix"), "what an answer goes on from"),
    **dict.fromkeys(("tools", "functions"), "tools the model could call"),
    **dict.fromkeys(("image", "images", "video", "videos", "audio", "audios"), "what the prompt shows beside its text"),
    **dict.fromkeys(("reasoning_content", "thinking"), "reasoning that belongs to an answer"),
}
# Which answer is the chosen one was said by the user: a column that says who won may say otherwise of some rows.
VERDICT = "who won, where --columns calls one answer chosen in every row"
JUDGED = frozenset(LABEL_NAMES) - {"label", "gold", "vote"}
TEXTS = frozenset({SYSTEM, "a second half of the prompt", "what an answer goes on from"})
SIDE = r"(?:chosen|rejected|left|right|response|answer|[ab12])"
REASONED = re.compile(rf"(?:{SIDE}_)?(?:reasoning_content|thinking)(?:_{SIDE})?|{SIDE}_reasoning|reasoning_{SIDE}")
SCORED = re.compile(r"score|rating|reward", re.IGNORECASE)
IMAGE = "<image>"
IMAGE_PLACE = re.compile(r"(?:\A|\n)\s*<image>|<image>\s*(?:\n|\Z)")
# Of assay's own rows: why one is for review, and what the native layout reads.
OWN = frozenset({"review", "weight"})
MOST_SHAPES = 1000  # different sets of columns that are counted before they are brought together
CONSTANT_FROM = 20  # rows from which a system text that never differs is told, and does not stop the reading


@dataclass(slots=True)
class Scores:
    """How numbers beside chosen and rejected agree with that order."""

    columns: tuple[str, str]
    higher: int = 0
    equal: int = 0
    lower: int = 0

    def see(self, data: Mapping[str, object]) -> None:
        chosen, rejected = (number(data.get(name)) for name in self.columns)
        if chosen is not None and rejected is not None:
            self.higher += chosen > rejected
            self.equal += chosen == rejected
            self.lower += chosen < rejected


@dataclass(slots=True)
class ColumnUse:
    """Counts the columns of one source and watches those that carry meaning; one a walk.

    Raises InputError, from `see`, `texts` and `warnings`, where meaning would be dropped unsaid.
    """

    columns: Columns
    ignore: frozenset[str]
    source: str
    rows: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    shapes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    roles: dict[str, str] = field(default_factory=dict)
    watched: dict[str, str] = field(default_factory=dict)
    systems: dict[str, tuple[object, Where]] = field(default_factory=dict)
    scores: list[Scores] = field(default_factory=list)
    ties: int = 0
    names: AnswerNames | None = None  # where a layout guessed which two columns are the answers
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, columns: Columns, rows: Sequence[Row], ignore: Iterable[str], source: str) -> ColumnUse:
        """The use of the columns of these first rows. Raises InputError that names every one that would be lost."""
        use = cls(columns, frozenset(ignore), source)
        for role, name in columns.names.items():
            use.roles.setdefault(top(name), role.split(" ")[0])
        lost: dict[str, Where] = {}
        for row in rows:
            use.notice(row.data)
            for name in use.lost_in(row):
                lost.setdefault(name, row.where)
        use.systems.clear()
        if lost:
            raise use.stopped(lost)
        return use

    def see(self, row: Row) -> None:
        """Count one row's columns."""
        data = row.data
        self.rows += 1
        shape = tuple(data)
        if shape not in self.shapes:
            self.notice(data)
            if len(self.shapes) == MOST_SHAPES:
                self.fold()
        # Rows are counted by their columns as a whole, and only what is empty in them one by one.
        self.shapes[shape] += 1
        if not surely_full(data):
            self.empty.update(name for name, value in data.items() if is_empty(value))
        if self.watched:
            lost = self.lost_in(row)
            if lost:
                raise self.stopped(dict.fromkeys(lost, row.where))
        for scores in self.scores:
            scores.see(data)
        status = data.get("status")
        if type(status) is str and status == "tie":
            self.ties += "chosen" in self.columns.names

    def fold(self) -> None:
        """Turn counts of whole rows into counts of columns: rows may have any number of shapes, columns are few."""
        for shape, count in self.shapes.items():
            for name in shape:
                self.filled[name] += count
        self.filled.subtract(self.empty)
        self.shapes.clear()
        self.empty.clear()

    def notice(self, data: Mapping[str, object]) -> None:
        """Take note of columns not seen before, and which of them have to be watched."""
        for name in data:  # in the order of the columns, so that a message is the same every time
            if name in self.seen:
                continue
            self.seen.add(name)
            if name in self.roles or name in self.ignore or name in OWN:
                continue
            known = str(name).casefold()
            kind = WATCHED.get(known) or ("reasoning that belongs to an answer" if REASONED.fullmatch(known) else None)
            if known in JUDGED and self.columns.names.get("chosen", "chosen") != "chosen":
                kind = VERDICT
            if kind is not None:
                self.watched[name] = kind
            other = str(name).replace("chosen", "rejected")
            if "chosen" in known and SCORED.search(known) and other in data and "chosen" in self.columns.names:
                self.scores.append(Scores((name, other)))

    def lost_in(self, row: Row) -> list[str]:
        """Watched columns of which this row holds something that would be lost."""
        found = []
        for name, kind in self.watched.items():
            value = row.data.get(name)
            if kind == SYSTEM:
                if self.differs(name, value, row):
                    found.append(name)
            elif filled(value) and not (kind in TEXTS and (not is_text(value) or self.told(value, row.data))):
                found.append(name)
        return found

    def differs(self, name: str, value: object, row: Row) -> bool:
        """Whether a system text is another one than in the rows before; one that the prompt holds does not count."""
        value = value.strip() if isinstance(value, str) else value if filled(value) else ""
        if value and (not is_text(value) or self.told(value, row.data)):
            return False
        first, _ = self.systems.setdefault(name, (value, row.where))
        return first != value

    def told(self, value: object, data: Mapping[str, object]) -> bool:
        """Whether the text stands in the prompt anyway."""
        columns = self.columns
        role = "prompt" if "prompt" in columns.names else "chosen"
        asked = words(columns.pick(data, role))
        return isinstance(value, str) and value.strip() in asked

    def texts(self, outcome: Pair) -> None:
        """Look for the place of an image in the prompt of a pair."""
        prompt = outcome.prompt
        for text in (prompt,) if isinstance(prompt, str) else [message.content for message in prompt]:
            if IMAGE in text and IMAGE not in self.ignore and IMAGE_PLACE.search(text):
                raise self.stopped({IMAGE: outcome.where})

    def lost_reasoning(self, key: str, where: Where) -> InputError:
        """The error for messages with reasoning beside their text."""
        return self.stopped({key: where})

    def stopped(self, lost: Mapping[str, Where]) -> InputError:
        """The error that names what would be lost, first where, and the ways out."""
        told = "; ".join(f"{name!r} ({self.kind(name)}; first at {where})" for name, where in lost.items())
        ways = [f"To leave it out knowingly: --set 'data.ignore=[{', '.join([*sorted(self.ignore), *lost])}]'."]
        kinds = {self.kind(name) for name in lost}
        prompt = self.columns.names.get("prompt")
        if VERDICT in kinds:
            ways.insert(0, f"To let it decide: --columns left=...,right=...,label={self.first(lost, VERDICT)}.")
        if SYSTEM in kinds and "answers" not in self.columns.names:
            ways.insert(0, f"To make it part of the prompt: --columns system={self.first(lost, SYSTEM)}.")
        if (half := "a second half of the prompt") in kinds and prompt:
            ways.insert(0, f"To join both: a layout file with prompt: [{prompt}, {self.first(lost, half)}].")
        return InputError(
            f"{self.source}: this would be lost, and it changes what an answer means: {told}. {' '.join(ways)}"
        )

    def first(self, lost: Mapping[str, Where], kind: str) -> str:
        return next(name for name in lost if self.kind(name) == kind)

    def kind(self, name: str) -> str:
        if name in self.watched:
            return self.watched[name]
        return "the place of an image in a prompt" if name == IMAGE else "reasoning inside messages"

    def warnings(self) -> list[str]:
        """What is to be told of the columns once all rows were seen. Raises InputError for what only the end shows."""
        told: list[str] = []
        if self.names is not None and (examples := self.names.examples) is not None:
            raise self.names_for_answers(self.names, examples)
        for name, (value, where) in self.systems.items():
            if not value:
                continue
            if self.rows < CONSTANT_FROM:
                raise self.stopped({name: where})
            told.append(f"The system text in {name!r} is the same in all rows and is left out: {str(value)[:60]!r}.")
        for scores in self.scores:
            chosen, rejected = scores.columns
            if scores.lower > scores.higher:
                raise InputError(
                    f"{self.source}: {chosen!r} is below {rejected!r} in {scores.lower:,} rows and above it in "
                    f"{scores.higher:,}: which answer is the better one? If the numbers do not say so: "
                    f"--set 'data.ignore=[{', '.join([*sorted(self.ignore), chosen, rejected])}]'."
                )
            if scores.lower or scores.equal:
                told.append(
                    f"{chosen!r} is below {rejected!r} in {scores.lower:,} rows and equal in {scores.equal:,}; "
                    "the pairs stand as chosen and rejected."
                )
        if self.ties:
            told.append(f"In {self.ties:,} rows 'status' says tie; the pairs stand as chosen and rejected.")
        return told

    def names_for_answers(self, names: AnswerNames, examples: Sequence[str]) -> InputError:
        """The error for two columns that say who answered, and not what."""
        left, right = self.columns.names["left"], self.columns.names["right"]
        return InputError(
            f"{self.source}: {left!r} and {right!r} hold {len(names.seen)} different short values in {names.pairs:,} "
            f"pairs ({', '.join(map(repr, examples))}, ...), most under several prompts: they name who answered and "
            "are no answers. Bring the answers' texts into these rows, by prompt and name, and read that file. Who "
            f"wins how often, from the names alone: assay study analyse. If they are the answers after all: "
            f"--columns left={left},right={right}."
        )

    def report(self) -> dict[str, ColumnCounts]:
        """Every column: its role, \"unused\" or \"ignored\", and how many rows hold it."""
        self.fold()
        return {
            str(name): ColumnCounts(role=self.role(name), rows=self.filled[name])
            for name in sorted(self.seen - {GATHERED}, key=lambda name: (name not in self.roles, str(name)))
        }

    def role(self, name: str) -> str:
        if name in self.ignore:
            return "ignored"
        return self.roles.get(name) or ("weight" if name == "weight" else "unused")


def lost_field(data: Mapping[str, object], prompt: Text, used: Collection[str]) -> str | None:
    """The first field of a row that carries meaning and is not read, and what it is; for files read without a layout.

    used: fields that were read. What the prompt holds anyway is not lost.
    """
    for name, value in data.items():
        kind = WATCHED.get(str(name).casefold())
        if kind is None or name in used or not filled(value):
            continue
        if not (isinstance(value, str) and value.strip() in plain_text(prompt)):
            return f"{name!r} ({kind}) would be lost, and it changes what an answer means"
    return None


def surely_full(data: Mapping[str, object]) -> bool:
    """Whether no value of a row is empty; False where only a look at each can say."""
    values = data.values()
    try:
        return all(values) and float not in map(type, values)
    except (TypeError, ValueError):  # an array in a cell has no truth value
        return False


def is_empty(value: object) -> bool:
    """Whether a cell holds nothing: null, a text without letters, or the NaN of a table."""
    return value is None or (type(value) is str and not value) or (type(value) is float and isnan(value))


def top(path: str) -> str:
    """The column in which a path begins."""
    return re.split(r"[.\[]", path, maxsplit=1)[0] or path


def is_text(value: object) -> bool:
    """Whether a value can be part of a prompt: words, or a list; an object may be anything."""
    return isinstance(value, str) or plain_list(value) is not None


def words(value: object) -> str:
    """All texts within a value, for looking whether something stands in it."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "\n".join(words(part) for part in value.values())
    return "\n".join(words(part) for part in plain_list(value) or ())


def without(row: Row, names: frozenset[str]) -> Row:
    """The row as if these columns, and these fields of its messages, did not stand in it."""
    return Row({name: stripped(value, names) for name, value in row.data.items() if name not in names}, row.where)


def stripped(value: object, names: frozenset[str]) -> object:
    if isinstance(value, str):
        found = literal(value) if value[:1] in ("[", "{") and CHAT.match(value) else None
        return value if found is None else stripped(found, names)
    if isinstance(value, Mapping):
        return {key: stripped(part, names) for key, part in value.items() if key not in names}
    items = plain_list(value)
    return value if items is None else [stripped(part, names) for part in items]
