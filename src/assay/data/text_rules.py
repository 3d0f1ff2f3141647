"""What the texts of a pair must be: there, answers to one prompt, and different. Knows texts; knows no vote.

Every rule raises UnfitError with its reason and the side concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from assay.data.layouts.draft import Draft
from assay.data.layouts.texts import UnfitError, blank
from assay.records import Message, Part, Text, as_messages

# How prompts begin once a chat template was applied; the base's own template would put its markers around them.
RENDERED = (
    "<|im_start|>", "<|start_header_id|>", "<|begin_of_text|>", "<start_of_turn>", "<bos><start_of_turn>", "<|user|>",
    "<|system|>", "<s>[INST]", "[INST]", "<|startoftext|>", "<|start|>",
)  # fmt: skip
RENDERED_STARTS = frozenset(marker[0] for marker in RENDERED)


def check_texts(draft: Draft) -> None:
    """Raises UnfitError for the first rule that the texts of a draft break."""
    if draft.prompt is draft.other_prompt and sound(draft.prompt, draft.left, draft.right):
        return
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
    if not isinstance(draft.left, str) and not isinstance(draft.right, str) and len(draft.left) != len(draft.right):
        refuse_continued(draft.left, draft.right)
    for text in (draft.prompt, draft.left, draft.right):
        refuse_rendered(text, "prompt" if text is draft.prompt else "both")


def sound(prompt: Text, left: Text, right: Text) -> bool:
    """Whether three plain texts break no rule; False also where only the rules one by one can say so."""
    # Nearly every row of a large file ends here: one look instead of a call for each rule and side.
    if type(prompt) is not str or type(left) is not str or type(right) is not str:
        return False
    one, other = left.strip(), right.strip()
    return (
        bool(one and other)
        and one != other
        and not prompt.isspace()
        and RENDERED_STARTS.isdisjoint((prompt[:1], left[:1], right[:1]))
        and prompt != ""
    )


def refuse_continued(left: Sequence[Message], right: Sequence[Message]) -> None:
    """Raises UnfitError where one side is the other and goes on: then it holds further questions, not an answer."""
    most = min(len(left), len(right))
    if left[:most] == right[:most]:
        raise UnfitError(
            "context_mismatch",
            f"one side goes on where the other ends ({len(left)} and {len(right)} messages): no answers to one prompt",
            "both",
        )


def refuse_rendered(text: Text, side: Part) -> None:
    """Raises UnfitError for a text that a chat template has been applied to already."""
    words = text if isinstance(text, str) else text[0].content if text else ""
    if words[:1] in RENDERED_STARTS and (marker := next((m for m in RENDERED if words.startswith(m)), None)):
        what = "the prompt" if side == "prompt" else "an answer"
        raise UnfitError(
            "not_text", f"{what} starts with {marker}: it is rendered already, and its markers would be doubled", side
        )


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
