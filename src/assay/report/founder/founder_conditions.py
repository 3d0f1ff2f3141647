"""The three things that were asked of the new model: what was wanted, what was found, and whether that is shown.

Knows the evidence and plain words; decides as the gate does, by interval bound, and takes its word where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.artifacts.capability_body import WayBody
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.founder.founder_answer import Ability, Outcome, Preference, ability, of_hundred, of_ten
from assay.report.founder.told_run import ToldRun

Word = Literal["yes", "no", "open"]
TONE: dict[Word, str] = {"yes": "pass", "no": "fail", "open": "undecided"}
SAID: dict[Word, str] = {"yes": "yes", "no": "no", "open": "not decided"}
LIKED_WORD: dict[Outcome, Word] = {"as_wanted": "yes", "less_than_wanted": "no", "no_better": "no", "worse": "no"}
MOSTLY = 0.25  # share of comparisons with two bad texts from which on the page says so
ABILITY_WORD: dict[Ability, Word] = {"kept": "yes", "lost": "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing asked for. said: the state in a word or two."""

    question: str
    wanted: str
    found: list[str]
    word: Word
    said: str

    @property
    def tone(self) -> str:
        return TONE[self.word]


def conditions(told: ToldRun, liked: Preference) -> list[Condition]:
    return [liking(told, liked), keeping(told), learning(told)]


def decided(told: ToldRun, rows: list[Condition], liked: Preference) -> tuple[Word, str]:
    """The state of all three together, and it in a sentence."""
    if liked.judges != "people":
        return "open", "This was a trial run: programs judged, not people. It decides nothing."
    if any(row.word == "no" for row in rows):
        return "no", "The new model does not do all that we asked of it."
    if any(row.word == "open" for row in rows):
        return "open", "Not all that we asked of the new model is shown yet, so it has not passed."
    # The gate asks for more than the three: that nothing leaked into the test, that the model loads as it was saved.
    if told.gate is None or told.gate.verdict != "pass":
        return "open", "The three answers are good, but not all checks of the test passed. See the technical report."
    return "yes", "All that we asked of the new model is shown."


def liking(told: ToldRun, liked: Preference) -> Condition:
    word = LIKED_WORD.get(liked.outcome, "open") if liked.judges == "people" else "open"
    said: str = SAID[word]
    if liked.outcome == "not_judged":
        said = "not judged yet"
    elif liked.judges != "people":
        said = "no people yet"
    return Condition(
        question="Do editors prefer it, not knowing which is which?",
        wanted=f"in more than {of_ten(liked.wanted)} of 10 comparisons",
        found=votes(told, liked),
        word=word,
        said=said,
    )


def votes(told: ToldRun, liked: Preference) -> list[str]:
    """How the votes fell, and how far chance may have moved them."""
    if told.analysis is None:
        return ["Nobody has judged yet."]
    lines = []
    counts = told.analysis.tables.counts
    if liked.judges == "people" and counts.ballots:
        neither = counts.tied + (counts.both_bad or 0)
        lines.append(
            f"{words.plural(counts.ballots, 'comparison')} on {words.plural(counts.prompts, 'task')}: the new text won "
            f"{words.count(counts.won)}, the old one {words.count(counts.lost)}, neither {words.count(neither)}."
        )
        if neither:
            lines.append("“Neither” counts as half a win for each.")
    elif liked.rate is not None:
        lines.append(f"Programs gave the new text {of_ten(liked.rate)} of 10. That says nothing about people.")
    bad = both_bad(told, liked)
    if bad is not None and bad > MOSTLY:
        # Half a win for each says nothing of this, and it is what a reader would act on first.
        lines.append(f"In {of_ten(bad)} of 10 comparisons both texts were bad.")
    if liked.bounds is not None:
        low, high = of_ten(max(liked.bounds.low, 0)), of_ten(min(liked.bounds.high, 1))
        lines.append(f"On other tasks of this kind, expect between {low} and {high} of 10.")
    elif liked.reason:
        lines.append(f"We cannot say how sure this is: {plain_reason(liked.reason)}.")
    return lines


def both_bad(told: ToldRun, liked: Preference) -> float | None:
    """Share of the comparisons in which the judges whose word is told called both texts bad; None where unknown."""
    where = OVERALL if liked.judges == "people" else Slice("judges", liked.judges)
    found = told.analysis.findings if told.analysis is not None else ()
    return next((one.known for one in found if (one.name, one.slice) == ("both_bad", where)), None)


def plain_reason(reason: str) -> str:
    """Why a win rate is unknown, in words of this page."""
    known = {"no votes": "nobody voted", "nothing was measured": "nothing was measured"}
    return known.get(reason, "there are too few tasks or votes")


def keeping(told: ToldRun) -> Condition:
    kept = ability(told)
    word = ABILITY_WORD.get(kept, "open")
    margin = 0.02 if told.capability is None else float(str(told.capability.config["margin"]))
    said = {"untested": "not tested", "at_chance": "cannot tell"}.get(kept, SAID[word])
    return Condition(
        question="Can it still do what it could do before?",
        wanted=f"at most {words.number(100 * margin, 1).removesuffix('.0')} of 100 questions lost",
        found=questions(told, kept),
        word=word,
        said=said,
    )


def questions(told: ToldRun, kept: Ability) -> list[str]:
    """What the two models knew, and how many questions would decide what is open."""
    if told.capability is None or kept == "untested":
        return ["Nobody has tested this yet."]
    way = next((one for one in told.capability.ways if one.rests), None)
    if way is None or way.before is None or way.after is None:
        return ["No question could be asked of both models."]
    lines = [
        f"Of {words.plural(way.n, 'question')} it got {of_hundred(way.after)} of 100 right. The old model got "
        f"{of_hundred(way.before)}."
    ]
    if kept == "at_chance":
        lines.append("The old model does no better here than guessing. So a loss could not be seen.")
    elif way.bounds is not None:
        lines.append(loss(way, kept))
    more = way.if_nothing_lost or way.questions_needed
    if kept == "undecided" and more:
        lines.append(f"About {words.rounded(more)} questions would decide, if nothing was lost.")
    return lines


def loss(way: WayBody, kept: Ability) -> str:
    """How much may be, or is, gone."""
    assert way.bounds is not None
    most, least = (words.number(max(100 * end, 0), 1).removesuffix(".0") for end in (way.bounds.high, way.bounds.low))
    if kept == "lost":
        return f"It lost at least {least} of 100."
    return f"It may have lost up to {most} of 100, not more." if way.bounds.high > 0 else "It lost nothing."


def learning(told: ToldRun) -> Condition:
    found, wanted = told.accuracy, told.wanted_accuracy
    question = "Did it learn what editors chose before?"
    asked = f"right in more than {of_hundred(wanted)} of 100 past choices"
    if found is None or found.known is None:
        return Condition(
            question=question, wanted=asked, found=["We could not measure this."], word="open", said="not decided"
        )
    lines = [
        f"On {words.plural(found.n, 'choice')} that it never saw, it agrees with the editors in "
        f"{of_hundred(found.known)} of 100. Guessing gives 50."
    ]
    word: Word = "open"
    if found.bounds is not None:
        word = "yes" if found.bounds.low > wanted else "no" if found.bounds.high <= wanted else "open"
        low, high = of_hundred(found.bounds.low), of_hundred(found.bounds.high)
        lines.append(f"On other such choices, expect between {low} and {high}.")
    return Condition(question=question, wanted=asked, found=lines, word=word, said=SAID[word])
