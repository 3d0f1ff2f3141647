"""Sets aside or refuses items nobody can judge: an empty answer, one too long, two that are alike. None goes unsaid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from assay.errors import InputError
from assay.policies.row_fields import quoted
from assay.records import plain_text
from assay.study.config import StudyConfig
from assay.study.study_records import AsideReason, Item, SetAside

EXAMPLES = 5


def usable(items: Iterable[Item], aside: list[SetAside], *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    """The items that can be judged, one id a prompt text, and `aside` with those left out by the options.

    Raises InputError where an item is refused, or nothing is left.
    """
    kept: list[Item] = []
    refused: list[str] = []
    for item in _named_by_prompt(list(items)):
        found = _flaw(item, config)
        if found is None:
            kept.append(item)
        elif found[1] == "refuse":
            refused.append(f"prompt {quoted(item.prompt_id)}: {found[0].detail}")
        else:
            aside.append(found[0])
    if refused:
        shown = "; ".join(refused[:EXAMPLES]) + ("; ..." if len(refused) > EXAMPLES else "")
        raise InputError(
            f"{len(refused)} of {len(refused) + len(kept)} pairs cannot be judged: {shown}. Mend the files, or leave "
            "these out, counted and named, with --set empty=set_aside (or identical=, for answers that are the same)."
        )
    if not kept:
        reasons = ", ".join(sorted({entry.reason for entry in aside}))
        raise InputError(f"Nothing left to judge: all {len(aside)} prompts were set aside ({reasons}).")
    return kept, aside


def _flaw(item: Item, config: StudyConfig) -> tuple[SetAside, Literal["refuse", "set_aside"]] | None:
    def aside(reason: AsideReason, detail: str) -> SetAside:
        return SetAside(prompt_id=item.prompt_id, reason=reason, detail=detail)

    for system, answer in ((item.system_a, item.answer_a), (item.system_b, item.answer_b)):
        if not answer.strip():
            return aside("empty", f"the answer of {system} has no text"), config.empty
        if len(answer) > config.longest_answer:
            detail = f"the answer of {system} has {len(answer):,} characters (longest_answer={config.longest_answer:,})"
            return aside("too_long", detail), config.empty
    if item.answer_a.strip() == item.answer_b.strip():
        detail = f"{item.system_a} and {item.system_b} gave the same answer: a tie by construction"
        return aside("identical", detail), config.identical
    return None


def _named_by_prompt(items: Sequence[Item]) -> list[Item]:
    """One id for one prompt text, the first it has: votes on one prompt are alike, whatever the rows are called."""
    names: dict[str, str] = {}
    return [
        replace(item, prompt_id=names.setdefault(plain_text(item.prompt).strip(), item.prompt_id)) for item in items
    ]
