"""The labels in a file's first rows -> which numbers among them may name a column; or an error that lists them.

1. A number names a column only where columns are numbered and the rows hold no other number; 0 beside both is a tie.
2. Where not one label is understood, the error lists them with their counts, and the --labels line that settles them.
Knows labels; knows no layout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from assay.data.layouts.labels import (
    CHOICE_KEYS,
    NUMBER,
    Outcome,
    Spelling,
    first,
    spelled,
    stated,
)
from assay.data.layouts.texts import as_list, literal, missing
from assay.errors import InputError

GRADED = frozenset({"overall_preference", "preference_strength", "strength", "score", "rating"})  # no column's number
MOST_LISTED = 8
Seen = Counter[str]


def labels_seen(labels: Iterable[object], votes: Iterable[object], words: Spelling) -> Seen:
    """How often each label stands there, as it is looked up; empty ones are left out, and votes stated as counts."""
    found = [label for label in labels if not missing(label)]
    for listed in votes:
        if not (isinstance(listed, Mapping) and all(words.knows(spelled(name)) for name in listed)):
            found += choices(listed)
    return Counter(spelled(label) for label in found if not missing(label) and spelled(label))


def choices(votes: object) -> list[object]:
    """The choices in a row's votes, whatever their shape; what has none gives nothing."""
    if isinstance(votes, str):
        written = literal(votes) if votes.lstrip()[:1] in ("[", "{") else None
        votes = written if written is not None else re.split(r"[,;|]", votes)
    if isinstance(votes, Mapping):
        votes = list(votes.values())
    try:
        items = as_list(votes)
    except TypeError:
        return []
    found: list[object] = []
    for vote in items:
        if isinstance(vote, Mapping):
            found.append(first(vote, CHOICE_KEYS))
        elif isinstance(vote, Sequence) and not isinstance(vote, str):
            found += vote[1:2]
        else:
            found.append(vote)
    return found


def column_numbers(
    columns: tuple[str, str], label: str | None, seen: Seen, labels: Mapping[str, str]
) -> dict[str, Outcome]:
    """Which numbers name a column. label: the column the labels stand in; labels: what the user says they mean."""
    ends = [re.search(r"(\d+)$", name) for name in columns]
    one, other = (end.group() if end else "" for end in ends)
    told = {key: side for key, side in stated(labels).items() if NUMBER.fullmatch(key)}
    if not one or not other or one == other or label in GRADED:
        return {}
    numbers: dict[str, Outcome] = {one: "left", other: "right"}
    if told.keys() & numbers or {"left", "right"} & set(told.values()):
        return {}  # what the user says of numbers replaces every guess
    there = {key for key in seen if NUMBER.fullmatch(key)} - told.keys()
    if there == {one, other, "0"} and "0" not in numbers:
        return numbers | {"0": "tie"}
    return numbers if there <= numbers.keys() else {}


def refuse_unknown(seen: Seen, words: Spelling, source: str) -> None:
    """Raises InputError where a number is among the labels that nobody gave a meaning, or no label is understood."""
    known = {key for key in seen if words.knows(key)}
    numbers = [key for key in seen if key not in known and NUMBER.fullmatch(key)]
    unknown = numbers or ([] if known else list(seen))
    if not unknown:
        return
    kind = "numbers whose meaning assay does not guess" if numbers else "words that assay does not know"
    left, right = words.columns
    raise InputError(
        f"{source}: the labels are {kind}: {counted({key: seen[key] for key in seen if key not in known})}. "
        f"Say what they mean: --labels {','.join(guesses(unknown))}, in a configuration data.labels "
        f"(left is {left!r}, right is {right!r}; also tie, abstain). A grade such as -3 to 3, or the name of a model, "
        "is stated in a layout of your own: strength, or label with names (docs/data.md)."
    )


def counted(seen: Mapping[str, int]) -> str:
    """The commonest labels with their counts."""
    most = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(most) - MOST_LISTED} more" if len(most) > MOST_LISTED else ""
    return ", ".join(f"{key[:40]!r} ({count})" for key, count in most[:MOST_LISTED]) + more


def guesses(labels: Iterable[str]) -> list[str]:
    """A --labels line to correct: the sides in turn."""
    sides = ("left", "right", "tie", "abstain")
    return [f"{key[:40]}={side}" for key, side in zip(sorted(labels), sides, strict=False)]
