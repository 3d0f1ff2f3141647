"""One customer's case: the prompt as a reader sees it, and the candidates under it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from assay.simulate.prose import sentence, typed
from assay.simulate.support.facts import ALL, FIRST, ITEMS, LAST, PLANS, Fact
from assay.simulate.support.utility import Answer

GREETINGS = ("Hi", "Hello", "Hi there", "Good morning", "Hey", "Good afternoon")
SALUTATIONS = ("Dear team,", "Dear Sir or Madam,", "To customer services:")
THANKS = ("Thanks!", "Thank you.", "Thanks in advance.", "Many thanks.", "Cheers!")
OPENINGS = ("Hi {first}!", "Hello {first}.", "Thanks for your message.", "Thanks for getting in touch.",
            "Happy to look at that for you.", "Thank you for writing in, {first}.", "I have checked your account.",
            "I had a look at this for you.", "Good to hear from you, {first}.")  # fmt: skip
CLOSINGS = ("Let me know if you need anything else.", "Just reply here if anything is unclear.", "Have a good day.",
            "I am here if you have more questions.", "Thanks for your patience.",
            "Please write again if something is not right.")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The customer and what they bought."""

    first: str
    last: str
    plan: str
    item: str
    items: str

    @classmethod
    def draw(cls, rng: random.Random, goods: dict[str, str] | None = None) -> Person:
        item, items = rng.choice(list((goods or ITEMS).items()))
        return cls(first=rng.choice(FIRST), last=rng.choice(LAST), plan=rng.choice(PLANS[:5]), item=item, items=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A prompt and at least two different answers to it."""

    category: str
    prompt: str
    answers: tuple[Answer, ...]


@dataclass(slots=True, kw_only=True)
class CaseFile:
    """What stands on the desk while a prompt is put together: policy lines, account notes, facts that are true."""

    rng: random.Random
    person: Person
    policy: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def hold(self, facts: list[Fact]) -> None:
        """Put facts on file: on the account, or in the policy where they belong there."""
        for fact in facts:
            self.facts.append(fact)
            if fact.kind.policy is None:
                self.notes.append(fact.note(self.rng))
            else:
                self.policy.append(fact.kind.policy.format(v=fact.value))

    def absent(self, count: int) -> list[Fact]:
        """Facts of kinds that are not on file here."""
        present = {fact.kind.name for fact in self.facts}
        kinds = self.rng.sample([kind for kind in ALL if kind.name not in present], count)
        return [Fact(kind=kind, value=kind.draw(self.rng)) for kind in kinds]

    def prompt(self, message: str) -> str:
        """Policy, account and message, in one of a few orders."""
        self.rng.shuffle(self.policy)
        self.rng.shuffle(self.notes)
        who = f"{self.person.first} {self.person.last}, {self.person.plan} plan, {self.person.item}"
        parts = [
            "Policy: " + " ".join(sentence(line) for line in self.policy),
            f"Account: {who}; " + "; ".join(self.notes) + ".",
        ]
        if self.rng.random() < 0.3:
            parts.reverse()
        parts.insert(0 if self.rng.random() < 0.25 else 2, f"Customer: {message}")
        return "\n".join(parts)


def message(rng: random.Random, *parts: str, casual: float = 0.5) -> str:
    """A customer's message from its parts, with or without greeting, thanks and slips of the finger."""
    words = [sentence(part) for part in parts if part]
    if rng.random() < 0.5:
        greeting = rng.choice(GREETINGS) + ","
        first = words[0] if words[0].startswith(("I ", "I'", "E7")) else words[0][0].lower() + words[0][1:]
        words[0] = f"{greeting} {first}"
    if rng.random() < 0.35:
        words.append(rng.choice(THANKS))
    return typed(rng, " ".join(words), casual=casual)


def letter(rng: random.Random, *parts: str) -> str:
    """A message as an office writes it."""
    return (
        " ".join([rng.choice(SALUTATIONS), *map(sentence, parts), rng.choice(("Kind regards", "Yours sincerely"))])
        + "."
    )


def compose(rng: random.Random, person: Person, body: list[str], *, polite: float = 0.5) -> tuple[str, int]:
    """An answer's text around its body, and how many courtesies it got."""
    words, courtesies = [sentence(part) for part in body], 0
    if rng.random() < polite:
        words.insert(0, rng.choice(OPENINGS).format(first=person.first))
        courtesies += 1
    if rng.random() < polite * 0.6:
        words.append(rng.choice(CLOSINGS))
        courtesies += 1
    return " ".join(words), courtesies
