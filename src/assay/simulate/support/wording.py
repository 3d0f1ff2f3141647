"""Sentences for the cases about facts: how customers open, what they wish, how agents pad, console and blame."""

from __future__ import annotations

import random

ABOUT = (
    "I have a question about my {item}", "this is about the {item} I bought", "I'm writing about my {item} order",
    "it's about the {item}", "I recently ordered the {item} from you", "I got the {item} from your shop",
    "I'm sorting out my paperwork for the {item}", "my partner is asking about the {item}",
    "one thing about my {item} order", "I can't find the email about the {item}",
    "I lost the receipt for the {item}", "the app won't show me anything about the {item}",
)  # fmt: skip

EVASIONS = (
    "All of that is in the email we sent you", "You can find this in the app", "We are looking into it",
    "It depends on a few things", "Our team will come back to you on that", "Please have a look at our help pages",
)  # fmt: skip

ALSO = ("Also, {said}.", "By the way, {said}.", "I can also see that {said}.", "Just so you know, {said}.",
        "One more thing: {said}.", "While I am here: {said}.")  # fmt: skip

WISHES = {
    "short": (
        "please keep it short", "one line is enough", "I'm on my phone, so keep it brief", "just the answer, please",
        "I'm in a hurry", "no long email please", "a quick answer is fine", "short answer please, I'm at work",
        "I only have a minute", "please don't send me a wall of text",
    ),
    "full": (
        "please give me all the details you have", "I'd like the full picture", "please be thorough",
        "tell me everything that is on file", "I'm filing this, so the more detail the better",
        "please don't leave anything out", "I'd rather have a long answer than another email",
        "please include whatever else I should know", "I need the details for my records",
        "my accountant wants every detail",
    ),
}  # fmt: skip

PADDING = (
    "Your satisfaction means a great deal to all of us here at the support desk",
    "We know that you have many choices, and we are glad that you chose us",
    "I fully understand that you would like to know this, and I will do my best to help",
    "As you may know, we handle a large number of questions every day",
    "Questions like yours help us to make our service a little better each time",
    "Before I answer, let me thank you for being part of our community of customers",
    "I have gone through your account step by step to be sure that I give you the right answer",
    "It is always worth keeping your contact details up to date in the app",
    "I hope that you are enjoying the {item} and that it serves you well for years",
    "As always, our whole team stands ready to support you in any way we can",
    "There are several ways to find this information, and contacting us is one of them",
    "In case you did not know, we also have a newsletter with tips and offers",
    "I can imagine that this has been on your mind for a while",
    "To answer your question as clearly as possible, I have summed it up for you",
    "We take every message seriously, no matter how big or small the matter is",
    "Feel free to share your experience with friends and family as well",
    "I wanted to take a moment to go over this with you carefully",
    "As a team we are always working to improve how we share such information",
)

MANNERED = {
    "cold": (
        "This is stated in your order details", "Please read the confirmation before you write to us",
        "We cannot comment on the rest", "The matter is noted", "There is nothing to add to that",
        "That is all I can say", "Kindly use the app for such requests", "Your remark has been recorded",
    ),
    "blaming": (
        "You should have looked in the app first", "This would not come up if you had read the terms",
        "Frankly, this is not our problem", "You must have overlooked our email",
        "Most customers manage this on their own", "Next time, check before you complain",
    ),
    "breezy": (
        "No worries at all, these things happen!", "Easy peasy!", "Ha, good one!", "All good, let's roll!",
        "Super, let's get this sorted in a flash!", "Yay, happy to hear from you!", "You bet!",
        "Woohoo, here we go!", "That made me smile!", "Awesome, one second!",
    ),
}  # fmt: skip

# What happened to the order: as the customer says it, and as an agent who has read it says it.
MISHAPS = (
    ("arrived smashed", "arrived smashed"), ("came with half the parts missing", "came with parts missing"),
    ("was left out in the rain", "was left out in the rain"), ("never turned up", "never turned up"),
    ("was sent to the wrong house", "went to the wrong house"), ("broke when I first used it", "broke at first use"),
    ("turned out to be a used one", "turned out to be a used one"), ("was charged twice", "was charged twice"),
    ("showed up three weeks late", "came three weeks late"), ("arrived with a big scratch", "arrived scratched"),
)  # fmt: skip
OCCASIONS = (
    ("right before my daughter's birthday", "right before the birthday"), ("on moving day", "on moving day"),
    ("the night before my trip", "the night before your trip"), ("in the middle of exam week", "during your exams"),
    ("just as the guests came in", "just as your guests came"), ("on our anniversary", "on your anniversary"),
    ("on the day I came home from hospital", "on the day you came home"), ("during the holidays", "over the holidays"),
    ("on my first day at a new job", "on your first day at work"),
    ("right when the baby was due", "right when the baby was due"),
)  # fmt: skip
COMPLAINTS = (
    "the {item} {what} {when}, and I am really fed up", "I'm so angry: the {item} {what} {when}",
    "honestly this is awful, the {item} {what} {when}", "the {item} {what} {when} and nobody seems to care",
    "I could cry, the {item} {what} {when}", "third time I write: the {item} {what} {when}",
)  # fmt: skip
APOLOGIES = (
    "I am so sorry that the {item} {what} {when}", "I can see why you are upset: the {item} {what} {when}",
    "I'm sorry, the {item} {what} {when}, and that should not have happened",
    "That must have been hard: the {item} {what} {when}",
)  # fmt: skip
RELATIVES = ("father", "mother", "husband", "wife", "brother", "sister", "grandmother", "grandfather", "uncle", "aunt")
LOSSES = (
    "my {who} passed away last month and I am sorting out the account",
    "my {who} died recently, the {item} was a gift",
    "I lost my {who} two weeks ago and have to go through all these orders",
    "since my {who} passed, I handle the bills",
    "the {item} belonged to my late {who}", "I'm writing for my {who}, who died in spring",
)  # fmt: skip
CONDOLENCES = (
    "I am very sorry about your {who}", "Please accept my condolences on the loss of your {who}",
    "I'm so sorry for your loss. Your {who}'s account is in good hands with us",
    "My thoughts are with you after the loss of your {who}",
)  # fmt: skip
SYMPATHY = ("I am sorry for the trouble", "I apologise for any upset this caused you",
            "I understand how stressful this must be for you")  # fmt: skip
DELIGHTS = (
    "I love the {item}, best thing I bought all year!", "just wanted to say the {item} is brilliant!",
    "the {item} is so good that my whole family wants one!", "haha, the {item} made my week!",
    "what a great {item}, you made my day!", "I can't stop telling people about the {item}!",
)  # fmt: skip
FORMALITIES = (
    "I write on behalf of our office regarding the {item}", "with reference to the {item}, I request the following",
    "our accounts department requires a statement on the {item}",
    "please treat this as a formal request about the {item}",
    "for our audit we need confirmation regarding the {item}", "I represent the buyer of the {item}",
)  # fmt: skip


def event(rng: random.Random, mood: str, item: str) -> tuple[str, str, str]:
    """What the customer tells, an answer's warm words about it, and warm words about something else."""
    what, other_what = rng.sample(MISHAPS, 2)
    when, other_when = rng.sample(OCCASIONS, 2)
    who, other_who = rng.sample(RELATIVES, 2)

    def consoled(relative: str) -> str:
        return rng.choice(CONDOLENCES).format(who=relative)

    def apologised(mishap: str, occasion: str) -> str:
        return rng.choice(APOLOGIES).format(item=item, what=mishap, when=occasion)

    wrong_apology = apologised(*rng.choice(((other_what[1], other_when[1]), (other_what[1], when[1]))))
    if mood == "upset":
        told = rng.choice(COMPLAINTS).format(item=item, what=what[0], when=when[0])
        return told, apologised(what[1], when[1]), rng.choice((wrong_apology, wrong_apology, consoled(who)))
    if mood == "grieving":
        told = rng.choice(LOSSES).format(who=who, item=item)
        return told, consoled(who), rng.choice((consoled(other_who), consoled(other_who), wrong_apology))
    told = rng.choice(DELIGHTS if mood == "cheerful" else FORMALITIES).format(item=item)
    return told, rng.choice(SYMPATHY), rng.choice((wrong_apology, consoled(who)))
