"""Three simulated editors: what each makes of two paragraphs, by the utility, a taste of their own, and noise."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assay.simulate.grants.editorial_utility import QUALITIES, Worth, worth
from assay.simulate.grants.paragraphs import Paragraph
from assay.simulate.grants.read_brief import read_brief
from assay.simulate.paired_votes import Side
from assay.simulate.random_values import simulation_stream

EditorChoice = Literal["left", "right", "tie", "both_bad", "abstain"]
UNUSABLE = -3.0  # utility of a text below which an editor would print it under no circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """One simulated voter; votes left with chance carelessness / 2 + (1 - carelessness) * sigmoid(sharpness * seen).

    seen = sum over QUALITIES of taste x (quality of the left text - quality of the right one); a taste not named is 1.
    tie_band: in a study, texts that look nearer than this after noise are called a tie.
    """

    name: str
    taste: Mapping[str, float] = field(default_factory=dict)
    sharpness: float
    carelessness: float
    tie_band: float

    def seen(self, left: Worth, right: Worth) -> float:
        """How much better the left text looks to this editor, before noise."""
        return sum(self.taste.get(name, 1.0) * (left.quality(name) - right.quality(name)) for name in QUALITIES)

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "taste": {name: self.taste.get(name, 1.0) for name in QUALITIES},
            "sharpness": self.sharpness,
            "carelessness": self.carelessness,
            "tie_band": self.tie_band,
        }


EDITORS = (
    Editor(
        name="simulated-editor-1", taste={"specific": 1.3, "supported": 1.3, "plain": 0.7},
        sharpness=2.0, carelessness=0.03, tie_band=0.25,
    ),
    Editor(
        name="simulated-editor-2", taste={"plain": 1.6, "length": 1.4, "ask": 0.7},
        sharpness=1.7, carelessness=0.05, tie_band=0.4,
    ),
    Editor(
        name="simulated-editor-3", taste={"ask": 1.4, "fit": 1.5, "supported": 0.8, "length": 0.7},
        sharpness=1.5, carelessness=0.09, tie_band=0.3,
    ),
)  # fmt: skip


def vote(rng: random.Random, left: Paragraph, right: Paragraph, *, editor: Editor) -> tuple[Side, bool]:
    """The side this editor picks where a side must be picked; never unread."""
    if rng.random() < editor.carelessness:
        return ("left" if rng.random() < 0.5 else "right"), False
    return ("left" if editor.seen(left.worth, right.worth) + _noise(rng, editor) > 0 else "right"), False


def judge(editor: Editor, *, prompt: str, left: str, right: str, seed: int) -> EditorChoice:
    """What this editor says of two texts shown side by side; "abstain" where the prompt has no notes to judge by.

    The noise depends on seed, editor and texts with their sides, and on nothing else: the order of items and an
    interruption change no vote, and a repeat with its sides exchanged is judged afresh.
    """
    if not read_brief(prompt).facts:
        return "abstain"
    rng = simulation_stream(seed, "\x00".join(("grants/study", editor.name, prompt, left, right)))
    if rng.random() < editor.carelessness:
        return "left" if rng.random() < 0.5 else "right"
    on_left, on_right = worth(prompt, left), worth(prompt, right)
    looks = editor.seen(on_left, on_right) + _noise(rng, editor)
    if max(on_left.utility, on_right.utility) < UNUSABLE:
        return "both_bad"
    if abs(looks) < editor.tie_band:
        return "tie"
    return "left" if looks > 0 else "right"


def _noise(rng: random.Random, editor: Editor) -> float:
    """Logistic noise: with it, the sign of what is seen follows the sigmoid of `Editor`."""
    share = min(max(rng.random(), 1e-12), 1 - 1e-12)
    return math.log(share / (1 - share)) / editor.sharpness
