"""Layouts of published corpora, known by their column names: UKPConvArg1 and Stanford Human Preferences -> Draft."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from assay.data.layouts.chosen_rejected import extras
from assay.data.layouts.columns import SAYS_MORE, Columns, Names
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Outcome
from assay.data.layouts.texts import UnfitError, as_text
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Text


def ukp_columns(_: Sequence[Row], seen: Sequence[str], __: Mapping[str, str]) -> Names | None:
    return (
        {"id": "#id", "label": "label", "left": "a1", "right": "a2"}
        if {"#id", "label", "a1", "a2"} <= set(seen)
        else None
    )


def ukp(row: Row, columns: Columns) -> Draft:
    """Two arguments for one side of a debate. The file name, debate_side.csv, makes the prompt; group = debate."""
    name = PurePath(row.where.source).name.split(".")[0]
    debate, underscore, side = name.partition("_")
    if not underscore:
        raise InputError(f"{row.where.source}: the ukp layout takes debate and side from a file named debate_side.csv.")
    left, right = (as_text(row.data[key], "both", key) for key in ("a1", "a2"))
    prompt = f"Debate: {spoken(debate)}. Side: {spoken(side)}. Make a convincing argument for this side."
    return Draft(
        prompt=prompt,
        other_prompt=prompt,
        left=unmarked(left),
        right=unmarked(right),
        label=columns.spelling.read(row.data["label"]),
        id=f"{name}/{row.data['#id']}",
        group=debate.strip("-"),
    )


def spoken(slug: str) -> str:
    """Words of a file-name part."""
    return " ".join(slug.split("-")).strip().capitalize()


def unmarked(text: Text) -> Text:
    """Line breaks as line breaks: the corpus writes them as tags."""
    return re.sub(r"\s*<br\s*/?>\s*", "\n", text).strip() if isinstance(text, str) else text


def shp_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> Names | None:
    if stated.keys() - SAYS_MORE or not {"history", "human_ref_A", "human_ref_B", "labels"} <= set(seen):
        return None
    names = {"prompt": "history", "left": "human_ref_A", "right": "human_ref_B", "label": "labels"}
    domain = {"category": "domain"} if "domain" in seen else {}
    post = {"group": "post_id"} if "post_id" in seen else {}
    return names | domain | post | dict(stated)


def shp(row: Row, columns: Columns) -> Draft:
    """Stanford Human Preferences, whose card says: labels is 1 if A is preferred and 0 if B is."""
    data = row.data
    label: Outcome = "left" if str(data.get("labels")) == "1" else "right"
    if str(data.get("labels")) not in ("0", "1"):
        raise UnfitError("missing_field", f"labels is {data.get('labels')!r}; SHP has 1 (A) and 0 (B)")
    prompt = as_text(data.get("history"), "prompt", "history")
    left, right = (as_text(data.get(name), "both", name) for name in ("human_ref_A", "human_ref_B"))
    draft = Draft(prompt=prompt, other_prompt=prompt, left=left, right=right, label=label)
    return extras(draft, data, columns)
