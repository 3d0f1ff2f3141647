"""How many rows go through the trunk at once when nothing is trained. Knows rows; knows no model."""

from __future__ import annotations

from collections.abc import Sequence

from assay.engine.budget import micro_batches
from assay.engine.render import Encoded
from assay.engine.trie import plan


def plans(rows: Sequence[Encoded], *, micro_tokens: int, shared: bool) -> list[list[int]]:
    """Indices of rows in forward passes of at most `micro_tokens` tokens.

    shared: rows that begin with the same prompt stay together and their tokens are counted once; else length-sorted.
    """
    if not shared:
        return micro_batches([len(row.ids) for row in rows], micro_tokens)
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(row.ids[: row.prompt_tokens], []).append(index)
    members = list(groups.values())
    packs = plan([[rows[i].ids for i in group] for group in members], token_budget=micro_tokens)
    return [[index for place in pack for index in members[place]] for pack in packs]
