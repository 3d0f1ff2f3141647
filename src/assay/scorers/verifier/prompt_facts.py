"""How much of what an answer states its prompt supports: numbers, names and quotations, each counted once.

Numbers are equal by value; numbers that count a list's lines are none. Names are words with a capital inside a
sentence; one is supported where the prompt has all of its words. Quotations stand in double quotes and must stand in
the prompt, white space and case aside. What a prompt supports need not be true, and a right answer may know more than
its prompt: the rule is meant for summaries and answers from a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scorers.protocol import Scored, Unscored, scored
from assay.scorers.verifier.checked_item import Checked

NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")
LIST_MARK = re.compile(r"^[ \t]*\d+[.)][ \t]+", re.MULTILINE)
QUOTED = re.compile(r'"([^"\n]{2,200})"|“([^”\n]{2,200})”')
WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
# A name: capitals after something that does not end a sentence. The first word of a sentence has one anyway.
NAME = re.compile(r"(?<=[^\s.!?:;\"“*#>|•-] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
NO_NAMES = frozenset({"I", "I'm", "I’m", "I'll", "I’ll", "I've", "I’ve", "I'd", "I’d"})


def supported_facts(item: Checked) -> Scored:
    """The share of an answer's facts that its prompt supports; Unscored for an answer that states none."""
    facts = sorted(set(facts_of(item.answer)))
    if not facts:
        return Unscored("the answer states no number, name or quotation")
    prompt = _Prompt(item.prompt)
    missing = [text for kind, text in facts if not prompt.supports(kind, text)]
    return scored(1 - len(missing) / len(facts), detail={"facts": len(facts), "not_in_prompt": missing})


def facts_of(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each fact.

    >>> sorted(facts_of("1. She paid Ada Lovelace 1,200.50 for it."))
    [('name', 'Ada Lovelace'), ('number', '1200.5')]
    """
    text = LIST_MARK.sub("", text)
    yield from (("number", _value(found)) for found in NUMBER.findall(text))
    yield from (("quotation", one or other) for one, other in QUOTED.findall(text))
    yield from (("name", name) for name in NAME.findall(QUOTED.sub('"', text)) if name not in NO_NAMES)


class _Prompt:
    def __init__(self, text: str) -> None:
        self.numbers = set(map(_value, NUMBER.findall(text)))
        self.words = {_stem(word) for word in WORD.findall(text)}
        self.flat = " ".join(text.casefold().split())

    def supports(self, kind: str, text: str) -> bool:
        if kind == "number":
            return text in self.numbers
        if kind == "quotation":
            return " ".join(text.casefold().split()) in self.flat
        return all(_stem(word) in self.words for word in WORD.findall(text))


def _value(number: str) -> str:
    """A number as text by which equal values are equal.

    >>> _value("1,200.50"), _value("0018"), _value("3.")
    ('1200.5', '18', '3')
    """
    whole, _, part = number.replace(",", "").partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _stem(word: str) -> str:
    return re.sub(r"['’]s$", "", word).casefold()
