"""Conditions a policy sets on a request, with the account note they look at and the reasons an agent may give."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from assay.data.simulate.case import Person
from assay.data.simulate.draws import listed, other
from assay.data.simulate.facts import ITEMS, PLANS, TOWNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as it stands in one case.

    rule: the policy's words; note: the account's (empty where the customer line has it already).
    why: reasons that are true here. untrue: reasons for the opposite decision, which the prompt contradicts.
    misquoted: reasons for the right decision with a wrong value in them.
    """

    rule: str
    note: str
    why: tuple[str, ...]
    untrue: tuple[str, ...]
    misquoted: tuple[str, ...]


Build = Callable[[random.Random, Person, bool], Condition]


def by_plan(rng: random.Random, person: Person, met: bool) -> Condition:
    others = [plan for plan in PLANS if plan != person.plan]
    allowed = rng.sample(others, rng.choice((1, 2, 2)))
    if met:
        allowed[rng.randrange(len(allowed))] = person.plan
    names, wrong = listed(allowed, "and"), rng.choice([p for p in others if p not in allowed])
    plural = "plans" if len(allowed) > 1 else "plan"
    has = (f"the {person.plan} plan includes it", f"you are on the {person.plan} plan, which covers this")
    lacks = (f"the {person.plan} plan does not include it", f"it is not part of the {person.plan} plan")
    right = has if met else (*lacks, f"it is only for the {names} {plural}")
    misled = f"the {wrong} plan includes it" if met else f"it is only for the {wrong} plan"
    untrue = (*lacks, f"it is only for the {wrong} plan") if met else (*has, f"your {wrong} plan covers this")
    return Condition(
        rule=rng.choice((f"{names} {plural} only", f"only for the {names} {plural}", f"only on the {names} {plural}")),
        note="", why=right, untrue=untrue, misquoted=(misled,),
    )  # fmt: skip


def by_days(past: str, noun: str, unit: str = "days") -> Build:
    """Within so many days (months) of an event, named as what was done and as a noun."""

    def build(rng: random.Random, person: Person, met: bool) -> Condition:
        limits = (7, 10, 14, 20, 21, 30, 45, 60) if unit == "days" else (6, 12, 18, 24, 36)
        limit = rng.choice(limits)
        apart = rng.randint(1, max(2, limit // 2))
        passed = max(1, limit - apart) if met else limit + apart + rng.choice((0, 0, 10))
        low = rng.choice([n for n in limits if n <= passed and n != limit] or [max(1, passed - 1)])
        high = rng.choice([n for n in limits if n >= passed and n != limit] or [passed + 10])

        def inside(allowed: int) -> str:
            forms = (f"you are within the {allowed} {unit}",
                     f"it was {past} {passed} {unit} ago and you have {allowed}",
                     f"you have {allowed} {unit} for this")  # fmt: skip
            return rng.choice(forms)

        def outside(allowed: int) -> str:
            forms = (f"the {allowed} {unit} are over", f"the limit is {allowed} {unit}",
                     f"it was {past} {passed} {unit} ago and the limit is {allowed}")  # fmt: skip
            return rng.choice(forms)

        return Condition(
            rule=rng.choice((f"within {limit} {unit} of {noun}", f"up to {limit} {unit} after {noun}")),
            note=f"{past} {passed} {unit} ago",
            why=(inside(limit),) if met else (outside(limit),),
            untrue=(outside(limit), outside(low)) if met else (inside(limit), inside(high)),
            misquoted=(inside(high),) if met else (outside(low),),
        )

    return build


def by_amount(rng: random.Random, person: Person, met: bool) -> Condition:
    """Orders over so many dollars."""
    limits = (25, 40, 50, 60, 75, 100, 120, 150, 200)
    limit = rng.choice(limits)
    apart = rng.randint(2, limit // 2)
    value = limit + apart if met else limit - apart
    low = rng.choice([n for n in limits if n < value and n != limit] or [value - 2])
    high = rng.choice([n for n in limits if n > value and n != limit] or [value + 20])

    def over(least: int) -> str:
        return rng.choice((f"your order is over ${least}", f"your order of ${value} is over ${least}"))

    def under(least: int) -> str:
        return rng.choice((f"your order is under ${least}", f"your order is only ${value} and it takes ${least}"))

    return Condition(
        rule=rng.choice((f"orders over ${limit} only", f"only for orders over ${limit}")),
        note=f"order ${value}",
        why=(over(limit),) if met else (under(limit),),
        untrue=(under(limit), under(high)) if met else (over(limit), over(low)),
        misquoted=(over(low),) if met else (under(high),),
    )


def by_item(rng: random.Random, person: Person, met: bool) -> Condition:
    others = rng.sample([many for many in ITEMS.values() if many != person.items], 4)
    mine, named = person.items, others[: rng.choice((1, 2, 2))]
    excluded = rng.random() < 0.5
    if met != excluded:
        named = [*named, mine]
        rng.shuffle(named)
    names, wrong = listed(named, "and" if not excluded else "or"), others[3]
    allowed = (f"{mine} are covered", f"we do this for {mine}") if not excluded else (f"{mine} are not excluded",)
    refused = (f"we do not do this for {mine}", f"{mine} are excluded")
    return Condition(
        rule=f"not for {names}" if excluded else rng.choice((f"only for {names}", f"{names} only")),
        note="",
        why=allowed if met else refused,
        untrue=refused if met else allowed,
        misquoted=(f"{wrong} are covered" if met else f"{wrong} are excluded",),
    )


STATUSES = ("placed", "paid", "packed", "shipped", "delivered")


def by_status(rng: random.Random, person: Person, met: bool) -> Condition:
    place = rng.randint(1, 3)
    until = STATUSES[place]
    now = rng.choice(STATUSES[:place] if met else STATUSES[place:4])
    before = (f"your order is not {until} yet", f"your order is only {now} so far")
    after = (f"your order is already {now}",)
    wrong = rng.choice([s for s in STATUSES[:4] if s != now] if met else STATUSES[STATUSES.index(now) + 1 :])
    return Condition(
        rule=rng.choice((f"until the order is {until}", f"before it is {until}")),
        note=f"status: {now}",
        why=before if met else after,
        untrue=(f"your order is already {until}",) if met else (f"your order is not {until} yet",),
        misquoted=(f"your order is only {wrong} so far" if met else f"your order is already {wrong}",),
    )


def by_town(rng: random.Random, person: Person, met: bool) -> Condition:
    towns = rng.sample(TOWNS, 5)
    home, named, wrong = towns[0], towns[1 : rng.choice((2, 3, 3))], towns[4]
    if met:
        named = [*named[:-1], home]
        rng.shuffle(named)
    there, not_there = (f"we offer it in {home}", f"{home} is on the list"), (f"we do not offer it in {home}",)
    return Condition(
        rule=rng.choice((f"only in {listed(named, 'and')}", f"{listed(named, 'and')} only")),
        note=f"lives in {home}",
        why=there if met else (*not_there, f"it is only in {listed(named, 'and')}"),
        untrue=not_there if met else there,
        misquoted=(f"we offer it in {wrong}" if met else f"we do not offer it in {wrong}",),
    )


def outright(rng: random.Random, person: Person, met: bool) -> Condition:
    """The policy allows or forbids it in so many words."""
    yes = ("allowed for everyone", "always possible", "yes, for all customers", "fine at any time")
    no = ("not offered at the moment", "never", "not possible", "no longer offered", "stopped until further notice")
    open_, closed = (
        ("it is open to all customers", "we always do this"),
        ("it is not offered at the moment", "we no longer do this"),
    )
    elsewhere = other(rng, PLANS, person.plan)
    return Condition(
        rule=rng.choice(yes if met else no),
        note="",
        why=open_ if met else closed,
        untrue=closed if met else open_,
        misquoted=(f"the {person.plan} plan includes it" if met else f"it is only for the {elsewhere} plan",),
    )
