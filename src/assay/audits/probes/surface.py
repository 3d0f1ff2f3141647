"""Answer -> the same answer written otherwise: what a right reward may notice, but must not order answers by.

English. Code is left as it is where a change could break it. Knows texts; knows no reward.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assay.audits.probes.additions import Beside, Random
from assay.audits.probes.sentences import CLOSED, CONTRACTIONS, SYNONYMS

TYPO_RATE = 0.05  # of the words of four letters and more: one slip in about every thirty words of plain English
WORD = re.compile(r"[A-Za-z]{4,}")
LIST_ITEM = re.compile(r"^(\s*)(?:[-*+•]|\d+[.)])(\s+)(.+)$")
FENCED = re.compile(r"(```.*?(?:```|\Z))", re.DOTALL)


def typos(answer: str, _: Beside, random: Random) -> str:
    """Two inner letters exchanged in TYPO_RATE of the longer words, and in one at least."""
    words = list(WORD.finditer(answer))
    if not words:
        return answer
    drawn = random.random(len(words)) < TYPO_RATE
    drawn[int(random.integers(len(words)))] = True
    pieces, end = [], 0
    for word, slip in zip(words, drawn, strict=True):
        if slip:
            text = word.group()
            # Inner letters that differ, or the word would stay as it was.
            places = [place for place in range(1, len(text) - 2) if text[place] != text[place + 1]]
            place = places[int(random.integers(len(places)))] if places else len(text) - 2
            text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
            pieces += [answer[end : word.start()], text]
            end = word.end()
    return "".join([*pieces, answer[end:]])


def lower_case(answer: str, _: Beside, random: Random) -> str:
    return _outside_code(answer, str.lower)


def white_space(answer: str, _: Beside, random: Random) -> str:
    """Two spaces after each sentence and an empty line between lines; code as it was."""
    return _outside_code(
        answer, lambda text: re.sub(r"(?<=\S)\n(?=\S)", "\n\n", re.sub(r"(?<=[.!?]) (?=\S)", "  ", text))
    )


def quotes(answer: str, _: Beside, random: Random) -> str:
    """Straight quotation marks and apostrophes made typographic; where there are typographic ones, these straight."""
    if any(mark in answer for mark in "“”‘’"):
        return answer.translate(str.maketrans("“”‘’", "\"\"''"))

    def curled(text: str) -> str:
        text = re.sub(r'(^|[\s(\[])"', r"\1“", text)
        text = re.sub(r"(^|[\s(\[])'", r"\1‘", text)
        return text.replace('"', "”").replace("'", "’")

    return _outside_code(answer, curled)


def paraphrase(answer: str, _: Beside, random: Random) -> str:
    """Contractions opened or closed, and common words for words that mean the same here."""
    return _outside_code(answer, lambda text: _SWAP.sub(_other_word, text))


def list_order(answer: str, _: Beside, random: Random) -> str:
    """Items of the first list of three bullets or more, in the reverse order.

    Numbered lists stay: their order may be what they say.
    """
    lines = answer.split("\n")
    found = [LIST_ITEM.match(line) for line in lines]
    bullets = [match is not None and not match.group(0).lstrip()[0].isdigit() for match in found]
    start = 0
    while start < len(lines):
        stop = start
        while stop < len(lines) and bullets[stop]:
            stop += 1
        if stop - start >= 3:
            return "\n".join([*lines[:start], *reversed(lines[start:stop]), *lines[stop:]])
        start = max(stop, start + 1)
    return answer


def _outside_code(answer: str, rule: Callable[[str], str]) -> str:
    """The rule on all that stands outside fenced code."""
    return "".join(part if part.startswith("```") else rule(part) for part in FENCED.split(answer))


def _both_ways(*tables: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for first, second in (row for table in tables for row in table):
        found.setdefault(first.lower(), second)
        found.setdefault(second.lower(), first)
    return found


_WORDS = _both_ways(CONTRACTIONS, SYNONYMS) | dict(CLOSED)
_SWAP = re.compile(r"\b(" + "|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))) + r")\b", re.IGNORECASE)


def _other_word(match: re.Match[str]) -> str:
    said = match.group()
    other = _WORDS[said.lower()]
    return other[0].upper() + other[1:] if said[0].isupper() else other
