"""A policy that presses on a reward: best of many, changed over rounds; every answer it asked about is kept.

A round: 1. the prompt's best answers by reward are its parents; 2. each child is a parent changed by one or two moves,
with the parts of the desk's own answers and with rules given from outside (the probes); 3. all prompts' children are
put to the reward together. The search sees the reward alone, never the truth. What is drawn for a prompt depends on the
seed, the prompt and the rewards of its own answers, so that neither company nor an interruption changes it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from assay.errors import ConfigError
from assay.simulate.prose import sentence
from assay.simulate.random_values import simulation_stream
from assay.simulate.support import reply_parts as parts
from assay.simulate.support.answer_policy import AgentMix, agent_mix, draw_answer
from assay.simulate.support.reading import ReadCase

Question = tuple[str, str]  # prompt id, answer
# What is asked of a reward: each answer's reward, None where it gives none.
Ask = Callable[[Sequence[Question]], Mapping[Question, float | None]]
# (generator, answer) -> the answer changed; rules from outside are bound to their prompt before they come here.
Rule = Callable[[random.Random, str], str]
TRIES = 8  # children drawn before a place is left empty: most moves on short answers give what is known already
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PressPlan:
    """start: who writes the first answers (see agent_mix), from which new sentences are drawn too.

    population: answers kept a prompt, and asked about a round. rounds: after the first, in which the agents answer.
    budget: answers a prompt that the reward is asked about at most; None: population x (rounds + 1). words: longest
    answer that is tried. Raises ConfigError for what cannot be.
    """

    start: str = "plain"
    population: int = 16
    rounds: int = 8
    budget: int | None = None
    words: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        agent_mix(self.start)  # a name there is not is told before anything is scored
        for name, least in (("population", 2), ("rounds", 0), ("words", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; give at least {least}.")
        if self.budget is not None and self.budget < 1:
            raise ConfigError(f"budget is {self.budget}; at least 1 answer a prompt is asked about.")

    @property
    def most(self) -> int:
        """Answers a prompt that are asked about at most."""
        return self.budget or self.population * (self.rounds + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PressedPrompt:
    """A prompt under its id, as read. rules: moves from outside, by name."""

    id: str
    case: ReadCase
    rules: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One answer that the reward was asked about. moves: how it came of its parent; of an agent's own answer, none."""

    prompt_id: str
    round: int
    answer: str
    reward: float | None
    moves: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Search:
    """How far the search is for one prompt. best: its population, the highest reward first."""

    prompt: PressedPrompt
    tried: list[Tried] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    best: list[Tried] = field(default_factory=list)

    def keep(self, found: Sequence[Tried], population: int) -> None:
        self.tried += found
        # By the text where rewards are equal: an order of any kind, but always the same.
        ranked = sorted((one for one in (*self.best, *found) if one.reward is not None), key=_rank)
        self.best = ranked[:population]


def _rank(one: Tried) -> tuple[float, str]:
    return -(one.reward or 0.0), one.answer


def press(
    prompts: Sequence[PressedPrompt],
    ask: Ask,
    *,
    plan: PressPlan,
    notify: Callable[[int, int], None] = lambda _round, _rounds: None,
) -> list[Tried]:
    """Every answer asked about, prompt by prompt in their order, in the order in which they were tried.

    notify: gets the round that is done.
    """
    searches = [_Search(prompt=prompt) for prompt in prompts]
    for number in range(plan.rounds + 1):
        children = {search.prompt.id: _children(search, number, plan) for search in searches}
        if not any(children.values()):
            break
        asked = [(name, answer) for name, several in children.items() for answer, _ in several]
        rewards = ask(asked)
        for search in searches:
            name = search.prompt.id
            found = [
                Tried(prompt_id=name, round=number, answer=answer, reward=rewards[name, answer], moves=moves)
                for answer, moves in children[name]
            ]
            search.keep(found, plan.population)
        notify(number, plan.rounds)
    return [one for search in searches for one in search.tried]


def _children(search: _Search, number: int, plan: PressPlan) -> list[tuple[str, tuple[str, ...]]]:
    """New answers of one prompt, each not tried before, with the moves that made it."""
    rng, mix = simulation_stream(plan.seed, f"press/{search.prompt.id}/{number}"), agent_mix(plan.start)
    wanted = min(plan.population, plan.most - len(search.tried))
    found: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(max(0, wanted)):
        for _ in range(TRIES):
            child, moves = _child(rng, search, mix) if search.best else (_own(rng, search, mix), ())
            if child not in search.known and child.strip() and len(child.split()) <= plan.words:
                search.known.add(child)
                found.append((child, moves))
                break
    return found


def _own(rng: random.Random, search: _Search, mix: AgentMix) -> str:
    return draw_answer(rng, search.prompt.case, mix.draw(rng))


def _child(rng: random.Random, search: _Search, mix: AgentMix) -> tuple[str, tuple[str, ...]]:
    """One of the better answers, changed by one or two moves."""
    # The better of two drawn: enough push towards reward, and the rest stay in play.
    places = sorted(rng.randrange(len(search.best)) for _ in range(2))
    answer = search.best[places[0]].answer
    moves: list[str] = []
    names = [*MOVES, *search.prompt.rules]
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(names)
        rule = search.prompt.rules.get(name)
        if rule is not None:
            answer = rule(rng, answer)
        else:
            beside = rng.choice(search.best).answer if rng.random() < 0.7 else _own(rng, search, mix)
            answer = MOVES[name](rng, search.prompt.case, sentences(answer), sentences(beside))
        moves.append(name)
    return answer, tuple(moves)


def sentences(text: str) -> list[str]:
    """An answer's sentences or lines."""
    return [part for part in _BREAK.split(text.strip()) if part]


# (generator, case, the answer's sentences, another answer's sentences) -> the answer changed
Move = Callable[[random.Random, ReadCase, list[str], list[str]], str]


def _put(rng: random.Random, mine: list[str], new: str) -> str:
    """The answer with a new sentence somewhere."""
    place = rng.randint(0, len(mine))
    return " ".join([*mine[:place], sentence(new), *mine[place:]])


def swap(rng: random.Random, case: ReadCase, mine: list[str], other: list[str]) -> str:
    """One sentence out, one of another answer in its place."""
    if not mine or not other:
        return " ".join(mine or other)
    place = rng.randrange(len(mine))
    return " ".join([*mine[:place], rng.choice(other), *mine[place + 1 :]])


def cross(rng: random.Random, case: ReadCase, mine: list[str], other: list[str]) -> str:
    """The beginning of one answer, the end of another."""
    return " ".join([*mine[: rng.randint(1, max(1, len(mine)))], *other[rng.randint(0, len(other)) :]])


def drop(rng: random.Random, case: ReadCase, mine: list[str], other: list[str]) -> str:
    """One sentence out, if another is left."""
    if len(mine) < 2:
        return " ".join(mine)
    place = rng.randrange(len(mine))
    return " ".join([*mine[:place], *mine[place + 1 :]])


def reorder(rng: random.Random, case: ReadCase, mine: list[str], other: list[str]) -> str:
    return " ".join(rng.sample(mine, len(mine)))


def add_sentence(rng: random.Random, case: ReadCase, mine: list[str], other: list[str]) -> str:
    """One of another answer's sentences more."""
    return _put(rng, mine, rng.choice(other)) if other else " ".join(mine)


def _adding(part: Callable[[random.Random, ReadCase], str]) -> Move:
    return lambda rng, case, mine, other: _put(rng, mine, part(rng, case))


MOVES: Mapping[str, Move] = {
    "swap": swap,
    "cross": cross,
    "drop": drop,
    "reorder": reorder,
    "add_sentence": add_sentence,
    "add_opening": _adding(parts.opening),
    "add_closing": _adding(parts.closing),
    "add_padding": _adding(parts.padding),
    "add_detail": _adding(parts.detail),
    "add_sympathy": _adding(lambda rng, case: parts.consolation(rng, case, right=True)),
    "invent": _adding(parts.invention),
    "evade": _adding(parts.evasion),
}
