"""A prompt of the support desk -> its case as an answer has to know it: what is on file, what is asked, what is right.

By rule, from the prompt's words alone. What cannot be read for certain is Unknown with the reason, never guessed; the
one thing that two cases share (a question without a wish about its length) is said by `either`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assay.simulate.support import wording
from assay.simulate.support.case import Person
from assay.simulate.support.facts import ALL, CARRIERS, COLOURS, ITEMS, PLACES, PLANS, TOWNS, Fact, FactKind
from assay.simulate.support.fault_cases import (
    KITCHEN_PROBLEMS,
    KITCHEN_STEPS,
    PROBLEMS,
    REMEDIES,
    SMART_PROBLEMS,
    SMART_STEPS,
    STEPS,
    Step,
)
from assay.simulate.support.permission_cases import TOPICS, Topic
from assay.simulate.support.reading.rulings import Ruling, read_ruling
from assay.simulate.support.reading.slipped_words import Keys, keys, said_of, says, which
from assay.simulate.support.utility import Wish
from assay.stats.unknown import Unknown

_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_DAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"


def _pool(words: Sequence[str]) -> str:
    return "(?:" + "|".join(map(re.escape, (word.lower() for word in words))) + ")"


# What a value of each form looks like in small letters, right or wrong.
VALUES = {
    "date": rf"\d{{1,2}} {_MONTH}", "digits": r"\d+", "digits5": r"\d+", "digits3": r"\d+",
    "money": r"\$\d+(?:,\d{3})*",
    "count": r"\d+", "percent": r"\d+%", "visit": rf"{_DAY} \d+-\d+", "month": rf"{_MONTH} \d{{4}}",
    "span": r"(?:\d+-\d+ working days|\d+ weeks)", "hours": r"\d+[ap]m-\d+[ap]m", "days": r"\d+ days",
    "carrier": _pool(CARRIERS), "colour": _pool(COLOURS), "place": _pool(PLACES), "town": _pool(TOWNS),
}  # fmt: skip
ALL_PROBLEMS = PROBLEMS | SMART_PROBLEMS | KITCHEN_PROBLEMS
ALL_STEPS = STEPS + SMART_STEPS + KITCHEN_STEPS
_TOPICS = {topic.label: topic for topic in TOPICS}
_IF_FAILS = "If that fails"
_LABELS = sorted((*ALL_PROBLEMS, *_TOPICS, _IF_FAILS), key=len, reverse=True)
_LABELLED = re.compile(rf"({'|'.join(map(re.escape, _LABELS))}): (.+)")
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z])")
_WHO = re.compile(rf"(\S+) (\S+), ({'|'.join(PLANS)}) plan, ({'|'.join(map(re.escape, ITEMS))})")


def _filed(kind: FactKind) -> re.Pattern[str]:
    """Notes or policy lines of one kind."""
    forms = kind.filed if kind.policy is None else (kind.policy,)
    slot = f"({VALUES[kind.form]})"
    return re.compile(
        "|".join(re.escape(form).replace(re.escape("{v}"), slot) for form in forms), re.IGNORECASE
    )  # fmt: skip


_FILED = [(kind, _filed(kind)) for kind in ALL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a customer tells beside the question. happened: mishap and occasion, or who died, as agents say it."""

    mood: str
    happened: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCase:
    """One case as read. asked: facts asked for; one that is not on file has no value.

    either: whether the prompt could be a question of hallucination or of brevity alike, which count words otherwise.
    steps: of the customer's problem; other_steps: of the others on file.
    """

    category: str
    person: Person
    facts: tuple[Fact, ...]
    asked: tuple[Fact, ...]
    either: bool = False
    wish: Wish = "any"
    event: Event | None = None
    topic: Topic | None = None
    ruling: Ruling | None = None
    steps: tuple[Step, ...] = ()
    other_steps: tuple[Step, ...] = ()
    remedy: str | None = None

    def on_file(self, fact: Fact) -> bool:
        return any(held is fact for held in self.facts)

    @property
    def present(self) -> frozenset[str]:
        """Names of the kinds on file."""
        return frozenset(fact.kind.name for fact in self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
    """A prompt's three lines, in parts."""

    labelled: list[tuple[str, str]]
    facts: tuple[Fact, ...]
    notes: list[str]
    person: Person
    message: Keys


def read_case(prompt: str, category: str | None = None) -> ReadCase | Unknown:
    """The case that a prompt states.

    category: where it is known; it only matters where `either` would be true, and is otherwise what the words say.
    """
    found = _read(prompt)
    if isinstance(found, ReadCase) and found.either and category in ("hallucination", "brevity"):
        return replace(found, category=category, either=False)
    return found


@lru_cache(maxsize=4_000)
def _read(prompt: str) -> ReadCase | Unknown:
    lines = _lines(prompt)
    if isinstance(lines, Unknown):
        return lines
    labels = [label for label, _ in lines.labelled]
    asked = _asked(lines)
    if _IF_FAILS in labels:
        return _fault(lines, asked)
    if any(label in _TOPICS for label in labels):
        return _request(lines, asked)
    return _question(lines, asked)


def _lines(prompt: str) -> _Lines | Unknown:
    said: dict[str, str] = {}
    for line in prompt.split("\n"):
        name, colon, rest = line.partition(": ")
        if colon and name in ("Policy", "Account", "Customer"):
            said[name] = rest
    if len(said) < 3:
        return Unknown("the prompt has no lines of policy, account and customer")
    who, _, noted = said["Account"].partition("; ")
    person = _WHO.fullmatch(who)
    if person is None:
        return Unknown("the account does not name the customer, their plan and item")
    first, last, plan, item = person.groups()
    notes = noted.rstrip(".").split("; ")
    policy = [line.rstrip(".") for line in _SENTENCE.split(said["Policy"])]
    labelled = [(match[1], match[2]) for line in policy if (match := _LABELLED.fullmatch(line)) is not None]
    facts = [fact for line in (*notes, *policy) if (fact := _fact(line)) is not None]
    return _Lines(
        labelled=labelled,
        facts=tuple(facts),
        notes=notes,
        person=Person(first=first, last=last, plan=plan, item=item, items=ITEMS[item]),
        message=keys(said["Customer"]),
    )


def _fact(line: str) -> Fact | None:
    for kind, filed in _FILED:
        match = filed.fullmatch(line)
        if match is not None:
            return Fact(kind=kind, value=next(group for group in match.groups() if group is not None))
    return None


def _asked(lines: _Lines) -> tuple[Fact, ...]:
    """Facts the customer asks for; of a kind that is not on file, one without a value."""
    held = {fact.kind.name: fact for fact in lines.facts}
    names = which(lines.message, [(kind.name, kind.asks) for kind in ALL])
    return tuple(held.get(kind.name, Fact(kind=kind, value="")) for kind in ALL if kind.name in names)


def _question(lines: _Lines, asked: tuple[Fact, ...]) -> ReadCase | Unknown:
    """Facts asked for, in a mood, with a wish about length, or plainly."""
    if not asked:
        return Unknown("no fact that the desk knows is asked for")
    event = _event(lines)
    case = ReadCase(category="tone", person=lines.person, facts=lines.facts, asked=asked, event=event)
    if event is not None:
        return case
    wishes = which(lines.message, list(wording.WISHES.items()))
    if wishes:
        wish: Wish = "short" if wishes[0] == "short" else "full"
        return replace(case, category="brevity", wish=wish)
    account = sum(fact.kind.policy is None for fact in lines.facts)
    # Brevity is drawn with three facts of the account and asks for none that is not there.
    surely = account != 3 or any(not fact.value for fact in asked)
    return replace(case, category="hallucination", either=not surely)


def _event(lines: _Lines) -> Event | None:
    message, item = lines.message, lines.person.item
    # "grandmother" and "mother" are words of their own, so that a phrase fits one of them at most.
    for who in wording.RELATIVES:
        if said_of(message, (loss.format(who=who, item=item) for loss in wording.LOSSES)):
            return Event(mood="grieving", happened=(who,))
    for mood, forms in (("cheerful", wording.DELIGHTS), ("formal", wording.FORMALITIES)):
        if said_of(message, (form.format(item=item) for form in forms)):
            return Event(mood=mood, happened=())
    for what, agent_what in wording.MISHAPS:
        for when, agent_when in wording.OCCASIONS:
            if says(message, f"the {item} {what} {when}"):
                return Event(mood="upset", happened=(agent_what, agent_when))
    return None


def _fault(lines: _Lines, asked: tuple[Fact, ...]) -> ReadCase | Unknown:
    problems = [(label, text) for label, text in lines.labelled if label in ALL_PROBLEMS]
    told = which(lines.message, [(label, ALL_PROBLEMS[label]) for label, _ in problems])
    if len(told) != 1:
        return Unknown(f"the customer tells {len(told)} of the problems on file")
    steps = {label: tuple(map(_step, text.split(", then "))) for label, text in problems}
    if any(step is None for several in steps.values() for step in several):
        return Unknown("the policy holds a step that the desk does not know")
    read = {label: tuple(step for step in several if step is not None) for label, several in steps.items()}
    remedy = next(text for label, text in lines.labelled if label == _IF_FAILS)
    if remedy not in REMEDIES:
        return Unknown(f"the policy promises {remedy!r}, which the desk does not know")
    return ReadCase(
        category="helpfulness", person=lines.person, facts=lines.facts, asked=asked, steps=read[told[0]],
        other_steps=tuple(step for label, several in read.items() if label != told[0] for step in several),
        remedy=remedy,
    )  # fmt: skip


def _step(text: str) -> Step | None:
    for form, numbers in ALL_STEPS:
        before, slot, after = form.partition("{n}")
        match = re.fullmatch(re.escape(before) + (r"(\d+)" if slot else "") + re.escape(after), text, re.IGNORECASE)
        if match is not None:
            return Step(form=form, numbers=numbers, number=int(match[1]) if slot else None)
    return None


def _request(lines: _Lines, asked: tuple[Fact, ...]) -> ReadCase | Unknown:
    rules = {label: text for label, text in lines.labelled if label in _TOPICS}
    item = lines.person.item
    told = [
        label for label in rules
        if said_of(lines.message, (ask.format(item=item) for ask in _TOPICS[label].asks)) is not None
    ]  # fmt: skip
    if len(told) != 1:
        return Unknown(f"the customer asks for {len(told)} of the things the policy rules on")
    ruling = read_ruling(rules[told[0]], lines.notes, plan=lines.person.plan, many=lines.person.items)
    if isinstance(ruling, Unknown):
        return ruling
    return ReadCase(
        category="refusals", person=lines.person, facts=lines.facts, asked=asked, topic=_TOPICS[told[0]], ruling=ruling
    )
