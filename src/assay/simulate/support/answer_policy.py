"""Agents with named habits who answer any prompt of the desk: plain, wordy, courteous, inventive, hedging, or mixed.

A habit is a number from 0 to 1; docs/simulator.md says what each does to text and worth. Knows cases; knows no reward.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from assay.errors import ConfigError
from assay.simulate.prose import sentence
from assay.simulate.support import reply_parts as parts
from assay.simulate.support.reading.read_case import ReadCase
from assay.simulate.support.told_facts import joined

PLACES_FOR_PADDING = 4  # lines that say nothing, at most
PLACES_FOR_INVENTION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Chances from 0 to 1.

    accuracy: that a statement is right (fact, ruling, reason, step, tone). wordiness: that each of four places is taken
    by a line of padding. courtesy: of an opening, of a closing, and of sympathy whatever the mood. invention: that each
    of two places is taken by a fact that is not on file, and that one asked for in vain is told all the same. hedging:
    that a fact, ruling or advice is evaded.
    """

    accuracy: float = 0.7
    wordiness: float = 0.05
    courtesy: float = 0.3
    invention: float = 0.03
    hedging: float = 0.05

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 1:
                raise ConfigError(f"Habit {name}: expected a number from 0 to 1, got {value:g}.")


PRESETS: Mapping[str, Habits] = {
    "plain": Habits(),
    "wordy": Habits(wordiness=0.6),
    "courteous": Habits(courtesy=0.95, wordiness=0.15),
    "inventive": Habits(invention=0.6),
    "hedging": Habits(hedging=0.6),
}
HABITS: tuple[str, ...] = tuple(field.name for field in fields(Habits))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMix:
    """Agents by weight, one of whom writes each answer. spec: as they were asked for."""

    spec: str
    agents: tuple[tuple[float, Habits], ...]

    def draw(self, rng: random.Random) -> Habits:
        weights = [weight for weight, _ in self.agents]
        return rng.choices([habits for _, habits in self.agents], weights=weights)[0]


def agent_mix(spec: str) -> AgentMix:
    """The agents that `spec` names: names of PRESETS and habits, with commas between.

    A name may have a weight, `wordy=2,plain=1`; a habit has a value, which all agents named then have.
    Raises ConfigError.

    >>> [(weight, habits.wordiness) for weight, habits in agent_mix("wordy=2,plain,courtesy=0").agents]
    [(2.0, 0.6), (1.0, 0.05)]
    """
    weights: dict[str, float] = {}
    habits: dict[str, float] = {}
    for item in filter(None, (one.strip() for one in spec.split(","))):
        name, equals, value = (part.strip() for part in item.partition("="))
        number = _number(spec, item, value) if equals else None
        if name in PRESETS:
            weights[name] = 1.0 if number is None else number
        elif name in HABITS and number is not None:
            habits[name] = number
        else:
            raise ConfigError(
                f"Policy {spec!r}: {item!r} is no agent and no habit with a value. Agents: {', '.join(PRESETS)}. "
                f"Habits, such as wordiness=0.8: {', '.join(HABITS)}."
            )
    weights = weights or {"plain": 1.0}
    if any(weight < 0 for weight in weights.values()) or not sum(weights.values()):
        raise ConfigError(f"Policy {spec!r}: weights of agents are numbers from 0, one of them above 0.")
    agents = tuple((weight, replace(PRESETS[name], **habits)) for name, weight in weights.items() if weight)
    return AgentMix(spec=spec, agents=agents)


def _number(spec: str, item: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ConfigError(f"Policy {spec!r}: {item!r} has no number after its sign of equality.") from None


def draw_answer(rng: random.Random, case: ReadCase, habits: Habits) -> str:
    """One answer of an agent with these habits."""
    tone = parts.manner(
        rng, case, right=_happens(rng, habits.accuracy), sympathetic=_happens(rng, 0.6 * habits.courtesy)
    )
    body = [*([tone] if tone else []), *_substance(rng, case, habits)]
    for _ in range(PLACES_FOR_INVENTION):
        if _happens(rng, habits.invention):
            body.append(parts.invention(rng, case))
    lines = {parts.padding(rng, case) for _ in range(PLACES_FOR_PADDING) if _happens(rng, habits.wordiness)}
    for line in sorted(lines):  # a set has no order of its own, and the answer must have one
        body.insert(rng.choice((0, len(body))), line)
    if _happens(rng, habits.courtesy):
        body.insert(0, parts.opening(rng, case))
    if _happens(rng, habits.courtesy):
        body.append(parts.closing(rng, case))
    return " ".join(map(sentence, body))


def _substance(rng: random.Random, case: ReadCase, habits: Habits) -> list[str]:
    """What was asked for, told or evaded."""
    body: list[str] = []
    evaded = False
    if case.ruling is not None:
        if _happens(rng, habits.hedging):
            evaded = True
        else:
            right, reasoned = _happens(rng, habits.accuracy), _happens(rng, habits.accuracy)
            body += parts.ruling(rng, case, right=right, reasoned=reasoned)
    if case.steps:
        if _happens(rng, habits.hedging):
            evaded = True
        else:
            body.append(parts.advice(rng, case, right=_happens(rng, habits.accuracy)))
            if _happens(rng, 0.5):
                body.append(parts.promise(rng, case, right=_happens(rng, habits.accuracy)))
    clauses: list[str] = []
    for fact in case.asked:
        if _happens(rng, habits.hedging):
            evaded = True
            continue
        # To tell what is not on file is invention; to deny it is right.
        lied = not case.on_file(fact) and _happens(rng, habits.invention)
        clauses.append(parts.told(rng, case, fact, right=not lied and _happens(rng, habits.accuracy)))
    body += joined(rng, tuple(clauses))
    if evaded or not body:
        body.append(parts.evasion(rng, case))
    return body


def _happens(rng: random.Random, chance: float) -> bool:
    return rng.random() < chance
