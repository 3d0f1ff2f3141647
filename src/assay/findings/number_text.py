"""Numbers inside the sentences of artifacts, with a true minus sign: whoever shows a sentence need not mend it."""

from __future__ import annotations

MINUS = "\u2212"


def number_text(value: float, form: str) -> str:
    """`value` in a format such as ".1f" or "g".

    >>> number_text(-4.5, "+.1f"), number_text(1e-7, ".2g")
    ('−4.5', '1e-07')
    """
    text = format(value, form)
    return MINUS + text[1:] if text.startswith("-") else text
