"""What the texts of a pair must be: there, answers to one prompt, and different. Knows texts; knows no vote.

Every rule raises UnfitError with its reason and the side concerned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from assay.data.layouts.draft import Draft
from assay.data.layouts.texts import UnfitError, blank
from assay.records import Part, Text, as_messages


def check_texts(draft: Draft) -> None:
    if blank(draft.prompt) or blank(draft.other_prompt):
        raise UnfitError("missing_field", "the prompt is empty", "prompt")
    if blank(draft.left) or blank(draft.right):
        refuse_empty(draft)
    if asks(draft.left) or asks(draft.right):
        raise UnfitError(
            "missing_field", "the answer ends with a turn of the user: there is no answer", side_of(draft, asks)
        )
    if draft.prompt is not draft.other_prompt and trimmed(draft.prompt) != trimmed(draft.other_prompt):
        raise UnfitError("context_mismatch", "the two answers were given to different prompts", "prompt")
    if trimmed(draft.left) == trimmed(draft.right):
        raise UnfitError("identical_candidates", "both answers are the same", "both")


def refuse_empty(draft: Draft) -> NoReturn:
    """Raises UnfitError with the side that is empty."""
    side = side_of(draft, blank)
    raise UnfitError("empty_candidate", f"{'chosen and rejected' if side == 'both' else side} empty", side)


def asks(text: Text) -> bool:
    """Whether a conversation ends with the user's turn."""
    return not isinstance(text, str) and text[-1].role == "user"


def side_of(draft: Draft, concerned: Callable[[Text], bool]) -> Part:
    """The side concerned; which one that is depends on who won, where that is known."""
    sides: tuple[Part, Part] = ("rejected", "chosen") if draft.label == "right" else ("chosen", "rejected")
    left, right = concerned(draft.left), concerned(draft.right)
    return "both" if left and right else sides[0] if left else sides[1]


def trimmed(text: Text) -> str | list[tuple[str, str]]:
    """A text without white space at its ends; one message and the same words as plain text are one answer."""
    if isinstance(text, str):
        return text.strip()
    if len(text) == 1:
        return text[0].content.strip()
    return [(message.role, message.content.strip()) for message in text]


def alike(prompt: Text, chosen: Text, rejected: Text) -> tuple[Text, Text, Text]:
    """All as texts or, where one is messages, all as messages."""
    if type(prompt) is str and type(chosen) is str and type(rejected) is str:
        return prompt, chosen, rejected
    asked = as_messages(prompt, role="user")
    return asked, as_messages(chosen, role="assistant"), as_messages(rejected, role="assistant")
