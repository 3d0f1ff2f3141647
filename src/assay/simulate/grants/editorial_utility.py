"""What a paragraph is worth to an editor, measured on its words alone: any prompt, any text, no crash.

The truth about preferences in this world stands here and nowhere else; editors see it through taste and noise.
It is a rule and no reader: it knows English notes of one form, and praises nothing it cannot check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.simulate.grants.plain_reading import (
    Reading,
    Sentence,
    contains,
    copied_share,
    lowered,
    read,
    repeated_share,
)
from assay.simulate.grants.read_brief import Brief, own_share, phrase, ratios, read_brief, units
from assay.simulate.grants.themes import JARGON, PRIORITIES

# The whole truth about preferences here: utility is the sum of weight x measure. Written into every truth file.
WEIGHTS: Mapping[str, float] = {
    "facts_wanted": 1.4,  # each fact the paragraph is about, told once with its numbers in a sentence of prose
    "facts_beside": -0.2,  # each other fact of the notes told so: true, and beside the point
    "relevance": 1.5,  # share of the prompt's words that return, where the prompt has no notes
    "numbers_wrong": -1.3,  # each number the notes do not hold, or hold of something else; four at most
    "names_wrong": -0.8,  # each name the prompt does not hold; three at most
    "ask_full": 1.2,  # asks the funder for the sum of the budget
    "ask_vague": 0.4,  # asks, without a sum
    "ask_wrong": -0.8,  # asks for another sum
    "priority": 0.9,  # names the funder's first priority, or the second
    "priority_foreign": -0.9,  # each priority named that is another funder's; three at most
    "jargon": -0.6,  # each word of JARGON; four at most
    "filler": -0.35,  # each sentence beyond one that tells no fact, asks nothing and names no priority; six at most
    "words_per_sentence": -0.05,  # each word beyond 28 in the mean sentence; 30 at most
    "words_outside": -0.09,  # each word short of the span or beyond it; 70 at most
    "copied": -8.0,  # share of words copied from the prompt in runs of six, beyond 0.3
    "repeated": -8.0,  # share of runs of three words that stood there before, beyond 0.08
    "not_prose": -5.0,  # share of words outside sentences of prose
    "empty": -9.0,  # no word at all
}
# The seven qualities an editor may like more or less than others -> the measures each is made of.
QUALITIES: Mapping[str, tuple[str, ...]] = {
    "specific": ("facts_wanted", "facts_beside", "relevance"),
    "supported": ("numbers_wrong", "names_wrong"),
    "ask": ("ask_full", "ask_vague", "ask_wrong"),
    "fit": ("priority", "priority_foreign"),
    "plain": ("jargon", "filler", "words_per_sentence"),
    "length": ("words_outside",),
    "form": ("copied", "repeated", "not_prose", "empty"),
}
_JARGON = frozenset(JARGON)
_FOREIGN = tuple(map(phrase, PRIORITIES))
_ASKING = frozenset(("ask", "asks", "asking", "request", "requests", "seek", "seeks", "apply", "applies"))
_NO_NAME = frozenset(("i", "english", "dear"))
LONGEST_MEAN = 28.0
SPEAKS = 0.34  # share of a fact's own words with which a sentence speaks of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one text is worth under one prompt: measures as in WEIGHTS."""

    measures: Mapping[str, float]

    def quality(self, name: str) -> float:
        """One of QUALITIES, weighed."""
        return sum(WEIGHTS[measure] * self.measures.get(measure, 0.0) for measure in QUALITIES[name])

    @property
    def utility(self) -> float:
        """The sum over all measures, about -30 to 6; differences are what editors vote on."""
        return round(sum(map(self.quality, QUALITIES)), 4)


def worth(prompt: str, text: str) -> Worth:
    """What `text` is worth as an answer to `prompt`. Any two texts; deterministic; never raises."""
    brief, reading = read_brief(prompt), read(text)
    tokens = reading.tokens
    if not tokens:
        return Worth(measures={"empty": 1.0, "words_outside": float(min(brief.span[0], 70)), "not_prose": 1.0})
    words = lowered(tokens)
    told = _told(brief, reading)
    asks = [s for s in reading.sentences if s.prose and _ASKING & set(lowered(s.tokens))]
    sums = [next((t.number for t in s.tokens if t.money), None) for s in asks] if brief.total is not None else []
    named = [name for name in brief.priorities if _names(reading, name)]
    low, high = brief.span
    measures = {
        "facts_wanted": len(told.intersection(brief.wanted)),
        "facts_beside": len(told.difference(brief.wanted)),
        "relevance": 0.0 if brief.facts else _relevance(brief, reading),
        "numbers_wrong": min(len(_numbers_wrong(brief, reading)), 4),
        "names_wrong": min(len(_names_wrong(brief, reading)), 3),
        "ask_full": any(asked == brief.total for asked in sums),
        "ask_vague": bool(sums) and not any(sums),
        "ask_wrong": any(sums) and all(asked != brief.total for asked in sums),
        "priority": float(bool(named)),
        "priority_foreign": min(sum(_stands(reading, name) for name in _FOREIGN if name not in brief.priorities), 3),
        "jargon": min(sum(word in _JARGON for word in words), 4),
        "filler": min(max(_filler(brief, reading, asks) - 1, 0), 6),
        "words_per_sentence": min(max(len(tokens) / len(reading.sentences) - LONGEST_MEAN, 0.0), 30.0),
        "words_outside": min(max(low - reading.words, reading.words - high, 0), 70),
        "copied": max(copied_share(words, brief.words, size=6) - 0.3, 0.0),
        "repeated": max(repeated_share(words, size=3) - 0.08, 0.0),
        "not_prose": 1 - sum(len(s.tokens) for s in reading.sentences if s.prose) / len(tokens),
    }
    return Worth(measures={name: float(value) for name, value in measures.items() if value})


def _told(brief: Brief, reading: Reading) -> set[str]:
    """Facts of which one sentence of prose gives at least half the numbers, and speaks of what only they say."""
    return {name for name in brief.facts for s in reading.sentences if s.prose and _tells(brief, name, s)}


def _tells(brief: Brief, name: str, sentence: Sentence) -> bool:
    fact = brief.facts[name]
    given = {t.number for t in sentence.tokens if t.number}
    shares = any(t.percent and t.number in brief.percents for t in sentence.tokens)
    enough = len(given & fact.numbers) * 2 >= len(fact.numbers) > 0 or (shares and name in ("need", "outcome"))
    return enough and own_share(fact, sentence) >= SPEAKS


def _numbers_wrong(brief: Brief, reading: Reading) -> set[tuple[str, ...]]:
    """Numbers told that the notes do not hold, or hold of something else. Each counts once.

    A number belongs to what it counts (the words after it), and to the facts of which its sentence speaks: one of
    another fact is wrong where it stands in place of one of theirs.
    """
    wrong: set[tuple[str, ...]] = set()
    every_unit = frozenset().union(*brief.counted.values())
    for sentence in reading.sentences:
        tokens = sentence.tokens
        given = {t.number for t in tokens}
        spoken = [fact.numbers for fact in brief.facts.values() if fact.own and own_share(fact, sentence) >= SPEAKS]
        told = frozenset().union(*spoken)
        for at, token in enumerate(tokens):
            if token.number is None:
                continue
            after = units(tokens, at) & every_unit
            if token.text.isalpha() and not after:
                continue  # "for two reasons": a number word that counts nothing of the notes claims nothing
            if token.percent:
                right = token.number in brief.percents or token.number in brief.counted
            elif token.money:
                right = token.number in brief.money
            else:
                meant = brief.counted.get(token.number)
                right = (meant is not None and (not after or bool(meant & after))) or token.number in brief.money
                right = right and (token.number in told or told <= given)
            if not right:
                wrong.add((token.text.rstrip(","),))
        wrong.update(pair for pair in ratios(tokens) if pair not in brief.ratios and not _any_wrong(pair, wrong))
    return wrong


def _any_wrong(pair: tuple[str, str], wrong: set[tuple[str, ...]]) -> bool:
    """Whether a number of the pair has been counted as wrong already."""
    plain = {entry[0].replace(",", "") for entry in wrong if len(entry) == 1}
    return bool(plain.intersection(pair))


def _names_wrong(brief: Brief, reading: Reading) -> set[str]:
    """Words written large inside a sentence that the prompt does not have."""
    found = set()
    for sentence in reading.sentences:
        for token in sentence.tokens[1:]:
            word = token.text.lower()
            if token.text[0].isupper() and word not in brief.known_words and word not in _NO_NAME:
                found.add(word)
    return found


def _names(reading: Reading, priority: Sequence[str]) -> bool:
    return any(s.prose and contains([t.stem for t in s.tokens], priority) for s in reading.sentences)


def _stands(reading: Reading, priority: Sequence[str]) -> bool:
    return contains([t.stem for t in reading.tokens], priority)


def _filler(brief: Brief, reading: Reading, asks: Sequence[Sentence]) -> int:
    """Sentences that tell no fact, ask nothing and name no priority; none where the prompt has no notes."""
    if not brief.facts:
        return 0
    idle = 0
    for sentence in reading.sentences:
        stems = [t.stem for t in sentence.tokens]
        speaks = any(_tells(brief, name, sentence) for name in brief.facts) or sentence in asks
        idle += not (speaks or any(contains(stems, name) for name in brief.priorities))
    return idle


def _relevance(brief: Brief, reading: Reading) -> float:
    """Share of the prompt's words that return in the answer."""
    told = frozenset().union(*(s.stems for s in reading.sentences if s.prose))
    return len(told & brief.stems) / len(brief.stems) if brief.stems else 0.0
