"""What applications are about: themes, funders, towns, and what funders want. Words only; knows no prompt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One kind of project.

    ages: of the youngest and the oldest. need, outcome: verb phrases of `people`, now and afterwards.
    """

    organisation: str
    ages: tuple[int, int]
    people: str
    need: str
    helpers: str
    sessions: str
    item: str
    outcome: str


def _theme(line: str) -> Theme:
    organisation, ages, people, need, helpers, sessions, item, outcome = line.split(" | ")
    youngest, oldest = map(int, ages.split())
    return Theme(
        organisation=organisation, ages=(youngest, oldest), people=people, need=need, helpers=helpers,
        sessions=sessions, item=item, outcome=outcome,
    )  # fmt: skip


THEMES = tuple(
    _theme(line)
    for line in (
        "Reading Club | 7 12 | pupils | cannot read a full page | tutors | lessons | books | finish a book alone",
        "Carers Circle | 28 74 | carers | have had no day off this year | "
        "nurses | home visits | travel | take a free day every month",
        "Lunch Club | 66 94 | older residents | see nobody for days | "
        "drivers | lunches | fuel | eat with others each week",
        "Youth Centre | 16 22 | school leavers | have no job or training place | "
        "mentors | workshops | tools | start paid work",
        "Food Project | 21 58 | parents | skip meals near the end of the month | "
        "cooks | cooking classes | kitchen gear | make a cheap meal from fresh food",
        "Swimming Club | 6 13 | children | are afraid of deep water | "
        "coaches | pool hours | pool hire | swim a full length",
        "Language Centre | 18 70 | newcomers | cannot speak with their doctor | "
        "teachers | language classes | course material | make a phone call without help",
        "Music School | 13 19 | teenagers | never held an instrument | "
        "musicians | rehearsals | instruments | play in a public concert",
        "Repair Workshop | 19 83 | tenants | live in damp rooms | builders | repair days | timber | heat a dry home",
        "Growers Union | 20 68 | smallholders | lost crops to drought | "
        "advisers | field days | seed | harvest in a dry year",
        "Computer Club | 22 63 | jobseekers | cannot fill in an online form | "
        "trainers | computer evenings | laptops | send an application by themselves",
        "Veterans House | 25 79 | veterans | wait for help with sleep | "
        "counsellors | group talks | room hire | report better nights",
        "Sports Club | 8 17 | girls | do no sport after school | "
        "trainers | football evenings | kit | stay with a team for a season",
        "Housing Advice Centre | 19 61 | prison leavers | return without a home | "
        "key workers | housing talks | deposits | sign a lease",
        "Parents Network | 17 29 | young parents | know no other parent nearby | "
        "hosts | play mornings | toys | run a group of their own",
        "Hospice Garden | 24 92 | patients | spend their days indoors | "
        "gardeners | garden hours | raised beds | grow vegetables from their chair",
    )
)
# What a funder may want. No phrase tells a theme, so that the right one can be known from the prompt only.
PRIORITIES = (
    "work led by volunteers", "reach into rural areas", "lasting change", "first steps by small groups",
    "shared use of buildings", "open data on results", "fair pay for staff", "support for mental health",
    "access for disabled people", "lower use of energy", "local partnerships", "new forms of teaching",
    "safety at night", "equal chances for women", "careful use of money", "help for single homes",
    "paths into work", "pride in the neighbourhood", "contact between generations", "prevention before cure",
)  # fmt: skip
FUNDERS = tuple(
    f"{name} {kind}"
    for name in ("Alder", "Birch", "Cedar", "Dorrit", "Elmwood", "Fenwick", "Garland", "Hadley", "Ivory", "Juniper",
                 "Kestrel", "Larkin", "Merton", "Norwell", "Osprey", "Penrose", "Quarry", "Rowan", "Selby", "Thornton")
    for kind in ("Fund", "Trust", "Foundation")
)  # fmt: skip
TOWNS = tuple(
    start + end
    for start in ("Ash", "Brom", "Cal", "Dun", "East", "Fair", "Green", "Har", "Kil", "Lang", "Mill", "North", "Oak",
                  "Red", "Stan", "Wood")
    for end in ("bury", "combe", "dale", "field", "ford", "gate", "ham", "leigh", "mouth", "port", "ton", "wick")
)  # fmt: skip
# Words that sound large and say nothing; what an editor strikes first.
JARGON = (
    "actionable", "beacon", "best-in-class", "catalyse", "catalyst", "cutting-edge", "deliverables", "disruptive",
    "ecosystem", "empower", "empowering", "game-changing", "groundbreaking", "holistic", "impactful", "incentivise",
    "innovative", "landscape", "leverage", "leveraging", "mission-critical", "optimise", "paradigm", "proactive",
    "robust", "scalable", "seamless", "stakeholder", "stakeholders", "state-of-the-art", "strategic", "synergies",
    "synergy", "tapestry", "testament", "transformative", "unlock", "unparalleled", "utilise", "utilize", "vibrant",
    "world-class",
)  # fmt: skip
