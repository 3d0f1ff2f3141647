"""Whether a text is written in Latin letters, which English rules and English sentences are for. Knows letters."""

from __future__ import annotations

LATIN = 0.9  # of the letters of a text, for English rules to fit
LETTERS = 400  # of a text that are looked at


def latin(text: str) -> bool:
    """Whether the letters at the start of a text are mostly Latin; a text without letters fits every rule.

    >>> latin("Ja, natürlich."), latin("Да, конечно."), latin("42")
    (True, False, True)
    """
    letters = [char for char in text[:LETTERS] if char.isalpha()]
    return sum(ord(char) < 0x250 or 0x1E00 <= ord(char) < 0x1F00 for char in letters) >= LATIN * len(letters)
