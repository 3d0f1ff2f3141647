"""A text as a page shows it: hidden characters made visible, a long one folded behind its start. Knows no HTML."""

from __future__ import annotations

from dataclasses import dataclass

from assay.report import words

FOLD = 320  # characters shown of a long text before it is folded


@dataclass(frozen=True, slots=True)
class Passage:
    """A text: who speaks (empty where nobody is named), the words, and their start if they are long."""

    role: str
    words: str
    start: str

    @property
    def long(self) -> bool:
        return bool(self.start)


def passages(text: str) -> list[Passage]:
    """A text as the page shows it; the audit holds conversations as plain text."""
    clean = words.visible(text)
    start = clean[:FOLD].rsplit(" ", 1)[0] + " …" if len(clean) > FOLD + 80 else ""
    return [Passage("", clean, start)]
