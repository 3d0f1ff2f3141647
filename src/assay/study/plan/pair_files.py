"""Pair files -> study items: answers of any two systems, chosen and rejected, or attention items (good and bad)."""

from __future__ import annotations

from pathlib import Path

from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.policies.row_fields import answer_of, category_of, prompt_id_of, prompt_of
from assay.study.config import StudyConfig
from assay.study.plan.usable_items import usable
from assay.study.study_records import Item, SetAside

PAIR_ROW = "Write one JSON object a line (JSON lines): a prompt and two answers."
ATTENTION_ROW = "Write one JSON object a line (JSON lines): prompt, good and bad."


def items_from_pairs(path: Path, *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    """Any pairs: prompt with answer_a and answer_b (and system_a, system_b), or with chosen and rejected.

    Rows with the same prompt share the first one's prompt id.
    """
    items: list[Item] = []
    for row, where in json_objects(path, holds=PAIR_ROW):
        if "chosen" in row and "rejected" in row:
            fields, systems = ("chosen", "rejected"), ("chosen", "rejected")
        else:
            fields = ("answer_a", "answer_b")
            systems = (str(row.get("system_a") or "a"), str(row.get("system_b") or "b"))
        prompt_id = prompt_id_of(row)
        items.append(
            Item(
                id=f"item-{len(items) + 1}",
                prompt_id=prompt_id if prompt_id is not None else f"prompt-{len(items) + 1}",
                prompt=prompt_of(row, where, system="text"),
                answer_a=answer_of(row, fields[:1], where),
                answer_b=answer_of(row, fields[1:], where),
                system_a=systems[0],
                system_b=systems[1],
                category=category_of(row),
            )
        )
    if not items:
        raise InputError(f"{path}: no rows. Expected one JSON object a line with a prompt and two answers.")
    return usable(items, [], config=config)


def read_attention(path: Path) -> list[Item]:
    """Attention items: prompt, good and bad."""
    items: list[Item] = []
    for row, where in json_objects(path, holds=ATTENTION_ROW):
        number = len(items) + 1
        items.append(
            Item(
                id=f"attention-{number}",
                prompt_id=f"attention-{number}",
                prompt=prompt_of(row, where, system="text"),
                answer_a=answer_of(row, ("good",), where),
                answer_b=answer_of(row, ("bad",), where),
                system_a="good",
                system_b="bad",
                kind="attention",
                known="a",
            )
        )
    return items
