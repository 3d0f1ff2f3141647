"""Cases of help with a faulty device: the procedure is in the policy, for several problems and one customer."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.random_values import weighted
from assay.simulate.support.case import Case, CaseFile, Person, compose, message
from assay.simulate.support.facts import DEVICES, KITCHEN, SMART, Fact, draw_facts
from assay.simulate.support.told_facts import tell
from assay.simulate.support.utility import Answer, Quality

# A problem as the policy heads it, and as customers tell it.
PROBLEMS = {
    "Won't start": ("it won't turn on", "it is dead, nothing happens when I press the button"),
    "Runs hot": ("it gets really hot", "it is too hot to touch after ten minutes"),
    "Loud noise": ("it makes a terrible noise", "it has become very loud", "it rattles and grinds"),
    "Red light": ("a red light keeps blinking on it", "the red light is on all the time"),
    "Odd smell": ("it smells of burnt plastic", "there is a strange smell when it is on"),
    "Error E4": ("it shows error E4", "it says E4 and stops"),
    "Error E7": ("it shows error E7", "E7 is blinking on it"),
    "Stops early": ("it switches itself off after a minute", "it stops in the middle of things"),
    "Stuck button": ("the main button is stuck", "I can't press the button any more"),
    "Slow start": ("it takes ages to start", "I wait minutes before it does anything"),
}
SMART_PROBLEMS = {
    "Won't charge": ("it won't charge any more", "the battery stays empty whatever I do", "it stopped charging"),
    "No sound": ("there is no sound from it", "it has gone completely silent", "I can't hear a thing from it"),
    "Screen flickers": ("the display keeps flickering", "the screen flickers all the time"),
    "Won't pair": ("it won't pair with my phone", "my phone can't find it", "I can't connect it to my phone"),
    "App crashes": ("the app closes whenever I open it", "the app keeps crashing"),
    "Loses wifi": ("it keeps dropping the wifi", "it goes offline every evening", "it loses the wifi all the time"),
    "Wrong time": ("the clock on it is always wrong", "it shows the wrong time again and again"),
}
KITCHEN_PROBLEMS = {
    "Leaks": ("it leaves a puddle under it", "water drips out of it", "it leaks from the bottom"),
    "Lid stuck": ("the lid is stuck", "I can't get the lid open"),
    "Stains": ("there are brown stains inside it", "the inside has gone brown"),
}
# Steps as imperatives; {n} is drawn for each case from the numbers beside.
STEPS = (
    ("hold the power button for {n} seconds", (5, 10, 15, 20, 30)),
    ("leave it unplugged for {n} minutes", (2, 5, 10, 30)), ("move it {n} feet from the wall", (2, 3, 4, 6)),
    ("let it cool for {n} minutes", (15, 20, 40, 60)), ("press reset {n} times", (2, 3, 4, 5)),
    ("run it on low for {n} minutes", (2, 3, 4, 5)), ("press the side button {n} times", (2, 3, 4, 6)),
    ("replace the fuse", ()), ("press the reset pin", ()), ("tighten the four screws", ()),
    ("turn the dial to zero", ()), ("plug it straight into the wall", ()), ("wipe the sensor", ()),
    ("use another socket", ()), ("brush out the vents", ()), ("put it on a flat surface", ()),
    ("clean the plug with a dry cloth", ()), ("open the back and remove the dust", ()), ("change the filter", ()),
)  # fmt: skip
SMART_STEPS = (
    ("charge it for {n} hours", (2, 4, 8, 12)), ("update the app", ()), ("remove the pairing and add it again", ()),
    ("turn off power saving", ()), ("take out the memory card", ()), ("set the region again", ()),
    ("use another cable", ()), ("swap the batteries", ()), ("log out and in again", ()),
    ("turn the volume down by {n} steps", (2, 3, 4, 5)),
)  # fmt: skip
KITCHEN_STEPS = (
    ("run it empty for {n} minutes", (2, 3, 4, 5)), ("rinse the filter", ()), ("check that the lid clicks shut", ()),
    ("descale it", ()), ("soak the lid for {n} minutes", (5, 10, 20, 30)), ("wipe the seal", ()),
    ("turn the base to the left", ()),
)  # fmt: skip
REMEDIES = {
    "free swap": ("you get a free swap", "we offer you a free swap"),
    "repair": ("we will book a repair", "it can go in for repair"),
    "refund": ("we will give you a refund", "you get a refund"),
    "technician visit": ("we will book a technician visit", "a technician visit comes next"),
    "store credit": ("we will give you store credit", "you get the price back as store credit"),
}
VAGUE = (
    "Have you tried turning it off and on again?", "Please check the manual that came with it.",
    "Often a small thing is the cause, so try a few settings.", "The maker of the device usually knows what to do.",
    "This can have many causes, and it is hard to say from here.", "It may help to wait a little and try again.",
    "Could you tell us which device this is about?", "Please call the phone line for this.",
)  # fmt: skip
FIRST_THEN = ("please {a}, then {b}", "{a} first, and after that {b}", "try this: {a}, then {b}", "{a}, and then {b}",
              "two things should fix it: {a}, then {b}")  # fmt: skip
ONE = ("please {a}", "please {a} and see if that helps", "try this: {a}", "you can {a}", "it should work if you {a}")
IF_NOT = ("If that does not help, {r}", "Should that fail, {r}", "If it still happens after that, {r}",
          "And if nothing changes, {r}")  # fmt: skip
PLEAS = ("what can I do?", "please help.", "how do I fix this?", "any idea?", "what should I try?", "can you help?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step with its number filled in."""

    form: str
    numbers: tuple[int, ...]
    number: int | None

    @property
    def text(self) -> str:
        return self.form.format(n=self.number)

    def misread(self, rng: random.Random) -> str:
        return self.form.format(n=rng.choice([n for n in self.numbers if n != self.number]))


Forms = tuple[tuple[str, tuple[int, ...]], ...]


def _for_device(item: str) -> tuple[dict[str, tuple[str, ...]], Forms]:
    """The problems a device can have, and the steps that can be taken with it."""
    if item in SMART:
        return PROBLEMS | SMART_PROBLEMS, STEPS + SMART_STEPS
    if item in KITCHEN:
        return PROBLEMS | KITCHEN_PROBLEMS, STEPS + KITCHEN_STEPS
    return PROBLEMS, STEPS


def helpfulness(rng: random.Random, candidates: int) -> Case:
    """A problem, two or three procedures on file, one that fits; answers give it in full, in part, or another's."""
    file = CaseFile(rng=rng, person=Person.draw(rng, DEVICES))
    file.hold(draw_facts(rng, account=2, policy=0))
    known, pool = _for_device(file.person.item)
    problems = rng.sample(tuple(known), rng.choice((2, 2, 2, 3)))
    forms = rng.sample(pool, 2 * len(problems) + 2)
    *steps, one, two = (Step(form=f, numbers=n, number=rng.choice(n) if n else None) for f, n in forms)
    for place, problem in enumerate(problems):
        file.policy.append(f"{problem}: {steps[2 * place].text}, then {steps[2 * place + 1].text}")
    remedy = rng.choice(tuple(REMEDIES))
    file.policy.append(f"If that fails: {remedy}")
    asked = rng.choice(file.facts) if rng.random() < 0.35 else None
    also = f"also, {rng.choice(asked.kind.asks)}?" if asked else ""
    told = f"my {file.person.item} has a problem, {rng.choice(known[problems[0]])}"
    if rng.random() < 0.5:
        told = f"{rng.choice(known[problems[0]])}, I mean the {file.person.item}"
    prompt = file.prompt(message(rng, told, rng.choice(PLEAS), also))
    answers = tuple(
        _advice(rng, file, steps=steps, spare=(one, two), remedy=remedy, asked=asked) for _ in range(candidates)
    )
    return Case(category="helpfulness", prompt=prompt, answers=answers)


def _advice(
    rng: random.Random, file: CaseFile, *, steps: list[Step], spare: tuple[Step, Step], remedy: str, asked: Fact | None
) -> Answer:
    """Steps that are right, partly right or wrong (another problem's, or nowhere in the policy), then the rest."""
    plan = weighted(
        rng, {"both": 0.34, "one": 0.14, "other": 0.12, "foreign": 0.2, "misread": 0.1, "mixed": 0.05, "vague": 0.05}
    )
    numbered = [i for i in (0, 1) if steps[i].numbers]
    if plan == "misread" and not numbered:
        plan = "other"
    chosen = [steps[0].text, steps[1].text]
    right, wrong = 2, 0
    if plan == "other":
        chosen, right, wrong = [steps[2].text, steps[3].text], 0, 2
    elif plan == "foreign":
        chosen, right, wrong = [step.text for step in spare], 0, 2
    elif plan == "misread":
        place = rng.choice(numbered)
        chosen[place], right, wrong = steps[place].misread(rng), 1, 1
    elif plan == "mixed":
        chosen[rng.choice((0, 1))], right, wrong = rng.choice(steps[2:]).text, 1, 1
    elif plan == "one":
        chosen, right = [rng.choice(chosen)], 1
    body = [rng.choice(FIRST_THEN if len(chosen) == 2 else ONE).format(a=chosen[0], b=chosen[-1])]
    if plan == "vague":
        body, right = [rng.choice(VAGUE)], 0
    follow = weighted(rng, {"none": 0.4, "right": 0.35, "wrong": 0.25})
    if follow != "none":
        promise = remedy if follow == "right" else rng.choice([r for r in REMEDIES if r != remedy])
        body.append(rng.choice(IF_NOT).format(r=rng.choice(REMEDIES[promise])))
    facts_right, facts_wrong, missing = int(follow == "right"), int(follow == "wrong"), 0
    if asked is not None:
        how = weighted(rng, {"right": 0.6, "wrong": 0.2, "missing": 0.2})
        told = tell(rng, asked, present=file.facts, how=how)
        body += told.clauses
        facts_right, facts_wrong, missing = facts_right + told.right, facts_wrong + told.wrong, told.missing
    text, courtesies = compose(rng, file.person, body, polite=0.35)
    quality = Quality(
        steps_right=right,
        steps_wrong=wrong,
        facts_right=facts_right,
        facts_wrong=facts_wrong,
        facts_missing=missing,
        words_over=max(0, len(text.split()) - 45),
    )
    return Answer(text=text, quality=quality, courtesies=courtesies)
