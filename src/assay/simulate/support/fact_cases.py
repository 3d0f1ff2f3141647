"""Cases about facts on file: hallucination, brevity and tone. Each function draws one case."""

from __future__ import annotations

import random

from assay.simulate.random_values import weighted
from assay.simulate.support import wording
from assay.simulate.support.case import Case, CaseFile, Person, compose, letter, message
from assay.simulate.support.facts import Fact, draw_facts
from assay.simulate.support.told_facts import ask, joined, tell, tell_all
from assay.simulate.support.utility import MANNERS, Answer, Quality, Style, Wish


def _about(rng: random.Random, person: Person) -> str:
    return rng.choice(wording.ABOUT).format(item=person.item)


def _new_file(rng: random.Random, *, account: int, policy: int) -> CaseFile:
    file = CaseFile(rng=rng, person=Person.draw(rng))
    file.hold(draw_facts(rng, account=account, policy=policy))
    return file


def hallucination(rng: random.Random, candidates: int) -> Case:
    """Facts are asked for, sometimes one that is not on file; answers tell them rightly or wrongly, and add more."""
    file = _new_file(rng, account=rng.randint(3, 4), policy=rng.randint(1, 2))
    asked = rng.sample(file.facts, rng.choice((1, 2, 2)))
    if rng.random() < 0.2:
        asked[-1] = file.absent(1)[0]
    rest = [fact for fact in file.facts if all(fact is not a for a in asked)]
    prompt = file.prompt(message(rng, _about(rng, file.person), ask(rng, asked)))
    answers = []
    for _ in range(candidates):
        told = tell_all(rng, asked, present=file.facts, how={"right": 0.5, "wrong": 0.47, "missing": 0.03})
        extra = weighted(rng, {"none": 0.6, "true": 0.28, "invented": 0.12}) if told.clauses else "none"
        body = joined(rng, told.clauses) or [rng.choice(wording.EVASIONS)]
        if extra != "none":
            fact = rng.choice(rest) if extra == "true" else file.absent(1)[0]
            body.append(rng.choice(wording.ALSO).format(said=fact.said(rng, fact.value)))
        text, courtesies = compose(rng, file.person, body, polite=0.4)
        quality = Quality(
            facts_right=told.right,
            facts_wrong=told.wrong,
            facts_missing=told.missing,
            extras_right=int(extra == "true"),
            extras_invented=int(extra == "invented"),
        )
        answers.append(Answer(text=text, quality=quality, courtesies=courtesies))
    return Case(category="hallucination", prompt=prompt, answers=tuple(answers))


def brevity(rng: random.Random, candidates: int) -> Case:
    """The customer wants it short, or in full, or does not say; answers differ in padding, completeness and truth."""
    file = _new_file(rng, account=3, policy=rng.randint(1, 2))
    asked = rng.sample(file.facts, rng.choice((1, 1, 2)))
    rest = [fact for fact in file.facts if all(fact is not a for a in asked)]
    wish: Wish = weighted(rng, {"short": 0.45, "full": 0.35, "any": 0.2})
    parts = [_about(rng, file.person), ask(rng, asked)]
    if wish != "any":
        parts.insert(rng.choice((1, 2)), rng.choice(wording.WISHES[wish]))
    prompt = file.prompt(message(rng, *parts))
    answers = [_brief(rng, file, asked=asked, rest=rest, wish=wish) for _ in range(candidates)]
    return Case(category="brevity", prompt=prompt, answers=tuple(answers))


def _brief(rng: random.Random, file: CaseFile, *, asked: list[Fact], rest: list[Fact], wish: Wish) -> Answer:
    told = tell_all(rng, asked, present=file.facts, how={"right": 0.72, "wrong": 0.16, "missing": 0.12})
    details = rng.sample(rest, weighted(rng, {0: 0.5, 1: 0.25, 2: 0.25}))
    lines = weighted(rng, {0: 0.45, 1: 0.25, 2: 0.2, 3: 0.1})
    padding = rng.sample(wording.PADDING, min(lines, 3 - len(details)))
    body = joined(rng, told.clauses)
    leads = rng.sample(wording.ALSO, len(details))
    body += [lead.format(said=fact.said(rng, fact.value)) for lead, fact in zip(leads, details, strict=True)]
    body = body or [rng.choice(wording.EVASIONS)]
    for line in padding:
        body.insert(rng.choice((0, len(body))), line.format(first=file.person.first, item=file.person.item))
    text, courtesies = compose(rng, file.person, body, polite=0.25)
    quality = Quality(
        facts_right=told.right,
        facts_wrong=told.wrong,
        facts_missing=told.missing,
        extras_right=len(details),
        wish=wish,
        words_over=max(0, len(text.split()) - 14 * len(asked)),
    )
    return Answer(text=text, quality=quality, courtesies=courtesies + len(padding) // 2)


def tone(rng: random.Random, candidates: int) -> Case:
    """The customer is upset, grieving, cheerful or formal; answers differ in manners, some in the fact they tell."""
    mood = weighted(rng, {"upset": 0.4, "grieving": 0.2, "cheerful": 0.2, "formal": 0.2})
    file = _new_file(rng, account=3, policy=1)
    asked = rng.sample(file.facts, 1)
    event, warm, misplaced = wording.event(rng, mood, file.person.item)
    if mood == "formal":
        told = letter(rng, event, rng.choice(asked[0].kind.asks) + "?")
    else:
        told = message(rng, event, ask(rng, asked), casual=0.4)
    prompt = file.prompt(told)
    answers = [
        _mannered(rng, file, asked=asked[0], mood=mood, warm=warm, misplaced=misplaced) for _ in range(candidates)
    ]
    return Case(category="tone", prompt=prompt, answers=tuple(answers))


def _mannered(rng: random.Random, file: CaseFile, *, asked: Fact, mood: str, warm: str, misplaced: str) -> Answer:
    weights: dict[Style, float] = {
        "warm": 0.28, "misplaced": 0.16, "plain": 0.2, "cold": 0.12, "blaming": 0.06, "breezy": 0.18,
    }  # fmt: skip
    style = weighted(rng, weights)
    told = tell(rng, asked, present=file.facts, how=weighted(rng, {"right": 0.8, "wrong": 0.2}))
    body = list(told.clauses)
    lead = {"warm": warm, "misplaced": misplaced, "plain": ""}.get(style)
    if lead is None:
        lead = rng.choice(wording.MANNERED[style])
    if lead:
        body.insert(0 if style not in ("cold", "blaming", "breezy") or rng.random() < 0.6 else 1, lead)
    text, courtesies = compose(rng, file.person, body, polite=0.2 if style in ("cold", "blaming") else 0.4)
    quality = Quality(facts_right=told.right, facts_wrong=told.wrong, manners=MANNERS[mood][style])
    return Answer(text=text, quality=quality, courtesies=courtesies + int(style in ("warm", "misplaced")))
