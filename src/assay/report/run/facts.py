"""Any small JSON value as a fact on the page: its name spelled out, its value in words, unknown with the reason.

Knows names of figures that contracts and splits leave out, and why; knows no section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.report import words

Facts = list[tuple[str, str]]
# Why contract.json leaves a figure out.
BECAUSE = {
    "annotators": "the votes name nobody",
    "picked_left_share": "no vote says which answer stood on the left",
    "mean_majority_share": "no row has several votes",
    "unanimous_share": "no row has several votes",
    "agreement": "no row has votes",
    "near_duplicate_prompts": "not looked for",
    "template_prompts": "not looked for",
    "crowded_buckets": "not looked for",
    "longer_is_chosen_share": "no pair has answers of different length",
}
SMALL = 12  # lists longer than this are no facts


def fact_list(values: Mapping[str, object]) -> Facts:
    """The single figures of a group; unknown with the reason where there is none."""
    return [
        (words.spaced(str(key)).capitalize(), named_value_text(str(key), value))
        for key, value in values.items()
        if not (isinstance(value, list) and len(value) > SMALL)
        and not (isinstance(value, Mapping) and is_nested(value))
    ]


def is_nested(values: Mapping[str, object]) -> bool:
    return len(values) > 3 or any(isinstance(value, Mapping | list) for value in values.values())


def named_value_text(key: str, value: object) -> str:
    """A figure as its name says it is read: shares in percent."""
    if value is None:
        return f"{words.UNKNOWN}: {BECAUSE.get(key, 'not recorded')}"
    return words.percent(value) if key.endswith("share") else value_text(value)


def value_text(value: object) -> str:
    """Any small JSON value in words."""
    if value is None:
        return words.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if words.known(value):
        return words.count(value) if float(value).is_integer() else words.plain_number(value)
    if isinstance(value, Mapping):
        return ", ".join(
            f"{words.spaced(str(key))} {named_value_text(str(key), inner)}" for key, inner in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(value_text(inner) for inner in value)
    return str(value)
