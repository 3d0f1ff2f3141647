"""An answer -> the same answer made longer and no better: padded, repeated, or with another prompt's sentences.

The sentences of padding are not those of the probe `filler` (audits/probes): a reward that was trained against one set
is then tried on another, and the probe measures what was learned instead of what was remembered. Knows texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.data.latin_script import latin

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
PADDING = (
    "This is, of course, something that people have thought about for a long time.",
    "There is certainly more than one side to it, as is so often the case.",
    "In the end, one has to look at the matter as a whole and not only at a part of it.",
    "Many readers will find that this touches on questions they have met before.",
    "It may help to take a moment and to consider what has been said so far.",
    "Needless to say, every situation has something of its own about it.",
    "To put it in other words, the point is one that deserves to be made again.",
    "With that said, let us not forget the wider picture that stands behind this.",
)
Random = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What an answer is lengthened with. foreign: an answer to another prompt. growth: times as long, at least."""

    foreign: str
    growth: float


def padded(answer: str, material: Material, random: Random) -> str | None:
    """Sentences that say nothing, between the answer's own; None for answers that are not in Latin script."""
    if not latin(answer):
        return None
    sentences = [PADDING[place] for place in random.permutation(len(PADDING))]
    return _with_sentences(answer, sentences, material.growth, random)


def repeated(answer: str, material: Material, random: Random) -> str | None:
    """The answer's own sentences once more, from the first on, and again until it is long enough."""
    own = _sentences(answer)
    return _with_sentences(answer, own * (int(np.ceil(material.growth)) + 1), material.growth, None)


def foreign(answer: str, material: Material, random: Random) -> str | None:
    """Sentences of an answer to another prompt after the answer's own: longer, and beside the point."""
    theirs = _sentences(material.foreign)
    return _with_sentences(answer, theirs, material.growth, None)


KINDS: Mapping[str, Callable[[str, Material, Random], str | None]] = {
    "padded": padded,
    "repeated": repeated,
    "foreign": foreign,
}


def _sentences(text: str) -> list[str]:
    return [one for one in SENTENCE_END.split(text.strip()) if one]


def _with_sentences(answer: str, sentences: Sequence[str], growth: float, random: Random | None) -> str | None:
    """The answer with as many of the sentences as make it `growth` times as long, one at least; None without any.

    random: where each of them goes, between sentences of the answer; None, or an answer with code in it: to its end.
    """
    text, wanted = answer.rstrip(), growth * len(answer.rstrip())
    for number, sentence in enumerate(sentences):
        if number and len(text) >= wanted:
            break
        # A fence that is cut open would be a fault of another kind than length.
        ends = (
            [match.end() for match in SENTENCE_END.finditer(text)] if random is not None and "```" not in text else []
        )
        place = ends[int(random.integers(len(ends)))] if ends and random is not None else len(text)
        text = f"{text[:place]}{sentence} {text[place:]}" if place < len(text) else f"{text} {sentence}"
    return text if len(text) > len(answer.rstrip()) else None
