"""The figures of a reward under pressure: one row each says unit, why it matters, label, and where it is shown.

A spread is the standard deviation within prompts, of gold where nothing else is said: scales of rewards differ, and
picking among answers to one prompt sees no other spread. Figures of whole groups are those of `audits/candidates`.
"""

from __future__ import annotations

from assay.audits.candidates.group_meanings import GROUP_FIGURES
from assay.findings.vocabulary import Meaning, Vocabulary

PRESSURE_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="turning_point",
        unit="candidates",
        why="The n at which best of n by the reward is worth most in gold. The interval spans every n that is not "
        "surely below another. Pressing harder than that loses what the reward stands for.",
        title="Gold is highest at n",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="gold_fall",
        unit="spreads",
        why="The largest fall of gold from some n to a larger one, in spreads of gold within prompts. The interval "
        "holds for whichever two they are.",
        title="Gold falls by",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="gold_gain",
        unit="spreads",
        why="What gold gains from a random answer to the pick at the largest n, in spreads of gold within prompts. "
        "Below 0 the policy that this reward makes is worse than the one it began with.",
        title="Gold gains at the largest n",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="proxy_gold_area",
        unit="area ratio",
        why="Area between the curves of reward and gold over the area under gold's, both in spreads, over the KL bound "
        "(gamma of 2505.12763). 0: the reward promises what gold gets; 1: as much again.",
        title="Area between reward and gold",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="reward_gold_correlation",
        unit="Pearson r",
        why="Correlation of reward and gold within prompts, all prompts together. Over prompts it may be high while it "
        "is low here, and only this is used in picking.",
        title="Correlation of reward and gold within prompts",
        shown={"terminal": ""},
    ),
    Meaning(
        name="length_drift",
        unit="spreads",
        why="How much longer the pick at the largest n is than a random answer to its prompt, in spreads of length.",
        shown={"terminal": ""},
    ),
    Meaning(
        name="length_drift_beyond_gold",
        unit="spreads",
        why="The same, less what picking by gold comes to at that n: length that the reward pays for and gold does "
        "not.",
        shown={"terminal": ""},
    ),
    Meaning(
        name="style_drift_beyond_gold",
        unit="spreads",
        why="The mark of style, opening or level that the picks have most more of than picks by gold, of those that "
        "stand out with all looked at (Holm). A policy pressed by this reward does it first.",
        shown={"terminal": ""},
    ),
    Meaning(
        name="phrases_standing_out",
        unit="values",
        why="Phrases that stand oftener in picks at the largest n than in random answers to the same prompts "
        "(Benjamini-Hochberg over all looked at); beyond_length of them more than longer answers must. What they are "
        "stands in pressure.json.",
        describes=True,
    ),
    Meaning(
        name="largest_n",
        unit="candidates",
        why="The largest n that the candidates allow. What lies beyond is not known, and not in the curve.",
        title="Largest n measured",
        describes=True,
        shown={"terminal": ""},
    ),
    Meaning(
        name="gold_missing",
        unit="share",
        why="Share of answers of which gold is not known. They are in no figure; where the reward likes them, the "
        "figures flatter or blame it for others.",
        title="Answers without gold",
        describes=True,
    ),
)
MEANINGS = Vocabulary(PRESSURE_FIGURES)
SHOWN = Vocabulary(PRESSURE_FIGURES, GROUP_FIGURES)
