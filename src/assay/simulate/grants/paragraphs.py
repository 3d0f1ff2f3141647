"""An application -> candidate paragraphs, written by plans that go right and wrong in ways editors meet.

What a candidate is worth is not decided here: `editorial_utility` reads its words like anybody's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from assay.simulate.grants.application import SECTIONS, Application
from assay.simulate.grants.editorial_utility import Worth, worth
from assay.simulate.grants.themes import PRIORITIES
from assay.simulate.prose import sentence
from assay.simulate.random_values import MONTHS, near_digits, other, weighted

# How a fact or the ask may be told. Wrong: a near miss, or another number of the same notes. Vague: without numbers.
HOW = {"right": 0.56, "wrong": 0.27, "vague": 0.09, "missing": 0.08}
ASK = {"right": 0.5, "wrong": 0.32, "vague": 0.12, "missing": 0.06}
PRIORITY = {"first": 0.4, "second": 0.12, "foreign": 0.38, "missing": 0.1}
SECTION = {"asked": 0.72, "another": 0.28}
SIZE = {"fit": 0.55, "long": 0.15, "as it comes": 0.3}
PADDING = (
    "the work can start as soon as the grant is paid", "we will write to you twice a year about how it goes",
    "our board has agreed to the plan", "the rooms for it are ready", "we have talked with those it is for",
    "our books are open to you at any time", "we have done such work before", "a short report will follow at the end",
)  # fmt: skip
PUFFERY = (
    "this innovative and holistic approach will unlock vibrant synergies",
    "we leverage a robust ecosystem of stakeholders", "our strategic vision is truly transformative",
    "the project is a beacon and a catalyst for impactful change",
    "we utilise cutting-edge tools to empower our stakeholders",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One candidate: its text and what it is worth."""

    text: str
    worth: Worth

    @property
    def utility(self) -> float:
        return self.worth.utility


def write(rng: random.Random, application: Application, prompt: str) -> Paragraph:
    """One candidate."""
    facts = SECTIONS[application.section]
    if weighted(rng, SECTION) == "another":
        facts = SECTIONS[other(rng, tuple(SECTIONS), application.section)]
    body = [line for fact in facts if (line := _told(rng, application, fact, weighted(rng, HOW)))]
    closing = [line for line in (_priority(rng, application), _ask(rng, application)) if line]
    if rng.random() < 0.3:
        closing.reverse()
    if rng.random() < 0.12:
        body.insert(rng.randint(0, len(body)), rng.choice(PUFFERY))
    size = weighted(rng, SIZE)
    goal = {"fit": application.span[0] + 2, "long": application.span[1] + 6, "as it comes": 0}[size]
    rest = [name for name in TOLD if name not in facts]
    rng.shuffle(rest)
    padding = rng.sample(PADDING, len(PADDING))
    while len(" ".join(body + closing).split()) < goal and (rest or padding):
        more = _told(rng, application, rest.pop(), "right") if rest and rng.random() < 0.6 else padding.pop()
        body.insert(rng.randint(1, len(body)) if body else 0, more)
    text = " ".join(sentence(line) for line in (body + closing) or padding[:2])
    return Paragraph(text=text, worth=worth(prompt, text))


def best(rng: random.Random, application: Application, prompt: str, *, tries: int = 30) -> Paragraph:
    """The best of many candidates."""
    return max((write(rng, application, prompt) for _ in range(tries)), key=lambda one: one.utility)


@dataclass(slots=True, kw_only=True)
class _Values:
    """The numbers a sentence tells: the notes' own, or one of them spoilt."""

    rng: random.Random
    spoil: int  # which number, counted as they are told, is told wrongly; -1: none
    notes: tuple[str, ...]

    def __call__(self, value: str) -> str:
        self.spoil -= 1
        return _spoilt(self.rng, value, self.notes) if self.spoil == -1 else value


def _spoilt(rng: random.Random, value: str, notes: tuple[str, ...]) -> str:
    """Another number of the notes of the same kind, or the number with a digit changed."""
    alike = [note for note in notes if note != value and (note[0] == "$") == (value[0] == "$")]
    if alike and rng.random() < 0.5:
        return rng.choice(alike)
    if value[0] == "$":
        # Sums are hundreds, wrong ones too: a wrong sum must not be known by its last digits.
        return f"${int(near_digits(rng, value[1:-2].replace(',', ''))) * 100:,}"
    return f"{int(near_digits(rng, value.replace(',', ''))):,}"


def _need(rng: random.Random, a: Application, v: _Values) -> str:
    some, every = v(a.in_need), v(a.all_people)
    t = a.theme
    return rng.choice((
        f"in {a.town}, {some} of the {every} {t.people} {t.need}",
        f"of the {every} {t.people} in {a.town}, {some} {t.need}",
        f"today {some} of {every} {t.people} in {a.town} {t.need}",
        f"our count found that {some} of the {every} {t.people} here {t.need}",
    ))  # fmt: skip


def _people(rng: random.Random, a: Application, v: _Values) -> str:
    served, low, high = v(a.served), v(a.ages[0]), v(a.ages[1])
    who = a.theme.people
    return rng.choice((
        f"we will work with {served} {who} of the ages {low} to {high}",
        f"{served} {who}, from the ages of {low} to {high}, will take part",
        f"the project is for {served} {who} whose ages are {low} to {high}",
    ))  # fmt: skip


def _method(rng: random.Random, a: Application, v: _Values) -> str:
    helpers, often, weeks = v(a.helpers), v(a.per_week), v(a.weeks)
    t = a.theme
    return rng.choice((
        f"{helpers} {t.helpers} will hold {often} {t.sessions} a week for {weeks} weeks",
        f"for {weeks} weeks, {helpers} {t.helpers} give {often} {t.sessions} every week",
        f"we offer {often} {t.sessions} each week over {weeks} weeks, led by {helpers} {t.helpers}",
    ))  # fmt: skip


def _budget(rng: random.Random, a: Application, v: _Values) -> str:
    total, part = v(a.total), v(a.part)
    item = a.theme.item
    return rng.choice((
        f"the project costs {total} in all, of which {part} pays for {item}",
        f"of the {total} in the budget, {part} goes to {item}",
        f"we need {part} for {item} and {total} in all",
    ))  # fmt: skip


def _outcome(rng: random.Random, a: Application, v: _Values) -> str:
    reached, served = v(a.reached), v(a.served)
    month = other(rng, MONTHS, a.month) if v.spoil == 0 else a.month
    t = a.theme
    return rng.choice((
        f"by {month}, {reached} of the {served} {t.people} will {t.outcome}",
        f"{reached} of these {served} {t.people} will {t.outcome} by {month}",
        f"we expect {reached} of {served} {t.people} to {t.outcome} by {month}",
    ))  # fmt: skip


TOLD: dict[str, Callable[[random.Random, Application, _Values], str]] = {
    "need": _need,
    "people": _people,
    "method": _method,
    "budget": _budget,
    "outcome": _outcome,
}
NUMBERS = {"need": 2, "people": 3, "method": 3, "budget": 2, "outcome": 3}


def _told(rng: random.Random, a: Application, fact: str, how: str) -> str:
    if how == "missing":
        return ""
    if how == "vague":
        return _vague(rng, a)[fact]
    notes = (a.in_need, a.all_people, a.served, a.reached, a.weeks, a.helpers, a.per_week, *a.ages, a.total, a.part)
    spoil = rng.randrange(NUMBERS[fact]) if how == "wrong" else -1
    return TOLD[fact](rng, a, _Values(rng=rng, spoil=spoil, notes=notes))


def _vague(rng: random.Random, a: Application) -> dict[str, str]:
    """Each fact without its numbers."""
    t = a.theme
    many = rng.choice(("many", "most", "too many", "a large share"))
    return {
        "need": f"in {a.town}, {many} of the {t.people} {t.need}",
        "people": f"the project is for {t.people} of all ages, and they will take part",
        "method": f"our {t.helpers} will hold {t.sessions} every week for many weeks",
        "budget": f"the budget is set with care, and a good part of it pays for {t.item}",
        "outcome": f"by {a.month}, {many} of these {t.people} will {t.outcome}",
    }


def _ask(rng: random.Random, a: Application) -> str:
    how = weighted(rng, ASK)
    if how == "missing":
        return ""
    if how == "vague":
        return rng.choice((
            f"we ask the {a.funder} for a grant towards it",
            f"for this we request the help of the {a.funder}",
        ))  # fmt: skip
    total = _spoilt(rng, a.total, (a.total, a.part)) if how == "wrong" else a.total
    return rng.choice((
        f"we ask the {a.funder} for {total}",
        f"for this we request {total} from the {a.funder}",
        f"we ask for a grant of {total} from the {a.funder}",
    ))  # fmt: skip


def _priority(rng: random.Random, a: Application) -> str:
    how = weighted(rng, PRIORITY)
    if how == "missing":
        return ""
    foreign = rng.choice([name for name in PRIORITIES if name not in a.priorities])
    name = {"first": a.priorities[0], "second": a.priorities[1], "foreign": foreign}[how]
    return rng.choice((
        f"this serves your priority of {name}",
        f"it answers your wish for {name}",
        f"so the project adds to {name}, which you support",
    ))  # fmt: skip
