"""What a row says beside its texts -> names, numbers and a source that can be written again, or UnfitError."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import orjson

from assay.data.layouts.texts import UnfitError, missing, told


def name(value: object, what: Literal["id", "category", "group", "objective"]) -> str | None:
    """A name as text. Raises UnfitError for lists and objects."""
    if type(value) is str and value and value.isascii():
        return value
    if missing(value):
        return None
    if not isinstance(value, str):
        if not isinstance(value, bool | int | float):
            raise UnfitError("not_text", f"the {what} is {told(value)}, not a name")
        if isinstance(value, float) and not math.isfinite(value):
            raise UnfitError("missing_field", f"the {what} is {value}, not a name")
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if not value.isascii():
        value.encode()  # raises UnicodeEncodeError
    return value


def printable(value: object) -> str | None:
    """A category for counting, even of a row that is rejected for it."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) and value else None


def number(value: object) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    try:
        found = math.nan if not isinstance(value, str | int | float) or isinstance(value, bool) else float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def margin(value: object) -> float | None:
    """A stated strength of preference. Raises UnfitError unless it is a finite number >= 0 or nothing."""
    if value is None or missing(value):
        return None
    found = number(value)
    if found is None or found < 0:
        raise UnfitError("missing_field", f"the margin is {str(value)[:40]!r}; it must be a number >= 0")
    return found


def weight(value: object) -> float:
    """A stated weight; 1 where there is none. Raises UnfitError unless it is a finite number > 0 or nothing."""
    if value is None or missing(value):
        return 1.0
    found = number(value)
    if found is None or found <= 0:
        raise UnfitError("missing_field", f"the weight is {str(value)[:40]!r}; it must be a number > 0")
    return found


def source(value: object) -> Mapping[str, object]:
    """Where a pair came from, as the data say it. Raises UnfitError if it cannot be written as JSON again."""
    if value is None or missing(value):
        return {}
    found = value if isinstance(value, Mapping) else {"name": value}
    try:
        orjson.dumps(found)
    except TypeError as error:  # orjson's encoding errors are TypeErrors
        raise UnfitError("not_text", f"the source cannot be written as JSON ({error})") from None
    return found
