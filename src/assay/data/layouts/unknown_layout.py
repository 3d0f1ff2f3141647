"""Rows of no known layout -> a draft of one in the mapping language, for the user to correct. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.data.layouts.candidate_rows import TEXT_KEYS, listed
from assay.data.layouts.columns import LABEL_NAMES, PROMPT_NAMES, VOTES_NAMES, couples
from assay.data.layouts.labels import spelled, spelling
from assay.data.sources.row import Row
from assay.errors import InputError

MOST_COLUMNS = 30
LONG = 200  # characters of a text that is no label
WORD = 60  # characters of a label; a reference answer is longer
MANY = 20  # objects in a list that are more than the answers to one prompt
SCORE_NAMES = ("rank", "score", "rating")


def draft_layout(rows: Sequence[Row], seen: Sequence[str]) -> str:
    """A layout that names the columns seen, with the guesses in place, and what each column holds as comments."""
    said = {name: [row.data.get(name) for row in rows if row.data.get(name) is not None] for name in seen}
    couple = answer_couple(said)
    prompt = prompt_column(said, couple) or "COLUMN"
    lines = [f"prompt: {prompt}", *answer_lines(said, prompt, couple)]
    lines += [f"# {name}: {shown(said[name])}" for name in seen[:MOST_COLUMNS]]
    if len(seen) > MOST_COLUMNS:
        lines.append(f"# and {len(seen) - MOST_COLUMNS} columns more")
    return "\n".join(lines)


def prompt_column(said: Mapping[str, Sequence[object]], answers: Sequence[str]) -> str | None:
    """The column that is called a prompt and holds text or a chat; else the longest first text that is no answer."""
    for name in PROMPT_NAMES:
        values = said.get(name)
        if values and not isinstance(values[0], int | float):  # a number is one of prompts that stand elsewhere
            return name
    texts = {
        name: values[0]
        for name, values in said.items()
        if name not in (*answers, *LABEL_NAMES) and values and isinstance(values[0], str)
    }
    return max(texts, key=lambda name: len(texts[name])) if texts else None


def answer_couple(said: Mapping[str, Sequence[object]]) -> Sequence[str]:
    """Two columns of texts with opposite ends; none where there is no such couple, or more than two answers."""
    try:
        found = couples(said, r".*")
    except InputError:
        return ()
    texts = [couple for couple in found if all(isinstance(value, str) for name in couple for value in said[name][:1])]
    return texts[0] if texts else ()


def answer_lines(said: Mapping[str, Sequence[object]], prompt: str, couple: Sequence[str]) -> list[str]:
    """Answers and outcome as far as they can be guessed."""
    for name, values in said.items():
        items = listed(values[0]) if values and name != prompt else None
        if items and isinstance(items[0], Mapping) and "role" not in items[0]:
            text = next((key for key in items[0] if key in TEXT_KEYS), "KEY")
            merit = next((key for key in items[0] if key in SCORE_NAMES), "score")
            return [f"answers: {{list: {name}, text: {text}}}", f"outcome: {{{merit}: {merit}}}", "row: candidates"]
    if {"chosen", "rejected"} <= said.keys():
        return ["answers: {chosen: chosen, rejected: rejected}"]
    left, right = couple or ("COLUMN", "COLUMN")
    answers = f"answers: {{left: {left}, right: {right}}}"
    votes = next((name for name in VOTES_NAMES if said.get(name) and listed(said[name][0])), None)
    if votes is not None:
        return [answers, f"outcome: {{votes: {{list: {votes}}}}}"]
    label = next((name for name in LABEL_NAMES if are_labels(said.get(name, ()))), "COLUMN")
    words = sorted({str(value) for value in said.get(label, ())[:200]})[:4]
    known = spelling(left, right, {}, {})
    told = ", ".join(f"{word!r}: {known.words.get(spelled(word), 'left')}" for word in words) or "'LABEL': left"
    return [answers, f"outcome: {{label: {label}, words: {{{told}}}}}"]


def are_labels(values: Sequence[object]) -> bool:
    """Whether values may say who won: short words or numbers, as a reference answer called gold is not."""
    return bool(values) and all(listed(value) is None and len(str(value)) < WORD for value in values)


def rows_inside(rows: Sequence[Row]) -> str | None:
    """The column of a file's one row that holds what look like its rows; None where no list of objects is long."""
    if len(rows) != 1:
        return None
    for name, value in rows[0].data.items():
        items = listed(value)
        if items is not None and len(items) >= MANY and isinstance(items[0], Mapping):
            return f"{name!r}, a list of {len(items):,} objects"
    return None


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
