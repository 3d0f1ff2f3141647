"""Which column plays which role: by the names people give to columns, or as the user states. Knows no values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from assay.data.layouts.labels import ANNOTATOR_KEYS, ORDER_WORDS, Outcome, Spelling, spelling, stated
from assay.errors import ConfigError, InputError

Names = dict[str, str]  # role -> column
ROLES = (
    "prompt", "chosen", "rejected", "left", "right", "prompt_chosen", "prompt_rejected", "prompt_left", "prompt_right",
    "label", "votes", "annotator", "shown_left", "id", "category", "objective", "group", "margin", "weight", "source",
    "answers", "ranks", "scores", "system",
)  # fmt: skip
PROMPT_NAMES = ("prompt", "question", "instruction", "query", "input", "history", "context", "post", "conversation")
# What says no answer and no outcome.
SAYS_MORE = frozenset({"id", "category", "objective", "group", "margin", "weight", "source"})
LABEL_NAMES = (
    "label", "winner", "preference", "preferred", "choice", "better", "better_response_id",
    "overall_preference", "gold", "vote",
)  # fmt: skip
ANSWERS_NAMES = ("answers", "candidates")
ANNOTATOR_NAMES = (*ANNOTATOR_KEYS, "judge", "judge_id", "rater_id", "editor", "reviewer")
VOTES_NAMES = ("votes", "annotations", "ballots")
ID_NAMES = ("id", "pair_id", "uid")
STEM = (
    r"(?:response|answer|completion|output|candidate|reply|generation|summary|text|model_response|result|argument|a|)"
)
SIDES = (("a", "b"), ("left", "right"), ("0", "1"), ("1", "2"), ("x", "y"))
WAY_OUT = "Name the columns: --columns prompt=YOURS,chosen=YOURS,rejected=YOURS (or left=,right=,label=)."


@dataclass(frozen=True)
class Columns:
    """Role -> column name; a name with dots may lead into nested objects. numbers: the labels that number a column."""

    names: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, Outcome] = field(default_factory=dict)

    def pick(self, data: Mapping[str, object], role: str) -> object:
        """The value in the column of that role, None if there is none."""
        name = self.names.get(role)
        if name is None:
            return None
        value = data.get(name)
        return walk(data, name) if value is None and "." in name else value

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """Roles of this source that say more about a pair."""
        said = ("id", "category", "objective", "group", "margin", "weight", "source")
        return tuple(role for role in said if role in self.names)

    @cached_property
    def more(self) -> tuple[tuple[str, str, bool], ...]:
        """(role, column, whether the column leads into an object) of `extras`: looked up once, read for every row."""
        return tuple((role, self.names[role], "." in self.names[role]) for role in self.extras)

    @cached_property
    def spelling(self) -> Spelling:
        """What labels mean for these columns."""
        if "left" in self.names:
            return spelling(self.names["left"], self.names["right"], self.labels, self.numbers)
        return Spelling(words=ORDER_WORDS | stated(self.labels), columns=("chosen", "rejected"))


def walk(data: Mapping[str, object], name: str) -> object:
    value: object = data
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def stated_columns(columns: Mapping[str, str], seen: Iterable[str]) -> dict[str, str]:
    """The user's own choice of columns. Raises ConfigError for an unknown role, InputError for a column not there."""
    there = set(seen)
    tools = {"responses", "annotations"} & there or any(name.endswith(".responses") for name in there)
    for role, name in columns.items():
        if role == "votes" and tools:
            continue  # a question or tag inside an export, which its layout looks for
        if role not in ROLES:
            raise ConfigError(f"--columns: there is no field {role!r}. Fields: {', '.join(ROLES)}.")
        if name not in there and name.split(".")[0] not in there:
            raise InputError(f"--columns {role}={name}: no such column. Columns here: {listed(there)}.")
    return dict(columns)


def find(seen: Iterable[str], stated: Mapping[str, str], role: str, names: Iterable[str]) -> dict[str, str]:
    """{role: column} by the usual names; empty if none is there. Raises InputError if several could be meant."""
    if role in stated:
        return {role: stated[role]}
    there = {name.lower(): name for name in seen}
    found = [there[name] for name in names if name in there]
    if len(found) > 1 and found[0].lower() != role:
        whole = (
            f", or where together they make it, in a layout of your own (--layout FILE.yaml): "
            f"prompt: [{', '.join(found)}]"
        )
        raise InputError(
            f"Columns {listed(found)} could each be the {role}. Say which: --columns {role}={found[0]}"
            f"{whole if role == 'prompt' else ''}"
        )
    return {role: found[0]} if found else {}


def find_answers(seen: Iterable[str], stated: Mapping[str, str], stem: str = STEM) -> dict[str, str]:
    """{"left": .., "right": ..} for two columns such as response_a and response_b; empty if there are none."""
    if "left" in stated or "right" in stated:
        if not ("left" in stated and "right" in stated):
            raise ConfigError("--columns: left and right go together.")
        return {"left": stated["left"], "right": stated["right"]}
    found = couples(seen, stem)
    if len(found) > 1:
        choices = "; ".join(" and ".join(couple) for couple in found)
        raise InputError(f"More than one couple of answers: {choices}. Say which: --columns left={found[0][0]},...")
    return dict(zip(("left", "right"), found[0], strict=True)) if found else {}


def couples(seen: Iterable[str], stem: str) -> list[tuple[str, str]]:
    """Columns with one stem and two opposite ends."""
    pattern = re.compile(rf"({stem})([_\- ]?)(a|b|left|right|[0-9]+|x|y)", re.IGNORECASE)
    ends: dict[str, dict[str, str]] = {}
    for name in seen:
        if matched := pattern.fullmatch(name):
            ends.setdefault((matched[1] + matched[2]).lower(), {})[matched[3].lower()] = name
    found = []
    for by_end in ends.values():
        couple = next(((by_end[a], by_end[b]) for a, b in SIDES if a in by_end and b in by_end), None)
        if couple is not None:
            if len(by_end) > 2:
                names = listed(by_end.values())
                raise InputError(
                    f"{len(by_end)} answers a row ({names}), not two. Choose: --columns left=...,right=..."
                )
            found.append(couple)
    return found


def optional(seen: Iterable[str], stated: Mapping[str, str]) -> dict[str, str]:
    """Columns that say more about a pair, where they are there under their own names."""
    names = {
        "id": ID_NAMES,
        "category": ("category",),
        "objective": ("objective",),
        "group": ("group",),
        "margin": ("margin",),
        "source": ("source",),
        "system": (),  # only where the user says so: many columns of that name hold something else
    }
    return {role: column for role, known in names.items() for column in find(seen, stated, role, known).values()}


def listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(map(str, names))[:30]) or "none"
