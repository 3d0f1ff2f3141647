"""Prompt and answers inside a nested object of a row, as annotation tools export them. Knows objects; knows no tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.data.layouts.columns import PROMPT_NAMES, Columns, Names, find, find_answers, optional
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Spelling, spelling
from assay.data.layouts.texts import as_text
from assay.data.sources.row import Row


def inner_columns(rows: Sequence[Row], key: str, stated: Mapping[str, str]) -> Names | None:
    """Prompt and answers inside a nested object `key` of the first rows."""
    inner = [inside for row in rows if isinstance(inside := row.data.get(key), Mapping)]
    seen = list(dict.fromkeys(str(name) for fields in inner for name in fields))
    plain = {role: name.removeprefix(f"{key}.") for role, name in stated.items()}
    found = find_answers(seen, plain) | find(seen, plain, "prompt", PROMPT_NAMES)
    more = optional([name for name in seen if name not in found.values()], {})
    return {role: f"{key}.{name}" for role, name in (more | found).items()} if len(found) == 3 else None


def draft_of(data: Mapping[str, object], columns: Columns) -> Draft:
    """Prompt and answers by their columns, without a label."""
    pick = columns.pick
    prompt = as_text(pick(data, "prompt"), "prompt", columns.names["prompt"])
    left, right = (as_text(pick(data, side), "both", columns.names[side]) for side in ("left", "right"))
    draft = Draft(prompt=prompt, other_prompt=prompt, left=left, right=right)
    draft.id, draft.category, draft.group = (pick(data, role) for role in ("id", "category", "group"))
    return draft


def inner_spelling(columns: Columns) -> Spelling:
    """The spelling by the last part of nested column names; numbers there are ratings or ranks, no columns."""
    left, right = (columns.names[side].rsplit(".", 1)[-1] for side in ("left", "right"))
    return spelling(left, right, columns.labels, {})
