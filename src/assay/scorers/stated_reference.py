"""The reference answer of a row, where its `source` states one. Knows fields; knows not what it is held against."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS = ("reference", "reference_answer", "ground_truth", "gold", "target", "solution", "answer")


def stated_reference(source: Mapping[str, object], field: str | None = None) -> str | None:
    """The reference answer in a row's `source` as text, or None where it has none.

    field: its name there; None: the first of FIELDS that is text or a number.

    >>> stated_reference({"target": 18, "name": "gsm8k"})
    '18'
    """
    for name in FIELDS if field is None else (field,):
        value = source.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def no_reference(field: str | None = None) -> str:
    """Why an answer cannot be held against a reference, as an Unscored says it."""
    named = field or ", ".join(FIELDS)
    return f"its row states no reference answer: none of the fields {named} stands under source"
