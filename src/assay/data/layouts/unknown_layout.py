"""Rows of no known layout -> a draft of one in the mapping language, for the user to correct. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.data.layouts.candidate_rows import TEXT_KEYS, listed
from assay.data.layouts.columns import LABEL_NAMES, PROMPT_NAMES, couples
from assay.data.sources.row import Row
from assay.errors import InputError

MOST_COLUMNS = 30
LONG = 200  # characters of a text that is no label
SCORE_NAMES = ("rank", "score", "rating")


def draft_layout(rows: Sequence[Row], seen: Sequence[str]) -> str:
    """A layout that names the columns seen, with the guesses in place, and what each column holds as comments."""
    said = {name: [row.data.get(name) for row in rows if row.data.get(name) is not None] for name in seen}
    prompt = next((name for name in PROMPT_NAMES if name in said), None) or longest(said) or "COLUMN"
    lines = [f"prompt: {prompt}", *answer_lines(said, prompt)]
    lines += [f"# {name}: {shown(said[name])}" for name in seen[:MOST_COLUMNS]]
    if len(seen) > MOST_COLUMNS:
        lines.append(f"# and {len(seen) - MOST_COLUMNS} columns more")
    return "\n".join(lines)


def longest(said: Mapping[str, Sequence[object]]) -> str | None:
    """The column with the longest first text."""
    texts = {name: values[0] for name, values in said.items() if values and isinstance(values[0], str)}
    return max(texts, key=lambda name: len(texts[name])) if texts else None


def answer_lines(said: Mapping[str, Sequence[object]], prompt: str) -> list[str]:
    """Answers and outcome as far as they can be guessed."""
    for name, values in said.items():
        items = listed(values[0]) if values and name != prompt else None
        if items and isinstance(items[0], Mapping) and "role" not in items[0]:
            text = next((key for key in items[0] if key in TEXT_KEYS), "KEY")
            merit = next((key for key in items[0] if key in SCORE_NAMES), "score")
            return [f"answers: {{list: {name}, text: {text}}}", f"outcome: {{{merit}: {merit}}}", "row: candidates"]
    if {"chosen", "rejected"} <= said.keys():
        return ["answers: {chosen: chosen, rejected: rejected}"]
    try:
        found = couples(said, r".*")
    except InputError:
        found = []
    found = [couple for couple in found if all(isinstance(value, str) for name in couple for value in said[name][:1])]
    left, right = found[0] if found else ("COLUMN", "COLUMN")
    label = next((name for name in LABEL_NAMES if name in said), "COLUMN")
    words = sorted({str(value) for value in said.get(label, ())[:200]})[:4]
    told = ", ".join(f"{word!r}: left" for word in words) or "'LABEL': left"
    return [f"answers: {{left: {left}, right: {right}}}", f"outcome: {{label: {label}, words: {{{told}}}}}"]


def shown(values: Sequence[object]) -> str:
    """What a column holds, from its first values."""
    if not values:
        return "nothing"
    first, items = values[0], listed(values[0])
    if items is not None:
        inner = items[0] if items else None
        return f"list of {len(items)}" + (
            f" objects with {', '.join(map(str, inner))}" if isinstance(inner, Mapping) else ""
        )
    if isinstance(first, Mapping):
        return f"object with {', '.join(map(str, first))}"
    kinds = list(dict.fromkeys(str(value) for value in values[:200]))
    if len(kinds) <= 6 and all(len(kind) < LONG for kind in kinds):
        return ", ".join(map(repr, kinds))
    return f"text, {str(first)[:40]!r}..." if isinstance(first, str) else f"{type(first).__name__}s"
