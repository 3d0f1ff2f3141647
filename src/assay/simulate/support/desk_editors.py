"""Three simulated editors of the support desk: what each says of two answers, on the whole and along each axis.

They are the desk's annotators (annotators.py) with two things more: an answer that looks hardly better is a tie, and
each axis that a study asks for is rated by its own worth and its own noise. Knows texts under the desk's prompts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.simulate.random_values import simulation_stream
from assay.simulate.support.annotators import ANNOTATORS, Annotator
from assay.simulate.support.axes import AXES, axis_worths
from assay.stats.unknown import Unknown

Preference = Literal["left", "right", "tie"]
TIE_BAND = 0.3  # of utility: what looks nearer than this, noise included, is called a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one editor says of two answers. ratings: by axis; one that is no axis of the desk is left out."""

    choice: Literal["left", "right", "tie", "abstain"]
    ratings: Mapping[str, Preference]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEditor:
    """One simulated editor."""

    name: str
    annotator: Annotator


DESK_EDITORS = tuple(
    DeskEditor(name=f"simulated-agent-{number}", annotator=one) for number, one in enumerate(ANNOTATORS, start=1)
)


def judge_answers(
    editor: DeskEditor, *, prompt: str, left: str, right: str, aspects: Sequence[str], seed: int
) -> Judgement:
    """What this editor says of two answers shown side by side; abstains where the prompt is not the desk's.

    The noise depends on seed, editor, texts with their sides and the axis, and on nothing else: the order of items and
    an interruption change no vote, and a repeat with its sides exchanged is judged afresh.
    """
    on_left, on_right = axis_worths(prompt, left), axis_worths(prompt, right)
    if isinstance(on_left, Unknown) or isinstance(on_right, Unknown):
        return Judgement(choice="abstain", ratings={})
    words = (len(left.split()) - len(right.split())) / 10

    def said(what: str, apart: float) -> Preference:
        return _preference(editor, apart, use="\x00".join((what, editor.name, prompt, left, right)), seed=seed)

    gaps = {axis: on_left[axis] - on_right[axis] for axis in AXES}
    # A liking for length sways the whole and what seems helpful; nobody takes words for manners or for truth.
    liking = editor.annotator.length * words
    whole = said("whole", sum(gaps.values()) + liking)
    ratings: dict[str, Preference] = {
        axis: said(axis, gaps[axis] + (liking if axis == "helpful" else 0.0)) for axis in AXES if axis in aspects
    }
    return Judgement(choice=whole, ratings=ratings)


def _preference(editor: DeskEditor, apart: float, *, use: str, seed: int) -> Preference:
    rng = simulation_stream(seed, f"support/study/{use}")
    one = editor.annotator
    if rng.random() < one.carelessness:
        return "left" if rng.random() < 0.5 else "right"
    if not apart:
        return "tie"  # nothing at all tells the answers apart: to say so needs no sharp eye
    share = min(max(rng.random(), 1e-12), 1 - 1e-12)
    # Logistic noise, so that the sign of what is seen follows the annotator's sigmoid.
    looks = apart + math.log(share / (1 - share)) / one.sharpness
    return "tie" if abs(looks) < TIE_BAND else "left" if looks > 0 else "right"
