"""Phrases that stand oftener in the picks than in random answers to the same prompts, with all looked at counted.

1) the phrases looked at are the most frequent ones: chosen without a look at rewards, so that the test is not of what
was picked for it; 2) each is tested over prompts, and Benjamini-Hochberg's rule holds the share of false ones; 3) so
it is once more less what the length of the picks explains, for a longer answer has more of every phrase; 4) of phrases
inside each other that stand out alike the longest is told.
Letters: G prompts, P phrases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.artifacts.pressure_body import PhraseRow
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.picked_style import Chances
from assay.audits.pressure.pressed_prompts import PressedPrompt
from assay.audits.style.overuse import FEWEST, clustered_sum
from assay.records import plain_text
from assay.stats.draws import stream
from assay.stats.intervals import Array, Codes
from assay.stats.multiplicity import benjamini_hochberg

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
LONGEST = 4  # words of a phrase
OPENING = 3  # words that an answer opens with
START = "^"  # stands before an opening, and in no word
SAMPLED = 16  # answers of a prompt in which frequent phrases are looked for
MOST_READ = 6_000_000  # characters of answers read; about ten seconds
BENDS = 3  # of length, that a phrase's share may follow: rare ones grow with it, frequent ones level off
ALIKE = 0.005  # difference of shares up to which two phrases stand in the same answers
BEYOND = 0.05  # adjusted p value up to which length is said not to explain a phrase
SAME = 0.8  # of a longer phrase's excess, from which on a phrase inside it says nothing of its own
Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """What stands out, the clearest first; tested: how many phrases were looked at, in how many prompts."""

    rows: list[PhraseRow]
    tested: int
    prompts: int


def phrases(prompts: Sequence[PressedPrompt], found: Chances, codes: Codes, config: PressureConfig) -> Phrases:
    """Phrases of one to four words, and openings of three, that picks have oftener than random answers."""
    read = places_read(prompts, config.seed)
    looked_at = frequent(prompts, read, config)
    if not looked_at:
        return Phrases(rows=[], tested=0, prompts=len(read))
    # Of random answers, of picks, and of picks by gold: each prompt's share of answers that have the phrase.
    random, picked, by_gold = (np.zeros((len(read), len(looked_at))) for _ in range(3))
    longer = np.zeros((len(read), BENDS))
    together, spread = np.zeros((BENDS, len(looked_at))), np.zeros((BENDS, BENDS))
    for row, place in enumerate(read):
        texts = [plain_text(answer) for answer in prompts[place].answers]
        length = length_terms(texts)
        longer[row], spread = found.by_proxy[place] @ length, spread + length.T @ length / len(texts)
        has = np.zeros((len(texts), len(looked_at)))
        for answer, text in enumerate(texts):
            has[answer, [looked_at[phrase] for phrase in looked_at.keys() & set(phrases_of(text))]] = 1.0
        random[row], together = has.mean(axis=0), together + length.T @ has / len(texts)
        picked[row], by_gold[row] = found.by_proxy[place] @ has, found.by_gold[place] @ has
    # The slopes of each phrase on length within prompts, and what they make of the picks being longer.
    by_length = longer @ (np.linalg.pinv(spread) @ together)
    p, prompts_P = tested(picked - random, codes[read])
    beyond, _ = tested(picked - random - by_length, codes[read])
    shares = [share.mean(axis=0) for share in (random, picked, by_gold)]
    rows = [
        PhraseRow(
            phrase=" ".join(word for word in phrase if word != START),
            opens=phrase[0] == START,
            random=float(shares[0][column]),
            picked=float(shares[1][column]),
            picked_by_gold=float(shares[2][column]),
            prompts=int(prompts_P[column]),
            p_bh=float(p[column]),
            p_beyond_length=float(beyond[column]),
        )
        for phrase, column in looked_at.items()
        if p[column] <= 1 - config.level
    ]
    return Phrases(rows=without_parts(joined(without_parts(rows))), tested=len(looked_at), prompts=len(read))


def length_terms(texts: Sequence[str]) -> Array:
    """Length, its square and its logarithm less their means over these answers, (N, BENDS)."""
    # Hundreds of characters, so that the square does not drown the others in rounding.
    length = np.array([len(text) for text in texts]) / 100
    terms = np.column_stack([length, np.square(length), np.log1p(length)])
    return np.asarray(terms - terms.mean(axis=0))


def places_read(prompts: Sequence[PressedPrompt], seed: int) -> list[int]:
    """Prompts whose answers are read: all, or as many drawn ones as MOST_READ allows."""
    order = stream(seed, "phrases: prompts").permutation(len(prompts)).tolist()
    read: list[int] = []
    held = 0
    for place in order:
        size = sum(len(plain_text(answer)) for answer in prompts[place].answers)
        if read and held + size > MOST_READ:
            break
        read.append(place)
        held += size
    return sorted(read)


def frequent(prompts: Sequence[PressedPrompt], read: Sequence[int], config: PressureConfig) -> Mapping[Phrase, int]:
    """Columns of the phrases that most prompts have in some answers and not in all, as many of each length."""
    counts: Counter[Phrase] = Counter()
    draw = stream(config.seed, "phrases: answers")
    for place in read:
        answers = prompts[place].answers
        some = draw.choice(len(answers), size=min(SAMPLED, len(answers)), replace=False).tolist()
        within: Counter[Phrase] = Counter()
        for one in some:
            within.update(set(phrases_of(plain_text(answers[one]))))
        counts.update(phrase for phrase, count in within.items() if count < len(some))
    by_length: dict[int, list[Phrase]] = {}
    for phrase, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count >= FEWEST:
            by_length.setdefault(0 if phrase[0] == START else len(phrase), []).append(phrase)
    each = max(1, config.phrases // (LONGEST + 1))
    kept = [phrase for _, several in sorted(by_length.items()) for phrase in several[:each]]
    return {phrase: column for column, phrase in enumerate(kept)}


def phrases_of(text: str) -> Iterator[Phrase]:
    """The opening, then every run of one to four words, in small letters."""
    words = [word.replace("’", "'") for word in WORD.findall(text.lower())]
    if len(words) >= OPENING:
        yield (START, *words[:OPENING])
    for length in range(1, LONGEST + 1):
        yield from zip(*(words[start:] for start in range(length)), strict=False)


def tested(apart_GP: Array, codes: Codes) -> tuple[Array, Array]:
    """p values of "no oftener in picks", adjusted over all, and in how many prompts picks differ at all; (P,) each."""
    total, error, freedom = clustered_sum(apart_GP, codes)
    score = np.divide(total, error, out=np.zeros_like(total), where=error > 0)
    # A phrase that three prompts hold is known from three prompts, however often it stands there.
    p = np.where((freedom + 1 < FEWEST) | (error <= 0), 1.0, special.stdtr(freedom, -score))
    return benjamini_hochberg(p), (np.abs(apart_GP) > 1e-12).sum(axis=0)


def without_parts(rows: Sequence[PhraseRow]) -> list[PhraseRow]:
    """The rows, the clearest first, less those inside a longer one that stands out nearly as much."""
    kept: list[PhraseRow] = []
    for row in sorted(rows, key=lambda one: -len(one.phrase.split())):
        padded = f" {row.phrase} "
        inside = [one for one in kept if padded in f" {one.phrase} " and one is not row]
        if not any(excess(one) >= SAME * excess(row) for one in inside):
            kept.append(row)
    return sorted(kept, key=lambda one: (-telling(one), one.phrase))


def joined(rows: Sequence[PhraseRow]) -> list[PhraseRow]:
    """Phrases that run into each other and stand in the same answers, as one: a sentence is many runs of four words."""
    found: list[PhraseRow] = []
    waiting = list(rows)
    while waiting:
        row = waiting.pop(0)
        for other in waiting:
            whole = run_together(row, other) or run_together(other, row)
            if whole is not None:
                waiting.remove(other)
                waiting.insert(0, whole)
                break
        else:
            found.append(row)
    return found


def run_together(row: PhraseRow, other: PhraseRow) -> PhraseRow | None:
    """The phrase of both, `other` going on where `row` ends; None where they share less than two words or answers."""
    first, second = row.phrase.split(), other.phrase.split()
    alike = abs(row.random - other.random) < ALIKE and abs(row.picked - other.picked) < ALIKE
    if not alike or other.opens:
        return None
    for shared in range(min(len(first), len(second)) - 1, 1, -1):
        if first[-shared:] == second[:shared]:
            worse = max(row.p_bh, other.p_bh), max(row.p_beyond_length, other.p_beyond_length)
            phrase = " ".join([*first, *second[shared:]])
            return row.model_copy(update={"phrase": phrase, "p_bh": worse[0], "p_beyond_length": worse[1]})
    return None


def telling(row: PhraseRow) -> float:
    """What orders the rows: excess by words, up to LONGEST of them. A longer answer has more "of" and "us", and only a
    phrase says what it has more of; one that length does not explain comes before all that it does."""
    words = min(len(row.phrase.split()), LONGEST)
    return excess(row) * words + (LONGEST if row.p_beyond_length <= BEYOND else 0)


def excess(row: PhraseRow) -> float:
    return row.picked - row.random
