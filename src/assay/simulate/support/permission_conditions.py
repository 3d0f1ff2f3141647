"""Conditions a policy sets on a request, with the account note they look at and the reasons an agent may give."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from assay.simulate.prose import listed
from assay.simulate.support.case import Person
from assay.simulate.support.facts import ITEMS, PLANS, TOWNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition as it stands in one case.

    rule: the policy's words; note: the account's (empty where the customer line has it already).
    why: reasons that are true here. misquoted: reasons for the right decision with a wrong value in them.
    untrue: reasons for the opposite decision, told with this case's values. untrue_and_misquoted: with other values.
    """

    rule: str
    note: str
    why: tuple[str, ...]
    untrue: tuple[str, ...]
    misquoted: tuple[str, ...]
    untrue_and_misquoted: tuple[str, ...]


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
    only, not_only = f"it is only for the {names} {plural}", f"it is only for the {wrong} plan"
    misled = (f"the {wrong} plan includes it", f"you are on the {wrong} plan, which covers this")
    return Condition(
        rule=rng.choice((f"{names} {plural} only", f"only for the {names} {plural}", f"only on the {names} {plural}")),
        note="",
        why=has if met else (*lacks, only),
        untrue=lacks if met else has,
        misquoted=misled if met else (not_only,),
        untrue_and_misquoted=(not_only, not_only) if met else misled,
    )


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
            untrue=(outside(limit),) if met else (inside(limit),),
            untrue_and_misquoted=(outside(low),) if met else (inside(high),),
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
        untrue=(under(limit),) if met else (over(limit),),
        untrue_and_misquoted=(under(high),) if met else (over(low),),
        misquoted=(over(low),) if met else (under(high),),
    )


def by_item(rng: random.Random, person: Person, met: bool) -> Condition:
    """Only for some goods, or for all but some."""
    *others, wrong = rng.sample([many for many in ITEMS.values() if many != person.items], 3)
    mine, named = person.items, others[: rng.choice((1, 1, 2))]
    excluded = rng.random() < 0.5
    if met != excluded:
        named = [*named, mine]
        rng.shuffle(named)
    names, misnamed = listed(named, "or" if excluded else "and"), wrong
    if excluded:
        yes, no = (f"{mine} are not excluded", f"it is excluded only for {names}"), f"it is not for {names}"
        false_yes, false_no = f"it is excluded only for {misnamed}", f"it is not for {misnamed}"
        no_too = f"{mine} are excluded"
    else:
        yes, no = (f"{mine} are covered", f"it is for {names}"), f"it is only for {names}"
        false_yes, false_no = f"it is for {misnamed}", f"it is only for {misnamed}"
        no_too = f"{mine} are not covered"
    return Condition(
        rule=f"not for {names}" if excluded else rng.choice((f"only for {names}", f"{names} only")),
        note="",
        why=yes if met else (no, no_too),
        untrue=(no_too,) if met else yes[:1],
        misquoted=(false_yes,) if met else (false_no,),
        untrue_and_misquoted=(false_no,) if met else (false_yes,),
    )


STATUSES = ("placed", "paid", "packed", "shipped", "delivered")


def by_status(rng: random.Random, person: Person, met: bool) -> Condition:
    place = rng.randint(1, 3)
    until = STATUSES[place]
    now = rng.choice(STATUSES[:place] if met else STATUSES[place:4])
    before = (f"your order is not {until} yet", f"your order is only {now} so far")
    after = (f"your order is already {now}",)
    early = rng.choice([s for s in STATUSES[:place] if s != now] or ["waiting"])
    late = rng.choice([s for s in STATUSES[place:] if s != now])
    return Condition(
        rule=rng.choice((f"until the order is {until}", f"before the order is {until}")),
        note=f"status: {now}",
        why=before if met else after,
        untrue=(f"your order is already {until}",) if met else (f"your order is not {until} yet",),
        misquoted=(f"your order is only {early} so far",) if met else (f"your order is already {late}",),
        untrue_and_misquoted=(f"your order is already {late}",) if met else (f"your order is only {early} so far",),
    )


def by_town(rng: random.Random, person: Person, met: bool) -> Condition:
    towns = rng.sample(TOWNS, 5)
    home, named, wrong = towns[0], towns[1 : rng.choice((2, 3, 3))], towns[4]
    if met:
        named = [*named[:-1], home]
        rng.shuffle(named)
    there, not_there = f"we offer it in {home}", f"we do not offer it in {home}"
    only, misled = f"it is only in {listed(named, 'and')}", f"we offer it in {wrong}"
    return Condition(
        rule=rng.choice((f"only in {listed(named, 'and')}", f"{listed(named, 'and')} only")),
        note=f"lives in {home}",
        why=(there,) if met else (not_there, only),
        untrue=(not_there,) if met else (there,),
        misquoted=(misled,) if met else (f"it is only in {wrong}",),
        untrue_and_misquoted=(f"it is only in {wrong}",) if met else (misled,),
    )


YES = ("always possible", "open to all customers", "fine at any time", "allowed on every plan")
NO = ("not offered at the moment", "no longer offered", "stopped until further notice", "not available this month",
      "never possible")  # fmt: skip


def outright(rng: random.Random, person: Person, met: bool) -> Condition:
    """The policy allows or forbids it in so many words."""
    (yes, other_yes), (no, other_no) = rng.sample(YES, 2), rng.sample(NO, 2)
    return Condition(
        rule=yes if met else no,
        note="",
        why=(f"it is {yes}",) if met else (f"it is {no}",),
        untrue=(f"it is {no}",) if met else (f"it is {yes}",),
        misquoted=(f"it is {other_yes}",) if met else (f"it is {other_no}",),
        untrue_and_misquoted=(f"it is {other_no}",) if met else (f"it is {other_yes}",),
    )
