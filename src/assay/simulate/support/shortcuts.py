"""A shortcut planted in labelled pairs: the chosen answer is made the longer one in a stated share of them.

Unlike the defect `length_shortcut` no label is turned: lines of padding are written into one answer of each pair until
it is clearly the longer, into the chosen one in the stated share. So length foretells the label at that strength, on
held-out pairs as well as in training, while padding is worth less than nothing; the truth is measured anew.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from assay.errors import ConfigError
from assay.simulate.paired_votes import Candidate, Labelled
from assay.simulate.prose import sentence
from assay.simulate.random_values import simulation_stream
from assay.simulate.support import reply_parts as parts
from assay.simulate.support import wording
from assay.simulate.support.reading import ReadCase, read_case, read_quality
from assay.simulate.support.utility import WEIGHTS, Answer

SHORTCUTS = ("length",)
CLEARLY = 8  # words apart: less than a line of padding, and more than the desk's answers differ by in most pairs


class PlantedShortcut(TypedDict):
    """strength: the share asked for. followed: the share of pairs whose chosen answer is the longer one, in characters.

    padded: the answer that lines were written into, by row id; a row whose answer was clearly longer has none.
    """

    strength: float
    followed: float
    padded: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """A candidate whose worth is known without its qualities."""

    text: str
    utility: float


def checked_shortcuts(strengths: Mapping[str, float]) -> dict[str, float]:
    """The strengths, if each names a shortcut. Raises ConfigError."""
    for name, strength in strengths.items():
        if name not in SHORTCUTS:
            raise ConfigError(f"No shortcut is called {name!r}. Known shortcuts: {', '.join(SHORTCUTS)}.")
        if not 0 <= strength <= 1:
            raise ConfigError(f"Shortcut {name}: expected a strength between 0 and 1, got {strength}.")
    return dict(strengths)


def plant_length(labelled: Sequence[Labelled], strength: float, *, seed: int) -> tuple[list[Labelled], PlantedShortcut]:
    """The rows with one answer of each padded, the chosen one in `strength` of them, and what is true of that.

    Rows come named (see numbered): what is drawn for a row depends on the seed and on its name.
    """
    order = list(range(len(labelled)))
    simulation_stream(seed, "shortcuts/length").shuffle(order)
    followed = set(order[: round(strength * len(labelled))])
    rows: list[Labelled] = []
    padded: dict[str, str] = {}
    for place, row in enumerate(labelled):
        longer, shorter = (row.chosen, row.rejected) if place in followed else (row.rejected, row.chosen)
        grown = _padded(row, longer, beyond=shorter, rng=simulation_stream(seed, f"shortcuts/length/{row.id}"))
        if grown is not longer:
            padded[row.id] = "chosen" if place in followed else "rejected"
        rows.append(replace(row, chosen=grown) if place in followed else replace(row, rejected=grown))
    longer_chosen = sum(len(row.chosen.text) > len(row.rejected.text) for row in rows)
    return rows, {"strength": strength, "followed": longer_chosen / len(rows), "padded": padded}


def _padded(row: Labelled, answer: Candidate, *, beyond: Candidate, rng: random.Random) -> Candidate:
    """`answer` with lines of padding until it is clearly longer than `beyond`; itself where it is so already."""
    case = read_case(row.prompt, row.category)
    text, least = answer.text, len(beyond.text.split()) + CLEARLY
    while len(text.split()) < least:
        line = sentence(_line(row, case, rng))
        text = f"{line} {text}" if rng.random() < 0.5 else f"{text} {line}"
    if text == answer.text:
        return answer
    if isinstance(case, ReadCase):
        quality = read_quality(case, text)
        return Answer(text=text, quality=quality)
    # No truth can be read under such a prompt; the padding's own worth is known all the same.
    more = len(text.split()) - len(answer.text.split())
    return _Worth(text=text, utility=round(answer.utility + WEIGHTS["words_idle"] * more, 4))


def _line(row: Labelled, case: object, rng: random.Random) -> str:
    if isinstance(case, ReadCase):
        return parts.padding(rng, case)
    return rng.choice([line for line in wording.PADDING if "{" not in line])
