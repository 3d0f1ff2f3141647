"""The parts an agent of the desk puts answers together from, each drawn for one case: facts, rulings, advice, tone.

right: whether the part is to be true of the case; where it is not, it goes wrong as the desk's agents do. Knows no
part's worth.
"""

from __future__ import annotations

import random
from dataclasses import replace

from assay.simulate.support import wording
from assay.simulate.support.case import CLOSINGS, OPENINGS
from assay.simulate.support.facts import ALL, Fact
from assay.simulate.support.fault_cases import FIRST_THEN, IF_NOT, ONE, REMEDIES, VAGUE
from assay.simulate.support.permission_cases import DECLINED, GRANTED, HEDGES, ruled
from assay.simulate.support.reading.read_case import ReadCase
from assay.simulate.support.reading.rulings import Side
from assay.simulate.support.told_facts import tell
from assay.simulate.support.utility import Style

# What fits each mood best, by the table MANNERS.
FITTING: dict[str, Style] = {"upset": "warm", "grieving": "warm", "cheerful": "breezy", "formal": "plain"}


def opening(rng: random.Random, case: ReadCase) -> str:
    return rng.choice(OPENINGS).format(first=case.person.first)


def closing(rng: random.Random, case: ReadCase) -> str:
    return rng.choice(CLOSINGS)


def padding(rng: random.Random, case: ReadCase) -> str:
    """A line that says nothing."""
    return rng.choice(wording.PADDING).format(first=case.person.first, item=case.person.item)


def evasion(rng: random.Random, case: ReadCase) -> str:
    """Words in place of what was asked for."""
    if case.ruling is not None:
        return rng.choice(HEDGES)
    return rng.choice(VAGUE if case.steps else wording.EVASIONS)


def invention(rng: random.Random, case: ReadCase) -> str:
    """A fact of a kind that is not on file, told as if it were."""
    kind = rng.choice([kind for kind in ALL if kind.name not in case.present])
    fact = Fact(kind=kind, value=kind.draw(rng))
    return rng.choice(wording.ALSO).format(said=fact.said(rng, fact.value))


def detail(rng: random.Random, case: ReadCase) -> str:
    """A true fact that nobody asked for, or the last resort of an agent who has none left."""
    rest = [fact for fact in case.facts if all(fact is not asked for asked in case.asked)]
    if not rest:
        return evasion(rng, case)
    fact = rng.choice(rest)
    return rng.choice(wording.ALSO).format(said=fact.said(rng, fact.value))


def told(rng: random.Random, case: ReadCase, fact: Fact, *, right: bool) -> str:
    """What the answer says of a fact that was asked for."""
    if not case.on_file(fact):
        fact = replace(fact, value=fact.kind.draw(rng))
    return tell(rng, fact, present=list(case.facts), how="right" if right else "wrong").clauses[0]


def ruling(rng: random.Random, case: ReadCase, *, right: bool, reasoned: bool) -> list[str]:
    """The decision with a reason, and at times a note. reasoned: whether the reason of a right decision is true."""
    if case.ruling is None or case.topic is None:
        return []
    side: Side = case.ruling.side if right else ("decline" if case.ruling.met else "grant")
    reason = ""
    if rng.random() < 0.85:
        true = right and reasoned
        reason = rng.choice(case.ruling.true_reasons) if true else case.ruling.untrue_reason(rng, side)
    body = [ruled(rng, case.topic, item=case.person.item, grants=side == "grant", reason=reason)]
    if rng.random() < 0.25:
        body.append(rng.choice(GRANTED if side == "grant" else DECLINED))
    return body


def advice(rng: random.Random, case: ReadCase, *, right: bool) -> str:
    """The two steps of the procedure, or some of them wrong: another problem's, a number misread, one left out."""
    chosen = [step.text for step in case.steps]
    numbered = [place for place, step in enumerate(case.steps) if len(step.numbers) > 1]
    how = "right" if right else rng.choice(("one", "other", "mixed", "misread"))
    if how == "misread" and numbered:
        place = rng.choice(numbered)
        chosen[place] = case.steps[place].misread(rng)
    elif how == "one":
        chosen = [rng.choice(chosen)]
    elif how == "mixed":
        chosen[rng.randrange(len(chosen))] = rng.choice(case.other_steps).text
    elif how != "right":
        chosen = [step.text for step in case.other_steps[:2]]
    return rng.choice(FIRST_THEN if len(chosen) == 2 else ONE).format(a=chosen[0], b=chosen[-1])


def promise(rng: random.Random, case: ReadCase, *, right: bool) -> str:
    """What comes next if the advice fails."""
    remedy = case.remedy if right and case.remedy else rng.choice([one for one in REMEDIES if one != case.remedy])
    return rng.choice(IF_NOT).format(r=rng.choice(REMEDIES[remedy]))


def manner(rng: random.Random, case: ReadCase, *, right: bool, sympathetic: bool) -> str | None:
    """Words in a tone; None for a plain one. sympathetic: warm words whatever the mood; right: about what happened."""
    if case.event is None:
        return None
    mood = case.event.mood
    styles: tuple[Style, ...] = ("misplaced", "plain", "cold", "breezy")
    style = FITTING[mood] if right else rng.choice([one for one in styles if one != FITTING[mood]])
    if sympathetic:
        style = "warm" if right else "misplaced"
    return consolation(rng, case, right=style == "warm") if style in ("warm", "misplaced") else _toned(rng, style)


def _toned(rng: random.Random, style: Style) -> str | None:
    return rng.choice(wording.MANNERED[style]) if style in wording.MANNERED else None


def consolation(rng: random.Random, case: ReadCase, *, right: bool) -> str:
    """Warm words about what the customer told, or about something that did not happen."""
    event = case.event
    if right and event is not None and event.mood == "upset":
        what, when = event.happened
        return rng.choice(wording.APOLOGIES).format(item=case.person.item, what=what, when=when)
    if right and event is not None and event.mood == "grieving":
        return rng.choice(wording.CONDOLENCES).format(who=event.happened[0])
    if right:
        return rng.choice(wording.SYMPATHY)
    known = event.happened if event is not None else ()
    what = rng.choice([said for _, said in wording.MISHAPS if said not in known])
    when = rng.choice([said for _, said in wording.OCCASIONS])
    return rng.choice(wording.APOLOGIES).format(item=case.person.item, what=what, when=when)
