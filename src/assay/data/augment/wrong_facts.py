"""A right answer -> the same answer with other figures, dates and names of days in place of its own, and no doubt.

Half of the values come from the prompt, where it has another of the kind: the mistake that is hardest to see. The
others are near ones. How a value is written stays: "$1,250" becomes "$3,250", "3 May" becomes "17 May". English. Knows
texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from assay.data.latin_script import latin
from assay.data.stated_values import COLOURS, MONTHS, UNITS, WEEKDAYS, WORDS, Value, values_of

Random = np.random.Generator
# Not those of the probe `confidently_wrong` (audits/probes): it measures what was learned, not what was remembered.
ABSTENTIONS = (
    "I don't know, and I would rather say so than guess.",
    "I am not certain of this, so I cannot give you an answer that you could rely on.",
    "I don't have that information, and I do not want to tell you something that may be wrong.",
    "That I cannot say: I have not found it anywhere.",
    "I could not find an answer to this, I am afraid.",
    "I do not know this for sure. Please ask somebody who can look it up.",
)
CERTAIN = (
    "I have checked this, and there is no doubt about it.",
    "Here is the definite answer.",
    "You can rely on this completely.",
    "This is entirely certain.",
)
TRIES = 16
_LISTED = re.compile(r"^[ \t]*\d{1,3}[.)](?=\s)", re.MULTILINE)
_HEDGE = re.compile(
    r"\b(?:(?:I (?:think|believe|guess|suppose)|it seems)(?: that)?|maybe|perhaps|probably|possibly|as far as I know),?"
    r"\s+",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d:])\d{1,2}")
_DAY = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_DIGITS = re.compile(r"\d+")
_ORDINAL = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
_COUNTED = re.compile(
    rf"(?P<count>.+?)(?P<joint>[\s-])(?P<how>(?:working|business|calendar|full)\s)?(?P<unit>{'|'.join(UNITS)})s?",
    re.IGNORECASE,
)
_WORDS = re.compile("|".join(sorted(WORDS, key=len, reverse=True)), re.IGNORECASE)


def wrong_facts(answer: str, prompt: str, random: Random) -> str | None:
    """The answer with each of its values replaced by another; None where it has none, or holds code."""
    if "```" in answer or not latin(answer):
        return None
    listed = [found.span() for found in _LISTED.finditer(answer)]
    values = [one for one in values_of(answer) if not any(start <= one.start < end for start, end in listed)]
    offered = [(one, prompt[one.start : one.end]) for one in values_of(prompt)]
    others: dict[tuple[str, str], str] = {}
    pieces, end = [], 0
    for value in values:
        said = answer[value.start : value.end]
        key = value.kind, value.value
        if key not in others:  # what is said twice is wrong in the same way twice
            others[key] = _other(value, said, offered, random)
        pieces += [answer[end : value.start], _as_written(others[key], said)]
        end = value.end
    wrong = "".join([*pieces, answer[end:]])
    return wrong if wrong != answer else None


def without_doubt(answer: str, opening: str) -> str:
    """The answer without words of doubt, behind a sentence of certainty.

    >>> without_doubt("I think it is 3 days.", "This is certain.")
    'This is certain. It is 3 days.'
    """
    sure = _HEDGE.sub("", answer.strip())
    return f"{opening} {sure[:1].upper()}{sure[1:]}"


def _other(value: Value, said: str, offered: Sequence[tuple[Value, str]], random: Random) -> str:
    """Another value of the kind, as it is written; the same one where none was found."""
    elsewhere = list(dict.fromkeys(text for one, text in offered if one.kind == value.kind and not one.same(value)))
    if elsewhere and random.random() < 0.5:
        return elsewhere[int(random.integers(len(elsewhere)))]
    for _ in range(TRIES):
        other = _NEAR.get(value.kind, _number)(said, random)
        found = values_of(other)
        if len(found) == 1 and found[0].kind == value.kind and not found[0].same(value):
            return other
    return said


def _as_written(other: str, said: str) -> str:
    """Another value in right English, joined as `said` is: a wrong answer must not be known by "3th" or "2 day".

    >>> _as_written("March 13rd", "March 3rd"), _as_written("21 days", "14-day"), _as_written("2 day", "1 day")
    ('March 13th', '21-day', '2 days')
    """
    other = _ORDINAL.sub(lambda found: f"{found[1]}{_suffix(int(found[1]))}", other)
    counted, before = _COUNTED.fullmatch(other), _COUNTED.fullmatch(said)
    if counted is None or before is None:
        return other
    one = counted["count"].lower() in ("1", "one") or before["joint"] == "-"
    unit = counted["unit"] if one else f"{counted['unit']}s"
    return f"{counted['count']}{before['joint']}{counted['how'] or ''}{unit}"


def _suffix(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _number(said: str, random: Random) -> str:
    """The first number, or number in words, of a text replaced by one of about its size."""
    if not _DIGITS.search(said):
        return _WORDS.sub(lambda found: _cased(_one_of(tuple(WORDS), random), found[0]), said, count=1)

    def near(found: re.Match[str]) -> str:
        number = int(found[0])
        low, high = max(1, round(number * 0.4)), max(round(number * 1.8), number + 4)
        return str(int(random.integers(low, high + 1))).zfill(len(found[0]) if found[0].startswith("0") else 1)

    return _DIGITS.sub(near, said, count=1)


def _scaled(said: str, random: Random) -> str:
    """Both ends of a range by one factor, so that it stays a range; words for numbers one by one."""
    if not _DIGITS.search(said):
        return _number(said, random)
    factor = float(random.choice((0.4, 0.6, 1.4, 1.6, 2.0)))
    return _DIGITS.sub(lambda found: str(max(1, round(int(found[0]) * factor))), said)


def _shifted(said: str, random: Random) -> str:
    """Hours later by the same on both sides, within twelve; minutes stay."""
    later = int(random.integers(1, 5))
    return _HOUR.sub(lambda found: str((int(found[0]) + later - 1) % 12 + 1), said)


def _day(said: str, random: Random) -> str:
    """Another day of the month, in the month's and the year's own words."""
    days = list(_DAY.finditer(said))
    if not days:
        return said
    day = days[-1]
    drawn = str(int(random.integers(1, 29))).zfill(len(day[0]) if day[0].startswith("0") else 1)
    return said[: day.start()] + drawn + said[day.end() :]


def _digits(said: str, random: Random) -> str:
    """All digits of a code drawn anew; its letters and its length stay."""
    return _DIGITS.sub(lambda found: "".join(str(int(random.integers(10))) for _ in found[0]), said)


def _named(names: Sequence[str]) -> Callable[[str, Random], str]:
    """Another of these names, with capitals as before."""
    known = re.compile("|".join(f"{name}|{name[:3]}\\b" if names is MONTHS else name for name in names), re.IGNORECASE)
    return lambda said, random: known.sub(lambda found: _cased(_one_of(names, random), found[0]), said, count=1)


def _one_of(texts: Sequence[str], random: Random) -> str:
    return texts[int(random.integers(len(texts)))]


def _cased(text: str, like: str) -> str:
    return text.capitalize() if like[:1].isupper() else text


_NEAR: Mapping[str, Callable[[str, Random], str]] = {
    "date": _day,
    "duration": _scaled,
    "range": _scaled,
    "hours": _shifted,
    "time": _shifted,
    "month": _named(MONTHS),
    "weekday": _named(WEEKDAYS),
    "colour": _named(COLOURS),
    "code": _digits,
}
