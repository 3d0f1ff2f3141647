"""An answer -> its statements, each with what it is: a claim, an abstention, a denial of what is on file, no claim.

1. Code, headings and marks of lists go. 2. Lines become sentences: abbreviations, initials and decimal points end none.
3. A sentence with two values on both sides of "; " or ", and " is two statements, since one may be right and one wrong.
Linear in the answer's length: an answer may be written to be slow, or be one line that no sentence ends. English. Knows
texts; knows no fact.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from assay.data.latin_script import latin
from assay.data.stated_values import Value, values_of

Form = Literal["claim", "abstains", "denial", "no_claim"]

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# Blanks of one line, and each blank in one place of the pattern: else a run of blanks is tried in every division.
_HEADING = re.compile(r"^ {0,3}#{1,6}\s.*$|^[^\S\n]*(?:\|[^\S\n]*)?:?-{3,}.*$", re.MULTILINE)
_MARK = re.compile(r"^\s*(?:[-*+•>]|\d{1,3}[.)])\s+")
# A run of stops is tried from its first one alone: where that does not end a sentence, no later one of it does.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s|$)|[。！？]++[”’）」』]*+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|nos|vs|etc|e\.g|i\.e|approx|inc|ltd|co|fig|p|pp|ca|cf|jan|feb|mar|apr|jun|jul|aug|"
    r"sep|sept|oct|nov|dec|a\.m|p\.m)|\b[A-Z])$",
    re.IGNORECASE,
)
_LONGEST = 400  # characters of an abstention, unless a word in it is as long as a paragraph
_LAST_WORD = 8  # characters before a full stop that hold the longest abbreviation and what stands before it
_NOT_BLANK = re.compile(r"\S")
_JOINT = re.compile(r";\s+|,\s+(?:and|while|whereas)\s+")
# From the first of a run of blanks alone, as above.
_BUT = re.compile(
    r"(?:[,;]|(?<![\s,;]))\s++(?:but|however|though|although)\b[,]?\s*+|(?<!\s)\s++[—–]\s++", re.IGNORECASE
)

_I = r"\b(?:I|we)(?:\s\w+ly)?\s"
_CANNOT = r"(?:can(?:not|\snot|['’]t)|could(?:\snot|n['’]t)|am\s(?:unable|not\sable)\sto|are\s(?:unable|not\sable)\sto)"
_DO_NOT = r"(?:do|did)(?:\snot|n['’]t)"
ABSTAINS = re.compile(
    "|".join(
        (
            rf"{_I}{_DO_NOT}\s(?:\w+\s)?(?:know|recall|remember)\b",
            rf"{_I}{_DO_NOT}\s(?:\w+\s)?have\b[^.!?]{{0,60}}\b(?:information|details?|data|answer|access|figures?|knowledge|"
            r"records?|sources?|confirmation|here|on\sfile|to\shand)\b",
            rf"{_I}{_CANNOT}\s(?:\w+\s)?(?:say|tell|confirm|verify|find|answer|determine|see|be\s(?:certain|sure)|give\syou)",
            r"\b(?:I|we)(?:['’]m|\sam|\sare|['’]re)\s(?:honestly\s|really\s)?(?:not|un)\s?(?:\w+\s)?(?:sure|certain|aware)\b",
            # "if anything is unclear" knows all it has to.
            r"(?<!anything\s)(?<!something\s)\b(?:is|are|was|it['’]s|that['’]s)\s(?:unclear|unknown|not\s(?:stated|mentioned|specified|known|clear|given|"
            r"available\sto\sme|provided))\b",
            r"\b(?:do|does)(?:\snot|n['’]t)\s(?:say|state|mention|specify|tell|contain|show)\b",
            r"\b(?:shows?|lists?|contains?|mentions?)\sno\b",
            r"\b(?:there\sis|there['’]s|I\s(?:have|see|find))\sno\s(?:information|mention|record|sign|trace|data)\b",
            r"\bI(?:['’]d|\swould)\s(?:have|need)\sto\s(?:check|look|ask)\b",
        )
    ),
    re.IGNORECASE,
)
# A statement about the record, and so one that can be false.
DENIAL = re.compile(
    r"\b(?:on\sfile|our\srecords?|your\s(?:file|account|records?)|the\s(?:file|records?|policy|text|documents?|passages?)|"
    r"for\syou\shere)\b",
    re.IGNORECASE,
)
HEDGED = re.compile(
    r"\b(?:I\s(?:think|believe|guess|suppose|assume)|maybe|perhaps|probably|possibly|presumably|might|may\s(?:be|have|take)|"
    r"could\sbe|as\sfar\sas\sI\s(?:know|can\stell)|if\sI\s(?:remember|recall)|it\sseems|seems\sto|appears\sto|likely)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """values: what it states. hedged: said with a reserve."""

    text: str
    form: Form
    values: tuple[Value, ...] = ()
    hedged: bool = False


def statements(answer: str) -> list[Statement]:
    """The statements of an answer, in its order; none of an empty one.

    >>> [(one.form, one.text) for one in statements("Hi! It costs $3, and it takes 2 days. I don't know when.")]
    [('no_claim', 'Hi!'), ('claim', 'It costs $3'), ('claim', 'it takes 2 days.'), ('abstains', "I don't know when.")]
    """
    return [one for sentence in sentences(answer) for one in _stated(sentence)]


def asks(sentence: str) -> bool:
    """Whether it is a question."""
    return sentence.rstrip("\"'”’）」』) ").endswith(("?", "？"))


def sentences(text: str) -> Iterator[str]:
    """Sentences of prose and lines of lists, without marks, headings and code."""
    for raw in _HEADING.sub("", _FENCED.sub("\n", text)).split("\n"):
        line = _MARK.sub("", raw).replace("**", "").strip()
        begin = 0
        for end in _END.finditer(line):
            if end[0].startswith(".") and _abbreviated(line[max(begin, end.start() - _LAST_WORD) : end.start()], end):
                continue
            if sentence := line[begin : end.end()].strip():
                yield sentence
            begin = end.end()
        if rest := line[begin:].strip():
            yield rest


def _abbreviated(before: str, end: re.Match[str]) -> bool:
    """Whether the full stop at `end`, after `before`, belongs to its last word and ends no sentence."""
    after = _NOT_BLANK.search(end.string, end.end())
    if after is None or _ABBREVIATION.search(before) is None:
        return False
    # "at 5 p.m. The shop" ends; "no. 123", "Dr. Lee" and initials do not.
    clock = before.lower().endswith((".m", "etc", "inc", "ltd", "co"))
    return not (clock and after[0].isupper())


def _stated(sentence: str) -> Iterator[Statement]:
    if asks(sentence) or not any(char.isalpha() for char in sentence):
        yield Statement(sentence, "no_claim")
        return
    hedged = HEDGED.search(sentence) is not None
    for part in _parts(sentence):
        yield from _of_part(part, hedged)


def _of_part(part: str, hedged: bool) -> Iterator[Statement]:
    abstains = ABSTAINS.search(part)
    if abstains is None:
        values = tuple(values_of(part))
        yield Statement(part, "claim" if values or _says_something(part) else "no_claim", values, hedged)
        return
    # "I'm not sure, but it is 14 days" tells 14 days, with a reserve.
    turn = _BUT.search(part, abstains.end())
    said, rest = (part[: turn.start()], part[turn.end() :]) if turn else (part, "")
    yield Statement(said, "denial" if DENIAL.search(said) else "abstains")
    if values := tuple(values_of(rest)):
        yield Statement(rest, "claim", values, hedged=True)


def _parts(sentence: str) -> list[str]:
    """The sentence cut at joints that have something to judge on both sides: a value, or that one does not know."""
    joints = list(_JOINT.finditer(sentence))
    if not joints:
        return [sentence]
    # No joint is inside a value, so that those of the sentence are those of its parts; abstentions may go over joints.
    places = [one.start for one in values_of(sentence)]
    last = max([*places[-1:], *_last_abstention(sentence)], default=-1)
    found: list[str] = []
    begin, judged, seen = 0, False, 0
    for joint in joints:
        if joint.end() > last:
            break
        if not judged:
            # Up to the joint before nothing was found, and so what is found now ends behind that.
            fresh = max(begin, seen - _LONGEST)
            judged = bisect_left(places, begin) < bisect_left(places, joint.start()) or bool(
                ABSTAINS.search(sentence, fresh, joint.start())
            )
            seen = joint.start()
        if judged:
            found.append(sentence[begin : joint.start()])
            begin, judged = joint.end(), False
    return [*found, sentence[begin:]]


def _last_abstention(text: str) -> list[int]:
    """Where the last place is at which an abstention begins; none where there is no abstention."""
    found, begin = [], 0
    while one := ABSTAINS.search(text, begin):
        found, begin = [one.start()], one.start() + 1
    return found


def _says_something(text: str) -> bool:
    """Whether there are words enough for a claim: a greeting has none. Not every script has blanks between words."""
    return len(text.split()) >= 3 or not latin(text)
