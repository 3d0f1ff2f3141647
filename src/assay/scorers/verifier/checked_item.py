"""What a verifier is given of one answer, and what counts as its final answer. Knows texts; knows no rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BOXED = re.compile(r"\\boxed\s*\{")


@dataclass(frozen=True, slots=True)
class Checked:
    """One answer. reference: what it is held against, None: its row states none. source: the row's other fields."""

    prompt: str
    answer: str
    reference: str | None = None
    source: Mapping[str, object] = field(default_factory=dict, hash=False)

    def sent(self) -> dict[str, object]:
        """As a program gets it."""
        return {
            "prompt": self.prompt, "answer": self.answer, "reference": self.reference, "source": dict(self.source),
        }  # fmt: skip


def final_answer(text: str) -> str:
    """What a text ends on: after its last `####`, else in its last `\\boxed{}`, else all of it; without outer space.

    >>> final_answer("2 + 2 = 4, so #### 4")
    '4'
    >>> final_answer(r"It is \\boxed{\\frac{1}{2}}.")
    '\\\\frac{1}{2}'
    """
    _, marked, after = text.rpartition("####")
    if marked and after.strip():
        return after.strip()
    for begin in reversed([found.end() for found in BOXED.finditer(text)]):
        depth = 1
        for place in range(begin, len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return text[begin:place].strip()
    return text.strip()
