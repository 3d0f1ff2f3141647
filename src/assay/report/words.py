"""Figures, times and texts as people read them: rounding, units, plurals, hidden characters made visible.

Nothing here turns an unknown into a number: None and not-a-number become the word `unknown`. Knows no artifact.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeGuard

from assay.stats.intervals import Interval

UNKNOWN = "unknown"
MINUS = "\u2212"
BIDI = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}
Kind = Literal["share", "points", "count", "plain"]


def known(value: object) -> TypeGuard[float]:
    """Whether `value` is a finite number (True and False are not numbers here)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(value: object, places: int = 2) -> str:
    """3.14159 -> 3.14, with a true minus sign and thin grouping of thousands."""
    if not known(value):
        return UNKNOWN
    text = f"{value:,.{places}f}"
    # What rounds to nothing has no sign: -0.00 would say that it is below.
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: object, places: int = 2) -> str:
    """0.5 -> +0.50."""
    text = number(value, places)
    return f"+{text}" if known(value) and value > 0 and text.strip("0.,") else text


def count(value: object) -> str:
    """12345 -> 12,345."""
    return f"{round(value):,}" if known(value) else UNKNOWN


def percent(value: object, places: int = 1) -> str:
    """0.784 -> 78.4%."""
    return f"{number(100 * value, places)}%" if known(value) else UNKNOWN


def points(value: object, places: int = 1) -> str:
    """A difference of two shares, 0.213 -> +21.3 points."""
    if not known(value):
        return UNKNOWN
    return f"{signed(100 * value, places)} points"


def figure(value: object, kind: Kind) -> str:
    """A value as its kind is read: a share in percent, a difference of shares in points, a count, or a plain number."""
    if not known(value):
        return UNKNOWN
    return {"share": percent, "points": points, "count": count, "plain": plain_number}[kind](value)


def plain_number(value: float) -> str:
    """Three decimals where they say something, two significant digits for small figures, fewer for large ones."""
    size = abs(value)
    if 0 < size < 0.01:
        return f"{value:.2g}".replace("-", MINUS)
    return number(value, 3 if size < 10 else 1 if size < 1000 else 0)


def reward(value: object) -> str:
    """A reward or margin: two decimals, or two significant digits where those would show nothing."""
    if not known(value):
        return UNKNOWN
    return plain_number(value) if 0 < abs(value) < 0.01 else number(value, 2)


def span(interval: Interval | None, kind: Kind) -> str:
    """An interval without its level: `75.1 to 81.4%`; an empty string if there is none."""
    if interval is None or not (known(interval.low) and known(interval.high)):
        return ""
    low, high = interval.low, interval.high
    if kind == "share":
        return f"{number(100 * low, 1)} to {number(100 * high, 1)}%"
    if kind == "points":
        return f"{signed(100 * low, 1)} to {signed(100 * high, 1)}"
    return f"{figure(low, kind)} to {figure(high, kind)}"


def level(interval: Interval | None) -> str:
    """0.95 -> 95%."""
    return f"{100 * interval.level:g}%" if interval is not None else UNKNOWN


def duration(seconds: object) -> str:
    """95 -> 1 min 35 s."""
    if not known(seconds):
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def moment(text: object) -> str | None:
    """2026-03-02T09:30:00+00:00 -> 2026-03-02 09:30 UTC; as it stands where it is no such time."""
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text) if text else None
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if when.tzinfo else str(text)


def rounded(value: object) -> str:
    """A rough count to two significant digits: 79,496 -> 79,000."""
    if not known(value):
        return UNKNOWN
    size = max(0, len(str(abs(round(value)))) - 2)
    return count(round(value, -size))


def listing(words: Sequence[str], last: str = "and") -> str:
    """['a', 'b', 'c'] -> a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def plural(n: int | float, noun: str, many: str | None = None) -> str:
    """1, seed -> 1 seed; 3, seed -> 3 seeds."""
    return f"{count(n)} {noun if n == 1 else many or noun + 's'}"


def sentence(text: str) -> str:
    """First letter large, a full stop at the end."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def spaced(name: str) -> str:
    """length_matched_accuracy -> length matched accuracy."""
    return name.replace("_", " ")


def visible(text: str) -> str:
    """`text` with what could hide or reorder words made visible: control and direction characters, lone surrogates."""
    return "".join(letter if is_harmless(letter) else code_point(letter) for letter in text)


def is_harmless(letter: str) -> bool:
    return letter in "\n\t" or (
        unicodedata.category(letter) not in ("Cc", "Cs") and letter not in BIDI and is_character(letter)
    )


def is_character(letter: str) -> bool:
    """XML and HTML forbid the two last code points of each plane."""
    return ord(letter) & 0xFFFE != 0xFFFE


def code_point(letter: str) -> str:
    """⟨U+202E⟩; nothing for a carriage return, which only ends a line."""
    return "" if letter == "\r" else f"⟨U+{ord(letter):04X}⟩"
