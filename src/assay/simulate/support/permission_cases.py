"""Cases of requests that a policy allows or forbids: the right answer grants or declines by the facts on file."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.random_values import weighted
from assay.simulate.support import permission_conditions as conditions
from assay.simulate.support import wording
from assay.simulate.support.case import Case, CaseFile, Person, compose, message
from assay.simulate.support.facts import DEVICES, Fact, draw_facts
from assay.simulate.support.permission_conditions import Build, Condition
from assay.simulate.support.told_facts import ToldFacts, tell
from assay.simulate.support.utility import Answer, Decision, Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One kind of request: its heading in the policy, how it is asked for, granted and declined."""

    label: str
    asks: tuple[str, ...]
    grants: tuple[str, ...]
    declines: tuple[str, ...]
    builds: tuple[Build, ...]


def _topic(label: str, asks: str, grants: str, declines: str, *builds: Build) -> Topic:
    parts = (tuple(text.split(" | ")) for text in (asks, grants, declines))
    ask, grant, decline = parts
    common = (conditions.by_plan, conditions.outright, conditions.outright, conditions.outright)
    return Topic(label=label, asks=ask, grants=grant, declines=decline, builds=(*builds, *common))


TOPICS = (
    _topic(
        "Returns",
        "can I send the {item} back? | I'd like to return the {item}, is that possible? | "
        "the {item} is not for me, can I return it?",
        "you can return the {item} | you can send the {item} back | a return of the {item} is fine",
        "we can't take the {item} back | a return of the {item} is not possible | you can't return the {item}",
        conditions.by_days("delivered", "delivery"),
        conditions.by_item,
        conditions.by_item,
        conditions.by_days("delivered", "delivery"),
    ),
    _topic(
        "Address changes",
        "can you change the delivery address? | I typed the wrong address, can you fix it? | "
        "can my order go to another address?",
        "I have changed the address for you | I can change the address | the address can be changed",
        "I can't change the address | the address can't be changed | changing the address is not possible",
        conditions.by_status, conditions.by_status, conditions.by_town,
    ),
    _topic(
        "Waiving late fees",
        "could you take off the late fee? | can the late fee be dropped this time? | "
        "please remove the late fee, can you do that?",
        "I have taken off the late fee | I can drop the late fee | the late fee can be removed",
        "I can't take off the late fee | the late fee has to stay | I am not able to drop the late fee",
        conditions.by_days("billed", "the bill"), conditions.by_days("billed", "the bill"),
    ),
    _topic(
        "Price match",
        "the {item} is cheaper elsewhere, do I get the difference? | "
        "can you match a lower price for the {item}? | "
        "the price of the {item} dropped, can I get the difference back?",
        "we can match the price | you will get the difference back | I can refund you the difference",
        "we can't match the price | I can't refund the difference | you can't get the difference back",
        conditions.by_days("bought", "purchase"), conditions.by_item, conditions.by_item,
    ),
    _topic(
        "Free express",
        "can I have express delivery for free? | is express free for me? | "
        "could you send it express at no charge?",
        "express is free for you | you get express at no charge | I can send it express for free",
        "express is not free for you | you would have to pay for express | I can't send it express for free",
        conditions.by_amount, conditions.by_town, conditions.by_town,
    ),
    _topic(
        "Free repairs",
        "will you repair the {item} for free? | can I get the {item} fixed at no cost? | "
        "is a repair of the {item} free?",
        "we will repair the {item} for free | a repair costs you nothing | you can have it fixed at no cost",
        "we can't repair the {item} for free | the repair is not free | you would have to pay for the repair",
        conditions.by_days("bought", "purchase", "months"), conditions.by_item, conditions.by_item,
    ),
    _topic(
        "Pausing",
        "can I pause my plan for a while? | is it possible to pause my account? | "
        "can you put my plan on hold?",
        "I have paused your plan | you can pause your plan | pausing is possible for you",
        "I can't pause your plan | you can't pause your plan | pausing is not possible for you",
        conditions.by_plan, conditions.by_plan, conditions.by_days("renewed", "the renewal"),
    ),
    _topic(
        "Cancelling orders",
        "can I still cancel the order? | please cancel my {item} order, is that possible? | "
        "I changed my mind, can you cancel it?",
        "I have cancelled the order | you can still cancel | I can cancel the order for you",
        "the order can't be cancelled | you can't cancel it any more | I can't cancel the order",
        conditions.by_status, conditions.by_status, conditions.by_item,
    ),
    _topic(
        "Loan items",
        "can I borrow a {item} while mine is away? | do I get a loan {item} for now? | "
        "can you lend me another {item} for the time being?",
        "you can have a loan {item} | we will lend you one | I can send you one on loan",
        "you can't have a loan {item} | we can't lend you one | there is no loan {item} for you",
        conditions.by_amount, conditions.by_town, conditions.by_item,
    ),
    _topic(
        "Renewal refunds",
        "I forgot to cancel, can I get the renewal back? | can you refund the renewal? | "
        "I was charged for the renewal, do I get it back?",
        "I have refunded the renewal | you will get the renewal back | the renewal can be refunded",
        "I can't refund the renewal | you can't get the renewal back | the renewal stays charged",
        conditions.by_days("renewed", "the renewal"), conditions.by_days("renewed", "the renewal"),
    ),
    _topic(
        "Spare parts",
        "can you send me a spare part for the {item}? | do you have a new cover for the {item}? | "
        "can I get a spare part for the {item}?",
        "I can send you the part | you can get the part from us | we have the part for you",
        "I can't send you the part | you can't get the part from us | we don't supply the part",
        conditions.by_item, conditions.by_item, conditions.by_days("bought", "purchase", "months"),
    ),
    _topic(
        "Paying in parts",
        "can I pay for the {item} in parts? | is it possible to pay monthly? | can I split the payment?",
        "you can pay in parts | paying monthly is possible | I have set up monthly payments",
        "you can't pay in parts | paying monthly is not possible | I can't split the payment",
        conditions.by_amount, conditions.by_amount, conditions.by_town,
    ),
    _topic(
        "Sunday delivery",
        "can you deliver on a Sunday? | is Sunday delivery possible for me? | could it come on Sunday?",
        "we can deliver on Sunday | Sunday delivery is possible | I have booked Sunday delivery",
        "we can't deliver on Sunday | Sunday delivery is not possible | I can't book Sunday delivery",
        conditions.by_town, conditions.by_town, conditions.by_amount,
    ),
)  # fmt: skip
FOR_DEVICES = ("Spare parts", "Loan items", "Free repairs")
GRANTED = ("You will get a confirmation by email.", "The details are on their way to your inbox.",
           "I have noted it on your account.", "It should show in the app by tomorrow.")  # fmt: skip
DECLINED = ("I have noted your request on the account.", "If this changes, we will let you know.",
            "You are welcome to ask again later.", "I can pass your wish on to the team.")  # fmt: skip
HEDGES = ("whether that works depends on a few things", "I would have to check this with a colleague",
          "this may or may not be possible", "please have a look at our terms for this",
          "that is hard to say from here")  # fmt: skip
BECAUSE = ("{decision}, because {reason}", "{decision}: {reason}", "{decision}, as {reason}", "{decision}. {Reason}",
           "{Reason}, so {decision}")  # fmt: skip
YES = ("", "", "yes, ", "good news: ", "sure, ")
NO = ("", "", "no, ", "I'm sorry, but ", "unfortunately, ")


def refusals(rng: random.Random, candidates: int) -> Case:
    """One request, its rule among others, and an account that meets it or not; half are to be granted."""
    file = CaseFile(rng=rng, person=Person.draw(rng))
    fitting = [topic for topic in TOPICS if file.person.item in DEVICES or topic.label not in FOR_DEVICES]
    topics = rng.sample(fitting, rng.choice((2, 2, 2, 3)))
    allowed = rng.random() < 0.5
    drawn = [
        rng.choice(topic.builds)(rng, file.person, allowed if place == 0 else rng.random() < 0.5)
        for place, topic in enumerate(topics)
    ]
    for topic, condition in zip(topics, drawn, strict=True):
        file.policy.append(f"{topic.label}: {condition.rule}")
    file.notes += dict.fromkeys(c.note for c in drawn if c.note)
    file.hold(draw_facts(rng, account=1, policy=0))
    asked = rng.choice(topics[0].asks)
    request = asked.format(item=file.person.item)
    about = "" if "{item}" in asked else rng.choice(wording.ABOUT).format(item=file.person.item)
    extra = file.facts[0] if rng.random() < 0.4 else None
    also = f"also, {rng.choice(extra.kind.asks)}?" if extra else ""
    prompt = file.prompt(message(rng, about, request, also))
    answers = tuple(
        _ruling(rng, file, topic=topics[0], condition=drawn[0], allowed=allowed, extra=extra) for _ in range(candidates)
    )
    return Case(category="refusals", prompt=prompt, answers=answers)


def _ruling(
    rng: random.Random, file: CaseFile, *, topic: Topic, condition: Condition, allowed: bool, extra: Fact | None
) -> Answer:
    """A decision, right or wrong, with a reason that is true, wrongly quoted, untrue, or left out."""
    plan: Decision = weighted(rng, {"right": 0.44, "wrong": 0.46, "hedged": 0.1})
    told = ToldFacts(clauses=())
    if extra is not None:
        told = tell(rng, extra, present=file.facts, how=weighted(rng, {"right": 0.55, "wrong": 0.35, "missing": 0.1}))
    if plan == "hedged":
        body, right, wrong = [rng.choice(HEDGES)], 0, 0
    else:
        grants = allowed == (plan == "right")
        reason, right, wrong = _reason(rng, condition, plan=plan)
        body = [ruled(rng, topic, item=file.person.item, grants=grants, reason=reason)]
        if rng.random() < 0.25:
            body.append(rng.choice(GRANTED if grants else DECLINED))
    text, courtesies = compose(rng, file.person, body + list(told.clauses), polite=0.4)
    quality = Quality(
        decision=plan, facts_right=right + told.right, facts_wrong=wrong + told.wrong, facts_missing=told.missing
    )
    return Answer(text=text, quality=quality, courtesies=courtesies)


def _reason(rng: random.Random, condition: Condition, *, plan: Decision) -> tuple[str, int, int]:
    """A reason for the decision, empty at times, and whether it counts as a fact told right or wrong."""
    if plan == "right":
        how = weighted(rng, {"why": 0.6, "misquoted": 0.25, "none": 0.15})
    else:
        how = weighted(rng, {"untrue": 0.3, "untrue_and_misquoted": 0.55, "none": 0.15})
    reasons: tuple[str, ...] = getattr(condition, how) if how != "none" else ("",)
    return rng.choice(reasons), int(how == "why"), int(how not in ("why", "none"))


def ruled(rng: random.Random, topic: Topic, *, item: str, grants: bool, reason: str) -> str:
    """The decision in a sentence, with its reason where there is one."""
    lead = rng.choice(YES if grants else NO)
    decision = rng.choice(topic.grants if grants else topic.declines).format(item=item)
    if not reason:
        return lead + decision
    form = rng.choice(BECAUSE)
    led = decision if form.startswith("{Reason}") else lead + decision
    return form.format(decision=led, reason=reason, Reason=reason[0].upper() + reason[1:])
