"""Paths into a row -> what stands there: `info.post`, `summaries[0].text`, `messages[:-1]`. Knows no layout.

A column whose own name is the whole path comes first: tables flatten `question.full_text` into such names. Lists and
objects that a table had to write as text are read as what they spell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from assay.data.layouts.texts import literal

Look = Callable[[Mapping[str, object]], object]
PART = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]")


def path(text: str) -> Look:
    """The look-up a path stands for; None where nothing is there. Raises ValueError for what is no path."""
    steps = steps_of(text)
    if len(steps) == 1 and steps[0] == text:
        return lambda data: data.get(text)

    def look(data: Mapping[str, object]) -> object:
        value = data.get(text)
        return walked(data, steps) if value is None else value

    return look


def steps_of(text: str) -> list[str | int | slice]:
    """The names, places and stretches of a path, in order."""
    steps: list[str | int | slice] = []
    end = 0
    for found in PART.finditer(text):
        if found.start() != end:
            break
        end = found.end()
        name, place, start, stop = found.groups()
        if name is not None:
            steps.append(name)
        elif place is not None:
            steps.append(int(place))
        else:
            steps.append(slice(int(start) if start else None, int(stop) if stop else None))
    if end != len(text) or not steps or not isinstance(steps[0], str):
        raise ValueError(f"{text!r} is no path; write one as column, column.key, column[0].key or column[:-1]")
    return steps


def walked(data: Mapping[str, object], steps: Sequence[str | int | slice]) -> object:
    """The value at the end of the steps; None where a step leads nowhere."""
    value: object = data
    for step in steps:
        if isinstance(value, str):
            value = literal(value) if value.lstrip()[:1] in ("[", "{") else None
        elif hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            value = value[step] if isinstance(step, slice) or -len(value) <= step < len(value) else None
        else:
            return None
    return value


def column_of(text: str) -> str:
    """The column a path begins in."""
    return re.split(r"[.\[]", text, maxsplit=1)[0]
