"""Values that a text states, by kind: money, percent, dates, weekdays, hours, durations, codes, numbers, colours.

Two values are equal by what they say and not by how they are written: "$1,250.00" and "1250 dollars", "two weeks" and
"14 days", "March 3rd" and "3 March". English. Knows texts; knows neither who states a value nor whether it is true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
COLOURS = ("black", "white", "grey", "gray", "red", "blue", "green", "yellow", "orange", "purple", "pink", "brown",
           "navy", "olive", "teal", "beige", "sand", "silver", "gold")  # fmt: skip
WORDS: Mapping[str, int] = {
    word: number
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"), start=2
    )
} | {"one": 1, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}  # fmt: skip
# Units of a duration: what it is counted in, and how many of these one has. Months have no fixed days and stay months.
UNITS: Mapping[str, tuple[str, int]] = {
    "second": ("s", 1), "minute": ("s", 60), "hour": ("s", 3600), "day": ("d", 1), "week": ("d", 7), "month": ("m", 1),
    "year": ("m", 12),
}  # fmt: skip

_MONTH = "|".join(MONTHS) + "|" + "|".join(name[:3] for name in MONTHS)
_AMOUNT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_COUNT = rf"(?:{_AMOUNT}|{'|'.join(WORDS)})"
_TO = r"\s?(?:-|–|to)\s?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_HOUR, _HALF = r"\d{1,2}(?::\d{2})?", r"(?:am|pm|a\.m\.|p\.m\.)"
_TIMES = "thousand|million|billion"
_COUNTED_BELOW = r"\s(?:things?|ways?|options?|reasons?|steps?|points?\b:|of\s(?:these|those|them))\b"


@dataclass(frozen=True, slots=True)
class Value:
    """kind: see FORMS. value: by which equal ones are equal, within the kind. start, end: where it stands."""

    kind: str
    value: str
    start: int
    end: int

    def same(self, other: Value) -> bool:
        """Whether both say the same; a date without a year says the same as one of any year."""
        if self.kind != other.kind:
            return False
        one, two = self.value.split("/"), other.value.split("/")
        return self.value == other.value or (self.kind == "date" and one[:2] == two[:2] and len(one) != len(two))


def plain_number(text: str) -> str:
    """A number as text by which equal values are equal.

    >>> plain_number("1,250.50"), plain_number("007"), plain_number("fourteen")
    ('1250.5', '7', '14')
    """
    lower = text.lower()
    if lower in WORDS:
        return str(WORDS[lower])
    whole, _, part = text.replace(",", "").partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _month(name: str) -> int:
    return 1 + next(place for place, month in enumerate(MONTHS) if month.startswith(name.lower()[:3]))


def _date(found: re.Match[str]) -> str:
    parts = found.groupdict()
    month = _month(parts["month"]) if parts.get("month") else int(parts["number"])
    return f"{month}/{int(parts['day'])}" + (f"/{parts['year']}" if parts["year"] else "")


def _duration(found: re.Match[str]) -> str:
    unit, times = UNITS[found["unit"].lower()]
    counts = [float(plain_number(one)) * times for one in (found["low"], found["high"]) if one]
    return f"{'-'.join(f'{count:g}' for count in counts)} {unit}"


def _hours(found: re.Match[str]) -> str:
    return "-".join(_clock(one) for one in (found["low"], found["high"]))


def _clock(said: str) -> str:
    """A time of day as a clock shows it; without am or pm as it is said."""
    found = re.match(r"(\d{1,2})(?::(\d{2}))?\s?([ap])?", said.lower())
    assert found is not None
    hour = int(found[1]) % 12 + (12 if found[3] == "p" else 0) if found[3] else int(found[1])
    return f"{hour}:{found[2] or '00'}"


def _money(found: re.Match[str]) -> str:
    said = (found["sign"] or found["unit"]).lower()
    currency = next(sign for sign, names in _CURRENCIES.items() if said in names)
    thousands = {"k": 3, "thousand": 3, "m": 6, "million": 6, "billion": 9}.get((found["times"] or "").lower(), 0)
    return currency + plain_number(f"{Decimal(plain_number(found['amount'])).scaleb(thousands):f}")


_CURRENCIES: Mapping[str, tuple[str, ...]] = {
    "$": ("$", "dollar", "dollars", "usd"), "€": ("€", "euro", "euros", "eur"), "£": ("£", "pound", "pounds", "gbp"),
}  # fmt: skip
_CURRENCY = "dollars?|euros?|pounds?|usd|eur|gbp|€|£"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,$€£-])(?:{text})(?![\w%]|[.,]\d)", re.IGNORECASE)


# In the order they are looked for: what a later form would find inside an earlier one is not found again.
FORMS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("date", _pattern(r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})"), _date),
    ("date", _pattern(rf"{_DAY}\s(?:of\s)?(?P<month>{_MONTH})\.?(?:,?\s(?P<year>\d{{4}}))?"), _date),
    ("date", _pattern(rf"(?P<month>{_MONTH})\.?\s{_DAY}(?:,?\s(?P<year>\d{{4}}))?"), _date),
    ("month", _pattern(rf"(?P<month>{_MONTH})\.?\s(?P<year>\d{{4}})"),
     lambda found: f"{_month(found['month'])} {found['year']}"),
    ("money", _pattern(rf"(?P<sign>[$€£])\s?(?P<amount>{_AMOUNT})\s?(?P<times>{_TIMES}|k|m)?(?P<unit>)"), _money),
    ("money", _pattern(rf"(?P<sign>)(?P<amount>{_COUNT})\s?(?P<times>{_TIMES})?\s?(?P<unit>{_CURRENCY})"), _money),
    ("percent", re.compile(rf"(?<![\w.,])(?P<amount>{_COUNT})\s?(?:%|percent\b|per cent\b)", re.IGNORECASE),
     lambda found: plain_number(found["amount"])),
    ("duration", _pattern(rf"(?P<low>{_COUNT})(?:{_TO}(?P<high>{_COUNT}))?[\s-]"
                          rf"(?:(?:working|business|calendar|full)\s)?(?P<unit>{'|'.join(UNITS)})s?"), _duration),
    ("hours", _pattern(rf"(?P<low>{_HOUR}\s?{_HALF}?){_TO}(?P<high>{_HOUR}\s?{_HALF})"), _hours),
    ("time", _pattern(rf"{_HOUR}\s?{_HALF}|\d{{1,2}}:\d{{2}}"), lambda found: _clock(found[0])),
    ("range", _pattern(r"\d+(?:-|–)\d+"), lambda found: found[0].replace("–", "-")),
    ("weekday", _pattern("|".join(WEEKDAYS)), lambda found: found[0].lower()),
    ("code", re.compile(r"(?<![\w-])(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z\d]+(?:-[A-Z\d]+)*(?![\w-])"),
     lambda found: found[0]),
    # From four digits on without a comma it is a name (an order, a card, a year) rather than a count.
    ("code", _pattern(r"\d{4,}"), lambda found: found[0]),
    # "Two things should help" counts what comes after it and states nothing.
    ("number", _pattern(rf"{_COUNT}(?!{_COUNTED_BELOW})"), lambda found: plain_number(found[0])),
    ("colour", _pattern("|".join(COLOURS)), lambda found: found[0].lower().replace("gray", "grey")),
)  # fmt: skip
IDLE = frozenset({"one", "one second", "one minute"})  # "that one", "one second, please": no count


def values_of(text: str) -> list[Value]:
    """What a text states, in its order.

    >>> [(one.kind, one.value) for one in values_of("Refunds take two weeks and cost $1,250.00 until March 3rd.")]
    [('duration', '14 d'), ('money', '$1250'), ('date', '3/3')]
    """
    return sorted(_found(text), key=lambda one: one.start)


def _found(text: str) -> Iterator[Value]:
    taken = bytearray(len(text) + 1)
    for kind, pattern, value in FORMS:
        for found in pattern.finditer(text):
            if any(taken[found.start() : found.end()]) or found[0].lower() in IDLE:
                continue
            taken[found.start() : found.end()] = b"\1" * (found.end() - found.start())
            yield Value(kind, value(found), found.start(), found.end())
