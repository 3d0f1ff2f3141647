"""Holds what a server shows: the sealed plan and its items as safe HTML, in memory.

It never changes while a study is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from assay.study.config import StudyConfig
from assay.study.safe_html import page_text, safe_html, safe_turns
from assay.study.store.database import tables
from assay.study.store.open_study import items_of, slots_of, study_of
from assay.study.study_records import Item, Slot, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One showing as an editor sees it: no item, no system, no side, no kind."""

    turns: Sequence[tuple[str, str]]
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStudy:
    """The study a server serves."""

    study: Study
    config: StudyConfig
    items: Mapping[str, Item]
    slots: Mapping[int, tuple[Slot, ...]]  # by editor's number, in order of position

    def next_slot(self, editor_id: int, live: Mapping[str, int]) -> Slot | None:
        return next((slot for slot in self.slots[editor_id] if slot.showing not in live), None)

    def view(self, slot: Slot) -> View:
        left, right = self._answers(slot)
        turns = safe_turns(self.items[slot.item].prompt)
        return View(turns=turns, left=safe_html(left), right=safe_html(right))

    def texts(self, slot: Slot) -> dict[str, str | list[dict[str, str]]]:
        """The showing as plain text, for programs that judge."""
        left, right = self._answers(slot)
        prompt = self.items[slot.item].prompt
        turns = prompt if isinstance(prompt, str) else [{"role": t.role, "content": t.content} for t in prompt]
        return {"prompt": turns, "left": page_text(left), "right": page_text(right)}

    def _answers(self, slot: Slot) -> tuple[str, str]:
        item = self.items[slot.item]
        return (item.answer_a, item.answer_b) if slot.left == "a" else (item.answer_b, item.answer_a)


def read_served_study(connection: Connection) -> ServedStudy:
    study = study_of(connection)
    numbers = {name: number for number, name in connection.execute(select(tables.editors.c.id, tables.editors.c.name))}
    slots: dict[int, list[Slot]] = {number: [] for number in numbers.values()}
    for slot in slots_of(connection):
        slots[numbers[slot.editor]].append(slot)
    return ServedStudy(
        study=study,
        config=StudyConfig.build(study.config),
        items={item.id: item for item in items_of(connection)},
        slots={number: tuple(found) for number, found in slots.items()},
    )
