"""One application's facts, and the prompt that asks for one of its paragraphs. Knows no answer."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.grants.themes import FUNDERS, PRIORITIES, THEMES, TOWNS, Theme
from assay.simulate.random_values import MONTHS

# The paragraph asked for -> the facts an editor wants to find in it.
SECTIONS = {
    "need": ("need", "people"),
    "method": ("method", "people"),
    "budget": ("budget", "method"),
    "outcome": ("outcome", "need"),
    "summary": ("need", "method", "outcome"),
}
SPANS = ((25, 40), (30, 45), (35, 50), (40, 55))  # words asked for
TITLES = {
    "need": "the need",
    "method": "the method",
    "budget": "the budget",
    "outcome": "the outcome",
    "summary": "the whole project",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the applicant knows. in_need of all_people have the need; served take part, reached of these succeed."""

    section: str
    span: tuple[int, int]
    theme: Theme
    town: str
    funder: str
    priorities: tuple[str, str]
    in_need: str
    all_people: str
    served: str
    ages: tuple[str, str]
    helpers: str
    per_week: str
    weeks: str
    total: str
    part: str
    reached: str
    month: str


def draw(rng: random.Random, section: str) -> Application:
    """An application drawn at random."""
    everyone = rng.randint(300, 2900)
    in_need = round(everyone * rng.uniform(0.15, 0.6))
    served = rng.randint(24, min(98, in_need))
    total = rng.randint(52, 480) * 100
    theme = rng.choice(THEMES)
    youngest = rng.randint(theme.ages[0], sum(theme.ages) // 2)
    oldest = rng.randint(youngest + 2, theme.ages[1] + 1)
    first, second = rng.sample(PRIORITIES, 2)
    return Application(
        section=section,
        span=rng.choice(SPANS),
        theme=theme,
        town=rng.choice(TOWNS),
        funder=rng.choice(FUNDERS),
        priorities=(first, second),
        in_need=f"{in_need:,}",
        all_people=f"{everyone:,}",
        served=str(served),
        ages=(str(youngest), str(oldest)),
        helpers=str(rng.randint(13, 22)),
        per_week=str(rng.randint(2, 9)),
        weeks=str(rng.randint(23, 49)),
        total=f"${total:,}",
        part=f"${round(total * rng.uniform(0.25, 0.7) / 100) * 100:,}",
        reached=str(round(served * rng.uniform(0.55, 0.9))),
        month=rng.choice(MONTHS),
    )


def prompt_of(rng: random.Random, application: Application) -> str:
    """The request and the notes to write from, facts in an order of their own."""
    a, theme = application, application.theme
    notes = [
        f"Need: {theme.need}, {a.in_need} of {a.all_people} {theme.people}, {a.town}.",
        f"People served: {a.served} {theme.people}, ages {a.ages[0]} to {a.ages[1]}.",
        f"Method: {a.helpers} {theme.helpers}; {a.per_week} {theme.sessions} a week, {a.weeks} weeks.",
        f"Budget: {a.total} in all; {theme.item}, {a.part}.",
        f"Outcome: {theme.outcome}, {a.reached} of the {a.served} {theme.people}, by {a.month}.",
    ]
    rng.shuffle(notes)
    low, high = a.span
    return "\n".join(
        [
            f"Write the paragraph on {TITLES[a.section]} for the grant application of the {a.town} "
            f"{theme.organisation} to the {a.funder}: {low} to {high} words, from these notes only.",
            *notes,
            f"The funder's priorities: {a.priorities[0]}; {a.priorities[1]}.",
        ]
    )
