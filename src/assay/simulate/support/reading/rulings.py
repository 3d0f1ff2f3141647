"""A policy's rule on a request and the account it looks at -> whether it is met, and every reason that may be given.

Each family of rules has its forms once: they are read in answers and written into them. Knows rules; knows no answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from assay.simulate.support.facts import ITEMS, PLANS, TOWNS
from assay.simulate.support.permission_conditions import NO, STATUSES, YES
from assay.stats.unknown import Unknown

Side = Literal["grant", "decline"]
PAST = {"delivery": "delivered", "the bill": "billed", "purchase": "bought", "the renewal": "renewed"}


def _one_of(words: Sequence[str]) -> str:
    return "(?:" + "|".join(re.escape(word.lower()) for word in sorted(words, key=len, reverse=True)) + ")"


def _listed(words: Sequence[str]) -> str:
    one = _one_of(words)
    return f"{one}(?:, {one})*(?: (?:and|or) {one})?"


MANY = tuple(ITEMS.values())
SLOTS: Mapping[str, str] = {
    "plan": _one_of(PLANS), "plans": _listed(PLANS), "limit": r"\d+", "passed": r"\d+", "unit": "(?:days|months)",
    "past": _one_of(tuple(PAST.values())), "value": r"\d+", "mine": _one_of(MANY), "items": _listed(MANY),
    "status": _one_of((*STATUSES, "waiting")), "home": _one_of(TOWNS), "towns": _listed(TOWNS),
    "outright": _one_of((*YES, *NO)), "plan_word": "plans?",
}  # fmt: skip
# Reasons by family of rule: what each argues for, in words with slots. Right where it argues for what the rule says
# here and every slot holds what is true.
FORMS: Mapping[str, tuple[tuple[Side, str], ...]] = {
    "plan": (
        ("grant", "the {plan} plan includes it"), ("grant", "you are on the {plan} plan, which covers this"),
        ("decline", "the {plan} plan does not include it"), ("decline", "it is not part of the {plan} plan"),
        ("decline", "it is only for the {plans} {plan_word}"),
    ),
    "days": (
        ("grant", "you are within the {limit} {unit}"), ("grant", "you have {limit} {unit} for this"),
        ("grant", "it was {past} {passed} {unit} ago and you have {limit}"),
        ("decline", "the {limit} {unit} are over"), ("decline", "the limit is {limit} {unit}"),
        ("decline", "it was {past} {passed} {unit} ago and the limit is {limit}"),
    ),
    "amount": (
        ("grant", "your order is over ${limit}"), ("grant", "your order of ${value} is over ${limit}"),
        ("decline", "your order is under ${limit}"),
        ("decline", "your order is only ${value} and it takes ${limit}"),
    ),
    "included": (
        ("grant", "{mine} are covered"), ("grant", "it is for {items}"),
        ("decline", "{mine} are not covered"), ("decline", "it is only for {items}"),
    ),
    "excluded": (
        ("grant", "{mine} are not excluded"), ("grant", "it is excluded only for {items}"),
        ("decline", "{mine} are excluded"), ("decline", "it is not for {items}"),
    ),
    "until": (
        ("grant", "your order is not {until} yet"), ("grant", "your order is only {now} so far"),
        ("decline", "your order is already {now}"),
    ),
    "towns": (
        ("grant", "we offer it in {home}"), ("decline", "we do not offer it in {home}"),
        ("decline", "it is only in {towns}"),
    ),
    "yes": (("grant", "it is {outright}"),),
    "no": (("decline", "it is {outright}"),),
}  # fmt: skip
_ALIASES = {"until": "status", "now": "status"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One form of a reason, as a pattern with its slots by name."""

    side: Side
    pattern: re.Pattern[str]


def _compiled(text: str) -> str:
    parts = re.split(r"\{(\w+)\}", text)
    # Slot names alternate with literal words after the split.
    said = [re.escape(part) if at % 2 == 0 else f"(?P<{part}>{SLOTS[_ALIASES.get(part, part)]})"
            for at, part in enumerate(parts)]  # fmt: skip
    return rf"(?<!\w){''.join(said)}(?!\w)"


_FAMILY_FORMS: Mapping[str, tuple[_Form, ...]] = {
    family: tuple(_Form(side=side, pattern=re.compile(_compiled(text))) for side, text in forms)
    for family, forms in FORMS.items()
}


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """A rule as it stands in one case. met: whether the account meets it. true: what each slot rightly holds."""

    family: str
    met: bool
    true: Mapping[str, tuple[str, ...]]  # several where the account says two things; small letters

    @property
    def side(self) -> Side:
        return "grant" if self.met else "decline"

    def reasons(self, text: str) -> list[tuple[int, int, bool]]:
        """Start, end and rightness of every reason in a text of small letters, in the order in which they stand."""
        found = [
            (match.start(), match.end(), self._right(form, match))
            for form in _FAMILY_FORMS[self.family]
            for match in form.pattern.finditer(text)
        ]
        return sorted(found)

    def _right(self, form: _Form, match: re.Match[str]) -> bool:
        slots = match.groupdict()
        if "outright" in slots:
            return slots["outright"] in self.true["outright"]
        return form.side == self.side and all(said in self.true.get(name, (said,)) for name, said in slots.items())

    @cached_property
    def true_reasons(self) -> tuple[str, ...]:
        """Every reason that is true here, for those who write answers."""
        forms = [text for side, text in FORMS[self.family] if side == self.side]
        return tuple(self._filled(text, {}) for text in forms)

    def untrue_reason(self, rng: random.Random, side: Side) -> str:
        """A reason that argues for `side` and is not true: a wrong value, and true values where the side is wrong."""
        forms = [text for one, text in FORMS[self.family] if one == side] or [FORMS[self.family][0][1]]
        text = rng.choice(forms)
        wrong: dict[str, str] = {}
        if self.family in ("yes", "no"):
            wrong["outright"] = rng.choice(
                [one for one in (YES if side == "grant" else NO) if one not in self.true["outright"]]
            )
        elif side == self.side or rng.random() < 0.6:
            slots = [name for name in re.findall(r"\{(\w+)\}", text) if name not in _KEPT]
            slot = slots[-1]
            wrong[slot] = _otherwise(rng, slot, self.true[slot][0])
        return self._filled(text, wrong)

    def _filled(self, text: str, wrong: Mapping[str, str]) -> str:
        values = {name: _cased(name, wrong.get(name, values[0])) for name, values in self.true.items()}
        if "plan_word" in values:
            values["plan_word"] = "plans" if " and " in values["plans"] else "plan"
        return text.format(**values)


_KEPT = ("unit", "past", "passed", "plan_word")


def _cased(name: str, value: str) -> str:
    """Plans and towns are written large."""
    large = name in ("plan", "plans", "home", "towns")
    return " ".join(w if w in ("and", "or") else w[0].upper() + w[1:] for w in value.split(" ")) if large else value


def _otherwise(rng: random.Random, slot: str, value: str) -> str:
    """What a slot may wrongly hold."""
    pools: Mapping[str, Sequence[str]] = {
        "plan": PLANS, "plans": PLANS, "mine": MANY, "items": MANY, "home": TOWNS, "towns": TOWNS,
        "until": STATUSES, "now": STATUSES,
    }  # fmt: skip
    if slot in pools:
        return rng.choice([one.lower() for one in pools[slot] if one.lower() not in value])
    number = int(value)
    return str(rng.choice([n for n in (number - 5, number - 2, number + 2, number + 7, number * 2) if n > 0]))


def read_ruling(rule: str, notes: Sequence[str], *, plan: str, many: str) -> Ruling | Unknown:
    """The rule in its own words, met or not by the account's notes.

    plan, many: the customer's plan, and their item in the plural. Unknown where the words are no rule of the desk's, or
    the account says two things of it that do not agree.
    """
    said = rule.lower().rstrip(".")
    if said in YES or said in NO:
        met = said in YES
        # Both outright families read every outright sentence: "it is never possible" under "always possible" is untrue.
        return Ruling(family="yes" if met else "no", met=met, true={"outright": (said,)})
    for reader in (_by_days, _by_amount, _by_status):
        found = reader(said, notes)
        if found is not None:
            return found
    return _by_name(said, notes, plan=plan.lower(), many=many.lower()) or Unknown(f"the rule {rule!r} is not read")


def _by_days(said: str, notes: Sequence[str]) -> Ruling | Unknown | None:
    rule = re.fullmatch(r"(?:within|up to) (\d+) (days|months) (?:of|after) (.+)", said)
    if rule is None or rule[3] not in PAST:
        return None
    limit, unit, past = rule[1], rule[2], PAST[rule[3]]
    passed = _noted(notes, rf"{past} (\d+) {unit} ago")
    return _decided(
        "days", [int(one) <= int(limit) for one in passed],
        {"limit": (limit,), "unit": (unit,), "past": (past,), "passed": passed},
    )  # fmt: skip


def _by_amount(said: str, notes: Sequence[str]) -> Ruling | Unknown | None:
    rule = re.fullmatch(r"(?:only for )?orders over \$(\d+)(?: only)?", said)
    if rule is None:
        return None
    values = _noted(notes, r"order \$(\d+)")
    return _decided("amount", [int(v) > int(rule[1]) for v in values], {"limit": (rule[1],), "value": values})


def _by_status(said: str, notes: Sequence[str]) -> Ruling | Unknown | None:
    rule = re.fullmatch(r"(?:until|before) the order is (\w+)", said)
    if rule is None or rule[1] not in STATUSES:
        return None
    now = _noted(notes, r"status: (\w+)")
    before = [STATUSES.index(one) < STATUSES.index(rule[1]) for one in now if one in STATUSES]
    return _decided("until", before, {"until": (rule[1],), "now": now})


def _by_name(said: str, notes: Sequence[str], *, plan: str, many: str) -> Ruling | Unknown | None:
    """Rules that list plans, towns or goods."""
    plans = re.fullmatch(rf"(?:only (?:for|on) the )?({SLOTS['plans']}) plans?(?: only)?", said)
    if plans is not None:
        true = {"plan": (plan,), "plans": (plans[1],), "plan_word": ("plans", "plan")}
        return _decided("plan", [plan in re.split(r", | and ", plans[1])], true)
    towns = re.fullmatch(rf"(?:only in )?({SLOTS['towns']})(?: only)?", said)
    if towns is not None:
        homes = _noted(notes, r"lives in (.+)")
        inside = [home in re.split(r", | and ", towns[1]) for home in homes]
        return _decided("towns", inside, {"home": homes, "towns": (towns[1],)})
    goods = re.fullmatch(rf"(only for |not for )?({SLOTS['items']})(?: only)?", said)
    if goods is None:
        return None
    excluded = goods[1] == "not for "
    named = many in re.split(r", | and | or ", goods[2])
    family = "excluded" if excluded else "included"
    return _decided(family, [named != excluded], {"mine": (many,), "items": (goods[2],)})


def _noted(notes: Sequence[str], pattern: str) -> tuple[str, ...]:
    found = (re.fullmatch(pattern, note.lower()) for note in notes)
    return tuple(match[1] for match in found if match is not None)


def _decided(family: str, met: list[bool], true: Mapping[str, tuple[str, ...]]) -> Ruling | Unknown:
    """Two rules of a case may look at notes of one form; then only what all of them say is known."""
    if not met:
        return Unknown("the account says nothing of what the rule looks at")
    if len(set(met)) > 1:
        return Unknown("the account says two things of what the rule looks at")
    return Ruling(family=family, met=met[0], true=true)
